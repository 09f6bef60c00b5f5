import Logging

/// Lets the first lines of a fault through, and counts those that follow within a while: one cause that hits every
/// session does not bury what else the log has to say.
struct RepeatGate: Sendable {
  /// What was held back of one message.
  struct Repeated: Sendable, Equatable {
    var level: Logger.Level
    var message: String
    var count: Int
  }

  private struct Window {
    var endsAt: ContinuousClock.Instant
    var level: Logger.Level
    var passed = 0
    var held = 0
  }

  /// How many messages are told apart; more share one window.
  static let mostMessages = 256

  /// Lines of one message in a window that pass.
  let limit: Int
  let window: Duration
  private var windows: [String: Window] = [:]

  init(limit: Int = 20, window: Duration = .seconds(10)) {
    self.limit = limit
    self.window = window
  }

  /// Whether the line is written.
  /// - Returns: also whether it is the first of its window to be held back: somebody has to `take` when that is over.
  mutating func admits(
    _ message: String, level: Logger.Level, at now: ContinuousClock.Instant
  ) -> (isAdmitted: Bool, isFirstHeld: Bool) {
    guard level >= .warning else { return (true, false) }
    var key = message
    if windows[key] == nil, windows.count >= Self.mostMessages {
      windows = windows.filter { $0.value.endsAt > now || $0.value.held > 0 }
      if windows.count >= Self.mostMessages { key = "faults of many kinds" }
    }
    var current = windows[key] ?? Window(endsAt: now + window, level: level)
    if current.endsAt <= now, current.held == 0 { current = Window(endsAt: now + window, level: level) }
    current.level = max(current.level, level)
    let isAdmitted = current.passed < limit
    if isAdmitted { current.passed += 1 } else { current.held += 1 }
    windows[key] = current
    return (isAdmitted, !isAdmitted && current.held == 1)
  }

  /// What was held back in windows that are over, or in all; it begins anew.
  mutating func take(at now: ContinuousClock.Instant, all: Bool = false) -> [Repeated] {
    var taken: [Repeated] = []
    for (message, window) in windows where all || window.endsAt <= now {
      if window.held > 0 { taken.append(Repeated(level: window.level, message: message, count: window.held)) }
      windows[message] = nil
    }
    return taken.sorted { $0.message < $1.message }
  }
}
