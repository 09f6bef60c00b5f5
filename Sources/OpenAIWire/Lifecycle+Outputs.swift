import Envelope

// The items of responses: added, announced to the conversation, filled, done.

extension Lifecycle {
  /// Where an item of an open response stands.
  func place(ofItem id: String) -> Place? {
    for (response, open) in responses.enumerated() {
      if let output = open.outputs.firstIndex(where: { $0.id == id }) {
        return Place(response: response, output: output)
      }
    }
    return nil
  }

  /// The item of this response, added if it is new; nil where it is done, or is another's.
  ///
  /// - Parameter added: the provider's `response.output_item.added`.
  mutating func output(_ item: JSONObject, in response: Int, with added: JSONObject? = nil) -> Place? {
    guard let id = item["id"]?.string, !id.isEmpty else { return nil }
    if let known = place(ofItem: id) {
      return known.response == response && !self[known].isDone ? known : nil
    }
    guard !input.isKnown(id) else { return nil }
    let index = responses[response].outputs.count
    var opened = item
    opened["status"] = "in_progress"
    var output = Output(id: id, index: index, item: opened)
    switch item["type"]?.string {
    case "message": opened["content"] = []
    case "function_call":
      output.givenArguments = item["arguments"]?.string ?? ""
      opened["arguments"] = ""
    default: break
    }
    output.item = opened
    var event = added ?? ["type": "response.output_item.added", "response_id": .string(responses[response].id)]
    event["output_index"] = .number(JSONNumber(index))
    event["item"] = .object(opened)
    change(response) { $0.outputs.append(output) }
    told.append(event)
    return Place(response: response, output: index)
  }

  /// Tells the conversation of an item of one of its responses.
  ///
  /// - Parameter added: the provider's `conversation.item.added`.
  mutating func announce(_ place: Place, with added: JSONObject? = nil) {
    guard !self[place].isAnnounced, !responses[place.response].isBeside else { return }
    self[place].isAnnounced = true
    var event = added ?? ["type": "conversation.item.added"]
    let claimed = event["previous_item_id"]?.string
    if claimed.map(input.isKnown) != true, claimed == nil || input.lastItemID != nil {
      event["previous_item_id"] = input.lastItemID.map(JSONValue.string) ?? .null
    }
    self[place].previousItemID = event["previous_item_id"] ?? .null
    event["item"] = .object(self[place].item)
    input.added(self[place].id)
    told.append(event)
  }

  // MARK: Calls

  mutating func argumentsDelta(_ event: JSONObject, _ place: Place) {
    announce(place)
    guard isCall(place), !self[place].areArgumentsDone, let delta = event["delta"]?.string else { return }
    self[place].arguments += delta
    tell(event, place)
  }

  /// - Parameter event: the provider's, or one with the `arguments` only.
  mutating func argumentsDone(_ event: JSONObject, _ place: Place) {
    announce(place)
    guard isCall(place), !self[place].areArgumentsDone else { return }
    let output = self[place]
    let final = event["arguments"]?.string ?? ""
    let arguments = [final, output.arguments, output.givenArguments].first { !$0.isEmpty } ?? ""
    if output.arguments.isEmpty, !arguments.isEmpty {
      tell(["type": "response.function_call_arguments.delta", "delta": .string(arguments)], place)
    }
    self[place].areArgumentsDone = true
    self[place].arguments = arguments
    if let name = event["name"]?.string, !name.isEmpty, self[place].item["name"] == "" {
      self[place].item["name"] = .string(name)
    }
    var event = event
    event["type"] = "response.function_call_arguments.done"
    event["name"] = self[place].item["name"] ?? ""
    event["arguments"] = .string(arguments)
    tell(event, place)
  }

  private func isCall(_ place: Place) -> Bool { self[place].item["type"] == "function_call" }

  /// Tells an event of an item with the client's indices.
  mutating func tell(_ event: JSONObject, _ place: Place, part: Int? = nil) {
    var event = event
    event["response_id"] = .string(responses[place.response].id)
    event["item_id"] = .string(self[place].id)
    event["output_index"] = .number(JSONNumber(place.output))
    if let part { event["content_index"] = .number(JSONNumber(part)) }
    if isCall(place) { event["call_id"] = self[place].item["call_id"] }
    if let delta = event["delta"]?.string, event["type"] != "response.output_audio.delta" {
      change(place.response) { $0.textBytes += delta.utf8.count }
    }
    told.append(event)
  }

  // MARK: The end of an item

  /// Nothing more is said in the item: its parts and its arguments are ended, and it takes its final form.
  ///
  /// - Parameter final: the item as the provider ends it.
  private mutating func settle(_ place: Place, _ final: JSONObject) {
    announce(place)
    guard !self[place].isSettled else { return }
    var item = self[place].item
    item.merge(replacing: final)
    if item["status"] == "in_progress" { item["status"] = "completed" }
    switch item["type"]?.string {
    case "message":
      tellRest(of: final["content"]?.array ?? [], place)
      for part in self[place].parts.indices { close(part, place) }
      let given = final["content"]?.array ?? []
      if !self[place].parts.isEmpty, !isContent(given, of: place) { item["content"] = content(of: place) }
    case "function_call":
      argumentsDone(["arguments": final["arguments"] ?? ""], place)
      for key in ["name", "arguments", "call_id"] where item[key]?.string?.isEmpty ?? true {
        item[key] = key == "arguments" ? .string(self[place].arguments) : self[place].item[key]
      }
    default: break
    }
    self[place].item = item
    self[place].isSettled = true
  }

  /// `conversation.item.done` of an item of a response.
  mutating func itemDone(_ place: Place, _ final: JSONObject, with done: JSONObject? = nil) {
    settle(place, final)
    guard !self[place].isItemDone, !responses[place.response].isBeside else { return }
    self[place].isItemDone = true
    input.done(self[place].id)
    var event = done ?? ["type": "conversation.item.done"]
    if event["previous_item_id"] == nil { event["previous_item_id"] = self[place].previousItemID }
    event["item"] = .object(self[place].item)
    told.append(event)
  }

  /// `response.output_item.done`, of the provider or in its place.
  mutating func finish(_ place: Place, _ final: JSONObject, with done: JSONObject?) {
    guard !self[place].isDone else { return }
    itemDone(place, final)
    self[place].isDone = true
    var event = done ?? ["type": "response.output_item.done", "response_id": .string(responses[place.response].id)]
    event["output_index"] = .number(JSONNumber(place.output))
    event["item"] = .object(self[place].item)
    told.append(event)
  }
}

extension JSONObject {
  /// The members of `other`, over those that are here.
  fileprivate mutating func merge(replacing other: JSONObject) {
    for (key, value) in other { self[key] = value }
  }
}
