import Foundation

/// SplitMix64, so that a property test that fails can be run again.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func samples(_ count: Int) -> [Int16] {
    (0..<count).map { _ in Int16.random(in: .min ... .max, using: &self) }
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }

  /// The same elements in pieces of 0 to `most`.
  mutating func cut<Element>(_ elements: [Element], most: Int) -> [[Element]] {
    var pieces: [[Element]] = []
    var index = 0
    while index < elements.count {
      let count = min(Int.random(in: 0...most, using: &self), elements.count - index)
      pieces.append(Array(elements[index..<index + count]))
      index += count
    }
    return pieces
  }
}

/// A tone.
func tone(_ hertz: Double, rate: Int, count: Int, amplitude: Double = 16_000) -> [Int16] {
  (0..<count).map { Int16((amplitude * sin(2 * .pi * hertz * Double($0) / Double(rate))).rounded()) }
}

/// The root of the mean square.
func level(_ samples: some Collection<Int16>) -> Double {
  guard !samples.isEmpty else { return 0 }
  return (samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
}

/// The ratio of two levels.
func decibels(_ level: Double, over reference: Double) -> Double {
  20 * log10(max(level, 1e-9) / max(reference, 1e-9))
}
