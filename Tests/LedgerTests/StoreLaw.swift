import ParleyTesting
import Access
import Envelope
import Metering
import Routing
import Testing
import Translation

@testable import Ledger

typealias TestedStore = RecordSink & UsageStore & KeyStorage

/// What holds for every store: run on SQLite and on PostgreSQL.
enum StoreLaw {
  static func write(_ store: some RecordSink, _ records: [UsageRecord]) async throws {
    try await store.write(records, within: .seconds(30))
  }

  static func lateUpdatesChangeNothing(_ store: some TestedStore) async throws {
    var random = SplitMix64(seed: 4)
    // Versions of three sessions, in any order and cut into any batches, some of them twice.
    var versions = (1...30).map { index in
      Records.make("s\(index % 3)", sequence: index, seconds: Double(index), heardBytes: index * 2)
    }
    versions += versions.suffix(5)
    versions.shuffle(using: &random)
    while !versions.isEmpty {
      let count = Int.random(in: 1...7, using: &random)
      try await write(store, Array(versions.prefix(count)))
      versions.removeFirst(min(count, versions.count))
    }
    try await write(store, [Records.make("s0", sequence: 29, seconds: 1)])
    let page = try await store.events(EventQuery(limit: 1000))
    #expect(page.records.map(\.sequence).sorted() == [28, 29, 30])
    #expect(page.records.first { $0.id == "s0" }?.seconds == 30)
  }

  static func summaryIsTheSum(_ store: some TestedStore) async throws {
    var random = SplitMix64(seed: 5)
    let records = (0..<300).map { Records.random("r\($0)", using: &random) }
    try await write(store, records)
    let middle = Timestamp(milliseconds: Records.begin + 3 * 3_600_000)
    for grouping in UsageGrouping.allCases {
      for (from, to) in [(nil, nil), (middle, nil), (nil, middle), (middle, middle)] as [(Timestamp?, Timestamp?)] {
        let query = UsageQuery(grouping: grouping, from: from, to: to)
        let found = try await store.summary(query)
        let wanted = UsageSummary(query, of: records)
        #expect(found.groups.map(\.key) == wanted.groups.map(\.key))
        for (one, other) in zip(found.groups, wanted.groups) {
          #expect(whole(one.totals) == whole(other.totals))
          #expect(abs(one.totals.seconds - other.totals.seconds) < 1e-6)
          #expect(abs(one.totals.heardSeconds - other.totals.heardSeconds) < 1e-6)
          #expect(abs(one.totals.spokenSeconds - other.totals.spokenSeconds) < 1e-6)
        }
      }
    }
  }

  /// Without what depends on the order of a floating-point sum.
  private static func whole(_ totals: UsageTotals) -> UsageTotals {
    var totals = totals
    (totals.seconds, totals.heardSeconds, totals.spokenSeconds) = (0, 0, 0)
    return totals
  }

  static func recordsComeBackWhole(_ store: some TestedStore) async throws {
    var random = SplitMix64(seed: 6)
    let records = (0..<100).map { Records.random("r\($0)", using: &random) }
    try await write(store, records)
    for query in queries() {
      let page = try await store.events(query)
      let wanted = UsagePage(query, of: records)
      #expect(page.records == wanted.records)
      #expect(page.older == wanted.older)
    }
  }

  private static func queries() -> [EventQuery] {
    var byKey = EventQuery(limit: 7)
    byKey.key = "B"
    var byAll = EventQuery(limit: 1000)
    byAll.app = "😀"
    byAll.modality = "text"
    byAll.provider = "Ünïcödé \"quoted\" 'too'"
    var bySpan = EventQuery(limit: 20)
    bySpan.from = Timestamp(milliseconds: Records.begin + 3_600_000)
    bySpan.to = Timestamp(milliseconds: Records.begin + 4 * 3_600_000)
    var beyond = EventQuery(limit: 5)
    beyond.cursor = UsageCursor(startedAt: Timestamp(milliseconds: Records.begin), id: "")
    return [EventQuery(limit: 1000), EventQuery(limit: 1), byKey, byAll, bySpan, beyond]
  }

  static func pagesMeet(_ store: some TestedStore) async throws {
    // Many begin in the same millisecond: the id decides.
    let old = (0..<60).map { Records.make("a\($0)", startedAt: Records.begin + $0 / 7) }
    try await write(store, old)
    var seen: [String] = []
    var query = EventQuery(limit: 8)
    var round = 0
    repeat {
      let page = try await store.events(query)
      #expect(page.records.map { UsageCursor(of: $0) }.sorted() == page.records.map { UsageCursor(of: $0) })
      seen.insert(contentsOf: page.records.map(\.id), at: 0)
      query.cursor = page.older
      round += 1
      // Newer ones come, and old ones are updated, while somebody reads.
      try await write(store, [Records.make("new\(round)", startedAt: Records.begin + 1_000_000 + round)])
      try await write(store, [Records.make("a\(round)", sequence: round + 1, startedAt: Records.begin + round / 7)])
    } while query.cursor != nil
    #expect(seen == old.sorted { UsageCursor(of: $0) < UsageCursor(of: $1) }.map(\.id))
  }

  static func insertIsAllOrNothing(_ store: some TestedStore) async throws {
    let first = [Records.make("a"), Records.make("b")]
    #expect(try await store.insert(first) == InsertCount(accepted: 2, duplicates: 0))
    // What is there stays as it is, even if what comes calls itself newer.
    let second = [Records.make("b", sequence: 9, seconds: 99), Records.make("c"), Records.make("c")]
    #expect(try await store.insert(second) == InsertCount(accepted: 1, duplicates: 2))
    let page = try await store.events(EventQuery())
    #expect(page.records.map(\.id) == ["a", "b", "c"])
    #expect(page.records.map(\.seconds) == [1, 1, 1])
    #expect(try await store.insert([]) == InsertCount(accepted: 0, duplicates: 0))
  }

  static func hugeSumsStop(_ store: some TestedStore) async throws {
    let records = (0..<4).map { index in
      var record = Records.make("h\(index)")
      record.meter.tokens.total = .max - 1
      record.meter.tokens.inputText = 1 << 40
      return record
    }
    try await write(store, records)
    let total = try await store.summary(UsageQuery()).total
    #expect(total.totalTokens == .max)
    #expect(total.inputText == 4 << 40)
  }

  /// - Parameter now: what the store's clock says.
  static func silenceIsLoss(_ store: some TestedStore) async throws {
    // The store's clock stands at the beginning plus 60 s.
    try await write(
      store,
      [
        Records.make("silent", state: .live, seconds: 29), Records.make("live", state: .live, seconds: 31),
        Records.make("ended", state: .ended, seconds: 5),
      ])
    let states = try await store.events(EventQuery()).records.map { "\($0.id) \($0.state)" }.sorted()
    #expect(states == ["ended ended", "live live", "silent lost"])
    // A process that was only stopped goes on.
    try await write(store, [Records.make("silent", sequence: 2, state: .ended, seconds: 50)])
    #expect(try await store.events(EventQuery()).records.first { $0.id == "silent" }?.state == .ended)
  }

  static func keysAndApps(_ store: some TestedStore) async throws {
    var random = SplitMix64(seed: 7)
    var order = KeyOrder(name: "mobile")
    order.providers = ["gemini"]
    order.limits.maxSessions = 3
    order.metadata = ["team": "ä \" '"]
    let (record, key) = try KeyRecord.make(order, unixTime: 1_000, random: &random)
    #expect(throws: Never.self) { try KeyRecord(json: record.json, digest: record.digest) }
    try await store.insert(record)
    await #expect(throws: StorageFault.conflict("it is there already")) { try await store.insert(record) }
    let found = try #require(try await store.key(with: KeyDigest(of: key)))
    #expect(found.json == record.json)
    #expect(try await store.key(with: KeyDigest(of: Redacted(key.reveal() + "x"))) == nil)
    // Revoked once, with the time of the first revocation.
    #expect(try await store.revoke(id: record.id, at: 2_000)?.revokedAt == 2_000)
    #expect(try await store.revoke(id: record.id, at: 3_000)?.revokedAt == 2_000)
    #expect(try await store.revoke(id: "key_0", at: 3_000) == nil)
    #expect(try await store.key(with: KeyDigest(of: key))?.revokedAt == 2_000)
    #expect(try await store.keys().map(\.id) == [record.id])

    var app = App(name: "shop")
    app.limits.maxMinutesPerDay = 2.5
    #expect(try await store.put(app))
    app.models = ["gpt-*"]
    #expect(try await store.put(app) == false)
    #expect(try await store.put(App(name: "Base")))
    #expect(try await store.apps().map(\.name) == ["Base", "shop"])
    #expect(try await store.apps().last == app)
    #expect(try await store.removeApp("shop"))
    #expect(try await store.removeApp("shop") == false)
    #expect(try await store.apps().map(\.name) == ["Base"])
  }
}
