import Envelope

/// The conversation's items.
extension OpenAIStandIn {
  private func index(of id: String) -> Int? {
    items.firstIndex { $0["id"]?.string == id }
  }

  /// `conversation.item.added` and `.done` for a complete item, put at `position`.
  mutating func add(_ item: JSONObject, at position: Int) -> [StandInFrame] {
    let previous: JSONValue = position > 0 ? items[position - 1]["id"] ?? nil : nil
    items.insert(item, at: position)
    let fields: JSONObject = ["previous_item_id": previous, "item": .object(item)]
    return [event("conversation.item.added", fields), event("conversation.item.done", fields)]
  }

  mutating func createItem(_ value: JSONValue) throws(OpenAIFault) -> [StandInFrame] {
    guard var item = value["item"]?.object else { return [] }
    try checkContent(item)
    let id = item["id"]?.string ?? ids.next("item")
    guard index(of: id) == nil else {
      throw OpenAIFault(
        code: "item_create_duplicate_item_id", "Error adding item: an item with id '\(id)' already exists.",
        param: "item.id")
    }
    var position = items.count
    if let previous = value["previous_item_id"]?.string {
      guard previous == "root" || index(of: previous) != nil else {
        throw OpenAIFault(
          code: "item_create_invalid_previous_item_id",
          "Error adding item: the previous item with id '\(previous)' does not exist.", param: "previous_item_id")
      }
      position = index(of: previous).map { $0 + 1 } ?? 0
    }
    item["id"] = .string(id)
    item["object"] = "realtime.item"
    if item["type"]?.string == "message" { item["status"] = "completed" }
    return add(item, at: position)
  }

  /// Which parts a role may have. An assistant's sound cannot be created.
  private func checkContent(_ item: JSONObject) throws(OpenAIFault) {
    guard let role = item["role"]?.string else { return }
    let allowed =
      switch role {
      case "system": ["input_text"]
      case "assistant": ["output_text"]
      default: ["input_text", "input_audio", "input_image"]
      }
    for (index, part) in (item["content"]?.array ?? []).enumerated() {
      let type = part["type"]?.string ?? ""
      guard allowed.contains(type) else {
        throw OpenAIFault(
          FieldFault(
            kind: .notInEnumeration(value: type, allowed: allowed),
            path: [.key("item"), .key("content"), .index(index), .key("type")]))
      }
    }
  }

  mutating func deleteItem(_ id: String) throws(OpenAIFault) -> [StandInFrame] {
    guard let index = index(of: id) else {
      throw OpenAIFault(
        code: "item_delete_invalid_item_id", "Error deleting item: the item with id '\(id)' does not exist.",
        param: "item_id")
    }
    items.remove(at: index)
    sounds[id] = nil
    return [event("conversation.item.deleted", ["item_id": .string(id)])]
  }

  mutating func retrieveItem(_ id: String) throws(OpenAIFault) -> [StandInFrame] {
    guard let index = index(of: id) else {
      throw OpenAIFault(
        code: "item_retrieve_invalid_item_id", "Error retrieving item: the item with id '\(id)' does not exist.",
        param: "item_id")
    }
    var item = items[index]
    if let sound = sounds[id], var part = item["content"]?[0]?.object {
      part["audio"] = .string(StandInBase64.encoded(sound.bytes))
      item["content"] = [.object(part)]
    }
    return [event("conversation.item.retrieved", ["item": .object(item)])]
  }

  mutating func truncateItem(_ value: JSONValue) throws(OpenAIFault) -> [StandInFrame] {
    let id = value["item_id"]?.string ?? ""
    let end = value["audio_end_ms"]?.int ?? 0
    guard let index = index(of: id) else {
      throw OpenAIFault(
        code: "item_truncate_invalid_item_id", "Error truncating item: the item with id '\(id)' does not exist.",
        param: "item_id")
    }
    guard items[index]["role"]?.string == "assistant", var sound = sounds[id] else {
      throw OpenAIFault(
        code: "unsupported_content_type", "Only model output audio messages can be truncated", param: "item_id")
    }
    let length = Int(sound.milliseconds)
    guard end <= length else {
      throw OpenAIFault(
        code: "invalid_value", "Audio content of \(length)ms is already shorter than \(end)ms",
        param: "audio_end_ms")
    }
    sound.bytes = Array(sound.bytes.prefix(end * sound.codec.bytesPerMillisecond))
    sounds[id] = sound
    if items[index]["content"]?[0] != nil {
      // What the listener did not hear is not in the conversation, and the words cannot be cut by time.
      items[index]["content"] = [["type": "output_audio", "transcript": nil]]
    }
    return [
      event(
        "conversation.item.truncated",
        [
          "item_id": .string(id), "content_index": value["content_index"] ?? 0,
          "audio_end_ms": .number(JSONNumber(end)),
        ])
    ]
  }

  /// The user's words in the newest user message of `items`.
  func latestUserWords(in items: [JSONObject]) -> String {
    guard let message = items.last(where: { $0["role"]?.string == "user" }) else { return "" }
    let parts = message["content"]?.array ?? []
    return parts.compactMap { part in
      part["type"]?.string == "input_audio" ? options.transcription : part["text"]?.string
    }.joined(separator: " ")
  }
}
