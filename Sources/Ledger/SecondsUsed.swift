import Access
import GRDB
import Metering

extension SQLiteStore {
  /// The part of each session that falls into a UTC day, added up for everybody whose limits hold for it. A session that
  /// has gone on for more than a week counts from there.
  func secondsUsed(day: Int) async throws(StorageFault) -> [(LimitHolder, Double)] {
    let begin = Timestamp(day: day).milliseconds
    let kinds = [("provider", "provider"), ("app", "app"), ("key", "key_id"), ("token", "token_id")]
    let parts = kinds.map { kind, column in
      """
      SELECT '\(kind)', \(column), total(min(seconds, (updated_at - max(started_at, \(begin))) / 1000.0)) FROM usage \
      WHERE day >= \(day - 7) AND updated_at > \(begin) AND modality = '\(UsageRecord.voice)' AND \(column) IS NOT NULL \
      GROUP BY \(column)
      """
    }
    let rows = try await read { database in
      try Row.fetchAll(database, sql: parts.joined(separator: " UNION ALL ")).map { Array($0.databaseValues) }
    }
    return rows.compactMap { row in
      guard let kind = row[0].text, let name = row[1].text, let seconds = row[2].real else { return nil }
      return LimitHolder(kind: kind, name: name).map { ($0, max(0, seconds)) }
    }
  }
}

extension PostgresStore {
  /// What all replicas have used or reserved of a UTC day.
  func secondsUsed(day: Int) async throws(StorageFault) -> [(LimitHolder, Double)] {
    let rows = try await ask(
      admission, "SELECT holder, used FROM parley_minutes WHERE day = $1::int", [String(day)],
      within: admissionLimit)
    return rows.values.compactMap { row in
      guard row.count == 2, let text = row[0], let seconds = row[1].flatMap({ Double($0) }),
        let colon = text.firstIndex(of: ":")
      else { return nil }
      let name = String(text[text.index(after: colon)...])
      return LimitHolder(kind: String(text[..<colon]), name: name).map { ($0, seconds) }
    }
  }
}

extension LimitHolder {
  /// The inverse of `kind` and what follows in `text`.
  init?(kind: String, name: String) {
    switch kind {
    case "provider": self = .provider(name)
    case "app": self = .app(name)
    case "key": self = .key(id: name)
    case "token": self = .token(id: name)
    default: return nil
    }
  }
}
