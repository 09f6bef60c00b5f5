import ParleyTesting
import Metering
import Testing

@Suite struct UsageQueryTests {
  static func values(_ given: [String: [String?]]) -> (String) -> [String?] { { given[$0] ?? [] } }

  @Test("R043: every grouping is known by its name, and nothing else is")
  func groupings() throws {
    for grouping in UsageGrouping.allCases {
      #expect(try UsageQuery(parsing: Self.values(["group_by": [grouping.rawValue]])).grouping == grouping)
    }
    #expect(try UsageQuery(parsing: Self.values([:])) == UsageQuery(grouping: .modality))
    #expect(UsageGrouping.allCases.map(\.rawValue) == ["modality", "provider", "model", "key", "app", "day"])
  }

  @Test(
    "a query is checked whole",
    arguments: [
      ("group_by", ["bad"]), ("group_by", [""]), ("group_by", ["day", "day"]), ("group_by", [nil]),
      ("from", ["yesterday"]), ("from", ["2026-02-30"]), ("to", ["1767229435"]), ("to", ["2025-12-31"]),
    ] as [(String, [String?])])
  func summaryFaults(param: String, given: [String?]) {
    var values: [String: [String?]] = ["from": ["2026-01-01"], "to": ["2026-02-01T00:00:00+01:00"]]
    values[param] = given
    let fault = #expect(throws: UsageQueryFault.self) { try UsageQuery(parsing: Self.values(values)) }
    #expect(fault?.param == param)
  }

  @Test(
    "so is one for events",
    arguments: [
      ("limit", ["0"]), ("limit", ["1001"]), ("limit", ["-1"]), ("limit", ["+5"]), ("limit", ["5.0"]), ("limit", [""]),
      ("limit", ["10", "20"]), ("limit", ["99999999999999999999"]), ("cursor", ["garbage"]), ("cursor", ["1.2.3"]),
      ("cursor", ["5.f"]), ("cursor", ["5.ff"]), ("cursor", ["x.61"]), ("modality", [""]), ("key", ["a\u{0}b"]),
      ("app", [nil]), ("provider", ["a", "b"]),
    ] as [(String, [String?])])
  func eventFaults(param: String, given: [String?]) {
    let fault = #expect(throws: UsageQueryFault.self) { try EventQuery(parsing: Self.values([param: given])) }
    #expect(fault?.param == param)
  }

  @Test("what is asked for is what is read")
  func events() throws {
    let cursor = UsageCursor(startedAt: Timestamp(milliseconds: 5), id: "sess_é.1")
    let query = try EventQuery(
      parsing: Self.values([
        "limit": ["1000"], "cursor": [cursor.text], "from": ["2026-01-01"], "to": ["2026-01-01"], "modality": ["text"],
        "key": ["a b"], "app": ["shop"], "provider": ["gemini"],
      ]))
    #expect(query.limit == 1000)
    #expect(query.cursor == cursor)
    #expect(query.from == query.to)
    #expect(query.from?.text == "2026-01-01T00:00:00Z")
    #expect(query.modality == "text")
    #expect(query.key == "a b")
    #expect(query.app == "shop")
    #expect(query.provider == "gemini")
    #expect(try EventQuery(parsing: Self.values([:])).limit == 100)
  }

  @Test("a summary equals the sum of its records, by whatever they are grouped", arguments: UsageGrouping.allCases)
  func summary(grouping: UsageGrouping) {
    var generator = SplitMix64(seed: 11)
    let records = (0..<200).map { _ in UsageRecordTests.random(&generator) }
    let summary = UsageSummary(UsageQuery(grouping: grouping), of: records)
    #expect(summary.groups.map(\.key).sorted { ($0 ?? "") < ($1 ?? "") } == summary.groups.map(\.key))
    #expect(Set(summary.groups.map(\.key)).count == summary.groups.count)
    #expect(summary.total.events == 200)
    #expect(summary.total.sessions == records.count { $0.modality == "voice_realtime" })
    #expect(abs(summary.total.seconds - records.reduce(0) { $0 + $1.seconds }) < 1e-6)
    #expect(summary.total.totalTokens == records.reduce(0) { $0 + $1.meter.tokens.total })
    #expect(summary.total.outputAudio == records.reduce(0) { $0 + $1.meter.tokens.outputAudio })
    for group in summary.groups {
      let own = records.filter { grouping.key(of: $0) == group.key }
      #expect(group.totals.events == own.count)
      #expect(abs(group.totals.heardSeconds - own.reduce(0) { $0 + $1.meter.heard.seconds }) < 1e-6)
    }
  }

  @Test("from is of the span, to is not")
  func span() throws {
    var generator = SplitMix64(seed: 12)
    let record = UsageRecordTests.random(&generator)
    let begun = record.identity.startedAt
    let next = Timestamp(milliseconds: begun.milliseconds + 1)
    #expect(UsageSummary(UsageQuery(from: begun, to: next), of: [record]).total.events == 1)
    #expect(UsageSummary(UsageQuery(from: next), of: [record]).total.events == 0)
    #expect(UsageSummary(UsageQuery(to: begun), of: [record]).total.events == 0)
  }

  @Test(
    "pages meet without gap or overlap, the newest first and each in ascending order", arguments: [1, 7, 100, 1000])
  func pages(limit: Int) {
    var generator = SplitMix64(seed: 13)
    var records = (0..<150).map { _ in UsageRecordTests.random(&generator) }
    // Many that begin at the same moment.
    for index in records.indices where index.isMultiple(of: 2) {
      records[index].identity.startedAt = Timestamp(milliseconds: 1_767_000_000_000)
    }
    var query = EventQuery(limit: limit)
    var seen: [UsageRecord] = []
    while true {
      let page = UsagePage(query, of: records)
      #expect(page.records.count <= limit)
      seen.insert(contentsOf: page.records, at: 0)
      guard let older = page.older.flatMap({ UsageCursor($0.text) }) else { break }
      query.cursor = older
    }
    #expect(seen == records.sorted { UsageCursor(of: $0) < UsageCursor(of: $1) })
  }
}
