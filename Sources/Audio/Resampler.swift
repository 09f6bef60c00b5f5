/// Changes the rate of a stream of samples, one channel, chunk by chunk. How the stream is cut changes nothing: the
/// output is the same to the bit.
///
/// Output sample `n` is the sound at the time `n / to`: nothing is shifted. For that a few samples of the future are
/// needed (`lookAhead`), which `flush` replaces by silence at the end.
public struct Resampler: Sendable {
  /// Hertz.
  public let from: Int
  /// Hertz.
  public let to: Int
  /// The rates it takes. Others count as the nearest of them.
  public static let rates = 8000...192_000

  /// Input samples that must follow a moment before its output comes: 12 where the rate rises, 18 from 24 to 16 kHz.
  public var lookAhead: Int { filter.map { $0.tapCount / 2 } ?? 0 }

  /// Nil if both rates are the same.
  private let filter: ResamplingFilter?
  /// The input that is still needed, oldest first; `filled` of it is in use.
  private var window: [Float]
  private var filled: Int
  /// Where in `window` the first tap of the next output stands. May be behind its end.
  private var position = 0
  /// How far the next output lies behind its input sample, in `1 / up` of a sample.
  private var phase = 0
  /// Since the beginning or the last flush.
  private var inputCount = 0
  private var outputCount = 0

  /// Samples that are taken in at once.
  private static let blockCount = 1024

  /// - Parameters:
  ///   - from: the rate of the input, hertz, from `rates`.
  ///   - to: the rate of the output, hertz, from `rates`.
  public init(from: Int, to: Int) {
    self.from = min(max(from, Self.rates.lowerBound), Self.rates.upperBound)
    self.to = min(max(to, Self.rates.lowerBound), Self.rates.upperBound)
    let filter = self.from == self.to ? nil : ResamplingFilter(from: self.from, to: self.to)
    self.filter = filter
    window = filter.map { [Float](repeating: 0, count: $0.tapCount + Self.blockCount) } ?? []
    filled = filter.map { $0.tapCount / 2 - 1 } ?? 0
  }

  /// Takes the next samples and appends the output that they complete.
  public mutating func process(_ samples: UnsafeBufferPointer<Int16>, into output: inout [Int16]) {
    guard let filter else {
      output.append(contentsOf: samples)
      return
    }
    inputCount += samples.count
    var taken = 0
    while taken < samples.count {
      let count = min(Self.blockCount, samples.count - taken)
      take(UnsafeBufferPointer(rebasing: samples[taken..<taken + count]))
      taken += count
      produce(filter, limit: .max, into: &output)
    }
  }

  /// Takes the next samples; returns the output that they complete.
  public mutating func process(_ samples: [Int16]) -> [Int16] {
    var output: [Int16] = []
    samples.withUnsafeBufferPointer { process($0, into: &output) }
    return output
  }

  /// Ends the stream: appends the rest, so that all of the output counts `input · to / from` samples, rounded. What
  /// comes next begins a new stream.
  public mutating func flush(into output: inout [Int16]) {
    guard let filter else { return }
    let silence = [Int16](repeating: 0, count: Self.blockCount)
    // Whole seconds first: the product cannot overflow.
    let whole = inputCount / from * to
    let expected = whole + (inputCount % from * to * 2 + from) / (2 * from)
    // Silence of as many samples as the window has taps completes every output that the input began.
    var missing = filter.tapCount
    while missing > 0, outputCount < expected {
      let count = min(missing, silence.count)
      silence.withUnsafeBufferPointer { take(UnsafeBufferPointer(rebasing: $0[0..<count])) }
      missing -= count
      produce(filter, limit: expected - outputCount, into: &output)
    }
    reset(filter)
  }

  /// Ends the stream: the rest, so that all of the output counts `input · to / from` samples, rounded. What comes next
  /// begins a new stream.
  public mutating func flush() -> [Int16] {
    var output: [Int16] = []
    flush(into: &output)
    return output
  }

  /// A whole sound at another rate.
  public static func convert(_ samples: [Int16], from: Int, to: Int) -> [Int16] {
    var resampler = Self(from: from, to: to)
    var output = resampler.process(samples)
    resampler.flush(into: &output)
    return output
  }
}

extension Resampler {
  private mutating func reset(_ filter: ResamplingFilter) {
    for index in window.indices { window[index] = 0 }
    filled = filter.tapCount / 2 - 1
    position = 0
    phase = 0
    inputCount = 0
    outputCount = 0
  }

  /// Appends a block to the window, which has room for it: less than `tapCount` samples stay behind after `produce`.
  private mutating func take(_ samples: UnsafeBufferPointer<Int16>) {
    let filled = filled
    let count = min(samples.count, window.count - filled)
    window.withUnsafeMutableBufferPointer { window in
      for index in 0..<count { window[filled &+ index] = Float(samples[index]) }
    }
    self.filled = filled + count
  }

  /// Appends every output whose taps are all there, at most `limit`, and drops the input that is not needed any more.
  private mutating func produce(_ filter: ResamplingFilter, limit: Int, into output: inout [Int16]) {
    let room = filled - filter.tapCount - position
    if room >= 0 {
      // The outputs up to the last one whose input sample is at most `room` samples away.
      let count = min(limit, ((room + 1) * filter.up - 1 - phase) / filter.down + 1)
      let start = output.count
      output.append(contentsOf: repeatElement(0, count: count))
      var cursor = Cursor(position: position, phase: phase)
      output.withUnsafeMutableBufferPointer { output in
        window.withUnsafeBufferPointer { window in
          cursor.run(filter, window: window, output: UnsafeMutableBufferPointer(rebasing: output[start...]))
        }
      }
      (position, phase) = (cursor.position, cursor.phase)
      outputCount += count
    }
    drop(min(position, filled))
  }

  /// Forgets the first `count` samples of the window.
  private mutating func drop(_ count: Int) {
    guard count > 0 else { return }
    let kept = filled - count
    window.withUnsafeMutableBufferPointer { window in
      for index in 0..<kept { window[index] = window[index &+ count] }
    }
    filled = kept
    position -= count
  }

  /// The place of the next output.
  private struct Cursor {
    var position: Int
    var phase: Int

    /// Fills `output`. The caller has made sure that the taps of the last one end within `window`.
    mutating func run(
      _ filter: ResamplingFilter, window: UnsafeBufferPointer<Float>, output: UnsafeMutableBufferPointer<Int16>
    ) {
      let wholeStep = filter.down / filter.up
      let phaseStep = filter.down % filter.up
      let isReduced = filter.phaseCount < filter.up
      filter.coefficients.withUnsafeBufferPointer { coefficients in
        guard let samples = window.baseAddress, let taps = coefficients.baseAddress else { return }
        for index in 0..<output.count {
          let row = isReduced ? phase &* filter.phaseCount / filter.up : phase
          output[index] = Self.sum(samples + position, taps + row &* filter.tapCount, count: filter.tapCount)
          position &+= wholeStep
          phase &+= phaseStep
          if phase >= filter.up {
            phase &-= filter.up
            position &+= 1
          }
        }
      }
    }

    /// The sum of products, rounded and clipped. Four sums, because one alone waits for itself at each addition.
    @inline(__always)
    private static func sum(_ samples: UnsafePointer<Float>, _ taps: UnsafePointer<Float>, count: Int) -> Int16 {
      var first: Float = 0
      var second: Float = 0
      var third: Float = 0
      var fourth: Float = 0
      var tap = 0
      while tap < count {
        first += samples[tap] * taps[tap]
        second += samples[tap &+ 1] * taps[tap &+ 1]
        third += samples[tap &+ 2] * taps[tap &+ 2]
        fourth += samples[tap &+ 3] * taps[tap &+ 3]
        tap &+= 4
      }
      return PCM16.sample(of: (first + second) + (third + fourth))
    }
  }
}

extension PCM16 {
  /// The nearest sample to `value`, which has the scale of samples; clipped. Silence for no number.
  @inline(__always)
  static func sample(of value: Float) -> Int16 {
    if value >= 32767 { return 32767 }
    if value <= -32768 { return -32768 }
    guard value == value else { return 0 }
    return Int16(truncatingIfNeeded: Int32(value + (value < 0 ? -0.5 : 0.5)))
  }
}
