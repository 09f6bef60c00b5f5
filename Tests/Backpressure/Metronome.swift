import NIOCore

/// Beats on an event loop until it is stopped; a beat that comes late does not delay the ones after it.
final class Metronome {
  private let loop: any EventLoop
  private let interval: TimeAmount
  private let beat: () -> Void
  private var next: NIODeadline
  private var task: Scheduled<Void>?

  init(on loop: any EventLoop, every interval: TimeAmount, after delay: TimeAmount, _ beat: @escaping () -> Void) {
    self.loop = loop
    self.interval = interval
    self.beat = beat
    next = .now() + delay
    schedule()
  }

  func stop() {
    task?.cancel()
    task = nil
  }

  private func schedule() {
    task = loop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
      guard let self else { return }
      next = next + interval
      schedule()
      beat()
    }
  }
}
