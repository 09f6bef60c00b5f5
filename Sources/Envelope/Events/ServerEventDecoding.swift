extension ServerEvent {
  /// Reads an event. An unknown `type` gives `.unknown`; an index that a peer leaves out is 0.
  /// - Throws: where `value` is no object, has no string `type`, or lacks a field without which the event means
  ///   nothing.
  public static func decode(_ value: JSONValue) throws(DecodingFault) -> ServerEvent {
    guard let object = value.object else {
      throw DecodingFault(.wrongType(expected: .object, found: value.kind), path: "")
    }
    var fields = ObjectFields(object)
    let name: String = try fields.take("type")
    let eventID: String? = try fields.takeIfPresent("event_id")
    guard let type = ServerEventType(rawValue: name) else {
      return ServerEvent(eventID: eventID, .unknown(object))
    }
    let body = try Body(type, &fields)
    return ServerEvent(eventID: eventID, body, unknown: fields.rest)
  }
}

extension ServerEvent.Body {
  fileprivate init(_ type: ServerEventType, _ fields: inout ObjectFields) throws(DecodingFault) {
    switch type {
    case .sessionCreated: self = .sessionCreated(try fields.take("session"))
    case .sessionUpdated: self = .sessionUpdated(try fields.take("session"))
    case .error: self = .error(try fields.take("error"))
    case .conversationCreated: self = .conversationCreated(try fields.take("conversation"))
    case .rateLimitsUpdated: self = .rateLimitsUpdated(try fields.take("rate_limits"))
    case .conversationItemAdded, .conversationItemDone, .conversationItemCreated, .conversationItemRetrieved,
      .conversationItemTruncated, .conversationItemDeleted:
      self = try Self.item(type, &fields)
    case .inputAudioTranscriptionDelta, .inputAudioTranscriptionCompleted, .inputAudioTranscriptionFailed,
      .inputAudioTranscriptionSegment:
      self = try Self.transcription(type, &fields)
    case .inputAudioBufferSpeechStarted, .inputAudioBufferSpeechStopped, .inputAudioBufferCommitted,
      .inputAudioBufferCleared, .inputAudioBufferTimeoutTriggered, .inputAudioBufferDTMF, .outputAudioBufferStarted,
      .outputAudioBufferStopped, .outputAudioBufferCleared:
      self = try Self.buffer(type, &fields)
    case .responseMCPCallArgumentsDelta, .responseMCPCallArgumentsDone, .responseMCPCallInProgress,
      .responseMCPCallCompleted, .responseMCPCallFailed, .mcpListToolsInProgress, .mcpListToolsCompleted,
      .mcpListToolsFailed:
      self = try Self.mcp(type, &fields)
    case .responseCreated, .responseDone, .responseOutputItemAdded, .responseOutputItemDone,
      .responseFunctionCallArgumentsDelta, .responseFunctionCallArgumentsDone:
      self = try Self.response(type, &fields)
    case .responseContentPartAdded, .responseContentPartDone, .responseOutputTextDelta, .responseOutputTextDone,
      .responseOutputAudioDelta, .responseOutputAudioDone, .responseOutputAudioTranscriptDelta,
      .responseOutputAudioTranscriptDone:
      self = try Self.part(type, &fields)
    }
  }

  private static func item(_ type: ServerEventType, _ fields: inout ObjectFields) throws(DecodingFault) -> Self {
    switch type {
    case .conversationItemDeleted:
      return .conversationItemDeleted(itemID: try fields.take("item_id"))
    case .conversationItemTruncated:
      return .conversationItemTruncated(
        itemID: try fields.take("item_id"), contentIndex: try fields.index("content_index"),
        audioEndMs: try fields.take("audio_end_ms"))
    case .conversationItemRetrieved:
      return .conversationItemRetrieved(item: try fields.take("item"))
    default:
      let item: Item = try fields.take("item")
      let previous: String? = try fields.takeNullable("previous_item_id")
      switch type {
      case .conversationItemAdded: return .conversationItemAdded(item: item, previousItemID: previous)
      case .conversationItemDone: return .conversationItemDone(item: item, previousItemID: previous)
      default: return .conversationItemCreated(item: item, previousItemID: previous)
      }
    }
  }

  private static func transcription(
    _ type: ServerEventType, _ fields: inout ObjectFields
  ) throws(DecodingFault) -> Self {
    let itemID: String = try fields.take("item_id")
    let contentIndex = try fields.index("content_index")
    switch type {
    case .inputAudioTranscriptionDelta:
      return .inputAudioTranscriptionDelta(
        itemID: itemID, contentIndex: contentIndex, delta: try fields.takeIfPresent("delta") ?? "")
    case .inputAudioTranscriptionCompleted:
      return .inputAudioTranscriptionCompleted(
        itemID: itemID, contentIndex: contentIndex, transcript: try fields.take("transcript"),
        usage: try fields.takeNullable("usage") ?? .duration(seconds: 0))
    case .inputAudioTranscriptionFailed:
      return .inputAudioTranscriptionFailed(
        itemID: itemID, contentIndex: contentIndex, error: try fields.take("error"))
    default:
      return .inputAudioTranscriptionSegment(
        TranscriptionSegment(
          itemID: itemID, contentIndex: contentIndex, id: try fields.take("id"), text: try fields.take("text"),
          speaker: try fields.take("speaker"), start: try fields.take("start"), end: try fields.take("end")))
    }
  }

  private static func buffer(_ type: ServerEventType, _ fields: inout ObjectFields) throws(DecodingFault) -> Self {
    switch type {
    case .inputAudioBufferSpeechStarted:
      return .inputAudioBufferSpeechStarted(
        audioStartMs: try fields.take("audio_start_ms"), itemID: try fields.take("item_id"))
    case .inputAudioBufferSpeechStopped:
      return .inputAudioBufferSpeechStopped(
        audioEndMs: try fields.take("audio_end_ms"), itemID: try fields.take("item_id"))
    case .inputAudioBufferCommitted:
      return .inputAudioBufferCommitted(
        itemID: try fields.take("item_id"), previousItemID: try fields.takeNullable("previous_item_id"))
    case .inputAudioBufferTimeoutTriggered:
      return .inputAudioBufferTimeoutTriggered(
        audioStartMs: try fields.take("audio_start_ms"), audioEndMs: try fields.take("audio_end_ms"),
        itemID: try fields.take("item_id"))
    case .inputAudioBufferDTMF:
      return .inputAudioBufferDTMF(event: try fields.take("event"), receivedAt: try fields.take("received_at"))
    case .outputAudioBufferStarted: return .outputAudioBufferStarted(responseID: try fields.take("response_id"))
    case .outputAudioBufferStopped: return .outputAudioBufferStopped(responseID: try fields.take("response_id"))
    case .outputAudioBufferCleared: return .outputAudioBufferCleared(responseID: try fields.take("response_id"))
    default: return .inputAudioBufferCleared
    }
  }

  private static func mcp(_ type: ServerEventType, _ fields: inout ObjectFields) throws(DecodingFault) -> Self {
    let itemID: String = try fields.take("item_id")
    switch type {
    case .mcpListToolsInProgress: return .mcpListToolsInProgress(itemID: itemID)
    case .mcpListToolsCompleted: return .mcpListToolsCompleted(itemID: itemID)
    case .mcpListToolsFailed: return .mcpListToolsFailed(itemID: itemID)
    default: break
    }
    let index = try fields.index("output_index")
    switch type {
    case .responseMCPCallInProgress: return .responseMCPCallInProgress(itemID: itemID, outputIndex: index)
    case .responseMCPCallCompleted: return .responseMCPCallCompleted(itemID: itemID, outputIndex: index)
    case .responseMCPCallFailed: return .responseMCPCallFailed(itemID: itemID, outputIndex: index)
    case .responseMCPCallArgumentsDelta:
      return .responseMCPCallArgumentsDelta(
        responseID: try fields.take("response_id"), itemID: itemID, outputIndex: index, delta: try fields.take("delta"))
    default:
      return .responseMCPCallArgumentsDone(
        responseID: try fields.take("response_id"), itemID: itemID, outputIndex: index,
        arguments: try fields.take("arguments"))
    }
  }

  private static func response(_ type: ServerEventType, _ fields: inout ObjectFields) throws(DecodingFault) -> Self {
    switch type {
    case .responseCreated: return .responseCreated(try fields.take("response"))
    case .responseDone: return .responseDone(try fields.take("response"))
    default: break
    }
    let responseID: String = try fields.take("response_id")
    let index = try fields.index("output_index")
    switch type {
    case .responseOutputItemAdded:
      return .responseOutputItemAdded(responseID: responseID, outputIndex: index, item: try fields.take("item"))
    case .responseOutputItemDone:
      return .responseOutputItemDone(responseID: responseID, outputIndex: index, item: try fields.take("item"))
    case .responseFunctionCallArgumentsDelta:
      return .responseFunctionCallArgumentsDelta(
        responseID: responseID, itemID: try fields.take("item_id"), outputIndex: index,
        callID: try fields.take("call_id"), delta: try fields.take("delta"))
    default:
      return .responseFunctionCallArgumentsDone(
        responseID: responseID, itemID: try fields.take("item_id"), outputIndex: index,
        callID: try fields.take("call_id"), name: try fields.takeIfPresent("name"),
        arguments: try fields.take("arguments"))
    }
  }

  private static func part(_ type: ServerEventType, _ fields: inout ObjectFields) throws(DecodingFault) -> Self {
    let position = PartPosition(
      responseID: try fields.take("response_id"), itemID: try fields.take("item_id"),
      outputIndex: try fields.index("output_index"), contentIndex: try fields.index("content_index"))
    switch type {
    case .responseContentPartAdded: return .responseContentPartAdded(position, part: try fields.take("part"))
    case .responseContentPartDone: return .responseContentPartDone(position, part: try fields.take("part"))
    case .responseOutputTextDelta: return .responseOutputTextDelta(position, delta: try fields.take("delta"))
    case .responseOutputTextDone: return .responseOutputTextDone(position, text: try fields.take("text"))
    case .responseOutputAudioDelta: return .responseOutputAudioDelta(position, delta: try fields.take("delta"))
    case .responseOutputAudioTranscriptDelta:
      return .responseOutputAudioTranscriptDelta(position, delta: try fields.take("delta"))
    case .responseOutputAudioTranscriptDone:
      return .responseOutputAudioTranscriptDone(position, transcript: try fields.take("transcript"))
    default: return .responseOutputAudioDone(position)
    }
  }
}

extension ObjectFields {
  /// An index; some servers leave it out where it is 0.
  fileprivate mutating func index(_ key: String) throws(DecodingFault) -> Int {
    try takeNullable(key) ?? 0
  }
}
