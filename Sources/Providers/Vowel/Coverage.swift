public import Translation

import Envelope

// What a session with an engine of vowel's makes of everything that a client can say. `NOTES.md` says how.

extension VowelService {
  public var coverage: [CoverageRow] {
    Self.events + Self.items + Coverage.serverFields + Self.sessionRows + Self.inputRows + outputRows
      + Self.responseRows
  }

  private static let events: [CoverageRow] = [
    CoverageRow("session.update", .mapped, from: .nextResponse, "In its flat form, with the fields that it has."),
    CoverageRow(
      "input_audio_buffer.append", .mapped, "In pieces of 8,192 bytes of PCM16 at 24 kHz: shorter ones end the call."),
    CoverageRow(
      "input_audio_buffer.commit", .mapped, "The last piece is filled up with silence; the engine answers by itself."),
    CoverageRow("input_audio_buffer.clear", .mapped, "Forwarded as it is."),
    CoverageRow("output_audio_buffer.clear", .refused, "It is for WebRTC and SIP calls."),
    CoverageRow(
      "conversation.item.create", .emulated, from: .nextResponse,
      "Messages are kept until a response is asked for, because the engine answers what it is told."),
    CoverageRow("conversation.item.retrieve", .emulated, "Answered from the mirror, which keeps words and no audio."),
    CoverageRow(
      "conversation.item.truncate", .mapped, "Forwarded, and acknowledged here; the engine remembers all words."),
    CoverageRow(
      "conversation.item.delete", .emulated, from: .nextResponse,
      "The engine is told the conversation anew, without it."
    ),
    CoverageRow("response.create", .mapped, "Sends what is waiting, which asks for the answer, or asks for it."),
    CoverageRow("response.cancel", .mapped, "Forwarded; what comes late is dropped."),
    CoverageRow("previous_item_id", .ignored, "The engine can only append."),
  ]

  private static let items: [CoverageRow] =
    [
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_audio"], .emulated,
        "Streamed in and committed when an answer is asked for; refused beside anything else."),
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_image"], .refused,
        "The engine takes text only."),
    ]
    + ["mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"].map { type in
      CoverageRow(
        "conversation.item.create", when: ["item.type": .string(type)], .refused, "The engine has no MCP tools.")
    }

  // MARK: The session

  private static let sessionRows: [CoverageRow] =
    [
      CoverageRow(
        "session.model", .mapped, from: .nextResponse,
        "One that speaks by itself becomes the configured one, and shows so; an engine may have its own in its place."
      ),
      CoverageRow("session.modelId", .mapped, from: .nextResponse, "Another name of `session.model`."),
      CoverageRow(
        "session.output_modalities", .emulated, from: .nextResponse,
        "The engine speaks whatever is asked for; for `text` its words are the answer."),
      CoverageRow("session.instructions", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow("session.tools", .mapped, from: .nextResponse, "Functions."),
      CoverageRow("session.tools", when: ["session.tools[].type": "mcp"], .refused, "The engine has functions only."),
      CoverageRow("session.tool_choice", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow(
        "session.tool_choice", when: ["session.tool_choice.type": "mcp"], .ignored,
        "The engine has no MCP tools. The session shows `auto`."),
      CoverageRow("session.max_output_tokens", .mapped, from: .nextResponse, "Forwarded as it is."),
    ]
    + [
      "parallel_tool_calls", "reasoning.effort", "tracing", "truncation", "prompt", "include", "temperature",
      "providerData",
    ].map { CoverageRow("session.\($0)", .ignored, "The engine has nothing of the kind. The session shows so.") }
    + [CoverageRow("session.*", .ignored, "A field that this server does not know.")]

  // MARK: Audio

  private static let inputRows: [CoverageRow] = {
    let input = "session.audio.input."
    return [
      CoverageRow(
        input + "format", .emulated, from: .nextChunk, "The engine has PCM16 at 24 kHz; G.711 is converted here."),
      CoverageRow(input + "transcription", .ignored, "The engine transcribes in any case, because its models read."),
      CoverageRow(
        input + "transcription.model", .ignored,
        "The engine has the one that it was configured with; a name that nobody has is refused."),
    ]
      + ["language", "prompt", "languages", "keywords", "delay"].map {
        CoverageRow(input + "transcription." + $0, .ignored, "The engine's configuration decides.")
      }
      + ["", ".type", ".strength"].map {
        CoverageRow(input + "noise_reduction" + $0, .ignored, "The engine has none. The session shows null.")
      } + detectionRows(input + "turn_detection")
  }()

  /// The engine's own defaults are others than the vocabulary's: it is always told every number (R284).
  private static func detectionRows(_ path: String) -> [CoverageRow] {
    [
      CoverageRow(path, .mapped, from: .nextChunk, "Forwarded, always with every number; null as `disabled`."),
      CoverageRow("session.turn_detection", .mapped, from: .nextChunk, "Another place of `\(path)`."),
      CoverageRow(path + ".type", .mapped, from: .nextChunk, "`semantic_vad` is the same detection by silence."),
      CoverageRow(
        path + ".eagerness", .mapped, from: .nextChunk,
        "A silence of \(Limits.hesitantSilence) ms for low, \(Limits.middlingSilence) for medium and auto, "
          + "\(Limits.eagerSilence) for high."),
      CoverageRow(
        path + ".idle_timeout_ms", .emulated, from: .atOnce, "Counted here, from the end of what the user hears."),
      CoverageRow(
        path + ".interrupt_response", .ignored,
        "The engine always lets itself be interrupted. The session shows true."),
    ]
      + ["threshold", "prefix_padding_ms", "silence_duration_ms", "create_response"].map {
        CoverageRow("\(path).\($0)", .mapped, from: .nextChunk, "Forwarded as it is.")
      }
  }

  private var outputRows: [CoverageRow] {
    let output = "session.audio.output."
    let standard = voice ?? Voices.standard
    return [
      CoverageRow(
        output + "format", .emulated, from: .nextResponse, "The engine has PCM16 at 24 kHz; G.711 is made here."),
      CoverageRow(
        output + "voice", .mapped, from: .nextResponse,
        "Deepgram's names, and other services' by a table; one that nobody knows becomes `\(standard)`, and shows so."),
      CoverageRow("session.voice", .mapped, from: .nextResponse, "Another place of `session.audio.output.voice`."),
      CoverageRow(output + "speed", .mapped, from: .nextResponse, "The engine's speaking rate."),
      CoverageRow(output + "model", .ignored, "The engine has the one that it was configured with."),
    ]
  }

  // MARK: Responses

  private static let responseRows: [CoverageRow] =
    [
      CoverageRow("response.conversation", .mapped, "`auto` is what the engine does."),
      CoverageRow(
        "response.conversation", when: ["response.conversation": "none"], .refused,
        "The engine has the one conversation."),
      CoverageRow("response.metadata", .emulated, "Kept here and shown in the response."),
      CoverageRow("response.output_modalities", .emulated, "For `text` the words of what it says are the answer."),
      CoverageRow("response.instructions", .mapped, "Forwarded as it is."),
      CoverageRow("response.input", .refused, "The engine answers the conversation."),
    ]
    + [
      "audio.output.format", "audio.output.voice", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens",
      "reasoning.effort",
      "prompt",
    ].map { CoverageRow("response.\($0)", .ignored, "The session's: a response has none of its own.") }
    + [CoverageRow("response.*", .ignored, "A field that this server does not know.")]
}
