public import Envelope
import Metering
import NIOCore
public import Translation

import Audio

/// A session with Gemini Live: text and spoken turns, the service's own voice detection, ours, or the client's commits,
/// function calls, transcripts, usage, barge-in, and a call that outlives its connections.
///
/// The service has no `response.create`: it answers by itself. So a request of the client and an answer of the service
/// are two things here, matched when the first output comes. It also forgets nothing and cannot be configured anew: where
/// the client may do so, the connection is replaced by one that goes on from its handle, or that is told the conversation
/// as the mirror has it (`Renewal`).
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
    /// It fails then; nil while it waits for the client.
    var deadline: Instant?
    /// Only audio was sent for it, in which there may be no speech.
    var dependsOnAudio = false
    /// The model is asked to speak then, if audio alone did not make it.
    var cueAt: Instant?
    /// What was sent for it, to be sent again if the connection is lost before the answer begins.
    var entries: [Pending.Entry] = []
    /// It waits for the results of calls.
    var awaitsResults = false
    /// Connections that were lost over it.
    var losses = 0
  }

  /// What the service's current turn is to us.
  struct Turn: Sendable {
    /// Text was sent and its answer has not ended.
    var answersText = false
    /// The client, or our detector, committed audio since the last answer.
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
    /// An owed end came while an answer was live or awaited: if nothing more is said by then, it was that answer's.
    var endsIfSilentAt: Instant?
    /// Context went up that no turn has been completed over.
    var hasOpenContext = false
    /// A call was made in this turn: ends without output that follow are the call's, not an answer's.
    var hasCalled = false
    /// The model thinks on after it spoke: silence until then ends the answer.
    var thinksUntil: Instant?
    /// An answer that has begun and of which nothing more has come by then is over (fault row 47).
    var stallsAt: Instant?
    /// The tokens of what came before a call; the answer to the results has them if it has none of its own.
    var usageBeforeResults: Usage?
    /// Results that nobody asked about went up: the answer to them is discarded, unless somebody asks by then.
    var answersResults = false
    /// The committed audio counts as answered then: there may have been no speech in it.
    var committedUntil: Instant?
    /// Calls of this answer are refused, whatever was declared.
    var refusesCalls = false
  }

  let configuration: GeminiLiveConfiguration
  public internal(set) var session: RealtimeSession
  var connection = Connection.closed
  var isSettled = false
  /// The client has begun, and what it says first may still belong into the set-up.
  var settledAt: Instant?
  /// There has been a connection that worked: from then on the call outlives its loss.
  var hasBegun = false
  /// The set-up that the connection has, and the session that it was made for.
  var setUp: SetUp?
  var setUpSession: RealtimeSession
  /// The last session that the service accepted.
  var workingSession: RealtimeSession
  var renewal = Renewal()
  /// Messages of the role `system` that came before the set-up.
  var systemNotes: [(itemID: String, text: String)] = []

  var conversation: Conversation
  var timeline = ResponseTimeline()
  var pending = Pending()
  var request: Request?
  var turn = Turn()
  var tools = ToolRound()
  var sides: [SideCall] = []
  var sideCount = 0

  var speech: SpeechTurn?
  /// The position in the client's audio where `speech` began.
  var speechFromMs = 0
  /// How long before `speechFromMs` the user may have begun to speak; nil where nothing is known of it.
  var speechLagMs: Int?
  /// If nothing follows it, it ends then.
  var speechEndsAt: Instant?
  var clock = AudioClock()
  /// The time in `clock` when the format last changed was this.
  var clockBaseMs = 0
  /// Where the audio of the connection begins, in the client's audio: the service counts from there.
  var streamFromMs = 0
  /// Up to here the audio belongs to an earlier turn.
  var heardFromMs = 0 { didSet { silenceBeforeMs = 0 } }
  /// Before `heardFromMs`: an answer comes after a silence, and what was on its way meanwhile is in no turn.
  var silenceBeforeMs = 0
  var uplinkAudio: UplinkAudio
  /// The position of the client's audio that came within the last second, and when that is over.
  var freshFromMs = 0
  var freshUntil: Instant?
  /// When the client last sent audio.
  var lastAudioAt: Instant?
  /// What waits in it for more goes up then.
  var restAt: Instant?
  /// What the service was sent last; and, while there is no connection, up to where it was sent, and how much of it the
  /// next one hears again.
  var recentAudio = RecentAudio()
  /// What the connection that is set up is told of the conversation; and as turns, where it has them for itself.
  var told: [Item] = []
  var seed: [Content] = []
  /// Audio of a turn that the service does not end itself.
  var buffered = ManualAudio()
  /// Finds turns where the service's own detection cannot be used.
  var detector: (any TurnDetector)?
  var detectorFromMs = 0
  /// The detection for which content is held, where the session has another one since.
  var heldDetection: TurnDetection?

  /// Brings the service's speech into the format that the live answer is heard in; nil where it has it.
  var transcoder: AudioTranscoder?
  var spoken = SpokenAnswer()
  var idleAt: Instant?
  var idleFromMs = 0
  public internal(set) var skippedMessages = 0
  /// Not while the service is not read.
  var silenceMatters = true
  /// When the last answer ended.
  var quietSince: Instant?
  /// When it was last decided whether the connection is to be replaced; what came true since is still to be looked at.
  var lastNow: Instant?

  public init(configuration: GeminiLiveConfiguration, session: RealtimeSession, conversationID: String) {
    self.configuration = configuration
    self.session = session
    conversation = Conversation(id: conversationID)
    uplinkAudio = UplinkAudio(session.audio.input.format)
    setUpSession = session
    workingSession = session
    self.session.model = configuration.known(model: session.model) ?? configuration.model
    setUpSession = self.session
    workingSession = self.session
  }

  /// Of the model that the connection has, which the session may have left by now.
  var traits: ModelTraits {
    let isSetUp = connection == .settingUp || connection == .ready
    return configuration.traits(of: (isSetUp ? setUpSession : session).model)
  }
  var isManual: Bool { session.audio.input.turnDetection == nil }

  /// Whether our own detector finds the turns: the service's answers every turn that it finds.
  var detectsTurns: Bool { session.audio.input.turnDetection?.createResponse == false }

  /// Whether the service is told where turns begin and end.
  var ownsTurns: Bool { session.ownsTurns }

  /// The position in the client's audio.
  var heardMs: Int { clockBaseMs + clock.milliseconds }

  public var bytesPerSample: Int {
    if case .pcm = session.audio.input.format { PCM16.bytesPerSample } else { G711.bytesPerSample }
  }

  public var inputFormat: AudioFormat { session.audio.input.format }

  public func upstream() -> Upstream { .socket(configuration.target()) }

  // MARK: Time

  /// Asked for after every message: no array, no allocation.
  public var deadline: Instant? {
    var earliest = turn.releaseAt
    Self.consider(setUpBy, &earliest)
    if silenceMatters { considerSilence(&earliest) }
    Self.consider(tools.deliverAt, &earliest)
    Self.consider(idleAt, &earliest)
    Self.consider(restAt, &earliest)
    Self.consider(speechEndsAt, &earliest)
    Self.consider(renewalDeadline, &earliest)
    if silenceMatters { for side in sides { Self.consider(side.deadline, &earliest) } }
    return earliest
  }

  /// Messages of the role `system` that come first come in a row.
  private var setUpBy: Instant? {
    settledAt.map { systemNotes.isEmpty ? $0 : $0 + Limits.systemNotesGathering }
  }

  @inline(__always)
  private static func consider(_ candidate: Instant?, _ earliest: inout Instant?) {
    guard let candidate else { return }
    earliest = earliest.map { min($0, candidate) } ?? candidate
  }

  public mutating func timeReached(at now: Instant, port: inout Port) {
    if let at = setUpBy, now >= at { endConfiguration(at: now, port: &port) }
    if let at = restAt, now >= at { flushUplink(port: &port) }
    if let at = turn.releaseAt, now >= at { releaseAnswer(at: now, port: &port) }
    if silenceMatters { silenceLasted(at: now, port: &port) }
    if let at = tools.deliverAt, now >= at { deliverUnasked(at: now, port: &port) }
    if let at = idleAt, now >= at { idled(at: now, port: &port) }
    if let at = speechEndsAt, now >= at { speechWasSilent(at: now, port: &port) }
    for line in sides.filter({ silenceMatters && now >= $0.deadline }).map(\.line) {
      sideTimedOut(line, port: &port)
    }
    if let at = renewal.redialAt, now >= at { redial(at: now, port: &port) }
    renewIfPossible(at: now, port: &port)
  }

  /// What follows from it that the service has said nothing for a while.
  private mutating func silenceLasted(at now: Instant, port: inout Port) {
    if let until = turn.discardUntil, now >= until { stopDiscarding() }
    if let at = turn.endsIfSilentAt, now >= at {
      turn.endsIfSilentAt = nil
      if request != nil, !timeline.isLive { beginAnswer(port: &port) }
      finishAnswer(.completed, at: now, port: &port)
    }
    if let at = turn.committedUntil, now >= at {
      turn.committedUntil = nil
      if !timeline.isLive, request == nil { turn.isCommitted = false }
    }
    if let at = turn.stallsAt, now >= at { stalled(at: now, port: &port) }
    if let at = turn.thinksUntil, now >= at { finishAnswer(.completed, at: now, port: &port) }
    if let at = request?.cueAt, now >= at {
      request?.cueAt = nil
      turn.answersText = true
      port.marks.add(.handedOver)
      send(Uplink.cue(traits), port: &port)
    }
    if let at = request?.deadline, now >= at { requestTimedOut(at: now, port: &port) }
  }

  /// The instants at which the service's silence means something. Asked for with every frame: no array of them.
  private func considerSilence(_ earliest: inout Instant?) {
    Self.consider(turn.discardUntil, &earliest)
    Self.consider(turn.endsIfSilentAt, &earliest)
    Self.consider(turn.thinksUntil, &earliest)
    Self.consider(turn.stallsAt, &earliest)
    Self.consider(turn.committedUntil, &earliest)
    Self.consider(request?.cueAt, &earliest)
    Self.consider(request?.deadline, &earliest)
  }

  public mutating func upstreamIsHeldBack(_ isHeld: Bool, at now: Instant) {
    silenceMatters = !isHeld
    guard silenceMatters else { return }
    // What it has said meanwhile comes now.
    let soonest = now + Limits.heardAgainTimeout
    func postpone(_ instant: inout Instant?) { instant = instant.map { max($0, soonest) } }
    for index in sides.indices { sides[index].deadline = max(sides[index].deadline, soonest) }
    postpone(&turn.discardUntil)
    postpone(&turn.endsIfSilentAt)
    postpone(&turn.thinksUntil)
    postpone(&turn.stallsAt)
    postpone(&turn.committedUntil)
    guard var request else { return }
    postpone(&request.cueAt)
    postpone(&request.deadline)
    self.request = request
  }

  private mutating func requestTimedOut(at now: Instant, port: inout Port) {
    if request?.awaitsResults == true {
      tools.forgetOwed()
      return sendResults(at: now, port: &port)
    }
    failRequest(
      code: "upstream_timeout", message: "The provider did not begin an answer in time.", at: now, port: &port)
  }

  /// Ends a request that got no answer with a response of its own, so that a client that waits for one goes on.
  mutating func failRequest(code: String, message: String, at now: Instant, port: inout Port) {
    guard request != nil else { return }
    beginAnswer(port: &port)
    finishAnswer(.failed(code: code, message: message), at: now, port: &port)
  }

  func send(_ message: ClientMessage, port: inout Port) {
    port.send(.control) { message.write(into: &$0) }
  }

  // MARK: End

  public var isMidTurn: Bool { timeline.isLive || request != nil || turn.isCommitted || !sides.isEmpty }

  public var isInTurn: Bool {
    isMidTurn || speech != nil || tools.isOpen || tools.isOwed
      || (session.audio.input.turnDetection == nil && !buffered.isEmpty) || conversation.awaitsCallResult
  }

  /// A call that nobody will answer any more is not left dangling (fault row 54).
  public mutating func downstreamClosed(at now: Instant, port: inout Port) {
    // No response will show them.
    for usage in [turn.usage, turn.usageBeforeResults].compactMap(\.self) + sides.compactMap(\.usage) {
      port.meter.count(usage)
    }
    guard connection == .ready, tools.isOpen else { return }
    send(
      ClientMessage(toolResponse: ToolResponse(functionResponses: tools.take(otherwise: "cancelled"))), port: &port)
  }

  public mutating func upstreamEnded(_ verdict: UpstreamVerdict, at now: Instant, port: inout Port) {
    connection = .closed
    idleAt = nil
    if speech?.isCommitted == true { finishSpeech(port: &port) }
    releaseAnswer(at: now, port: &port)
    if request != nil { beginAnswer(port: &port) }
    finishAnswer(.failed(code: verdict.code, message: verdict.message), at: now, port: &port)
    if let unshown = turn.usageBeforeResults { port.meter.count(unshown) }
    turn.usageBeforeResults = nil
    for side in sides {
      endSide(side.line, .failed(code: verdict.code, message: verdict.message), port: &port)
    }
  }
}
