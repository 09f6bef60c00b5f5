public import Envelope

/// So many events at once, after which they are let in evenly spread over the period: the generic cell rate algorithm of
/// ITU-T I.371, which needs one point in time. What is not let in does not count.
public struct EventRate: Sendable {
  private let interval: Duration
  private let tolerance: Duration
  /// When the next event would come if they came evenly.
  private var expected = Instant(nanoseconds: .min)

  /// - Parameter most: below 1 lets nothing in.
  public init(most: Int, in period: Duration) {
    interval = period / max(1, most)
    tolerance = most < 1 ? .seconds(-1) : interval * (most - 1)
  }

  /// Counts an event; false where it is one too many.
  public mutating func admits(at now: Instant) -> Bool {
    guard isOpen(at: now) else { return false }
    expected = max(expected, now) + interval
    return true
  }

  /// Whether an event would be let in; counts nothing.
  public func isOpen(at now: Instant) -> Bool {
    max(expected, now) <= now + tolerance
  }

  /// How many events would be let in now.
  public func room(at now: Instant) -> Int {
    guard interval > .zero, isOpen(at: now) else { return 0 }
    let free = (now + tolerance) - max(expected, now)
    return Int(free.wholeNanoseconds / max(1, interval.wholeNanoseconds)) + 1
  }

  /// How long until it is as if there had been no event.
  public func resetTime(at now: Instant) -> Duration {
    max(.zero, max(expected, now) - now)
  }
}

/// How many control events several sessions may send together; asked from any of their event loops.
public protocol SharedRate: Sendable {
  /// Counts an event; false where it is one too many.
  func admits(at now: Instant) -> Bool

  /// What the event that is one too many is answered with; the session goes on.
  var fault: EventFault { get }
}
