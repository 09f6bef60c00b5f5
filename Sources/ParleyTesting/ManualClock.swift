public import Translation

/// A clock that stands still until a test moves it.
public struct ManualClock: Sendable {
  public private(set) var now: Instant
  /// How far the clock has been moved.
  public var elapsed: Duration { now - start }
  private let start: Instant

  /// - Parameter nanoseconds: where it starts; not zero, so that a deadline counted from zero by mistake is noticed.
  public init(nanoseconds: Int64 = 1_000_000_000_000) {
    start = Instant(nanoseconds: nanoseconds)
    now = start
  }

  /// Moves the clock and gives the new time. A negative duration moves nothing.
  @discardableResult
  public mutating func advance(by duration: Duration) -> Instant {
    now = now + max(duration, .zero)
    return now
  }

  /// Moves the clock to a deadline; nothing if that has passed.
  @discardableResult
  public mutating func advance(to deadline: Instant) -> Instant {
    now = max(now, deadline)
    return now
  }
}
