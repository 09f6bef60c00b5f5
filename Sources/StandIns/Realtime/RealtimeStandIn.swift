import Envelope

/// A strict service that speaks the vocabulary of OpenAI Realtime, in the accent of one of its vendors: one value per
/// connection.
///
/// Every frame of the client is held against the service's field table. What the service is known to refuse is answered
/// as the service does, with nothing of it applied, and noted in the record as a violation. Every turn is answered by a
/// tone and the words "You said: …"; some texts make it do something else, see `StandInTrigger`.
public struct RealtimeStandIn: StandInScript {
  public struct Options: Sendable {
    public var service = RealtimeService.openAI
    /// The key to ask for; nil accepts any client, also one without a credential.
    public var key: String?
    /// Bearer tokens that Azure takes beside the key; those that the stand-in has issued are taken too.
    public var bearers: [String] = []
    /// The models that exist; nil for any.
    public var models: [String]?
    /// The time between two events of an answer; zero sends an answer in one go.
    public var answerInterval = Duration.zero
    /// `silence_duration_ms` of a new session; nil for the service's own.
    public var silenceMilliseconds: Int?
    /// What every spoken turn is heard as.
    public var transcription = "what time is it"
    /// The end of the session, in seconds since 1970; `StandInService` sets it to an hour from the connection.
    public var expiresAt = 4_102_444_800
    /// The session ends after that time as one that has reached its maximum.
    public var lifetime: Duration?
    /// How many connections a token may open; nil for any number.
    public var tokenUses: Int?
    /// Parts of 100 ms in the answer to "tell me a long story", and the time between them.
    public var storyFrames = 100
    public var storyInterval = Duration.milliseconds(30)
    /// xAI never finishes a response that the user interrupts.
    public var abandonsResponses = false
    /// What Inworld does though nobody would expect it.
    public var quirks = InworldQuirk.usual
    /// The seed of all ids; nil for a different one in each session.
    public var seed: UInt64?

    public init() {}
  }

  let options: Options
  let memory: RealtimeMemory
  var accent: any RealtimeAccent
  var ids: StandInIDs
  var session: JSONObject = [:]
  /// A session that transcribes and never answers.
  var isTranscription = false
  /// Sent instead of `session.created`, with the close that follows it.
  private var fatal: RealtimeFault?
  private var isDropped = false
  private var isClosed = false
  private var alarms: [StandInAlarm] = []

  var conversationID = ""
  var items: [JSONObject] = []
  /// The sound of the items that have some, by id, in the format of their time.
  var sounds: [String: Sound] = [:]
  var buffer = Sound()
  var detector = SpeechDetector(silenceMilliseconds: 0)
  /// The id of the item that the speech in progress will become.
  var speechItemID: String?
  /// Speech that is not announced yet.
  var lateSpeech: (id: String, position: Int)?
  var heardSpeech = false
  var responses: [RunningResponse] = []
  var hasSpoken = false
  /// The newest input is committed sound that has been answered.
  var isSoundAnswered = false
  /// What the user wants spoken turns to be heard as.
  var phrase: String?
  var hasGreeted = false
  /// The client has sent a `session.update`.
  private var isConfigured = false
  /// Counts what ends a silence, so that an old alarm is known as one.
  var activity = 0

  public init(options: Options = Options(), memory: RealtimeMemory = RealtimeMemory()) {
    self.options = options
    self.memory = memory
    accent = OpenAIAccent(isAzure: false)
    ids = StandInIDs(seed: options.seed)
  }

  var manners: RealtimeManners { accent.manners }

  // MARK: Connection

  public mutating func judge(_ request: StandInRequest) -> StandInVerdict {
    let admission: RealtimeAdmission
    switch options.service.admit(request, options, memory) {
    case .refused(let status, let reason): return .refuse(status: status, reason: reason)
    case .fatal(let fault):
      fatal = fault
      return .upgrade(subprotocol: RealtimeAdmission.subprotocol(request))
    case .admitted(let it): admission = it
    }
    accent = admission.accent
    isTranscription = admission.isTranscription
    ids.usesUUIDs = manners.usesUUIDs
    isDropped = memory.takeDrop()
    conversationID = admission.conversationID ?? ids.next("conv")
    let start = RealtimeStart(
      id: manners.usesUUIDs ? ids.uuid(hyphens: false) : ids.next("sess"), model: admission.model,
      isTranscription: isTranscription, claims: admission.claims, options: options)
    session = accent.newSession(start)
    detector = SpeechDetector(silenceMilliseconds: silence)
    return .upgrade(subprotocol: RealtimeAdmission.subprotocol(request))
  }

  public mutating func answer(_ call: StandInCall) -> StandInAnswer? {
    options.service.answer(call, options, memory)
  }

  public mutating func begin() -> [StandInFrame] {
    if let fatal {
      isClosed = true
      return refusal(fatal, eventID: nil, type: nil)
    }
    if isDropped {
      isClosed = true
      return [.abort]
    }
    if session["initial_greeting_prompt"] != nil { setAlarm("greeting", after: 250) }
    if let lifetime = options.lifetime { alarms.append(StandInAlarm("lifetime", after: lifetime)) }
    let opening = accent.opening(conversationID: conversationID).flatMap { event in
      send(event.withID(&ids))
    }
    return tell("session.created", ["session": .object(session)]) + opening
  }

  public var pause: Duration? {
    guard !isClosed, let index = responses.firstIndex(where: { !$0.steps.isEmpty }) else {
      return nil
    }
    return max(options.answerInterval, responses[index].interval)
  }

  public mutating func advance() -> [StandInFrame] {
    advanceResponses()
  }

  public mutating func takeAlarms() -> [StandInAlarm] {
    defer { alarms = [] }
    return alarms
  }

  public mutating func ring(_ alarm: StandInAlarm) -> [StandInFrame] {
    guard !isClosed else { return [] }
    return switch alarm.name {
    case "lifetime": expire()
    case "greeting": greet()
    default: idle(alarm.name)
    }
  }

  public mutating func connectionEnded() {
    memory.keep(items, of: conversationID)
  }

  public mutating func receive(_ message: StandInMessage) -> [StandInFrame] {
    guard !isClosed else { return [] }
    guard case .text(let text) = message else {
      return refusal(
        .violation(code: "invalid_event", "Binary messages are not supported."), eventID: nil,
        type: nil)
    }
    guard let event = (try? JSONValue(parsing: text))?.object else {
      return refusal(
        .violation(code: "invalid_json", "The message is not valid JSON."), eventID: nil, type: nil)
    }
    let slips = (outOfOrder(event) + accent.slips(event)).map { $0.violation(by: event["type"]?.string) }
    do throws(RealtimeFault) {
      return slips + (try dispatch(event))
    } catch {
      return slips + refusal(error, eventID: event["event_id"]?.string, type: event["type"]?.string)
    }
  }

  /// What comes too early; the service bears it, or answers as it can.
  private mutating func outOfOrder(_ event: JSONObject) -> [RealtimeFault] {
    let type = event["type"]?.string ?? ""
    if type == "session.update" { isConfigured = true }
    if manners.awaitsUpdate, !isConfigured {
      return [
        .violation(
          code: "out_of_order", "'\(type)' came before the first session.update.", param: "type")
      ]
    }
    guard event["item"]?["type"]?.string == "function_call_output",
      let id = event["item"]?["call_id"],
      !items.contains(where: { $0["type"]?.string == "function_call" && $0["call_id"] == id })
    else { return [] }
    return [
      .violation(
        code: "out_of_order", "No call with the id '\(id.string ?? "")' is in the conversation.",
        param: "item.call_id")
    ]
  }

  private mutating func dispatch(_ value: JSONObject) throws(RealtimeFault) -> [StandInFrame] {
    guard let type = value["type"]?.string else {
      throw .violation(code: "invalid_event", "The 'type' field is missing.", param: "type")
    }
    guard manners.eventTypes.contains(type) else {
      throw RealtimeFault(
        FieldFault(
          kind: .notInEnumeration(value: type, allowed: manners.eventTypes), path: [.key("type")]))
    }
    try check(value, type)
    let event = try accent.heard(value)
    let unfit = unfitForTranscription(event["type"]?.string ?? "")
    if let unfit { throw unfit }
    switch event["type"]?.string {
    case "session.update": return try updateSession(event["session"]?.object ?? [:])
    case "input_audio_buffer.append": return try append(event["audio"]?.string ?? "")
    case "input_audio_buffer.commit": return try commit()
    case "input_audio_buffer.clear": return clearBuffer()
    case "conversation.item.create": return try createItem(event)
    case "conversation.item.truncate": return try truncateItem(event)
    case "conversation.item.delete": return try deleteItem(event["item_id"]?.string ?? "")
    case "conversation.item.retrieve": return try retrieveItem(event["item_id"]?.string ?? "")
    case "response.create": return try createResponse(event["response"]?.object ?? [:])
    case "response.cancel": return try cancelResponse(event["response_id"]?.string)
    // Known to the service and without an effect here.
    default: return []
    }
  }

  private func check(_ value: JSONObject, _ type: String) throws(RealtimeFault) {
    do throws(FieldFault) {
      _ = try manners.fields.canonical(.object(value), as: type)
    } catch {
      throw RealtimeFault(error)
    }
  }

  private func unfitForTranscription(_ type: String) -> RealtimeFault? {
    guard isTranscription, type.hasPrefix("response.") || type.hasPrefix("conversation.item.")
    else { return nil }
    return .violation(
      code: "invalid_value", "'\(type)' is not supported in a transcription session.", param: "type"
    )
  }

  // MARK: Frames

  /// An event of the engine's, in the service's accent.
  mutating func tell(_ type: String, _ fields: JSONObject = [:]) -> [StandInFrame] {
    let event: JSONObject = ["type": .string(type), "event_id": .string(ids.next("event"))]
    return accent.told(event.merging(fields), session: session, ids: &ids).flatMap { send($0) }
  }

  /// An event that is in the service's accent already.
  func send(_ event: JSONObject) -> [StandInFrame] {
    [.text(JSONValue.object(event).text)]
  }

  mutating func end(_ frames: [StandInFrame]) -> [StandInFrame] {
    isClosed = true
    return frames
  }

  mutating func refusal(_ fault: RealtimeFault, eventID: String?, type: String?) -> [StandInFrame] {
    let note = fault.isViolation ? [fault.violation(by: type)] : []
    if manners.ignoresUnknownTypes, fault.param == "type" { return note }
    let error = tell("error", ["error": .object(fault.object(eventID: eventID))])
    guard let close = fault.close else { return note + error }
    return end(note + error + [.close(code: close.code, reason: close.reason)])
  }

  /// The end of a session that has reached its maximum.
  mutating func expire() -> [StandInFrame] {
    end([.close(code: 1_001, reason: "Your session hit the maximum duration of 60 minutes.")])
  }

  mutating func setAlarm(_ name: String, after milliseconds: Int) {
    alarms.append(StandInAlarm(name, after: .milliseconds(milliseconds)))
  }
}

extension JSONObject {
  /// The event with an id of its own.
  func withID(_ ids: inout StandInIDs) -> JSONObject {
    merging(["event_id": .string(ids.next("event"))])
  }
}
