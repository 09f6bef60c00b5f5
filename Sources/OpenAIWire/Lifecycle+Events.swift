import Envelope

extension Lifecycle {
  /// Takes an event that satisfies its shape. What is to be told of it is in `told` afterwards.
  mutating func take(_ event: JSONObject, _ type: ServerEventType) {
    told.removeAll(keepingCapacity: true)
    switch type {
    case .responseOutputTextDelta, .responseOutputAudioTranscriptDelta, .responseOutputAudioDelta,
      .responseFunctionCallArgumentsDelta, .inputAudioTranscriptionDelta:
      break
    default:
      lane = nil
    }
    switch type {
    case .responseCreated, .inputAudioBufferSpeechStarted: endTranscripts()
    case .inputAudioBufferCommitted: endTranscripts(but: event["item_id"]?.string)
    default: break
    }
    switch type {
    case .conversationItemAdded, .conversationItemCreated: itemAdded(event)
    case .conversationItemDone: itemDone(event)
    case .conversationItemDeleted: itemDeleted(event)
    case .inputAudioTranscriptionDelta: transcriptDelta(event)
    case .inputAudioTranscriptionCompleted: transcriptDone(event, isFinal: event["status"] != "in_progress")
    case .inputAudioTranscriptionFailed: transcriptFailed(event)
    case .inputAudioBufferSpeechStarted: speechStarted(event)
    case .inputAudioBufferSpeechStopped: speechStopped(event)
    case .inputAudioBufferCommitted: if let id = event["item_id"]?.string { commit(id, with: event) }
    case .inputAudioBufferCleared: bufferCleared(event)
    case .responseCreated: begin(event)
    case .responseDone: responseDone(event)
    case .responseOutputItemAdded, .responseOutputItemDone: outputItem(event, isDone: type == .responseOutputItemDone)
    case .responseMCPCallArgumentsDelta, .responseMCPCallArgumentsDone, .responseMCPCallInProgress,
      .responseMCPCallCompleted, .responseMCPCallFailed:
      ofKnownItem(event)
    case .responseContentPartAdded, .responseContentPartDone, .responseOutputTextDelta, .responseOutputTextDone,
      .responseOutputAudioDelta, .responseOutputAudioDone, .responseOutputAudioTranscriptDelta,
      .responseOutputAudioTranscriptDone, .responseFunctionCallArgumentsDelta, .responseFunctionCallArgumentsDone:
      content(event, type)
    case .sessionCreated, .sessionUpdated, .error, .conversationCreated, .conversationItemRetrieved,
      .conversationItemTruncated, .inputAudioTranscriptionSegment,
      .inputAudioBufferTimeoutTriggered, .inputAudioBufferDTMF, .outputAudioBufferStarted, .outputAudioBufferStopped,
      .outputAudioBufferCleared, .rateLimitsUpdated, .mcpListToolsInProgress, .mcpListToolsCompleted,
      .mcpListToolsFailed:
      told.append(event)
    }
  }

  private mutating func responseDone(_ event: JSONObject) {
    guard let id = event["response"]?["id"]?.string, !isClosed(id) else { return }
    if place(of: id) == nil {
      begin(["type": "response.created", "response": event["response"] ?? [:]])
    }
    guard let place = place(of: id) else { return }
    var event = event
    if var response = event["response"]?.object, rules.completesLifecycle {
      complete(&response)
      response["output_modalities"] = responses[place].response["output_modalities"]
      if response["status"] == "in_progress" { response["status"] = "completed" }
      event["response"] = .object(response)
    }
    end(place, event)
  }

  private mutating func outputItem(_ event: JSONObject, isDone: Bool) {
    guard let id = event["response_id"]?.string, let item = event["item"]?.object, let response = response(id) else {
      return
    }
    let isFilled = item["status"] == "completed" || item.hasText("arguments")
    let isWhole = rules.callsComeWhole && item["type"] == "function_call" && isFilled
    guard let place = output(item, in: response, with: isDone ? nil : event), isDone || isWhole else { return }
    finish(place, item, with: isDone ? event : nil)
  }

  private mutating func ofKnownItem(_ event: JSONObject) {
    guard let id = event["item_id"]?.string, let place = place(ofItem: id), !self[place].isDone else { return }
    announce(place)
    var event = event
    event["output_index"] = .number(JSONNumber(place.output))
    told.append(event)
  }

  private mutating func content(_ event: JSONObject, _ type: ServerEventType) {
    guard let responseID = event["response_id"]?.string, let itemID = event["item_id"]?.string,
      let response = response(responseID)
    else { return }
    let isCall = type == .responseFunctionCallArgumentsDelta || type == .responseFunctionCallArgumentsDone
    let item: JSONObject =
      isCall
      ? [
        "id": .string(itemID), "object": "realtime.item", "type": "function_call", "status": "in_progress",
        "call_id": event["call_id"] ?? "", "name": event["name"] ?? "", "arguments": "",
      ]
      : [
        "id": .string(itemID), "object": "realtime.item", "type": "message", "status": "in_progress",
        "role": "assistant", "content": [],
      ]
    guard let place = output(item, in: response) else { return }
    let source = event["content_index"]?.int ?? 0
    switch type {
    case .responseFunctionCallArgumentsDelta: argumentsDelta(event, place)
    case .responseFunctionCallArgumentsDone: argumentsDone(event, place)
    case .responseContentPartAdded: partAdded(event, at: source, place)
    case .responseContentPartDone: partDone(event, at: source, place)
    case .responseOutputTextDelta: words(event, .text, at: source, place)
    case .responseOutputAudioTranscriptDelta: words(event, .audio, at: source, place)
    case .responseOutputTextDone: wordsDone(event["text"]?.string ?? "", .text, at: source, place, with: event)
    case .responseOutputAudioTranscriptDone:
      wordsDone(event["transcript"]?.string ?? "", .audio, at: source, place, with: event)
    case .responseOutputAudioDelta: audio(event, at: source, place)
    default: audioDone(event, at: source, place)
    }
  }
}
