import Testing
import Translation

@testable import Routing

private let environment = [
  "DATABASE_URL": "postgresql://u:planted-password@h/d", "CONNINFO": "host=/run user=u password=planted-password",
  "LINES": "host=a\nuser=b",
]

private func ledger(_ text: String) throws -> LedgerTable {
  try fileTable("\"ledger\": \(text)", environment, ["/conf/url": "postgresql://h/d\n"]).ledger
}

@Suite("The ledger in the file")
struct LedgerFileTests {
  @Test("without a word usage goes into the usual file")
  func usual() throws {
    let table = try fileTable(#""contact": """#).ledger
    guard case .sqlite(path: nil) = table.store else {
      Issue.record("\(table.store)")
      return
    }
    #expect(table.webhook == nil && table.spoolBytes == 67_108_864)
    guard case .sqlite(path: nil) = try ledger("{}").store else {
      Issue.record("an empty object")
      return
    }
  }

  @Test("none, a file, or a database by one line")
  func stores() throws {
    guard case .none = try ledger(#""none""#).store else {
      Issue.record("not none")
      return
    }
    for (written, expected) in [("usage.db", "/conf/usage.db"), ("/var/u.db", "/var/u.db")] {
      guard case .sqlite(let path?) = try ledger(#"{"sqlite": "\#(written)"}"#).store else {
        Issue.record("not a file")
        continue
      }
      #expect(path == expected)
    }
    for (reference, expected) in [
      ("env:DATABASE_URL", environment["DATABASE_URL"]), ("env:CONNINFO", environment["CONNINFO"]),
      ("file:url", "postgresql://h/d"),
    ] {
      guard case .postgres(let address, let source) = try ledger(#"{"postgres": "\#(reference)"}"#).store else {
        Issue.record("not a database")
        continue
      }
      #expect(address.reveal() == expected)
      #expect(source.description == reference)
    }
  }

  @Test("a webhook, and how much may wait on disk")
  func webhook() throws {
    let table = try ledger(
      #"""
      {"sqlite": "u.db", "spoolBytes": 1048576,
       "webhook": {"url": "https://h.example/usage", "key": "env:K", "updates": true}}
      """#)
    let webhook = try #require(table.webhook)
    #expect(webhook.url == "https://h.example/usage" && webhook.sendsUpdates)
    #expect(webhook.key?.secret.reveal() == plantedSecret && webhook.key?.reference.description == "env:K")
    #expect(table.spoolBytes == 1_048_576)
    let plain = try #require(try ledger(#"{"webhook": {"url": "http://127.0.0.1:9/x"}}"#).webhook)
    #expect(plain.key == nil && !plain.sendsUpdates)
  }

  @Test(
    "fault row 60: a wrong section is refused with place and cause",
    arguments: [
      (#""off""#, "ledger: expected \"none\", {\"sqlite\": PATH} or {\"postgres\": REFERENCE}"),
      ("true", "ledger: expected an object, found a boolean"),
      (#"{"postgre": "env:DATABASE_URL"}"#, #"ledger.postgre: unknown key; did you mean "postgres"?"#),
      (#"{"sqlite": "a", "postgres": "env:DATABASE_URL"}"#, "ledger.postgres: there is a sqlite already"),
      (#"{"sqlite": ""}"#, "ledger.sqlite: expected the path of a file"),
      (#"{"postgres": "postgresql://u:planted-password@h/d"}"#, "ledger.postgres: a secret must be a reference"),
      (#"{"postgres": "env:NONE"}"#, "ledger.postgres: environment variable NONE is not set"),
      (#"{"postgres": "env:LINES"}"#, "ledger.postgres: env:LINES is empty, or holds a control character"),
      (#"{"spoolBytes": 1}"#, "ledger.spoolBytes: 1 is out of range; allowed: 1048576 to 1099511627776 bytes"),
      (#"{"webhook": {}}"#, "ledger.webhook.url: missing required key"),
      (#"{"webhook": {"url": "http://h.example"}}"#, "ledger.webhook.url: expected an https address"),
      (
        #"{"webhook": {"url": "https://h.example/?k=planted-password"}}"#,
        "ledger.webhook.url: expected an https address"
      ),
      (
        #"{"webhook": {"url": "https://u:planted-password@h.example"}}"#,
        "ledger.webhook.url: expected an https address"
      ),
      (#"{"webhook": {"url": "https://h.example", "key": "planted-password"}}"#, "a secret must be a reference"),
      (#"{"webhook": {"url": "https://h.example", "updates": "no"}}"#, "updates: expected a boolean"),
    ])
  func wrong(text: String, message: String) {
    let lines = fileFaults("\"ledger\": \(text)", environment)
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.hasPrefix("routes.json:6: ") == true && lines.first?.contains(message) == true, "\(lines)")
    #expect(!lines.joined().contains("planted-password"))
  }

  @Test("fault row 68: a table does not print the address of its database")
  func printing() throws {
    var dumped = ""
    dump(
      try ledger(#"{"postgres": "env:DATABASE_URL", "webhook": {"url": "https://h.example", "key": "env:K"}}"#),
      to: &dumped)
    #expect(!dumped.contains("planted-password") && !dumped.contains(plantedSecret))
    #expect(dumped.contains("DATABASE_URL"))
  }
}
