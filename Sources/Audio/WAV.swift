/// RIFF/WAVE, what of it carries plain samples.
public enum WAV {
  /// Bytes of the header that `header` and `streamingHeader` make.
  public static let headerByteCount = 44
  /// The longest header that is read: 1 MiB up to the samples. Pictures and long lists in front of them are refused.
  public static let maxHeaderByteCount = 1024 * 1024
  /// The rates that are read, hertz.
  public static let rates = Resampler.rates
  /// The channel counts that are read.
  public static let channelCounts = 1...8

  /// The header of a file of PCM16, one channel.
  ///
  /// - Parameters:
  ///   - rate: hertz.
  ///   - dataByteCount: bytes of the samples that follow; above what 32 bits can say, the header is that of a stream.
  public static func header(rate: Int, dataByteCount: Int) -> [UInt8] {
    guard let riffByteCount = UInt32(exactly: dataByteCount + headerByteCount - 8), dataByteCount >= 0 else {
      return streamingHeader(rate: rate)
    }
    return header(rate: rate, riff: riffByteCount, data: UInt32(dataByteCount))
  }

  /// The header of PCM16, one channel, whose length is not known yet: both sizes are 0xFFFFFFFF.
  public static func streamingHeader(rate: Int) -> [UInt8] {
    header(rate: rate, riff: .max, data: .max)
  }

  /// A whole file: PCM16, one channel.
  public static func file(_ samples: [Int16], rate: Int) -> [UInt8] {
    var bytes = header(rate: rate, dataByteCount: samples.count * PCM16.bytesPerSample)
    bytes.reserveCapacity(bytes.count + samples.count * PCM16.bytesPerSample)
    for sample in samples { append(UInt16(bitPattern: sample), to: &bytes) }
    return bytes
  }

  /// The samples of a whole file, mixed to one channel, and their rate in hertz.
  public static func samples(of bytes: [UInt8]) throws(WAVFault) -> (samples: [Int16], rate: Int) {
    var reader = WAVReader()
    var samples: [Int16] = []
    try reader.read(bytes, into: &samples)
    return (samples, try reader.finish().rate)
  }

  private static func header(rate: Int, riff: UInt32, data: UInt32) -> [UInt8] {
    let hertz = UInt32(clamping: rate)
    var bytes = Array("RIFF".utf8)
    append(riff, to: &bytes)
    bytes += "WAVEfmt ".utf8
    append(UInt32(16), to: &bytes)
    append(WAVFormat.Encoding.Tag.pcm, to: &bytes)
    append(UInt16(1), to: &bytes)
    append(hertz, to: &bytes)
    append(hertz &* UInt32(PCM16.bytesPerSample), to: &bytes)
    append(UInt16(PCM16.bytesPerSample), to: &bytes)
    append(UInt16(PCM16.bytesPerSample * 8), to: &bytes)
    bytes += "data".utf8
    append(data, to: &bytes)
    return bytes
  }

  private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    for place in 0..<Number.bitWidth / 8 { bytes.append(UInt8(truncatingIfNeeded: number >> (place * 8))) }
  }
}

/// What the header of a WAV says of its samples.
public struct WAVFormat: Sendable, Hashable {
  /// How one value is written; little-endian.
  public enum Encoding: Sendable, Hashable {
    /// Unsigned, 8 bits, silence at 128.
    case unsigned8
    /// Signed; of 24 and 32 bits the upper 16 are taken.
    case signed16, signed24, signed32
    /// -1…1.
    case float32
    case g711(G711.Law)

    /// Bytes of one value.
    public var byteCount: Int {
      switch self {
      case .unsigned8, .g711: 1
      case .signed16: 2
      case .signed24: 3
      case .signed32, .float32: 4
      }
    }
  }

  public var encoding: Encoding
  /// Hertz.
  public var rate: Int
  public var channelCount: Int

  /// Bytes of one sample of every channel.
  public var frameByteCount: Int { encoding.byteCount * channelCount }
}

/// Why bytes are no WAV that can be read.
public enum WAVFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// They do not begin with `RIFF`, a size and `WAVE`.
  case notWAV
  /// The samples begin before a `fmt ` chunk told what they are.
  case formatMissing
  /// The `fmt ` chunk has less than 16 bytes.
  case formatTooShort(byteCount: Int)
  /// The samples are coded in a way that is not read.
  case encodingUnsupported(tag: UInt16, bitsPerSample: Int)
  case rateUnsupported(Int)
  case channelsUnsupported(Int)
  /// No samples within `WAV.maxHeaderByteCount`.
  case headerTooLong
  /// The bytes end before the samples begin.
  case headerIncomplete

  public var description: String {
    switch self {
    case .notWAV: "The audio is no WAV: it does not begin with RIFF and WAVE."
    case .formatMissing: "The WAV has samples before its format chunk."
    case .formatTooShort(let byteCount): "The format chunk of the WAV has \(byteCount) bytes; 16 is the least."
    case .encodingUnsupported(let tag, let bits):
      "The WAV has \(bits) bits per sample in format \(tag); PCM of 8 to 32 bits, 32-bit float and G.711 are read."
    case .rateUnsupported(let rate):
      "The WAV has a rate of \(rate) Hz; \(WAV.rates.lowerBound) to \(WAV.rates.upperBound) are read."
    case .channelsUnsupported(let count):
      "The WAV has \(count) channels; \(WAV.channelCounts.lowerBound) to \(WAV.channelCounts.upperBound) are read."
    case .headerTooLong: "The WAV has no samples within its first \(WAV.maxHeaderByteCount) bytes."
    case .headerIncomplete: "The WAV ends before its samples begin."
    }
  }
}

extension WAVFormat.Encoding {
  /// The format tags of the registry that are read.
  enum Tag {
    static let pcm: UInt16 = 1
    static let float: UInt16 = 3
    static let aLaw: UInt16 = 6
    static let muLaw: UInt16 = 7
    /// The real tag begins the sub-format.
    static let extensible: UInt16 = 0xFFFE
  }

  init(tag: UInt16, bitsPerSample: Int) throws(WAVFault) {
    switch (tag, bitsPerSample) {
    case (Tag.pcm, 8): self = .unsigned8
    case (Tag.pcm, 16): self = .signed16
    case (Tag.pcm, 24): self = .signed24
    case (Tag.pcm, 32): self = .signed32
    case (Tag.float, 32): self = .float32
    case (Tag.aLaw, 8): self = .g711(.aLaw)
    case (Tag.muLaw, 8): self = .g711(.muLaw)
    default: throw .encodingUnsupported(tag: tag, bitsPerSample: bitsPerSample)
    }
  }
}

extension WAVFormat {
  /// What counts of a `fmt ` chunk: the fields up to the tag of the sub-format.
  static let chunkByteCount = 26

  /// Reads the body of a `fmt ` chunk, of which what lies behind `chunkByteCount` may be missing.
  init(chunk: [UInt8]) throws(WAVFault) {
    guard chunk.count >= 16 else { throw .formatTooShort(byteCount: chunk.count) }
    var tag = chunk.littleEndian16(at: 0)
    if tag == Encoding.Tag.extensible, chunk.count >= Self.chunkByteCount { tag = chunk.littleEndian16(at: 24) }
    channelCount = Int(chunk.littleEndian16(at: 2))
    rate = Int(chunk.littleEndian32(at: 4))
    encoding = try Encoding(tag: tag, bitsPerSample: Int(chunk.littleEndian16(at: 14)))
    guard WAV.rates.contains(rate) else { throw .rateUnsupported(rate) }
    guard WAV.channelCounts.contains(channelCount) else { throw .channelsUnsupported(channelCount) }
  }
}

extension [UInt8] {
  /// Zero for the bytes behind the end.
  func littleEndian16(at index: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: littleEndian(at: index, byteCount: 2))
  }

  /// Zero for the bytes behind the end.
  func littleEndian32(at index: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: littleEndian(at: index, byteCount: 4))
  }

  /// At most 8 bytes. Zero for the bytes behind the end.
  func littleEndian(at index: Int, byteCount: Int) -> UInt64 {
    var number: UInt64 = 0
    for place in 0..<byteCount where index + place < count { number |= UInt64(self[index + place]) << (place * 8) }
    return number
  }
}
