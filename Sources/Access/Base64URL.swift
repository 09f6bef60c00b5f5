/// Base64 with the alphabet of URLs and without padding (RFC 7515 appendix C). Each text has one spelling: two texts
/// never mean the same bytes, or a token could be told from its copies.
enum Base64URL {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  static func encoded(_ bytes: some Sequence<UInt8>) -> String {
    var letters: [UInt8] = []
    var value: UInt32 = 0
    var bits: UInt32 = 0
    for byte in bytes {
      value = (value << 8 | UInt32(byte)) & 0xFFFF
      bits += 8
      while bits >= 6 {
        bits -= 6
        letters.append(alphabet[Int(value >> bits & 63)])
      }
    }
    if bits > 0 { letters.append(alphabet[Int(value << (6 - bits) & 63)]) }
    return String(decoding: letters, as: UTF8.self)
  }

  /// Nil for padding, for letters of another alphabet, and where bits behind the last byte are not zero.
  static func decoded(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var value: UInt32 = 0
    var bits: UInt32 = 0
    for letter in text.utf8 {
      guard let sextet = sextet(letter) else { return nil }
      value = (value << 6 | UInt32(sextet)) & 0xFFFF
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: value >> bits))
      }
    }
    // One letter alone has not the bits of a byte.
    guard bits < 6, value & (1 << bits - 1) == 0 else { return nil }
    return bytes
  }

  private static func sextet(_ letter: UInt8) -> UInt8? {
    switch letter {
    case 0x41...0x5A: letter - 0x41
    case 0x61...0x7A: letter - 0x61 + 26
    case 0x30...0x39: letter - 0x30 + 52
    case 0x2D: 62
    case 0x5F: 63
    default: nil
    }
  }
}
