import Envelope
import Translation

// The options of one response.

extension GeminiLiveConfiguration {
  var responseRows: [CoverageRow] { inConversation + outOfBand }

  private var inConversation: [CoverageRow] {
    [
      CoverageRow("response.conversation", .mapped, "`auto` is what the service does."),
      CoverageRow("response.metadata", .emulated, "Kept here and shown in the response."),
      CoverageRow(
        "response.output_modalities", .emulated, "For `text` the transcript of what the model says is the answer."),
      CoverageRow(
        "response.instructions", .emulated,
        "Stands before the words that are asked; not for audio where the family takes no words beside it."),
      CoverageRow("response.audio.output.format", .emulated, "Made here from the service's PCM16 at 24 kHz."),
      counterless("response.audio.output.voice", "The session's: the set-up has one."),
      counterless("response.tools", "The session's: the set-up has one list."),
      CoverageRow(
        "response.tool_choice", .emulated,
        "`none` refuses the calls of this response; `required` or a function's name is asked for in words."),
      counterless("response.parallel_tool_calls", "The service decides how many it calls at once."),
      counterless("response.max_output_tokens", "The session's: the set-up has one limit."),
      counterless("response.reasoning.effort", "The session's: the set-up has one."),
      CoverageRow("response.prompt", .refused, "The service stores no prompts."),
      CoverageRow("response.input", .refused, "An answer of the conversation is to the conversation."),
      counterless("response.*", "A field that this server does not know."),
    ]
  }

  /// A response outside of the conversation has a short session of its own.
  private var outOfBand: [CoverageRow] {
    func row(_ field: String, _ support: CoverageRow.Support, _ note: String) -> CoverageRow {
      CoverageRow("response.\(field)", when: ["response.conversation": "none"], support, note)
    }
    return [
      row("conversation", .emulated, "A short session of its own beside the call's; four at once."),
      row("instructions", .mapped, "In place of the session's."),
      row("audio.output.voice", .mapped, "In place of the session's."),
      row("tools", .mapped, "In place of the session's."),
      row("tool_choice", .mapped, "With `none` it is told of no tools; otherwise it chooses by itself."),
      row("max_output_tokens", .mapped, "In place of the session's."),
      traits(of: model).thinking == .none
        ? counterless(
          "response.reasoning.effort", when: ["response.conversation": "none"], "This model takes no such setting.")
        : row("reasoning.effort", .mapped, "In place of the session's."),
      row("input", .mapped, "In place of the conversation; its items may be references."),
    ]
  }
}
