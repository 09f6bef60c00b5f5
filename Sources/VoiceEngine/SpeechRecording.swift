import Audio

/// What a synthesizer says, at one rate and in one piece.
public struct SpeechRecording: Sendable {
  /// Hertz.
  public let rate: Int
  private var samples: [Int16] = []
  private var resampler: Resampler?

  /// - Parameter rate: hertz, from `Resampler.rates`.
  public init(rate: Int) {
    self.rate = rate
  }

  /// Takes the next piece. The rate may change between two pieces.
  public mutating func add(_ chunk: SpeechChunk) {
    if let resampler, resampler.from != chunk.rate { flush() }
    var current = resampler ?? Resampler(from: chunk.rate, to: rate)
    chunk.samples.withUnsafeBufferPointer { current.process($0, into: &samples) }
    resampler = current
  }

  /// What is complete by now; it is not given again.
  mutating func drain() -> [Int16] {
    defer { samples.removeAll(keepingCapacity: true) }
    return samples
  }

  /// The rest, and all that was not drained.
  public mutating func finish() -> [Int16] {
    flush()
    return drain()
  }

  /// One resampler for a run of pieces: the ends of each piece of its own would click.
  private mutating func flush() {
    resampler?.flush(into: &samples)
    resampler = nil
  }
}
