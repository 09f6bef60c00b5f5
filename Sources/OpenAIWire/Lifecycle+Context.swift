import Envelope

// What an event leaves out and its context tells: ids, indices, names, and the members of the objects that it carries.

extension Lifecycle {
  /// The event with what it lacks, as far as that is known. Ids that nobody knows are made.
  func filled(_ event: JSONObject, _ type: ServerEventType, ids: inout IDSource) -> JSONObject {
    var event = event
    switch type {
    case .responseCreated, .responseDone:
      fillResponse(&event, isDone: type == .responseDone, ids: &ids)
    case .responseOutputItemAdded, .responseOutputItemDone:
      fillOutput(&event, isDone: type == .responseOutputItemDone, ids: &ids)
    case .conversationItemAdded, .conversationItemCreated, .conversationItemDone, .conversationItemRetrieved:
      guard var item = event["item"]?.object else { break }
      fill(&item, isOutput: false, isDone: type != .conversationItemAdded, ids: &ids)
      event["item"] = .object(item)
    case .responseContentPartAdded, .responseContentPartDone, .responseOutputTextDelta, .responseOutputTextDone,
      .responseOutputAudioDelta, .responseOutputAudioDone, .responseOutputAudioTranscriptDelta,
      .responseOutputAudioTranscriptDone, .responseFunctionCallArgumentsDelta, .responseFunctionCallArgumentsDone,
      .responseMCPCallArgumentsDelta, .responseMCPCallArgumentsDone, .responseMCPCallInProgress,
      .responseMCPCallCompleted, .responseMCPCallFailed:
      fillContent(&event, type, ids: &ids)
    case .inputAudioBufferSpeechStarted, .inputAudioBufferSpeechStopped, .inputAudioBufferCommitted:
      if !event.hasText("item_id") { event["item_id"] = .string(input.speakingItemID ?? ids.next(.item)) }
    case .inputAudioTranscriptionCompleted:
      if event["usage"]?["type"]?.string == nil, let id = event["item_id"]?.string {
        let isCounted = event["usage"]?["total_tokens"]?.int != nil
        var usage: JSONObject = ["type": "duration", "seconds": .number(JSONNumber(input.seconds(of: id)))]
        if isCounted, let counted = event["usage"]?.object {
          usage = counted
          usage["type"] = "tokens"
        }
        event["usage"] = .object(usage)
      }
    default:
      break
    }
    return event
  }

  // MARK: Events of a response

  /// Where an event belongs that does not say so, or not in full.
  private func place(_ event: JSONObject, isCall: Bool) -> Place? {
    if event.hasText("item_id") { return event["item_id"]?.string.flatMap(place(ofItem:)) }
    guard let response = event["response_id"]?.string.map(place(of:)) ?? live else { return nil }
    let outputs = responses[response].outputs
    func last(_ fits: (Output) -> Bool) -> Place? {
      outputs.lastIndex { !$0.isDone && fits($0) }.map { Place(response: response, output: $0) }
    }
    if let callID = event["call_id"]?.string, !callID.isEmpty {
      return last { $0.item["call_id"]?.string == callID }
    }
    return last { ($0.item["type"] == "function_call") == isCall }
  }

  private func fillContent(_ event: inout JSONObject, _ type: ServerEventType, ids: inout IDSource) {
    let isCall = type == .responseFunctionCallArgumentsDelta || type == .responseFunctionCallArgumentsDone
    let place = place(event, isCall: isCall)
    if !event.hasText("response_id") {
      event["response_id"] = (place?.response ?? live).map { .string(responses[$0].id) }
    }
    if !event.hasText("item_id") { event["item_id"] = .string(place.map { self[$0].id } ?? ids.next(.item)) }
    if event["output_index"]?.int == nil { event["output_index"] = .number(JSONNumber(place?.output ?? 0)) }
    if isCall {
      if !event.hasText("call_id") { event["call_id"] = place.flatMap { self[$0].item["call_id"] } }
      if !event.hasText("call_id") { event["call_id"] = .string(ids.next(.call)) }
      if type == .responseFunctionCallArgumentsDone, !event.hasText("name") {
        event["name"] = place.flatMap { self[$0].item["name"] } ?? ""
      }
      return
    }
    let part = place.flatMap { self[$0].parts.last }
    if event["content_index"]?.int == nil { event["content_index"] = .number(JSONNumber(part?.source ?? 0)) }
    if type == .responseContentPartAdded || type == .responseContentPartDone, event["part"]?.object == nil {
      let own = place.flatMap { self[$0].parts.last { $0.source == event["content_index"]?.int } }
      let response = event["response_id"]?.string.flatMap(self.place(of:))
      let kind = own?.kind ?? response.map { responses[$0].kind } ?? .audio
      event["part"] = kind.part(type == .responseContentPartDone ? own?.words ?? "" : "")
    }
  }

  private func fillOutput(_ event: inout JSONObject, isDone: Bool, ids: inout IDSource) {
    guard var item = event["item"]?.object else { return }
    let known = item["id"]?.string.flatMap(place(ofItem:))
    if !event.hasText("response_id") {
      event["response_id"] = (known?.response ?? live).map { .string(responses[$0].id) }
    }
    if isDone, !item.hasText("id") {
      var search = event
      search["call_id"] = item["call_id"]
      let place = place(search, isCall: item["type"] == "function_call" || item.hasText("call_id"))
      item["id"] = place.map { .string(self[$0].id) }
    }
    fill(&item, isOutput: true, isDone: isDone, ids: &ids)
    event["item"] = .object(item)
    if event["output_index"]?.int == nil { event["output_index"] = .number(JSONNumber(known?.output ?? 0)) }
  }

  // MARK: Items

  private func fill(_ item: inout JSONObject, isOutput: Bool, isDone: Bool, ids: inout IDSource) {
    let known = item["id"]?.string.flatMap(place(ofItem:)).map { self[$0].item }
    if !item.hasText("id") { item["id"] = .string(ids.next(.item)) }
    if !isVocabulary(item["type"]?.string) { item["type"] = known?["type"] ?? Self.type(of: item) }
    switch item["type"]?.string {
    case "message":
      fillMessage(&item, isOutput: isOutput)
    case "function_call":
      if !item.hasText("call_id") { item["call_id"] = known?["call_id"] ?? .string(ids.next(.call)) }
      if !item.hasText("name") { item["name"] = known?["name"] ?? "" }
    default: break
    }
    if let status = item["status"]?.string, ["cancelled", "canceled", "failed"].contains(status) {
      item["status"] = "incomplete"
    } else if item["status"]?.string == nil, isOutput {
      item["status"] = isDone ? "completed" : "in_progress"
    }
  }

  private func isVocabulary(_ type: String?) -> Bool {
    guard let type else { return false }
    if case .other = ItemType(rawValue: type) { return false }
    return true
  }

  /// A provider's own kind of item as the kind that it is closest to.
  private static func type(of item: JSONObject) -> JSONValue {
    if item.hasText("call_id") { return item["output"] == nil ? "function_call" : "function_call_output" }
    return "message"
  }

  private func fillMessage(_ item: inout JSONObject, isOutput: Bool) {
    switch item["role"]?.string {
    case "user", "system", "assistant": break
    case "developer": item["role"] = "system"
    default:
      let isHeard = item["content"]?.array?.contains { $0["type"]?.string?.hasPrefix("input_") == true } ?? false
      item["role"] = isHeard && !isOutput ? "user" : "assistant"
    }
  }

  // MARK: Responses

  private func fillResponse(_ event: inout JSONObject, isDone: Bool, ids: inout IDSource) {
    guard var response = event["response"]?.object else { return }
    if !response.hasText("id") {
      let known = isDone ? live.map { responses[$0].id } : nil
      response["id"] = .string(event["response_id"]?.string ?? known ?? ids.next(.response))
    }
    let open = response["id"]?.string.flatMap(place(of:)).map { responses[$0] }
    response["status"] = Self.status(response["status"]?.string, isDone: isDone)
    fillDetails(&response, isCancelled: open?.isCancelled == true)
    fillUsage(&response, from: &event)
    if let output = response["output"]?.array {
      response["output"] = .array(
        output.map { item in
          guard var item = item.object else { return item }
          fill(&item, isOutput: true, isDone: true, ids: &ids)
          return .object(item)
        })
    }
    complete(&response)
    event["response"] = .object(response)
  }

  private static func status(_ status: String?, isDone: Bool) -> JSONValue {
    switch status {
    case let known? where ResponseStatus(rawValue: known) != nil: .string(known)
    case "canceled", "interrupted": "cancelled"
    case "error": "failed"
    default: isDone ? "completed" : "in_progress"
    }
  }

  private func fillDetails(_ response: inout JSONObject, isCancelled: Bool) {
    guard let status = response["status"]?.string else { return }
    let reason = response["status_details"]?["reason"]?.string
    // One word for an interruption, whatever the provider calls it.
    if status == "incomplete", reason == "turn_detected" || reason == "client_cancelled" {
      response["status"] = "cancelled"
      response["status_details"] = ["type": "cancelled", "reason": reason.map(JSONValue.string) ?? .null]
    }
    guard response["status_details"]?.object == nil else { return }
    switch response["status"]?.string {
    case "cancelled":
      response["status_details"] = [
        "type": "cancelled", "reason": isCancelled ? "client_cancelled" : "turn_detected",
      ]
    case "incomplete", "failed": response["status_details"] = ["type": .string(status)]
    default: response["status_details"] = .null
    }
  }

  /// Some count beside the response.
  private func fillUsage(_ response: inout JSONObject, from event: inout JSONObject) {
    if response["usage"]?.object?.isEmpty ?? true { response["usage"] = event["usage"] ?? .null }
    event.removeValue(forKey: "usage")
    guard var usage = response["usage"]?.object, !usage.isEmpty else {
      response["usage"] = .null
      return
    }
    if usage["total_tokens"]?.int == nil {
      usage["total_tokens"] = .number(
        JSONNumber((usage["input_tokens"]?.int ?? 0) &+ (usage["output_tokens"]?.int ?? 0)))
    }
    response["usage"] = .object(usage)
  }
}

extension JSONObject {
  /// Whether a member is a string and not empty.
  func hasText(_ key: String) -> Bool { self[key]?.string?.isEmpty == false }
}
