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
        offset = Self.endOfASCII(base, from: offset, count: count)
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
