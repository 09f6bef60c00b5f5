extension ServerEvent.Body {
  /// The event's type in the vocabulary; nil for an unknown one.
  public var eventType: ServerEventType? {
    switch self {
    case .sessionCreated: .sessionCreated
    case .sessionUpdated: .sessionUpdated
    case .error: .error
    case .conversationCreated: .conversationCreated
    case .conversationItemAdded: .conversationItemAdded
    case .conversationItemDone: .conversationItemDone
    case .conversationItemCreated: .conversationItemCreated
    case .conversationItemRetrieved: .conversationItemRetrieved
    case .conversationItemTruncated: .conversationItemTruncated
    case .conversationItemDeleted: .conversationItemDeleted
    case .inputAudioTranscriptionDelta: .inputAudioTranscriptionDelta
    case .inputAudioTranscriptionCompleted: .inputAudioTranscriptionCompleted
    case .inputAudioTranscriptionFailed: .inputAudioTranscriptionFailed
    case .inputAudioTranscriptionSegment: .inputAudioTranscriptionSegment
    case .inputAudioBufferSpeechStarted: .inputAudioBufferSpeechStarted
    case .inputAudioBufferSpeechStopped: .inputAudioBufferSpeechStopped
    case .inputAudioBufferCommitted: .inputAudioBufferCommitted
    case .inputAudioBufferCleared: .inputAudioBufferCleared
    case .inputAudioBufferTimeoutTriggered: .inputAudioBufferTimeoutTriggered
    case .inputAudioBufferDTMF: .inputAudioBufferDTMF
    case .outputAudioBufferStarted: .outputAudioBufferStarted
    case .outputAudioBufferStopped: .outputAudioBufferStopped
    case .outputAudioBufferCleared: .outputAudioBufferCleared
    case .rateLimitsUpdated: .rateLimitsUpdated
    case .responseCreated: .responseCreated
    case .responseDone: .responseDone
    case .responseOutputItemAdded: .responseOutputItemAdded
    case .responseOutputItemDone: .responseOutputItemDone
    case .responseContentPartAdded: .responseContentPartAdded
    case .responseContentPartDone: .responseContentPartDone
    case .responseOutputTextDelta: .responseOutputTextDelta
    case .responseOutputTextDone: .responseOutputTextDone
    case .responseOutputAudioDelta: .responseOutputAudioDelta
    case .responseOutputAudioDone: .responseOutputAudioDone
    case .responseOutputAudioTranscriptDelta: .responseOutputAudioTranscriptDelta
    case .responseOutputAudioTranscriptDone: .responseOutputAudioTranscriptDone
    case .responseFunctionCallArgumentsDelta: .responseFunctionCallArgumentsDelta
    case .responseFunctionCallArgumentsDone: .responseFunctionCallArgumentsDone
    case .responseMCPCallArgumentsDelta: .responseMCPCallArgumentsDelta
    case .responseMCPCallArgumentsDone: .responseMCPCallArgumentsDone
    case .responseMCPCallInProgress: .responseMCPCallInProgress
    case .responseMCPCallCompleted: .responseMCPCallCompleted
    case .responseMCPCallFailed: .responseMCPCallFailed
    case .mcpListToolsInProgress: .mcpListToolsInProgress
    case .mcpListToolsCompleted: .mcpListToolsCompleted
    case .mcpListToolsFailed: .mcpListToolsFailed
    case .unknown: nil
    }
  }

  /// The wire's `type`.
  public var type: String {
    if case .unknown(let object) = self {
      object["type"]?.string ?? ""
    } else {
      eventType?.rawValue ?? ""
    }
  }

  /// Writes all fields but `type` and `event_id`.
  func write(into object: inout JSONObject) {
    switch self {
    case .sessionCreated(let session), .sessionUpdated(let session):
      object["session"] = JSONCoding.encode(session)
    case .error(let error):
      object["error"] = JSONCoding.encode(error)
    case .conversationCreated(let conversation):
      object["conversation"] = JSONCoding.encode(conversation)
    case .conversationItemAdded(let item, let previous), .conversationItemDone(let item, let previous),
      .conversationItemCreated(let item, let previous):
      object.set("previous_item_id", nullable: previous)
      object["item"] = JSONCoding.encode(item)
    case .conversationItemRetrieved(let item):
      object["item"] = JSONCoding.encode(item)
    case .conversationItemTruncated(let itemID, let contentIndex, let audioEndMs):
      object.set("item_id", itemID)
      object.set("content_index", contentIndex)
      object.set("audio_end_ms", audioEndMs)
    case .conversationItemDeleted(let itemID), .mcpListToolsInProgress(let itemID), .mcpListToolsCompleted(let itemID),
      .mcpListToolsFailed(let itemID):
      object.set("item_id", itemID)
    case .inputAudioTranscriptionDelta, .inputAudioTranscriptionCompleted, .inputAudioTranscriptionFailed,
      .inputAudioTranscriptionSegment:
      writeTranscription(into: &object)
    case .inputAudioBufferCleared, .unknown:
      break
    case .inputAudioBufferSpeechStarted, .inputAudioBufferSpeechStopped, .inputAudioBufferCommitted,
      .inputAudioBufferTimeoutTriggered, .inputAudioBufferDTMF:
      writeBuffer(into: &object)
    case .outputAudioBufferStarted(let responseID), .outputAudioBufferStopped(let responseID),
      .outputAudioBufferCleared(let responseID):
      object.set("response_id", responseID)
    case .rateLimitsUpdated(let limits):
      object["rate_limits"] = JSONCoding.encode(limits)
    case .responseCreated(let response), .responseDone(let response):
      object["response"] = JSONCoding.encode(response)
    case .responseOutputItemAdded(let responseID, let outputIndex, let item),
      .responseOutputItemDone(let responseID, let outputIndex, let item):
      object.set("response_id", responseID)
      object.set("output_index", outputIndex)
      object["item"] = JSONCoding.encode(item)
    case .responseContentPartAdded, .responseContentPartDone, .responseOutputTextDelta, .responseOutputTextDone,
      .responseOutputAudioDelta, .responseOutputAudioDone, .responseOutputAudioTranscriptDelta,
      .responseOutputAudioTranscriptDone:
      writePart(into: &object)
    case .responseFunctionCallArgumentsDelta, .responseFunctionCallArgumentsDone, .responseMCPCallArgumentsDelta,
      .responseMCPCallArgumentsDone, .responseMCPCallInProgress, .responseMCPCallCompleted, .responseMCPCallFailed:
      writeCall(into: &object)
    }
  }

  private func writeTranscription(into object: inout JSONObject) {
    switch self {
    case .inputAudioTranscriptionDelta(let itemID, let contentIndex, let delta):
      object.set("item_id", itemID)
      object.set("content_index", contentIndex)
      object.set("delta", delta)
    case .inputAudioTranscriptionCompleted(let itemID, let contentIndex, let transcript, let usage):
      object.set("item_id", itemID)
      object.set("content_index", contentIndex)
      object.set("transcript", transcript)
      object["usage"] = JSONCoding.encode(usage)
    case .inputAudioTranscriptionFailed(let itemID, let contentIndex, let error):
      object.set("item_id", itemID)
      object.set("content_index", contentIndex)
      object["error"] = JSONCoding.encode(error)
    case .inputAudioTranscriptionSegment(let segment):
      object.set("item_id", segment.itemID)
      object.set("content_index", segment.contentIndex)
      object.set("id", segment.id)
      object.set("text", segment.text)
      object.set("speaker", segment.speaker)
      object["start"] = .number(JSONNumber(segment.start))
      object["end"] = .number(JSONNumber(segment.end))
    default:
      break
    }
  }

  private func writeBuffer(into object: inout JSONObject) {
    switch self {
    case .inputAudioBufferSpeechStarted(let audioStartMs, let itemID):
      object.set("audio_start_ms", audioStartMs)
      object.set("item_id", itemID)
    case .inputAudioBufferSpeechStopped(let audioEndMs, let itemID):
      object.set("audio_end_ms", audioEndMs)
      object.set("item_id", itemID)
    case .inputAudioBufferCommitted(let itemID, let previous):
      object.set("previous_item_id", nullable: previous)
      object.set("item_id", itemID)
    case .inputAudioBufferTimeoutTriggered(let audioStartMs, let audioEndMs, let itemID):
      object.set("audio_start_ms", audioStartMs)
      object.set("audio_end_ms", audioEndMs)
      object.set("item_id", itemID)
    case .inputAudioBufferDTMF(let event, let receivedAt):
      object.set("event", event)
      object.set("received_at", receivedAt)
    default:
      break
    }
  }

  private func writePart(into object: inout JSONObject) {
    switch self {
    case .responseContentPartAdded(let position, let part), .responseContentPartDone(let position, let part):
      object.set(position)
      object["part"] = JSONCoding.encode(part)
    case .responseOutputTextDelta(let position, let delta), .responseOutputAudioDelta(let position, let delta),
      .responseOutputAudioTranscriptDelta(let position, let delta):
      object.set(position)
      object.set("delta", delta)
    case .responseOutputTextDone(let position, let text):
      object.set(position)
      object.set("text", text)
    case .responseOutputAudioTranscriptDone(let position, let transcript):
      object.set(position)
      object.set("transcript", transcript)
    case .responseOutputAudioDone(let position):
      object.set(position)
    default:
      break
    }
  }

  private func writeCall(into object: inout JSONObject) {
    switch self {
    case .responseFunctionCallArgumentsDelta(let responseID, let itemID, let outputIndex, let callID, let delta):
      object.set(responseID: responseID, itemID: itemID, outputIndex: outputIndex)
      object.set("call_id", callID)
      object.set("delta", delta)
    case .responseFunctionCallArgumentsDone(
      let responseID, let itemID, let outputIndex, let callID, let name, let arguments):
      object.set(responseID: responseID, itemID: itemID, outputIndex: outputIndex)
      object.set("call_id", callID)
      if let name {
        object.set("name", name)
      }
      object.set("arguments", arguments)
    case .responseMCPCallArgumentsDelta(let responseID, let itemID, let outputIndex, let delta):
      object.set(responseID: responseID, itemID: itemID, outputIndex: outputIndex)
      object.set("delta", delta)
    case .responseMCPCallArgumentsDone(let responseID, let itemID, let outputIndex, let arguments):
      object.set(responseID: responseID, itemID: itemID, outputIndex: outputIndex)
      object.set("arguments", arguments)
    case .responseMCPCallInProgress(let itemID, let outputIndex),
      .responseMCPCallCompleted(let itemID, let outputIndex), .responseMCPCallFailed(let itemID, let outputIndex):
      object.set("item_id", itemID)
      object.set("output_index", outputIndex)
    default:
      break
    }
  }
}

extension JSONObject {
  fileprivate mutating func set(responseID: String, itemID: String, outputIndex: Int) {
    set("response_id", responseID)
    set("item_id", itemID)
    set("output_index", outputIndex)
  }

  fileprivate mutating func set(_ position: PartPosition) {
    set(responseID: position.responseID, itemID: position.itemID, outputIndex: position.outputIndex)
    set("content_index", position.contentIndex)
  }
}
