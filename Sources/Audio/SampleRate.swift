/// Samples per second of one channel.
public struct SampleRate: Sendable, Hashable, Comparable {
  /// In hertz; from 1 to 192,000.
  public let hertz: Int

  /// Nil outside 1...192,000 Hz.
  public init?(hertz: Int) {
    guard (1...192_000).contains(hertz) else { return nil }
    self.hertz = hertz
  }

  private init(known hertz: Int) {
    self.hertz = hertz
  }

  /// Telephony, and the only rate of G.711.
  public static let hz8000 = Self(known: 8_000)
  /// What speech recognition usually takes.
  public static let hz16000 = Self(known: 16_000)
  /// PCM16 in the OpenAI envelope.
  public static let hz24000 = Self(known: 24_000)
  public static let hz48000 = Self(known: 48_000)

  public static func < (left: Self, right: Self) -> Bool {
    left.hertz < right.hertz
  }
}

/// Linear PCM: signed, 16 bits, little-endian, one channel.
public enum PCM16 {
  public static let bytesPerSample = 2
  /// The largest `input_audio_buffer.append`, decoded: 15 MiB (the limit that the OpenAI reference names).
  public static let maxAppendBytes = 15 * 1024 * 1024
}

/// G.711, either law: 8 bits a sample at 8 kHz, one channel.
public enum G711 {
  public static let bytesPerSample = 1
  public static let rate = SampleRate.hz8000
}
