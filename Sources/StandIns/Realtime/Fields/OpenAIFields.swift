/// The events that OpenAI Realtime and Azure OpenAI take over a WebSocket, GA shape.
///
/// Source: the service's published types and captures of its errors. Each event is a message of its own, named by its
/// `type`.
public enum OpenAIFields {
  public static let client = FieldTable(
    dialect: .literal, shapes: shapes(transcriptionModel: .enumeration(models)))

  /// Azure's: a model of transcription is the name of a deployment.
  public static let azure = FieldTable(
    dialect: .literal, shapes: shapes(transcriptionModel: .string))

  static let models = [
    "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize", "gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper",
  ]
  static let voices = [
    "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar",
  ]

  private static func shapes(transcriptionModel: FieldKind) -> [String: MessageShape] {
    let session = FieldKind.tagged(
      by: "type", ["realtime": "Session", "transcription": "TranscriptionSession"])
    return RealtimeFields.events(session: session, items: .tagged(by: "type", itemNames))
      .with(sessions).with(audio).with(["Transcription": transcription(transcriptionModel)])
      .with(RealtimeFields.tools).with(RealtimeFields.items(parts: RealtimeFields.gaParts))
      .with(RealtimeFields.mcpItems)
  }

  private static let voice = FieldKind.either([.message("CustomVoice"), .enumeration(voices)])
  private static let format = FieldKind.tagged(
    by: "type", ["audio/pcm": "PCMFormat", "audio/pcmu": "G711Format", "audio/pcma": "G711Format"])
  private static let tool = FieldKind.tagged(
    by: "type", ["function": "FunctionTool", "mcp": "MCPTool"])
  private static let itemNames = RealtimeFields.itemNames.merging([
    "mcp_list_tools": "AnyItem", "mcp_call": "AnyItem", "mcp_approval_request": "AnyItem",
    "mcp_approval_response": "AnyItem",
  ]) { first, _ in first }
  private static let include = FieldKind.nullable(
    .list(.enumeration(["item.input_audio_transcription.logprobs"])))

  private static let sessions: [String: MessageShape] = [
    "Session": MessageShape([
      "type": .string,
      "model": .string,
      "output_modalities": RealtimeFields.modalities,
      "instructions": .string,
      "tools": .list(tool),
      "tool_choice": RealtimeFields.toolChoice,
      "parallel_tool_calls": .bool,
      "reasoning": .message("Reasoning"),
      "max_output_tokens": RealtimeFields.maxOutputTokens,
      "tracing": .nullable(.either([.enumeration(["auto"]), .message("Tracing")])),
      "truncation": .either([.enumeration(["auto", "disabled"]), .message("Truncation")]),
      "prompt": .nullable(.message("Prompt")),
      "include": include,
      "audio": .message("SessionAudio"),
    ]),
    "TranscriptionSession": MessageShape([
      "type": .string, "audio": .message("InputAudio"), "include": include,
    ]),
    "InputAudio": MessageShape(["input": .message("AudioInput")]),
    "Reasoning": MessageShape([
      "effort": .enumeration(["minimal", "low", "medium", "high", "xhigh"])
    ]),
    "Tracing": MessageShape(["workflow_name": .string, "group_id": .string, "metadata": .object]),
    "Truncation": MessageShape(
      [
        "type": .enumeration(["retention_ratio"]), "retention_ratio": .number(0...1),
        "token_limits": .message("TokenLimits"),
      ], required: ["type", "retention_ratio"]),
    "TokenLimits": MessageShape(["post_instructions": .integer(0...Int.max)]),
    "Prompt": MessageShape(
      ["id": .string, "version": .nullable(.string), "variables": .nullable(.object)],
      required: ["id"]),
    "ResponseOptions": MessageShape([
      "conversation": .nullable(.string),
      "metadata": RealtimeFields.metadata,
      "output_modalities": .nullable(RealtimeFields.modalities),
      "instructions": .nullable(.string),
      "audio": .nullable(.message("ResponseAudio")),
      "tools": .nullable(.list(tool)),
      "tool_choice": .nullable(RealtimeFields.toolChoice),
      "parallel_tool_calls": .nullable(.bool),
      "max_output_tokens": .nullable(RealtimeFields.maxOutputTokens),
      "reasoning": .nullable(.message("Reasoning")),
      "prompt": .nullable(.message("Prompt")),
      "input": .nullable(
        .list(
          .tagged(
            by: "type", itemNames.merging(["item_reference": "ItemReference"]) { first, _ in first }
          ))),
    ]),
  ]

  private static let audio: [String: MessageShape] = [
    "SessionAudio": MessageShape([
      "input": .message("AudioInput"), "output": .message("AudioOutput"),
    ]),
    "AudioInput": MessageShape([
      "format": format,
      "transcription": .nullable(.message("Transcription")),
      "noise_reduction": .nullable(.message("NoiseReduction")),
      "turn_detection": .nullable(
        .tagged(by: "type", ["server_vad": "ServerVAD", "semantic_vad": "SemanticVAD"])),
    ]),
    "AudioOutput": MessageShape(["format": format, "voice": voice, "speed": .number(0.25...1.5)]),
    "ResponseAudio": MessageShape(["output": .message("ResponseAudioOutput")]),
    "ResponseAudioOutput": MessageShape(["format": format, "voice": voice]),
    "PCMFormat": MessageShape(["type": .string, "rate": .integer(24_000...24_000)]),
    "G711Format": MessageShape(["type": .string]),
    "CustomVoice": MessageShape(["id": .string], required: ["id"]),
    "NoiseReduction": MessageShape(
      ["type": .enumeration(["near_field", "far_field"]), "strength": .number], required: ["type"]),
    "ServerVAD": MessageShape(
      RealtimeFields.serverVAD.merging(["idle_timeout_ms": .nullable(.integer(5_000...30_000))]) {
        first, _ in first
      }),
    "SemanticVAD": RealtimeFields.semanticVAD,
  ]

  private static func transcription(_ model: FieldKind) -> MessageShape {
    MessageShape([
      "model": model,
      "language": .nullable(.string),
      "prompt": .nullable(.string),
      "languages": .list(.string),
      "keywords": .list(.string),
      "delay": .enumeration(["minimal", "low", "medium", "high", "xhigh"]),
    ])
  }
}
