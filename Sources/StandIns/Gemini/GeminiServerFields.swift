/// What the service sends. The stand-in's own frames and the recordings of the real service are checked against it.
extension GeminiFields {
  public static let server = FieldTable(
    dialect: .protobuf,
    shapes: serverMessages.merging(usage) { first, _ in first }.merging(grounding) { first, _ in first }
      .merging(content) { first, _ in first })

  private static let serverMessages: [String: MessageShape] = [
    "ServerMessage": MessageShape([
      "setupComplete": .message("SetupComplete"),
      "serverContent": .message("ServerContent"),
      "toolCall": .message("LiveToolCall"),
      "toolCallCancellation": .message("ToolCallCancellation"),
      "goAway": .message("GoAway"),
      "sessionResumptionUpdate": .message("SessionResumptionUpdate"),
      "usageMetadata": .message("UsageMetadata"),
      "voiceActivity": .message("VoiceActivity"),
      "voiceActivityDetectionSignal": .message("VoiceActivityDetectionSignal"),
    ]),
    "SetupComplete": MessageShape([
      "sessionId": .string,
      "voiceConsentSignature": .message("VoiceConsentSignature"),
    ]),
    "VoiceConsentSignature": MessageShape(["signature": .string]),
    "ServerContent": MessageShape([
      "modelTurn": .message("Content"),
      "generationComplete": .bool,
      "turnComplete": .bool,
      "turnCompleteReason": .string,
      "interrupted": .bool,
      "waitingForInput": .bool,
      "inputTranscription": .message("Transcription"),
      "interimInputTranscription": .message("Transcription"),
      "outputTranscription": .message("Transcription"),
      "groundingMetadata": .message("GroundingMetadata"),
      "urlContextMetadata": .message("UrlContextMetadata"),
      "interactionStatus": .enumeration(["IN_PROGRESS", "IDLE", "REQUIRES_ACTION"]),
    ]),
    "Transcription": MessageShape([
      "text": .string,
      "finished": .bool,
      "languageCode": .string,
      "speakerLabel": .string,
      "words": .list(.message("Word")),
      "startOffset": .duration,
      "endOffset": .duration,
    ]),
    "Word": MessageShape(["word": .string, "startOffset": .duration, "endOffset": .duration]),
    "LiveToolCall": MessageShape(["functionCalls": .list(.message("FunctionCall"))]),
    "ToolCallCancellation": MessageShape(["ids": .list(.string)]),
    "GoAway": MessageShape(["timeLeft": .duration]),
    "SessionResumptionUpdate": MessageShape([
      "newHandle": .string,
      "resumable": .bool,
      "lastConsumedClientMessageIndex": .integer,
    ]),
    "VoiceActivity": MessageShape([
      "type": .enumeration(["ACTIVITY_START", "ACTIVITY_END"]),
      "voiceActivityType": .enumeration(["ACTIVITY_START", "ACTIVITY_END"]),
      "audioOffset": .duration,
    ]),
    "VoiceActivityDetectionSignal": MessageShape([
      "vadSignalType": .enumeration(["VAD_SIGNAL_TYPE_SOS", "VAD_SIGNAL_TYPE_EOS"])
    ]),
  ]

  private static let usage: [String: MessageShape] = [
    "UsageMetadata": MessageShape([
      "promptTokenCount": .int32,
      "cachedContentTokenCount": .int32,
      "responseTokenCount": .int32,
      "candidatesTokenCount": .int32,
      "toolUsePromptTokenCount": .int32,
      "thoughtsTokenCount": .int32,
      "totalTokenCount": .int32,
      "promptTokensDetails": .list(.message("ModalityTokenCount")),
      "cacheTokensDetails": .list(.message("ModalityTokenCount")),
      "responseTokensDetails": .list(.message("ModalityTokenCount")),
      "candidatesTokensDetails": .list(.message("ModalityTokenCount")),
      "toolUsePromptTokensDetails": .list(.message("ModalityTokenCount")),
      "serviceTier": .string,
      "trafficType": .string,
    ]),
    "ModalityTokenCount": MessageShape([
      "modality": .enumeration(["TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT", "MODALITY_UNSPECIFIED"]),
      "tokenCount": .int32,
    ]),
  ]

  private static let grounding: [String: MessageShape] = [
    "GroundingMetadata": MessageShape([
      "webSearchQueries": .list(.string),
      "groundingChunks": .list(.message("GroundingChunk")),
      "groundingSupports": .list(.message("GroundingSupport")),
      "searchEntryPoint": .message("SearchEntryPoint"),
      "retrievalMetadata": .object,
    ]),
    "GroundingChunk": MessageShape(["web": .message("GroundingChunkWeb")]),
    "GroundingChunkWeb": MessageShape(["uri": .string, "title": .string, "domain": .string]),
    "GroundingSupport": MessageShape([
      "segment": .message("Segment"),
      "groundingChunkIndices": .list(.int32),
      "confidenceScores": .list(.number),
    ]),
    "Segment": MessageShape([
      "text": .string, "startIndex": .int32, "endIndex": .int32, "partIndex": .int32,
    ]),
    "SearchEntryPoint": MessageShape(["renderedContent": .string, "sdkBlob": .bytes]),
    "UrlContextMetadata": MessageShape(["urlMetadata": .list(.message("UrlMetadata"))]),
    "UrlMetadata": MessageShape(["retrievedUrl": .string, "urlRetrievalStatus": .string]),
  ]
}
