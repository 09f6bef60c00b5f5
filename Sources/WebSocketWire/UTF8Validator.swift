/// Checks that a stream of bytes is UTF-8 (RFC 3629), in pieces of any size.
///
/// A byte that no valid text could have in its place is refused at once, even inside an unfinished sequence: overlong
/// forms, surrogates and values above U+10FFFF show on their second byte.
public struct UTF8Validator: Sendable {
  /// Continuation bytes that the sequence in hand still needs.
  private var missing = 0
  /// What the next continuation byte may be; narrower than 0x80...0xBF only after some first bytes.
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  public init() {}

  /// True when the bytes so far end between two characters.
  public var isBetweenCharacters: Bool { missing == 0 }

  /// Takes the next bytes of the text.
  /// - Returns: false when they make the text invalid; the validator must not be used further then.
  public mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    let count = bytes.count
    var offset = 0
    while offset < count {
      if missing == 0 {
        offset = Self.endOfWholeCharacters(base, from: offset, count: count)
        if offset == count { return true }
        guard begin(base.load(fromByteOffset: offset, as: UInt8.self)) else { return false }
        offset &+= 1
      }
      while missing > 0, offset < count {
        let byte = base.load(fromByteOffset: offset, as: UInt8.self)
        guard byte >= lowest, byte <= highest else { return false }
        lowest = 0x80
        highest = 0xBF
        missing &-= 1
        offset &+= 1
      }
    }
    return true
  }

  /// Takes the first byte of a sequence of two to four.
  private mutating func begin(_ lead: UInt8) -> Bool {
    switch lead {
    case 0xC2...0xDF: missing = 1
    case 0xE0:
      missing = 2
      lowest = 0xA0
    case 0xED:
      missing = 2
      highest = 0x9F
    case 0xE1...0xEF: missing = 2
    case 0xF0:
      missing = 3
      lowest = 0x90
    case 0xF4:
      missing = 3
      highest = 0x8F
    case 0xF1...0xF3: missing = 3
    default: return false
    }
    return true
  }

  /// The end of the valid characters that begin at `start`, as far as four bytes at a time can tell: what is left is
  /// shorter than that, or invalid, and the bytewise rules decide about it.
  private static func endOfWholeCharacters(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
    var offset = start
    while offset < count {
      if base.load(fromByteOffset: offset, as: UInt8.self) < 0x80 {
        offset = endOfASCII(base, from: offset, count: count)
        continue
      }
      guard count &- offset >= 4 else { return offset }
      let length = characterLength(UInt32(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      if length == 0 { return offset }
      offset &+= length
    }
    return offset
  }

  /// The length of the character of two to four bytes at the top of `word`, or 0 if there is none.
  private static func characterLength(_ word: UInt32) -> Int {
    if word & 0xE0C0_0000 == 0xC080_0000 {
      return word >= 0xC200_0000 ? 2 : 0
    }
    if word & 0xF0C0_C000 == 0xE080_8000 {
      // Five bits, the lead's last four and the continuation's first, tell overlong forms (E0 80–9F) and surrogates
      // (ED A0–BF).
      let range = word & 0x0F20_0000
      return range == 0 || range == 0x0D20_0000 ? 0 : 3
    }
    if word & 0xF8C0_C0C0 == 0xF080_8080 {
      // From U+10000 to U+10FFFF.
      return word >= 0xF090_0000 && word < 0xF490_0000 ? 4 : 0
    }
    return 0
  }

  /// The offset of the first byte at or after `start` that is not ASCII, or `count`.
  private static func endOfASCII(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
    var offset = start
    while offset &+ 32 <= count {
      let words = base.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
      let pairs = words.lowHalf | words.highHalf
      if (pairs[0] | pairs[1]) & 0x8080_8080_8080_8080 != 0 { break }
      offset &+= 32
    }
    while offset < count, base.load(fromByteOffset: offset, as: UInt8.self) < 0x80 { offset &+= 1 }
    return offset
  }
}
