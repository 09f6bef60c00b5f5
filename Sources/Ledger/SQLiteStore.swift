import NativeCode
import Access
import Envelope
import Foundation
import GRDB
import Metering
import Routing

/// Usage, keys and apps in a file (SQLite in WAL mode). Several processes may have it open.
///
/// Values are never taken out of a row by GRDB's subscripts that convert: those end the process where a damaged file has
/// NULL or a text in the place of a number.
final class SQLiteStore: Sendable {
  /// The version of the tables, in `PRAGMA user_version`.
  static let version = 1
  /// How long a question may take.
  static let usualLimit = Duration.seconds(5)

  let pool: DatabasePool
  let now: @Sendable () -> Timestamp
  private let limit: Duration

  /// Opens the file, and makes it and its folder where they are not there.
  ///
  /// - Parameter now: the wall clock.
  init(
    path: String, limit: Duration = SQLiteStore.usualLimit,
    now: @escaping @Sendable () -> Timestamp = Timestamp.wallClock
  ) throws(StorageFault) {
    self.now = now
    self.limit = limit
    var configuration = Configuration()
    configuration.label = "parley.ledger"
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = NORMAL")
    }
    do {
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      // The digests of keys are nobody else's business; the files beside it get the same permissions.
      if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
      }
      pool = try DatabasePool(path: path, configuration: configuration)
      try pool.write { try Self.migrate($0) }
    } catch {
      throw StorageFault(sqlite: error)
    }
  }

  func close() {
    // A statement that is under way keeps the file open; it ends with the process.
    try? pool.close()
  }

  private static func migrate(_ database: Database) throws {
    let known = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard known <= version else { throw StorageFault.damaged("its tables are of a later version") }
    guard known < version else { return }
    let columns = UsageColumns.all.map { column in
      switch column.type {
      case "text": "\(column.name) TEXT"
      case "double precision": "\(column.name) REAL"
      default: "\(column.name) INTEGER"
      }
    }
    try database.execute(
      sql: """
        CREATE TABLE usage(\(columns.joined(separator: ", ")), record TEXT NOT NULL, PRIMARY KEY(id)) WITHOUT ROWID;
        CREATE INDEX usage_by_beginning ON usage(started_at, id);
        CREATE INDEX usage_by_day ON usage(day);
        CREATE INDEX usage_live ON usage(updated_at) WHERE state = 'live';
        CREATE TABLE keys(id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, revoked_at INTEGER, \
        record TEXT NOT NULL);
        CREATE TABLE apps(name TEXT PRIMARY KEY, record TEXT NOT NULL);
        PRAGMA user_version = \(version);
        """)
  }

  // MARK: Asking

  func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StorageFault) -> T {
    try await bounded(by: limit) { try await self.pool.read(body) }
  }

  func write<T: Sendable>(
    within given: Duration? = nil, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws(StorageFault) -> T {
    try await bounded(by: given ?? limit) { try await self.pool.write(body) }
  }

  private func bounded<T: Sendable>(
    by limit: Duration, _ work: @escaping @Sendable () async throws -> T
  ) async throws(StorageFault) -> T {
    let outcome = await firstWithin(limit) { () async -> Result<T, StorageFault> in
      do {
        return .success(try await work())
      } catch {
        return .failure(StorageFault(sqlite: error))
      }
    }
    guard let outcome else { throw .unavailable("it did not answer in time") }
    return try outcome.get()
  }
}

extension Timestamp {
  /// Now, by the clock of the system.
  static let wallClock: @Sendable () -> Timestamp = {
    Timestamp(milliseconds: Int((Date().timeIntervalSince1970 * 1000).rounded(.down)))
  }
}

extension StorageFault {
  /// What SQLite's codes mean for a caller (https://sqlite.org/rescode.html). Its messages quote values, and are dropped.
  init(sqlite error: any Error) {
    switch error {
    case let fault as StorageFault: self = fault
    case let error as DatabaseError:
      switch error.resultCode {
      case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_SCHEMA: self = .damaged("the file is damaged")
      case .SQLITE_CONSTRAINT: self = .conflict("it is there already")
      case .SQLITE_TOOBIG, .SQLITE_MISMATCH: self = .unsuitable("a value is too long")
      case .SQLITE_FULL: self = .unavailable("the disk is full")
      case .SQLITE_BUSY, .SQLITE_LOCKED: self = .unavailable("another process has locked it")
      case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
        self = .unavailable("it cannot be written to")
      // A table that is not there: somebody has put another file in its place.
      case .SQLITE_ERROR: self = .damaged("its tables are not as they must be")
      default: self = .unavailable("it failed with code \(error.extendedResultCode.rawValue)")
      }
    default: self = .unavailable("it cannot be opened")
    }
  }
}

extension DatabaseValue {
  var text: String? {
    if case .string(let text) = storage { text } else { nil }
  }

  var whole: Int? {
    if case .int64(let value) = storage { Int(value) } else { nil }
  }

  var real: Double? {
    switch storage {
    case .double(let value): value
    case .int64(let value): Double(value)
    default: nil
    }
  }
}
