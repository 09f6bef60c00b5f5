import Glibc

/// The audio of one frame. Any text of the base64 alphabet whose length is a multiple of four is base64, so the text
/// itself is made up, and bytes never appear: 8 hexadecimal digits of the session's number, 8 of the sequence number,
/// then a stretch of noise whose place follows from the two. Whoever reads the first 16 characters can check the others.
enum Chunk {
  private static let digits = Array("0123456789abcdef".utf8)
  private static let longest = 64_000
  private static let places = 65_521
  /// The same in every process.
  private static let noise: [UInt8] = {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var state: UInt64 = 0
    return (0..<(places + longest)).map { _ in
      state &+= 0x9E37_79B9_7F4A_7C15
      return alphabet[Int(mixed(state) & 63)]
    }
  }()

  /// Whole base64 groups (3 bytes) of whole PCM16 samples (2 bytes) need no padding; one second of audio is the most.
  static func isPossible(byteCount: Int) -> Bool { byteCount >= 12 && byteCount <= 48_000 && byteCount % 6 == 0 }

  /// Appends the chunk's base64 text of `count` characters, 4 for every 3 bytes.
  static func append(session: UInt32, sequence: UInt32, count: Int, to text: inout [UInt8]) {
    let name = UInt64(session) << 32 | UInt64(sequence)
    for shift in stride(from: 60, through: 0, by: -4) { text.append(digits[Int(name >> UInt64(shift) & 15)]) }
    let place = Int(mixed(name) % UInt64(places))
    text.append(contentsOf: noise[place..<(place + count - 16)])
  }

  /// Whether `text` is the text of that chunk, every character of it.
  static func matches(_ text: ArraySlice<UInt8>, session: UInt32, sequence: UInt32, count: Int) -> Bool {
    guard text.count == count, let found = name(in: text), found == (session, sequence) else { return false }
    let place = Int(mixed(UInt64(session) << 32 | UInt64(sequence)) % UInt64(places))
    return text.dropFirst(16).withUnsafeBytes { carried in
      noise[place..<(place + count - 16)].withUnsafeBytes { meant in
        guard let carried = carried.baseAddress, let meant = meant.baseAddress else { return count == 16 }
        return memcmp(carried, meant, count - 16) == 0
      }
    }
  }

  /// The session and sequence number that `text` claims, nil when it claims none.
  static func name(in text: ArraySlice<UInt8>) -> (session: UInt32, sequence: UInt32)? {
    guard text.count >= 16 else { return nil }
    var name: UInt64 = 0
    for character in text.prefix(16) {
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): name = name << 4 | UInt64(character - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): name = name << 4 | UInt64(character - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return (UInt32(truncatingIfNeeded: name >> 32), UInt32(truncatingIfNeeded: name))
  }

  /// The last step of SplitMix64.
  private static func mixed(_ state: UInt64) -> UInt64 {
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
