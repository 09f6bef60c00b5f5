import Testing

@testable import Routing

/// A key that no output may contain.
let plantedSecret = "sk-planted-7e57ab1e"

/// An environment and a file system of the test's own.
let testSources = SecretSources(
  environment: { name in
    ["K": plantedSecret, "K2": plantedSecret + "-2", "EMPTY": "", "SPACED": "two words"][name]
  },
  file: { (path, limitBytes) throws(FileFault) in
    let files = [
      "/conf/key": plantedSecret + "\n", "/conf/crlf": plantedSecret + "\r\n\n", "/conf/empty": "\n",
      "/conf/inner": "one\ntwo\n", "/conf/ca.pem": "-----BEGIN CERTIFICATE-----", "/abs/key": plantedSecret,
      "/conf/long": String(repeating: "x", count: 513), "/conf/account.json": accountFile(),
    ]
    if path == "/conf/folder" { throw .isDirectory }
    if path == "/conf/closed" { throw .notPermitted }
    if path == "/conf/big" { throw .tooLarge(limitBytes: limitBytes) }
    guard let text = files[path] else { throw .notFound }
    return Array(text.utf8)
  })

/// A service account's file as Google writes it, with other members in place of some.
func accountFile(_ changes: [String: String?] = [:]) -> String {
  var members: [String: String?] = [
    "type": #""service_account""#, "project_id": #""p1""#, "private_key_id": #""id1""#,
    "private_key": #""-----BEGIN PRIVATE KEY-----\n\#(plantedSecret)\n-----END PRIVATE KEY-----\n""#,
    "client_email": #""caller@p1.iam.example""#, "token_uri": #""https://oauth2.example/token""#,
  ]
  members.merge(changes) { $1 }
  return "{\n" + members.compactMap { key, value in value.map { "  \"\(key)\": \($0)" } }.joined(separator: ",\n")
    + "\n}\n"
}

/// Lines 1 to 7 of a small valid file, into which a case puts its own line 4 (a provider) or line 6 (another section).
func smallFile(
  provider: String = #""openai": {"kind": "openai", "url": "wss://h.example/v1", "key": "env:K", "model": "m"}"#,
  more: String = ""
) -> String {
  """
  {
    "default": "openai",
    "providers": {
      \(provider)
    }
    \(more)
  }
  """
}

func decode(_ text: String) throws(RouteFaults) -> RouteTable {
  try RouteTable.decode(Array(text.utf8), file: "routes.json", directory: "/conf/", sources: testSources)
}

/// The printed faults of a file; empty if it is valid.
func faultLines(_ text: String) -> [String] {
  faultLines(Array(text.utf8))
}

func faultLines(_ bytes: [UInt8]) -> [String] {
  do {
    _ = try RouteTable.decode(bytes, file: "routes.json", directory: "/conf/", sources: testSources)
    return []
  } catch {
    return error.description.split(separator: "\n").map(String.init)
  }
}

/// A wrong file and what is printed about it, line for line.
struct WrongFile: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  let lines: [String]

  init(_ name: String, _ text: String, _ lines: String...) {
    self.name = name
    self.text = text
    self.lines = lines
  }

  var testDescription: String { name }
}
