import NIOCore

/// Lets a session's connection to its provider end before the one that replaces it is dialled, but does not wait longer
/// than a limit: a service may refuse the successor while the old connection stands. Confined to the session's event loop.
final class Succession {
  private let loop: any EventLoop
  private let limit: Duration
  /// The connection that was replaced, while it closes.
  private var predecessor: FrameLeg?
  /// What is to be done when it has.
  private var dial: (() -> Void)?
  /// Does it when the limit has passed. Never outlives the wait that it was made for: the next one has its own.
  private var timeout: Scheduled<Void>?

  init(loop: any EventLoop, limit: Duration) {
    self.loop = loop
    self.limit = limit
  }

  /// The leg was told to close; a successor waits for its end from now on.
  func retire(_ leg: FrameLeg) {
    predecessor = leg
  }

  func isRetiring(_ leg: FrameLeg) -> Bool {
    leg === predecessor
  }

  func predecessorEnded() {
    predecessor = nil
    proceed()
  }

  /// Dials when nothing has to end any more, which may be at once.
  func whenPredecessorHasEnded(_ dial: @escaping () -> Void) {
    cancel()
    self.dial = dial
    guard predecessor != nil else { return proceed() }
    timeout = loop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) { [weak self] in self?.limitPassed() }
  }

  /// Forgets the successor that waits.
  func cancel() {
    timeout?.cancel()
    timeout = nil
    dial = nil
  }

  private func limitPassed() {
    predecessor = nil
    proceed()
  }

  private func proceed() {
    guard let dial else { return }
    cancel()
    dial()
  }
}
