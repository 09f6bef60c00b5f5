import Envelope
import NIOCore
import Routing
import Synchronization
import Translation

/// How many messages the account at a provider still allows, counted over the sessions of all event loops (Q22).
final class ProviderQuota: Sendable {
  /// What is asked for beyond this is not only waiting for its turn.
  private static let longestLag = Duration.seconds(1)

  let perSecond: Int
  private let provider: String
  private let budget: Mutex<FrameBudget>

  /// Nil where the account's messages are not limited.
  init?(_ limits: AccountLimits, provider: String) {
    guard let most = limits.maxFramesPerSecond else { return nil }
    self.provider = provider
    perSecond = most
    budget = Mutex(FrameBudget(perSecond: most))
  }

  /// Takes the token of one message.
  ///
  /// - Returns: when it may go: `now`, or later.
  func takeFrame(at now: Instant) -> Instant {
    budget.withLock { $0.take(at: now) }
  }
}

/// Audio waits for its turn; control events are refused while the account is far behind (R166).
extension ProviderQuota: SharedRate {
  func admits(at now: Instant) -> Bool {
    budget.withLock { $0.lag(at: now) } <= Self.longestLag
  }

  var fault: EventFault {
    EventFault(
      type: "rate_limit_error", code: "rate_limit_exceeded",
      message: "The account at provider \"\(provider)\" takes no more messages at the moment. Try again in a second.",
      param: "maxFramesPerSecond")
  }
}
