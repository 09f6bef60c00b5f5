import Access
import Envelope
import GRDB
import Metering
import Routing

extension SQLiteStore: KeyStorage {
  private static let keyColumns = "digest, revoked_at, record"

  func key(with digest: KeyDigest) async throws(StorageFault) -> KeyRecord? {
    try await keys(where: "digest = ?", digest.hex).first { $0.digest.agreesWith(digest) }
  }

  func keys() async throws(StorageFault) -> [KeyRecord] {
    try await keys(where: "true ORDER BY id")
  }

  private func keys(where condition: String, _ value: String? = nil) async throws(StorageFault) -> [KeyRecord] {
    let rows = try await read { database in
      try Self.keyRows(database, condition, value)
    }
    var keys: [KeyRecord] = []
    for row in rows { keys.append(try row.record()) }
    return keys
  }

  private static func keyRows(_ database: Database, _ condition: String, _ value: String?) throws -> [KeyRow] {
    try Row.fetchAll(
      database, sql: "SELECT \(keyColumns) FROM keys WHERE \(condition)",
      arguments: StatementArguments(value.map { [$0] } ?? [])
    ).map { row in
      let values = Array(row.databaseValues)
      return KeyRow(digest: values[0].text, revokedAt: values[1].whole, json: values[2].text)
    }
  }

  func insert(_ record: KeyRecord) async throws(StorageFault) {
    let row: StatementArguments = [
      record.id, record.name, record.digest.hex, record.revokedAt, JSONValue.object(record.json).text,
    ]
    try await write { database in
      try database.execute(
        sql: "INSERT INTO keys(id, name, digest, revoked_at, record) VALUES (?, ?, ?, ?, ?)", arguments: row)
    }
  }

  func revoke(id: String, at unixTime: Int) async throws(StorageFault) -> KeyRecord? {
    let rows = try await write { database in
      try database.execute(
        sql: "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", arguments: [unixTime, id])
      return try Self.keyRows(database, "id = ?", id)
    }
    guard let row = rows.first else { return nil }
    return try row.record()
  }

  func apps() async throws(StorageFault) -> [App] {
    let texts = try await read { database in
      try Row.fetchAll(database, sql: "SELECT record FROM apps ORDER BY name").map { $0.databaseValues.first?.text }
    }
    var apps: [App] = []
    for text in texts { apps.append(try App(kept: text)) }
    return apps
  }

  func put(_ app: App) async throws(StorageFault) -> Bool {
    let (name, text) = (app.name, JSONValue.object(app.json).text)
    return try await write { database in
      let known = try Row.fetchOne(database, sql: "SELECT 1 FROM apps WHERE name = ?", arguments: [name])
      try database.execute(
        sql: "INSERT INTO apps(name, record) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET record = excluded.record",
        arguments: [name, text])
      return known == nil
    }
  }

  func removeApp(_ name: String) async throws(StorageFault) -> Bool {
    try await write { database in
      try database.execute(sql: "DELETE FROM apps WHERE name = ?", arguments: [name])
      return database.changesCount > 0
    }
  }
}

/// A key as a table has it. What it was made with is in `json`; whether it is revoked, beside it.
struct KeyRow: Sendable {
  var digest: String?
  var revokedAt: Int?
  var json: String?

  func record() throws(StorageFault) -> KeyRecord {
    guard let digest = digest.flatMap({ KeyDigest(hex: $0) }), let json,
      let object = (try? JSONValue(parsing: json))?.object,
      var record = try? KeyRecord(json: object, digest: digest)
    else { throw .damaged("a key cannot be read") }
    record.revokedAt = revokedAt
    return record
  }
}

extension App {
  /// - Parameter text: as a table has it.
  init(kept text: String?) throws(StorageFault) {
    guard let text, let object = (try? JSONValue(parsing: text))?.object, let app = try? App(json: object) else {
      throw .damaged("an app cannot be read")
    }
    self = app
  }
}
