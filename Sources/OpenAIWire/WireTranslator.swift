import Audio
public import Envelope
import NIOCore
public import Translation

/// A session with any service of the OpenAI wire: what needs no change crosses as bytes, what deviates is mended, and the
/// conversation is mirrored, so that the call outlives its connections (R273).
///
/// The service's `session.created` is kept back (the client has had Parley's), so is an `error` before it, and session
/// objects carry Parley's id. The rest of the differences is the ``WireService``'s.
public struct WireTranslator: Translator {
  /// Phases of the connection and their successors.
  enum Connection: Sendable {
    /// Not yet asked for. -> settingUp
    case none
    /// Open; told what the session is. -> ready, lost
    case settingUp
    /// Takes content. -> lost
    case ready
    /// -> settingUp
    case lost
  }

  /// Something of the client that the service has not acknowledged; it is said again if the connection is lost before.
  struct Awaited: Sendable {
    enum Kind: Sendable, Equatable {
      case item(id: String?)
      /// A commit without turn detection.
      ///
      /// - itemID: by which the client knows the turn already.
      case turn(itemID: String?)
      case deletion(id: String)
      case response
    }

    var kind: Kind
    /// What the client called it; nil if it gave no name.
    var eventID: String?
    /// What the service calls it in an error.
    var frameID: String?
    var message: ByteBuffer
    /// Items of the client that the message tells of.
    var itemIDs: [String] = []
    /// Not: it waits in the port.
    var isSent: Bool
    var isRepeated = false
    /// Of a response: the commit before it asks for it; the message was not sent.
    var isDrawn = false
    /// Of a response: when it was asked for.
    var since: Instant?
  }

  let service: any WireService
  let traits: WireTraits
  let isStrict: Bool
  /// The service knows its model by the address that was dialled.
  var hasDialled: Bool

  /// As it is once everything under way is confirmed.
  public internal(set) var session: RealtimeSession
  var updates: SessionUpdates
  var conversation: Conversation
  var mender: EventMender

  var connection = Connection.none
  /// The connections that there have been.
  var openedCount = 0
  /// The service has said something that is no error.
  var isGreeted = false
  /// A connection has worked once: from then on its loss is survived.
  var hasWorked = false
  var schedule = RedialSchedule(
    delays: Limits.redialDelays, budget: Limits.redialBudget, steadyAge: Limits.steadyAge)
  var redialAt: Instant?
  /// When the connection has grown old.
  var renewAt: Instant?
  /// The service remembers what the client has deleted: it is told the conversation anew before the next response.
  var isStale = false
  /// The service's own id of the conversation.
  var conversationID: String?
  var isResuming = false

  var hearing = WireHearing()
  var upload: WireUpload
  var flushAt: Instant?
  /// When the user's transcript is taken for whole.
  var transcriptAt: Instant?
  var idleAt: Instant?
  var idleFromMs = 0
  /// When a response that is open counts as given up by the service (fault row 47).
  var stallsAt: Instant?
  /// Open responses that the client has cancelled.
  var cancelledResponses: [String] = []
  /// The service is not read, and so it cannot be heard.
  var isHeldBack = false
  /// An answer has ended that lasts so long to the ear.
  var idlePlaybackMs: Int?
  /// Nil where Opus cannot be decoded.
  let decodeRecording: RecordingDecoder?
  /// Between the service's audio and the client's, where they differ.
  var download: AudioTranscoder?
  var speech = SpokenLengths()
  /// What the client hears the live response in.
  var liveFormat: AudioFormat
  /// The open responses that have a format of their own.
  var ownFormats: [String: AudioFormat] = [:]
  /// What responses may have cost that ended without the service's word on it; it may come yet.
  var estimates = Remembered<Usage>()

  var awaited: [Awaited] = []
  /// Frames of Parley's own, by their `event_id`: what is wrong with them is not the client's business.
  var ownFrames: [String: OwnFrame] = [:]
  /// Items that the service acknowledges and the client knows already.
  var hiddenItems: Set<String> = []
  /// The service's ids of items that the client knows by others.
  var itemIDs = Remembered<String>()
  /// What the service is going to acknowledge, or to tell, of older connections.
  var toldAgain: [ToldAgain] = []
  /// Items of the user that would draw an answer each; they go up with the next `response.create`.
  var keptItems: [JSONObject] = []
  /// Their JSON; bounded with what the service has not acknowledged.
  var keptBytes = 0
  /// Recorded speech that is streamed in with the next `response.create`.
  var keptRecordings: [KeptRecording] = []
  /// Items of recorded speech: no client expects to be told what was said in them.
  var recordedItems = Remembered<Bool>()
  /// Items of turns that the client has committed and the service would answer at once: it is told of them with the next
  /// `response.create`, as one.
  var keptTurns: [String] = []

  /// - Parameters:
  ///   - isModelKnown: the client named the model in the address, and the service is dialled with it at once.
  ///   - isStrict: fields without a counterpart are refused (Q23).
  ///   - passesVendorEvents: the client asked for the service's foreign events (Q19).
  public init(
    service: any WireService, session: RealtimeSession, conversationID: String, isModelKnown: Bool = false,
    isStrict: Bool = false, passesVendorEvents: Bool = false, decodeRecording: RecordingDecoder? = nil
  ) {
    self.service = service
    self.decodeRecording = decodeRecording
    self.isStrict = isStrict
    hasDialled = isModelKnown
    var traits = service.traits
    if !passesVendorEvents { traits.mending.vendorEvents = [] }
    traits.mending.speaksPCMOnly = !traits.takesG711
    self.traits = traits
    mender = EventMender(traits.mending)
    conversation = Conversation(id: conversationID)
    mender.conversationID = conversationID
    var session = session
    service.begin(&session)
    _ = try? service.makeEffective(&session)
    self.session = session
    liveFormat = session.audio.output.format
    updates = SessionUpdates(session)
    upload = WireUpload(traits.pieces, format: session.audio.input.format, takesG711: traits.takesG711)
  }

  public func upstream() -> Upstream {
    .socket(service.target(session, resuming: isResuming ? conversationID : nil, opened: openedCount))
  }

  public var bytesPerSample: Int {
    session.audio.input.format.law == nil && updates.confirmed.audio.input.format.law == nil
      ? PCM16.bytesPerSample : G711.bytesPerSample
  }

  public var inputFormat: AudioFormat { session.audio.input.format }

  public var isMidTurn: Bool {
    mender.isMidTurn || awaited.contains { $0.kind == .response }
  }

  public var isInTurn: Bool {
    isMidTurn || !awaited.isEmpty || hearing.speechItemID != nil || hearing.isUnanswered
      || (session.audio.input.turnDetection == nil && hearing.buffered > 0) || conversation.awaitsCallResult
      || (session.type == .transcription && conversation.awaitsWords)
  }

  public var skippedMessages: Int { mender.unknownEvents }

  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? { service.verdict(on: end) }

  // MARK: Time

  public var deadline: Instant? {
    // Asked for with every frame: no array of them.
    var earliest = redialAt
    func consider(_ instant: Instant?) {
      if let instant { earliest = earliest.map { min($0, instant) } ?? instant }
    }
    consider(flushAt)
    if !isHeldBack { consider(transcriptAt) }
    consider(idleAt)
    consider(responseDue)
    consider(stallsAt)
    if connection == .ready, isQuiet { consider(renewAt) }
    return earliest
  }

  public mutating func timeReached(at now: Instant, port: inout Port) {
    if let due = flushAt, now >= due { flushUpload(port: &port) }
    if let due = transcriptAt, now >= due, !isHeldBack { transcriptTimeout(port: &port) }
    if let due = redialAt, now >= due {
      redialAt = nil
      port.redial(upstream(), closing: false)
    }
    if let due = idleAt, now >= due { idleTimeout(port: &port) }
    if let due = responseDue, now >= due { responseTimeout(port: &port) }
    if let due = stallsAt, now >= due { responseStalled(at: now, port: &port) }
    renewIfDue(at: now, port: &port)
  }

  // MARK: End

  public mutating func upstreamEnded(_ verdict: UpstreamVerdict, at now: Instant, port: inout Port) {
    closeOpenResponses(verdict, port: &port)
    redialAt = nil
    renewAt = nil
    flushAt = nil
    transcriptAt = nil
    idleAt = nil
    stallsAt = nil
    awaited = []
  }

  /// Ends the responses that a lost connection left open, and their items, so that the client does not wait for them.
  mutating func closeOpenResponses(_ verdict: UpstreamVerdict, port: inout Port) {
    for event in mender.closeAll(verdict, cancelled: cancelledResponses) {
      if observe(event, port: &port) { tell(event, port: &port) }
    }
    cancelledResponses = []
    stallsAt = nil
  }

  // MARK: Out

  /// Sends an event to the client; one of ours gets an id.
  func tell(_ event: JSONObject, port: inout Port) {
    var event = event
    if event["event_id"]?.string == nil { event["event_id"] = .string(port.ids.next(.event)) }
    meterTold(event, port: &port)
    port.outbox.downstream.append(Self.lane(of: event)) { event.write(into: &$0) }
  }

  static func lane(of event: JSONObject) -> MessageQueue.Lane {
    event["type"] == "response.output_audio.delta" ? .audio : .control
  }

  /// Sends content to the service.
  func send(_ event: JSONObject, port: inout Port) {
    let event = traits.vocabulary == .beta ? BetaWire.clientEvent(fromGA: event) : event
    port.send(.control) { event.write(into: &$0) }
  }
}

/// A frame that the client did not send.
enum OwnFrame: Sendable, Equatable {
  /// Part of what a connection is told.
  case replay
  /// Of an event that is answered here: the service's refusal of it is nobody's.
  case shadow
  /// The client's `response.cancel`, and what the client called it.
  case cancel(eventID: String?, wasOpen: Bool)
}

/// Waits and bounds.
enum Limits {
  /// Before each attempt to get a lost connection back, and how long that may take in all.
  static let redialDelays: [Duration] = [
    .milliseconds(100), .milliseconds(500), .seconds(1), .seconds(2), .seconds(4),
  ]
  static let redialBudget = Duration.seconds(30)
  /// A connection that stood for so long was a good one.
  static let steadyAge = Duration.seconds(10)
  /// From before a position where speech is known to begin.
  static let replayedBeforeSpeechMs = 300
  /// What a new connection hears again at least where nothing is known of speech.
  static let replayedMs = 500
  /// Audio that is kept for that.
  static let recentAudioMs = 5_000
  /// The same where the client ends its turns itself.
  static let manualAudioMs = 30_000
  /// The shortest audio that can be committed.
  static let shortestCommitMs = 100
  /// How long a response that was asked for may take to begin; some services drop what they will not answer.
  static let responseTimeout = Duration.seconds(30)
  /// How long the service may be silent in a response. Some think, or use tools of their own, in one that they have begun.
  static let stallTimeout = Duration.seconds(60)
  /// The same in a response that the client has cancelled.
  static let cancelTimeout = Duration.seconds(5)
  /// How long a rest of audio waits for more.
  static let restTimeout = Duration.milliseconds(100)
  /// How long a transcript that may grow is waited for.
  static let transcriptTimeout = Duration.milliseconds(500)
  /// Base64 of recordings that wait for a response: ten minutes.
  static let keptRecordingBytes = 38_400_000
  /// Updates of a session that may be unanswered.
  static let pendingUpdates = 100
  /// Of what the service has not acknowledged, before the last of it.
  static let awaitedBytes = 4 << 20
  /// Ids and lengths that are remembered of items.
  static let rememberedItems = 2_000
}
