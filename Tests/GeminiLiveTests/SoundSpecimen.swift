import Audio
import NIOCore
import Testing

@testable import GeminiLiveProvider

/// Noise in base64, and what is needed to look at pieces of it.
struct SoundSpecimen: RandomNumberGenerator {
  /// SplitMix64, so that a property test that fails can be run again.
  private var state: UInt64

  init(seed: Int) {
    state = UInt64(truncatingIfNeeded: seed)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count + 7) { output in
      for index in stride(from: 0, to: count, by: 8) {
        output.storeBytes(of: next(), toByteOffset: index, as: UInt64.self)
      }
      return count
    }
    return bytes
  }

  mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  static func base64(_ bytes: ByteBuffer) -> ByteBuffer {
    var text = ByteBuffer()
    bytes.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
    return text
  }

  /// Joined bytes of pieces that are each base64 in standard form.
  static func decoded(_ pieces: [ByteBuffer]) throws -> ByteBuffer {
    var bytes = ByteBuffer()
    for piece in pieces {
      try #require(piece.withUnsafeReadableBytes { Base64.decode($0, into: &bytes) } != nil)
    }
    return bytes
  }

  static func address(_ buffer: ByteBuffer) -> Int {
    buffer.withUnsafeReadableBytes { Int(bitPattern: $0.baseAddress) }
  }

  /// Whether every piece is whole samples and lasts 20 to 100 ms.
  static func areOfGoodLength(_ pieces: some Collection<ByteBuffer>, rate: Int) -> Bool {
    pieces.allSatisfy { piece in
      guard let count = piece.withUnsafeReadableBytes({ Base64.standardPayload($0) }) else { return false }
      return count.isMultiple(of: 2) && count * 500 >= 20 * rate && count * 500 <= 100 * rate
    }
  }
}
