public import Envelope
public import Translation

/// What a client says that a row of coverage is about: a field of a session, or an option of a response.
public struct CoverageExample: Sendable {
  /// Sessions of updates that make the row's condition true, or the change one.
  public var before: [JSONValue] = []
  /// The event.
  public var event: JSONValue

  /// Nil for rows about events as a whole.
  ///
  /// - Parameters:
  ///   - model: the provider has it, and the session has another one.
  ///   - voice: likewise.
  public init?(_ row: CoverageRow, model: String, voice: String) {
    let path = row.subject.split(separator: ".").map(String.init)
    guard let root = path.first, ["session", "response"].contains(root), path.count > 1,
      let value = Self.value(of: row, model: model, voice: voice)
    else { return nil }
    let field = path.last == "*" ? [root, "unheard_of"] : path
    let inner = Self.whole(row) ?? Self.nested(value, at: Array(field.dropFirst()))
    if root == "session" {
      event = ["type": "session.update", "event_id": "event", "session": inner]
      before = (Self.before[row.subject] ?? []) + Self.detection(of: row)
    } else {
      var options = inner.object ?? [:]
      if row.condition == ["response.conversation": "none"] { options["conversation"] = "none" }
      event = ["type": "response.create", "event_id": "event", "response": .object(options)]
      before = Self.before["session.tool_choice"] ?? []
    }
  }

  public static func nested(_ value: JSONValue, at path: [String]) -> JSONValue {
    path.reversed().reduce(value) { inner, key in .object([key: inner]) }
  }

  // MARK: Conditions

  private static let detection = "session.audio.input.turn_detection"
  private static let ownDetector: JSONObject = [detection + ".create_response": false]

  private static func detection(of row: CoverageRow) -> [JSONValue] {
    switch (row.subject, row.condition) {
    case (detection + ".create_response", ownDetector): []
    case (detection + ".create_response", _): [turns(["create_response": false])]
    case (detection + ".eagerness", ownDetector): [turns(["type": "semantic_vad", "create_response": false])]
    case (detection + ".eagerness", _): [turns(["type": "semantic_vad"])]
    case (_, ownDetector): [turns(["create_response": false])]
    default: []
    }
  }

  private static func turns(_ fields: JSONValue) -> JSONValue {
    nested(fields, at: ["audio", "input", "turn_detection"])
  }

  private static let transcription: JSONValue =
    ["audio": ["input": ["transcription": ["model": "gpt-4o-transcribe"]]]]

  /// Without it the change would not show.
  private static let before: [String: [JSONValue]] = [
    "session.tool_choice": [["tools": [["type": "function", "name": "known"]]]],
    "session.audio.input.transcription.model": [transcription],
    "session.audio.input.transcription.language": [transcription],
    "session.audio.input.transcription.prompt": [transcription],
    "session.audio.input.transcription.languages": [transcription],
    "session.audio.input.transcription.keywords": [transcription],
    "session.audio.input.transcription.delay": [transcription],
  ]

  /// Fields that cannot come alone.
  private static func whole(_ row: CoverageRow) -> JSONValue? {
    switch (row.subject, row.condition) {
    case ("session.audio.input.noise_reduction.strength", _):
      ["audio": ["input": ["noise_reduction": ["type": "near_field", "strength": 0.5]]]]
    // Another type begins with its own defaults.
    case (detection + ".type", ownDetector): turns(["type": "semantic_vad", "create_response": false])
    default: nil
    }
  }

  // MARK: Values

  private static func value(of row: CoverageRow, model: String, voice: String) -> JSONValue? {
    if ["session.model", "session.modelId"].contains(row.subject) { return .string(model) }
    if row.subject.hasSuffix(".voice") { return .string(voice) }
    for (path, value) in row.condition ?? [:] {
      switch (row.subject, path) {
      case (_, row.subject): return value
      case ("session.tools", _): return [["type": value, "server_label": "server"]]
      case ("session.tool_choice", _): return ["type": value, "name": "known", "server_label": "server"]
      default: break
      }
    }
    return values[row.subject]
  }

  /// Each differs from what a session begins with.
  private static let values: [String: JSONValue] = [
    "session.type": "realtime", "session.id": "sess_other", "session.object": "other", "session.expires_at": 1,
    "session.output_modalities": ["text"], "session.instructions": "Be brief.",
    "session.tools": [["type": "function", "name": "known"]], "session.tool_choice": "none",
    "session.parallel_tool_calls": true, "session.reasoning.effort": "high", "session.max_output_tokens": 100,
    "session.tracing": "auto", "session.truncation": "disabled", "session.prompt": ["id": "prompt"],
    "session.include": ["item.input_audio_transcription.logprobs"], "session.temperature": 1,
    "session.gemini": ["topK": 5], "session.providerData": ["user_id": "u"], "session.*": true,
    "session.turn_detection": ["type": "server_vad", "threshold": 0.9],
    "session.audio.input.format": ["type": "audio/pcmu"],
    "session.audio.input.transcription": [:],
    "session.audio.input.transcription.model": "whisper-1", "session.audio.input.transcription.language": "de",
    "session.audio.input.transcription.prompt": "Ada", "session.audio.input.transcription.languages": ["de"],
    "session.audio.input.transcription.keywords": ["Ada"], "session.audio.input.transcription.delay": "low",
    "session.audio.input.noise_reduction": ["type": "near_field"],
    "session.audio.input.noise_reduction.type": "far_field",
    "session.audio.input.noise_reduction.strength": 0.5,
    detection: ["type": "semantic_vad"], detection + ".type": "semantic_vad", detection + ".threshold": 0.9,
    detection + ".prefix_padding_ms": 450, detection + ".silence_duration_ms": 900,
    detection + ".idle_timeout_ms": 6_000, detection + ".create_response": true,
    detection + ".interrupt_response": false, detection + ".eagerness": "low",
    "session.audio.output.format": ["type": "audio/pcmu"],
    "session.audio.output.speed": 1.2, "session.audio.output.model": "inworld-tts-1.5-max",
    "response.conversation": "auto", "response.metadata": ["key": "value"], "response.output_modalities": ["text"],
    "response.instructions": "Be brief.", "response.audio.output.format": ["type": "audio/pcmu"],
    "response.tools": [["type": "function", "name": "other"]],
    "response.tool_choice": "none", "response.parallel_tool_calls": true, "response.max_output_tokens": 100,
    "response.reasoning.effort": "high", "response.prompt": ["id": "prompt"], "response.*": true,
    "response.input": [
      ["type": "message", "role": "user", "content": [["type": "input_text", "text": "Another question."]]]
    ],
  ]
}
