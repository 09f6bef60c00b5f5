import Envelope

extension ServerShape {
  private static let responseID = Field.required("response_id", .id)
  private static let itemID = Field.required("item_id", .id)
  private static let outputIndex = Field.required("output_index", .index, or: 0)
  private static let contentIndex = Field.required("content_index", .index, or: 0)
  private static let previousItemID = Field.nullable("previous_item_id", .id)
  private static let item = Field.required("item", .item)

  private static let ofCall = [responseID, itemID, outputIndex]
  private static let ofPart = ofCall + [contentIndex]
  private static let delta = Field.required("delta", .string)

  /// The fields of every event but `type`. Session objects and errors are not looked into: the translator tells its
  /// own.
  static let events: [ServerEventType: [Field]] = forms.mapValues { $0 + [.optional("event_id", .string)] }

  private static let forms: [ServerEventType: [Field]] = [
    .conversationCreated: [
      .required("conversation", .object([.required("id", .id), .optional("object", .string)]))
    ],
    .conversationItemAdded: [previousItemID, item],
    .conversationItemDone: [previousItemID, item],
    .conversationItemCreated: [previousItemID, item],
    .conversationItemRetrieved: [item],
    .conversationItemTruncated: [itemID, contentIndex, .required("audio_end_ms", .integer, or: 0)],
    .conversationItemDeleted: [itemID],

    .inputAudioTranscriptionDelta: [itemID, .optional("content_index", .index), .optional("delta", .string)],
    .inputAudioTranscriptionCompleted: [
      itemID, contentIndex, .required("transcript", .string, or: ""),
      .required("usage", .transcriptionUsage, or: ["type": "duration", "seconds": 0]),
    ],
    .inputAudioTranscriptionFailed: [itemID, contentIndex, .required("error", .transcriptionError, or: [:])],
    .inputAudioTranscriptionSegment: [
      itemID, contentIndex, .required("id", .string), .required("text", .string), .required("speaker", .string, or: ""),
      .required("start", .number, or: 0), .required("end", .number, or: 0),
    ],

    .inputAudioBufferSpeechStarted: [itemID, .required("audio_start_ms", .integer, or: 0)],
    .inputAudioBufferSpeechStopped: [itemID, .required("audio_end_ms", .integer, or: 0)],
    .inputAudioBufferCommitted: [itemID, previousItemID],
    .inputAudioBufferCleared: [],
    .inputAudioBufferTimeoutTriggered: [
      itemID, .required("audio_start_ms", .integer, or: 0), .required("audio_end_ms", .integer, or: 0),
    ],
    .inputAudioBufferDTMF: [.required("event", .string), .required("received_at", .integer, or: 0)],
    .outputAudioBufferStarted: [responseID],
    .outputAudioBufferStopped: [responseID],
    .outputAudioBufferCleared: [responseID],
    .rateLimitsUpdated: [.required("rate_limits", .list(.rateLimit), or: [])],

    .responseCreated: [.required("response", .response)],
    .responseDone: [.required("response", .response)],
    .responseOutputItemAdded: [responseID, outputIndex, item],
    .responseOutputItemDone: [responseID, outputIndex, item],
    .responseContentPartAdded: ofPart + [.required("part", .part)],
    .responseContentPartDone: ofPart + [.required("part", .part)],
    .responseOutputTextDelta: ofPart + [delta],
    .responseOutputTextDone: ofPart + [.required("text", .string)],
    .responseOutputAudioDelta: ofPart + [delta],
    .responseOutputAudioDone: ofPart,
    .responseOutputAudioTranscriptDelta: ofPart + [delta],
    .responseOutputAudioTranscriptDone: ofPart + [.required("transcript", .string)],
    .responseFunctionCallArgumentsDelta: ofCall + [.required("call_id", .id), delta],
    .responseFunctionCallArgumentsDone: ofCall + [
      .required("call_id", .id), .required("name", .string), .required("arguments", .text),
    ],

    // A client knows the delta only with the padding.
    .responseMCPCallArgumentsDelta: ofCall + [delta, .required("obfuscation", .string, or: "")],
    .responseMCPCallArgumentsDone: ofCall + [.required("arguments", .text, or: "")],
    .responseMCPCallInProgress: [itemID, outputIndex],
    .responseMCPCallCompleted: [itemID, outputIndex],
    .responseMCPCallFailed: [itemID, outputIndex],
    .mcpListToolsInProgress: [itemID],
    .mcpListToolsCompleted: [itemID],
    .mcpListToolsFailed: [itemID],
  ]
}
