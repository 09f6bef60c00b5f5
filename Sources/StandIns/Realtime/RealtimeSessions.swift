import Envelope

/// The session object and its partial updates.
extension RealtimeStandIn {
  mutating func updateSession(_ patch: JSONObject) throws(RealtimeFault) -> [StandInFrame] {
    if let type = patch["type"]?.string, (type == "transcription") != isTranscription {
      let words =
        isTranscription
        ? "Passing a realtime session update event to a transcription session is not allowed."
        : "Passing a transcription session update event to a realtime session is not allowed."
      throw .violation(code: "invalid_parameter", words, param: "session.type")
    }
    let voice = patch["audio"]?["output"]?["voice"]
    if manners.locksVoice, hasSpoken, let voice, voice != session["audio"]?["output"]?["voice"] {
      throw RealtimeFault(
        code: "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present.",
        param: "session.audio.output.voice")
    }
    apply(patch)
    let replay = resume(patch)
    return replay + tell("session.updated", ["session": .object(session)]) + greet()
  }

  private mutating func apply(_ patch: JSONObject) {
    var updated = session
    for (key, value) in patch
    where key != "audio" && key != "type" && !(key == "model" && manners.fixesModel) {
      updated[key] = value
    }
    if let audio = patch["audio"] {
      var both = session["audio"]?.object ?? [:]
      if let input = audio["input"]?.object { both["input"] = .object(audioInput(input)) }
      if let output = audio["output"]?.object {
        both["output"] = .object((both["output"]?.object ?? [:]).merging(output))
      }
      updated["audio"] = .object(both)
    }
    let detectionBefore = turnDetection
    session = updated
    guard detectionBefore != turnDetection else { return }
    // Speech that the old detection has begun is nobody's any more.
    _ = detector.flush()
    speechItemID = nil
    lateSpeech = nil
    detector.silenceMilliseconds = silence
  }

  private func audioInput(_ changes: JSONObject) -> JSONObject {
    var changes = changes
    let current = session["audio"]?["input"]
    if let transcription = changes["transcription"]?.object {
      var shown = manners.keepsTranscription ? current?["transcription"]?.object ?? [:] : [:]
      for key in manners.transcriptionKeys { shown[key] = .null }
      changes["transcription"] = .object(shown.merging(transcription))
    }
    if let detection = changes["turn_detection"]?.object, let type = detection["type"]?.string {
      let isSameType = turnDetection?["type"]?.string == type
      var base = isSameType ? turnDetection?.object ?? [:] : manners.detections[type] ?? [:]
      if !isSameType, base["silence_duration_ms"] != nil, let silence = options.silenceMilliseconds {
        base["silence_duration_ms"] = .number(JSONNumber(silence))
      }
      changes["turn_detection"] = .object(base.merging(detection))
    }
    return (current?.object ?? [:]).merging(changes)
  }

  /// The turn detection in force, nil for push-to-talk.
  var turnDetection: JSONValue? {
    let detection = session["audio"]?["input"]?["turn_detection"]
    return detection?["type"]?.string == nil ? nil : detection
  }

  var wantsTranscription: Bool {
    session["audio"]?["input"]?["transcription"]?.object != nil
  }

  /// The items of a conversation that the client resumes.
  private mutating func resume(_ patch: JSONObject) -> [StandInFrame] {
    guard patch["resumption"]?["enabled"]?.bool == true, memory.allowResumption(of: conversationID),
      items.isEmpty
    else { return [] }
    return memory.items(of: conversationID).flatMap { item -> [StandInFrame] in
      var item = item.merging([
        "id": .string(ids.next("item")), "status": "completed", "replayed": true,
      ])
      if item["type"]?.string == "message" {
        let type: JSONValue = item["role"]?.string == "assistant" ? "text" : "input_text"
        item["content"] = [["type": type, "text": .string(words(of: item))]]
      }
      return add(item, at: items.count)
    }
  }

  /// What the session says of its own accord when it is set up, once.
  mutating func greet() -> [StandInFrame] {
    guard let greeting = session["initial_greeting_prompt"]?.string, !hasGreeted else { return [] }
    hasGreeted = true
    items.append([
      "id": .string(ids.next("item")), "type": "message", "role": "system",
      "content": [["type": "input_text", "text": .string(greeting)]],
    ])
    return startResponse()
  }
}
