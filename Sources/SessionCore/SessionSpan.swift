import Envelope
import Metering
import Translation

/// That the session ends soon, for its client.
struct LimitWarning: Sendable, Hashable {
  var limit: LimitName
  var secondsLeft: Int
  var message: String
}

/// How long a session may last, and how long its client may be silent, where anybody limits either.
struct SessionSpan: Sendable {
  private let begunAt: Instant
  private let length: Duration?
  private let lengthHolder: String?
  private let idle: Duration?
  private let warningTime: Duration
  private var lastHeard: Instant
  /// What it was granted last of the minutes of a day.
  private var grant: TimeGrant?
  /// What its holders have left of the day beyond that, as far as is known.
  private var leftBeyond: Duration?
  /// Not to be said again.
  private var hasWarnedOfLength = false
  private var hasWarnedOfGrant = false

  init(begunAt now: Instant, _ limits: SessionLimits) {
    begunAt = now
    length = limits.length
    lengthHolder = limits.lengthHolder
    idle = limits.idle
    warningTime = limits.warning
    lastHeard = now
  }

  mutating func heard(at now: Instant) {
    lastHeard = now
  }

  func isIdle(for time: Duration, at now: Instant) -> Bool {
    now - lastHeard >= time
  }

  // MARK: Minutes of the day

  mutating func granted(_ grant: TimeGrant, at now: Instant) {
    self.grant = grant
    endMoved(at: now)
  }

  /// - Parameter left: of the minutes of the day, by whoever has the fewest; nil where nobody limits them.
  mutating func stands(left: Duration?) {
    leftBeyond = left
  }

  /// A session that may go on for longer than was feared is warned again before its end.
  private mutating func endMoved(at now: Instant) {
    if let end = grantEnd, end - now > warningTime { hasWarnedOfGrant = false }
  }

  private var lengthEnd: Instant? { length.map { begunAt + $0 } }

  /// When the granted time will be over, as far as can be told.
  private var grantEnd: Instant? {
    guard let grant else { return nil }
    if grant.isFinal { return grant.endsAt }
    return leftBeyond.map { grant.endsAt + $0 }
  }

  // MARK: Ends

  /// The next point in time at which the session may have to end, or to be warned.
  var deadline: Instant? {
    var earliest: Instant?
    func consider(_ instant: Instant?) {
      guard let instant else { return }
      earliest = earliest.map { min($0, instant) } ?? instant
    }
    consider(lengthEnd)
    if let grant, grant.isFinal { consider(grant.endsAt) }
    consider(idle.map { lastHeard + $0 })
    if warningTime > .zero {
      if !hasWarnedOfLength { consider(lengthEnd.map { $0 + (.zero - warningTime) }) }
      if !hasWarnedOfGrant { consider(grantEnd.map { $0 + (.zero - warningTime) }) }
    }
    return earliest
  }

  /// What the client is to be warned of now: of each limit once.
  mutating func warning(at now: Instant) -> LimitWarning? {
    guard warningTime > .zero else { return nil }
    if !hasWarnedOfLength, let length, let end = lengthEnd, end - now <= warningTime {
      hasWarnedOfLength = true
      return LimitWarning(.maxMinutesPerSession, "This session may last \(Self.text(length))", left: end - now)
    }
    if !hasWarnedOfGrant, let grant, let end = grantEnd, end - now <= warningTime {
      hasWarnedOfGrant = true
      return LimitWarning(
        grant.name, "The \(Self.minutes(grant.most)) of the day are nearly used up", left: end - now)
    }
    return nil
  }

  /// Why the session ends now; nil where it does not.
  func ending(at now: Instant) -> EventFault? {
    if let length, let end = lengthEnd, now >= end {
      let message = "The session has reached its longest duration of \(Self.text(length))."
      guard lengthHolder != nil else { return EventFault(code: "session_expired", message: message, param: nil) }
      return EventFault(
        type: "rate_limit_error", code: "session_expired", message: message,
        param: LimitName.maxMinutesPerSession.rawValue)
    }
    if let grant, grant.isFinal, now >= grant.endsAt {
      return EventFault(
        type: "rate_limit_error", code: "minutes_exhausted",
        message: "The \(Self.minutes(grant.most)) of the day are used up. They come anew at 00:00 UTC.",
        param: grant.name.rawValue)
    }
    if let idle, isIdle(for: idle, at: now) {
      return EventFault(
        code: "session_idle", message: "The client has sent nothing for \(Self.text(idle)).", param: nil)
    }
    return nil
  }

  // MARK: What the client is shown

  /// Where the session stands with its longest duration; nil where it has none.
  func standing(at now: Instant) -> LimitStanding.Entry? {
    guard let length, let end = lengthEnd else { return nil }
    let left = max(.zero, end - now)
    return LimitStanding.Entry(
      name: .maxMinutesPerSession, holder: lengthHolder ?? "gateway", limit: length.inSeconds / 60,
      remaining: left.inSeconds / 60, resetSeconds: left.inSeconds)
  }

  private static func text(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    return milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000) seconds" : "\(milliseconds) ms"
  }

  private static func minutes(_ minutes: Double) -> String { "\(JSONNumber(minutes)) minutes" }
}

extension LimitWarning {
  fileprivate init(_ limit: LimitName, _ reason: String, left: Duration) {
    let seconds = Int(max(.zero, left).inSeconds.rounded(.up))
    self.init(limit: limit, secondsLeft: seconds, message: "\(reason); it ends in \(seconds) seconds.")
  }
}

extension Duration {
  var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
