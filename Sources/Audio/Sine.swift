/// Trigonometry for building tables, without a library: accurate to 1e-12, not meant for a loop over samples.
enum Sine {
  /// sin(π·turns). Any finite number; 0 for anything else.
  static func ofHalfTurns(_ turns: Double) -> Double {
    guard turns.isFinite else { return 0 }
    // Back to -1…1, where the period ends, and then to -0.5…0.5, where the series is short.
    var angle = turns - 2 * (turns / 2).rounded()
    if angle > 0.5 { angle = 1 - angle }
    if angle < -0.5 { angle = -1 - angle }
    let radians = angle * .pi
    let square = radians * radians
    var term = radians
    var sum = radians
    for step in 1...10 {
      term *= -square / Double((2 * step) * (2 * step + 1))
      sum += term
    }
    return sum
  }

  /// cos(π·turns).
  static func cosineOfHalfTurns(_ turns: Double) -> Double {
    ofHalfTurns(turns + 0.5)
  }
}
