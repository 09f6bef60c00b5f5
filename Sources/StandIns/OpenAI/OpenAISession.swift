import Envelope

/// The session object and its partial updates.
extension OpenAIStandIn {
  /// A new session: every key that the service shows, at its default.
  static func newSession(id: String, model: String, options: Options) -> JSONValue {
    let format: JSONValue = ["type": "audio/pcm", "rate": 24_000]
    return [
      "type": "realtime", "object": "realtime.session", "id": .string(id), "model": .string(model),
      "output_modalities": ["audio"], "instructions": "You are a helpful assistant.", "tools": [],
      "tool_choice": "auto", "max_output_tokens": "inf", "tracing": nil, "truncation": "auto", "prompt": nil,
      "expires_at": .number(JSONNumber(options.expiresAt)),
      "audio": [
        "input": [
          "format": format, "transcription": nil, "noise_reduction": nil,
          "turn_detection": .object(detection("server_vad", options)),
        ],
        "output": ["format": format, "voice": "alloy", "speed": 1.0],
      ],
      "include": nil,
    ]
  }

  private static func detection(_ type: String, _ options: Options) -> JSONObject {
    guard type == "server_vad" else {
      return ["type": .string(type), "eagerness": "auto", "create_response": true, "interrupt_response": true]
    }
    return [
      "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300,
      "silence_duration_ms": .number(JSONNumber(options.silenceMilliseconds)), "idle_timeout_ms": nil,
      "create_response": true, "interrupt_response": true,
    ]
  }

  mutating func updateSession(_ patch: JSONValue) throws(OpenAIFault) -> [StandInFrame] {
    guard patch["type"]?.string == "realtime" else {
      throw OpenAIFault(
        code: "invalid_parameter",
        "Passing a transcription session update event to a realtime session is not allowed.", param: "session.type")
    }
    if let modalities = patch["output_modalities"]?.array, modalities.count != 1 {
      throw OpenAIFault(
        code: "invalid_value", "Invalid modalities: supported combinations are: ['text'] and ['audio'].",
        param: "session.output_modalities")
    }
    let voice = patch["audio"]?["output"]?["voice"]
    if hasSpoken, let voice, voice != session["audio"]?["output"]?["voice"] {
      throw OpenAIFault(
        code: "cannot_update_voice", "Cannot update a conversation's voice if assistant audio is present.",
        param: "session.audio.output.voice")
    }
    apply(patch)
    return [event("session.updated", ["session": session])]
  }

  private mutating func apply(_ patch: JSONValue) {
    guard var updated = session.object, let changes = patch.object else { return }
    for (key, value) in changes where key != "model" && key != "audio" {
      updated[key] = value
    }
    if let audio = patch["audio"] {
      updated["audio"] = [
        "input": .object(audioInput(audio["input"]?.object ?? [:])),
        "output": .object(merged(session["audio"]?["output"], audio["output"]?.object ?? [:])),
      ]
    }
    let detectionBefore = turnDetection
    session = .object(updated)
    guard detectionBefore != turnDetection else { return }
    // Speech that the old detection has begun is nobody's any more.
    _ = detector.flush()
    speechItemID = nil
    detector.silenceMilliseconds =
      turnDetection?["silence_duration_ms"]?.int ?? options.silenceMilliseconds
  }

  private func audioInput(_ changes: JSONObject) -> JSONObject {
    var changes = changes
    if let transcription = changes["transcription"]?.object {
      // The service shows exactly these three unless the client set others.
      var shown: JSONObject = ["model": nil, "language": nil, "prompt": nil]
      for (key, value) in transcription { shown[key] = value }
      changes["transcription"] = .object(shown)
    }
    if let detection = changes["turn_detection"]?.object, let type = detection["type"]?.string {
      let isSameType = turnDetection?["type"]?.string == type
      let base = isSameType ? turnDetection : .object(Self.detection(type, options))
      changes["turn_detection"] = .object(merged(base, detection))
    }
    return merged(session["audio"]?["input"], changes)
  }

  private func merged(_ base: JSONValue?, _ changes: JSONObject) -> JSONObject {
    var result = base?.object ?? [:]
    for (key, value) in changes { result[key] = value }
    return result
  }

  /// The turn detection in force, nil for push-to-talk.
  var turnDetection: JSONValue? {
    let detection = session["audio"]?["input"]?["turn_detection"]
    return detection?.isNull == true ? nil : detection
  }

  var wantsTranscription: Bool {
    session["audio"]?["input"]?["transcription"]?.object != nil
  }
}
