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

  /// Counts an event that was refused; false where it is one too many.
  mutating func bears(badEventAt now: Instant) -> Bool {
    badEvents.admits(at: now)
  }
}

/// How long a session may last, and how long its client may be silent, where the operator limits either.
struct SessionSpan: Sendable {
  private let endsAt: Instant?
  private let length: Duration
  private let idle: Duration?
  private var lastHeard: Instant

  init(begunAt now: Instant, _ limits: SessionLimits) {
    endsAt = limits.length.map { now + $0 }
    length = limits.length ?? .zero
    idle = limits.idle
    lastHeard = now
  }

  mutating func heard(at now: Instant) {
    lastHeard = now
  }

  func isIdle(for time: Duration, at now: Instant) -> Bool {
    now - lastHeard >= time
  }

  /// The next point in time at which the session may have to end.
  var deadline: Instant? {
    guard let silentUntil = idle.map({ lastHeard + $0 }) else { return endsAt }
    return endsAt.map { min($0, silentUntil) } ?? silentUntil
  }

  /// Why the session ends now; nil where it does not.
  func ending(at now: Instant) -> EventFault? {
    if let endsAt, now >= endsAt {
      return EventFault(
        code: "session_expired", message: "The session has reached its longest duration of \(Self.text(length)).",
        param: nil)
    }
    if let idle, isIdle(for: idle, at: now) {
      return EventFault(
        code: "session_idle", message: "The client has sent nothing for \(Self.text(idle)).", param: nil)
    }
    return nil
  }

  private static func text(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    return milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000) seconds" : "\(milliseconds) ms"
  }
}
