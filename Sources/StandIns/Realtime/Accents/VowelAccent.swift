import Envelope

/// The vowel engine: beta sessions, names of both shapes, and less than either.
struct VowelAccent: RealtimeAccent {
  let manners: RealtimeManners

  init() {
    var manners = RealtimeManners(fields: VowelFields.client, eventTypes: VowelFields.eventTypes)
    manners.silenceMilliseconds = 550
    manners.detections = ["server_vad": Self.detection]
    manners.closing = [.words, .sound, .output]
    manners.leastAppendBytes = 2_048
    manners.answersItems = true
    manners.answersCommits = .unlessTold
    manners.supersedes = true
    manners.locksVoice = false
    manners.refusesShortCommits = false
    manners.ignoresUnknownTypes = true
    manners.marksCommits = true
    manners.idleTimeout = .unknown
    self.manners = manners
  }

  private static let detection: JSONObject = [
    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 0, "silence_duration_ms": 550,
    "create_response": true, "interrupt_response": true,
  ]

  func newSession(_ start: RealtimeStart) -> JSONObject {
    let claims = start.claims
    var session: JSONObject = [
      "id": .string(start.id), "object": "realtime.session",
      "model": claims["model"] ?? "openai/gpt-oss-20b",
      "output_modalities": ["text", "audio"], "instructions": claims["instructions"] ?? "",
      "speaking_rate": claims["speakingRate"] ?? 1.2, "tools": [], "tool_choice": "auto",
      "max_output_tokens": "inf",
      "audio": [
        "input": [
          "format": OpenAIAccent.format, "transcription": ["model": "nova-3-realtime"],
          "turn_detection": .object(OpenAIAccent.detection(Self.detection, start.options)),
        ],
        "output": ["format": OpenAIAccent.format, "voice": claims["voice"] ?? "aura-2-thalia-en"],
      ],
    ]
    session["initial_greeting_prompt"] = claims["initialGreetingPrompt"]
    return session
  }

  // MARK: From the client

  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject {
    var event = event
    if let item = event["item"]?.object {
      event["item"] = .object(
        BetaAccent.renaming(item, ["text": "output_text", "audio": "output_audio"]))
    }
    for place in ["session", "response"] {
      guard let flat = event[place]?.object else { continue }
      event[place] = .object(detected(FlatSession.nested(flat)))
    }
    return event
  }

  /// The turn detection as the engine makes it, wherever and however it was written.
  private func detected(_ session: JSONObject) -> JSONObject {
    guard let detection = session["audio"]?["input"]?["turn_detection"] else { return session }
    var input = session["audio"]?["input"]?.object ?? [:]
    let isOff =
      detection.isNull || detection["type"]?.string == "disabled"
      || detection["mode"]?.string == "client_vad"
    let read = (detection.object ?? [:]).without("mode", "eagerness")
      .renaming("silenceDurationMs", to: "silence_duration_ms")
      .renaming("prefixPaddingMs", to: "prefix_padding_ms")
      .merging(["type": "server_vad", "interrupt_response": true])
    input["turn_detection"] = isOff ? .null : .object(read)
    let audio = (session["audio"]?.object ?? [:]).merging(["input": .object(input)])
    return session.merging(["audio": .object(audio)])
  }

  func slips(_ event: JSONObject) -> [RealtimeFault] {
    let session = event["session"]
    let detection = session?["turn_detection"] ?? session?["audio"]?["input"]?["turn_detection"]
    guard detection?["type"]?.string == "semantic_vad" else { return [] }
    return [
      .violation(
        code: "invalid_value", "semantic_vad is silently turned into server_vad.",
        param: "session.turn_detection.type")
    ]
  }

  // MARK: To the client

  /// What the engine never sends.
  private static let unsent: Set<String> = [
    "input_audio_buffer.committed", "response.content_part.done", "conversation.item.done",
    "rate_limits.updated",
    "conversation.item.input_audio_transcription.delta", "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
  ]

  mutating func told(_ told: JSONObject, session: JSONObject, ids: inout StandInIDs) -> [JSONObject] {
    let type = told["type"]?.string ?? ""
    guard !Self.unsent.contains(type) else { return [] }
    var event = told.without("obfuscation")
    if let item = event["item"]?.object { event["item"] = .object(BetaAccent.beta(item)) }
    let isCall = event["item"]?["type"]?.string == "function_call"
    switch type {
    case "session.created", "session.updated": event["session"] = .object(FlatSession.flat(session))
    case "conversation.item.added":
      // Items of the user only; what the model says is told by its response.
      guard !isCall, event["item"]?["role"]?.string != "assistant" else { return [] }
      event["type"] = "conversation.item.created"
    case "conversation.item.input_audio_transcription.completed": event["usage"] = nil
    case "response.output_item.added" where isCall: return []
    case "response.output_item.done" where isCall: return [whole(event)]
    case "response.content_part.added": return parts(event, ids: &ids)
    case "response.output_audio_transcript.delta", "response.output_audio_transcript.done":
      let text = event.renaming("transcript", to: "text").merging([
        "type": .string(type.replacing("output_audio_transcript", with: "text"))
      ])
      return [text.withID(&ids), event.merging(["content_index": 1])]
    case "response.output_audio.delta", "response.output_audio.done": event["content_index"] = 1
    case "response.output_text.delta", "response.output_text.done":
      event["type"] = .string(type.replacing("output_text", with: "text"))
    case "response.created", "response.done":
      event["response"] = .object(show(event["response"]?.object ?? [:]))
    case "error": event["error"] = .object(bare(event["error"]?.object ?? [:]))
    default: break
    }
    return [event]
  }

  /// The call in one piece, beside the place of the message.
  private func whole(_ event: JSONObject) -> JSONObject {
    let index = (event["output_index"]?.int ?? 0) + 1
    return event.merging([
      "type": "response.output_item.added", "output_index": .number(JSONNumber(index)),
    ])
  }

  /// Text has a part of its own beside the sound.
  private func parts(_ event: JSONObject, ids: inout StandInIDs) -> [JSONObject] {
    let text = event.merging(["part": ["type": "text", "text": ""], "content_index": 0])
    guard event["part"]?["type"]?.string == "audio" else { return [text] }
    return [text, event.merging(["content_index": 1]).withID(&ids)]
  }

  private func show(_ response: JSONObject) -> JSONObject {
    let output = (response["output"]?.array ?? []).map {
      JSONValue.object(BetaAccent.beta($0.object ?? [:]))
    }
    return response.without("audio", "conversation_id", "metadata")
      .renaming("output_modalities", to: "modalities").merging([
        "usage": nil, "output": .array(output),
      ])
  }

  /// Only what there is.
  private func bare(_ error: JSONObject) -> JSONObject {
    var shown: JSONObject = [:]
    for (key, value) in error where !value.isNull && key != "event_id" { shown[key] = value }
    if error["code"]?.string == "invalid_json" { shown["type"] = "server_error" }
    return shown
  }

  func extras(ids: inout StandInIDs) -> [JSONObject] {
    let events: [JSONObject] = [
      ["type": "session.hibernate"], ["type": "session.resumed"],
      ["type": "debug.latency_response", "latency": [:]],
    ]
    return events.map { $0.withID(&ids) }
  }
}
