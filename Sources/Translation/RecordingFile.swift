public import Envelope
public import NIOCore

import Audio

/// Why a file of sound cannot be decoded: one sentence for the client, with what the operator could do about it.
public struct RecordingFault: Error, Sendable, Hashable {
  public var message: String

  public init(_ message: String) {
    self.message = message
  }
}

/// Decodes a whole Ogg Opus file (RFC 7845) to mono at 24 kHz. It holds its caller up for about a hundredth of the time
/// that the sound lasts.
public typealias RecordingDecoder = @Sendable (_ ogg: ByteBuffer) throws(RecordingFault) -> [Int16]

/// Sound that a client recorded before and brings along as a part of an item: bare samples in the session's input format,
/// or a file that says what it is (R259, Q13).
public enum RecordingFile {
  /// The longest sound of a file that is decoded here, seconds: nothing else happens on the event loop meanwhile.
  public static let longestSeconds = 60

  /// Of what a ``RecordingDecoder`` gives, hertz.
  public static let decoderRate = 24_000

  /// The samples of a file.
  ///
  /// - Parameters:
  ///   - base64: the part's `audio`.
  ///   - rate: of the samples that are wanted, hertz.
  ///   - param: its path, such as `item.content[0].audio`.
  ///   - decode: nil where Opus cannot be decoded.
  /// - Returns: PCM16 mono in standard base64; nil where the sound is no file but bare samples.
  /// - Throws: the file is damaged, too long or of another kind, or there is nothing to decode it with.
  public static func samples(
    of base64: String, rate: Int = decoderRate, param: String, decodingBy decode: RecordingDecoder?
  ) throws(EventFault) -> ByteBuffer? {
    guard let kind = Kind(base64) else { return nil }
    let file = try file(base64, param)
    switch kind {
    case .ogg: return base64Text(of: Resampler.convert(try opus(file, param, decode), from: decoderRate, to: rate))
    case .wave: return base64Text(of: try wave(file, rate, param))
    case .webM, .flac, .mp3:
      throw .unsupported(
        "The recording is a \(kind.rawValue) file: send PCM16 in the session's input format, or Ogg Opus.", param: param
      )
    }
  }

  /// The bytes that recorded speech stands for: of bare samples in the session's format their own, of a file those of its
  /// playable length as PCM16 at 24 kHz. 0 where it cannot be told.
  ///
  /// - Parameter format: the session's input format.
  public static func byteCount(of base64: String, _ format: AudioFormat) -> (bytes: Int, format: AudioFormat) {
    guard let kind = Kind(base64) else {
      return ((try? AudioPayload.standard(from: base64, bytesPerSample: 1))?.decodedBytes ?? 0, format)
    }
    guard let file = try? file(base64, "audio") else { return (0, .standard) }
    let bytes = Array(file.readableBytesView)
    let seconds: Double
    switch kind {
    case .ogg:
      seconds = (try? OggOpus(parsing: bytes)).map { Double($0.playableSampleCount) / Double(OggOpus.rate) } ?? 0
    case .wave: seconds = (try? WAV.samples(of: bytes)).map { Double($0.samples.count) / Double($0.rate) } ?? 0
    case .webM, .flac, .mp3: seconds = 0
    }
    return (Int((seconds * Double(AudioFormat.standard.rate)).rounded()) * PCM16.bytesPerSample, .standard)
  }

  private static func file(_ base64: String, _ param: String) throws(EventFault) -> ByteBuffer {
    do {
      let text = try AudioPayload.standard(from: base64, bytesPerSample: 1).base64
      var file = ByteBuffer()
      text.withUnsafeReadableBytes { _ = Base64.decode($0, into: &file) }
      return file
    } catch {
      throw .invalidValue(param: param, because: error.message)
    }
  }

  private static func opus(
    _ file: ByteBuffer, _ param: String, _ decode: RecordingDecoder?
  ) throws(EventFault) -> [Int16] {
    let sampleCount: Int
    do {
      sampleCount = try OggOpus(parsing: Array(file.readableBytesView)).playableSampleCount
    } catch {
      throw .invalidValue(param: param, because: "the Ogg Opus file cannot be read: \(error)")
    }
    try checkLength(sampleCount, OggOpus.rate, param)
    guard let decode else {
      throw .unsupported("Opus cannot be decoded here: send PCM16 in the session's input format.", param: param)
    }
    do {
      return try decode(file)
    } catch {
      throw .unsupported(error.message, param: param)
    }
  }

  private static func wave(_ file: ByteBuffer, _ rate: Int, _ param: String) throws(EventFault) -> [Int16] {
    let recording: (samples: [Int16], rate: Int)
    do {
      recording = try WAV.samples(of: Array(file.readableBytesView))
    } catch {
      throw .invalidValue(param: param, because: "the WAV file cannot be read: \(error)")
    }
    try checkLength(recording.samples.count, recording.rate, param)
    return Resampler.convert(recording.samples, from: recording.rate, to: rate)
  }

  private static func checkLength(_ sampleCount: Int, _ rate: Int, _ param: String) throws(EventFault) {
    guard sampleCount <= longestSeconds * rate else {
      throw .unsupported("A recording that is a file may last \(longestSeconds) s here.", param: param)
    }
  }

  private static func base64Text(of samples: [Int16]) -> ByteBuffer {
    var pcm = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &pcm) }
    var text = ByteBuffer()
    pcm.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
    return text
  }

  /// Files that are known by how they begin; bare samples begin so once in a thousand million times.
  private enum Kind: String {
    case ogg = "Ogg"
    case wave = "WAV"
    case webM = "WebM"
    case flac = "FLAC"
    case mp3 = "MP3"

    /// Five letters hold 30 bits.
    init?(_ base64: String) {
      switch base64.prefix(5) {
      case "T2dnU": self = .ogg
      case "UklGR": self = .wave
      case "GkXfo": self = .webM
      case "ZkxhQ": self = .flac
      case "SUQzA", "SUQzB": self = .mp3
      default: return nil
      }
    }
  }
}
