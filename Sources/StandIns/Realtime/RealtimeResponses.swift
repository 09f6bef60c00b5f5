import Envelope

/// Responses: create, cancel, and their events one at a time.
extension RealtimeStandIn {
  /// What a client asks for.
  mutating func createResponse(_ settings: JSONObject) throws(RealtimeFault) -> [StandInFrame] {
    if manners.dropsRequestsAfterSound, turnDetection == nil,
      settings["conversation"]?.string != "none"
    {
      // Speech in the buffer is a turn of its own, and its commit is the request.
      if heardSpeech, buffer.milliseconds >= 100 { return try commit() }
      if isSoundAnswered { return [] }
    }
    return try beginResponse(settings)
  }

  mutating func beginResponse(_ settings: JSONObject) throws(RealtimeFault) -> [StandInFrame] {
    let isOutOfBand = settings["conversation"]?.string == "none"
    var frames: [StandInFrame] = []
    if !isOutOfBand, let active = responses.first(where: \.isInConversation) {
      guard manners.supersedes else {
        throw RealtimeFault(
          code: "conversation_already_has_active_response",
          "Conversation already has an active response in progress: \(active.id). "
            + "Wait until the response is finished before creating a new one.")
      }
      frames = endActiveResponse(reason: "turn_detected")
    }
    activity += 1
    let response = newResponse(settings, isOutOfBand: isOutOfBand)
    responses.append(response)
    return frames + tell("response.created", ["response": .object(response.object)])
  }

  private mutating func newResponse(_ settings: JSONObject, isOutOfBand: Bool) -> RunningResponse {
    let id = ids.next("resp")
    let modalities = settings["output_modalities"] ?? session["output_modalities"] ?? ["audio"]
    let output = session["audio"]?["output"]
    let format = settings["audio"]?["output"]?["format"] ?? output?["format"] ?? nil
    let context = settings["input"]?.array.map(context) ?? items
    let isSpoken = manners.alwaysSpeaks || modalities.array?.contains("audio") == true
    let conversation: JSONValue = isOutOfBand ? .null : .string(conversationID)
    let object: JSONObject = [
      "object": "realtime.response", "id": .string(id), "status": "in_progress",
      "status_details": nil,
      "output": [], "conversation_id": conversation, "output_modalities": modalities,
      "max_output_tokens": settings["max_output_tokens"] ?? session["max_output_tokens"] ?? "inf",
      "audio": [
        "output": [
          "format": format,
          "voice": settings["audio"]?["output"]?["voice"] ?? output?["voice"] ?? nil,
        ]
      ],
      "usage": nil, "metadata": settings["metadata"] ?? nil,
    ]
    let answer = answer(
      to: context, settings: settings, isSpoken: isSpoken, format: SoundFormat(format))
    return RunningResponse(
      id: id, conversationID: conversation, isSpoken: isSpoken, format: SoundFormat(format),
      inputTokens: StandInWords.count(latestUserWords(in: context)), object: object,
      steps: answer.steps,
      interval: answer.interval)
  }

  /// The items of a response's own input; references stand for items of the conversation.
  private func context(_ input: [JSONValue]) -> [JSONObject] {
    input.compactMap { item in
      guard item["type"]?.string == "item_reference" else { return item.object }
      return items.first { $0["id"] == item["id"] }
    }
  }

  mutating func cancelResponse(_ id: String?) throws(RealtimeFault) -> [StandInFrame] {
    let index = responses.firstIndex { response in
      id.map { $0 == response.id } ?? response.isInConversation
    }
    guard let index else {
      throw RealtimeFault(
        code: "response_cancel_not_active", "Cancellation failed: no active response found")
    }
    isSoundAnswered = false
    return late(index) + finish(at: index, status: "cancelled", reason: "client_cancelled")
  }

  /// Cancels the conversation's response for a reason of the service's own; nothing if none is active.
  mutating func endActiveResponse(reason: String) -> [StandInFrame] {
    guard let index = responses.firstIndex(where: \.isInConversation) else { return [] }
    if manners.abandonsResponses {
      responses.remove(at: index)
      return []
    }
    return late(index) + finish(at: index, status: "cancelled", reason: reason)
  }

  /// The delta of a cancelled response that was on its way.
  private mutating func late(_ index: Int) -> [StandInFrame] {
    guard manners.sendsLateDeltas, case .sound(let sound) = responses[index].steps.first,
      responses[index].open != nil
    else { return [] }
    return speak(sound, index)
  }

  mutating func advanceResponses() -> [StandInFrame] {
    guard let index = responses.firstIndex(where: { !$0.steps.isEmpty }) else { return [] }
    switch responses[index].steps.removeFirst() {
    case .message: return openMessage(index)
    case .words(let chunk): return say(chunk, index)
    case .sound(let sound): return speak(sound, index)
    case .call(let call): return openCall(call, index)
    case .arguments(let chunk): return argue(chunk, index)
    case .messageEnd, .callEnd: return closeItem(index, status: "completed")
    case .events(let events): return events.flatMap { send($0) }
    case .drop: return end([.abort])
    case .close(let code, let reason): return end([.close(code: code, reason: reason)])
    case .expire: return expire()
    case .end(let status, let reason):
      // What follows the end follows the response, too.
      let rest = responses[index].steps
      let frames = finish(at: index, status: status, reason: reason)
      guard case .expire = rest.first else { return frames }
      return frames + expire()
    }
  }

  private mutating func finish(at index: Int, status: String, reason: String?) -> [StandInFrame] {
    var frames: [StandInFrame] = []
    if responses[index].open != nil {
      frames = closeItem(index, status: status == "completed" ? "completed" : "incomplete")
    }
    let response = responses.remove(at: index)
    var done = response.object
    done["output"] = .array(response.output.map { .object($0) })
    done["status"] = .string(status)
    switch (status, reason) {
    case ("failed", let code):
      done["status_details"] = [
        "type": "failed",
        "error": [
          "type": "server_error", "code": code.map { .string($0) } ?? .null,
          "message": "It failed.",
        ],
      ]
    case (_, let reason?):
      done["status_details"] = ["type": .string(status), "reason": .string(reason)]
    default: break
    }
    done["usage"] = usage(response)
    frames += tell("response.done", ["response": .object(done)])
    let limits: JSONValue = [
      ["name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5]
    ]
    frames += tell("rate_limits.updated", ["rate_limits": limits])
    awaitSilence()
    return frames
  }

  private func usage(_ response: RunningResponse) -> JSONValue {
    let number = { (count: Int) -> JSONValue in .number(JSONNumber(count)) }
    // Ten tokens a second of sound.
    let sound = Int(response.soundMilliseconds) / 100
    return [
      "total_tokens": number(response.inputTokens + response.wordCount + sound),
      "input_tokens": number(response.inputTokens),
      "output_tokens": number(response.wordCount + sound),
      "input_token_details": [
        "text_tokens": number(response.inputTokens), "audio_tokens": 0, "image_tokens": 0,
        "cached_tokens": 0,
        "cached_tokens_details": ["text_tokens": 0, "audio_tokens": 0, "image_tokens": 0],
      ],
      "output_token_details": [
        "text_tokens": number(response.wordCount), "audio_tokens": number(sound),
      ],
    ]
  }
}
