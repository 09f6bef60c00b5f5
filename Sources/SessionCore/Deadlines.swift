import Envelope
import Translation

/// The times a session waits, and what it holds meanwhile. Defaults are the ones of the fault table, section 3.
public struct SessionLimits: Sendable {
  /// From the first `session.update` until the provider is set up with what the client said so far.
  public var dialGrace = Duration.milliseconds(300)
  /// From the start of a session in which the client says nothing.
  public var dialLatest = Duration.seconds(5)
  /// From the open connection to the provider's first message.
  public var upstreamFirstEvent = Duration.seconds(10)
  /// Content held while the provider is not ready; beyond it the client is not read.
  public var heldBytes = 1_048_576

  public init() {}
}

/// When the provider is set up: not before the client had the time to say what it wants, because most providers fix
/// model and configuration at connect (R029, R214).
struct ConfigurationWindow: Sendable {
  private(set) var isOpen = true
  private(set) var closesAt: Instant
  private var hasUpdate = false
  private let grace: Duration

  init(openedAt now: Instant, limits: SessionLimits) {
    closesAt = now + limits.dialLatest
    grace = limits.dialGrace
  }

  /// The client sent a `session.update`: the first one shortens the wait.
  mutating func updated(at now: Instant) {
    guard isOpen, !hasUpdate else { return }
    hasUpdate = true
    closesAt = min(closesAt, now + grace)
  }

  mutating func close() {
    isOpen = false
  }
}

extension ClientEventType {
  /// Whether the event is, or asks for, something that the provider must be set up for.
  var isContent: Bool {
    switch self {
    case .inputAudioBufferAppend, .inputAudioBufferCommit, .conversationItemCreate, .responseCreate: true
    case .sessionUpdate, .inputAudioBufferClear, .outputAudioBufferClear, .conversationItemRetrieve,
      .conversationItemTruncate, .conversationItemDelete, .responseCancel:
      false
    }
  }
}
