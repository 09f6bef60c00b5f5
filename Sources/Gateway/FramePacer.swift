import NIOCore
import SessionCore
import Translation
import WebSocketWire

/// Whoever has messages for a provider whose account limits them. Every call comes on its event loop.
protocol FramePacerOwner: AnyObject {
  /// Sends the oldest message that waits; false if none does.
  func sendOldest() -> Bool
  /// Whether any waits, and somebody takes it.
  var hasWaiting: Bool { get }
  /// A message must wait: what causes more of them is to stop.
  func mustWait()
  /// Nothing waits any more.
  func mayGoOn()
  /// What was sent later than its cause has to leave by itself.
  func flushLate()
}

/// How a session takes its turn with the others of its provider's account: one message, one token. What has no token yet
/// stays with its owner, and while something waits there the client is not read, so that nothing is lost and nothing piles
/// up (Q22). Confined to the session's event loop.
final class FramePacer {
  private let quota: ProviderQuota
  private let loop: any EventLoop
  private weak var owner: (any FramePacerOwner)?
  /// Comes when the oldest message that waits may go.
  private var wait: Scheduled<Void>?

  /// Nil where messages are not limited.
  init?(_ quota: ProviderQuota?, loop: any EventLoop) {
    guard let quota else { return nil }
    self.quota = quota
    self.loop = loop
  }

  func setOwner(_ owner: any FramePacerOwner) {
    self.owner = owner
  }

  /// Sends what there are tokens for; the rest goes when theirs come.
  func send() {
    guard let owner, wait == nil else { return }
    while owner.hasWaiting {
      let now = Instant(loop.now)
      let due = quota.takeFrame(at: now)
      guard due <= now else { return hold(until: due, owner) }
      _ = owner.sendOldest()
    }
    owner.mayGoOn()
  }

  /// Counts a message that does not wait: it is rare, and others wait the longer for it.
  func countUnpaced() {
    _ = quota.takeFrame(at: Instant(loop.now))
  }

  /// Whoever took the messages is gone.
  func stop() {
    wait?.cancel()
    wait = nil
    owner?.mayGoOn()
  }

  private func hold(until due: Instant, _ owner: any FramePacerOwner) {
    owner.mustWait()
    wait = loop.assumeIsolated().scheduleTask(deadline: NIODeadline(due)) { [weak self] in
      self?.tokenCame()
    }
  }

  private func tokenCame() {
    wait = nil
    guard let owner, owner.sendOldest() else { return }
    send()
    owner.flushLate()
  }
}

extension SessionDriver: FramePacerOwner {
  var hasWaiting: Bool { upstream != nil && !session.outbox.upstream.isEmpty }

  func sendOldest() -> Bool {
    guard let upstream else { return false }
    return session.outbox.upstream.consume { message, _ in
      traffic.upstreamOut.count(message.count)
      upstream.send(.text, message)
    }
  }

  func mustWait() { downstream.pauseReading(.accountIsBusy) }

  func mayGoOn() { downstream.resumeReading(.accountIsBusy) }

  func flushLate() {
    upstream?.flush()
    if !hasWaiting { session.upstreamMessagesLeft(at: Instant(loop.now)) }
  }

  /// What a step has for the provider goes out as its account permits.
  func send(by pacer: FramePacer, at now: Instant) {
    pacer.send()
    if hasWaiting { session.upstreamMessagesWait(at: now) }
  }

  /// What waits for a connection that is gone is nobody's any more.
  func stopPacing() {
    guard let pacer else { return }
    session.outbox.upstream.removeAll()
    pacer.stop()
  }
}
