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
  /// Control events of the client, that is all but audio: so many at once, and in each second; beyond: an error event.
  public var controlEventsPerSecond = 200
  /// Events of the client that were refused: so many at once, and in each minute; beyond: close 1008.
  public var badEventsPerMinute = 100
  /// Without an event of the client; then an error event and close 1000. Nil for no limit.
  public var idle: Duration?
  /// From the 101 to the end; then an error event and close 1000. Nil for no limit.
  public var length: Duration?
  /// Whose limit that is: `provider`, `app`, `key` or `token`; nil for the gateway's own.
  public var lengthHolder: String?
  /// How long before one of its limits ends the session its client is told; zero for never.
  public var warning = Duration.seconds(60)

  public init() {}
}

extension SessionLimits {
  /// What a control event beyond the limit is answered with; the session goes on.
  var tooManyEvents: EventFault {
    EventFault(
      code: "rate_limit_exceeded",
      message:
        "More than \(controlEventsPerSecond) events in a second, audio not counted. This one was not carried out.",
      param: nil)
  }
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
