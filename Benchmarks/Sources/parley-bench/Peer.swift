import Glibc

/// One end of a WebSocket connection: as much of RFC 6455 as two honest ends on one machine need. Whole messages in one
/// frame under 64 KiB, masks, pings, close. Its storage is reused; a message is valid until the next `fill`.
struct Peer {
  enum Opcode: UInt8 { case text = 1, binary, close = 8, ping, pong }

  let socket: Socket
  /// A client masks what it sends (section 5.3).
  let isClient: Bool
  /// What was received; messages are ranges of it.
  private(set) var bytes = [UInt8](repeating: 0, count: 1 << 12)
  /// When the last frame went out and when the last bytes came in.
  private(set) var sentAt: UInt64 = 0
  private(set) var receivedAt: UInt64 = 0
  /// The close frame's code and reason, once it has come.
  private(set) var closing: String?
  private var hasSentClose = false
  private var start = 0
  private var end = 0
  /// What is queued.
  private var frames: [UInt8] = []

  init(_ socket: Socket, isClient: Bool) {
    self.socket = socket
    self.isClient = isClient
  }

  /// Queues one message and writes it with whatever is queued.
  mutating func send(_ opcode: Opcode, _ pieces: [[UInt8]]) throws(BenchFault) {
    queue(opcode, pieces)
    try flush()
  }

  /// Appends one message to what the next `flush` writes.
  mutating func queue(_ opcode: Opcode, _ pieces: [[UInt8]]) {
    let count = pieces.reduce(0) { $0 + $1.count }
    let maskBit: UInt8 = isClient ? 0x80 : 0
    frames += [0x80 | opcode.rawValue, maskBit | UInt8(min(count, 126))]
    if count >= 126 { frames += [UInt8(count >> 8), UInt8(count & 255)] }
    if isClient { withUnsafeBytes(of: UInt32.random(in: 0 ... .max)) { frames.append(contentsOf: $0) } }
    let payload = frames.count
    for piece in pieces { frames += piece }
    if isClient { Self.mask(&frames, payload..<frames.count) }
    if opcode == .close { hasSentClose = true }
  }

  /// Writes everything queued at once.
  mutating func flush() throws(BenchFault) {
    guard !frames.isEmpty else { return }
    sentAt = Clock.now()
    try socket.write(frames)
    frames.removeAll(keepingCapacity: true)
  }

  /// Reads what is there, waiting for the first byte. False at the end of the stream.
  mutating func fill() throws(BenchFault) -> Bool {
    if end == bytes.count || start == end {
      bytes.replaceSubrange(0..<(end - start), with: bytes[start..<end])
      (start, end) = (0, end - start)
      if end == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
    }
    let count = try socket.read(into: &bytes, from: end)
    receivedAt = Clock.now()
    end += count
    return count > 0
  }

  /// The HTTP head with its blank line, nil while it is incomplete.
  mutating func head() -> String? {
    guard let blank = range(of: Array("\r\n\r\n".utf8), in: start..<end) else { return nil }
    defer { start = blank.upperBound }
    return String(decoding: bytes[start..<blank.upperBound], as: UTF8.self)
  }

  /// The next whole message, nil while it is incomplete and after a close. Pings and closes are answered on the way.
  mutating func message() throws(BenchFault) -> Range<Int>? {
    while let (opcode, payload) = try nextFrame() {
      switch opcode {
      case .text, .binary: return payload
      case .ping: try send(.pong, [Array(bytes[payload])])
      case .pong: break
      case .close:
        closing = "\(bytes[payload].prefix(2).reduce(0) { $0 << 8 | Int($1) }) \(text(payload.dropFirst(2)))"
        // The other end may have gone without waiting for the answer; that is its right.
        if !hasSentClose { try? send(.close, [Array(bytes[payload])]) }
        return nil
      }
    }
    return nil
  }

  private mutating func nextFrame() throws(BenchFault) -> (opcode: Opcode, payload: Range<Int>)? {
    guard end - start >= 2 else { return nil }
    let short = Int(bytes[start + 1] & 0x7F)
    let payload = start + (short == 126 ? 4 : 2) + (isClient ? 0 : 4)
    guard payload <= end else { return nil }
    let count = short == 126 ? Int(bytes[start + 2]) << 8 | Int(bytes[start + 3]) : short
    guard let opcode = Opcode(rawValue: bytes[start] ^ 0x80), short < 127, (bytes[start + 1] < 0x80) == isClient else {
      throw BenchFault("a frame header that this benchmark does not know: \(bytes[start]) \(bytes[start + 1])")
    }
    guard payload + count <= end else { return nil }
    start = payload + count
    if !isClient { Self.mask(&bytes, payload..<start) }
    return (opcode, payload..<start)
  }

  /// Masks or unmasks `range` with the four bytes before it.
  private static func mask(_ bytes: inout [UInt8], _ range: Range<Int>) {
    bytes.withUnsafeMutableBytes { all in
      let key = all.loadUnaligned(fromByteOffset: range.lowerBound - 4, as: UInt32.self)
      let wide = UInt64(key) << 32 | UInt64(key)
      var index = range.lowerBound
      while index + 8 <= range.upperBound {
        all.storeBytes(
          of: all.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide, toByteOffset: index, as: UInt64.self)
        index += 8
      }
      for index in index..<range.upperBound { all[index] ^= all[range.lowerBound - 4 + (index - range.lowerBound) % 4] }
    }
  }

  /// Where `needle` first occurs. Quick for needles whose first byte is rare in the range: a quote among base64.
  func range(of needle: [UInt8], in range: Range<Int>) -> Range<Int>? {
    bytes.withUnsafeBytes { all in
      var from = range.lowerBound
      while from + needle.count <= range.upperBound {
        let rest = UnsafeRawBufferPointer(rebasing: all[from...(range.upperBound - needle.count)])
        guard let base = rest.baseAddress, let hit = memchr(base, Int32(needle[0]), rest.count) else { return nil }
        let found = from + (UnsafeRawPointer(hit) - base)
        if all[found..<(found + needle.count)].elementsEqual(needle) { return found..<(found + needle.count) }
        from = found + 1
      }
      return nil
    }
  }

  /// The string value of `key` (in quotes), nil without it. No escapes: base64 has none.
  func string(of key: [UInt8], in range: Range<Int>) -> Range<Int>? {
    guard let name = self.range(of: key, in: range),
      let opening = self.range(of: Self.quote, in: name.upperBound..<range.upperBound),
      let closing = self.range(of: Self.quote, in: opening.upperBound..<range.upperBound)
    else { return nil }
    return opening.upperBound..<closing.lowerBound
  }

  private static let quote = [UInt8(ascii: "\"")]

  /// The first 400 bytes, for a fault's description.
  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].prefix(400), as: UTF8.self) }
}

/// The monotonic clock, in nanoseconds.
enum Clock {
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
