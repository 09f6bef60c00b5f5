import Audio
import Envelope
import NIOCore

/// The client's audio on its way up: appends of any length come in, pieces of 20 to 100 ms go out, which is what the service
/// recommends and its clients send.
///
/// Every piece is base64 by itself and stands for whole samples of PCM16. Joined, the decoded pieces are the decoded
/// appends, to the bit. PCM of a good length passes without being decoded.
struct UplinkAudio: Sendable {
  /// Of the appends. A new one begins a new stream.
  let format: AudioFormat
  /// Samples per second, of the appends and of the pieces: the service resamples, but takes no G.711, which therefore
  /// goes up as PCM16 at 8 kHz.
  var rate: Int { format.rate }

  private let lengths: PieceLengths
  /// PCM16 that is too short for a piece yet. Between two calls less than 20 ms.
  private var rest = ByteBuffer()
  /// Buffers that are reused.
  private var text = ByteBuffer()
  private var codes = ByteBuffer()
  private var samples: [Int16] = []

  init(_ format: AudioFormat) {
    self.format = format
    lengths = PieceLengths(rate: format.rate)
  }

  /// Takes the next audio and hands out the pieces that are ready, in order.
  ///
  /// - Parameters:
  ///   - base64: in standard form, of whole samples, as the session has checked.
  ///   - decodedByteCount: the bytes that it stands for.
  ///   - emit: gets base64 text, which is valid during the call: what is kept of it costs a copy.
  mutating func append(_ base64: ByteBuffer, decodedByteCount: Int, _ emit: (ByteBuffer) -> Void) {
    var base64 = base64
    var count = decodedByteCount / bytesPerSample
    if restCount > 0 || count < lengths.least {
      guard restCount + count > lengths.most else {
        keep(base64)
        if restCount >= lengths.least { flush(emit) }
        return
      }
      // As little as makes the rest a piece; what follows is long enough for one by itself.
      let head = PieceLengths.wholeGroups(lengths.least - restCount)
      keep(take(head, of: &base64))
      flush(emit)
      count -= head
    }
    while count > 0 {
      let next = lengths.next(of: count)
      pass(next < count ? take(next, of: &base64) : base64, emit)
      count -= next
    }
  }

  /// Hands out the rest, however short it is.
  mutating func flush(_ emit: (ByteBuffer) -> Void) {
    guard rest.readableBytes > 0 else { return }
    text.clear()
    rest.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
    rest.clear()
    emit(text)
  }
}

extension UplinkAudio {
  /// Whether something waits for more: too short to be sent by itself.
  var holdsRest: Bool { rest.readableBytes > 0 }

  private var restCount: Int { rest.readableBytes / PCM16.bytesPerSample }

  private var law: G711.Law? {
    switch format {
    case .pcm: nil
    case .pcmu: .muLaw
    case .pcma: .aLaw
    }
  }

  /// Of the appends.
  private var bytesPerSample: Int { law == nil ? PCM16.bytesPerSample : G711.bytesPerSample }

  /// Cuts off the text of the first `count` samples, whole groups of them.
  private func take(_ count: Int, of base64: inout ByteBuffer) -> ByteBuffer {
    let length = Base64.encodedCount(ofBytes: count * bytesPerSample)
    return base64.readSlice(length: min(length, base64.readableBytes)) ?? ByteBuffer()
  }

  /// Hands out the text of one piece; nothing waits before it.
  @inline(__always)
  private mutating func pass(_ base64: ByteBuffer, _ emit: (ByteBuffer) -> Void) {
    if law == nil {
      emit(base64)
    } else {
      keep(base64)
      flush(emit)
    }
  }

  /// Decodes text to the end of the rest.
  private mutating func keep(_ base64: ByteBuffer) {
    guard let law else {
      _ = base64.withUnsafeReadableBytes { Base64.decode($0, into: &rest) }
      return
    }
    codes.clear()
    _ = base64.withUnsafeReadableBytes { Base64.decode($0, into: &codes) }
    samples.removeAll(keepingCapacity: true)
    codes.withUnsafeReadableBytes { G711.decode($0, law, into: &samples) }
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &rest) }
  }
}
