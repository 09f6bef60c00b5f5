import CoreMetrics
import Dispatch
import Foundation
import Synchronization

/// Writes lines to a file descriptor on a thread of its own. Who puts a line never waits: behind a descriptor that
/// takes nothing a bounded number of lines is kept, and more are dropped and counted; a descriptor that is closed or
/// full costs lines and nothing else (fault row 66).
final class LineWriter: Sendable {
  /// How many lines wait at most, the one that is being written included.
  static let capacity = 1_024

  private struct State {
    var waiting: [[UInt8]] = []
    /// Taken by the thread and not written yet.
    var inHand = 0
    var isRunning = false
    /// Dropped, and not told in the log yet.
    var untold = 0
  }

  private let queue = DispatchQueue(label: "log")
  private let state = Mutex(State())
  private let descriptor: Int32?
  private let dropped: Counter
  /// The line that tells how many were dropped.
  private let tale: @Sendable (Int) -> [UInt8]
  /// Whether the last thing written was a part of a line. Of the thread.
  private let isMidLine = Atomic<Bool>(false)

  /// - Parameter descriptor: it is duplicated: what else happens to that number is no matter of the log's.
  init(descriptor: Int32, dropped: Counter, tale: @escaping @Sendable (Int) -> [UInt8]) {
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    self.descriptor = own >= 0 ? own : nil
    self.dropped = dropped
    self.tale = tale
  }

  deinit {
    if let descriptor { close(descriptor) }
  }

  func put(_ line: [UInt8]) {
    let (isTaken, isFirst) = state.withLock { state -> (Bool, Bool) in
      guard state.waiting.count + state.inHand < Self.capacity else {
        state.untold += 1
        return (false, false)
      }
      state.waiting.append(line)
      defer { state.isRunning = true }
      return (true, !state.isRunning)
    }
    if !isTaken { dropped.increment() }
    if isFirst { queue.async { self.writeAll() } }
  }

  /// Runs on the writer's thread after a while.
  func after(_ delay: Duration, _ work: @escaping @Sendable () -> Void) {
    let (seconds, attoseconds) = delay.components
    let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds), execute: work)
  }

  /// Waits until what was put before is written, but not longer than this.
  func flush(within limit: DispatchTimeInterval = .milliseconds(500)) {
    let done = DispatchSemaphore(value: 0)
    queue.async { done.signal() }
    _ = done.wait(timeout: .now() + limit)
  }

  private func writeAll() {
    // A descriptor whose reader has gone must not end the process.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    while true {
      let lines = state.withLock { state -> [[UInt8]] in
        let lines = state.waiting
        state.waiting = []
        state.inHand = lines.count
        state.isRunning = !lines.isEmpty
        return lines
      }
      if lines.isEmpty { return }
      for line in lines {
        write(line)
        state.withLock { $0.inHand -= 1 }
      }
    }
  }

  private func write(_ line: [UInt8]) {
    guard writeBytes(line) else {
      dropped.increment()
      state.withLock { $0.untold += 1 }
      return
    }
    let untold = state.withLock { state in
      defer { state.untold = 0 }
      return state.untold
    }
    guard untold > 0 else { return }
    if !writeBytes(tale(untold)) { state.withLock { $0.untold += untold } }
  }

  /// Whether all of it was written.
  private func writeBytes(_ line: [UInt8]) -> Bool {
    guard let descriptor else { return false }
    // What is left of a line that failed midway ends there.
    let bytes = isMidLine.load(ordering: .relaxed) ? [UInt8(ascii: "\n")] + line : line
    var written = 0
    let isComplete = bytes.withUnsafeBytes { bytes in
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
        let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if count >= 0 {
          written += count
        } else if errno == EAGAIN || errno == EWOULDBLOCK {
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&ready, 1, 1_000)
        } else if errno != EINTR {
          return false
        }
      }
      return true
    }
    if written > 0 { isMidLine.store(!isComplete, ordering: .relaxed) }
    return isComplete
  }
}
