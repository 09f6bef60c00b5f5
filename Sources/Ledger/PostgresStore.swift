import Access
import Envelope
import Logging
import Metering
import Routing
import Synchronization
import Translation

/// Usage, keys, apps and shared seats in PostgreSQL 12 or later, for many replicas.
///
/// Three connections: writing usage and asking for it do not hold up who stands at the gate.
final class PostgresStore: Sendable {
  /// How long an answer at the gate may take, waiting in line included.
  static let usualAdmissionLimit = Duration.seconds(2)
  static let queryLimit = Duration.seconds(5)

  let admission: PostgresConnection
  private let writer: PostgresConnection
  let queries: PostgresConnection
  let now: @Sendable () -> Timestamp
  let admissionLimit: Duration
  private let logger: Logger
  private let state = Mutex(State())

  private struct State {
    var isMigrated = false
    var isAway = false
    /// When it was away last.
    var awayAt: ContinuousClock.Instant?
  }

  /// Opens nothing yet: a database that is away at start is there later.
  ///
  /// - Parameters:
  ///   - address: what libpq takes for a `dbname`.
  ///   - now: the wall clock.
  init(
    library: LibPQ, address: Redacted<String>, logger: Logger,
    admissionLimit: Duration = PostgresStore.usualAdmissionLimit,
    now: @escaping @Sendable () -> Timestamp = Timestamp.wallClock
  ) {
    admission = PostgresConnection(library: library, address: address, purpose: "admission")
    writer = PostgresConnection(library: library, address: address, purpose: "writer")
    queries = PostgresConnection(library: library, address: address, purpose: "queries")
    self.logger = logger
    self.admissionLimit = admissionLimit
    self.now = now
  }

  func close() async {
    await admission.close()
    await writer.close()
    await queries.close()
  }

  // MARK: Tables

  /// Makes the tables if they are not there.
  func prepare(within limit: Duration) async throws(StorageFault) {
    do throws(PostgresFault) {
      try await watched { () async throws(PostgresFault) in try await self.migrate(self.writer, within: limit) }
    } catch {
      throw fault(error)
    }
  }

  private func migrate(_ connection: PostgresConnection, within limit: Duration) async throws(PostgresFault) {
    guard !state.withLock({ $0.isMigrated }) else { return }
    // A role that may only read and write is enough where the tables are there already.
    let found = try await connection.query(
      "SELECT to_regclass('parley_schema') IS NOT NULL AND to_regclass('parley_minutes') IS NOT NULL", within: limit)
    var version = 0
    if found.single == "t" {
      let row = try await connection.query("SELECT version FROM parley_schema", within: limit)
      version = row.single.flatMap { Int($0) } ?? 0
    }
    if version < PostgresSchema.version {
      _ = try await connection.transaction(within: limit) { _ in PostgresSchema.migration }
    }
    state.withLock { $0.isMigrated = true }
  }

  // MARK: Asking

  func query(
    _ connection: PostgresConnection, _ statement: String, _ parameters: [String?] = [], within limit: Duration
  ) async throws(PostgresFault) -> PostgresConnection.Rows {
    try await watched { () async throws(PostgresFault) in
      try await self.migrate(connection, within: limit)
      return try await connection.query(statement, parameters, within: limit)
    }
  }

  func transaction(
    _ connection: PostgresConnection, within limit: Duration,
    _ statements: @escaping @Sendable (_ quote: (String) -> String?) -> [String?]
  ) async throws(PostgresFault) -> [PostgresConnection.Rows] {
    try await watched { () async throws(PostgresFault) in
      try await self.migrate(connection, within: limit)
      return try await connection.transaction(within: limit, statements)
    }
  }

  private func watched<T: Sendable>(
    _ work: () async throws(PostgresFault) -> T
  ) async throws(PostgresFault) -> T {
    do throws(PostgresFault) {
      let result = try await work()
      told(nil)
      return result
    } catch {
      if error.liesInTheSchema { state.withLock { $0.isMigrated = false } }
      told(error)
      throw error
    }
  }

  /// One line when it goes away, one when it returns.
  private func told(_ fault: PostgresFault?) {
    let isAway = fault.map { !$0.liesInTheData } ?? false
    let isNew = state.withLock { state in
      defer { state.isAway = isAway }
      if isAway { state.awayAt = .now }
      return state.isAway != isAway
    }
    guard isNew else { return }
    if let fault, isAway {
      logger.warning("the database does not serve", metadata: ["cause": "\(fault)"])
    } else {
      logger.notice("the database serves again")
    }
  }

  /// Runs one statement that writes, READ COMMITTED whatever the server's default is: `$1` … stand for the values.
  func change(
    _ connection: PostgresConnection, _ statement: String, _ values: [String?], within limit: Duration
  ) async throws(PostgresFault) -> PostgresConnection.Rows {
    let rows = try await transaction(connection, within: limit) { quote in [Self.filled(statement, values, quote)] }
    return rows.first ?? PostgresConnection.Rows()
  }

  /// The statement with its values as literals; nil where one cannot be quoted.
  static func filled(_ statement: String, _ values: [String?], _ quote: (String) -> String?) -> String? {
    var text = ""
    var rest = statement[...]
    while let dollar = rest.firstIndex(of: "$") {
      let digits = rest[rest.index(after: dollar)...].prefix { $0.isASCII && $0.isNumber }
      guard let index = Int(digits), values.indices.contains(index - 1) else { return nil }
      text += rest[..<dollar]
      if let value = values[index - 1] {
        // A text with U+0000 would end there.
        guard !value.utf8.contains(0), let literal = quote(value) else { return nil }
        text += literal
      } else {
        text += "NULL"
      }
      rest = rest[digits.endIndex...]
    }
    return text + rest
  }

  func askToChange(
    _ connection: PostgresConnection, _ statement: String, _ values: [String?], within limit: Duration
  ) async throws(StorageFault) -> PostgresConnection.Rows {
    do throws(PostgresFault) {
      return try await change(connection, statement, values, within: limit)
    } catch {
      throw fault(error)
    }
  }

  /// Whether it has not been seen away for so long.
  func serves(since duration: Duration) -> Bool {
    state.withLock { $0.awayAt }.map { $0.duration(to: .now) > duration } ?? true
  }

  func ask(
    _ connection: PostgresConnection, _ statement: String, _ parameters: [String?] = [], within limit: Duration
  ) async throws(StorageFault) -> PostgresConnection.Rows {
    do throws(PostgresFault) {
      return try await query(connection, statement, parameters, within: limit)
    } catch {
      throw fault(error)
    }
  }

  private func fault(_ fault: PostgresFault) -> StorageFault {
    guard case .refused(let sqlState) = fault, fault.liesInTheData else {
      return fault == .malformedAnswer ? .damaged(fault.description) : .unavailable(fault.description)
    }
    return sqlState == "23505" ? .conflict("it is there already") : .unsuitable(fault.description)
  }
}

// MARK: - Usage

extension PostgresStore: RecordSink {
  var mostRecords: Int { 500 }

  private static let columns = UsageColumns.names.joined(separator: ", ")

  /// What JSON the values are read from: `$1`.
  private static let source: String = {
    let types = UsageColumns.all.map { "\($0.name) \($0.type)" } + ["record jsonb"]
    return "SELECT \(columns) FROM jsonb_to_recordset($1::jsonb) AS r(\(types.joined(separator: ", ")))"
  }()

  private static let upsert = """
    INSERT INTO parley_usage(\(columns)) \(source) \
    ON CONFLICT (id) DO UPDATE SET \(UsageColumns.replacements) WHERE excluded.sequence > parley_usage.sequence
    """

  func write(_ records: [UsageRecord], within limit: Duration) async throws(SinkFault) {
    // One statement cannot touch a row twice. In the order of their ids two writers never wait for each other.
    var newest: [String: UsageRecord] = [:]
    for record in records where newest[record.id].map({ record.isNewer(than: $0) }) ?? true {
      newest[record.id] = record
    }
    let batch = newest.values.sorted { $0.id < $1.id }
    do throws(PostgresFault) {
      _ = try await change(writer, Self.upsert, [Self.json(batch)], within: limit)
    } catch {
      throw error.liesInTheData ? .rejected(error.description) : .unavailable(error.description)
    }
  }

  private static func json(_ records: [UsageRecord]) -> String {
    let rows = records.map { record -> JSONValue in
      var row = JSONObject()
      for column in UsageColumns.all { row[column.name] = column.value(record) }
      row["record"] = .object(record.json)
      return .object(row)
    }
    return JSONValue.array(rows).text
  }
}

extension PostgresStore: UsageStore {
  func summary(_ query: UsageQuery) async throws(StorageFault) -> UsageSummary {
    let condition = UsageCondition(query) { "$\($0)" }
    let sums =
      ["count(*) FILTER (WHERE modality = '\(UsageRecord.voice)')", "count(*)"]
      + (UsageColumns.amounts + UsageColumns.counts).map { "coalesce(sum(\($0)), 0)" }
    let column = query.grouping.column
    let rows = try await ask(
      queries,
      "SELECT \(column), \(sums.joined(separator: ", ")) FROM parley_usage\(condition.clause) GROUP BY \(column)",
      condition.parameters, within: Self.queryLimit)
    var groups: [UsageSummary.Group] = []
    for row in rows.values {
      guard row.count == 1 + sums.count else { throw .damaged("an answer has another shape") }
      groups.append(
        UsageSummary.Group(key: query.grouping.key(fromColumn: row[0]), totals: UsageTotals(texts: row.dropFirst())))
    }
    return UsageSummary(query, groups: groups)
  }

  func events(_ query: EventQuery) async throws(StorageFault) -> UsagePage {
    let condition = UsageCondition(query, bytewise: " COLLATE \"C\"") { "$\($0)" }
    let rows = try await ask(
      queries,
      "SELECT record FROM parley_usage\(condition.clause) ORDER BY started_at DESC, id COLLATE \"C\" DESC "
        + "LIMIT \(query.limit + 1)", condition.parameters, within: Self.queryLimit)
    return try UsagePage(texts: rows.values.map { $0.first ?? nil }, query, at: now())
  }

  func insert(_ records: [UsageRecord]) async throws(StorageFault) -> InsertCount {
    let rows = try await askToChange(
      queries,
      "WITH added AS (INSERT INTO parley_usage(\(Self.columns)) \(Self.source) ON CONFLICT (id) DO NOTHING RETURNING id) "
        + "SELECT count(*) FROM added", [Self.json(records)], within: Self.queryLimit)
    guard let count = rows.single.flatMap({ Int($0) }) else { throw .damaged("an answer has another shape") }
    return InsertCount(accepted: count, duplicates: records.count - count)
  }
}

extension UsageTotals {
  /// Sums in the order of `UsageColumns`; a sum of whole numbers is of any size.
  fileprivate init(texts: ArraySlice<String?>) {
    self.init()
    var texts = texts.makeIterator()
    func count() -> Int { (texts.next() ?? nil).map { Int($0) ?? .max } ?? 0 }
    func amount() -> Double { (texts.next() ?? nil).flatMap { Double($0) } ?? 0 }
    sessions = count()
    events = count()
    seconds = amount()
    heardSeconds = amount()
    spokenSeconds = amount()
    inputText = count()
    inputAudio = count()
    inputImage = count()
    inputCached = count()
    outputText = count()
    outputAudio = count()
    totalTokens = count()
  }
}

extension UsageCondition {
  fileprivate var parameters: [String?] {
    values.map { value in
      switch value {
      case .text(let text): text
      case .number(let number): String(number)
      }
    }
  }
}
