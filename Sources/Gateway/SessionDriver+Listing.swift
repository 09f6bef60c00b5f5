import Envelope
import NIOCore
import SessionCore
import Translation

// The session as the operator has it, who lists, ends and drains sessions.

extension SessionDriver: ListedSession {
  var model: String { session.session.model }
  var isInTurn: Bool { session.isInTurn }
  var age: Duration { Instant(loop.now) - begunAt }

  func endByOperator() {
    guard !hasEnded else { return }
    step { $0.endByOperator(at: $1) }
    flush()
  }

  func drain() {
    guard !hasEnded else { return }
    step { $0.drain(at: $1) }
    flush()
  }

  /// Audio that a slow client has not taken by now would keep the word of the end from it.
  func stop() {
    guard !hasEnded else { return }
    let bytes = downstream.dropQueuedAudio(ofResponse: nil)
    if bytes > 0 { session.tookBack(bytes: bytes) }
    legShouldStop(downstream)
  }
}
