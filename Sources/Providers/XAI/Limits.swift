/// What the service takes, and how long a connection to it lives.
enum Limits {
  /// The service ends a session after an hour or two, its pages and its users differ: the connection is replaced
  /// between two turns before that.
  static let lifetime = Duration.seconds(55 * 60)

  static let threshold = 0.1...0.9

  /// Of `silence_duration_ms` and `prefix_padding_ms`.
  static let milliseconds = 0...10_000

  static let speed = 0.7...1.5

  /// Terms that the transcription is biased towards, and the characters of one.
  static let keyterms = 100
  static let keytermLength = 50
}

extension Comparable {
  func clamped(to range: ClosedRange<Self>) -> Self {
    min(max(self, range.lowerBound), range.upperBound)
  }
}
