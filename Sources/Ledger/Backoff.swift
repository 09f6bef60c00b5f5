/// How long to wait before the next try: twice as long each time, and a random part of that, so that many processes whose
/// database returns do not all come at once.
struct Backoff: Sendable {
  private let first: Duration
  private let most: Duration
  private var attempts = 0

  init(first: Duration = .milliseconds(500), most: Duration = .seconds(60)) {
    self.first = first
    self.most = most
  }

  /// The wait before the next try: between a tenth and the whole of `first`, doubled for each one before, at most `most`.
  mutating func next() -> Duration {
    var generator = SystemRandomNumberGenerator()
    return next(using: &generator)
  }

  mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    // 2^30 of any `first` is longer than `most` can sensibly be.
    let longest = min(most, first * (1 << min(attempts, 30)))
    attempts += 1
    return longest * Double.random(in: 0.1...1, using: &generator)
  }

  mutating func reset() {
    attempts = 0
  }
}
