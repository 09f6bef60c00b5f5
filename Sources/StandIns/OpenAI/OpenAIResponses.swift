import Envelope

/// A response that has been created and is not done.
struct RunningResponse: Sendable {
  enum Step: Sendable {
    case item
    case words(String)
    case sound(Sound)
    case end
  }

  let id: String
  let itemID: String
  /// Null for a response outside of the conversation.
  let conversationID: JSONValue
  let isSpoken: Bool
  let codec: Sound.Codec
  let inputTokens: Int
  var object: JSONObject
  var steps: [Step]
  var previousItemID: JSONValue = nil
  var hasItem = false
  var words = ""
  var sound: Sound

  var isInConversation: Bool { !conversationID.isNull }
}

/// Responses: create, cancel, and their events one at a time.
extension OpenAIStandIn {
  mutating func createResponse(_ settings: JSONValue) throws(OpenAIFault) -> [StandInFrame] {
    let isOutOfBand = settings["conversation"]?.string == "none"
    if !isOutOfBand, let active = responses.first(where: \.isInConversation) {
      throw OpenAIFault(
        code: "conversation_already_has_active_response",
        "Conversation already has an active response in progress: \(active.id). "
          + "Wait until the response is finished before creating a new one.")
    }
    let modalities = settings["output_modalities"] ?? session["output_modalities"] ?? ["audio"]
    guard modalities.array?.count == 1 else {
      throw OpenAIFault(
        code: "invalid_value", "Invalid modalities: supported combinations are: ['text'] and ['audio'].",
        param: "response.output_modalities")
    }
    let response = newResponse(settings, modalities: modalities, isOutOfBand: isOutOfBand)
    responses.append(response)
    return [event("response.created", ["response": .object(response.object)])]
  }

  private mutating func newResponse(
    _ settings: JSONValue, modalities: JSONValue, isOutOfBand: Bool
  ) -> RunningResponse {
    let id = ids.next("resp")
    let output = session["audio"]?["output"]
    let format = settings["audio"]?["output"]?["format"] ?? output?["format"] ?? nil
    let context = settings["input"]?.array?.compactMap(\.object) ?? items
    let words = latestUserWords(in: context)
    let isSpoken = modalities[0]?.string == "audio"
    let codec = Sound.Codec(rawValue: format["type"]?.string ?? "") ?? .pcm
    let conversation: JSONValue = isOutOfBand ? .null : .string(conversationID)
    let object: JSONObject = [
      "object": "realtime.response", "id": .string(id), "status": "in_progress", "status_details": nil,
      "output": [], "conversation_id": conversation, "output_modalities": modalities,
      "max_output_tokens": settings["max_output_tokens"] ?? session["max_output_tokens"] ?? "inf",
      "audio": [
        "output": [
          "format": format, "voice": settings["audio"]?["output"]?["voice"] ?? output?["voice"] ?? nil,
        ]
      ],
      "usage": nil, "metadata": settings["metadata"] ?? nil,
    ]
    return RunningResponse(
      id: id, itemID: ids.next("item"), conversationID: conversation, isSpoken: isSpoken, codec: codec,
      inputTokens: words.split(separator: " ").count, object: object,
      steps: Self.steps(answer: StandInWords.answer(to: words), isSpoken: isSpoken, codec: codec),
      sound: Sound(codec: codec))
  }

  /// The item, then words and sound in turn with the words first, then the end.
  private static func steps(answer: String, isSpoken: Bool, codec: Sound.Codec) -> [RunningResponse.Step] {
    var words = StandInWords.chunks(answer, leadingSpace: false)[...]
    var sounds = (isSpoken ? StandInSound.parts(codec) : [])[...]
    var steps = [RunningResponse.Step.item]
    while !words.isEmpty || !sounds.isEmpty {
      if let chunk = words.popFirst() { steps.append(.words(chunk)) }
      if let sound = sounds.popFirst() { steps.append(.sound(sound)) }
    }
    return steps + [.end]
  }

  mutating func advanceResponses() -> [StandInFrame] {
    guard !responses.isEmpty, !responses[0].steps.isEmpty else { return [] }
    switch responses[0].steps.removeFirst() {
    case .item:
      return openItem()
    case .words(let chunk):
      responses[0].words += chunk
      let family = responses[0].isSpoken ? "response.output_audio_transcript" : "response.output_text"
      var fields = position(responses[0])
      fields["delta"] = .string(chunk)
      fields["obfuscation"] = .string(ids.obfuscation(for: chunk))
      return [event(family + ".delta", fields)]
    case .sound(let sound):
      responses[0].sound.bytes += sound.bytes
      sounds[responses[0].itemID] = responses[0].sound
      hasSpoken = true
      var fields = position(responses[0])
      fields["delta"] = .string(StandInBase64.encoded(sound.bytes))
      return [event("response.output_audio.delta", fields)]
    case .end:
      return end(responses.removeFirst(), status: "completed", reason: nil)
    }
  }

  mutating func cancelResponse(_ id: String?) throws(OpenAIFault) -> [StandInFrame] {
    let index = responses.firstIndex { response in
      id.map { $0 == response.id } ?? response.isInConversation
    }
    guard let index else {
      throw OpenAIFault(code: "response_cancel_not_active", "Cancellation failed: no active response found")
    }
    return end(responses.remove(at: index), status: "cancelled", reason: "client_cancelled")
  }

  /// Cancels the conversation's response for a reason of the service's own; nothing if none is active.
  mutating func endActiveResponse(reason: String) -> [StandInFrame] {
    guard let index = responses.firstIndex(where: \.isInConversation) else { return [] }
    return end(responses.remove(at: index), status: "cancelled", reason: reason)
  }

  // MARK: Events

  private func position(_ response: RunningResponse) -> JSONObject {
    [
      "response_id": .string(response.id), "item_id": .string(response.itemID), "output_index": 0,
      "content_index": 0,
    ]
  }

  private func part(_ response: RunningResponse) -> JSONValue {
    response.isSpoken
      ? ["type": "audio", "transcript": .string(response.words)]
      : ["type": "text", "text": .string(response.words)]
  }

  private func item(_ response: RunningResponse, status: String, content: [JSONValue]) -> JSONObject {
    [
      "id": .string(response.itemID), "object": "realtime.item", "type": "message", "status": .string(status),
      "role": "assistant", "content": .array(content),
    ]
  }

  private func itemEvent(_ response: RunningResponse, _ item: JSONObject) -> JSONObject {
    ["response_id": .string(response.id), "output_index": 0, "item": .object(item)]
  }

  private mutating func openItem() -> [StandInFrame] {
    responses[0].hasItem = true
    responses[0].previousItemID = items.last?["id"] ?? nil
    let response = responses[0]
    let item = item(response, status: "in_progress", content: [])
    var frames = [event("response.output_item.added", itemEvent(response, item))]
    if response.isInConversation {
      frames.append(
        event(
          "conversation.item.added", ["previous_item_id": response.previousItemID, "item": .object(item)]))
      items.append(item)
    }
    var fields = position(response)
    fields["part"] = part(response)
    frames.append(event("response.content_part.added", fields))
    return frames
  }

  private mutating func end(_ response: RunningResponse, status: String, reason: String?) -> [StandInFrame] {
    var frames: [StandInFrame] = []
    var done = response.object
    if response.hasItem {
      let content: JSONValue =
        response.isSpoken
        ? ["type": "output_audio", "transcript": .string(response.words)]
        : ["type": "output_text", "text": .string(response.words)]
      let item = item(response, status: status == "completed" ? "completed" : "incomplete", content: [content])
      frames = closeItem(response, item)
      done["output"] = [.object(item)]
    }
    done["status"] = .string(status)
    if let reason { done["status_details"] = ["type": .string(status), "reason": .string(reason)] }
    done["usage"] = usage(response)
    frames.append(event("response.done", ["response": .object(done)]))
    let limits: JSONValue = [["name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5]]
    frames.append(event("rate_limits.updated", ["rate_limits": limits]))
    return frames
  }

  private mutating func closeItem(_ response: RunningResponse, _ item: JSONObject) -> [StandInFrame] {
    var frames: [StandInFrame] = []
    let place = position(response)
    var ending = place
    ending[response.isSpoken ? "transcript" : "text"] = .string(response.words)
    if response.isSpoken {
      frames.append(event("response.output_audio.done", place))
      frames.append(event("response.output_audio_transcript.done", ending))
    } else {
      frames.append(event("response.output_text.done", ending))
    }
    var partDone = place
    partDone["part"] = part(response)
    frames.append(event("response.content_part.done", partDone))
    if response.isInConversation {
      if let index = items.firstIndex(where: { $0["id"]?.string == response.itemID }) { items[index] = item }
      frames.append(
        event("conversation.item.done", ["previous_item_id": response.previousItemID, "item": .object(item)]))
    }
    frames.append(event("response.output_item.done", itemEvent(response, item)))
    return frames
  }

  private func usage(_ response: RunningResponse) -> JSONValue {
    let number = { (count: Int) -> JSONValue in .number(JSONNumber(count)) }
    let words = response.words.split(separator: " ").count
    // Ten tokens a second of sound.
    let sound = Int(response.sound.milliseconds) / 100
    return [
      "total_tokens": number(response.inputTokens + words + sound),
      "input_tokens": number(response.inputTokens),
      "output_tokens": number(words + sound),
      "input_token_details": [
        "text_tokens": number(response.inputTokens), "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0,
        "cached_tokens_details": ["text_tokens": 0, "audio_tokens": 0, "image_tokens": 0],
      ],
      "output_token_details": ["text_tokens": number(words), "audio_tokens": number(sound)],
    ]
  }
}
