public import Translation

import Envelope

// What a session with Inworld makes of everything that a client can say. `NOTES.md` says how.

extension InworldService {
  public var coverage: [CoverageRow] {
    Self.events + Self.items + Coverage.serverFields + sessionRows + Self.inputRows + outputRows + Self.responseRows
  }

  private static let events: [CoverageRow] = [
    CoverageRow("session.update", .mapped, from: .nextResponse, "Forwarded, with the fields that the service has."),
    CoverageRow(
      "input_audio_buffer.append", .mapped,
      "Sent on in pieces of 40 to 100 ms, because the service counts frames."),
    CoverageRow("input_audio_buffer.commit", .mapped, "Forwarded as it is."),
    CoverageRow("input_audio_buffer.clear", .mapped, "Forwarded as it is."),
    CoverageRow("output_audio_buffer.clear", .mapped, "Forwarded as it is."),
    CoverageRow("conversation.item.create", .mapped, "Forwarded as it is."),
    CoverageRow("conversation.item.retrieve", .emulated, "Answered from the mirror, which keeps words and no audio."),
    CoverageRow("conversation.item.truncate", .mapped, "Forwarded, and acknowledged here."),
    CoverageRow("conversation.item.delete", .mapped, "Forwarded as it is."),
    CoverageRow("response.create", .mapped, "Forwarded, with the options that the service has."),
    CoverageRow("response.cancel", .mapped, "Forwarded; an error that crosses the response's end is kept back."),
    CoverageRow("previous_item_id", .mapped, "Forwarded as it is."),
  ]

  private static let items: [CoverageRow] =
    [
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_audio"], .mapped,
        "PCM16 or Ogg Opus, forwarded as it is."),
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_image"], .mapped,
        "Forwarded; whether it is seen is up to the model."),
    ]
    + ["mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"].map { type in
      CoverageRow(
        "conversation.item.create", when: ["item.type": .string(type)], .refused, "The service has no MCP tools.")
    }

  // MARK: The session

  private var sessionRows: [CoverageRow] {
    [
      CoverageRow(
        "session.model", .mapped, from: .nextResponse, "`provider/model` or a router, forwarded whatever it is."),
      CoverageRow("session.modelId", .mapped, from: .nextResponse, "Another name of `session.model`."),
      CoverageRow(
        "session.output_modalities", .mapped, from: .nextResponse,
        "Both at once are `[\"audio\"]`: the service would say the same words twice."),
      CoverageRow("session.instructions", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow(
        "session.tools", .mapped, from: .nextResponse, "Functions, and the service's own, such as `web_search`."),
      CoverageRow(
        "session.tools", when: ["session.tools[].type": "mcp"], .refused, "The service has no MCP tools."),
      CoverageRow("session.tool_choice", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow(
        "session.tool_choice", when: ["session.tool_choice.type": "mcp"], .ignored,
        "The service has no MCP tools. The session shows `auto`."),
      CoverageRow("session.max_output_tokens", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow("session.temperature", .mapped, from: .nextResponse, "0 to 2; another value is refused."),
      takesProviderData
        ? CoverageRow(
          "session.providerData", .mapped, from: .nextResponse,
          "Forwarded, with `auto_tool_response` off; at most 8 KiB. `provider_data` is another name of it.")
        : CoverageRow(
          "session.providerData", .ignored,
          "Forwarded where the route or the connection asks for the service's own (`vendorEvents`)."),
    ]
      + ["parallel_tool_calls", "reasoning.effort", "tracing", "truncation", "prompt", "include"].map {
        CoverageRow("session.\($0)", .ignored, "The service has nothing of the kind. The session shows the default.")
      } + [CoverageRow("session.*", .ignored, "A field that this server does not know.")]
  }

  // MARK: Audio

  private static let inputRows: [CoverageRow] = {
    let input = "session.audio.input."
    return [
      CoverageRow(input + "format", .mapped, from: .nextChunk, "Forwarded as it is."),
      CoverageRow(
        input + "transcription", .mapped, "The service transcribes in any case, because its models read."),
      CoverageRow(
        input + "transcription.model", .mapped,
        "The service's own; OpenAI's and other services' become the operator's, and any other is refused."),
      CoverageRow(input + "transcription.language", .mapped, "Forwarded; found by itself where there is none."),
      CoverageRow(input + "transcription.prompt", .mapped, "Forwarded as it is."),
    ]
      + ["transcription.languages", "transcription.keywords", "transcription.delay", "noise_reduction.strength"].map {
        CoverageRow(input + $0, .ignored, "The service has nothing of the kind.")
      }
      + ["noise_reduction", "noise_reduction.type"].map {
        CoverageRow(input + $0, .mapped, from: .nextChunk, "Forwarded as it is.")
      } + detectionRows(input + "turn_detection")
  }()

  /// The service's own defaults are others than the vocabulary's: it is always told everything (R284).
  private static func detectionRows(_ path: String) -> [CoverageRow] {
    let fields = [
      "type", "threshold", "prefix_padding_ms", "silence_duration_ms", "create_response", "interrupt_response",
      "eagerness",
    ]
    return [
      CoverageRow(path, .mapped, from: .nextChunk, "Forwarded, always with every number."),
      CoverageRow("session.turn_detection", .mapped, from: .nextChunk, "Another place of `\(path)`."),
      CoverageRow(
        path + ".idle_timeout_ms", .mapped, from: .nextChunk, "Forwarded; the service tells of it, and does not answer."
      ),
    ] + fields.map { CoverageRow("\(path).\($0)", .mapped, from: .nextChunk, "Forwarded as it is.") }
  }

  private var outputRows: [CoverageRow] {
    let output = "session.audio.output."
    let replacement = voice.map { "`\($0)`" } ?? "the one that resembles them"
    return [
      CoverageRow(output + "format", .mapped, from: .nextResponse, "Forwarded as it is."),
      CoverageRow(
        output + "voice", .mapped, from: .nextResponse,
        "OpenAI's and Deepgram's names become \(replacement); any other name is forwarded."),
      CoverageRow("session.voice", .mapped, from: .nextResponse, "Another place of `session.audio.output.voice`."),
      CoverageRow(output + "speed", .mapped, from: .nextResponse, "0.5 at least; the session shows what holds."),
      CoverageRow(output + "model", .mapped, from: .nextResponse, "The model that speaks; forwarded as it is."),
    ]
  }

  // MARK: Responses

  private static let responseRows: [CoverageRow] =
    [
      CoverageRow("response.conversation", .mapped, "`auto` is what the service does."),
      CoverageRow(
        "response.conversation", when: ["response.conversation": "none"], .refused,
        "The service has the one conversation."),
      CoverageRow("response.metadata", .emulated, "Kept here and shown in the response."),
      CoverageRow("response.audio.output.voice", .mapped, "As in the session."),
      CoverageRow("response.input", .refused, "The service answers the conversation."),
    ]
    + ["output_modalities", "instructions", "audio.output.format", "tools", "tool_choice", "max_output_tokens"].map {
      CoverageRow("response.\($0)", .mapped, "Forwarded as it is.")
    }
    + ["parallel_tool_calls", "reasoning.effort", "prompt"].map {
      CoverageRow("response.\($0)", .ignored, "The service has nothing of the kind.")
    } + [CoverageRow("response.*", .ignored, "A field that this server does not know.")]
}
