public import NIOCore

/// One RFC 6455 connection after its handshake, without a socket: bytes in, events and bytes out.
///
/// ```
/// connection.receive(bytes)
/// while let event = connection.nextEvent() { … }
/// // write connection.outbound, then empty it
/// ```
///
/// No extension is ever in use. A whole unfragmented data frame is received and sent without allocating: a server
/// unmasks into storage that it reuses, a client hands out a slice of the bytes received.
///
/// What is held is bounded by ``WireLimits`` for the message in hand, plus what the owner has handed over or queued and
/// not yet taken.
public struct WebSocketConnection: Sendable {
  public enum Phase: Sendable, Hashable {
    /// Messages may be sent and received.
    case open
    /// Our close frame is queued. What the peer still sends is checked and dropped, until its close frame.
    case closeSent
    /// The terminal event has been given out; further bytes are ignored.
    case finished
  }

  /// The longest payload of a control frame (RFC 6455 section 5.5).
  public static let maxControlBytes = 125

  public let role: Role
  public private(set) var phase: Phase = .open
  /// Bytes for the socket, in order; frames are appended. The owner writes them and then empties the buffer with
  /// ``emptyOutbound()``, best at the start of its next burst: by then the socket has usually let go of the storage.
  public var outbound = ByteBuffer()

  /// What a peer that breaks the protocol is told before the close frame, in a text message; nil for nothing.
  public var lastWords: (@Sendable (WireFault) -> ByteBuffer)?

  private var decoder: FrameDecoder
  private var encoder: FrameEncoder
  private var messages: MessageAssembler
  /// The payload of the control frame in hand.
  private var control = ByteBuffer()
  private var reachedEndOfStream = false

  public init(role: Role, limits: WireLimits = WireLimits()) {
    let limits = limits.clamped
    self.role = role
    decoder = FrameDecoder(receiver: role, maxFrameBytes: limits.maxFrameBytes)
    encoder = FrameEncoder(role: role)
    messages = MessageAssembler(limits: limits)
  }

  /// Bytes of storage that the connection holds now, used or not, without the bytes handed over and not yet read: what
  /// an idle one costs, and what the message in hand has made of it.
  public var heldBytes: Int {
    messages.heldBytes + control.capacity + outbound.capacity
  }

  // MARK: Receiving

  /// Hands over bytes from the socket. Ask for events until there are none afterwards.
  public mutating func receive(_ bytes: ByteBuffer) {
    guard phase != .finished, !reachedEndOfStream else { return }
    decoder.feed(bytes)
  }

  /// Notes that the peer will send no more. Unless its close frame is among the bytes handed over before, the events end
  /// with ``CloseEvent/Cause/endOfStream``, code 1006.
  public mutating func receiveEOF() {
    reachedEndOfStream = true
  }

  /// The next event, or nil until more bytes are handed over.
  public mutating func nextEvent() -> WebSocketEvent? {
    guard phase != .finished else { return nil }
    do throws(WireFault) {
      if let event = try readEvent() { return event }
    } catch {
      return fail(error)
    }
    decoder.releaseInput()
    guard reachedEndOfStream else { return nil }
    return finish(CloseEvent(code: .abnormal, reason: "", cause: .endOfStream))
  }

  private mutating func readEvent() throws(WireFault) -> WebSocketEvent? {
    messages.releaseExcess()
    while true {
      guard let header = try frameInHand() else { return nil }
      let event = header.opcode.isControl ? try readControl(header) : try readData(header)
      let isComplete = decoder.missingBytes == 0
      if isComplete { decoder.endFrame() }
      if let event { return event }
      if !isComplete { return nil }
    }
  }

  private mutating func frameInHand() throws(WireFault) -> FrameHeader? {
    if let frame = decoder.frame { return frame }
    guard let header = try decoder.beginFrame() else { return nil }
    if header.opcode.isControl {
      control.clear()
    } else {
      try messages.begin(header)
    }
    return header
  }

  private mutating func readData(_ header: FrameHeader) throws(WireFault) -> WebSocketEvent? {
    if phase == .open { return try messages.take(from: &decoder, header: header) }
    decoder.skipPayload()
    if decoder.missingBytes == 0 { messages.skip(header) }
    return nil
  }

  private mutating func readControl(_ header: FrameHeader) throws(WireFault) -> WebSocketEvent? {
    decoder.movePayload(into: &control)
    guard decoder.missingBytes == 0 else { return nil }
    if header.opcode == .close { return try readClose() }
    guard phase == .open else { return nil }
    if header.opcode == .pong { return .pong(control) }
    encoder.append(.pong, control.readableBytesView, to: &outbound)
    return .ping(control)
  }

  private mutating func readClose() throws(WireFault) -> WebSocketEvent {
    let (code, reason) = try CloseBody.parse(control)
    guard phase == .open else {
      return finish(CloseEvent(code: code, reason: reason, cause: .handshakeCompleted))
    }
    encoder.appendClose(code == .noStatus ? nil : code, reason: "", to: &outbound)
    return finish(CloseEvent(code: code, reason: reason, cause: .peerClosed))
  }

  private mutating func fail(_ fault: WireFault) -> WebSocketEvent {
    if phase == .open {
      if let words = lastWords?(fault) { encoder.append(.text, words.readableBytesView, to: &outbound) }
      encoder.appendClose(fault.closeCode, reason: fault.reason, to: &outbound)
    }
    return finish(CloseEvent(code: fault.closeCode, reason: fault.reason, cause: .fault(fault)))
  }

  private mutating func finish(_ event: CloseEvent) -> WebSocketEvent {
    phase = .finished
    decoder.releaseInput()
    messages.releaseAll()
    return .closed(event)
  }

  // MARK: Sending

  /// Queues one whole message as a single frame.
  /// - Parameters:
  ///   - opcode: text or binary; any other is not sent.
  ///   - payload: for text, valid UTF-8: this is not checked again.
  /// - Returns: false, and nothing is queued, when the close handshake has begun.
  @discardableResult
  public mutating func send(_ opcode: Opcode, _ payload: ByteBufferView) -> Bool {
    guard phase == .open, opcode == .text || opcode == .binary else { return false }
    encoder.append(opcode, payload, to: &outbound)
    return true
  }

  /// Queues a ping.
  /// - Returns: false, and nothing is queued, when the close handshake has begun or `payload` exceeds
  ///   ``maxControlBytes``.
  @discardableResult
  public mutating func ping(_ payload: ByteBufferView) -> Bool {
    guard phase == .open, payload.count <= Self.maxControlBytes else { return false }
    encoder.append(.ping, payload, to: &outbound)
    return true
  }

  /// Begins the close handshake; does nothing when it has begun. What was queued before goes out first.
  /// - Parameters:
  ///   - code: ``CloseCode/noStatus`` sends an empty close frame; any other code that may not travel goes out as 1011.
  ///   - reason: cut to the 123 bytes that a close frame can hold, between two characters.
  public mutating func close(_ code: CloseCode, reason: String) {
    guard phase == .open else { return }
    let sent: CloseCode? = code == .noStatus ? nil : code.mayTravel ? code : .internalError
    encoder.appendClose(sent, reason: reason, to: &outbound)
    phase = .closeSent
    messages.releaseAll()
  }

  /// Empties ``outbound`` and keeps its storage for the next frames, unless one large message had made it grow.
  public mutating func emptyOutbound() {
    if outbound.capacity > MessageAssembler.retainedBytes {
      outbound = ByteBuffer()
    } else {
      outbound.clear()
    }
  }
}
