import Synchronization
import Translation

/// Whether sessions of late could be begun with a provider, for `/health`: three failures in a row, the last within a minute.
final class DialWatch: Sendable {
  static let failuresInARow = 3
  static let memory = Duration.seconds(60)

  private struct State {
    var failures = 0
    var last: Instant?
  }

  private let state = Mutex(State())

  func opened() { state.withLock { $0 = State() } }

  func failed(at now: Instant) {
    state.withLock { state in
      state.failures += 1
      state.last = now
    }
  }

  func isFailing(at now: Instant) -> Bool {
    state.withLock { state in
      guard state.failures >= Self.failuresInARow, let last = state.last else { return false }
      return now - last < Self.memory
    }
  }
}
