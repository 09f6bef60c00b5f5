public import Envelope
public import NIOCore

import Audio

/// One provider's side of a session: client events in, provider messages out, and back. A value without sockets or
/// clock; `Session` owns one and feeds it in wire order.
public protocol Translator: Sendable {
  /// Where the provider is, for the model that is known by now.
  func upstream() -> Upstream

  /// The session object for `session.created`, which goes out before anything is known of the provider.
  var session: RealtimeSession { get }

  /// The next point in time at which `timeReached` must be called.
  var deadline: Instant? { get }

  /// Bytes of one sample of the client's audio: 2 for PCM16, 1 for G.711.
  var bytesPerSample: Int { get }

  /// What the client's audio is to be read as.
  var inputFormat: AudioFormat { get }

  /// The session begins as whoever made its token wants it: over the provider's own defaults, without a `session.updated`,
  /// and before anything else happens to it.
  ///
  /// - Returns: the fields without a counterpart, such as `session.audio.output.speed`.
  /// - Throws: what a `session.update` with these fields would be refused for; nothing of it holds then.
  mutating func configure(_ patch: SessionPatch) throws(EventFault) -> [String]

  /// A control event of the client that passed the checks every provider shares (JSON, `type`, `event_id`).
  ///
  /// - Throws: the one error that the client gets for it; the event then had no effect.
  mutating func clientEvent(_ event: IncomingEvent, at now: Instant, port: inout Port) throws(EventFault)

  /// A chunk of the client's audio: standard base64 of the session's input format.
  ///
  /// - Throws: the one error that the client gets for it; the audio then had no effect.
  mutating func clientAudio(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault)

  /// No more configuration is awaited: what the client said so far is what the provider is set up with.
  mutating func configurationSettled(at now: Instant, port: inout Port)

  /// The WebSocket to the provider is open.
  mutating func upstreamOpened(at now: Instant, port: inout Port)

  /// The provider is not read because the client takes nothing, or is read again: meanwhile its silence means nothing.
  mutating func upstreamIsHeldBack(_ isHeld: Bool, at now: Instant)

  /// A message of the provider, text or binary alike.
  mutating func upstreamMessage(_ message: ByteBuffer, at now: Instant, port: inout Port) throws(TranslationFault)

  /// The connection ended, or a new one could not be made. True if the call goes on: the translator has asked for another
  /// connection (`Port.redial`), or will when its `deadline` comes.
  mutating func survives(_ end: UpstreamEnd, at now: Instant, port: inout Port) -> Bool

  /// A connection beside the session's own is open.
  mutating func sideOpened(_ line: SideLine, at now: Instant, port: inout Port)

  /// A message on a connection beside the session's own.
  mutating func sideMessage(_ message: ByteBuffer, on line: SideLine, at now: Instant, port: inout Port)

  /// A connection beside the session's own ended, or could not be made.
  mutating func sideEnded(_ line: SideLine, _ end: UpstreamEnd, at now: Instant, port: inout Port)

  /// The client is gone: the last that the provider is told. The connection is closed after it.
  mutating func downstreamClosed(at now: Instant, port: inout Port)

  /// The provider is gone, and so is the turn it was in: what the client has open is closed as failed.
  mutating func upstreamEnded(_ verdict: UpstreamVerdict, at now: Instant, port: inout Port)

  mutating func timeReached(at now: Instant, port: inout Port)

  /// Messages of the provider that nobody here knows; they were skipped.
  var skippedMessages: Int { get }

  /// Whether the client waits for something of the provider: a response that is open, or one that was asked for.
  var isMidTurn: Bool { get }

  /// Whether anything goes on that should not be broken off: the user speaks, or is owed an answer, or hears one; or the
  /// client is asked for what an answer needs.
  var isInTurn: Bool { get }

  /// What the provider's way of ending means to the client, where it says more than the protocol does.
  func verdict(on end: UpstreamEnd) -> UpstreamVerdict?
}

extension Translator {
  /// PCM16, unless a provider takes more.
  public var bytesPerSample: Int { PCM16.bytesPerSample }

  public var skippedMessages: Int { 0 }

  public var isInTurn: Bool { isMidTurn }

  // Most providers have one connection, which ends the call with it.

  public mutating func survives(_ end: UpstreamEnd, at now: Instant, port: inout Port) -> Bool { false }
  public mutating func upstreamIsHeldBack(_ isHeld: Bool, at now: Instant) {}
  public mutating func sideOpened(_ line: SideLine, at now: Instant, port: inout Port) {}
  public mutating func sideMessage(_ message: ByteBuffer, on line: SideLine, at now: Instant, port: inout Port) {}
  public mutating func sideEnded(_ line: SideLine, _ end: UpstreamEnd, at now: Instant, port: inout Port) {}
  public mutating func downstreamClosed(at now: Instant, port: inout Port) {}
}

/// A client event after the checks that every provider shares.
public struct IncomingEvent: Sendable {
  public var header: EventHeader
  /// The whole event.
  public var value: JSONValue
  /// Its bytes as they came, for providers that speak the same language.
  public var message: ByteBuffer

  public var type: ClientEventType { header.type }

  public init(header: EventHeader, value: JSONValue, message: ByteBuffer) {
    self.header = header
    self.value = value
    self.message = message
  }

  /// One of the gateway's own, without fields.
  public init(_ type: ClientEventType) {
    header = EventHeader(type: type, eventID: nil)
    value = ["type": .string(type.rawValue)]
    message = ByteBuffer()
    value.write(into: &message)
  }
}

/// One append's audio, still as base64 text.
public struct AudioChunk: Sendable {
  /// The base64 text, standard alphabet and padding.
  public var base64: ByteBuffer
  /// The number of bytes the text stands for: whole samples.
  public var decodedByteCount: Int
  /// The client's whole event with the audio in standard form, as a provider of the same language takes it: the bytes
  /// that came, unless the audio had to be normalised.
  public var event: ByteBuffer

  public init(base64: ByteBuffer, decodedByteCount: Int, event: ByteBuffer) {
    self.base64 = base64
    self.decodedByteCount = decodedByteCount
    self.event = event
  }
}

/// What a provider sent that ends the session.
public enum TranslationFault: Error, Sendable, Hashable {
  /// Not a JSON object, or a known field of the wrong kind.
  case malformedMessage(String)
  /// A message that may not come at this point.
  case unexpectedMessage(String)
  /// The provider said so itself, as an error message rather than a close frame.
  case refused(UpstreamVerdict)
}

/// What an upstream failure means to the client: the `error` event and the close code that follows it.
public struct UpstreamVerdict: Error, Sendable, Hashable {
  /// Whether the same call may succeed if it is made again: close code 1013, otherwise 1014 (fault table, section 6).
  public enum Outlook: Sendable, Hashable {
    case mayRecover
    case isFinal
    /// The provider ended the session as agreed: close code 1000 and no error.
    case isComplete
  }

  /// `server_error`, or `invalid_request_error` where the client's own values were refused.
  public var type: String
  public var code: String
  public var message: String
  public var param: String?
  /// The client's event that asked for what was refused, where that is known.
  public var eventID: String?
  public var outlook: Outlook

  public init(
    type: String = "server_error", code: String, message: String, param: String? = nil, outlook: Outlook
  ) {
    self.type = type
    self.code = code
    self.message = message
    self.param = param
    self.outlook = outlook
  }
}
