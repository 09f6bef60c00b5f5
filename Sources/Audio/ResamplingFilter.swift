/// The coefficients of a rational resampler: a windowed sinc (Blackman), cut into phases.
///
/// The taps of a phase number 24 where the rate rises. Where it falls they grow with the ratio, so that the transition
/// keeps its width relative to the new rate; 24 would let most of what lies above it fold back.
struct ResamplingFilter: Sendable {
  /// The rate becomes `up / down` of what it was; without a common divisor.
  let up: Int
  let down: Int
  /// Taps of a phase; a multiple of 4.
  let tapCount: Int
  /// Different positions between two input samples. `up`, but never more than `maxPhaseCount`.
  let phaseCount: Int
  /// Phase after phase, `tapCount` each. The sum of each phase is 1.
  let coefficients: [Float]

  /// Rates without a common divisor would need a table of megabytes. The nearest of these phases is used then, an error
  /// of less than half a thousandth of a sample's duration.
  static let maxPhaseCount = 1024
  static let tapsPerPhase = 24
  /// Relative to the lower one of both rates; half of it is the bound of Nyquist.
  static let cutOff = 0.475

  /// - Parameters: both from `Resampler.rates`.
  init(from: Int, to: Int) {
    let divisor = Self.greatestCommonDivisor(from, to)
    up = to / divisor
    down = from / divisor
    let taps = (Self.tapsPerPhase * max(up, down) + up - 1) / up
    tapCount = (taps + 3) / 4 * 4
    phaseCount = min(up, Self.maxPhaseCount)
    var table: [Float] = []
    table.reserveCapacity(tapCount * phaseCount)
    // The middle of the interval that a phase serves, if it serves more than one position.
    let middle = phaseCount < up ? 0.5 : 0
    let frequency = Self.cutOff * min(1, Double(up) / Double(down))
    for phase in 0..<phaseCount {
      let fraction = (Double(phase) + middle) / Double(phaseCount)
      table += Self.taps(count: tapCount, fraction: fraction, frequency: frequency)
    }
    coefficients = table
  }

  /// The taps that give the value `fraction` of a sample behind the one under tap `count / 2 - 1`.
  ///
  /// - Parameter frequency: cycles per input sample.
  private static func taps(count: Int, fraction: Double, frequency: Double) -> [Float] {
    let half = Double(count / 2)
    let taps = (0..<count).map { tap in
      let distance = Double(tap) - (half - 1) - fraction
      let angle = 2 * frequency * distance
      let sinc = abs(angle) < 1e-9 ? 1 : Sine.ofHalfTurns(angle) / (Double.pi * angle)
      let place = distance / half
      let window = 0.42 + 0.5 * Sine.cosineOfHalfTurns(place) + 0.08 * Sine.cosineOfHalfTurns(2 * place)
      return sinc * window
    }
    let sum = taps.reduce(0, +)
    return taps.map { Float($0 / sum) }
  }

  private static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
    var (left, right) = (left, right)
    while right != 0 { (left, right) = (right, left % right) }
    return left
  }
}
