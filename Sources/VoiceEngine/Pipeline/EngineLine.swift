import LocalVoiceProvider
public import NIOCore
import Synchronization

/// One session's connection to the engine: messages in order both ways, bounded on the way in, and a pause on the way
/// out. It stands where other providers have a socket.
public final class EngineLine: Sendable {
  /// Above the first mark of bytes that wait, the session is told not to read its client; below the second, to go on.
  static let highWaterBytes = 1 << 20
  static let lowWaterBytes = 1 << 18

  private struct Intake {
    var waitingBytes = 0
    var isHigh = false
  }

  private let intake = Mutex(Intake())
  private let mailbox: AsyncStream<ByteBuffer>.Continuation
  private let pressure: @Sendable (Bool) -> Void
  let gate = OutputGate()
  private let session: EngineSession

  /// `deliver` and `pressure` are called on any thread, each in order.
  init(
    parts: EngineParts, deliver: @escaping @Sendable (ByteBuffer) -> Void, pressure: @escaping @Sendable (Bool) -> Void
  ) {
    self.pressure = pressure
    let (messages, mailbox) = AsyncStream.makeStream(of: ByteBuffer.self)
    self.mailbox = mailbox
    let session = EngineSession(parts: parts, gate: gate) { [gate] message in
      if !gate.hasEnded { deliver(message) }
    }
    self.session = session
    Task { [weak self] in
      for await message in messages {
        await session.receive(EngineSession.Input(message))
        self?.taken(message.readableBytes)
      }
      await session.end()
    }
  }

  deinit {
    // Whoever let go of the line without closing it: a stream whose source is gone does not end by itself.
    gate.end()
    mailbox.finish()
  }

  /// Takes a message of the translator; never waits.
  public func send(_ message: ByteBuffer) {
    // Told with the lock held, so that high and low are told in their order.
    intake.withLock { intake in
      intake.waitingBytes += message.readableBytes
      guard !intake.isHigh, intake.waitingBytes > Self.highWaterBytes else { return }
      intake.isHigh = true
      if !gate.hasEnded { pressure(true) }
    }
    mailbox.yield(message)
  }

  private func taken(_ byteCount: Int) {
    intake.withLock { intake in
      intake.waitingBytes -= byteCount
      guard intake.isHigh, intake.waitingBytes < Self.lowWaterBytes else { return }
      intake.isHigh = false
      if !gate.hasEnded { pressure(false) }
    }
  }

  /// The client takes nothing at the moment: answers wait.
  public func pause() { gate.close() }

  public func resume() { gate.open() }

  /// The session is over: everything of it is stopped and forgotten, and nothing is delivered any more but a message that is
  /// being delivered on another thread just now.
  public func close() {
    gate.end()
    mailbox.finish()
    Task { [session] in await session.end() }
  }
}

/// Lets answers through while the client takes them.
final class OutputGate: Sendable {
  private struct State {
    var isOpen = true
    var hasEnded = false
    var lastWaiter = 0
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
  }

  private let state = Mutex(State())

  /// Whether nobody is there any more to take anything.
  var hasEnded: Bool { state.withLock { $0.hasEnded } }

  func close() {
    state.withLock { $0.isOpen = $0.hasEnded }
  }

  func open() { release { $0.isOpen = true } }

  /// Opens for good: who waits is to find out that it was cancelled.
  func end() {
    release { state in
      state.hasEnded = true
      state.isOpen = true
    }
  }

  private func release(_ change: (inout State) -> Void) {
    let waiting = state.withLock { state in
      change(&state)
      defer { state.waiting = [:] }
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Returns when the gate is open, or when the task is cancelled.
  func pass() async {
    let waiter = state.withLock { state -> Int? in
      state.lastWaiter += 1
      return state.isOpen ? nil : state.lastWaiter
    }
    guard let waiter else { return }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waits = state.withLock { state in
          // Looked at under the lock: a cancellation that comes later finds the continuation.
          guard !state.isOpen, !Task.isCancelled else { return false }
          state.waiting[waiter] = continuation
          return true
        }
        if !waits { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: waiter) }?.resume()
    }
  }
}
