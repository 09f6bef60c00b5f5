/// The events that the preview form of Azure OpenAI takes: the retired beta shape, flat sessions.
///
/// Source: the published beta types. `session.type` is unknown there.
public enum BetaFields {
  public static let client = FieldTable(dialect: .literal, shapes: shapes)

  static let itemKind = FieldKind.tagged(by: "type", RealtimeFields.itemNames)
  static let inputItemKind = FieldKind.tagged(
    by: "type",
    RealtimeFields.itemNames.merging(["item_reference": "ItemReference"]) { first, _ in first })
  static let tool = FieldKind.tagged(by: "type", ["function": "FunctionTool"])
  static let format = FieldKind.enumeration(["pcm16", "g711_ulaw", "g711_alaw"])
  static let parts = [
    "input_text": "TextPart", "text": "TextPart", "input_audio": "AudioPart", "audio": "AudioPart",
    "input_image": "ImagePart",
  ]
  static let temperature = FieldKind.number(0.6...1.2)

  static let session: [String: FieldKind] = [
    "model": .string,
    "modalities": RealtimeFields.modalities,
    "instructions": .string,
    "voice": .enumeration(OpenAIFields.voices.filter { $0 != "marin" && $0 != "cedar" }),
    "input_audio_format": format,
    "output_audio_format": format,
    "input_audio_transcription": .nullable(.message("Transcription")),
    "input_audio_noise_reduction": .nullable(.message("NoiseReduction")),
    "turn_detection": .nullable(
      .tagged(by: "type", ["server_vad": "ServerVAD", "semantic_vad": "SemanticVAD"])),
    "tools": .list(tool),
    "tool_choice": RealtimeFields.toolChoice,
    "temperature": temperature,
    "max_response_output_tokens": RealtimeFields.maxOutputTokens,
    "speed": .number(0.25...1.5),
    "tracing": .nullable(.either([.enumeration(["auto"]), .message("Tracing")])),
  ]

  static let response: [String: FieldKind] = [
    "conversation": .nullable(.string),
    "metadata": RealtimeFields.metadata,
    "modalities": RealtimeFields.modalities,
    "instructions": .string,
    "voice": session["voice"] ?? .string,
    "output_audio_format": format,
    "tools": .list(tool),
    "tool_choice": RealtimeFields.toolChoice,
    "temperature": temperature,
    "max_response_output_tokens": RealtimeFields.maxOutputTokens,
    "input": .list(inputItemKind),
  ]

  private static let shapes: [String: MessageShape] =
    RealtimeFields.events(session: .message("Session"), items: itemKind)
    .with(RealtimeFields.tools).with(RealtimeFields.items(parts: parts))
    .with([
      "Session": MessageShape(session),
      "ResponseOptions": MessageShape(response),
      "Transcription": MessageShape(["model": .string, "language": .string, "prompt": .string]),
      "NoiseReduction": MessageShape(
        ["type": .enumeration(["near_field", "far_field"])], required: ["type"]),
      "ServerVAD": MessageShape(RealtimeFields.serverVAD),
      "SemanticVAD": RealtimeFields.semanticVAD,
      "Tracing": MessageShape(["workflow_name": .string, "group_id": .string, "metadata": .object]),
    ])
}

/// The events that Azure Voice Live takes: the beta shape with fields and events of its own.
///
/// Source: the service's documentation and recordings.
public enum VoiceLiveFields {
  public static let client = FieldTable(dialect: .literal, shapes: shapes)

  static let eventTypes =
    RealtimeFields.eventTypes + [
      "output_audio_buffer.clear", "input_audio.turn.start", "input_audio.turn.append",
      "input_audio.turn.end",
      "input_audio.turn.cancel", "input_audio.clear", "session.avatar.connect",
      "mcp_approval_response",
      "rtc.call.sdp.create",
    ]

  private static let voice = FieldKind.either([
    .enumeration(OpenAIFields.voices),
    .tagged(by: "type", ["openai": "OpenAIVoice"].merging(azureVoices) { $1 }),
  ])
  private static let azureVoices = Dictionary(
    uniqueKeysWithValues: ["azure-standard", "azure-custom", "azure-personal", "azure-platform"].map {
      ($0, "AzureVoice")
    })
  private static let detections = [
    "server_vad": "ServerVAD", "semantic_vad": "SemanticVAD",
    "azure_semantic_vad": "AzureSemanticVAD",
    "azure_semantic_vad_multilingual": "AzureSemanticVAD",
    "azure_semantic_vad_en": "AzureSemanticVAD",
  ]

  private static let session = BetaFields.session.merging([
    "voice": voice,
    "turn_detection": .nullable(.tagged(by: "type", detections)),
    "input_audio_sampling_rate": .integer(8_000...24_000),
    "input_audio_echo_cancellation": .nullable(.message("EchoCancellation")),
    "output_audio_timestamp_types": .nullable(.list(.enumeration(["word"]))),
    "parallel_tool_calls": .bool,
    "animation": .nullable(.object),
    "avatar": .nullable(.object),
    "truncation_strategy": .nullable(.object),
    "include": .nullable(.list(.string)),
    "reasoning_effort": .enumeration(["none", "minimal", "low", "medium", "high", "xhigh"]),
  ]) { $1 }.filter { $0.key != "tracing" && $0.key != "speed" }

  private static let detection = RealtimeFields.serverVAD.merging([
    "idle_timeout_ms": .nullable(.integer(0...Int.max)),
    "speech_duration_ms": .nullable(.integer(0...Int.max)),
    "end_of_utterance_detection": .nullable(.object),
    "auto_truncate": .bool,
    "appended_text_after_truncation": .nullable(.string),
  ]) { $1 }

  private static let shapes: [String: MessageShape] =
    BetaFields.client.shapes
    .with(Dictionary(uniqueKeysWithValues: eventTypes.dropFirst(10).map { ($0, extra) }))
    .with([
      "Session": MessageShape(session),
      "ResponseOptions": MessageShape(BetaFields.response.merging(["voice": voice]) { $1 }),
      "Transcription": MessageShape([
        "model": .string, "language": .nullable(.string), "prompt": .nullable(.string),
        "custom_speech": .nullable(.object), "phrase_list": .nullable(.list(.string)),
        "delay": .nullable(.string),
      ]),
      "NoiseReduction": MessageShape(
        ["type": .enumeration(["near_field", "far_field", "azure_deep_noise_suppression"])],
        required: ["type"]),
      "EchoCancellation": MessageShape(
        ["type": .enumeration(["server_echo_cancellation"])], required: ["type"]),
      "ServerVAD": MessageShape(detection),
      "AzureSemanticVAD": MessageShape(
        detection.merging(["remove_filler_words": .bool, "languages": .nullable(.list(.string))]) {
          $1
        }),
      "OpenAIVoice": MessageShape(
        ["type": .string, "name": .enumeration(OpenAIFields.voices)], required: ["name"]),
      "AzureVoice": MessageShape(
        [
          "type": .string, "name": .string, "temperature": .number(0...1), "rate": .string,
          "pitch": .string,
          "volume": .string, "style": .string, "locale": .string, "endpoint_id": .string,
          "model": .string,
          "prefer_locales": .list(.string), "custom_lexicon_url": .string,
        ], required: ["name"]),
    ])

  /// Events that no test of a voice session needs; their fields are their own.
  private static let extra = RealtimeFields.event([
    "turn_id": .string, "audio": .string, "client_sdp": .string, "approval_request_id": .string,
    "approve": .bool,
    "sdp": .string,
  ])
}
