public import NIOCore
public import Translation

import Envelope

// What comes from the provider's side.

extension Session {
  /// The upstream WebSocket is open.
  public mutating func upstreamOpened(at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase == .dialling else { return }
    phase = .connected(firstEventBy: now + limits.upstreamFirstEvent)
    translator.upstreamOpened(at: now, port: &port)
    followUp(at: now)
    resumeIfPossible()
  }

  /// Messages of the provider that nobody here knows; they were skipped (fault row 45).
  public var skippedMessages: Int { translator.skippedMessages }

  /// The provider is not read because the client takes nothing, or is read again (fault row 49).
  public mutating func upstreamIsHeldBack(_ isHeld: Bool, at now: Instant) {
    guard phase != .ended else { return }
    isHeldBack = isHeld
    if !isHeld, case .connected = phase { phase = .connected(firstEventBy: now + limits.upstreamFirstEvent) }
    translator.upstreamIsHeldBack(isHeld, at: now)
  }

  /// A message of the provider, text or binary alike.
  public mutating func upstreamMessage(_ message: ByteBuffer, at now: Instant) {
    defer { stepEnded(at: now) }
    switch phase {
    case .connected, .live: break
    case .waiting, .dialling, .away, .ended: return
    }
    do {
      try translator.upstreamMessage(message, at: now, port: &port)
      // A provider that takes no content yet has not begun, whatever else it says.
      if port.isUpstreamReady { phase = .live }
      followUp(at: now)
      resumeIfPossible()
    } catch {
      // The engine of this process is no stranger.
      if translator.upstream() == .voiceEngine { return found("the engine's message: \(error)", at: now) }
      port.note(.error, "the provider broke its protocol", ["fault": "\(error)"])
      port.outbox.actions.append(.closeUpstream(code: 1002))
      end(UpstreamVerdicts.on(error), at: now)
    }
  }

  /// The upstream connection ended, or could not be made.
  public mutating func upstreamEnded(_ end: UpstreamEnd, at now: Instant) {
    defer { stepEnded(at: now) }
    lost(end, at: now)
  }

  mutating func lost(_ end: UpstreamEnd, at now: Instant) {
    guard phase != .ended else { return }
    port.upstreamIsAway()
    if translator.survives(end, at: now, port: &port) {
      phase = .away
      return followUp(at: now)
    }
    var verdict = translator.verdict(on: end) ?? UpstreamVerdicts.on(end)
    if verdict.outlook == .isComplete, translator.isMidTurn {
      verdict = UpstreamVerdicts.cutShort
    }
    self.end(verdict, at: now)
  }

  /// A connection beside the session's own is open.
  public mutating func sideOpened(_ line: SideLine, at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase != .ended else { return }
    translator.sideOpened(line, at: now, port: &port)
  }

  /// A message on a connection beside the session's own.
  public mutating func sideMessage(_ message: ByteBuffer, on line: SideLine, at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase != .ended else { return }
    translator.sideMessage(message, on: line, at: now, port: &port)
    followUp(at: now)
  }

  /// A connection beside the session's own ended, or could not be made.
  public mutating func sideEnded(_ line: SideLine, _ end: UpstreamEnd, at now: Instant) {
    defer { stepEnded(at: now) }
    guard phase != .ended else { return }
    translator.sideEnded(line, end, at: now, port: &port)
  }

  /// Tells the client why, and closes. What was received before has been delivered by now.
  mutating func end(_ verdict: UpstreamVerdict, at now: Instant) {
    phase = .ended
    translator.upstreamEnded(verdict, at: now, port: &port)
    port.upstreamIsGone()
    if verdict.outlook != .isComplete {
      port.emit(
        EventFault(type: verdict.type, code: verdict.code, message: verdict.message, param: verdict.param),
        eventID: verdict.eventID)
    }
    port.outbox.actions.append(.closeDownstream(code: verdict.outlook.closeCode, reason: verdict.code))
  }
}
