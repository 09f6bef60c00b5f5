import Envelope
import NIOCore
import Routing

extension FuzzTarget {
  /// A routes.json, and a line before it: the address that a client asks for.
  static let routes = FuzzTarget("routes") { bytes in
    var input = FuzzInput(bytes)
    let target = RequestTarget(String(decoding: input.line(), as: UTF8.self))
    let file = Array(input.rest)
    let table = decode(file)
    var findings = Findings()
    let lines = file.count { $0 == UInt8(ascii: "\n") } + 1
    switch table {
    case .success(let table):
      let shown = RedactedDump(table).description
      findings.expect(!shown.contains(planted), "a secret is shown: \(shown)")
      findings.expect(table.providers[table.defaultProvider] != nil, "no default provider")
      _ = try? table.choose(target)
    case .failure(let faults):
      findings.expect(!faults.faults.isEmpty, "refused without a reason")
      findings.expect(!faults.description.contains(planted), "a secret is shown: \(faults)")
      let areLines = faults.faults.allSatisfy { (1...lines).contains($0.line ?? 0) }
      findings.expect(areLines, "a line that there is not: \(faults)")
    }
    findings.add(comparedWithTheOtherParser(file, table))
    return findings.violations
  }

  /// Two parsers, one grammar: this one keeps places and names every fault, that of the events is fast.
  private static func comparedWithTheOtherParser(
    _ file: [UInt8], _ table: Result<RouteTable, RouteFaults>
  ) -> [String] {
    var findings = Findings()
    let value: JSONValue
    do throws(JSONFault) {
      value = try JSONValue(parsing: ByteBuffer(bytes: file))
    } catch {
      switch error {
      case .tooDeep, .tooManyKeys, .tooManyElements, .numberTooLong, .numberOutOfRange: break
      default: if case .success = table { findings.expect(false, "taken, and no JSON: \(error)") }
      }
      return findings.violations
    }
    let again = decode(Array(value.text.utf8))
    switch (table, again) {
    case (.success(let table), .success(let again)):
      let (shown, shownAgain) = (RedactedDump(table).description, RedactedDump(again).description)
      findings.expectEqual(shownAgain, shown, "a table, written and read")
    case (.failure(let faults), .failure(let again)):
      findings.expectEqual(causes(again), causes(faults), "faults of a table, written and read")
    default:
      findings.expect(false, "taken in one form and not in the other: \(table)")
    }
    return findings.violations
  }

  /// Without their places.
  private static func causes(_ faults: RouteFaults) -> [String] {
    faults.faults.map { fault in
      switch fault.cause {
      case .invalidJSON: "JSON"
      case .duplicate(let what, _): "\(fault.path) \(what)"
      default: "\(fault.path) \(fault.cause)"
      }
    }.sorted()
  }

  /// A key that no output may contain.
  private static let planted = "sk-planted-7e57ab1e"

  private static func decode(_ file: [UInt8]) -> Result<RouteTable, RouteFaults> {
    do throws(RouteFaults) {
      return .success(try RouteTable.decode(file, file: "routes.json", directory: "/conf/", sources: sources))
    } catch {
      return .failure(error)
    }
  }

  private static let sources = SecretSources(
    environment: { name in ["K": planted, "EMPTY": "", "SPACED": "two words"][name] },
    file: { (path, limitBytes) throws(FileFault) in
      if path == "/conf/big" { throw .tooLarge(limitBytes: limitBytes) }
      guard let text = files[path] else { throw .notFound }
      return Array(text.utf8)
    })

  private static let files = [
    "/conf/key": planted + "\n", "/conf/empty": "\n", "/conf/ca.pem": "-----BEGIN CERTIFICATE-----",
    "/conf/account.json": """
    {"type":"service_account","project_id":"p1","private_key_id":"id1","private_key":"-----BEGIN PRIVATE KEY-----\\n\
    \(planted)\\n-----END PRIVATE KEY-----\\n","client_email":"caller@p1.example","token_uri":"https://oauth2.example/token"}
    """,
  ]
}
