/// The position in a stream of audio, counted in the bytes that passed. Reads no clock, uses no floating point.
public struct AudioClock: Sendable, Hashable {
  /// Bytes that passed in the present format.
  public private(set) var bytes = 0
  /// Bytes of one second in the present format.
  public private(set) var bytesPerSecond: Int
  /// Microseconds that passed in earlier formats.
  private var earlierMicroseconds = 0

  /// PCM16 at 24 kHz, 48 bytes a millisecond, unless told otherwise; G.711 has 8.
  public init(rate: SampleRate = .hz24000, bytesPerSample: Int = PCM16.bytesPerSample) {
    bytesPerSecond = rate.hertz * max(1, bytesPerSample)
  }

  /// Counts `byteCount` bytes; a negative count is ignored.
  public mutating func append(bytes byteCount: Int) {
    bytes += max(0, byteCount)
  }

  /// The time that passed, whole milliseconds, rounded down.
  public var milliseconds: Int {
    (earlierMicroseconds + microseconds(ofBytes: bytes)) / 1000
  }

  /// How long `byteCount` bytes of the present format last, whole milliseconds, rounded down.
  public func milliseconds(ofBytes byteCount: Int) -> Int {
    microseconds(ofBytes: byteCount) / 1000
  }

  /// The bytes of the present format that last `milliseconds`, rounded down; not aligned to samples.
  public func bytes(inMilliseconds milliseconds: Int) -> Int {
    milliseconds / 1000 * bytesPerSecond + milliseconds % 1000 * bytesPerSecond / 1000
  }

  /// Goes on in another format; the time that passed stays.
  public mutating func change(to rate: SampleRate, bytesPerSample: Int = PCM16.bytesPerSample) {
    earlierMicroseconds += microseconds(ofBytes: bytes)
    bytes = 0
    bytesPerSecond = rate.hertz * max(1, bytesPerSample)
  }

  /// Whole seconds first: the product cannot overflow.
  private func microseconds(ofBytes byteCount: Int) -> Int {
    byteCount / bytesPerSecond * 1_000_000 + byteCount % bytesPerSecond * 1_000_000 / bytesPerSecond
  }
}
