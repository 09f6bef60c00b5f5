import Synchronization

/// What `work` returns, or nil when `limit` is over first. The work is cancelled then, and goes on unheard where that does
/// not stop it: the caller goes on all the same.
public func firstWithin<T: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> T) async -> T? {
  let race = Race<T>()
  let running = Task { race.finish(await work()) }
  let timer = Task {
    guard (try? await Task.sleep(for: limit)) != nil else { return }
    race.finish(nil)
    running.cancel()
  }
  defer { timer.cancel() }
  return await race.result
}

/// The first of several answers.
private final class Race<T: Sendable>: Sendable {
  private enum State {
    case running
    case awaited(CheckedContinuation<T?, Never>)
    case finished(T?)
    case taken
  }

  private let state = Mutex(State.running)

  func finish(_ result: T?) {
    let continuation: CheckedContinuation<T?, Never>? = state.withLock { state in
      switch state {
      case .running:
        state = .finished(result)
        return nil
      case .awaited(let continuation):
        state = .taken
        return continuation
      case .finished, .taken:
        return nil
      }
    }
    continuation?.resume(returning: result)
  }

  var result: T? {
    get async {
      await withCheckedContinuation { continuation in
        let ready: T?? = state.withLock { state in
          if case .finished(let result) = state {
            state = .taken
            return .some(result)
          }
          state = .awaited(continuation)
          return .none
        }
        if case .some(let result) = ready { continuation.resume(returning: result) }
      }
    }
  }
}
