/// What the gateway does about its memory, from readings of how much of it is taken: from 85 % of the budget on it takes no
/// more sessions, from 95 % on it ends those that say nothing, the longest silent first. Pure.
struct MemoryWatch: Sendable, Equatable {
  /// What a reading asks for.
  struct Advice: Sendable, Equatable {
    var admitsSessions = true
    /// Sessions whose client has been silent for at least so long are to end.
    var endsSessionsIdleFor: Duration?
  }

  static let sheddingPercent = 85
  static let closingPercent = 95
  /// Where closing begins, times the shortest; every reading that is still beyond the mark asks for half of it.
  private static let longestIdleFactor = 64

  let budgetBytes: Int
  /// Silence that is too short for a session to be ended.
  private let shortestIdle: Duration
  /// Of the next reading beyond the mark.
  private var idle: Duration

  init(budgetBytes: Int, shortestIdle: Duration) {
    self.budgetBytes = budgetBytes
    self.shortestIdle = shortestIdle
    idle = shortestIdle * Self.longestIdleFactor
  }

  /// Takes one reading, in bytes.
  mutating func read(_ takenBytes: Int) -> Advice {
    guard isBeyond(Self.closingPercent, takenBytes) else {
      idle = shortestIdle * Self.longestIdleFactor
      return Advice(admitsSessions: admitsSessions(at: takenBytes))
    }
    defer { idle = max(idle / 2, shortestIdle) }
    return Advice(admitsSessions: false, endsSessionsIdleFor: idle)
  }

  func admitsSessions(at takenBytes: Int) -> Bool {
    !isBeyond(Self.sheddingPercent, takenBytes)
  }

  /// Whether the share is reached.
  private func isBeyond(_ percent: Int, _ takenBytes: Int) -> Bool {
    // Divided first: a budget may be near the largest number.
    takenBytes >= budgetBytes / 100 * percent + budgetBytes % 100 * percent / 100
  }
}
