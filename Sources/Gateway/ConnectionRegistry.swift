import NIOCore
import Synchronization

/// The accepted connections that are open.
final class ConnectionRegistry: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isStopping = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.channels.count } }

  /// False when the server is stopping; the connection is then to be closed.
  func insert(_ channel: any Channel) -> Bool {
    let isAdmitted = state.withLock { state in
      guard !state.isStopping else { return false }
      state.channels[ObjectIdentifier(channel)] = channel
      return true
    }
    guard isAdmitted else { return false }
    channel.closeFuture.whenComplete { [self] _ in remove(channel) }
    return true
  }

  /// Takes no connection any more and asks each open one to end.
  func stop() {
    state.withLock { $0.isStopping = true }
    fire(ChannelShouldQuiesceEvent())
  }

  /// Sends an event through the pipeline of each open connection.
  func fire(_ event: any Sendable) {
    for channel in state.withLock({ Array($0.channels.values) }) {
      channel.pipeline.fireUserInboundEventTriggered(event)
    }
  }

  /// Returns when no connection is open.
  func waitUntilEmpty() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if state.channels.isEmpty { return true }
        state.waiters.append(continuation)
        return false
      }
      if isEmpty { continuation.resume() }
    }
  }

  /// The same, or when the time is up.
  func waitUntilEmpty(atMost limit: Duration) async {
    await Waiting.releasedAfter(limit, by: releaseWaiters) { [self] in await waitUntilEmpty() }
  }

  /// Lets everybody who waits go on, empty or not.
  func releaseWaiters() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func closeAll() {
    for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
  }

  private func remove(_ channel: any Channel) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.channels[ObjectIdentifier(channel)] = nil
      guard state.channels.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}

/// Waits for others that may have an end.
enum Waiting {
  /// Returns when `wait` does; when the time is up, `release` makes it return.
  static func releasedAfter(
    _ limit: Duration, by release: @escaping @Sendable () -> Void, _ wait: @escaping @Sendable () async -> Void
  ) async {
    let timer = Task {
      var time = limit
      // Once more where the first came before the waiting had begun.
      while (try? await Task.sleep(for: time)) != nil {
        release()
        time = .milliseconds(10)
      }
    }
    await wait()
    timer.cancel()
  }
}
