/// The position in a stream of audio, counted in the bytes that passed. Reads no clock, uses no floating point.
public struct AudioClock: Sendable, Hashable {
  /// Bytes that passed.
  public private(set) var bytes = 0
  /// Bytes of one second.
  public let bytesPerSecond: Int

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
    milliseconds(ofBytes: bytes)
  }

  /// How long `byteCount` bytes last, whole milliseconds, rounded down.
  public func milliseconds(ofBytes byteCount: Int) -> Int {
    microseconds(ofBytes: byteCount) / 1000
  }

  /// Whole seconds first: the product cannot overflow.
  private func microseconds(ofBytes byteCount: Int) -> Int {
    byteCount / bytesPerSecond * 1_000_000 + byteCount % bytesPerSecond * 1_000_000 / bytesPerSecond
  }
}
