/// What the field tables of all services that speak OpenAI's vocabulary are made of.
enum RealtimeFields {
  static let modalities = FieldKind.list(.enumeration(["text", "audio"]))
  static let maxOutputTokens = FieldKind.either([.enumeration(["inf"]), .integer(1...4_096)])
  static let metadata = FieldKind.nullable(.map(.text(maximum: 512)))
  static let toolChoice = FieldKind.either([
    .enumeration(["auto", "none", "required"]),
    .tagged(by: "type", ["function": "FunctionChoice", "mcp": "MCPChoice"]),
  ])

  static func event(_ fields: [String: FieldKind], required: [String] = []) -> MessageShape {
    MessageShape(
      fields.merging(["type": .string, "event_id": .nullable(.text(maximum: 512))]) { first, _ in
        first
      },
      required: required)
  }

  /// The ten events that every one of them takes.
  static func events(session: FieldKind, items: FieldKind) -> [String: MessageShape] {
    [
      "session.update": event(["session": session], required: ["session"]),
      "input_audio_buffer.append": event(["audio": .string], required: ["audio"]),
      "input_audio_buffer.commit": event([:]),
      "input_audio_buffer.clear": event([:]),
      "conversation.item.create": event(
        ["item": items, "previous_item_id": .nullable(.string)], required: ["item"]),
      "conversation.item.truncate": event(
        [
          "item_id": .string, "content_index": .integer(0...Int.max),
          "audio_end_ms": .integer(0...Int.max),
        ],
        required: ["item_id", "content_index", "audio_end_ms"]),
      "conversation.item.delete": event(["item_id": .string], required: ["item_id"]),
      "conversation.item.retrieve": event(["item_id": .string], required: ["item_id"]),
      "response.create": event(["response": .nullable(.message("ResponseOptions"))]),
      "response.cancel": event(["response_id": .nullable(.string)]),
    ]
  }

  static let eventTypes = [
    "session.update", "input_audio_buffer.append", "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create", "conversation.item.truncate", "conversation.item.delete",
    "conversation.item.retrieve", "response.create", "response.cancel",
  ]

  static let tools: [String: MessageShape] = [
    "FunctionTool": MessageShape(
      [
        "type": .string, "name": .string, "description": .string, "parameters": .object,
        "strict": .bool,
      ],
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
      ["type": .string, "server_label": .string, "name": .nullable(.string)],
      required: ["server_label"]),
  ]

  static let itemNames = [
    "message": "MessageItem", "function_call": "FunctionCallItem",
    "function_call_output": "FunctionCallOutputItem",
  ]

  private static func item(_ fields: [String: FieldKind], required: [String]) -> MessageShape {
    let common: [String: FieldKind] = [
      "id": .string, "object": .enumeration(["realtime.item"]), "type": .string,
      "status": .enumeration(["in_progress", "completed", "incomplete"]),
    ]
    return MessageShape(fields.merging(common) { first, _ in first }, required: required)
  }

  /// - Parameter parts: the types of content, by shape.
  static func items(parts: [String: String]) -> [String: MessageShape] {
    [
      "MessageItem": item(
        [
          "role": .enumeration(["system", "user", "assistant"]),
          "content": .list(.tagged(by: "type", parts)),
        ], required: ["role", "content"]),
      "FunctionCallItem": item(
        ["name": .string, "arguments": .string, "call_id": .string],
        required: ["name", "arguments"]),
      "FunctionCallOutputItem": item(
        ["call_id": .string, "output": .string], required: ["call_id", "output"]),
      "ItemReference": MessageShape(["type": .string, "id": .string], required: ["id"]),
      "TextPart": MessageShape(["type": .string, "text": .string], required: ["text"]),
      "AudioPart": MessageShape([
        "type": .string, "audio": .bytes, "transcript": .nullable(.string),
      ]),
      "ImagePart": MessageShape(
        ["type": .string, "image_url": .string, "detail": .enumeration(["auto", "low", "high"])],
        required: ["image_url"]),
    ]
  }

  static let mcpItems: [String: MessageShape] = [
    "AnyItem": item(
      [
        "server_label": .string, "name": .string, "arguments": .string,
        "output": .nullable(.string),
        "tools": .any, "approval_request_id": .nullable(.string), "approve": .bool,
        "reason": .nullable(.string),
        "error": .any,
      ], required: [])
  ]

  static let gaParts = [
    "input_text": "TextPart", "output_text": "TextPart", "input_audio": "AudioPart",
    "output_audio": "AudioPart",
    "input_image": "ImagePart",
  ]

  /// `server_vad`, with the fields that all services know.
  static let serverVAD: [String: FieldKind] = [
    "type": .string,
    "threshold": .number(0...1),
    "prefix_padding_ms": .integer(0...Int.max),
    "silence_duration_ms": .integer(0...Int.max),
    "create_response": .bool,
    "interrupt_response": .bool,
  ]

  static let semanticVAD = MessageShape([
    "type": .string,
    "eagerness": .enumeration(["low", "medium", "high", "auto"]),
    "create_response": .bool,
    "interrupt_response": .bool,
  ])
}

extension [String: MessageShape] {
  /// The tables together; the other one's shapes count where both have one.
  func with(_ other: Self) -> Self {
    merging(other) { _, other in other }
  }
}
