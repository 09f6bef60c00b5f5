import Dispatch

/// Runs an actor's jobs one after another on a queue of its own, so that a native call that blocks for a second blocks
/// neither the cooperative pool nor an event loop.
///
///     actor Engine {
///       nonisolated let executor: NativeExecutor
///       nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
///     }
public final class NativeExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// - Parameter label: what debuggers show.
  public init(label: String) {
    queue = DispatchQueue(label: label)
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  public func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }
}
