import Envelope
import SessionCore
import Testing

@testable import Routing

/// A section of the reference, and a file around one of its members.
private struct Sample: Sendable, CustomTestStringConvertible {
  let name: String
  let section: ConfigurationSection
  let path: String
  /// What the section needs beside the key, so that nothing but the key's value is wrong.
  let others: [String: String]
  let file: @Sendable (_ members: String) -> String

  var testDescription: String { name }

  func file(with key: String, _ value: String) -> String {
    var members = others.filter { $0.key != key }.map { "\"\($0.key)\": \($0.value)" }.sorted()
    members.append("\"\(key)\": \(value)")
    return file(members.joined(separator: ", "))
  }

  /// A member of the file's top level.
  static func part(
    _ name: String, _ section: ConfigurationSection, _ path: String, _ text: String, _ others: [String: String] = [:]
  ) -> Sample {
    Sample(name: name, section: section, path: path, others: others) { members in
      smallFile(more: ", " + text.replacing("…", with: members))
    }
  }

  static func provider(_ name: String, _ section: ConfigurationSection, _ others: [String: String]) -> Sample {
    Sample(name: name, section: section, path: "providers.openai", others: others) { members in
      smallFile(provider: "\"openai\": {\(members)}")
    }
  }

  static let remote = ["kind": #""openai""#, "url": #""wss://h.example/v1""#, "key": #""env:K""#, "model": #""m""#]

  static func remote(_ kind: String, _ more: [String: String]) -> [String: String] {
    remote.merging(["kind": "\"\(kind)\""]) { $1 }.merging(more) { $1 }
  }

  static let all = [
    part(
      "an address", ConfigurationReference.listener, "listen[0]", #""listen": [{…}]"#,
      ["host": #""127.0.0.1""#, "port": "1"]),
    part(
      "TLS", ConfigurationReference.tls, "listen[0].tls",
      #""listen": [{"host": "127.0.0.1", "port": 1, "tls": {…}}]"#,
      ["certificate": #""ca.pem""#, "key": #""env:K""#, "clientCA": #""ca.pem""#]),
    part("a route", ConfigurationReference.route, "routes[0]", #""routes": [{…}]"#, ["path": #""/a""#]),
    part("access", ConfigurationReference.access, "access", #""access": {…}"#),
    part(
      "a key", ConfigurationReference.accessKey, "access.keys[0]", #""access": {"keys": [{…}]}"#,
      ["name": #""n""#, "key": #""env:K""#]),
    part(
      "an app", ConfigurationReference.app, "access.apps[0]", #""access": {"apps": [{…}]}"#, ["name": #""n""#]),
    part("tokens", ConfigurationReference.tokens, "tokens", #""tokens": {…}"#),
    part("a token's secret", ConfigurationReference.tokenSecret, "tokens.secrets[0]", #""tokens": {"secrets": [{…}]}"#),
    part("a token's key", ConfigurationReference.tokenKey, "tokens.keys[0]", #""tokens": {"keys": [{…}]}"#),
    part("the ledger", ConfigurationReference.ledger, "ledger", #""ledger": {…}"#),
    part(
      "the webhook", ConfigurationReference.webhook, "ledger.webhook", #""ledger": {"webhook": {…}}"#,
      ["url": #""https://h.example""#]),
    provider("a provider", ConfigurationReference.provider, remote),
    provider(
      "azure", ConfigurationReference.azure,
      remote("azure", ["keyType": #""client-secret""#, "tenant": #""t""#, "clientID": #""c""#])),
    provider("inworld", ConfigurationReference.inworld, remote("inworld", [:])),
    provider(
      "vowel", ConfigurationReference.vowel,
      remote("vowel", ["tokens": #""core""#, "appID": #""a""#, "tokenURL": #""https://h.example""#])),
    provider(
      "gemini-live", ConfigurationReference.gemini,
      remote("gemini-live", ["platform": #""vertex""#, "project": #""p""#, "location": #""eu""#])),
  ]
}

@Suite("What is said of the configuration")
struct ReferenceTests {
  @Test(
    "every key that is documented is read: a value that nothing takes is a fault at its path", arguments: Sample.all)
  fileprivate func isRead(sample: Sample) throws {
    #expect(sample.section.names.count > 1)
    for key in sample.section.names {
      let faults = faultLines(sample.file(with: key, "[[5]]"))
      let path = ": \(sample.path).\(key)"
      #expect(
        faults.contains { $0.contains("\(path): expected") || $0.contains("\(path)[0]: expected") }, "\(key) \(faults)")
    }
  }

  @Test("every section of the top level is read")
  func top() {
    for key in ConfigurationReference.top.names where !["default", "providers"].contains(key) {
      let faults = faultLines(smallFile(more: ", \"\(key)\": [[5]]"))
      #expect(faults.contains { $0.contains(": \(key): expected") || $0.contains(": \(key)[0]: expected") }, "\(key)")
    }
  }

  @Test("the cells of the table of models are those that Gemini Live has")
  func cells() {
    #expect(Set(ConfigurationReference.geminiModel.names) == Set(GeminiLiveSettings.modelCells))
  }

  @Test("the words of a choice are those that the decoder takes")
  func words() {
    #expect(Set(ConfigurationReference.dialects) == Set(DialectChoice.names))
  }

  @Test("the tables are tables: rows as wide as their head, without what would end a cell or a row")
  func form() {
    let tables = ConfigurationReference.tables + [ConfigurationReference.environment]
    #expect(Set(tables.map(\.name)).count == tables.count)
    for table in tables {
      #expect(!table.rows.isEmpty, "\(table.name)")
      for row in table.rows {
        #expect(row.count == table.columns.count, "\(row)")
        #expect(row.allSatisfy { !$0.isEmpty && !$0.contains("|") && !$0.contains("\n") }, "\(row)")
      }
    }
  }

  @Test("numbers are written for people")
  func numbers() {
    #expect(grouped(25_165_824) == "25,165,824" && grouped(1_000) == "1,000" && grouped(999) == "999")
    #expect(grouped(0.01) == "0.01" && grouped(0) == "0")
    #expect(listed(["a"]) == "a" && listed(["a", "b", "c"]) == "a, b or c")
  }

  @Test("docs/configuration.md has the tables as they are; `make docs` writes them")
  func documented() throws {
    let bytes = try SystemFile.read(DiskTests.root + "/docs/configuration.md", limitBytes: 1_000_000)
    let page = String(decoding: bytes, as: UTF8.self)
    let tables = ConfigurationReference.tables + [ConfigurationReference.environment]
    #expect(tables.map(\.name) == tables.filter { page.contains($0.markdown) }.map(\.name))
  }
}
