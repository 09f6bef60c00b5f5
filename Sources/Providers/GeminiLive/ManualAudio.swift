import NIOCore
import Translation

/// Audio of a client that ends its turns itself, kept as base64 until its turn is asked for: the service hears audio only
/// inside an activity window, and a window that is open draws an answer as soon as it closes.
struct ManualAudio: Sendable {
  private var base64: [ByteBuffer] = []
  /// Decoded.
  private(set) var byteCount = 0

  var isEmpty: Bool { byteCount == 0 }

  var milliseconds: Int { byteCount / Limits.bytesPerMillisecond }

  mutating func append(_ chunk: AudioChunk) {
    // A copy of its own: the chunk is a slice of the connection's reused buffer.
    base64.append(ByteBuffer(bytes: chunk.base64.readableBytesView))
    byteCount += chunk.decodedByteCount
  }

  mutating func append(_ other: ManualAudio) {
    base64 += other.base64
    byteCount += other.byteCount
  }

  /// Hands out each piece as a finished message and is empty afterwards.
  mutating func drain(_ body: (ByteBuffer) -> Void) {
    for var chunk in base64 {
      while let piece = chunk.readSlice(length: min(Limits.audioPieceCharacters, chunk.readableBytes)),
        piece.readableBytes > 0
      {
        var frame = ByteBuffer()
        Uplink.writeAudio(piece, into: &frame)
        body(frame)
      }
    }
    self = ManualAudio()
  }
}
