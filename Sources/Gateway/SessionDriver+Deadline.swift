import NIOCore
import SessionCore
import Translation
import WebSocketWire

// When a session acts by itself.

extension SessionDriver {
  /// Keeps one task for the session's next deadline. A task that comes too early looks again; it is moved only when the
  /// deadline has come nearer.
  func armDeadline(_ deadline: Instant?) {
    guard !hasEnded, let deadline else { return }
    if let armed = deadlineTaskTime, armed <= deadline { return }
    deadlineTask?.cancel()
    deadlineTaskTime = deadline
    // A deadline that does not go away must not keep the loop from its other sessions.
    let time = max(NIODeadline(deadline), loop.now + .milliseconds(1))
    deadlineTask = loop.assumeIsolated().scheduleTask(deadline: time) { self.deadlineCame() }
  }

  /// A client that is not read is not silent.
  func hearUnread() {
    guard !downstream.pauses.isEmpty else { return }
    session.downstreamIsUnread(at: Instant(loop.now))
  }

  private func deadlineCame() {
    deadlineTaskTime = nil
    guard !hasEnded, let deadline = session.deadline else { return }
    if deadline <= Instant(loop.now) {
      hearUnread()
      step { $0.timeReached(at: $1) }
      flush()
    } else {
      armDeadline(deadline)
    }
  }
}

extension Instant {
  /// The event loop's clock is the session's clock.
  init(_ time: NIODeadline) {
    self.init(nanoseconds: Int64(clamping: time.uptimeNanoseconds))
  }
}

extension NIODeadline {
  init(_ instant: Instant) {
    self = .uptimeNanoseconds(UInt64(clamping: instant.nanoseconds))
  }
}

extension UpstreamEnd {
  /// What the end of the provider's leg means to the session.
  init(_ end: LegEnd) {
    switch end {
    case .closed(let event):
      switch event.cause {
      case .peerClosed, .handshakeCompleted: self = .closed(code: event.code.rawValue, reason: event.reason)
      case .fault: self = .framingBroken
      case .endOfStream: self = .lost
      }
    case .lost, .silent, .stalled, .flooding, .closeUnanswered: self = .lost
    }
  }
}
