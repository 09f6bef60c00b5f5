import NIOCore

/// The payload of a close frame: nothing, or a code and a reason (RFC 6455 section 5.5.1).
enum CloseBody {
  /// - Returns: the code and the reason; ``CloseCode/noStatus`` for an empty payload.
  static func parse(_ payload: ByteBuffer) throws(WireFault) -> (CloseCode, String) {
    var body = payload
    guard body.readableBytes > 0 else { return (.noStatus, "") }
    guard let value = body.readInteger(as: UInt16.self) else { throw .truncatedCloseCode }
    let code = CloseCode(rawValue: value)
    guard code.mayTravel else { throw .invalidCloseCode(value) }
    var text = UTF8Validator()
    let isValid = body.withUnsafeReadableBytes { text.accepts($0) }
    guard isValid, text.isBetweenCharacters else { throw .invalidCloseReason }
    return (code, String(buffer: body))
  }
}
