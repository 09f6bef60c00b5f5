import Translation

/// Why and when the connection is replaced while the call goes on, and what the next one begins from.
///
/// A connection has one set-up, forgets nothing, and lives for about ten minutes; the client must notice none of that.
struct Renewal: Sendable {
  /// The newest handle that the service gave; with it a connection goes on where the last one was.
  private(set) var handle: String?
  /// Nothing was said since the handle was given.
  private(set) var isHandleCurrent = false
  /// The service remembers what the client has deleted, cut or reordered: no handle may be used, and no answer drawn,
  /// before a fresh session has been told the conversation.
  var isStale = false
  /// The set-up of the session is another than the connection's; the updates are gathered until then.
  var updateAt: Instant?
  /// The client's event that asked for it, for the error if it is refused.
  var updateEventID: String?
  /// Whenever it suits from here on.
  private(set) var rotateFrom: Instant?
  /// Then, whether it suits or not.
  private(set) var rotateBy: Instant?

  /// A new connection is being made.
  private(set) var isUnderWay = false
  /// The new connection was asked for with the handle.
  private(set) var usesHandle = false
  /// The connection was lost rather than replaced, and the service may have forgotten something.
  private(set) var followsLoss = false
  /// The next attempt.
  private(set) var redialAt: Instant?
  /// Since all went well.
  private var attempts = 0
  private var giveUpAt: Instant?
  /// When the connection was set up.
  private var begunAt: Instant?
  /// Ends of a kind that comes back if its cause is in the conversation itself.
  private(set) var suddenEnds = 0

  // MARK: The service

  /// `sessionResumptionUpdate`. A handle that cannot be resumed from keeps the last one.
  mutating func took(handle new: String?, isResumable: Bool) {
    // Of a session that remembers too much.
    guard isResumable, let new, !new.isEmpty, !isStale else { return }
    handle = new
    isHandleCurrent = true
  }

  /// Something was said that the handle does not know of.
  mutating func conversationMovedOn() {
    isHandleCurrent = false
  }

  mutating func forgetHandle() {
    handle = nil
    isHandleCurrent = false
  }

  /// The service will end the connection.
  mutating func goAway(in timeLeft: Duration, at now: Instant) {
    rotateFrom = now
    rotateBy = now + max(.zero, timeLeft - Limits.rotationMargin)
  }

  // MARK: Whether

  /// Whether anything asks for another connection at this time.
  func isWanted(at now: Instant) -> Bool {
    isStale || isReached(updateAt, now) || isReached(rotateFrom, now)
  }

  func isForced(at now: Instant) -> Bool { isReached(rotateBy, now) }

  private func isReached(_ instant: Instant?, _ now: Instant) -> Bool {
    instant.map { now >= $0 } ?? false
  }

  /// The next time at which something of this comes true that is not true at `now`. Asked for after every message.
  func deadline(after now: Instant) -> Instant? {
    if let redialAt { return redialAt }
    guard !isUnderWay else { return nil }
    var earliest: Instant?
    Self.consider(updateAt, after: now, &earliest)
    Self.consider(rotateFrom, after: now, &earliest)
    Self.consider(rotateBy, after: now, &earliest)
    return earliest
  }

  @inline(__always)
  private static func consider(_ candidate: Instant?, after now: Instant, _ earliest: inout Instant?) {
    guard let candidate, candidate > now else { return }
    earliest = earliest.map { min($0, candidate) } ?? candidate
  }

  func isRotationDue(at now: Instant) -> Bool { isReached(rotateFrom, now) }

  // MARK: The course of it

  /// A connection is asked for.
  mutating func begin(withHandle: Bool, followsLoss: Bool) {
    isUnderWay = true
    usesHandle = withHandle
    self.followsLoss = self.followsLoss || followsLoss
    redialAt = nil
    if !withHandle { forgetHandle() }
  }

  /// The connection broke, or could not be made: says when to try again, or nil when the time for that is over.
  mutating func retry(at now: Instant) -> Instant? {
    if let begunAt, now >= begunAt + Limits.steadyAge {
      attempts = 0
      giveUpAt = nil
    }
    begunAt = nil
    let giveUp = giveUpAt ?? now + Limits.renewalBudget
    giveUpAt = giveUp
    let delays = Limits.renewalDelays
    let delay = delays[min(attempts, delays.count - 1)]
    attempts += 1
    guard now + delay < giveUp else { return nil }
    redialAt = now + delay
    return redialAt
  }

  /// The set-up says what the session is now, and tells a fresh one the conversation as it is now: what changes after it is
  /// for the connection after this one.
  mutating func setUpBegan() {
    updateAt = nil
    if isUnderWay, handle == nil {
      usesHandle = false
      isStale = false
    }
  }

  mutating func endedSuddenly() { suddenEnds += 1 }

  /// The new connection is set up.
  mutating func succeeded(at now: Instant) {
    isUnderWay = false
    usesHandle = false
    followsLoss = false
    if updateAt == nil { updateEventID = nil }
    redialAt = nil
    connectionBegan(at: now)
  }

  /// The age of a connection counts from its set-up.
  mutating func connectionBegan(at now: Instant) {
    begunAt = now
    rotateFrom = now + Limits.rotationAge
    rotateBy = now + Limits.rotationLatest
  }

  /// A turn went well: what happened before has no part in what happens next.
  mutating func turnSucceeded() {
    suddenEnds = 0
    attempts = 0
    if !isUnderWay { giveUpAt = nil }
  }
}
