import Access
import Envelope
import Foundation
import Logging
import Metering
import NIOHTTP1
import Routing
import ServiceLifecycle
import Testing
import Translation

@testable import Ledger

@Suite struct LedgerOpeningTests {
  let scratch: ScratchFolder
  let lines = LogLines()

  init() throws { scratch = try ScratchFolder() }

  private func open(_ table: LedgerTable, folder: String? = nil) async throws -> OpenLedger {
    try await OpenLedger.open(
      table, folder: folder ?? scratch.path + "/data", instance: "i", updateInterval: .milliseconds(200),
      client: { _ in WebhookTests.client }, logger: lines.logger)
  }

  /// Runs the ledger's service while `body` runs.
  private func running(_ ledger: OpenLedger, _ body: () async throws -> Void) async throws {
    let service = try #require(ledger.service)
    let group = ServiceGroup(services: [service], logger: lines.logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await body()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  @Test("with none nothing is made, and nothing is offered")
  func none() async throws {
    let ledger = try await open(LedgerTable(store: .none))
    ledger.usage.note(Records.make("a"))
    #expect(ledger.store == nil && ledger.keys == nil && ledger.shared == nil && ledger.service == nil)
    #expect(!FileManager.default.fileExists(atPath: scratch.path + "/data"))
    #expect(try await OpenLedger.keys(LedgerTable(store: .none), folder: scratch.path, logger: lines.logger) == nil)
  }

  @Test("by default usage is in a file of the data folder, and the last record is written when the process stops")
  func usualFile() async throws {
    let ledger = try await open(LedgerTable())
    try await running(ledger) {
      ledger.usage.note(Records.make("a", state: .live))
      ledger.usage.note(Records.make("a", sequence: 2))
    }
    let store = try SQLiteStore(path: scratch.path + "/data/usage.sqlite")
    #expect(try await store.events(EventQuery()).records.map(\.sequence) == [2])
  }

  @Test("the usual file that cannot be made is a warning; one that the configuration names is a fault")
  func unusableFile() async throws {
    let ledger = try await open(LedgerTable(), folder: "/proc/none")
    #expect(ledger.service == nil)
    #expect(lines.text.contains("/proc/none/usage.sqlite"))
    await #expect(throws: LedgerFault.self) { try await open(LedgerTable(store: .sqlite(path: "/proc/none/x"))) }
  }

  @Test("an address that is none is a fault that names the reference alone")
  func malformedAddress() async throws {
    let reference = SecretReference.environment("DATABASE_URL")
    let table = LedgerTable(store: .postgres(Redacted("postgresql://u:planted@[::1"), reference))
    let fault = await #expect(throws: LedgerFault.malformedAddress(reference)) { try await open(table) }
    #expect(fault.map { "\($0)" }?.contains("env:DATABASE_URL") == true)
    #expect(fault.map { "\($0)" }?.contains("planted") == false)
  }

  @Test("a database that is away at start is neither a fault nor a loss")
  func databaseAway() async throws {
    let reference = SecretReference.environment("DATABASE_URL")
    let table = LedgerTable(store: .postgres(Redacted("host=/nowhere password=planted"), reference))
    let ledger = try await open(table)
    try await running(ledger) { ledger.usage.note(Records.make("a")) }
    #expect(!lines.text.contains("planted"))
    let folder = scratch.path + "/data/spool/postgres/i"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }
    #expect(files.count == 1)
    #expect(try String(contentsOfFile: "\(folder)/\(files[0])", encoding: .utf8).contains("\"id\":\"a\""))
  }

  @Test("with a database all is shared", .enabled(if: PostgresServer.isInstalled))
  func database() async throws {
    let address = try await PostgresServer.shared().address()
    let table = LedgerTable(store: .postgres(Redacted(address), .environment("DATABASE_URL")))
    let (one, other) = (try await open(table), try await open(table))
    try await running(one) { one.usage.note(Records.make("a")) }
    // On a busy machine the limit of a question may be passed.
    var found: [String]?
    let begin = ContinuousClock.now
    while found != ["a"], begin.duration(to: .now) < .seconds(30) {
      found = try? await other.store?.events(EventQuery()).records.map(\.id)
    }
    #expect(found == ["a"])
    #expect(one.shared != nil)
    #expect(try await OpenLedger.keys(table, folder: scratch.path, logger: lines.logger) != nil)
  }

  @Test("a webhook that fails does not keep records from the store, nor the store from the webhook")
  func bothLanes() async throws {
    let receiver = try await Receiver { $0 < 3 ? .init(status: .internalServerError) : .init(status: .ok) }
    let webhook = WebhookSettings(url: receiver.url)
    let ledger = try await open(LedgerTable(webhook: webhook))
    try await running(ledger) {
      ledger.usage.note(Records.make("a"))
      let begin = ContinuousClock.now
      while receiver.all.count < 3, begin.duration(to: .now) < .seconds(20) {
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    #expect(receiver.all.count == 3)
    let store = try SQLiteStore(path: scratch.path + "/data/usage.sqlite")
    #expect(try await store.events(EventQuery()).records.count == 1)
    try await receiver.stop()
  }
}
