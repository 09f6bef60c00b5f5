import NIOCore

/// Follows a WebSocket connection from its first byte, the head of the upgrade included, to find its close frames.
///
/// It looks at nothing but the boundaries of frames, in pieces of any size.
struct FaultyLinkCloseWatch {
  private enum Place {
    /// In the HTTP head: how much of its last four bytes was seen.
    case head(matched: Int)
    /// In a frame's header.
    case header
    /// In the payload of a frame.
    case payload(remaining: UInt64)
  }

  private static let endOfHead: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
  private static let closeOpcode: UInt8 = 0x8

  private var place = Place.head(matched: 0)
  private var header: [UInt8] = []
  /// The close frame that is passing, as far as it has; nil for any other.
  private var closeFrame: [UInt8]?

  /// Takes what came; gives it back, each close frame that ended in it twice if so told.
  mutating func pass(_ bytes: ByteBuffer, repeatingClose: Bool) -> ByteBuffer {
    var repeats: [(end: Int, frame: [UInt8])] = []
    let view = bytes.readableBytesView
    var index = view.startIndex
    while index < view.endIndex {
      if case .payload(let remaining) = place, closeFrame == nil {
        let skipped = min(remaining, UInt64(view.endIndex - index))
        index += Int(skipped)
        place = remaining == skipped ? .header : .payload(remaining: remaining - skipped)
        continue
      }
      let isEndOfClose = step(view[index])
      index += 1
      if isEndOfClose, let frame = closeFrame {
        repeats.append((index - view.startIndex, frame))
        closeFrame = nil
      }
    }
    guard repeatingClose, !repeats.isEmpty else { return bytes }
    var rest = bytes
    var output = ByteBuffer()
    for (end, frame) in repeats {
      if var slice = rest.readSlice(length: end - (bytes.readableBytes - rest.readableBytes)) {
        output.writeBuffer(&slice)
      }
      output.writeBytes(frame)
    }
    output.writeBuffer(&rest)
    return output
  }

  /// True when the byte was the last one of a close frame.
  private mutating func step(_ byte: UInt8) -> Bool {
    switch place {
    case .head(let matched):
      let goesOn = byte == Self.endOfHead[matched]
      let now = goesOn ? matched + 1 : (byte == Self.endOfHead[0] ? 1 : 0)
      place = now == Self.endOfHead.count ? .header : .head(matched: now)
      return false
    case .header:
      header.append(byte)
      guard let remaining = remainingBytes else { return false }
      closeFrame = header[0] & 0x0F == Self.closeOpcode ? header : nil
      header = []
      place = remaining == 0 ? .header : .payload(remaining: remaining)
      return remaining == 0 && closeFrame != nil
    case .payload(let remaining):
      closeFrame?.append(byte)
      place = remaining == 1 ? .header : .payload(remaining: remaining - 1)
      return remaining == 1
    }
  }

  /// The bytes of the frame behind its length (mask and payload), nil while the header is not complete.
  private var remainingBytes: UInt64? {
    guard header.count >= 2 else { return nil }
    let short = header[1] & 0x7F
    let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
    guard header.count == 2 + lengthBytes else { return nil }
    let length = lengthBytes == 0 ? UInt64(short) : header[2...].reduce(0) { $0 << 8 | UInt64($1) }
    return length &+ (header[1] & 0x80 == 0 ? 0 : 4)
  }
}
