import Logging
import Routing
import Synchronization
import Translation

/// How many sessions there are, and whether there may be more: as many as the configuration allows and the memory has room
/// for. Shared by all event loops.
final class Overload: Sendable {
  /// Who sessions are counted for, beside the gateway itself.
  enum Holder: Sendable, Hashable {
    case address(IPAddress)
  }

  /// Why there is no place for one more session.
  enum Full: Error, Equatable {
    case gateway
    /// More connects in a second than the configuration allows.
    case tooManyAtOnce
    case holder(Holder, most: Int)
  }

  /// What a configuration allows.
  struct Bounds: Equatable {
    /// Nil where only memory bounds them.
    var maxSessions: Int?
    /// Nil for any number.
    var maxConnectsPerSecond: Int?
    /// Nil where memory is not watched.
    var memory: MemoryWatch?
  }

  private struct State {
    var bounds: Bounds
    var sessions = 0
    var held: [Holder: Int] = [:]
    var watch: MemoryWatch?
    var hasRoom = true
    /// Nil where any number may come at once.
    var connects: EventRate?

    var isFull: Bool { !hasRoom || sessions >= bounds.maxSessions ?? .max }
  }

  private let state: Mutex<State>
  private let logger: Logger

  init(_ bounds: Bounds, logger: Logger) {
    self.logger = logger
    state = Mutex(State(bounds: Bounds()))
    apply(bounds)
  }

  /// From here on other bounds hold; sessions beyond them go on.
  func apply(_ bounds: Bounds) {
    state.withLock { state in
      if bounds.memory != state.bounds.memory { state.watch = bounds.memory }
      if bounds.maxConnectsPerSecond != state.bounds.maxConnectsPerSecond {
        state.connects = bounds.maxConnectsPerSecond.map { EventRate(most: $0, in: .seconds(1)) }
      }
      state.bounds = bounds
    }
  }

  /// Whether there is no place for one more session.
  var isFull: Bool { state.withLock(\.isFull) }

  /// The sessions that have a place.
  var sessionCount: Int { state.withLock(\.sessions) }

  /// A place for one more session, counted for each of its holders.
  func place(for holders: [(holder: Holder, most: Int)], at now: Instant) throws(Full) -> OccupiedPlace {
    let full = state.withLock { state -> Full? in
      guard !state.isFull else { return .gateway }
      for (holder, most) in holders where state.held[holder, default: 0] >= most { return .holder(holder, most: most) }
      guard state.connects?.admits(at: now) ?? true else { return .tooManyAtOnce }
      state.sessions += 1
      for (holder, _) in holders { state.held[holder, default: 0] += 1 }
      return nil
    }
    if let full { throw full }
    return OccupiedPlace { [self] in giveBack(holders.map(\.holder)) }
  }

  private func giveBack(_ holders: [Holder]) {
    state.withLock { state in
      state.sessions -= 1
      for holder in holders {
        let left = state.held[holder, default: 1] - 1
        // Whoever has none is forgotten, or each address that ever came would be kept.
        state.held[holder] = left > 0 ? left : nil
      }
    }
  }

  /// Whether a reading leaves room for more sessions.
  func hasRoom(with takenBytes: Int) -> Bool {
    state.withLock { $0.watch?.admitsSessions(at: takenBytes) ?? true }
  }

  /// Takes a reading of the memory that the process has.
  ///
  /// - Returns: sessions whose client has been silent for at least so long are to end; nil for none.
  func read(_ takenBytes: Int) -> Duration? {
    let (advice, hadRoom, sessions, budget) = state.withLock { state in
      let advice = state.watch?.read(takenBytes) ?? MemoryWatch.Advice()
      defer { state.hasRoom = advice.admitsSessions }
      return (advice, state.hasRoom, state.sessions, state.watch?.budgetBytes ?? 0)
    }
    if advice.admitsSessions != hadRoom {
      logger.log(
        level: advice.admitsSessions ? .notice : .warning,
        advice.admitsSessions ? "memory suffices again" : "memory is short: no more sessions are taken",
        metadata: ["taken_bytes": "\(takenBytes)", "budget_bytes": "\(budget)", "sessions": "\(sessions)"])
    }
    return advice.endsSessionsIdleFor
  }
}
