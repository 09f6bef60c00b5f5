import Access
import Envelope
import Metering
import Routing

extension PostgresStore: KeyStorage {
  private static let keyColumns = "digest, revoked_at, record"

  func key(with digest: KeyDigest) async throws(StorageFault) -> KeyRecord? {
    try await keys("SELECT \(Self.keyColumns) FROM parley_keys WHERE digest = $1", [digest.hex])
      .first { $0.digest.agreesWith(digest) }
  }

  func keys() async throws(StorageFault) -> [KeyRecord] {
    try await keys("SELECT \(Self.keyColumns) FROM parley_keys ORDER BY id COLLATE \"C\"", [])
  }

  private func keys(_ statement: String, _ parameters: [String?]) async throws(StorageFault) -> [KeyRecord] {
    try Self.keys(try await ask(admission, statement, parameters, within: admissionLimit))
  }

  private static func keys(_ rows: PostgresConnection.Rows) throws(StorageFault) -> [KeyRecord] {
    var keys: [KeyRecord] = []
    for row in rows.values {
      guard row.count == 3 else { throw .damaged("an answer has another shape") }
      keys.append(try KeyRow(digest: row[0], revokedAt: row[1].flatMap { Int($0) }, json: row[2]).record())
    }
    return keys
  }

  func insert(_ record: KeyRecord) async throws(StorageFault) {
    _ = try await askToChange(
      admission,
      "INSERT INTO parley_keys(id, name, digest, revoked_at, record) VALUES ($1, $2, $3, $4::bigint, $5::jsonb)",
      [
        record.id, record.name, record.digest.hex, record.revokedAt.map { String($0) },
        JSONValue.object(record.json).text,
      ], within: admissionLimit)
  }

  func revoke(id: String, at unixTime: Int) async throws(StorageFault) -> KeyRecord? {
    let rows = try await askToChange(
      admission,
      "UPDATE parley_keys SET revoked_at = coalesce(revoked_at, $2::bigint) WHERE id = $1 RETURNING \(Self.keyColumns)",
      [id, String(unixTime)], within: admissionLimit)
    return try Self.keys(rows).first
  }

  func apps() async throws(StorageFault) -> [App] {
    let rows = try await ask(
      admission, "SELECT record FROM parley_apps ORDER BY name COLLATE \"C\"", within: admissionLimit)
    var apps: [App] = []
    for row in rows.values { apps.append(try App(kept: row.first ?? nil)) }
    return apps
  }

  func put(_ app: App) async throws(StorageFault) -> Bool {
    // `xmax` is 0 in a row that was inserted, and the transaction's number in one that was updated.
    let rows = try await askToChange(
      admission,
      "INSERT INTO parley_apps(name, record) VALUES ($1, $2::jsonb) "
        + "ON CONFLICT (name) DO UPDATE SET record = excluded.record RETURNING xmax = 0",
      [app.name, JSONValue.object(app.json).text], within: admissionLimit)
    return rows.single == "t"
  }

  func removeApp(_ name: String) async throws(StorageFault) -> Bool {
    let rows = try await askToChange(
      admission, "DELETE FROM parley_apps WHERE name = $1 RETURNING 1", [name], within: admissionLimit)
    return !rows.values.isEmpty
  }
}
