import Envelope
public import Translation

// How a session goes out of service with the gateway that it runs in (fault row 57).

extension Session {
  /// Whether the user speaks, is owed an answer, or hears one: what a drain lets come to its end.
  public var isInTurn: Bool {
    phase != .ended && translator.isInTurn
  }

  /// The gateway goes out of service: the session ends when its turn is over, or now where it is in none.
  public mutating func drain(at now: Instant) {
    guard phase != .ended else { return }
    isDraining = true
    stepEnded(at: now)
  }

  /// The gateway's grace is over: the client is told and may come back, whatever goes on.
  public mutating func drainEnded(at now: Instant) {
    shutDown(at: now)
  }

  /// The operator has ended this session.
  public mutating func endByOperator(at now: Instant) {
    defer { stepEnded(at: now) }
    end(
      EventFault(
        type: "server_error", code: "session_ended_by_operator", message: "The operator has ended this session.",
        param: nil),
      closing: 1000, at: now)
  }

  /// After each input: what was said goes out in the client's words, and a session that is to go, and may, goes behind it.
  @inline(__always)
  mutating func stepEnded(at now: Instant) {
    if isDraining { leaveIfTurnIsOver(at: now) }
    if !port.marks.isEmpty { measureTurns(at: now) }
    dress()
  }

  private mutating func leaveIfTurnIsOver(at now: Instant) {
    guard phase != .ended, !translator.isInTurn else { return }
    end(.restarting, closing: 1012, at: now)
  }
}

extension EventFault {
  static let restarting = EventFault(
    type: "server_error", code: "gateway_restarting", message: "The gateway is restarting. Connect again.", param: nil)
}
