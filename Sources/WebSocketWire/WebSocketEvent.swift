public import NIOCore

/// What a ``WebSocketConnection`` has received.
///
/// The buffers share the connection's storage. Drop them before the next call of
/// ``WebSocketConnection/nextEvent()`` and that call reuses the storage; keep them and it allocates.
public enum WebSocketEvent: Sendable, Hashable {
  /// A whole text message, valid UTF-8.
  case text(ByteBuffer)
  /// A whole binary message.
  case binary(ByteBuffer)
  /// A ping of 0 to 125 bytes. The pong is already queued.
  case ping(ByteBuffer)
  /// A pong of 0 to 125 bytes, asked for or not.
  case pong(ByteBuffer)
  /// The last event: nothing follows.
  case closed(CloseEvent)
}

/// How a connection ended.
public struct CloseEvent: Sendable, Hashable {
  public enum Cause: Sendable, Hashable {
    /// The peer began the close handshake; the answer is queued.
    case peerClosed
    /// The peer answered our close frame, or sent its own while ours was under way.
    case handshakeCompleted
    /// The peer broke framing; a close frame with the fault's code is queued unless one had been sent before.
    case fault(WireFault)
    /// The bytes ended without the peer's close frame.
    case endOfStream
  }

  /// The peer's close code, 1005 if its close frame was empty, 1006 without a close frame, or the fault's code.
  public let code: CloseCode
  /// The peer's reason, at most 123 bytes, or the fault's.
  public let reason: String
  public let cause: Cause

  public init(code: CloseCode, reason: String, cause: Cause) {
    self.code = code
    self.reason = reason
    self.cause = cause
  }
}
