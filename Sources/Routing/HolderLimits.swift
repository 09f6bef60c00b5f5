/// What a provider, an app, a key or a token may use; nil: as much as it wants. The JSON key of each is its name.
public struct HolderLimits: Sendable, Hashable {
  /// Sessions at a time, of a token: in its life. 1 to 1,000,000.
  public var maxSessions: Int?
  /// Sessions begun in a second. 1 to 100,000.
  public var maxConnectsPerSecond: Int?
  /// Control events of all its sessions in a second; audio is none and waits. 1 to 1,000,000.
  public var maxEventsPerSecond: Int?
  /// Minutes of one session. 0.01 to 525,600.
  public var maxMinutesPerSession: Double?
  /// Minutes of all its sessions in a day of UTC. 0.01 to 1,000,000.
  public var maxMinutesPerDay: Double?

  public init(
    maxSessions: Int? = nil, maxConnectsPerSecond: Int? = nil, maxEventsPerSecond: Int? = nil,
    maxMinutesPerSession: Double? = nil, maxMinutesPerDay: Double? = nil
  ) {
    self.maxSessions = maxSessions
    self.maxConnectsPerSecond = maxConnectsPerSecond
    self.maxEventsPerSecond = maxEventsPerSecond
    self.maxMinutesPerSession = maxMinutesPerSession
    self.maxMinutesPerDay = maxMinutesPerDay
  }

  /// Nothing is limited.
  public var isEmpty: Bool { self == HolderLimits() }

  /// The smaller of each.
  public func tightened(by other: HolderLimits) -> HolderLimits {
    var result = self
    for definition in HolderLimitDefinition.all {
      guard let most = definition.value(in: other) else { continue }
      definition.set(min(most, definition.value(in: self) ?? most), in: &result)
    }
    return result
  }
}

/// One of the limits: its name and range, for everything that reads or writes them.
public struct HolderLimitDefinition: Sendable {
  enum Field: Sendable {
    case whole(any WritableKeyPath<HolderLimits, Int?> & Sendable)
    case minutes(any WritableKeyPath<HolderLimits, Double?> & Sendable)
  }

  /// The JSON key.
  public let name: String
  public let range: ClosedRange<Double>
  let field: Field
  /// What it bounds, and what happens beyond, in Markdown.
  public let meaning: String

  /// Minutes may have fractions.
  public var isWhole: Bool {
    if case .whole = field { true } else { false }
  }

  /// `1 to 100000`
  public var rangeText: String {
    "\(LimitDefinition.plain(range.lowerBound)) to \(LimitDefinition.plain(range.upperBound))"
  }

  /// Nil for none.
  public func value(in limits: HolderLimits) -> Double? {
    switch field {
    case .whole(let keyPath): limits[keyPath: keyPath].map(Double.init)
    case .minutes(let keyPath): limits[keyPath: keyPath]
    }
  }

  /// Writes a value; one that is out of range, or no whole number where it has to be, is refused.
  ///
  /// - Returns: whether it was taken.
  @discardableResult
  public func set(_ value: Double, in limits: inout HolderLimits) -> Bool {
    guard range.contains(value) else { return false }
    switch field {
    case .whole(let keyPath):
      guard value == value.rounded() else { return false }
      limits[keyPath: keyPath] = Int(value)
    case .minutes(let keyPath): limits[keyPath: keyPath] = value
    }
    return true
  }

  /// All of them, in the order of the documentation.
  public static let all: [HolderLimitDefinition] = [
    .init(
      name: "maxSessions", range: 1...1_000_000, field: .whole(\.maxSessions),
      meaning: "sessions at a time; 429 `rate_limit_exceeded`, `Retry-After: 10`"),
    .init(
      name: "maxConnectsPerSecond", range: 1...100_000, field: .whole(\.maxConnectsPerSecond),
      meaning: "sessions that begin in a second; 429, `Retry-After: 1`"),
    .init(
      name: "maxEventsPerSecond", range: 1...1_000_000, field: .whole(\.maxEventsPerSecond),
      meaning: "events of all its sessions together, audio not counted; an `error` event. Not of a provider"),
    .init(
      name: "maxMinutesPerSession", range: 0.01...525_600, field: .minutes(\.maxMinutesPerSession),
      meaning: "from the 101 to the end; a warning, an `error` event `session_expired`, close 1000"),
    .init(
      name: "maxMinutesPerDay", range: 0.01...1_000_000, field: .minutes(\.maxMinutesPerDay),
      meaning: """
        wall minutes of all its sessions in a UTC day; a warning, an `error` event `minutes_exhausted`, close 1000; \
        429 `minutes_exhausted` until midnight
        """),
  ]
}
