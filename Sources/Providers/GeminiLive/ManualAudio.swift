import Audio
import NIOCore
import Translation

/// Audio of a client that ends its turns itself, kept until its turn is asked for: the service hears audio only inside an
/// activity window, and a window that closes draws an answer.
struct ManualAudio: Sendable {
  /// PCM16 at 24 kHz.
  private var samples = ByteBuffer()

  var byteCount: Int { samples.readableBytes }
  var isEmpty: Bool { byteCount == 0 }
  var milliseconds: Int { byteCount / Limits.bytesPerMillisecond }

  mutating func append(_ chunk: AudioChunk) {
    // The chunk was checked when it came, so this decodes.
    _ = chunk.base64.withUnsafeReadableBytes { Base64.decode($0, into: &samples) }
  }

  mutating func append(_ other: ManualAudio) {
    samples.writeImmutableBuffer(other.samples)
  }

  /// Hands out each piece as base64 text and is empty afterwards.
  mutating func drain(_ body: (ByteBuffer) -> Void) {
    let pieceBytes = Limits.audioPieceCharacters / 4 * 3
    while let piece = samples.readSlice(length: min(pieceBytes, samples.readableBytes)), piece.readableBytes > 0 {
      var text = ByteBuffer()
      piece.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
      body(text)
    }
    self = ManualAudio()
  }
}
