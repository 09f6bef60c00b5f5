import Envelope
import GRDB
import Metering
import Translation

/// A store that knows which sessions nobody has told anything of for long.
protocol LossKeeping: Sendable {
  /// Live records that were updated before, the oldest first, at most `most` of them.
  func silentRecords(before: Timestamp, most: Int) async throws(StorageFault) -> [UsageRecord]
  /// These are known to be lost: they are silent no more, unless somebody goes on with them. One that was updated since is
  /// left as it is.
  func noteLost(_ ids: [String], silentSince: Timestamp) async throws(StorageFault)
}

/// Tells a webhook of sessions whose process is gone without having told their end.
///
/// A session that was only cut off from the store for a while is told again when it ends, with a greater sequence.
struct LossWatch: Sendable {
  /// Far more than an update takes, even when the store has been away in between.
  static let usualSilence = Duration.seconds(120)
  static let usualInterval = Duration.seconds(30)
  private static let mostAtOnce = 500

  let store: any LossKeeping
  let lane: SinkLane
  var silence = LossWatch.usualSilence
  var interval = LossWatch.usualInterval
  var now: @Sendable () -> Timestamp = Timestamp.wallClock

  /// Looks now and then, until the task is cancelled.
  func run() async {
    // Replicas that begin together do not look together.
    while (try? await Task.sleep(for: interval * Double.random(in: 0.5...1.5))) != nil {
      // What cannot be asked now is asked the next time.
      try? await look()
    }
  }

  /// Tells of those that are lost now. They are marked when they have left for the webhook, or are on disk: a crash in
  /// between tells them again.
  func look() async throws(StorageFault) {
    let limit = Timestamp(milliseconds: now().milliseconds - silence.wholeMilliseconds)
    while true {
      let silent = try await store.silentRecords(before: limit, most: Self.mostAtOnce)
      guard !silent.isEmpty else { return }
      for var record in silent {
        record.state = .lost
        lane.note(record)
      }
      await lane.flush()
      try await store.noteLost(silent.map(\.id), silentSince: limit)
      guard silent.count == Self.mostAtOnce else { return }
    }
  }
}

extension SQLiteStore: LossKeeping {
  func silentRecords(before: Timestamp, most: Int) async throws(StorageFault) -> [UsageRecord] {
    let texts = try await read { database in
      try Row.fetchAll(
        database, sql: "SELECT record FROM usage WHERE state = 'live' AND updated_at < ? ORDER BY updated_at LIMIT ?",
        arguments: [before.milliseconds, most]
      ).map { $0.databaseValues.first?.text }
    }
    return try texts.map { (text) throws(StorageFault) in try UsageRecord(kept: text) }
  }

  func noteLost(_ ids: [String], silentSince: Timestamp) async throws(StorageFault) {
    try await write { database in
      for id in ids {
        try database.execute(
          sql: "UPDATE usage SET state = 'lost' WHERE id = ? AND state = 'live' AND updated_at < ?",
          arguments: [id, silentSince.milliseconds])
      }
    }
  }
}

extension PostgresStore: LossKeeping {
  func silentRecords(before: Timestamp, most: Int) async throws(StorageFault) -> [UsageRecord] {
    // While the database was away nobody could tell it anything: that is no silence.
    guard serves(since: LossWatch.usualSilence) else { throw .unavailable("it was away a moment ago") }
    let rows = try await ask(
      queries,
      "SELECT record FROM parley_usage WHERE state = 'live' AND updated_at < $1::bigint ORDER BY updated_at LIMIT \(most)",
      [String(before.milliseconds)], within: Self.queryLimit)
    return try rows.values.map { (row) throws(StorageFault) in try UsageRecord(kept: row.first ?? nil) }
  }

  func noteLost(_ ids: [String], silentSince: Timestamp) async throws(StorageFault) {
    let list = JSONValue.array(ids.map { .string($0) }).text
    _ = try await askToChange(
      queries,
      "UPDATE parley_usage SET state = 'lost' WHERE state = 'live' AND updated_at < $2::bigint"
        + " AND id IN (SELECT jsonb_array_elements_text($1::jsonb))",
      [list, String(silentSince.milliseconds)], within: Self.queryLimit)
  }
}
