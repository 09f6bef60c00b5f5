/// The payload masking of RFC 6455 section 5.3: byte `i` is xored with byte `i mod 4` of the key.
enum Masking {
  /// Copies `source` to `target`, xored with `key`.
  ///
  /// Masking and unmasking are the same operation. Whole words are handled in a plain loop, which the compiler turns into
  /// vector instructions.
  /// - Parameters:
  ///   - target: at least as long as `source`; the two do not overlap.
  ///   - key: the key, its first wire byte lowest.
  ///   - phase: how many payload bytes of the frame come before `source`.
  static func copy(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, key: UInt32, phase: Int
  ) {
    let count = min(source.count, target.count)
    guard count > 0, let from = source.baseAddress, let into = target.baseAddress else { return }
    let shift = UInt32(truncatingIfNeeded: phase & 3) &* 8
    // Swift's smart shift yields 0 for a shift of the full width, so phase 0 needs no case of its own.
    let turned = key >> shift | key << (32 - shift)
    let wide = (UInt64(turned) << 32 | UInt64(turned)).littleEndian

    let wholeWords = count & ~7
    var offset = 0
    while offset < wholeWords {
      let word = from.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      into.storeBytes(of: word ^ wide, toByteOffset: offset, as: UInt64.self)
      offset &+= 8
    }
    // A whole word is a multiple of the key's length, so the tail starts at the key's first turned byte.
    var rest = turned
    while offset < count {
      let byte = from.load(fromByteOffset: offset, as: UInt8.self)
      into.storeBytes(of: byte ^ UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
      rest = rest >> 8 | rest << 24
      offset &+= 1
    }
  }
}
