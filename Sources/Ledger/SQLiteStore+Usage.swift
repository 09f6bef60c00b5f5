import Access
import Envelope
import GRDB
import Metering

extension SQLiteStore: RecordSink {
  var mostRecords: Int { 500 }

  func write(_ records: [UsageRecord], within limit: Duration) async throws(SinkFault) {
    do throws(StorageFault) {
      _ = try await write(within: limit) { database in
        let columns = UsageColumns.names
        let statement = try database.cachedStatement(
          sql: """
            INSERT INTO usage(\(columns.joined(separator: ", "))) VALUES (\(Self.placeholders(columns.count))) \
            ON CONFLICT(id) DO UPDATE SET \(UsageColumns.replacements) WHERE excluded.sequence > usage.sequence
            """)
        for record in records { try statement.execute(arguments: Self.arguments(record)) }
      }
    } catch {
      switch error {
      case .unavailable(let cause), .damaged(let cause): throw .unavailable(cause)
      case .conflict(let cause), .unsuitable(let cause): throw .rejected(cause)
      }
    }
  }

  fileprivate static func placeholders(_ count: Int) -> String {
    Array(repeating: "?", count: count).joined(separator: ", ")
  }

  fileprivate static func arguments(_ record: UsageRecord) -> StatementArguments {
    let values = UsageColumns.all.map { column in
      switch column.value(record) {
      case .string(let text): text.databaseValue
      case .number(let number): number.int.map { $0.databaseValue } ?? number.double.map { $0.databaseValue } ?? .null
      default: DatabaseValue.null
      }
    }
    return StatementArguments(values + [JSONValue.object(record.json).text.databaseValue])
  }
}

extension SQLiteStore: UsageStore {
  func summary(_ query: UsageQuery) async throws(StorageFault) -> UsageSummary {
    let condition = UsageCondition(query) { _ in "?" }
    // A sum of whole numbers that overflows is an error in SQLite: the halves of 32 bits are summed apart.
    let sums =
      ["sum(modality = '\(UsageRecord.voice)')", "count(*)"] + UsageColumns.amounts.map { "total(\($0))" }
      + UsageColumns.counts.flatMap { ["sum(\($0) >> 32)", "sum(\($0) & 4294967295)"] }
    let column = query.grouping.column
    let sql = "SELECT \(column), \(sums.joined(separator: ", ")) FROM usage\(condition.clause) GROUP BY \(column)"
    let rows = try await read { database in
      try Row.fetchAll(database, sql: sql, arguments: condition.arguments).map { Array($0.databaseValues) }
    }
    let groups = rows.map { row in
      let key = row[0].text ?? row[0].whole.map { String($0) }
      return UsageSummary.Group(key: query.grouping.key(fromColumn: key), totals: Self.totals(row.dropFirst()))
    }
    return UsageSummary(query, groups: groups)
  }

  private static func totals(_ row: ArraySlice<DatabaseValue>) -> UsageTotals {
    var values = row.makeIterator()
    var totals = UsageTotals()
    totals.sessions = values.next()?.whole ?? 0
    totals.events = values.next()?.whole ?? 0
    totals.seconds = values.next()?.real ?? 0
    totals.heardSeconds = values.next()?.real ?? 0
    totals.spokenSeconds = values.next()?.real ?? 0
    func count() -> Int {
      let high = values.next()?.whole ?? 0
      let low = values.next()?.whole ?? 0
      let (scaled, overflow) = high.multipliedReportingOverflow(by: 1 << 32)
      let (sum, sumOverflow) = scaled.addingReportingOverflow(low)
      return overflow || sumOverflow ? .max : sum
    }
    totals.inputText = count()
    totals.inputAudio = count()
    totals.inputImage = count()
    totals.inputCached = count()
    totals.outputText = count()
    totals.outputAudio = count()
    totals.totalTokens = count()
    return totals
  }

  func events(_ query: EventQuery) async throws(StorageFault) -> UsagePage {
    let condition = UsageCondition(query, bytewise: "") { _ in "?" }
    let sql = """
      SELECT record FROM usage\(condition.clause) ORDER BY started_at DESC, id DESC LIMIT \(query.limit + 1)
      """
    let texts = try await read { database in
      try Row.fetchAll(database, sql: sql, arguments: condition.arguments).map { $0.databaseValues.first?.text }
    }
    return try UsagePage(texts: texts, query, at: now())
  }

  func insert(_ records: [UsageRecord]) async throws(StorageFault) -> InsertCount {
    try await write { database in
      let columns = UsageColumns.names
      let statement = try database.cachedStatement(
        sql: """
          INSERT INTO usage(\(columns.joined(separator: ", "))) VALUES (\(Self.placeholders(columns.count))) \
          ON CONFLICT(id) DO NOTHING
          """)
      var count = InsertCount(accepted: 0, duplicates: 0)
      for record in records {
        try statement.execute(arguments: Self.arguments(record))
        if database.changesCount > 0 { count.accepted += 1 } else { count.duplicates += 1 }
      }
      return count
    }
  }
}

extension UsagePage {
  /// - Parameter texts: the records as they are kept, newest first, one more than the page has where there are older ones.
  init(texts: [String?], _ query: EventQuery, at now: Timestamp) throws(StorageFault) {
    var records: [UsageRecord] = []
    for text in texts.prefix(query.limit).reversed() { records.append(try UsageRecord(kept: text).read(at: now)) }
    self.init(
      records: records, older: texts.count > query.limit ? records.first.map { UsageCursor(of: $0) } : nil)
  }
}

extension UsageRecord {
  /// - Parameter text: as a table has it.
  init(kept text: String?) throws(StorageFault) {
    guard let text, let object = (try? JSONValue(parsing: text))?.object, let record = try? UsageRecord(json: object)
    else { throw .damaged("a record cannot be read") }
    self = record
  }
}

extension UsageCondition {
  fileprivate var arguments: StatementArguments {
    StatementArguments(
      values.map { value in
        switch value {
        case .text(let text): text.databaseValue
        case .number(let number): number.databaseValue
        }
      })
  }
}
