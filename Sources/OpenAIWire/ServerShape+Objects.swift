import Envelope

// Strictness follows the clients that validate: openai-python, openai-agents (pydantic and zod), pipecat, LiveKit.

extension Form {
  private static let itemStatus = Form.choice(["in_progress", "completed", "incomplete"])
  private static let itemObject = Field.optional("object", .choice(["realtime.item"]))

  // MARK: Items

  /// What a list of parts cannot hold is left out of it.
  private static let userPart = Form.variant(
    tag: "type",
    [
      "input_text": .object([.required("text", .string, or: "")]),
      // The key must be there: a client throws without it.
      "input_audio": .object([.nullable("transcript", .string), .optional("audio", .string)]),
      "input_image": .object([.required("image_url", .string), .optional("detail", .string)]),
    ], aliases: ["text": "input_text", "audio": "input_audio"])

  private static let assistantPart = Form.variant(
    tag: "type",
    [
      "output_text": .object([.required("text", .string, or: "")]),
      "output_audio": .object([.optionalNullable("transcript", .string), .optional("audio", .string)]),
    ], aliases: ["text": "output_text", "audio": "output_audio"])

  private static func message(of part: Form) -> Form {
    .object(
      [
        .required("id", .id), itemObject, .required("status", itemStatus, or: "completed"),
        .required("content", .list(part), or: []),
      ] + foreign(to: []))
  }

  /// Fields of the other kinds of item. Whoever reads all kinds alike must not meet another kind of value in them.
  private static func foreign(to fields: [Field]) -> [Field] {
    ["name", "call_id", "arguments", "output"].filter { key in !fields.contains { $0.key == key } }
      .map { .optionalNullable($0, .string) }
  }

  /// An item of another kind than a message. Roles are for messages; xAI gives its calls one, of its own making.
  private static func other(_ fields: Field...) -> Form {
    .object(
      [
        .required("id", .id), itemObject, .optional("status", itemStatus), .optional("role", .nothing),
        .optional("content", .nothing),
      ] + fields + foreign(to: fields))
  }

  private static let mcpRequest = Form.other(
    .required("server_label", .string, or: ""), .required("name", .string, or: ""),
    .required("arguments", .text, or: ""))

  static let item = Form.variant(
    tag: "type",
    [
      "message": .variant(
        tag: "role",
        [
          "user": message(of: userPart), "system": message(of: userPart), "assistant": message(of: assistantPart),
        ]),
      "function_call": other(
        .required("call_id", .id), .required("name", .string, or: ""), .required("arguments", .text, or: "")),
      "function_call_output": other(.required("call_id", .id), .required("output", .text, or: "")),
      "mcp_list_tools": other(.required("server_label", .string, or: ""), .required("tools", .list(.map), or: [])),
      "mcp_call": mcpRequest,
      "mcp_approval_request": mcpRequest,
      "mcp_approval_response": other(
        .required("approval_request_id", .string, or: ""), .required("approve", .bool, or: false)),
    ])

  /// The part in `response.content_part.added` and `.done`; its types are not those of items.
  static let part = Form.variant(
    tag: "type",
    [
      "text": .object([.required("text", .string, or: "")]),
      "audio": .object([.required("transcript", .string, or: "")]),
    ], aliases: ["output_text": "text", "output_audio": "audio"])

  // MARK: Responses

  private static func tokens(_ keys: String...) -> [Field] {
    keys.map { .required($0, .integer, or: 0) }
  }

  static let usage = Form.object(
    tokens("total_tokens", "input_tokens", "output_tokens") + [
      .required(
        "input_token_details", .object(tokens("text_tokens", "audio_tokens", "cached_tokens")),
        or: ["text_tokens": 0, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0]),
      .required(
        "output_token_details", .object(tokens("text_tokens", "audio_tokens")),
        or: ["text_tokens": 0, "audio_tokens": 0]),
    ])

  private static let responseStatus = Form.choice(["in_progress", "completed", "cancelled", "incomplete", "failed"])

  private static let statusDetails = Form.object([
    .optional("type", .choice(["completed", "cancelled", "incomplete", "failed"])),
    .optional("reason", .choice(["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"])),
    .optionalNullable(
      "error",
      .object([
        .optionalNullable("type", .string), .optionalNullable("code", .string), .optionalNullable("message", .string),
      ])),
  ])

  private static let format = Form.object([
    .required("type", .choice(["audio/pcm", "audio/pcmu", "audio/pcma"])), .optional("rate", .rate),
  ])

  static let response = Form.object([
    .required("object", .choice(["realtime.response"]), or: "realtime.response"),
    .required("id", .id),
    .required("status", responseStatus),
    .nullable("status_details", statusDetails),
    .required("output", .list(item), or: []),
    .nullable("conversation_id", .id),
    .required("output_modalities", .list(.choice(["text", "audio"])), or: ["audio"]),
    .required("max_output_tokens", .bound, or: "inf"),
    .required(
      "audio", .object([.optional("output", .object([.optional("format", format), .optional("voice", .voice)]))]),
      or: [:]),
    .nullable("usage", usage),
    .nullable("metadata", .map),
  ])

  // MARK: Transcription and limits

  static let transcriptionUsage = Form.variant(
    tag: "type",
    [
      "tokens": .object(tokens("total_tokens", "input_tokens", "output_tokens")),
      "duration": .object([.required("seconds", .number, or: 0)]),
    ])

  /// A client refuses null here.
  static let transcriptionError = Form.object([
    .optional("type", .string), .optional("code", .string), .optional("message", .string), .optional("param", .string),
  ])

  static let rateLimit = Form.object([
    .required("name", .choice(["requests", "tokens"])), .required("limit", .integer, or: 0),
    .required("remaining", .integer, or: 0), .required("reset_seconds", .number, or: 0),
  ])
}
