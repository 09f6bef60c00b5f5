import Envelope
import Translation

/// How fast a client may go: what a session bears of control events, and of events that it must refuse (fault row 41).
struct ClientPace: Sendable {
  private var controlEvents: EventRate
  private var badEvents: EventRate

  init(_ limits: SessionLimits) {
    controlEvents = EventRate(most: limits.controlEventsPerSecond, in: .seconds(1))
    badEvents = EventRate(most: limits.badEventsPerMinute, in: .seconds(60))
  }

  /// Counts a control event; false where it is one too many.
  mutating func admits(at now: Instant) -> Bool {
    controlEvents.admits(at: now)
  }

  /// How many control events may follow at once, and when as many may as ever.
  func standing(at now: Instant) -> (room: Int, reset: Duration) {
    (controlEvents.room(at: now), controlEvents.resetTime(at: now))
  }

  /// Counts an event that was refused; false where it is one too many.
  mutating func bears(badEventAt now: Instant) -> Bool {
    badEvents.admits(at: now)
  }
}
