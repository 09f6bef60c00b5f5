/// The events that the xAI voice agent takes: GA events with a session of its own, partly flat.
///
/// Source: the service's documentation and recordings. `conversation.item.retrieve` is unknown there.
public enum XAIFields {
  public static let client = FieldTable(dialect: .literal, shapes: shapes)

  static let eventTypes = RealtimeFields.eventTypes.filter { $0 != "conversation.item.retrieve" }

  private static let format = FieldKind.tagged(
    by: "type", ["audio/pcm": "PCMFormat", "audio/pcmu": "G711Format", "audio/pcma": "G711Format"])
  private static let tool = FieldKind.tagged(
    by: "type",
    [
      "function": "FunctionTool", "mcp": "MCPTool", "web_search": "WebSearch",
      "x_search": "XSearch",
      "file_search": "FileSearch",
    ])
  private static let itemKind = FieldKind.tagged(
    by: "type", RealtimeFields.itemNames.merging(["force_message": "ForceMessage"]) { $1 })

  private static let session: [String: FieldKind] = [
    "type": .enumeration(["realtime"]),
    "instructions": .string,
    "voice": .string,
    "turn_detection": .nullable(.message("TurnDetection")),
    "modalities": RealtimeFields.modalities,
    "output_modalities": RealtimeFields.modalities,
    "tools": .list(tool),
    "tool_choice": RealtimeFields.toolChoice,
    "audio": .message("SessionAudio"),
    "reasoning": .message("Reasoning"),
    "resumption": .message("Resumption"),
    "replace": .map(.string),
  ]

  private static let shapes: [String: MessageShape] =
    RealtimeFields.events(session: .message("Session"), items: itemKind)
    .with(RealtimeFields.tools).with(RealtimeFields.items(parts: RealtimeFields.gaParts))
    .with([
      "Session": MessageShape(session),
      "SessionAudio": MessageShape([
        "input": .message("AudioInput"), "output": .message("AudioOutput"),
      ]),
      "AudioInput": MessageShape([
        "format": format, "transport": .enumeration(["json"]),
        "transcription": .nullable(.message("Transcription")),
      ]),
      "AudioOutput": MessageShape([
        "format": format, "transport": .enumeration(["json"]), "speed": .number(0.7...1.5),
      ]),
      "PCMFormat": MessageShape(["type": .string, "rate": .integer(8_000...48_000)]),
      "G711Format": MessageShape(["type": .string, "rate": .integer(8_000...8_000)]),
      "Transcription": MessageShape([
        "model": .enumeration(["grok-transcribe"]), "language_hint": .nullable(.string),
        "keyterms": .list(.string),
      ]),
      "TurnDetection": MessageShape(
        RealtimeFields.serverVAD.merging([
          "type": .nullable(.enumeration(["server_vad"])), "threshold": .number(0.1...0.9),
          "idle_timeout_ms": .nullable(.integer(0...Int.max)),
        ]) { $1 }, required: ["type"]),
      "Reasoning": MessageShape(["effort": .enumeration(["high", "none"])]),
      "Resumption": MessageShape(["enabled": .bool], required: ["enabled"]),
      "WebSearch": MessageShape(["type": .string]),
      "XSearch": MessageShape(["type": .string, "allowed_x_handles": .list(.string)]),
      "FileSearch": MessageShape([
        "type": .string, "vector_store_ids": .list(.string),
        "max_num_results": .integer(1...Int.max),
      ]),
      "ForceMessage": MessageShape([
        "type": .string, "id": .string, "role": .string, "content": .list(.message("TextPart")),
        "interruptible": .bool,
      ]),
      "ResponseOptions": MessageShape([
        "instructions": .string, "metadata": RealtimeFields.metadata,
        "modalities": RealtimeFields.modalities,
        "output_modalities": RealtimeFields.modalities,
      ]),
    ])
}
