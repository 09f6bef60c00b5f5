/// When a lost connection is tried again: with growing delays, each a little off so that many sessions do not come at
/// once (R273), and not for ever.
public struct RedialSchedule: Sendable {
  private let delays: [Duration]
  private let budget: Duration
  private let steadyAge: Duration
  private var attempts = 0
  private var giveUpAt: Instant?
  private var begunAt: Instant?

  /// - Parameters:
  ///   - delays: before the first attempt, the second and so on; the last one holds for all further ones.
  ///   - budget: from the first loss until it is given up.
  ///   - steadyAge: a connection that stood for so long was a good one: its loss is the first again.
  public init(delays: [Duration], budget: Duration, steadyAge: Duration) {
    self.delays = delays
    self.budget = budget
    self.steadyAge = steadyAge
  }

  /// A connection works.
  public mutating func connectionBegan(at now: Instant) {
    begunAt = now
  }

  /// What was asked over the connection was answered: what happened before has no part in what happens next.
  public mutating func succeeded() {
    attempts = 0
    giveUpAt = nil
  }

  /// The connection broke, or could not be made: says when to try again, or nil when the time for that is over.
  ///
  /// - Parameter jitter: 0..<1; the delay is between three quarters and five quarters of what it is on average.
  public mutating func retry(at now: Instant, jitter: Double) -> Instant? {
    if let begunAt, now >= begunAt + steadyAge { succeeded() }
    begunAt = nil
    let giveUp = giveUpAt ?? now + budget
    giveUpAt = giveUp
    let delay = delays.isEmpty ? .zero : delays[min(attempts, delays.count - 1)] * (0.75 + jitter / 2)
    attempts += 1
    return now + delay < giveUp ? now + delay : nil
  }
}
