import NIOCore

/// Joins data frames into messages: their order, the limits on their sum and number, and UTF-8 across fragments
/// (RFC 6455 sections 5.4, 5.6 and 8.1).
///
/// The bytes of a message lie in one buffer, which is used again for the next message as long as nobody else holds it.
struct MessageAssembler: Sendable {
  /// Storage above this is given back after its message: a rare large message must not cost memory for the session's
  /// life, and a stream of audio chunks must never allocate.
  static let retainedBytes = 65_536

  private let limits: WireLimits
  private var buffer = ByteBuffer()
  private var text = UTF8Validator()
  /// Text or binary while a message is being received.
  private var opcode: Opcode?
  private var declaredBytes = 0
  private var fragments = 0
  private var tinyFragments = 0

  init(limits: WireLimits) {
    self.limits = limits
  }

  /// The storage of the message in hand or of the one before it.
  var heldBytes: Int { buffer.capacity }

  /// Checks a data frame's header against the message in hand, and begins a message if there is none.
  mutating func begin(_ header: FrameHeader) throws(WireFault) {
    if header.opcode == .continuation {
      if opcode == nil { throw .unexpectedContinuation }
    } else {
      if opcode != nil { throw .interruptedMessage }
      opcode = header.opcode
      text = UTF8Validator()
      declaredBytes = 0
      fragments = 0
      tinyFragments = 0
      buffer.clear()
    }
    if header.payloadBytes > limits.maxMessageBytes - declaredBytes { throw .oversizedMessage }
    declaredBytes += header.payloadBytes
    fragments += 1
    if fragments > limits.maxFragments { throw .tooManyFragments }
    let isFragment = !header.isFinal || header.opcode == .continuation
    if isFragment, header.payloadBytes <= 1 {
      tinyFragments += 1
      if tinyFragments > limits.maxTinyFragments { throw .tooManyTinyFragments }
    }
  }

  /// Takes what has arrived of the current frame's payload. When that completes the message, returns it; its storage
  /// is reused by the next message.
  mutating func take(from decoder: inout FrameDecoder, header: FrameHeader) throws(WireFault) -> WebSocketEvent? {
    let isWholeMessage = header.isFinal && header.opcode != .continuation && buffer.readableBytes == 0
    if isWholeMessage, let slice = decoder.takeSlice() {
      try check(slice, from: 0)
      return try finish(slice)
    }
    let known = buffer.readableBytes
    decoder.movePayload(into: &buffer)
    try check(buffer, from: known)
    guard decoder.missingBytes == 0, header.isFinal else { return nil }
    return try finish(buffer)
  }

  /// Notes that the current frame was skipped, so that the order of later frames is still checked.
  mutating func skip(_ header: FrameHeader) {
    if header.isFinal { opcode = nil }
  }

  /// Gives large storage back when no message is in hand.
  mutating func releaseExcess() {
    if opcode == nil, buffer.capacity > Self.retainedBytes { buffer = ByteBuffer() }
  }

  /// Drops what was received of an unfinished message.
  mutating func releaseAll() {
    buffer = ByteBuffer()
  }

  /// Validates the bytes of `payload` after its first `known` ones, if the message is text.
  private mutating func check(_ payload: ByteBuffer, from known: Int) throws(WireFault) {
    guard opcode == .text else { return }
    let isValid = payload.withUnsafeReadableBytes { bytes in
      text.accepts(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(known)))
    }
    if !isValid { throw .invalidText }
  }

  private mutating func finish(_ message: ByteBuffer) throws(WireFault) -> WebSocketEvent {
    let isText = opcode == .text
    opcode = nil
    guard isText else { return .binary(message) }
    guard text.isBetweenCharacters else { throw .invalidText }
    return .text(message)
  }
}
