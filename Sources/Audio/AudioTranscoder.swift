public import NIOCore

/// How the samples of one channel are written as bytes.
public enum AudioCoding: Sendable, Hashable {
  /// PCM16. `rate` is in hertz, from `Resampler.rates`; others count as the nearest of them.
  case pcm16(rate: Int)
  /// G.711, either law; always 8 kHz.
  case g711(G711.Law)

  /// Samples per second.
  public var rate: Int {
    switch self {
    case .pcm16(let rate): rate
    case .g711: G711.rate.hertz
    }
  }

  public var bytesPerSample: Int {
    switch self {
    case .pcm16: PCM16.bytesPerSample
    case .g711: G711.bytesPerSample
    }
  }
}

/// Turns a stream of base64 text in one coding into base64 text in another, chunk by chunk.
///
/// How the stream is cut changes nothing: what the output stands for is the same to the bit. What one call appends is
/// base64 by itself, of whole samples. Where the coding changes, only the output of `flush` is padded, so that even the
/// joined text is base64 and is the same however the input was cut; for that up to two samples wait for the next call.
/// Where it stays the same, the text passes as it came.
///
/// Nothing is allocated once the largest chunk has been seen, except by `output` as it grows.
public struct AudioTranscoder: Sendable {
  public let from: AudioCoding
  public let to: AudioCoding

  private var resampler: Resampler
  /// Input bytes that are no samples yet: between two calls at most half a sample.
  private var bytes = ByteBuffer()
  private var samples: [Int16] = []
  private var resampled: [Int16] = []
  /// Output bytes that are no text yet: between two calls less than `groupBytes`.
  private var coded = ByteBuffer()

  /// Text that is decoded at once: 8 letters are 6 bytes, so that a block ends with a sample of either size. It bounds what
  /// the buffers hold, however long a chunk is.
  private static let blockCharacters = 4096

  public init(from: AudioCoding, to: AudioCoding) {
    self.from = from
    self.to = to
    resampler = Resampler(from: from.rate, to: to.rate)
  }

  /// Takes the next text and appends that of the samples it completes, perhaps none.
  ///
  /// - Parameter base64: in standard form, as it was checked where it came in; what is not is skipped.
  public mutating func convert(_ base64: ByteBuffer, into output: inout ByteBuffer) {
    if isPassThrough, coded.readableBytes == 0, endsWithSample(base64) {
      output.writeImmutableBuffer(base64)
      return
    }
    base64.withUnsafeReadableBytes { text in
      var start = 0
      while start < text.count {
        let end = min(start + Self.blockCharacters, text.count)
        take(UnsafeRawBufferPointer(rebasing: text[start..<end]))
        write(unit: groupBytes, into: &output)
        start = end
      }
    }
    if isPassThrough { write(unit: to.bytesPerSample, into: &output) }
  }

  /// Ends the stream: appends the rest, so that all of the output counts `input · to / from` samples, rounded. What
  /// comes next begins a new stream.
  public mutating func flush(into output: inout ByteBuffer) {
    if !isPassThrough {
      resampled.removeAll(keepingCapacity: true)
      resampler.flush(into: &resampled)
      code()
      write(unit: to.bytesPerSample, into: &output)
    }
    // Half a sample is none.
    bytes.clear()
    coded.clear()
  }
}

extension AudioTranscoder {
  private var isPassThrough: Bool { from == to }

  /// The least number of bytes that are whole samples and whole groups of letters.
  private var groupBytes: Int { 3 * to.bytesPerSample }

  /// Whether the last byte of `text` is the last one of a sample.
  private func endsWithSample(_ text: ByteBuffer) -> Bool {
    let padding = text.readableBytesView.suffix(2).count { $0 == UInt8(ascii: "=") }
    return (text.readableBytes / 4 * 3 - padding).isMultiple(of: from.bytesPerSample)
  }

  /// Decodes a block; what it completes is behind the rest in `coded` then.
  private mutating func take(_ text: UnsafeRawBufferPointer) {
    guard !isPassThrough else {
      Base64.decode(text, into: &coded)
      return
    }
    Base64.decode(text, into: &bytes)
    samples.removeAll(keepingCapacity: true)
    bytes.readWithUnsafeReadableBytes { bytes in
      switch from {
      case .pcm16: PCM16.decode(bytes, into: &samples)
      case .g711(let law): G711.decode(bytes, law, into: &samples)
      }
      return samples.count * from.bytesPerSample
    }
    bytes.discardReadBytes()
    resampled.removeAll(keepingCapacity: true)
    samples.withUnsafeBufferPointer { resampler.process($0, into: &resampled) }
    code()
  }

  /// Appends the resampled samples to `coded`.
  private mutating func code() {
    resampled.withUnsafeBufferPointer { samples in
      switch to {
      case .pcm16: PCM16.encode(samples, into: &coded)
      case .g711(let law): G711.encode(samples, law, into: &coded)
      }
    }
  }

  /// Appends the text of as many bytes as are a multiple of `unit`.
  private mutating func write(unit: Int, into output: inout ByteBuffer) {
    coded.readWithUnsafeReadableBytes { bytes in
      let count = bytes.count / unit * unit
      if count > 0 { Base64.encode(UnsafeRawBufferPointer(rebasing: bytes[..<count]), into: &output) }
      return count
    }
    coded.discardReadBytes()
  }
}
