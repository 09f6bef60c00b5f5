public import Translation

import Envelope

// What a session with xAI makes of everything that a client can say. `NOTES.md` says how.

extension XAIService {
  public var coverage: [CoverageRow] {
    Self.events + Coverage.serverFields + Self.sessionRows + Self.transcriptionRows + Self.inputRows
      + Self.detectionRows + Self.outputRows + Self.responseRows
  }

  private static let events: [CoverageRow] =
    [
      CoverageRow("session.update", .mapped, from: .atOnce, "In the service's own form, applied as a whole."),
      CoverageRow("input_audio_buffer.append", .mapped, "Forwarded as it is."),
      CoverageRow("input_audio_buffer.commit", .mapped, "The service takes it without turn detection only."),
      CoverageRow("input_audio_buffer.clear", .mapped, from: .atOnce, "Forwarded as it is."),
      CoverageRow("output_audio_buffer.clear", .refused, "It is for WebRTC and SIP calls."),
      CoverageRow(
        "conversation.item.create", .mapped, from: .nextResponse, "Messages, function calls and their outputs."),
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_image"], .refused,
        "The service takes no images."),
    ]
    + ["mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"].map { type in
      CoverageRow(
        "conversation.item.create", when: ["item.type": .string(type)], .refused,
        "The service keeps the items of MCP tools itself.")
    } + [
      CoverageRow("previous_item_id", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow("conversation.item.retrieve", .emulated, "Answered from the mirror, which keeps words and no audio."),
      CoverageRow(
        "conversation.item.truncate", .mapped, from: .nextResponse,
        "The service is told, and the answer comes from the mirror."),
      CoverageRow("conversation.item.delete", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow("response.create", .mapped, "With its instructions and metadata; the rest is the session's."),
      CoverageRow("response.cancel", .mapped, from: .atOnce, "What the service still says to it is dropped."),
    ]

  // MARK: The session

  private static let sessionRows: [CoverageRow] = [
    CoverageRow(
      "session.model", .mapped, from: .atSetUp, "Part of the address; a name of no Grok model is the configured one."),
    CoverageRow("session.modelId", .mapped, from: .atSetUp, "Another name of `session.model`."),
    CoverageRow(
      "session.output_modalities", .emulated, from: .nextResponse,
      "The service speaks whatever is asked for; for `text` the transcript of it is the answer."),
    CoverageRow("session.instructions", .mapped, from: .nextResponse, "The service's own."),
    CoverageRow(
      "session.tools", .mapped, from: .nextResponse,
      "Functions, MCP servers by their `server_url`, `web_search`, `x_search` and `file_search`; others are refused."
    ),
    CoverageRow(
      "session.tools", when: ["session.tools[].type": "mcp"], .mapped, from: .nextResponse,
      "By its `server_url`, and without approval; one that asks for approval is refused."),
    CoverageRow(
      "session.tool_choice", .emulated, from: .nextResponse,
      "`auto` is what the service does; with `none` it is told of no tools."),
    counterless(
      "session.tool_choice", when: ["session.tool_choice": "required"], "The service chooses by itself.",
      shown: "`auto`"),
    counterless(
      "session.tool_choice", when: ["session.tool_choice.type": "function"], "The service chooses by itself.",
      shown: "`auto`"),
    counterless(
      "session.tool_choice", when: ["session.tool_choice.type": "mcp"], "The service chooses by itself.",
      shown: "`auto`"),
    counterless("session.parallel_tool_calls", "The service decides how many it calls at once."),
    CoverageRow(
      "session.reasoning.effort", .mapped, from: .nextResponse,
      "Two steps: none for minimal and low, much for the others; the session shows `minimal` or `high`."),
    counterless("session.max_output_tokens", "The service has no such limit.", shown: "`inf`"),
    counterless("session.tracing", "The service has no such traces.", shown: "null"),
    counterless("session.truncation", "The service decides what it forgets.", shown: "`auto`"),
    CoverageRow("session.prompt", .refused, "The service stores no prompts."),
    counterless("session.include", "The service gives no log probabilities.", shown: "null"),
    CoverageRow("session.voice", .mapped, from: .nextResponse, "Another place of `session.audio.output.voice`."),
    CoverageRow(
      "session.turn_detection", .mapped, from: .nextChunk, "Another place of `session.audio.input.turn_detection`."),
    counterless("session.temperature", "The service documents none.", shown: "none"),
    counterless("session.audio.output.model", "The service has one.", shown: "none"),
    counterless("session.providerData", "It is another service's.", shown: "none"),
    CoverageRow(
      "session.replace", .mapped, from: .nextResponse, "The service's own map of words and how they are spoken."),
    counterless("session.*", "A field that this server does not know.", shown: "none"),
  ]

  /// What the service has no counterpart for: replaced by what really happens, or, in a strict session, refused (Q23).
  private static func counterless(
    _ subject: String, when condition: JSONObject? = nil, _ note: String, shown: String? = nil
  ) -> CoverageRow {
    CoverageRow(subject, when: condition, .ignored, note + (shown.map { " The session shows \($0)." } ?? ""))
  }

  // MARK: Input

  private static let input = "session.audio.input"

  private static let inputRows: [CoverageRow] = [
    CoverageRow(input + ".format", .mapped, from: .nextChunk, "PCM16 and G.711, as the client has it."),
    counterless(input + ".noise_reduction", "The service has none to choose.", shown: "null"),
    counterless(input + ".noise_reduction.type", "The service has none to choose.", shown: "null"),
    counterless(input + ".noise_reduction.strength", "The service has none to choose.", shown: "null"),
  ]

  private static let transcriptionRows: [CoverageRow] = {
    let path = input + ".transcription"
    return [
      CoverageRow(path, .mapped, from: .nextChunk, "The service's own; null switches it off."),
      CoverageRow(
        path + ".model", .mapped, from: .nextChunk,
        "`grok-transcribe` stands for every transcriber of other services; a name that nobody knows is refused."),
      CoverageRow(
        path + ".language", .mapped, from: .nextChunk,
        "A hint; Spanish and Portuguese are those of Spain and Brazil unless they say otherwise."),
      counterless(path + ".prompt", "The service takes terms, not a prompt.", shown: "null"),
      counterless(path + ".languages", "The service takes one language.", shown: "none"),
      CoverageRow(path + ".keywords", .mapped, from: .nextChunk, "A hundred terms of at most 50 characters."),
      counterless(path + ".delay", "The service has one.", shown: "none"),
    ]
  }()

  private static let detectionRows: [CoverageRow] = {
    let detection = input + ".turn_detection"
    return [
      CoverageRow(detection, .mapped, from: .nextChunk, "The service finds the turns; null is push-to-talk."),
      CoverageRow(
        detection + ".type", .mapped, from: .nextChunk,
        "`semantic_vad` is the service's own detection with another silence."),
      CoverageRow(detection + ".threshold", .mapped, from: .nextChunk, "Always sent, within 0.1 and 0.9."),
      CoverageRow(detection + ".prefix_padding_ms", .mapped, from: .nextChunk, "Always sent, 10000 at most."),
      CoverageRow(detection + ".silence_duration_ms", .mapped, from: .nextChunk, "Always sent, 10000 at most."),
      CoverageRow(
        detection + ".idle_timeout_ms", .mapped, from: .nextResponse,
        "The service's own: it speaks to a silent user again and again."),
      CoverageRow(detection + ".create_response", .mapped, from: .nextChunk, "True is what the service does."),
      counterless(
        detection + ".create_response", when: [detection + ".create_response": false],
        "The service answers every turn that it finds.", shown: "true"),
      CoverageRow(
        detection + ".interrupt_response", .mapped, from: .nextChunk,
        "Sent; the service shows it, and does not say in its pages what it makes of it."),
      CoverageRow(
        detection + ".eagerness", .mapped, from: .nextChunk,
        "A silence of 1200 ms for low, 700 for medium and auto, 350 for high."),
    ]
  }()

  // MARK: Output

  private static let outputRows: [CoverageRow] = [
    CoverageRow("session.audio.output.format", .mapped, from: .nextResponse, "PCM16 and G.711, as the client has it."),
    CoverageRow(
      "session.audio.output.voice", .mapped, from: .nextResponse,
      "The service's own, an account's own by their ids, and other services' names; any other is the standard voice."
    ),
    CoverageRow("session.audio.output.speed", .mapped, from: .nextResponse, "Within 0.7 and 1.5."),
  ]

  // MARK: Responses

  private static let responseRows: [CoverageRow] =
    [
      CoverageRow("response.conversation", .mapped, "`auto` is the only one there is."),
      CoverageRow(
        "response.conversation", when: ["response.conversation": "none"], .refused,
        "The service has one conversation only."),
      CoverageRow("response.metadata", .mapped, "The service shows it in the response."),
      CoverageRow(
        "response.output_modalities", .emulated,
        "The service speaks whatever is asked for; for `text` the transcript of it is the answer."),
      CoverageRow("response.instructions", .mapped, "In place of the session's."),
    ]
    + [
      "audio.output.format", "audio.output.voice", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens",
      "reasoning.effort", "prompt",
    ].map { CoverageRow("response." + $0, .ignored, "A response has the session's.") } + [
      CoverageRow("response.input", .refused, "The service answers the conversation only."),
      CoverageRow("response.*", .ignored, "A field that the service does not know."),
    ]
}
