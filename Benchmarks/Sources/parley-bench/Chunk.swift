/// The audio of one frame. Any text of the base64 alphabet whose length is a multiple of four is base64, so the text
/// itself is made up, and bytes never appear: 8 hexadecimal digits of the session's number, 8 of the sequence number,
/// then noise that follows from the two. Whoever reads the first 16 characters can check all the others.
enum Chunk {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let digits = Array("0123456789abcdef".utf8)

  /// Whole base64 groups (3 bytes) of whole PCM16 samples (2 bytes) need no padding; one second of audio is the most.
  static func isPossible(byteCount: Int) -> Bool { byteCount >= 12 && byteCount <= 48_000 && byteCount % 6 == 0 }

  /// Replaces `text` by the chunk's base64 text of `count` characters, 4 for every 3 bytes.
  static func write(session: UInt32, sequence: UInt32, count: Int, into text: inout [UInt8]) {
    let name = UInt64(session) << 32 | UInt64(sequence)
    text.removeAll(keepingCapacity: true)
    for shift in stride(from: 60, through: 0, by: -4) { text.append(digits[Int(name >> UInt64(shift) & 15)]) }
    var state = name
    while text.count < count {
      var noise = noise(&state)
      for _ in 0..<min(10, count - text.count) {
        text.append(alphabet[Int(noise & 63)])
        noise >>= 6
      }
    }
  }

  /// The session and sequence number that `text` claims, nil when it claims none.
  static func name(in text: ArraySlice<UInt8>) -> (session: UInt32, sequence: UInt32)? {
    UInt64(String(decoding: text.prefix(16), as: UTF8.self), radix: 16)
      .map { (UInt32(truncatingIfNeeded: $0 >> 32), UInt32(truncatingIfNeeded: $0)) }
  }

  /// SplitMix64.
  private static func noise(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
