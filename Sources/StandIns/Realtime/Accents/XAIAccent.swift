import Envelope

/// The xAI voice agent: GA names, sparse objects, and a session that is partly flat.
///
/// Every key set is that of the recordings: `previous_item_id` on everything, no `conversation.item.done`, no content
/// in the items of a response, `usage` beside the response.
struct XAIAccent: RealtimeAccent {
  let manners: RealtimeManners
  /// The event of the words that the sound belongs to.
  private var rid: JSONValue = ""
  private var spokenMilliseconds = 0
  private var billedSeconds = 0.0
  private var heardWords: [String: String] = [:]
  /// The user's items that have been told before they were complete.
  private var announced: Set<String> = []
  /// Milliseconds since 1970.
  private var time: Int

  /// - Parameter abandons: an interrupted response is never done.
  init(time: Int, abandons: Bool) {
    self.time = time
    var manners = RealtimeManners(fields: XAIFields.client, eventTypes: XAIFields.eventTypes)
    manners.closing = [.words, .part, .sound, .output]
    manners.alwaysSpeaks = true
    manners.speaksBeforeCalls = true
    manners.locksVoice = false
    manners.refusesShortCommits = false
    manners.answersCommits = .toSpeech
    manners.answersAllSpeech = true
    manners.alwaysDetects = true
    manners.dropsRequestsAfterSound = true
    manners.forgetsDeletedIDs = true
    manners.idleTimeout = .event
    manners.usesUUIDs = true
    manners.abandonsResponses = abandons
    self.manners = manners
  }

  func newSession(_ start: RealtimeStart) -> JSONObject {
    [
      "id": .string(start.id), "model": .string(start.model), "instructions": "",
      "output_modalities": ["audio"],
      "tools": [], "tool_choice": "auto",
      "audio": [
        "input": [
          "format": OpenAIAccent.format, "transport": "json", "turn_detection": ["type": nil],
        ],
        "output": ["format": OpenAIAccent.format, "transport": "json", "voice": "ara"],
      ],
    ]
  }

  func opening(conversationID: String) -> [JSONObject] {
    [
      [
        "type": "conversation.created",
        "conversation": ["id": .string(conversationID), "object": "realtime.conversation"],
        "previous_item_id": nil,
      ],
      ["type": "ping", "timestamp": .number(JSONNumber(time)), "previous_item_id": nil],
    ]
  }

  // MARK: From the client

  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject {
    guard let session = event["session"]?.object else { return event }
    // Text alone cannot be had, however it is asked for.
    return event.merging([
      "session": .object(FlatSession.nested(session.without("modalities", "output_modalities")))
    ])
  }

  // MARK: To the client

  mutating func told(_ told: JSONObject, session: JSONObject, ids: inout StandInIDs) -> [JSONObject] {
    var event = told.without("obfuscation").merging(["previous_item_id": nil])
    if event["output_index"] != nil { event["output_index"] = 0 }
    let item = event["item"]?.object ?? [:]
    switch event["type"]?.string {
    case "conversation.item.done", "rate_limits.updated": return []
    case "session.created":
      return [event.merging(["session": .object(created(session))]).without("previous_item_id")]
    case "session.updated": event["session"] = .object(updated(session))
    case "conversation.item.added":
      guard announced.remove(item["id"]?.string ?? "") == nil else { return [] }
      // Only messages know their place.
      let place = item["type"]?.string == "message" ? told["previous_item_id"] : nil
      event = event.merging([
        "item": .object(marked(item, "tool")), "previous_item_id": place ?? .null,
      ])
    case "conversation.item.input_audio_transcription.delta": return [heardSoFar(event)]
    case "conversation.item.input_audio_transcription.completed":
      heardWords[event["item_id"]?.string ?? ""] = nil
      event = event.without("usage").merging(["status": "completed"])
    case "input_audio_buffer.speech_started": return [event, spoken(event, ids: &ids)]
    case "response.created": event["response"] = .object(show(event["response"]?.object ?? [:]))
    case "response.output_item.added", "response.output_item.done":
      event["item"] = .object(marked(item, "user").without("content"))
    case "response.content_part.added": event["previous_item_id"] = "0"
    case "response.content_part.done": event["part"] = nil
    case "response.output_audio.delta": return [sound(event, session)]
    case "response.output_audio_transcript.delta": return [words(event)]
    case "response.function_call_arguments.delta": event["output_index"] = nil
    case "response.done": return [done(event)]
    case "error": event["error"] = .object(bare(event["error"]?.object ?? [:]))
    default: break
    }
    return [event]
  }

  // MARK: Sessions

  private func created(_ session: JSONObject) -> JSONObject {
    [
      "id": session["id"] ?? nil, "object": "realtime.session",
      "instructions": session["instructions"] ?? "",
      "voice": session["audio"]?["output"]?["voice"] ?? nil, "modalities": ["audio"],
      "turn_detection": ["type": nil], "tools": [], "model": session["model"] ?? nil,
    ]
  }

  private func updated(_ session: JSONObject) -> JSONObject {
    let input = session["audio"]?["input"]?.object ?? [:]
    let output = session["audio"]?["output"]?.object ?? [:]
    var shown: JSONObject = [
      "instructions": session["instructions"] ?? "", "enable_noise_suppression": true,
      "model": session["model"] ?? nil, "keep_context": false, "enable_phonetic_spelling": false,
      "modalities": ["audio"], "input_audio_format": "not specified",
      "output_audio_format": "not specified",
      "tool_choice": session["tool_choice"] ?? "auto", "temperature": -1.0,
      "max_response_output_tokens": "inf",
      "audio": [
        "input": .object(input.without("turn_detection")),
        "output": .object(output.without("voice")),
      ],
    ]
    if input["turn_detection"]?["type"]?.string != nil {
      shown["turn_detection"] = input["turn_detection"]
    }
    if input["transcription"]?.object != nil {
      shown["input_audio_transcription"] = input["transcription"]
    }
    if let tools = session["tools"]?.array, !tools.isEmpty {
      shown["tools"] = .array(tools.map(nested))
    }
    return shown
  }

  /// A function as it is shown: one level deeper than it is sent.
  private func nested(_ tool: JSONValue) -> JSONValue {
    guard tool["type"]?.string == "function", let fields = tool.object else { return tool }
    return ["type": "function", "function": .object(fields.without("type"))]
  }

  // MARK: Items and words

  /// Calls and their results have roles here, not always the same ones.
  private func marked(_ item: JSONObject, _ callRole: String) -> JSONObject {
    switch item["type"]?.string {
    case "function_call": item.merging(["role": .string(callRole)])
    case "function_call_output": item.merging(["role": "tool", "status": "completed"])
    default: item
    }
  }

  /// The item that speech becomes is told when the speech begins.
  private mutating func spoken(_ event: JSONObject, ids: inout StandInIDs) -> JSONObject {
    let id = event["item_id"]?.string ?? ""
    announced.insert(id)
    return [
      "type": "conversation.item.added", "event_id": .string(ids.next("event")),
      "item": [
        "id": .string(id), "object": "realtime.item", "type": "message", "status": "in_progress",
        "role": "user",
        "content": [["type": "input_audio", "transcript": ""]],
      ],
      "previous_item_id": nil,
    ]
  }

  /// The user's words so far instead of the newest ones.
  private mutating func heardSoFar(_ event: JSONObject) -> JSONObject {
    let id = event["item_id"]?.string ?? ""
    let words = heardWords[id, default: ""] + (event["delta"]?.string ?? "")
    heardWords[id] = words
    return event.without("delta").merging([
      "type": "conversation.item.input_audio_transcription.updated",
      "transcript": .string(words.trimmingWhitespace),
    ])
  }

  private mutating func words(_ event: JSONObject) -> JSONObject {
    rid = event["event_id"] ?? nil
    return event.merging([
      "rid": rid, "start_time": .number(JSONNumber(Double(spokenMilliseconds) / 1_000)),
    ])
  }

  private mutating func sound(_ event: JSONObject, _ session: JSONObject) -> JSONObject {
    let bytes = StandInBase64.strictlyDecoded(event["delta"]?.string ?? "") ?? []
    let length = Int(
      Sound(format: SoundFormat(session["audio"]?["output"]?["format"]), bytes: bytes).milliseconds)
    time += length
    var event = event.merging([
      "rid": rid, "audio_duration_ms": .number(JSONNumber(length)), "ts": .number(JSONNumber(time)),
    ])
    if spokenMilliseconds == 0 { event["latency"] = "0.50" }
    spokenMilliseconds += length
    return event
  }

  // MARK: Responses

  private func show(_ response: JSONObject) -> JSONObject {
    let output = (response["output"]?.array ?? []).map { item -> JSONValue in
      .object(marked(BetaAccent.beta(item.object ?? [:]), "user"))
    }
    var shown: JSONObject = [
      "id": response["id"] ?? nil, "object": "realtime.response", "output": .array(output),
      "status": response["status"] ?? nil, "status_details": "unimplemented", "usage": [:],
    ]
    if let metadata = response["metadata"], !metadata.isNull { shown["metadata"] = metadata }
    return shown
  }

  private mutating func done(_ event: JSONObject) -> JSONObject {
    let response = event["response"]?.object ?? [:]
    let details = { (name: String) -> JSONValue in
      let tokens = response["usage"]?[name]
      return [
        "text_tokens": tokens?["text_tokens"] ?? 0, "audio_tokens": tokens?["audio_tokens"] ?? 0,
        "grok_tokens": 0,
      ]
    }
    let seconds = Double(spokenMilliseconds) / 1_000
    billedSeconds += seconds
    spokenMilliseconds = 0
    return event.merging([
      "response": .object(show(response)), "response_id": response["id"] ?? nil,
      "usage": [
        "input_tokens": response["usage"]?["input_tokens"] ?? 0,
        "input_token_details": details("input_token_details"),
        "output_tokens": response["usage"]?["output_tokens"] ?? 0,
        "output_token_details": details("output_token_details"),
        "total_tokens": response["usage"]?["total_tokens"] ?? 0,
        "output_audio_seconds": .number(JSONNumber(seconds)),
        // The sum of the whole conversation.
        "billable_audio_seconds": .number(JSONNumber(Int(billedSeconds.rounded(.up)))),
      ],
    ])
  }

  /// Errors without codes where the service only has words.
  private func bare(_ error: JSONObject) -> JSONObject {
    let wordy = ["response_cancel_not_active", "conversation_already_has_active_response"]
    guard let code = error["code"]?.string, wordy.contains(code) else { return error }
    return error.without("code", "param")
  }

  func extras(ids: inout StandInIDs) -> [JSONObject] {
    let ping: JSONObject = [
      "type": "ping", "timestamp": .number(JSONNumber(time)), "previous_item_id": nil,
    ]
    return [
      ping.withID(&ids),
      [
        "type": "input_audio_buffer.dtmf_event_received", "event": "5",
        "received_at": .number(JSONNumber(time)),
      ],
    ]
  }
}
