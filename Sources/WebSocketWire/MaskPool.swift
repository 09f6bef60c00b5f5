/// Masking keys that a peer or an application cannot predict (RFC 6455 section 10.3), a fresh one per frame.
///
/// One draw from the system costs a system call of about 0.6 us, several times the cost of masking a whole frame. So the
/// system's generator gives 40 bytes once per connection, and ChaCha20 (RFC 8439 section 2.3) stretches them: each block
/// is a pool of 16 keys.
struct MaskPool: Sendable {
  private let keyLow: SIMD4<UInt32>
  private let keyHigh: SIMD4<UInt32>
  /// Block counter (64 bits) and nonce (64 bits).
  private var position: SIMD4<UInt32>
  private var block: Block?
  private var used = 0

  typealias Block = SIMD16<UInt32>

  init(using generator: inout some RandomNumberGenerator) {
    func words() -> SIMD2<UInt32> {
      let drawn = generator.next()
      return SIMD2(UInt32(truncatingIfNeeded: drawn), UInt32(truncatingIfNeeded: drawn >> 32))
    }
    keyLow = SIMD4(lowHalf: words(), highHalf: words())
    keyHigh = SIMD4(lowHalf: words(), highHalf: words())
    position = SIMD4(lowHalf: .zero, highHalf: words())
  }

  mutating func next() -> UInt32 {
    if let block, used < block.scalarCount {
      defer { used += 1 }
      return block[used]
    }
    let fresh = Self.block(keyLow: keyLow, keyHigh: keyHigh, position: position)
    let counter = (UInt64(position[1]) << 32 | UInt64(position[0])) &+ 1
    position[0] = UInt32(truncatingIfNeeded: counter)
    position[1] = UInt32(truncatingIfNeeded: counter >> 32)
    block = fresh
    used = 1
    return fresh[0]
  }

  /// The ChaCha20 block function: 20 rounds over a 4 × 4 matrix of words, then the start is added.
  static func block(keyLow: SIMD4<UInt32>, keyHigh: SIMD4<UInt32>, position: SIMD4<UInt32>) -> Block {
    // "expand 32-byte k", the constant of the cipher.
    let constant = SIMD4<UInt32>(0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574)
    var a = constant
    var b = keyLow
    var c = keyHigh
    var d = position
    for _ in 0..<10 {
      quarterRounds(&a, &b, &c, &d)
      // The second half works on the diagonals: turn the rows, work, turn them back.
      b = SIMD4(b[1], b[2], b[3], b[0])
      c = SIMD4(c[2], c[3], c[0], c[1])
      d = SIMD4(d[3], d[0], d[1], d[2])
      quarterRounds(&a, &b, &c, &d)
      b = SIMD4(b[3], b[0], b[1], b[2])
      c = SIMD4(c[2], c[3], c[0], c[1])
      d = SIMD4(d[1], d[2], d[3], d[0])
    }
    return Block(
      lowHalf: SIMD8(lowHalf: a &+ constant, highHalf: b &+ keyLow),
      highHalf: SIMD8(lowHalf: c &+ keyHigh, highHalf: d &+ position))
  }

  /// Four quarter rounds side by side, one per column.
  private static func quarterRounds(
    _ a: inout SIMD4<UInt32>, _ b: inout SIMD4<UInt32>, _ c: inout SIMD4<UInt32>, _ d: inout SIMD4<UInt32>
  ) {
    a = a &+ b
    d = rotated(d ^ a, by: 16)
    c = c &+ d
    b = rotated(b ^ c, by: 12)
    a = a &+ b
    d = rotated(d ^ a, by: 8)
    c = c &+ d
    b = rotated(b ^ c, by: 7)
  }

  private static func rotated(_ words: SIMD4<UInt32>, by bits: UInt32) -> SIMD4<UInt32> {
    words &<< SIMD4(repeating: bits) | words &>> SIMD4(repeating: 32 - bits)
  }
}
