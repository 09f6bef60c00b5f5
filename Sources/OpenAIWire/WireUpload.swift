import Audio
import Envelope
import NIOCore

/// The client's audio on its way up where a service does not take it as it comes: other pieces, another coding.
struct WireUpload: Sendable {
  private let pieces: WireTraits.Pieces
  private var transcoder: AudioTranscoder?
  private let bytesPerMillisecond: Int
  /// Audio as the service takes it, not yet enough for a piece.
  private var rest = ByteBuffer()
  private var converted = ByteBuffer()
  private var text = ByteBuffer()

  /// - Parameters:
  ///   - format: the client's.
  ///   - takesG711: of the service.
  init(_ pieces: WireTraits.Pieces, format: AudioFormat, takesG711: Bool) {
    self.pieces = pieces
    let law = format.law
    if let law, !takesG711 {
      transcoder = AudioTranscoder(from: .g711(law), to: .pcm16(rate: SampleRate.hz24000.hertz))
      bytesPerMillisecond = 48
    } else {
      bytesPerMillisecond = law == nil ? 48 : 8
    }
  }

  /// Whether every chunk may cross as it is.
  var isTransparent: Bool { pieces == .asTheyCome && transcoder == nil }

  /// Whether audio waits for more of it.
  var holdsRest: Bool { rest.readableBytes > 0 }

  /// Takes one append's base64 text, and hands out the text of each piece that is complete.
  mutating func append(_ base64: ByteBuffer, decodedByteCount count: Int, _ emit: (ByteBuffer) -> Void) {
    if transcoder == nil, rest.readableBytes == 0, isPiece(count) { return emit(base64) }
    if transcoder != nil {
      converted.clear()
      transcoder?.convert(base64, into: &converted)
      _ = converted.withUnsafeReadableBytes { Base64.decode($0, into: &rest) }
    } else {
      _ = base64.withUnsafeReadableBytes { Base64.decode($0, into: &rest) }
    }
    cut(emit)
  }

  /// Hands out what waits, however short; where pieces have one length, filled up with silence.
  mutating func flush(_ emit: (ByteBuffer) -> Void) {
    if transcoder != nil {
      converted.clear()
      transcoder?.flush(into: &converted)
      _ = converted.withUnsafeReadableBytes { Base64.decode($0, into: &rest) }
      cut(emit)
    }
    guard rest.readableBytes > 0 else { return }
    if case .bytes(let length) = pieces { rest.writeRepeatingByte(0, count: max(0, length - rest.readableBytes)) }
    take(rest.readableBytes, emit)
    rest.clear()
  }

  mutating func removeAll() {
    rest.clear()
  }

  private func isPiece(_ count: Int) -> Bool {
    switch pieces {
    case .asTheyCome: true
    case .milliseconds(let least, let most): (least * bytesPerMillisecond...most * bytesPerMillisecond).contains(count)
    case .bytes(let length): count == length
    }
  }

  private mutating func cut(_ emit: (ByteBuffer) -> Void) {
    switch pieces {
    case .asTheyCome:
      if rest.readableBytes > 0 { take(rest.readableBytes, emit) }
    case .milliseconds(let least, let most):
      while rest.readableBytes >= least * bytesPerMillisecond {
        take(min(rest.readableBytes, most * bytesPerMillisecond), emit)
      }
    case .bytes(let length):
      while length > 0, rest.readableBytes >= length { take(length, emit) }
    }
    if rest.readableBytes == 0 { rest.clear() } else { rest.discardReadBytes() }
  }

  private mutating func take(_ count: Int, _ emit: (ByteBuffer) -> Void) {
    guard let piece = rest.readSlice(length: count) else { return }
    text.clear()
    piece.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
    emit(text)
  }
}

extension AudioFormat {
  /// Nil for PCM.
  var law: G711.Law? {
    switch self {
    case .pcm: nil
    case .pcmu: .muLaw
    case .pcma: .aLaw
    }
  }
}
