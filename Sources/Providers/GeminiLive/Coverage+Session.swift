import Envelope
import Translation

// The fields of a session.

extension GeminiLiveConfiguration {
  var sessionRows: [CoverageRow] {
    modelRows + toolRows + outputRows + otherRows
  }

  private var modelRows: [CoverageRow] {
    let unknown = isLenient ? "is the configured one, and shows so" : "is refused"
    return [
      CoverageRow("session.model", .mapped, from: .nextResponse, "One that the service cannot have \(unknown)."),
      CoverageRow("session.modelId", .mapped, from: .nextResponse, "Another name of `session.model`."),
      CoverageRow("session.instructions", .mapped, from: .nextResponse, "The system instruction."),
      CoverageRow("session.max_output_tokens", .mapped, from: .nextResponse, "The service's own limit."),
      traits(of: model).thinking == .none
        ? counterless("session.reasoning.effort", "This model takes no such setting.", shown: "none")
        : CoverageRow(
          "session.reasoning.effort", .mapped, from: .nextResponse, "The model's own levels, or a budget of tokens."),
      CoverageRow(
        "session.temperature", .mapped, from: .nextResponse,
        isLenient ? "0 to 2; another value is as good as none." : "0 to 2; another value is refused."),
      CoverageRow(
        "session.truncation", .mapped, from: .nextResponse,
        "The service compresses its context; `disabled` turns that off."),
      CoverageRow(
        "session.gemini", .mapped, from: .nextResponse,
        "Settings of the service by its own names, the ones that a session may choose; any other is refused by its name."
      ),
    ]
  }

  private var toolRows: [CoverageRow] {
    [
      CoverageRow(
        "session.tools", .mapped, from: .nextResponse, "Functions, and `google_search`; other types are refused."),
      CoverageRow(
        "session.tools", when: ["session.tools[].type": "mcp"], .refused, "The service has no MCP tools."),
      CoverageRow(
        "session.tool_choice", .mapped, from: .nextResponse,
        "`auto` is what the service does; with `none` it is told of no tools."),
      counterless(
        "session.tool_choice", when: ["session.tool_choice": "required"], "The service chooses by itself.",
        shown: "`auto`"),
      counterless(
        "session.tool_choice", when: ["session.tool_choice.type": "function"], "The service chooses by itself.",
        shown: "`auto`"),
      counterless(
        "session.tool_choice", when: ["session.tool_choice.type": "mcp"], "The service has no MCP tools.",
        shown: "`auto`"),
      counterless("session.parallel_tool_calls", "The service decides how many it calls at once."),
    ]
  }

  private var outputRows: [CoverageRow] {
    let unknown = isLenient ? "is the standard one, and shows so" : "is refused"
    return [
      traits(of: model).speaksText
        ? CoverageRow("session.output_modalities", .mapped, from: .nextResponse, "`text` is the service's own.")
        : CoverageRow(
          "session.output_modalities", .emulated, from: .nextResponse,
          "The model speaks whatever is asked for; for `text` the transcript of it is the answer."),
      CoverageRow(
        "session.audio.output.format", .emulated, from: .nextResponse,
        "The service has PCM16 at 24 kHz; G.711 is made here."),
      CoverageRow(
        "session.audio.output.voice", .mapped, from: .nextResponse,
        "Gemini's own names, and the names of other services' voices; one that nobody knows \(unknown)."),
      CoverageRow("session.voice", .mapped, from: .nextResponse, "Another place of `session.audio.output.voice`."),
      counterless("session.audio.output.speed", "The service has one speed.", shown: "1"),
      counterless("session.audio.output.model", "The model that answers speaks.", shown: "none"),
    ]
  }

  private var otherRows: [CoverageRow] {
    [
      counterless("session.tracing", "The service has no such traces.", shown: "null"),
      CoverageRow("session.prompt", .refused, "The service stores no prompts."),
      counterless("session.include", "The service gives no log probabilities.", shown: "null"),
      counterless("session.providerData", "It is Inworld's; this service's own settings are `session.gemini`."),
      counterless("session.*", "A field that this server does not know."),
    ]
  }

  // MARK: Input

  var inputRows: [CoverageRow] {
    transcriptionRows
      + [
        CoverageRow(
          "session.audio.input.format", .mapped, from: .nextChunk,
          "PCM16 at the client's rate; G.711 is decoded here and goes up at 8 kHz."),
        counterless("session.audio.input.noise_reduction", "The service has none to choose.", shown: "null"),
        counterless("session.audio.input.noise_reduction.type", "The service has none to choose.", shown: "null"),
        counterless("session.audio.input.noise_reduction.strength", "The service has none to choose.", shown: "null"),
      ] + Self.detectionRows + Self.ownDetectionRows
  }

  private var transcriptionRows: [CoverageRow] {
    let path = "session.audio.input.transcription"
    return [
      CoverageRow(
        path, .mapped, from: .atOnce,
        "The service transcribes what the user says, for the model's memory in any case; null keeps it from the client."
      )
    ]
      + [
        counterless(
          path + ".model", "The model that answers transcribes; a name that no service has is refused in any case.",
          shown: "that model")
      ]
      + ["language", "prompt", "languages", "keywords", "delay"].map { field in
        counterless(
          "\(path).\(field)", "The service transcribes in its own way, and finds the language itself.", shown: "none")
      }
  }

  private static let detection = "session.audio.input.turn_detection"

  /// The service's own detection, which is part of the set-up of a connection.
  private static let detectionRows: [CoverageRow] = {
    let delay =
      "a change takes a new connection, when nobody speaks and nothing is asked, and before the next response at the latest"
    return [
      CoverageRow(detection, .mapped, from: .nextResponse, "The service finds the turns; \(delay)."),
      CoverageRow(
        detection, when: [detection: .null], .emulated, from: .nextResponse,
        "Push-to-talk: the audio is kept here until a response is asked for; \(delay)."),
      CoverageRow(
        detection + ".type", .mapped, from: .nextResponse,
        "`semantic_vad` is the same detection with another silence; \(delay)."),
      CoverageRow(
        detection + ".threshold", .mapped, from: .nextResponse,
        "Three steps: below 0.4, up to 0.6, above; \(delay)."),
      CoverageRow(
        detection + ".prefix_padding_ms", .ignored,
        "Shown, not sent: the service means by it how long speech must last, and would miss short words."),
      CoverageRow(
        detection + ".silence_duration_ms", .mapped, from: .nextResponse, "Always sent, within 100 and 2000; \(delay)."),
      CoverageRow(
        detection + ".idle_timeout_ms", .emulated, from: .nextResponse,
        "Counted here, from the end of what the user hears; the model is asked to speak."),
      CoverageRow(
        detection + ".create_response", .mapped, from: .nextResponse,
        "With true the service's own detection runs, and answers each turn; \(delay)."),
      CoverageRow(
        detection + ".create_response", when: [detection + ".create_response": false], .emulated, from: .nextResponse,
        "A detector of this server finds the turns, and they wait for `response.create`; \(delay)."),
      CoverageRow(
        detection + ".interrupt_response", .mapped, from: .nextResponse,
        "With false the service goes on speaking; \(delay)."),
      CoverageRow(
        detection + ".eagerness", .mapped, from: .nextResponse,
        "A silence of 1200 ms for low, 800 for medium and auto, 400 for high; \(delay)."),
      CoverageRow(
        "session.turn_detection", .mapped, from: .nextResponse, "Another place of `session.audio.input.turn_detection`."
      ),
    ]
  }()

  /// The same fields where a detector of ours runs (R251).
  private static let ownDetectionRows: [CoverageRow] = {
    func row(_ field: String, _ note: String) -> CoverageRow {
      CoverageRow(
        "\(detection).\(field)", when: [detection + ".create_response": false], .emulated, from: .nextChunk, note)
    }
    return [
      row("type", "`semantic_vad` is the same detector with another silence."),
      row("threshold", "The detector's own."),
      row("prefix_padding_ms", "At least 300: what comes before a turn goes up with it."),
      row("silence_duration_ms", "The detector's own."),
      row("interrupt_response", "With true a turn that begins ends the response."),
      row("eagerness", "A silence of 1200 ms for low, 700 for medium and auto, 350 for high."),
    ]
  }()
}
