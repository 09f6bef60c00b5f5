public import NIOCore

/// What one step of a session produced: messages for both sides and actions for whoever drives it.
///
/// The driver keeps one outbox for a session's life, drains it after every step and hands it in again, so that its
/// storage is reused.
public struct Outbox: Sendable {
  /// Messages for the client. All of them go out before a `closeDownstream` of the same step.
  public var downstream = MessageQueue()
  /// Messages for the provider.
  public var upstream = MessageQueue()
  public var actions: [Action] = []

  public init() {}
}

/// What the pure core asks of its driver. Actions carry no promises: their outcome comes back as an input.
public enum Action: Sendable, Equatable {
  /// Open the upstream connection; answered by `upstreamOpened` or `upstreamEnded`.
  case dial(Upstream)
  /// Begin the close handshake upstream; nothing more is expected from there. A `dial` that follows waits for its end,
  /// because a service may refuse the successor while the old connection stands, but no longer than half a second.
  case closeUpstream(code: UInt16)
  /// Open a connection beside the session's own; answered by `sideOpened` or `sideEnded`.
  case dialSide(SideLine, Upstream)
  /// Send a text message on a connection beside the session's own.
  case sendSide(SideLine, ByteBuffer)
  /// Close it; nothing more is expected from there.
  case closeSide(SideLine)
  /// Begin the close handshake downstream after everything queued has gone out. The reason has at most 123 bytes.
  case closeDownstream(code: UInt16, reason: String)
  /// Take back the audio that waits for the client, of one response or of all: the user speaks, or does not want it. What
  /// is behind it moves up (fault row 51).
  case dropQueuedAudio(ofResponse: String?)
  /// Read nothing more from the client until `resumeDownstreamReading`.
  case pauseDownstreamReading
  case resumeDownstreamReading
  /// Something an operator may want to know.
  case note(SessionNote)
  /// Something that is measured.
  case turn(TurnMeasure)
}

/// A connection beside the session's own, for a response that must not touch the conversation. Numbers are not used twice.
public struct SideLine: Sendable, Hashable {
  public let number: Int

  public init(number: Int) {
    self.number = number
  }
}

/// One line for the log: closed names, and values that hold no secret and no audio.
public struct SessionNote: Sendable, Equatable {
  public enum Severity: Sendable { case debug, info, warning, error }

  public var severity: Severity
  /// What happened, as a short fixed phrase.
  public var message: String
  public var fields: [String: String]

  public init(_ severity: Severity, _ message: String, _ fields: [String: String] = [:]) {
    self.severity = severity
    self.message = message
    self.fields = fields
  }
}

extension SessionNote {
  /// The message of a note on what a client asked for in vain (Q23). Its field `fields` has their paths, such as
  /// `session.audio.output.speed`, with spaces between them.
  public static let withoutCounterpart = "fields without a counterpart at the provider"

  /// The paths that such a note names; none for any other.
  public var fieldsWithoutCounterpart: [Substring] {
    message == Self.withoutCounterpart ? fields["fields", default: ""].split(separator: " ") : []
  }
}
