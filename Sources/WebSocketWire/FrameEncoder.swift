import NIOCore

/// Appends frames to a buffer, in the form that our role requires: masked with a fresh key from a client, plain from a
/// server (RFC 6455 section 5.1). Messages are never fragmented.
struct FrameEncoder: Sendable {
  /// Nil in a server.
  private var masks: MaskPool?

  init(role: Role) {
    switch role {
    case .server: masks = nil
    case .client:
      var generator = SystemRandomNumberGenerator()
      masks = MaskPool(using: &generator)
    }
  }

  mutating func append(_ opcode: Opcode, _ payload: ByteBufferView, to buffer: inout ByteBuffer) {
    let header = FrameHeader(opcode: opcode, maskingKey: masks?.next(), payloadBytes: payload.count)
    let needed = header.byteCount + payload.count
    payload.withUnsafeBytes { source in
      _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: needed) { free in
        let start = header.write(to: free)
        let body = UnsafeMutableRawBufferPointer(rebasing: free[start..<needed])
        if let key = header.maskingKey {
          Masking.copy(source, to: body, key: key, phase: 0)
        } else {
          body.copyMemory(from: source)
        }
        return needed
      }
    }
  }

  /// Appends a close frame. `reason` is cut to the 123 bytes that fit beside the code, between two characters.
  /// - Parameter code: nil for an empty close frame.
  mutating func appendClose(_ code: CloseCode?, reason: String, to buffer: inout ByteBuffer) {
    var body = ByteBuffer()
    if let code {
      body.writeInteger(code.rawValue)
      body.writeString(Self.cut(reason, toBytes: 123))
    }
    append(.close, body.readableBytesView, to: &buffer)
  }

  /// The longest prefix of whole characters (Unicode scalars) that fits into `limit` bytes of UTF-8.
  static func cut(_ text: String, toBytes limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var kept = String.UnicodeScalarView()
    var bytes = 0
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      if bytes > limit { break }
      kept.append(scalar)
    }
    return String(kept)
  }
}
