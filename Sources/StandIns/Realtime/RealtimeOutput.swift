import Envelope

/// The events of a response's items.
extension RealtimeStandIn {
  private func place(_ response: RunningResponse) -> JSONObject {
    [
      "response_id": .string(response.id), "item_id": response.open?.id ?? nil,
      "output_index": .number(JSONNumber(response.open?.index ?? 0)),
    ]
  }

  private func position(_ response: RunningResponse) -> JSONObject {
    place(response).merging(["content_index": 0])
  }

  private func part(_ response: RunningResponse) -> JSONValue {
    let text = JSONValue.string(response.open?.text ?? "")
    return response.isSpoken
      ? ["type": "audio", "transcript": text] : ["type": "text", "text": text]
  }

  /// The item and its announcement, in the conversation too if the response belongs there.
  private mutating func open(_ item: JSONObject, _ index: Int) -> [StandInFrame] {
    let previous: JSONValue = items.last?["id"] ?? nil
    let output = responses[index].output.count
    responses[index].open = .init(item: item, previousID: previous, index: output)
    let frames = tell(
      "response.output_item.added",
      [
        "response_id": .string(responses[index].id), "output_index": .number(JSONNumber(output)),
        "item": .object(item),
      ])
    guard responses[index].isInConversation else { return frames }
    items.append(item)
    return frames
      + tell("conversation.item.added", ["previous_item_id": previous, "item": .object(item)])
  }

  mutating func openMessage(_ index: Int) -> [StandInFrame] {
    let item: JSONObject = [
      "id": .string(ids.next("item")), "object": "realtime.item", "type": "message",
      "status": "in_progress",
      "role": "assistant", "content": [],
    ]
    return open(item, index)
      + tell(
        "response.content_part.added",
        position(responses[index]).merging(["part": part(responses[index])]))
  }

  mutating func say(_ chunk: String, _ index: Int) -> [StandInFrame] {
    responses[index].open?.text += chunk
    responses[index].wordCount += StandInWords.count(chunk)
    let family =
      responses[index].isSpoken ? "response.output_audio_transcript" : "response.output_text"
    let fields: JSONObject = [
      "delta": .string(chunk), "obfuscation": .string(ids.obfuscation(for: chunk)),
    ]
    return tell(family + ".delta", position(responses[index]).merging(fields))
  }

  mutating func speak(_ sound: Sound, _ index: Int) -> [StandInFrame] {
    responses[index].soundMilliseconds += sound.milliseconds
    if let id = responses[index].open?.id.string {
      sounds[id] = Sound(format: sound.format, bytes: (sounds[id]?.bytes ?? []) + sound.bytes)
    }
    hasSpoken = true
    return tell(
      "response.output_audio.delta",
      position(responses[index]).merging(["delta": .string(StandInBase64.encoded(sound.bytes))]))
  }

  mutating func openCall(_ call: StandInTrigger.Call, _ index: Int) -> [StandInFrame] {
    let item: JSONObject = [
      "id": .string(ids.next("item")), "object": "realtime.item", "type": "function_call",
      "status": "in_progress",
      "name": .string(call.name), "call_id": .string(ids.nextCall()), "arguments": "",
    ]
    return open(item, index)
  }

  mutating func argue(_ chunk: String, _ index: Int) -> [StandInFrame] {
    guard !chunk.isEmpty else { return [] }
    responses[index].open?.text += chunk
    let fields: JSONObject = [
      "call_id": responses[index].open?.item["call_id"] ?? nil, "delta": .string(chunk),
      "obfuscation": .string(ids.obfuscation(for: chunk)),
    ]
    return tell("response.function_call_arguments.delta", place(responses[index]).merging(fields))
  }

  /// The closing events of the open item, in the service's order.
  mutating func closeItem(_ index: Int, status: String) -> [StandInFrame] {
    guard let open = responses[index].open else { return [] }
    let response = responses[index]
    var item = open.item
    item["status"] = .string(status)
    let isCall = item["type"]?.string == "function_call"
    if isCall {
      item["arguments"] = .string(open.text)
    } else {
      item["content"] = [
        response.isSpoken
          ? ["type": "output_audio", "transcript": .string(open.text)]
          : ["type": "output_text", "text": .string(open.text)]
      ]
    }
    if let position = items.firstIndex(where: { $0["id"] == open.id }) { items[position] = item }
    responses[index].output.append(item)
    responses[index].open = nil
    let frames = isCall ? closeArguments(response, open) : []
    let order = manners.closing.filter { isCall ? $0 == .item || $0 == .output : true }
    return frames + order.flatMap { close($0, response, item) }
  }

  private mutating func closeArguments(
    _ response: RunningResponse, _ open: RunningResponse.OpenItem
  ) -> [StandInFrame] {
    let fields: JSONObject = [
      "call_id": open.item["call_id"] ?? nil, "name": open.item["name"] ?? nil,
      "arguments": .string(open.text),
    ]
    return tell("response.function_call_arguments.done", place(response).merging(fields))
  }

  private mutating func close(
    _ event: RealtimeManners.Closing, _ response: RunningResponse, _ item: JSONObject
  ) -> [StandInFrame] {
    let text = JSONValue.string(response.open?.text ?? "")
    switch event {
    case .sound:
      return response.isSpoken ? tell("response.output_audio.done", position(response)) : []
    case .words:
      return response.isSpoken
        ? tell(
          "response.output_audio_transcript.done", position(response).merging(["transcript": text]))
        : tell("response.output_text.done", position(response).merging(["text": text]))
    case .part:
      return tell(
        "response.content_part.done", position(response).merging(["part": part(response)]))
    case .item:
      guard response.isInConversation else { return [] }
      return tell(
        "conversation.item.done",
        ["previous_item_id": response.open?.previousID ?? nil, "item": .object(item)])
    case .output:
      return tell(
        "response.output_item.done",
        [
          "response_id": .string(response.id),
          "output_index": .number(JSONNumber(response.open?.index ?? 0)), "item": .object(item),
        ])
    }
  }
}
