/// Makes ids: a prefix and 21 characters of base62, at most 32 in all.
///
/// Ids are unique, not secret: the generator is xoroshiro128++, whose seed must be random for every session.
public struct IDSource: Sendable {
  /// What an id names.
  public enum Prefix: String, Sendable, CaseIterable {
    case session = "sess_"
    case conversation = "conv_"
    case response = "resp_"
    case item = "item_"
    case event = "event_"
    case call = "call_"
  }

  /// The characters after the prefix.
  public static let suffixCount = 21

  private var low: UInt64
  private var high: UInt64

  public init(seed: UInt128) {
    low = UInt64(truncatingIfNeeded: seed)
    high = UInt64(truncatingIfNeeded: seed >> 64)
    // The one state that the generator cannot leave.
    if low == 0, high == 0 { high = 1 }
  }

  public mutating func next(_ prefix: Prefix) -> String {
    String(unsafeUninitializedCapacity: 32) { output in
      var count = 0
      for byte in prefix.rawValue.utf8 {
        output[count] = byte
        count += 1
      }
      let suffix = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(output)[count...])
      writeSuffix(into: suffix)
      return count + Self.suffixCount
    }
  }

  /// A source of its own for another writer, seeded from this one.
  public mutating func fork() -> IDSource {
    let high = UInt128(nextWord())
    return IDSource(seed: high << 64 | UInt128(nextWord()))
  }

  /// A number from 0 up to but not including 1, for what should not happen everywhere at once.
  public mutating func fraction() -> Double {
    Double(nextWord() >> 11) * 0x1p-53
  }

  /// Fills the first 21 bytes of `output` with a fresh suffix; a shorter output is filled as far as it goes.
  @inline(__always)
  mutating func writeSuffix(into output: UnsafeMutableRawBufferPointer) {
    // 62^10 < 2^64 < 62^11: ten characters of one word, eleven of the next.
    write(nextWord(), count: 10, into: output, at: 0)
    write(nextWord(), count: 11, into: output, at: 10)
  }

  @inline(__always)
  private func write(_ word: UInt64, count: Int, into output: UnsafeMutableRawBufferPointer, at start: Int) {
    var rest = word
    for place in start..<min(start + count, output.count) {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 62)
      rest = quotient
      output[place] = Self.character(UInt8(truncatingIfNeeded: digit))
    }
  }

  /// 0...9, then A...Z, then a...z.
  @inline(__always)
  private static func character(_ digit: UInt8) -> UInt8 {
    // Sums instead of branches: the digits are random, every branch would be guessed wrong.
    UInt8(ascii: "0") &+ digit &+ (digit >= 10 ? 7 : 0) &+ (digit >= 36 ? 6 : 0)
  }

  private mutating func nextWord() -> UInt64 {
    let sum = low &+ high
    let word = (sum &<< 17 | sum &>> 47) &+ low
    let mixed = high ^ low
    low = (low &<< 49 | low &>> 15) ^ mixed ^ (mixed &<< 21)
    high = mixed &<< 28 | mixed &>> 36
    return word
  }
}
