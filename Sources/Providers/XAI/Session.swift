public import Envelope

import OpenAIWire
import Translation

// The session: what of it the service has, and in which form.

extension XAIService {
  // MARK: What really happens

  public func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    guard session.prompt == nil else {
      throw .unsupported("The service stores no prompts.", param: "session.prompt")
    }
    try Self.check(session.tools)
    var missing = MissingFields()
    session.model = Models.withoutPrefix(session.model)
    if !Models.isKnown(session.model) { missing.keep(&session.model, at: model, "session.model") }
    switch session.toolChoice {
    case .auto, .none: break
    case .required, .function, .mcp: missing.keep(&session.toolChoice, at: .auto, "session.tool_choice")
    }
    missing.keep(&session.parallelToolCalls, at: nil, "session.parallel_tool_calls")
    if let effort = session.reasoning?.effort { session.reasoning?.effort = effort.isMuch ? .high : .minimal }
    missing.keep(&session.maxOutputTokens, at: .inf, "session.max_output_tokens")
    missing.keep(&session.tracing, at: nil, "session.tracing")
    missing.keep(&session.truncation, at: "auto", "session.truncation")
    missing.keep(&session.include, at: nil, "session.include")
    try Self.makeEffective(&session.audio.input, &missing)
    Self.makeEffective(&session.audio.output, &missing)
    missing.clean(&session.audio.unknown, "session.audio")
    missing.clean(&session.unknown, keeping: ["replace"], "session")
    return missing.paths
  }

  private static func makeEffective(
    _ input: inout AudioInput, _ missing: inout MissingFields
  ) throws(EventFault) {
    missing.keep(&input.noiseReduction, at: nil, "session.audio.input.noise_reduction")
    missing.clean(&input.unknown, "session.audio.input")
    if input.turnDetection?.createResponse == false {
      // It answers every turn that it finds.
      input.turnDetection = input.turnDetection?.answering
      missing.add("session.audio.input.turn_detection.create_response")
    }
    if case .serverVAD(var vad) = input.turnDetection {
      vad.threshold = vad.threshold.clamped(to: Limits.threshold)
      vad.silenceDurationMs = vad.silenceDurationMs.clamped(to: Limits.milliseconds)
      vad.prefixPaddingMs = vad.prefixPaddingMs.clamped(to: Limits.milliseconds)
      input.turnDetection = .serverVAD(vad)
    }
    guard var transcription = input.transcription else { return }
    let path = "session.audio.input.transcription"
    transcription.model = try TranscriptionModels.effective(
      transcription.model, standard: Models.transcription, isOwn: Models.isTranscription)
    transcription.keywords = transcription.keywords.map { terms in
      Array(terms.filter { $0.count <= Limits.keytermLength }.prefix(Limits.keyterms))
    }
    missing.keep(&transcription.prompt, at: nil, path + ".prompt")
    missing.keep(&transcription.languages, at: nil, path + ".languages")
    missing.keep(&transcription.delay, at: nil, path + ".delay")
    missing.clean(&transcription.unknown, keeping: ["language_hint", "keyterms"], path)
    input.transcription = transcription
  }

  private static func makeEffective(_ output: inout AudioOutput, _ missing: inout MissingFields) {
    if case .named(let name) = output.voice {
      if let own = Voices.name(for: name) {
        output.voice = .named(own)
      } else {
        missing.keep(&output.voice, at: .named(Voices.standard), "session.audio.output.voice")
      }
    }
    output.speed = output.speed.clamped(to: Limits.speed)
    missing.clean(&output.unknown, "session.audio.output")
  }

  // MARK: Tools

  /// What the service runs itself.
  private static let ownTools: Set<String> = ["web_search", "x_search", "file_search"]

  private static func check(_ tools: [Tool]) throws(EventFault) {
    for (index, tool) in tools.enumerated() {
      let path = "session.tools[\(index)]"
      switch tool {
      case .function(let function):
        // A response would fail with an error of the service's own.
        guard !ownTools.contains(function.name) else {
          throw .invalidValue(param: path + ".name", because: "the service has a tool of this name itself.")
        }
      case .mcp(let fields):
        guard fields["server_url"]?.string != nil else {
          throw .unsupported("The service reaches an MCP server by its 'server_url' only.", param: path + ".server_url")
        }
        guard fields["require_approval"] == nil || fields["require_approval"] == "never" else {
          throw .unsupported("The service calls MCP tools without approval.", param: path + ".require_approval")
        }
        guard fields["allowed_tools"]?.object == nil else {
          throw .unsupported("The service takes a list of the allowed tools' names.", param: path + ".allowed_tools")
        }
      case .other(let fields):
        let type = fields["type"]?.string ?? ""
        guard ownTools.contains(type) else {
          throw .invalidValue(type, param: path + ".type", supported: ["function", "mcp"] + ownTools.sorted())
        }
      }
    }
  }

  // MARK: The service's form

  public func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    var wire = JSONObject()
    for key in ["instructions", "replace"] { wire[key] = fields[key] }
    if fields["tools"] != nil || fields["tool_choice"] != nil {
      // Without tools nothing is called (R203).
      wire["tools"] = session.toolChoice == .none ? [] : JSONCoding.encode(session.tools)
    }
    if fields["reasoning"] != nil {
      wire["reasoning"] = ["effort": session.reasoning?.effort?.isMuch == false ? "none" : "high"]
    }
    let input = fields["audio"]?["input"]
    let output = fields["audio"]?["output"]
    if output?["voice"] != nil { wire["voice"] = .string(session.audio.output.voice.name) }
    if input?["turn_detection"] != nil {
      wire["turn_detection"] = .object(Self.wire(session.audio.input.turnDetection))
    }
    var audio = JSONObject()
    audio["input"] = Self.wire(input, session.audio.input)
    audio["output"] = Self.wire(output)
    if !audio.isEmpty { wire["audio"] = .object(audio) }
    // Said with every update, the first of a connection among them: only then is there a conversation to take up again.
    wire["resumption"] = ["enabled": true]
    return wire
  }

  /// Null stands within the object: it turns detection off.
  private static func wire(_ detection: TurnDetection?) -> JSONObject {
    switch detection {
    case .none: ["type": .null]
    case .serverVAD(let vad): wire(vad)
    case .semanticVAD(let vad):
      wire(
        ServerVAD(
          silenceDurationMs: SemanticWindow.silenceMs(vad.eagerness), createResponse: vad.createResponse,
          interruptResponse: vad.interruptResponse))
    }
  }

  private static func wire(_ vad: ServerVAD) -> JSONObject {
    [
      "type": "server_vad", "threshold": .number(JSONNumber(vad.threshold)),
      "prefix_padding_ms": .number(JSONNumber(vad.prefixPaddingMs)),
      "silence_duration_ms": .number(JSONNumber(vad.silenceDurationMs)),
      "idle_timeout_ms": TurnDetection.serverVAD(vad).idleTimeoutMs.map { .number(JSONNumber($0)) } ?? .null,
      "create_response": .bool(vad.createResponse), "interrupt_response": .bool(vad.interruptResponse),
    ]
  }

  private static func wire(_ fields: JSONValue?, _ input: AudioInput) -> JSONValue? {
    var wire = JSONObject()
    wire["format"] = fields?["format"]
    if fields?["transcription"] != nil { wire["transcription"] = input.transcription.map(Self.wire) ?? .null }
    return wire.isEmpty ? nil : .object(wire)
  }

  private static func wire(_ transcription: InputTranscription) -> JSONValue {
    var wire = transcription.unknown.fields
    wire["model"] = transcription.model.map { .string($0) }
    if let language = transcription.language { wire["language_hint"] = .string(Languages.hint(language)) }
    if let terms = transcription.keywords { wire["keyterms"] = .array(terms.map { .string($0) }) }
    return .object(wire)
  }

  private static func wire(_ output: JSONValue?) -> JSONValue? {
    var wire = JSONObject()
    for key in ["format", "speed"] { wire[key] = output?[key] }
    return wire.isEmpty ? nil : .object(wire)
  }
}

extension Reasoning.Effort {
  /// The service thinks much or not at all.
  fileprivate var isMuch: Bool {
    switch self {
    case .minimal, .low: false
    case .medium, .high, .xhigh: true
    }
  }
}

extension TurnDetection {
  /// The same, with a response to every turn.
  fileprivate var answering: Self {
    switch self {
    case .serverVAD(var vad):
      vad.createResponse = true
      return .serverVAD(vad)
    case .semanticVAD(var vad):
      vad.createResponse = true
      return .semanticVAD(vad)
    }
  }
}
