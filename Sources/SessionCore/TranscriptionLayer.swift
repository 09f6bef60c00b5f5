import Envelope

/// A transcription session on a provider that has only conversations: nothing answers, and the client sees the session
/// and the events that such a session has.
///
/// It stands between the client's wire and the translator, and speaks GA on both sides. What the provider says all the
/// same (an answer that could not be prevented) stays here.
struct TranscriptionLayer: Sendable {
  /// The events that a client may send.
  private static let accepted: [ClientEventType] = [
    .sessionUpdate, .inputAudioBufferAppend, .inputAudioBufferCommit, .inputAudioBufferClear, .conversationItemCreate,
    .conversationItemRetrieve, .conversationItemDelete,
  ]

  /// The fields of a session that are about answers.
  private static let answerFields: Set<String> = [
    "model", "modelId", "output_modalities", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning",
    "max_output_tokens", "tracing", "truncation", "prompt",
  ]

  /// The beginnings of the names of events that are about answers, or about a conversation with them.
  private static let answerEvents = [
    "response.", "output_audio_buffer.", "rate_limits.", "mcp_", "conversation.created", "conversation.item.truncated",
  ]

  /// Whether the provider can be kept from answering; otherwise what it answers stays here.
  private let preventsAnswers: Bool

  /// Items that the client does not see, with the item that it saw last before each; bounded.
  private var hidden: [(id: String, previous: JSONValue)] = []
  private static let maximumHidden = 64

  init(preventsAnswers: Bool) {
    self.preventsAnswers = preventsAnswers
  }

  /// Makes a fresh session one that only listens: turns are found as before but not answered, and transcripts are on.
  func prepare(_ session: inout RealtimeSession) {
    session.outputModalities = [.text]
    if session.audio.input.transcription == nil { session.audio.input.transcription = InputTranscription() }
    guard preventsAnswers else { return }
    switch session.audio.input.turnDetection {
    case .serverVAD(var vad)?:
      vad.createResponse = false
      vad.interruptResponse = false
      session.audio.input.turnDetection = .serverVAD(vad)
    case .semanticVAD(var vad)?:
      vad.createResponse = false
      vad.interruptResponse = false
      session.audio.input.turnDetection = .semanticVAD(vad)
    case nil:
      break
    }
  }

  // MARK: From the client

  /// A client's event as the conversation takes it.
  ///
  /// - Throws: what a transcription session has no place for; `param` is `type`, `session.type`, `item.type` or
  ///   `item.role`.
  func incoming(_ event: JSONValue) throws(EventFault) -> JSONValue {
    guard let name = event["type"]?.string, let type = ClientEventType(rawValue: name) else { return event }
    guard Self.accepted.contains(type) else {
      throw .invalidValue(name, param: "type", supported: Self.accepted.map(\.rawValue))
    }
    switch type {
    case .sessionUpdate: return try update(event)
    case .conversationItemCreate: try Self.checkItem(event["item"])
    default: break
    }
    return event
  }

  /// What a token configures, without what is about answers.
  func configuring(_ patch: SessionPatch) throws(EventFault) -> SessionPatch {
    SessionPatch(try update(["session": .object(patch.fields)])["session"]?.object ?? [:])
  }

  private func update(_ event: JSONValue) throws(EventFault) -> JSONValue {
    guard var object = event.object, let given = object["session"]?.object else { return event }
    switch given["type"]?.string.flatMap(SessionType.init) {
    case .realtime?: throw .sessionTypeMismatch(update: .realtime, session: .transcription)
    // A type that there is not is left to be refused.
    case nil where given["type"] != nil: return event
    case .transcription?, nil: break
    }
    var session: JSONObject = ["type": .string(SessionType.realtime.rawValue)]
    for (key, value) in SessionPatch(given).nestingFlatFields().fields where key != "type" {
      if key == "audio" {
        session[key] = listening(value)
      } else if !Self.answerFields.contains(key) {
        session[key] = value
      }
    }
    object["session"] = .object(session)
    return .object(object)
  }

  /// The `audio` of an update without output and without answers.
  private func listening(_ audio: JSONValue) -> JSONValue {
    guard var object = audio.object else { return audio }
    object.removeValue(forKey: "output")
    if preventsAnswers, var input = object["input"]?.object, var detection = input["turn_detection"]?.object {
      detection["create_response"] = false
      detection["interrupt_response"] = false
      input["turn_detection"] = .object(detection)
      object["input"] = .object(input)
    }
    return .object(object)
  }

  /// Only the user has a part in it. An item that is none is left to be refused.
  private static func checkItem(_ item: JSONValue?) throws(EventFault) {
    if let type = item?["type"]?.string, type != "message" {
      throw .invalidValue(type, param: "item.type", supported: ["message"])
    }
    if let role = item?["role"]?.string, role != "user" {
      throw .invalidValue(role, param: "item.role", supported: ["user"])
    }
  }

  // MARK: To the client

  /// A GA server event as a transcription session has it; nil where the client does not get it.
  mutating func outgoing(_ event: JSONObject) -> JSONObject? {
    guard let type = event["type"]?.string,
      // A warning that the session will end is not about answers.
      event["warning"] != nil || !Self.answerEvents.contains(where: type.hasPrefix)
    else { return nil }
    if let item = event["item"] { return outgoing(event, with: item) }
    var next = event
    if let session = event["session"] {
      next["session"] = Self.shown(session)
    } else if type == "conversation.item.deleted", let id = event["item_id"]?.string {
      let index = hidden.firstIndex { $0.id == id }
      if index != nil { return nil }
    }
    replacePrevious(of: &next)
    return next
  }

  private mutating func outgoing(_ event: JSONObject, with item: JSONValue) -> JSONObject? {
    var next = event
    replacePrevious(of: &next)
    guard item["role"] == "user" else {
      if let id = item["id"]?.string, !hidden.contains(where: { $0.id == id }) {
        if hidden.count == Self.maximumHidden { hidden.removeFirst() }
        hidden.append((id, next["previous_item_id"] ?? .null))
      }
      return nil
    }
    return next
  }

  /// Nothing refers to an item that the client does not see.
  private func replacePrevious(of event: inout JSONObject) {
    guard let previous = event["previous_item_id"]?.string, let item = hidden.last(where: { $0.id == previous })
    else { return }
    event["previous_item_id"] = item.previous
  }

  private static func shown(_ value: JSONValue) -> JSONValue {
    guard var session = try? JSONCoding.decode(RealtimeSession.self, from: value) else { return value }
    session.become(.transcription)
    return JSONCoding.encode(session)
  }
}
