import Audio
import NIOCore

/// Audio of a client that ends its turns itself, kept until its turn is asked for: the service hears audio only inside an
/// activity window, and a window that closes draws an answer.
struct ManualAudio: Sendable {
  /// Samples per second.
  private(set) var rate: Int
  /// Decoded: little-endian, one channel.
  private(set) var pcm16 = ByteBuffer()

  init(rate: Int = 24_000) {
    self.rate = rate
  }

  var byteCount: Int { pcm16.readableBytes }
  var isEmpty: Bool { byteCount == 0 }
  var milliseconds: Int { byteCount / PCM16.bytesPerSample * 1000 / max(1, rate) }

  /// Takes base64 text of PCM16 at `rate`, whole samples.
  mutating func append(_ piece: ByteBuffer) {
    // It was checked when it came, so this decodes.
    _ = piece.withUnsafeReadableBytes { Base64.decode($0, into: &pcm16) }
  }

  /// Takes what `other` has, at the rate of this one unless there is nothing at it yet.
  mutating func append(_ other: ManualAudio) {
    guard !isEmpty else {
      self = other
      return
    }
    var other = other
    other.resample(to: rate)
    pcm16.writeImmutableBuffer(other.pcm16)
  }

  /// What comes next is at `rate`, and what is there is converted: a message states one rate for all of its audio.
  mutating func resample(to rate: Int) {
    defer { self.rate = rate }
    guard rate != self.rate, !isEmpty else { return }
    var samples: [Int16] = []
    pcm16.withUnsafeReadableBytes { PCM16.decode($0, into: &samples) }
    let resampled = Resampler.convert(samples, from: self.rate, to: rate)
    pcm16.clear()
    resampled.withUnsafeBufferPointer { PCM16.encode($0, into: &pcm16) }
  }

  /// Leaves the last of it.
  mutating func keep(lastMs milliseconds: Int) {
    let bytes = max(0, milliseconds) * rate / 1000 * PCM16.bytesPerSample
    if byteCount > bytes { pcm16.moveReaderIndex(forwardBy: byteCount - bytes) }
    pcm16.discardReadBytes()
  }

  /// Hands out pieces of base64 text, 20 to 100 ms each if there is that much, and is empty afterwards. A piece is valid
  /// during the call: what is kept of it costs a copy.
  mutating func drain(_ body: (ByteBuffer) -> Void) {
    let lengths = PieceLengths(rate: rate)
    var text = ByteBuffer()
    var count = byteCount / PCM16.bytesPerSample
    while count > 0 {
      let next = lengths.next(of: count)
      guard let piece = pcm16.readSlice(length: next * PCM16.bytesPerSample) else { break }
      text.clear()
      piece.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
      body(text)
      count -= next
    }
    self = ManualAudio(rate: rate)
  }
}
