public import Translation

import Envelope

// What a session with the engine of this process makes of everything that a client can say. `NOTES.md` says how.

extension LocalVoiceConfiguration {
  /// For the engine as it is.
  public var coverage: [CoverageRow] {
    Self.events + Coverage.serverFields + sessionRows + inputRows + responseRows
  }

  private static let events: [CoverageRow] = [
    CoverageRow("session.update", .mapped, from: .atOnce, "Applied as a whole, or not at all."),
    CoverageRow("input_audio_buffer.append", .mapped, "PCM16 or G.711."),
    CoverageRow("input_audio_buffer.commit", .mapped, "The turn is recognised."),
    CoverageRow("input_audio_buffer.clear", .mapped, from: .atOnce, "The engine forgets what it heard of the turn."),
    CoverageRow("output_audio_buffer.clear", .refused, "It is for WebRTC and SIP calls."),
    CoverageRow(
      "conversation.item.create", .mapped, from: .nextResponse, "Messages, function calls and their outputs."),
    CoverageRow(
      "conversation.item.create", when: ["item.content[].type": "input_image"], .refused, "The engine sees nothing."),
    CoverageRow(
      "conversation.item.create", when: ["item.type": "mcp_call"], .refused, "The engine has no MCP tools."),
    CoverageRow("previous_item_id", .mapped, from: .nextResponse, "Anywhere in the conversation."),
    CoverageRow("conversation.item.retrieve", .mapped, "Words, without audio."),
    CoverageRow(
      "conversation.item.truncate", .mapped, from: .nextResponse,
      "About the words that were heard stay in the conversation."),
    CoverageRow(
      "conversation.item.delete", .mapped, from: .nextResponse, "An item that is being written cannot be deleted."),
    CoverageRow("response.create", .mapped, "Waits for words that are being recognised."),
    CoverageRow("response.cancel", .mapped, from: .atOnce, "The engine stops."),
  ]

  private func counterless(_ subject: String, _ note: String, shown: String? = nil) -> CoverageRow {
    .counterless(subject, isLenient: isLenient, note, shown: shown)
  }

  private var sessionRows: [CoverageRow] {
    [
      counterless("session.model", "What runs is configured; the session shows it."),
      counterless("session.modelId", "Another name of `session.model`."),
      voices.isEmpty
        ? counterless("session.output_modalities", "Nothing speaks here: answers are written.")
        : CoverageRow("session.output_modalities", .mapped, from: .nextResponse, "Speech, or text alone."),
      CoverageRow("session.instructions", .mapped, from: .nextResponse, "The model's system message."),
      CoverageRow(
        "session.tools", .mapped, from: .nextResponse, "Functions; other types are not offered to the model."),
      CoverageRow("session.tool_choice", .mapped, from: .nextResponse, "As the model takes it."),
      counterless("session.parallel_tool_calls", "The model decides."),
      counterless("session.reasoning.effort", "The model decides."),
      CoverageRow("session.max_output_tokens", .mapped, from: .nextResponse, "The model's own limit."),
      counterless("session.tracing", "The engine has no such traces."),
      counterless("session.truncation", "The model is told as much as it can hold."),
      counterless("session.prompt", "The engine stores no prompts."),
      counterless("session.include", "The engine gives no log probabilities."),
      CoverageRow("session.audio.output.format", .mapped, from: .nextResponse, "PCM16 or G.711."),
      CoverageRow(
        "session.audio.output.voice", .mapped, from: .nextResponse,
        isLenient
          ? "The engine's voices; any other name is its default, and shows so."
          : "The engine's voices; the names of OpenAI's are its default, and any other is refused."),
      CoverageRow("session.voice", .mapped, from: .nextResponse, "Another place of `session.audio.output.voice`."),
      counterless("session.audio.output.model", "What speaks is configured.", shown: "none"),
      CoverageRow("session.audio.output.speed", .mapped, from: .nextResponse, "0.25 to 1.5."),
      counterless("session.temperature", "The model's own.", shown: "none"),
      counterless("session.providerData", "It is Inworld's."),
      counterless("session.*", "A field that this server does not know."),
    ]
  }

  private var inputRows: [CoverageRow] {
    let input = "session.audio.input"
    return [
      CoverageRow(input + ".format", .mapped, from: .nextChunk, "PCM16 or G.711."),
      CoverageRow(
        input + ".transcription", .mapped, from: .atOnce,
        "The words are recognised anyway; null leaves out the events that tell them."),
      counterless(
        input + ".transcription.model",
        "What runs is configured, and shown; a name that no service has is refused in any case."),
      CoverageRow(input + ".transcription.language", .mapped, from: .nextChunk, "As far as the recogniser knows it."),
      CoverageRow(input + ".transcription.prompt", .mapped, from: .nextChunk, "As far as the recogniser takes one."),
      counterless(input + ".transcription.languages", "The recogniser takes one language."),
      counterless(input + ".transcription.keywords", "The recogniser takes a prompt."),
      counterless(input + ".transcription.delay", "A turn is recognised when it is over."),
      counterless(input + ".noise_reduction", "The engine has none."),
      counterless(input + ".noise_reduction.type", "The engine has none."),
      counterless(input + ".noise_reduction.strength", "The engine has none."),
      CoverageRow(input + ".turn_detection", .mapped, from: .nextChunk, "Null is push-to-talk."),
      CoverageRow(
        input + ".turn_detection.type", .mapped, from: .nextChunk,
        "`semantic_vad` is the same detector with another silence."
      ),
      CoverageRow(input + ".turn_detection.threshold", .mapped, from: .nextChunk, "The detector's own."),
      CoverageRow(input + ".turn_detection.prefix_padding_ms", .mapped, from: .nextChunk, "At most 5000."),
      CoverageRow(input + ".turn_detection.silence_duration_ms", .mapped, from: .nextChunk, "The detector's own."),
      CoverageRow(
        input + ".turn_detection.idle_timeout_ms", .mapped, from: .nextResponse,
        "Counts from the end of what the user hears."),
      CoverageRow(input + ".turn_detection.create_response", .mapped, from: .atOnce, "For turns that end after it."),
      CoverageRow(
        input + ".turn_detection.interrupt_response", .mapped, from: .atOnce, "For turns that begin after it."),
      CoverageRow(
        input + ".turn_detection.eagerness", .mapped, from: .nextChunk,
        "A silence of 1200 ms for low, 700 for medium and auto, 350 for high."),
      CoverageRow(
        "session.turn_detection", .mapped, from: .nextChunk, "Another place of `session.audio.input.turn_detection`."),
    ]
  }

  private var responseRows: [CoverageRow] {
    [
      CoverageRow("response.conversation", .mapped, "With `none` it is outside of the conversation; four at once."),
      CoverageRow("response.metadata", .mapped, "Shown in the response."),
      CoverageRow("response.output_modalities", .mapped, "In place of the session's."),
      CoverageRow("response.instructions", .mapped, "In place of the session's."),
      CoverageRow("response.audio.output.format", .mapped, "In place of the session's."),
      CoverageRow("response.audio.output.voice", .mapped, "In place of the session's."),
      CoverageRow("response.tools", .mapped, "In place of the session's."),
      CoverageRow("response.tool_choice", .mapped, "In place of the session's."),
      counterless("response.parallel_tool_calls", "The model decides."),
      CoverageRow("response.max_output_tokens", .mapped, "In place of the session's."),
      counterless("response.reasoning.effort", "The model decides."),
      counterless("response.prompt", "The engine stores no prompts."),
      CoverageRow("response.input", .mapped, "Text and transcripts, in place of the conversation; references too."),
      counterless("response.*", "A field that this server does not know."),
    ]
  }
}
