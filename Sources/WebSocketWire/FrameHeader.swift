public import NIOCore

/// The header of one frame (RFC 6455 section 5.2): 2 to 14 bytes, reserved bits always zero.
public struct FrameHeader: Sendable, Hashable {
  /// The most bytes a header can take: 2, an 8-byte length, a 4-byte masking key.
  public static let maxBytes = 14

  /// True for an unfragmented message, the last fragment of one, and every control frame.
  public var isFinal: Bool
  public var opcode: Opcode
  /// The masking key, its first wire byte lowest; nil in frames from a server.
  public var maskingKey: UInt32?
  public var payloadBytes: Int

  public init(isFinal: Bool = true, opcode: Opcode, maskingKey: UInt32? = nil, payloadBytes: Int) {
    self.isFinal = isFinal
    self.opcode = opcode
    self.maskingKey = maskingKey
    self.payloadBytes = payloadBytes
  }

  /// The bytes that this header takes on the wire, its length in the shortest form.
  public var byteCount: Int {
    let length = payloadBytes < 126 ? 2 : payloadBytes <= 0xFFFF ? 4 : 10
    return maskingKey == nil ? length : length + 4
  }

  /// Appends the header to `buffer`.
  public func write(into buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: byteCount) { write(to: $0) }
  }

  /// Writes the header to the start of `target`, which must hold ``byteCount`` bytes.
  /// - Returns: the bytes written.
  func write(to target: UnsafeMutableRawBufferPointer) -> Int {
    target[0] = (isFinal ? 0x80 : 0) | opcode.rawValue
    let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
    var next: Int
    if payloadBytes < 126 {
      target[1] = maskBit | UInt8(payloadBytes)
      next = 2
    } else if payloadBytes <= 0xFFFF {
      target[1] = maskBit | 126
      target.storeBytes(of: UInt16(payloadBytes).bigEndian, toByteOffset: 2, as: UInt16.self)
      next = 4
    } else {
      target[1] = maskBit | 127
      target.storeBytes(of: UInt64(payloadBytes).bigEndian, toByteOffset: 2, as: UInt64.self)
      next = 10
    }
    if let maskingKey {
      target.storeBytes(of: maskingKey.littleEndian, toByteOffset: next, as: UInt32.self)
      next += 4
    }
    return next
  }

  /// Reads the header at the start of `bytes`, as received by `receiver`.
  ///
  /// The outcome depends on the shortest prefix that decides it: a fault is found on the byte that makes it one, whatever
  /// follows, so that cutting the input differently never changes it.
  /// - Parameter maxFrameBytes: a data frame that declares more is a fault.
  /// - Returns: nil when `bytes` ends before the header does.
  /// - Throws: the faults of a single header; those of the sequence of frames are ``MessageAssembler``'s.
  static func parse(
    _ bytes: UnsafeRawBufferPointer, receiver: Role, maxFrameBytes: Int
  ) throws(WireFault) -> FrameHeader? {
    guard bytes.count > 0 else { return nil }
    let first = bytes[0]
    if first & 0x70 != 0 { throw .reservedBits }
    guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .reservedOpcode(first & 0x0F) }
    let isFinal = first & 0x80 != 0
    if opcode.isControl, !isFinal { throw .fragmentedControl }

    guard bytes.count > 1 else { return nil }
    let isMasked = bytes[1] & 0x80 != 0
    switch receiver {
    case .server: if !isMasked { throw .unmaskedFrame }
    case .client: if isMasked { throw .maskedFrame }
    }
    let shortLength = bytes[1] & 0x7F
    if opcode.isControl, shortLength > 125 { throw .oversizedControl }

    var next = 2
    var length = UInt64(shortLength)
    switch shortLength {
    case 126:
      guard bytes.count >= 4 else { return nil }
      length = UInt64(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      if length < 126 { throw .overlongLength }
      next = 4
    case 127:
      if bytes.count > 2, bytes[2] & 0x80 != 0 { throw .negativeLength }
      guard bytes.count >= 10 else { return nil }
      length = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
      if length <= 0xFFFF { throw .overlongLength }
      next = 10
    default: break
    }
    if !opcode.isControl, length > UInt64(maxFrameBytes) { throw .oversizedFrame }

    var maskingKey: UInt32?
    if isMasked {
      guard bytes.count >= next + 4 else { return nil }
      maskingKey = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: next, as: UInt32.self))
    }
    return FrameHeader(isFinal: isFinal, opcode: opcode, maskingKey: maskingKey, payloadBytes: Int(length))
  }
}
