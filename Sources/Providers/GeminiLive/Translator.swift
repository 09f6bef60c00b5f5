public import Envelope
import NIOCore
public import Translation

import Audio

/// A session with Gemini Live (AI Studio): text turns, spoken turns with the service's own voice detection or the client's
/// commits, transcripts, usage, and barge-in.
///
/// The service has no `response.create`: it answers by itself. So a request of the client and an answer of the service
/// are two things here, matched when the first output comes.
public struct GeminiLiveTranslator: Translator {
  /// How far the connection is.
  enum Connection: Sendable, Equatable {
    case closed
    case open
    case settingUp
    case ready
  }

  /// A `response.create` whose answer has not begun.
  struct Request: Sendable {
    var options: ResponseOptions?
    /// It fails then.
    var deadline: Instant
    /// Only audio was sent for it, in which there may be no speech.
    var dependsOnAudio = false
    /// The model is asked to speak then, if audio alone did not make it.
    var cueAt: Instant?
  }

  /// What the service's current turn is to us.
  struct Turn: Sendable {
    /// Text was sent and its answer has not ended.
    var answersText = false
    /// Bytes of audio that the service heard since the last answer.
    var heardByteCount = 0
    /// The client committed audio since the last answer.
    var isCommitted = false
    /// Generation is complete; `response.done` waits for the usage until then.
    var releaseAt: Instant?
    var usage: Usage?
    /// The client cancelled: output is dropped until the turn ends, or until this instant.
    var discardUntil: Instant?
    /// What is discarded had not begun to speak when it was cancelled.
    var discardsUnbegun = false
    /// The client has had the end of an answer whose own `turnComplete` is still to come.
    var owesEnd = false
    /// An owed end came while an answer was live: if nothing more is said by then, it was that answer's after all.
    var endsIfSilentAt: Instant?
    /// Context went up that no turn has been completed over.
    var hasOpenContext = false

    var heardMilliseconds: Int { heardByteCount / Limits.bytesPerMillisecond }
  }

  let configuration: GeminiLiveConfiguration
  public internal(set) var session: RealtimeSession
  var connection = Connection.closed
  var isSettled = false
  var conversation: Conversation
  var timeline = ResponseTimeline()
  /// Message items that the service has not seen, and the bytes of their JSON.
  var pending: [Item] = []
  var pendingByteCount = 0
  var request: Request?
  var turn = Turn()
  var speech: SpeechTurn?
  var clock = AudioClock()
  /// Audio of a client that ends its turns itself, as finished messages: what is appended, and what is committed.
  var buffered = ManualAudio()
  var committed = ManualAudio()

  public init(configuration: GeminiLiveConfiguration, session: RealtimeSession, conversationID: String) {
    self.configuration = configuration
    self.session = session
    conversation = Conversation(id: conversationID)
    self.session.model = Self.knownModel(session.model, configuration)
  }

  /// One that the service cannot know becomes the configured one (Q16).
  static func knownModel(_ name: String, _ configuration: GeminiLiveConfiguration) -> String {
    configuration.known(model: name) ?? configuration.model
  }

  var model: String { session.model }
  var traits: ModelTraits { ModelTraits.of(model) }
  var isManual: Bool { session.audio.input.turnDetection == nil }

  public func upstream() -> Upstream {
    .socket(configuration.target())
  }

  // MARK: Set-up

  public mutating func configurationSettled(at now: Instant, port: inout Port) {
    isSettled = true
    sendSetup(port: &port)
  }

  public mutating func upstreamOpened(at now: Instant, port: inout Port) {
    connection = .open
    sendSetup(port: &port)
  }

  private mutating func sendSetup(port: inout Port) {
    guard isSettled, connection == .open else { return }
    connection = .settingUp
    let message = ClientMessage(setup: Uplink.setup(session, model: model, traits: traits))
    port.sendSetUp { message.write(into: &$0) }
  }

  // MARK: Time

  /// Asked for after every message: no array, no allocation.
  public var deadline: Instant? {
    var earliest = turn.releaseAt
    Self.consider(turn.discardUntil, &earliest)
    Self.consider(turn.endsIfSilentAt, &earliest)
    Self.consider(request?.cueAt, &earliest)
    Self.consider(request?.deadline, &earliest)
    return earliest
  }

  @inline(__always)
  private static func consider(_ candidate: Instant?, _ earliest: inout Instant?) {
    guard let candidate else { return }
    earliest = earliest.map { min($0, candidate) } ?? candidate
  }

  public mutating func timeReached(at now: Instant, port: inout Port) {
    if let until = turn.discardUntil, now >= until { stopDiscarding() }
    if let at = turn.releaseAt, now >= at { releaseAnswer(port: &port) }
    if let at = turn.endsIfSilentAt, now >= at { finishAnswer(.completed, port: &port) }
    if let at = request?.cueAt, now >= at {
      request?.cueAt = nil
      turn.answersText = true
      send(Uplink.cue(traits), port: &port)
    }
    if let at = request?.deadline, now >= at {
      failRequest(code: "upstream_timeout", message: "The provider did not begin an answer in time.", port: &port)
    }
  }

  /// Ends a request that got no answer with a response of its own, so that a client that waits for one goes on.
  mutating func failRequest(code: String, message: String, port: inout Port) {
    guard request != nil else { return }
    beginAnswer(port: &port)
    finishAnswer(.failed(code: code, message: message), port: &port)
  }

  // MARK: Answers

  /// Opens the response that output belongs to: the one that was asked for, or one of the service's own accord.
  mutating func beginAnswer(port: inout Port) {
    let options = request?.options
    request = nil
    let isText = (options?.outputModalities ?? session.outputModalities) == [.text]
    timeline.begin(
      form: isText ? .text : .audio, session: session, options: options, conversation: conversation, port: &port)
  }

  /// Ends the live response with the usage that is known.
  mutating func finishAnswer(_ ending: ResponseTimeline.Ending, port: inout Port) {
    timeline.finish(ending, usage: turn.usage, &conversation, port: &port)
    turn.releaseAt = nil
    turn.endsIfSilentAt = nil
    turn.usage = nil
    turn.answersText = false
  }

  /// Ends a response that is complete but for the service's `turnComplete`, which comes when playback would have ended.
  mutating func releaseAnswer(port: inout Port) {
    guard turn.releaseAt != nil else { return }
    finishAnswer(.completed, port: &port)
    turn.owesEnd = true
  }

  /// What was cancelled is over; its `turnComplete` may still come.
  mutating func stopDiscarding() {
    turn.discardUntil = nil
    turn.discardsUnbegun = false
    turn.owesEnd = true
  }

  func send(_ message: ClientMessage, port: inout Port) {
    port.send(.control) { message.write(into: &$0) }
  }

  // MARK: End

  public var isMidTurn: Bool { timeline.isLive || request != nil || turn.isCommitted }

  public mutating func upstreamEnded(_ verdict: UpstreamVerdict, at now: Instant, port: inout Port) {
    connection = .closed
    if speech?.isCommitted == true { finishSpeech(port: &port) }
    releaseAnswer(port: &port)
    if request != nil { beginAnswer(port: &port) }
    finishAnswer(.failed(code: verdict.code, message: verdict.message), port: &port)
  }
}
