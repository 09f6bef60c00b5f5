/// Takes the records of live and ended sessions.
public protocol UsageSink: Sendable {
  /// Takes note of a record; a newer one of the same id replaces it. Called on any thread; never blocks, never fails.
  func note(_ record: UsageRecord)
}

/// Keeps nothing.
public struct NoUsage: UsageSink {
  public init() {}
  public func note(_ record: UsageRecord) {}
}

/// Where records are kept and asked for.
public protocol UsageStore: Sendable {
  func summary(_ query: UsageQuery) async throws(StorageFault) -> UsageSummary
  /// One page of records, the newest that the query's cursor leaves, in ascending order.
  func events(_ query: EventQuery) async throws(StorageFault) -> UsagePage
  /// Adds records of other services: all of them, or none. One whose id is there already is left as it is, and counted.
  func insert(_ records: [UsageRecord]) async throws(StorageFault) -> InsertCount
}

/// What became of records that were handed in.
public struct InsertCount: Sendable, Hashable {
  public var accepted: Int
  public var duplicates: Int

  public init(accepted: Int, duplicates: Int) {
    self.accepted = accepted
    self.duplicates = duplicates
  }
}

/// Why a store did not do what it was asked for. The texts are ours: no message of a database, no address, no secret.
public enum StorageFault: Error, Sendable, Hashable {
  /// It does not answer, or not in time. Worth another try.
  case unavailable(String)
  /// What it holds cannot be read.
  case damaged(String)
  /// Something with this name, id or digest is there already.
  case conflict(String)
  /// A value that it cannot hold, such as a text with U+0000.
  case unsuitable(String)
}
