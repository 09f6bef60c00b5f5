import Envelope
public import Translation

// What a session does by the clock, and how it ends.

extension Session {
  /// `deadline` has passed.
  public mutating func timeReached(at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase != .ended else { return }
    if let fault = span.ending(at: now) { return end(fault, closing: 1000, at: now) }
    if let warning = span.warning(at: now) { tellLimits(warning, at: now) }
    if window.isOpen, now >= window.closesAt { settle(at: now) }
    if case .connected(let firstEventBy) = phase, !window.isOpen, !isHeldBack, now >= firstEventBy {
      port.outbox.actions.append(.closeUpstream(code: 1000))
      lost(.timedOut(.firstEvent), at: now)
      guard phase != .ended else { return }
    }
    if let due = translator.deadline, now >= due {
      translator.timeReached(at: now, port: &port)
      followUp(at: now)
      resumeIfPossible()
    }
  }

  /// The gateway goes down: the client is told and may come back.
  public mutating func shutDown(at now: Instant) {
    defer { stepEnded(at: now) }
    end(.restarting, closing: 1012, at: now)
  }

  /// The client is not read just now, so that it cannot be heard.
  public mutating func downstreamIsUnread(at now: Instant) {
    span.heard(at: now)
  }

  /// The gateway has no memory left for a client that says nothing, and hears nothing.
  public mutating func shed(ifIdleFor idle: Duration, at now: Instant) {
    defer { stepEnded(at: now) }
    guard span.isIdle(for: idle, at: now), !translator.isMidTurn else { return }
    end(
      EventFault(
        type: "server_error", code: "gateway_overloaded",
        message: "The gateway is overloaded and ends sessions that say nothing. Try again later.", param: nil),
      closing: 1013, at: now)
  }

  /// Ends the session for a reason of our own.
  mutating func end(_ fault: EventFault, closing code: UInt16, at now: Instant) {
    guard phase != .ended else { return }
    phase = .ended
    port.outbox.actions.append(.closeUpstream(code: code == 1012 ? 1001 : 1000))
    translator.upstreamEnded(
      UpstreamVerdict(code: fault.code ?? "closed", message: fault.message, outlook: .mayRecover), at: now, port: &port)
    port.upstreamIsGone()
    port.emit(fault, eventID: nil)
    port.outbox.actions.append(.closeDownstream(code: code, reason: fault.code ?? ""))
  }
}
