import Translation

/// How many messages an account may send in a second, as a token bucket: full, it holds the messages of a tenth of a
/// second, so that no second sees more than a tenth above the limit. Pure; time is an argument.
///
/// Tokens are given out in the order of asking, those that are still to come too: who has to wait is told until when, and
/// nobody overtakes.
struct FrameBudget: Sendable, Equatable {
  /// Nanoseconds in which a token comes.
  private let interval: Int64
  /// Of tokens that are there at once, in nanoseconds: all but the one that is asked for.
  private let tolerance: Int64
  /// When the bucket is full again if nobody asks.
  private var fullAt = Instant(nanoseconds: .min)

  /// - Parameter perSecond: at least 1, at most 1,000,000.
  init(perSecond: Int) {
    let rate = Int64(min(max(perSecond, 1), 1_000_000))
    // Rounded up: never more than allowed.
    interval = (1_000_000_000 + rate - 1) / rate
    tolerance = (max(rate / 10, 1) - 1) * interval
  }

  /// How long a message would have to wait that asked now.
  func lag(at now: Instant) -> Duration {
    max(fullAt + .nanoseconds(-tolerance), now) - now
  }

  /// Takes the next token.
  ///
  /// - Returns: when the message may go: `now`, or later.
  mutating func take(at now: Instant) -> Instant {
    let begin = max(fullAt, now)
    fullAt = begin + .nanoseconds(interval)
    return max(begin + .nanoseconds(-tolerance), now)
  }
}
