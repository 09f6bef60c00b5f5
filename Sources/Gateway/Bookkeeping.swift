public import Access
public import Metering

/// Where a server keeps what outlives a session, and what it shares with other replicas. All of it is optional: a server
/// without any writes nothing.
public struct Bookkeeping: Sendable {
  /// Takes the records of usage; nil: nobody does.
  public var usage: (any UsageSink)?
  /// Answers questions about usage; nil: nobody can.
  public var store: (any UsageStore)?
  /// Keys and apps beside those of the configuration.
  public var keys: (any KeyStorage)?
  /// Counts sessions and minutes over all replicas; nil: this process alone.
  public var shared: (any SharedSeats)?
  /// What was used of a UTC day's minutes before this process began.
  public var secondsUsed: @Sendable (_ day: Int) async -> [(LimitHolder, Double)]
  /// The name of this process in the records.
  public var instance: String

  public init(
    usage: (any UsageSink)? = nil, store: (any UsageStore)? = nil, keys: (any KeyStorage)? = nil,
    shared: (any SharedSeats)? = nil,
    secondsUsed: @escaping @Sendable (_ day: Int) async -> [(LimitHolder, Double)] = { _ in [] }, instance: String = ""
  ) {
    self.usage = usage
    self.store = store
    self.keys = keys
    self.shared = shared
    self.secondsUsed = secondsUsed
    self.instance = instance
  }

  public static let none = Bookkeeping()
}
