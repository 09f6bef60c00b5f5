import Testing
import Translation

@testable import Routing

@Suite("Secrets do not print")
struct RedactionTests {
  private struct Holder {
    let name = "app"
    let key = Redacted(plantedSecret)
    let optional: Redacted<String>? = Redacted(plantedSecret)
    let list = [Redacted(plantedSecret)]
  }

  /// Every way in which Swift turns a value into text.
  private func texts<Value>(of value: Value) -> [String] {
    var dumped = ""
    dump(value, to: &dumped)
    var reflected = ""
    reflect(Mirror(reflecting: value), into: &reflected, depth: 0)
    var printed = ""
    print(value, to: &printed)
    debugPrint(value, to: &printed)
    return ["\(value)", String(describing: value), String(reflecting: value), dumped, reflected, printed]
  }

  private func reflect(_ mirror: Mirror, into text: inout String, depth: Int) {
    guard depth < 12 else { return }
    for child in mirror.children {
      text += "\(child.label ?? "") \(child.value)\n"
      reflect(Mirror(reflecting: child.value), into: &text, depth: depth + 1)
    }
  }

  @Test("Description, interpolation, dump and Mirror show <redacted>; only reveal() gives the value")
  func redacted() {
    let redacted = Redacted(plantedSecret)
    #expect(redacted.description == "<redacted>")
    #expect("\(redacted)" == "<redacted>")
    #expect(String(reflecting: redacted) == "<redacted>")
    #expect(Mirror(reflecting: redacted).children.isEmpty)
    #expect(redacted.reveal() == plantedSecret)
    for text in texts(of: redacted) + texts(of: Holder()) + texts(of: ["a": redacted]) {
      #expect(!text.contains(plantedSecret))
    }
    #expect(texts(of: Holder()).allSatisfy { $0.contains("<redacted>") })
  }

  @Test("fault row 68: no text of a whole table, its dump included, has a secret")
  func table() throws {
    let table = try decode(smallFile(more: #", "access": {"keys": [{"name": "app", "key": "env:K2"}]}"#))
    for text in texts(of: table) + [RedactedDump(table).description] {
      #expect(!text.contains(plantedSecret))
      #expect(text.contains("openai"))
    }
  }

  @Test("A request target prints without its query")
  func target() {
    let target = RequestTarget("/v1/realtime?token=\(plantedSecret)")
    #expect(target.values(of: "token") == [plantedSecret])
    for text in texts(of: target) {
      #expect(!text.contains(plantedSecret))
      #expect(text.contains("/v1/realtime"))
    }
  }

  @Test("R171: the dump names every setting in force, which providers are available, and why not")
  func printedTable() throws {
    let table = try decode(
      #"""
      {
        "listen": [{"host": "127.0.0.1", "port": 8787}, {"host": "::1", "port": 8788}],
        "default": "openai",
        "providers": {
          "openai": {"kind": "openai", "url": "wss://h.example/v1/realtime", "key": "env:K", "model": "gpt-realtime"},
          "gemini": {"kind": "gemini-live", "url": "wss://g.example", "key": "file:none", "model": "g"},
          "near": {"kind": "gemini-live", "url": "ws://[::1]:8790", "model": "g", "caFile": "ca.pem"}
        },
        "routes": [{"path": "/v1/realtime"}, {"path": "/g/", "provider": "gemini"}],
        "contact": "Ask \"ops\"",
        "limits": {"pingIntervalSeconds": 0.5}
      }
      """#)
    let lines = RedactedDump(table).description.split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(16) == [
        "listen (loopback only: there are no access keys)",
        "  127.0.0.1:8787",
        "  [::1]:8788",
        "default  openai",
        "providers",
        "  openai  openai  wss://h.example:443/v1/realtime  model gpt-realtime  key env:K <redacted>: available",
        "  gemini  gemini-live  wss://g.example:443  model g  apiVersion v1beta  key file:none: unavailable, "
          + "/conf/none: no such file",
        "  near  gemini-live  ws://[::1]:8790  model g  apiVersion v1beta  caFile /conf/ca.pem  no key: available",
        "routes",
        "  /v1/realtime -> openai",
        "  /g -> gemini",
        "access  none: anonymous clients on loopback",
        "tokens  a secret of this process",
        "ledger  sqlite in the data folder",
        #"contact  "Ask \"ops\"""#,
        "limits",
      ])
    #expect(lines.count == 16 + LimitDefinition.all.count)
    #expect(lines.contains("  maxMessageBytes 25165824"))
    #expect(lines.contains("  pingIntervalSeconds 0.5 (default 20)"))
  }

  @Test("The dump of a table with access keys names them and their references")
  func printedKeys() throws {
    let table = try decode(
      smallFile(
        more: #", "listen": [{"host": "::", "port": 1}], "access": {"keys": [{"name": "app", "key": "env:K2"}]}"#))
    let lines = RedactedDump(table).description.split(separator: "\n").map(String.init)
    #expect(lines.prefix(2) == ["listen", "  [::]:1"])
    #expect(lines.contains("  app  key env:K2 <redacted>"))
  }

  @Test("References are read strictly")
  func references() {
    #expect(SecretReference("env:A_1") == .environment("A_1"))
    #expect(SecretReference("file:a/b c") == .file("a/b c"))
    for text in ["", "env:", "env:1A", "env:A-B", "env:A B", "file:", "file:a\0b", "ENV:A", "A", plantedSecret] {
      #expect(SecretReference(text) == nil, "\(text)")
    }
  }

  @Test("A secret of the longest length is taken, one byte more is unusable")
  func longestSecret() throws {
    func secret(_ length: Int) throws(SecretFault) -> Redacted<String> {
      let sources = SecretSources(
        environment: { _ in String(repeating: "k", count: length) }, file: { (_, _) throws(FileFault) in [] })
      return try sources.secret(.environment("K"), directory: "")
    }
    #expect(try secret(SecretSources.longestSecretBytes).reveal().count == SecretSources.longestSecretBytes)
    #expect(throws: SecretFault.unusable(.environment("K"))) { try secret(SecretSources.longestSecretBytes + 1) }
  }

  @Test("Names a finger's slip away are found, others are not")
  func nearestNames() {
    let known = ["url", "key", "model", "caFile", "apiVersion"]
    let pairs = [
      ("ulr", "url"), ("URL", "url"), ("modle", "model"), ("ca_file", "caFile"), ("api_version", "apiVersion"),
    ]
    for (written, meant) in pairs { #expect(NearestName.of(written, among: known) == meant) }
    #expect(NearestName.of("headers", among: known) == nil)
    #expect(NearestName.of("", among: known) == nil)
    #expect(NearestName.of(String(repeating: "u", count: 100_000), among: known) == nil)
  }
}
