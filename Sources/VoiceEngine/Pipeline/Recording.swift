import NativeCode
import Audio
import Envelope
import NIOCore

/// Decodes recordings on a thread of its own: minutes of Opus take seconds.
actor RecordingDecoder {
  nonisolated let executor = NativeExecutor(label: "parley.decoding")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  func samples(base64: String, format: AudioFormat) throws(StageFault) -> [Int16] {
    try Recording.samples(base64: base64, format: format)
  }
}

/// Audio that a client recorded before and brings along as an item.
enum Recording {
  /// - Parameter format: of bare samples; a file says its own.
  /// - Returns: 16 kHz.
  static func samples(base64: String, format: AudioFormat) throws(StageFault) -> [Int16] {
    let samples = try decoded(base64: base64, format: format)
    guard samples.count <= longestSeconds * 16_000 else {
      throw unsupported("The recording is longer than \(longestSeconds / 60) minutes.")
    }
    return samples
  }

  /// As long as a turn that a client commits may be.
  private static let longestSeconds = 180

  private static func decoded(base64: String, format: AudioFormat) throws(StageFault) -> [Int16] {
    var buffer = ByteBuffer()
    var text = base64
    guard text.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0), into: &buffer) }) != nil else {
      throw unsupported("The audio is not base64.")
    }
    let bytes = Array(buffer.readableBytesView)
    if bytes.starts(with: Array("OggS".utf8)) {
      return try OpusFile.samples(of: bytes, rate: 16_000)
    }
    if bytes.starts(with: Array("RIFF".utf8)) {
      do {
        let (samples, rate) = try WAV.samples(of: bytes)
        return Resampler.convert(samples, from: rate, to: 16_000)
      } catch {
        throw unsupported("The WAV file cannot be read: \(error)")
      }
    }
    var samples: [Int16] = []
    bytes.withUnsafeBytes { raw in
      switch format {
      case .pcm: PCM16.decode(raw, into: &samples)
      case .pcmu: G711.decode(raw, .muLaw, into: &samples)
      case .pcma: G711.decode(raw, .aLaw, into: &samples)
      }
    }
    return Resampler.convert(samples, from: format.rate, to: 16_000)
  }

  private static func unsupported(_ message: String) -> StageFault {
    StageFault(.stt, code: "audio_format_unsupported", message: message)
  }
}
