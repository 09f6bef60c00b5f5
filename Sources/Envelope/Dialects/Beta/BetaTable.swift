/// Everything in which the beta vocabulary differs from GA, as data. Both directions are read off these tables, for
/// clients that speak beta (`BetaDialect`) and for providers that do (`BetaWire`).
enum BetaTable {
  // MARK: Events

  /// The server events that bear another name.
  private static let eventNames: [(ga: String, beta: String)] = [
    ("conversation.item.added", "conversation.item.created"),
    ("response.output_text.delta", "response.text.delta"),
    ("response.output_text.done", "response.text.done"),
    ("response.output_audio.delta", "response.audio.delta"),
    ("response.output_audio.done", "response.audio.done"),
    ("response.output_audio_transcript.delta", "response.audio_transcript.delta"),
    ("response.output_audio_transcript.done", "response.audio_transcript.done"),
  ]

  static let betaNames = Dictionary(eventNames.map { ($0.ga, $0.beta) }) { first, _ in first }
  static let gaNames = Dictionary(eventNames.map { ($0.beta, $0.ga) }) { first, _ in first }

  /// The events that have the words "transcription session" in their name where GA tells by `session.type`.
  static let sessionEvents: [(ga: String, transcription: String)] = [
    ("session.update", "transcription_session.update"),
    ("session.created", "transcription_session.created"),
    ("session.updated", "transcription_session.updated"),
  ]

  /// The server events that beta has no word for.
  static let unknownToBeta: Set<String> = [
    "conversation.item.done", "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.timeout_triggered", "input_audio_buffer.dtmf_event_received",
    "mcp_list_tools.in_progress", "mcp_list_tools.completed", "mcp_list_tools.failed",
    "response.mcp_call_arguments.delta", "response.mcp_call_arguments.done", "response.mcp_call.in_progress",
    "response.mcp_call.completed", "response.mcp_call.failed",
  ]

  // MARK: Fields

  /// One field under both its names. The values differ by `form`.
  struct Field: Sendable {
    /// The keys from the session or response down: one, or `audio`, the side and the field.
    let ga: [String]
    let beta: String
    let form: Form

    init(_ ga: String, _ beta: String, _ form: Form = .same) {
      self.ga = ga.split(separator: ".").map(String.init)
      self.beta = beta
      self.form = form
    }
  }

  /// How the values of a field correspond.
  enum Form: Sendable {
    case same
    /// `{"type":"audio/pcm","rate":24000}` and `"pcm16"`.
    case format
    /// `["audio"]` and `["text","audio"]`.
    case modalities
    case transcription
    case noiseReduction
    case turnDetection
    /// A tool may go by its bare name.
    case toolChoice
  }

  static let session = BetaShape(
    root: "session",
    fields: [
      Field("output_modalities", "modalities", .modalities),
      Field("audio.input.format", "input_audio_format", .format),
      Field("audio.input.transcription", "input_audio_transcription", .transcription),
      Field("audio.input.noise_reduction", "input_audio_noise_reduction", .noiseReduction),
      Field("audio.input.turn_detection", "turn_detection", .turnDetection),
      Field("audio.output.format", "output_audio_format", .format),
      Field("audio.output.voice", "voice"),
      Field("audio.output.speed", "speed"),
      Field("max_output_tokens", "max_response_output_tokens"),
      Field("tool_choice", "tool_choice", .toolChoice),
    ],
    unknownToBeta: ["type", "truncation", "reasoning", "parallel_tool_calls"], unknownToGA: ["client_secret"])

  /// The `response` of `response.create`.
  static let request = BetaShape(
    root: "response", fields: responseFields + [Field("max_output_tokens", "max_response_output_tokens")],
    unknownToBeta: ["reasoning", "parallel_tool_calls"])

  /// The `response` of the server's events, where both call the bound `max_output_tokens`.
  static let resource = BetaShape(root: "response", fields: responseFields, unknownToBeta: [])

  private static let responseFields = [
    Field("output_modalities", "modalities", .modalities),
    Field("audio.output.format", "output_audio_format", .format),
    Field("audio.output.voice", "voice"),
    Field("tool_choice", "tool_choice", .toolChoice),
  ]

  /// The fields of a session by which a client of the beta is known: those with a name of their own there.
  static let tellingFields = Set(session.fields.filter { $0.ga != [$0.beta] }.map(\.beta) + ["temperature"])

  // MARK: Values

  static let formats: [(beta: String, ga: JSONValue)] = [
    ("pcm16", ["type": "audio/pcm", "rate": 24000]),
    ("g711_ulaw", ["type": "audio/pcmu"]),
    ("g711_alaw", ["type": "audio/pcma"]),
  ]

  /// The content of what the assistant says. User and system content is called the same in both.
  static let contentTypes: [(ga: String, beta: String)] = [("output_text", "text"), ("output_audio", "audio")]

  /// What a session has where the client asked for nothing.
  static let temperature: JSONValue = 0.8
  static let audioModalities: JSONValue = ["text", "audio"]
}
