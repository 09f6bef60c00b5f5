import ParleyTesting
import Access
import Envelope
import Foundation
import Metering
import Testing
import Translation

@testable import Ledger

@Suite(.enabled(if: PostgresServer.isInstalled)) struct PostgresStoreTests {
  let store: PostgresStore

  init() async throws {
    store = try await PostgresStore.ofTests(now: { Records.begin + 60_000 })
  }

  @Test("in PostgreSQL an update that comes late changes nothing")
  func lateUpdates() async throws { try await StoreLaw.lateUpdatesChangeNothing(store) }

  @Test("in PostgreSQL a summary equals the sum of the events, by each grouping")
  func summary() async throws { try await StoreLaw.summaryIsTheSum(store) }

  @Test("from PostgreSQL records come back whole, by every query")
  func events() async throws { try await StoreLaw.recordsComeBackWhole(store) }

  @Test("in PostgreSQL pages meet without gap or overlap while records are written")
  func pages() async throws { try await StoreLaw.pagesMeet(store) }

  @Test("to PostgreSQL records of other services are added all or none, and once")
  func insert() async throws { try await StoreLaw.insertIsAllOrNothing(store) }

  @Test("in PostgreSQL sums that would overflow stop at the greatest number")
  func overflow() async throws { try await StoreLaw.hugeSumsStop(store) }

  @Test("in PostgreSQL a live session that nobody updates is lost, until somebody does")
  func lost() async throws { try await StoreLaw.silenceIsLoss(store) }

  @Test("in PostgreSQL keys and apps are kept, found, revoked and removed")
  func keys() async throws { try await StoreLaw.keysAndApps(store) }

  @Test("a text that PostgreSQL cannot hold is said to be so, and the connection goes on")
  func zero() async throws {
    let poisoned = Records.make("p", metadata: ["x": "\u{0}"])
    await #expect(throws: SinkFault.rejected("it answered with error 22P05")) {
      try await StoreLaw.write(store, [Records.make("a"), poisoned])
    }
    await #expect(throws: StorageFault.unsuitable("it answered with error 22P05")) {
      try await store.insert([Records.make("a"), poisoned])
    }
    try await StoreLaw.write(store, [Records.make("b")])
    #expect(try await store.events(EventQuery()).records.map(\.id) == ["b"])
  }

  @Test("of many that migrate at once all succeed", arguments: 0..<10)
  func migration(_ round: Int) async throws {
    let address = try await PostgresServer.shared().address()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        let store = try await PostgresStore.ofTests(address)
        group.addTask { try await store.prepare(within: .seconds(30)) }
      }
      try await group.waitForAll()
    }
    let one = try await PostgresStore.ofTests(address)
    try await StoreLaw.write(one, [Records.make("a")])
    #expect(try await one.events(EventQuery()).records.count == 1)
  }

  @Test("tables that somebody drops are made again")
  func dropped() async throws {
    try await StoreLaw.write(store, [Records.make("a")])
    _ = try await store.query(store.admission, "DROP TABLE parley_usage", within: .seconds(5))
    _ = try await store.query(store.admission, "DROP TABLE parley_minutes", within: .seconds(5))
    await #expect(throws: SinkFault.self) { try await StoreLaw.write(store, [Records.make("b")]) }
    try await StoreLaw.write(store, [Records.make("b")])
    #expect(try await store.events(EventQuery()).records.map(\.id) == ["b"])
  }

  @Test("two writers of the same sessions do not wait for each other for ever")
  func deadlock() async throws {
    try await store.prepare(within: .seconds(5))
    let address = try await PostgresServer.shared().address()
    let stores = [try await PostgresStore.ofTests(address), try await PostgresStore.ofTests(address)]
    try await stores[0].prepare(within: .seconds(5))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, store) in stores.enumerated() {
        group.addTask {
          for round in 1...20 {
            let records = (0..<100).map { Records.make("s\($0)", sequence: round) }
            try await StoreLaw.write(store, index == 0 ? records : records.reversed())
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(
      try await stores[0].events(EventQuery(limit: 1000)).records.map(\.sequence) == Array(repeating: 20, count: 100))
  }

  @Test("a row of the table of keys holds no key")
  func digestsOnly() async throws {
    let address = try await PostgresServer.shared().address()
    let store = try await PostgresStore.ofTests(address)
    var random = SplitMix64(seed: 9)
    let (record, key) = try KeyRecord.make(KeyOrder(name: "app"), unixTime: 1, random: &random)
    try await store.insert(record)
    let rows = try await store.query(store.admission, "SELECT k::text FROM parley_keys AS k", within: .seconds(5))
    let text = try #require(rows.single)
    #expect(text.contains(record.digest.hex))
    #expect(!text.contains(key.reveal().dropFirst(8)))
  }
}
