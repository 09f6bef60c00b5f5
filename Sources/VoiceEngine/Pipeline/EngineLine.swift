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
    let session = EngineSession(parts: parts, gate: gate, deliver: deliver)
    self.session = session
    Task { [weak self] in
      for await message in messages {
        await session.receive(message)
        self?.taken(message.readableBytes)
      }
      await session.end()
    }
  }

  /// Takes a message of the translator; never waits.
  public func send(_ message: ByteBuffer) {
    let becameHigh = intake.withLock { intake in
      intake.waitingBytes += message.readableBytes
      guard !intake.isHigh, intake.waitingBytes > Self.highWaterBytes else { return false }
      intake.isHigh = true
      return true
    }
    if becameHigh { pressure(true) }
    mailbox.yield(message)
  }

  private func taken(_ byteCount: Int) {
    let becameLow = intake.withLock { intake in
      intake.waitingBytes -= byteCount
      guard intake.isHigh, intake.waitingBytes < Self.lowWaterBytes else { return false }
      intake.isHigh = false
      return true
    }
    if becameLow { pressure(false) }
  }

  /// The client takes nothing at the moment: answers wait.
  public func pause() { gate.close() }

  public func resume() { gate.open() }

  /// The session is over: everything of it is stopped and forgotten.
  public func close() {
    mailbox.finish()
    gate.open()
    Task { [session] in await session.end() }
  }
}

/// Lets answers through while the client takes them.
final class OutputGate: Sendable {
  private struct State {
    var isOpen = true
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func close() {
    state.withLock { $0.isOpen = false }
  }

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Returns when the gate is open.
  func pass() async {
    if state.withLock({ $0.isOpen }) { return }
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}
