import Envelope
import Foundation
import Logging
import Metering
import Testing

@testable import Ledger

@Suite struct LossWatchTests {
  /// What a webhook is told of sessions, some of which nobody has told anything of for long.
  private func law(_ store: some RecordSink & LossKeeping & UsageStore) async throws {
    let sink = ScriptedSink(mostRecords: 100) { _, _ in .take }
    let lane = SinkLane(
      name: "test", selection: .ended, sink: sink, spool: nil, flushInterval: .seconds(20),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    var watch = LossWatch(store: store, lane: lane)
    watch.now = { Timestamp(milliseconds: Records.begin + 200_000) }
    try await StoreLaw.write(
      store,
      [
        Records.make("gone", sequence: 7, state: .live, seconds: 79),
        Records.make("there", state: .live, seconds: 81), Records.make("ended", state: .ended, seconds: 10),
      ])
    try await watch.look()
    try await watch.look()
    #expect(sink.taken.map(\.id) == ["gone"])
    #expect(sink.taken.map(\.state) == [.lost])
    #expect(sink.taken.map(\.sequence) == [7])
    // It was not gone after all, and ends, and goes again under another name.
    try await StoreLaw.write(store, [Records.make("gone", sequence: 8, state: .live, seconds: 79.5)])
    try await watch.look()
    #expect(sink.taken.map(\.sequence) == [7, 8])
    try await StoreLaw.write(store, [Records.make("gone", sequence: 9, state: .ended, seconds: 80)])
    try await watch.look()
    #expect(sink.taken.count == 2)
    #expect(try await store.events(EventQuery()).records.filter { $0.id == "gone" }.map(\.state) == [.ended])
    // Many at once.
    try await StoreLaw.write(store, (0..<700).map { Records.make("many\($0)", state: .live) })
    try await watch.look()
    #expect(sink.taken.count == 702)
    let ids = sink.taken.map { CloudEvents.event($0, source: "/test")["id"]?.string }
    #expect(Set(ids).count == 702)
    #expect(ids.first == "gone:7:lost")
  }

  @Test("a session whose process is gone is told to the webhook, once")
  func file() async throws {
    let folder = try ScratchFolder()
    try await law(try SQLiteStore(path: folder.path + "/usage.sqlite"))
  }

  @Test("a session whose replica is gone is told to the webhook, once", .enabled(if: PostgresServer.isInstalled))
  func database() async throws { try await law(try await PostgresStore.ofTests()) }

  @Test("a database that was away a moment ago is not asked who is silent")
  func away() async throws {
    let store = try await PostgresStore.ofTests("host=/nowhere")
    _ = try? await store.keys()
    await #expect(throws: StorageFault.unavailable("it was away a moment ago")) {
      try await store.silentRecords(before: Timestamp(milliseconds: 0), most: 1)
    }
  }
}
