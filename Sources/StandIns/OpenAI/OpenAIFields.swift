/// The events that the OpenAI Realtime service takes over a WebSocket, GA shape.
///
/// Source: the service's published types and captures of its errors. Each event is a message of its own, named by its
/// `type`.
public enum OpenAIFields {
  public static let client = FieldTable(
    dialect: .literal,
    shapes: events.merging(session) { first, _ in first }.merging(tools) { first, _ in first }
      .merging(items) { first, _ in first })

  /// The accepted types in the order in which the service lists them.
  public static let eventTypes = [
    "session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear",
    "conversation.item.create", "conversation.item.truncate", "conversation.item.delete",
    "conversation.item.retrieve", "response.create", "response.cancel",
  ]

  private static func event(_ fields: [String: FieldKind], required: [String] = []) -> MessageShape {
    MessageShape(
      fields.merging(["type": .string, "event_id": .nullable(.text(maximum: 512))]) { first, _ in first },
      required: required)
  }

  private static let events: [String: MessageShape] = [
    "session.update": event(
      ["session": .tagged(by: "type", ["realtime": "Session", "transcription": "TranscriptionSession"])],
      required: ["session"]),
    "input_audio_buffer.append": event(["audio": .string], required: ["audio"]),
    "input_audio_buffer.commit": event([:]),
    "input_audio_buffer.clear": event([:]),
    "conversation.item.create": event(
      ["item": itemKind, "previous_item_id": .nullable(.string)], required: ["item"]),
    "conversation.item.truncate": event(
      ["item_id": .string, "content_index": .integer(0...Int.max), "audio_end_ms": .integer(0...Int.max)],
      required: ["item_id", "content_index", "audio_end_ms"]),
    "conversation.item.delete": event(["item_id": .string], required: ["item_id"]),
    "conversation.item.retrieve": event(["item_id": .string], required: ["item_id"]),
    "response.create": event(["response": .nullable(.message("ResponseOptions"))]),
    "response.cancel": event(["response_id": .nullable(.string)]),
  ]

  private static let modalities = FieldKind.list(.enumeration(["text", "audio"]))
  private static let maxOutputTokens = FieldKind.either([.enumeration(["inf"]), .integer(1...4_096)])
  private static let voice = FieldKind.either([.message("CustomVoice"), .string])
  private static let format = FieldKind.tagged(
    by: "type", ["audio/pcm": "PCMFormat", "audio/pcmu": "G711Format", "audio/pcma": "G711Format"])

  private static let session: [String: MessageShape] = [
    "Session": MessageShape([
      "type": .string,
      "model": .string,
      "output_modalities": modalities,
      "instructions": .string,
      "tools": .list(toolKind),
      "tool_choice": toolChoiceKind,
      "parallel_tool_calls": .bool,
      "reasoning": .message("Reasoning"),
      "max_output_tokens": maxOutputTokens,
      "tracing": .nullable(.either([.enumeration(["auto"]), .message("Tracing")])),
      "truncation": .either([.enumeration(["auto", "disabled"]), .message("Truncation")]),
      "prompt": .nullable(.message("Prompt")),
      "include": .nullable(.list(.enumeration(["item.input_audio_transcription.logprobs"]))),
      "audio": .message("SessionAudio"),
    ]),
    // Named so that the refusal can be the service's own; no field of it is ever applied.
    "TranscriptionSession": MessageShape(["type": .string, "audio": .any, "include": .any]),
    "SessionAudio": MessageShape(["input": .message("AudioInput"), "output": .message("AudioOutput")]),
    "AudioInput": MessageShape([
      "format": format,
      "transcription": .nullable(.message("Transcription")),
      "noise_reduction": .nullable(.message("NoiseReduction")),
      "turn_detection": .nullable(.tagged(by: "type", ["server_vad": "ServerVAD", "semantic_vad": "SemanticVAD"])),
    ]),
    "AudioOutput": MessageShape(["format": format, "voice": voice, "speed": .number(0.25...1.5)]),
    "PCMFormat": MessageShape(["type": .string, "rate": .integer(24_000...24_000)]),
    "G711Format": MessageShape(["type": .string]),
    "CustomVoice": MessageShape(["id": .string], required: ["id"]),
    "Transcription": MessageShape([
      "model": .string,
      "language": .nullable(.string),
      "prompt": .nullable(.string),
      "languages": .list(.string),
      "keywords": .list(.string),
      "delay": .enumeration(["minimal", "low", "medium", "high", "xhigh"]),
    ]),
    "NoiseReduction": MessageShape(
      ["type": .enumeration(["near_field", "far_field"]), "strength": .number], required: ["type"]),
    "ServerVAD": MessageShape([
      "type": .string,
      "threshold": .number(0...1),
      "prefix_padding_ms": .integer(0...Int.max),
      "silence_duration_ms": .integer(0...Int.max),
      "idle_timeout_ms": .nullable(.integer(5_000...30_000)),
      "create_response": .bool,
      "interrupt_response": .bool,
    ]),
    "SemanticVAD": MessageShape([
      "type": .string,
      "eagerness": .enumeration(["low", "medium", "high", "auto"]),
      "create_response": .bool,
      "interrupt_response": .bool,
    ]),
    "Reasoning": MessageShape(["effort": .enumeration(["minimal", "low", "medium", "high", "xhigh"])]),
    "Tracing": MessageShape(["workflow_name": .string, "group_id": .string, "metadata": .object]),
    "Truncation": MessageShape(
      [
        "type": .enumeration(["retention_ratio"]), "retention_ratio": .number(0...1),
        "token_limits": .message("TokenLimits"),
      ], required: ["type", "retention_ratio"]),
    "TokenLimits": MessageShape(["post_instructions": .integer(0...Int.max)]),
    "Prompt": MessageShape(
      ["id": .string, "version": .nullable(.string), "variables": .nullable(.object)], required: ["id"]),
    "ResponseOptions": MessageShape([
      "conversation": .nullable(.string),
      "metadata": .nullable(.map(.text(maximum: 512))),
      "output_modalities": .nullable(modalities),
      "instructions": .nullable(.string),
      "audio": .nullable(.message("ResponseAudio")),
      "tools": .nullable(.list(toolKind)),
      "tool_choice": .nullable(toolChoiceKind),
      "parallel_tool_calls": .nullable(.bool),
      "max_output_tokens": .nullable(maxOutputTokens),
      "reasoning": .nullable(.message("Reasoning")),
      "prompt": .nullable(.message("Prompt")),
      "input": .nullable(.list(inputItemKind)),
    ]),
    "ResponseAudio": MessageShape(["output": .message("ResponseAudioOutput")]),
    "ResponseAudioOutput": MessageShape(["format": format, "voice": voice]),
  ]

  private static let toolKind = FieldKind.tagged(by: "type", ["function": "FunctionTool", "mcp": "MCPTool"])
  private static let toolChoiceKind = FieldKind.either([
    .enumeration(["auto", "none", "required"]),
    .tagged(by: "type", ["function": "FunctionChoice", "mcp": "MCPChoice"]),
  ])

  private static let tools: [String: MessageShape] = [
    "FunctionTool": MessageShape(
      ["type": .string, "name": .string, "description": .string, "parameters": .object, "strict": .bool],
      required: ["name"]),
    "MCPTool": MessageShape(
      [
        "type": .string, "server_label": .string, "server_url": .string, "connector_id": .string,
        "tunnel_id": .string, "authorization": .string, "headers": .nullable(.map(.string)),
        "server_description": .string, "allowed_tools": .any, "require_approval": .any,
        "allowed_callers": .list(.enumeration(["direct", "programmatic"])), "defer_loading": .bool,
      ], required: ["server_label"]),
    "FunctionChoice": MessageShape(["type": .string, "name": .string], required: ["name"]),
    "MCPChoice": MessageShape(
      ["type": .string, "server_label": .string, "name": .nullable(.string)], required: ["server_label"]),
  ]

  private static let itemNames = [
    "message": "MessageItem", "function_call": "FunctionCallItem", "function_call_output": "FunctionCallOutputItem",
    "mcp_list_tools": "AnyItem", "mcp_call": "AnyItem", "mcp_approval_request": "AnyItem",
    "mcp_approval_response": "AnyItem",
  ]
  private static let itemKind = FieldKind.tagged(by: "type", itemNames)
  private static let inputItemKind = FieldKind.tagged(
    by: "type", itemNames.merging(["item_reference": "ItemReference"]) { first, _ in first })

  private static func item(_ fields: [String: FieldKind], required: [String]) -> MessageShape {
    let common: [String: FieldKind] = [
      "id": .string, "object": .enumeration(["realtime.item"]), "type": .string,
      "status": .enumeration(["in_progress", "completed", "incomplete"]),
    ]
    return MessageShape(fields.merging(common) { first, _ in first }, required: required)
  }

  private static let items: [String: MessageShape] = [
    "MessageItem": item(
      [
        "role": .enumeration(["system", "user", "assistant"]),
        "content": .list(
          .tagged(
            by: "type",
            [
              "input_text": "TextPart", "output_text": "TextPart", "input_audio": "AudioPart",
              "output_audio": "AudioPart", "input_image": "ImagePart",
            ])),
      ], required: ["role", "content"]),
    "FunctionCallItem": item(
      ["name": .string, "arguments": .string, "call_id": .string], required: ["name", "arguments"]),
    "FunctionCallOutputItem": item(["call_id": .string, "output": .string], required: ["call_id", "output"]),
    "AnyItem": item(
      [
        "server_label": .string, "name": .string, "arguments": .string, "output": .nullable(.string),
        "tools": .any, "approval_request_id": .nullable(.string), "approve": .bool, "reason": .nullable(.string),
        "error": .any,
      ], required: []),
    "ItemReference": MessageShape(["type": .string, "id": .string], required: ["id"]),
    "TextPart": MessageShape(["type": .string, "text": .string], required: ["text"]),
    "AudioPart": MessageShape(["type": .string, "audio": .bytes, "transcript": .nullable(.string)]),
    "ImagePart": MessageShape(
      ["type": .string, "image_url": .string, "detail": .enumeration(["auto", "low", "high"])],
      required: ["image_url"]),
  ]
}
