import Envelope

/// The conversation's items.
extension RealtimeStandIn {
  private func index(of id: String) -> Int? {
    items.firstIndex { $0["id"]?.string == id }
  }

  /// `conversation.item.added` and `.done` for a complete item, put at `position`.
  mutating func add(_ item: JSONObject, at position: Int) -> [StandInFrame] {
    let previous: JSONValue = position > 0 ? items[position - 1]["id"] ?? nil : nil
    items.insert(item, at: position)
    let fields: JSONObject = ["previous_item_id": previous, "item": .object(item)]
    return tell("conversation.item.added", fields) + tell("conversation.item.done", fields)
  }

  mutating func createItem(_ value: JSONObject) throws(RealtimeFault) -> [StandInFrame] {
    guard var item = value["item"]?.object else { return [] }
    try checkContent(item)
    let id = item["id"]?.string ?? ids.next("item")
    guard index(of: id) == nil else {
      throw RealtimeFault(
        code: "item_create_duplicate_item_id",
        "Error adding item: an item with id '\(id)' already exists.",
        param: "item.id")
    }
    var position = items.count
    if let previous = value["previous_item_id"]?.string {
      guard previous == "root" || index(of: previous) != nil else {
        throw RealtimeFault(
          code: "item_create_invalid_previous_item_id",
          "Error adding item: the previous item with id '\(previous)' does not exist.",
          param: "previous_item_id")
      }
      position = index(of: previous).map { $0 + 1 } ?? 0
    }
    activity += 1
    isSoundAnswered = false
    item["id"] = .string(id)
    item["object"] = "realtime.item"
    if item["type"]?.string == "message" { item["status"] = "completed" }
    let frames = add(item, at: position)
    guard manners.answersItems, item["role"]?.string == "user" else { return frames }
    return frames + startResponse()
  }

  /// Which parts a role may have. An assistant's sound cannot be created.
  private func checkContent(_ item: JSONObject) throws(RealtimeFault) {
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
        throw RealtimeFault(
          FieldFault(
            kind: .notInEnumeration(value: type, allowed: allowed),
            path: [.key("item"), .key("content"), .index(index), .key("type")]))
      }
    }
  }

  mutating func deleteItem(_ id: String) throws(RealtimeFault) -> [StandInFrame] {
    guard let index = index(of: id) else {
      throw RealtimeFault(
        code: "item_delete_invalid_item_id",
        "Error deleting item: the item with id '\(id)' does not exist.",
        param: "item_id")
    }
    items.remove(at: index)
    sounds[id] = nil
    return tell(
      "conversation.item.deleted", ["item_id": .string(manners.forgetsDeletedIDs ? "" : id)])
  }

  mutating func retrieveItem(_ id: String) throws(RealtimeFault) -> [StandInFrame] {
    guard let index = index(of: id) else {
      throw RealtimeFault(
        code: "item_retrieve_invalid_item_id",
        "Error retrieving item: the item with id '\(id)' does not exist.",
        param: "item_id")
    }
    var item = items[index]
    if let sound = sounds[id], var part = item["content"]?[0]?.object {
      part["audio"] = .string(StandInBase64.encoded(sound.bytes))
      item["content"] = [.object(part)]
    }
    return tell("conversation.item.retrieved", ["item": .object(item)])
  }

  mutating func truncateItem(_ value: JSONObject) throws(RealtimeFault) -> [StandInFrame] {
    let id = value["item_id"]?.string ?? ""
    let end = value["audio_end_ms"]?.int ?? 0
    guard let index = index(of: id) else {
      throw RealtimeFault(
        code: "item_truncate_invalid_item_id",
        "Error truncating item: the item with id '\(id)' does not exist.",
        param: "item_id")
    }
    guard items[index]["role"]?.string == "assistant", let sound = sounds[id] else {
      throw RealtimeFault(
        code: "unsupported_content_type", "Only model output audio messages can be truncated",
        param: "item_id")
    }
    let length = Int(sound.milliseconds)
    guard end <= length else {
      throw RealtimeFault(
        code: "invalid_value", "Audio content of \(length)ms is already shorter than \(end)ms",
        param: "audio_end_ms")
    }
    sounds[id] = sound.prefix(milliseconds: end)
    if items[index]["content"]?[0] != nil {
      // What the listener did not hear is not in the conversation, and the words cannot be cut by time.
      items[index]["content"] = [["type": "output_audio", "transcript": nil]]
    }
    return tell(
      "conversation.item.truncated",
      [
        "item_id": .string(id), "content_index": value["content_index"] ?? 0,
        "audio_end_ms": .number(JSONNumber(end)),
      ])
  }

  // MARK: What was said

  /// The words of a message; sound counts as what it is heard as.
  func words(of message: JSONObject) -> String {
    let parts = message["content"]?.array ?? []
    return parts.compactMap { part in
      part["text"]?.string ?? part["transcript"]?.string
        ?? (part["type"]?.string == "input_audio" ? spokenWords : nil)
    }.joined(separator: " ")
  }

  /// The user's words in the newest user message of `items`.
  func latestUserWords(in items: [JSONObject]) -> String {
    items.last { $0["role"]?.string == "user" && $0["type"]?.string == "message" }.map(words) ?? ""
  }
}
