import NIOCore
import Routing
import Synchronization
import Translation

/// What the account at a provider still allows, counted over the sessions of all event loops (Q22).
final class ProviderQuota: Sendable {
  /// Of the configuration; as good as none where it gives none.
  let maxSessions: Int
  private let sessions = Mutex(0)
  private let budget: Mutex<FrameBudget>?

  init(_ limits: AccountLimits) {
    maxSessions = limits.maxSessions ?? .max
    budget = limits.maxFramesPerSecond.map { Mutex(FrameBudget(perSecond: $0)) }
  }

  /// Whether messages to the provider are counted.
  var limitsFrames: Bool { budget != nil }

  /// A place for one more session; nil when all are taken.
  func place() -> SessionPlace? {
    let isFree = sessions.withLock { count in
      guard count < maxSessions else { return false }
      count += 1
      return true
    }
    return isFree ? SessionPlace(of: self, OccupiedPlace { [self] in sessions.withLock { $0 -= 1 } }) : nil
  }

  /// Takes the token of one message.
  ///
  /// - Returns: when it may go: `now`, or later.
  func takeFrame(at now: Instant) -> Instant {
    budget?.withLock { $0.take(at: now) } ?? now
  }
}

/// A session's place at its provider: taken until it is given back, or dropped by whoever held it.
final class SessionPlace: Sendable {
  let quota: ProviderQuota
  private let place: OccupiedPlace

  fileprivate init(of quota: ProviderQuota, _ place: OccupiedPlace) {
    self.quota = quota
    self.place = place
  }

  func giveBack() {
    place.giveBack()
  }
}
