public import Envelope

/// The limits that a provider, an app, a key or a token can have. The raw value is the key of the configuration, and the
/// name that clients are told.
public enum LimitName: String, Sendable, Hashable, CaseIterable {
  /// Sessions at a time; of a token, how many it may start in its life.
  case maxSessions
  case maxConnectsPerSecond
  /// Control events of all its sessions together; audio waits.
  case maxEventsPerSecond
  case maxMinutesPerSession
  /// Wall minutes of all its sessions in a UTC day.
  case maxMinutesPerDay
}

/// Where a session stands with the limits that hold for it; `limits` of a `rate_limits.updated`.
public struct LimitStanding: Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    public var name: LimitName
    /// Whose limit it is: `provider`, `app`, `key`, `token`.
    public var holder: String
    public var limit: Double
    /// Never negative.
    public var remaining: Double
    /// Until it is as if nothing had been used; 0 where that does not depend on time.
    public var resetSeconds: Double

    public init(name: LimitName, holder: String, limit: Double, remaining: Double, resetSeconds: Double) {
      self.name = name
      self.holder = holder
      self.limit = limit
      self.remaining = max(0, remaining)
      self.resetSeconds = max(0, resetSeconds)
    }

    public var json: JSONValue {
      [
        "name": .string(name.rawValue), "holder": .string(holder), "limit": .number(JSONNumber(limit)),
        "remaining": .number(JSONNumber(remaining)), "reset_seconds": .number(JSONNumber(resetSeconds)),
      ]
    }
  }

  public var entries: [Entry]

  public init(_ entries: [Entry] = []) {
    self.entries = entries
  }

  public var isEmpty: Bool { entries.isEmpty }
}
