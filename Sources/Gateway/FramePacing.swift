import NIOCore
import SessionCore
import Translation
import WebSocketWire

/// How a session takes its turn with the others of its provider's account: one message, one token. What has no token yet
/// stays in the session's own queue, and while something waits there the client is not read, so that nothing is lost and
/// nothing piles up (Q22).
struct FramePacing {
  private let quota: ProviderQuota
  /// Comes when the oldest message that waits may go.
  var wait: Scheduled<Void>?

  /// Nil where messages are not limited.
  init?(_ quota: ProviderQuota) {
    guard quota.limitsFrames else { return nil }
    self.quota = quota
  }

  /// When the next message may go: `now`, or later.
  func take(at now: Instant) -> Instant { quota.takeFrame(at: now) }

  /// Counts a message that does not wait: it is rare, and others wait the longer for it.
  func countUnpaced() {
    _ = quota.takeFrame(at: Instant(NIODeadline.now()))
  }
}

extension SessionDriver {
  /// Sends what there are tokens for; the rest goes when theirs come.
  func sendPaced() {
    guard let upstream, pacing?.wait == nil else { return }
    while let pacing, !session.outbox.upstream.isEmpty {
      let now = Instant(loop.now)
      let due = pacing.take(at: now)
      guard due <= now else { return wait(until: due) }
      sendOne(upstream)
    }
    downstream.resumeReading(.accountIsBusy)
  }

  private func sendOne(_ upstream: FrameLeg) {
    _ = session.outbox.upstream.consume { message, _ in upstream.send(.text, message) }
  }

  private func wait(until due: Instant) {
    downstream.pauseReading(.accountIsBusy)
    pacing?.wait = loop.assumeIsolated().scheduleTask(deadline: NIODeadline(due)) { [weak self] in
      self?.tokenCame()
    }
  }

  private func tokenCame() {
    pacing?.wait = nil
    guard let upstream else { return }
    sendOne(upstream)
    sendPaced()
    upstream.flush()
  }

  /// What waits for a connection that is gone is nobody's any more.
  func stopPacing() {
    guard pacing != nil else { return }
    pacing?.wait?.cancel()
    pacing?.wait = nil
    session.outbox.upstream.removeAll()
    downstream.resumeReading(.accountIsBusy)
  }
}
