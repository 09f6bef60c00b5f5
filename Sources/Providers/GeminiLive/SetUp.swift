import Envelope

/// The one `setup` of a connection, as JSON: what the session asks for, in the service's words.
///
/// Two sessions whose set-ups are equal need no other connection; what belongs to the connection rather than to the
/// session (the handle, the history) is added when it is sent.
struct SetUp: Sendable, Equatable {
  private(set) var fields: JSONObject

  /// - Parameters:
  ///   - ownsTurns: Parley or the client decides where turns begin and end, not the service.
  ///   - systemNotes: messages of the role `system` that came before anything else.
  init(
    _ session: RealtimeSession, _ configuration: GeminiLiveConfiguration, ownsTurns: Bool, systemNotes: [String] = [],
    tools: [JSONValue]
  ) {
    let traits = configuration.traits(of: session.model)
    fields = ["model": .string(configuration.wireName(of: session.model))]
    fields["generationConfig"] = .object(Self.generation(session, configuration, traits))
    let instructions = ([session.instructions] + systemNotes).filter { !$0.isEmpty }
    if !instructions.isEmpty {
      fields["systemInstruction"] = ["parts": .array(instructions.map { ["text": .string($0)] })]
    }
    if !tools.isEmpty { fields["tools"] = .array(tools) }
    fields["realtimeInputConfig"] = .object(
      Self.realtimeInput(ownsTurns ? nil : session.audio.input.turnDetection))
    // Also where the client does not want to see it: a fresh session is told what the user said (R145, R149, R270).
    if session.transcribesInput || traits.transcribesUnasked { fields["inputAudioTranscription"] = [:] }
    if !traits.speaksText || session.outputModalities != [.text] { fields["outputAudioTranscription"] = [:] }
    if let compression = Self.compression(session.truncation) { fields["contextWindowCompression"] = compression }
    merge(session.geminiExtension)
  }

  /// Whether the service answers in text rather than in speech.
  var writes: Bool { fields["generationConfig"]?["responseModalities"]?[0]?.string == "TEXT" }

  var model: String { fields["model"]?.string ?? "" }

  /// Whether only what `contextUpdate` can say differs.
  func differsInContextOnly(from other: SetUp) -> Bool {
    var left = fields
    var right = other.fields
    for key in ["systemInstruction", "tools"] {
      left.removeValue(forKey: key)
      right.removeValue(forKey: key)
    }
    return left == right
  }

  /// What makes this of a running session whose set-up differs in nothing else.
  var contextUpdate: ContextUpdate {
    ContextUpdate(
      systemInstruction: Content(role: nil, parts: instructions.map { .init(text: $0) }),
      tools: .init(tools: fields["tools"]?.array ?? []))
  }

  /// The turn that replaces the instruction where a role `system` does that, if only the instruction differs.
  func systemTurn(from other: SetUp) -> Content? {
    guard differsInContextOnly(from: other), fields["tools"] == other.fields["tools"], !instructions.isEmpty else {
      return nil
    }
    return Content(role: "system", parts: instructions.map { .init(text: $0) })
  }

  private var instructions: [String] {
    (fields["systemInstruction"]?["parts"]?.array ?? []).compactMap { $0["text"]?.string }
  }

  // MARK: The message

  /// The message for one connection.
  ///
  /// - Parameters:
  ///   - handle: of the session that it goes on with; nil for a fresh one.
  ///   - history: what was said before, for families that are told in the instruction.
  ///   - announcesHistory: the first `clientContent` will be history.
  func message(handle: String?, history: String?, announcesHistory: Bool) -> JSONValue {
    var setup = fields
    setup["sessionResumption"] = handle.map { ["handle": .string($0)] } ?? [:]
    if let history {
      var parts = setup["systemInstruction"]?["parts"]?.array ?? []
      parts.append(["text": .string(history)])
      setup["systemInstruction"] = ["parts": .array(parts)]
    }
    if announcesHistory { setup["historyConfig"] = ["initialHistoryInClientContent": true] }
    return ["setup": .object(setup)]
  }

  // MARK: Parts

  private static func generation(
    _ session: RealtimeSession, _ configuration: GeminiLiveConfiguration, _ traits: ModelTraits
  ) -> JSONObject {
    let writes = traits.speaksText && session.outputModalities == [.text]
    var fields: JSONObject = ["responseModalities": [writes ? "TEXT" : "AUDIO"]]
    if !writes, let voice = configuration.voice(named: session.audio.output.voice.name) {
      fields["speechConfig"] = ["voiceConfig": ["prebuiltVoiceConfig": ["voiceName": .string(voice)]]]
    }
    if case .count(let count) = session.maxOutputTokens { fields["maxOutputTokens"] = .number(JSONNumber(count)) }
    if session.hasTemperature { fields["temperature"] = session.unknown.fields["temperature"] }
    if let thinking = thinking(session.reasoning?.effort, traits) { fields["thinkingConfig"] = thinking }
    return fields
  }

  private static func thinking(_ effort: Reasoning.Effort?, _ traits: ModelTraits) -> JSONValue? {
    switch traits.thinking {
    case .none:
      return nil
    case .requiredLevel:
      return ["thinkingLevel": .string(level(effort ?? .low, hasMinimal: false))]
    case .level:
      return effort.map { ["thinkingLevel": .string(level($0, hasMinimal: true))] }
    case .budget:
      return effort.map { ["thinkingBudget": .number(JSONNumber(budget($0)))] }
    }
  }

  private static func level(_ effort: Reasoning.Effort, hasMinimal: Bool) -> String {
    switch effort {
    case .minimal: hasMinimal ? "MINIMAL" : "LOW"
    case .low: "LOW"
    case .medium: "MEDIUM"
    case .high, .xhigh: "HIGH"
    }
  }

  /// Tokens; 0 is off. The service documents no steps: these are the usual ones of other gateways.
  private static func budget(_ effort: Reasoning.Effort) -> Int {
    switch effort {
    case .minimal: 0
    case .low: 1_024
    case .medium: 2_048
    case .high, .xhigh: 4_096
    }
  }

  /// The coverage is always stated, because its default differs between models; so is the silence, because its default
  /// differs between providers (R284). Prefix padding is not forwarded: here it is a debounce that swallows short words.
  private static func realtimeInput(_ detection: TurnDetection?) -> JSONObject {
    guard let detection else {
      // Nothing may stand beside `disabled`.
      return [
        "automaticActivityDetection": ["disabled": true], "activityHandling": "NO_INTERRUPTION",
        "turnCoverage": "TURN_INCLUDES_ALL_INPUT",
      ]
    }
    var automatic = JSONObject()
    switch detection {
    case .serverVAD(let vad):
      if vad.threshold > 0.6 { automatic["startOfSpeechSensitivity"] = "START_SENSITIVITY_LOW" }
      if vad.threshold < 0.4 { automatic["startOfSpeechSensitivity"] = "START_SENSITIVITY_HIGH" }
    case .semanticVAD(let vad):
      switch vad.eagerness {
      case .low: automatic["endOfSpeechSensitivity"] = "END_SENSITIVITY_LOW"
      case .high: automatic["endOfSpeechSensitivity"] = "END_SENSITIVITY_HIGH"
      case .medium, .auto: break
      }
    }
    automatic["silenceDurationMs"] = .number(JSONNumber(detection.silenceMs))
    var fields: JSONObject = ["automaticActivityDetection": .object(automatic)]
    if !detection.interruptResponse { fields["activityHandling"] = "NO_INTERRUPTION" }
    fields["turnCoverage"] = "TURN_INCLUDES_ONLY_ACTIVITY"
    return fields
  }

  /// Compression also lifts the service's limit on the length of a session.
  private static func compression(_ truncation: JSONValue) -> JSONValue? {
    guard truncation.string != "disabled" else { return nil }
    guard let ratio = truncation["retention_ratio"]?.double else { return ["slidingWindow": [:]] }
    let trigger = truncation["token_limits"]?["post_instructions"]?.int ?? Limits.compressionTrigger
    let target = Int((Double(min(trigger, Limits.contextWindow)) * min(max(ratio, 0), 1)).rounded())
    return [
      "triggerTokens": .number(JSONNumber(min(trigger, Limits.contextWindow))),
      "slidingWindow": ["targetTokens": .number(JSONNumber(target))],
    ]
  }

  // MARK: The client's own words for the service

  /// What `session.gemini` may set: what the envelope has no field for.
  private static let generationKeys = [
    "translationConfig", "thinkingConfig", "mediaResolution", "enableAffectiveDialog", "topP", "topK", "seed",
    "presencePenalty", "frequencyPenalty",
  ]
  private static let setupKeys = ["proactivity", "safetySettings", "labels", "explicitVadSignal"]
  private static let detectionKeys = ["startOfSpeechSensitivity", "endOfSpeechSensitivity", "prefixPaddingMs"]

  static func isKnown(extensionKey key: String) -> Bool {
    generationKeys.contains(key) || setupKeys.contains(key) || detectionKeys.contains(key) || key == "languageCode"
      || key == "turnCoverage"
  }

  private mutating func merge(_ given: JSONObject) {
    for (key, value) in given {
      if Self.generationKeys.contains(key) {
        set(value, at: key, in: "generationConfig")
      } else if Self.setupKeys.contains(key) {
        fields[key] = value
      } else if key == "turnCoverage" {
        set(value, at: key, in: "realtimeInputConfig")
      } else if key == "languageCode", var speech = fields["generationConfig"]?["speechConfig"]?.object {
        speech["languageCode"] = value
        set(.object(speech), at: "speechConfig", in: "generationConfig")
      } else if Self.detectionKeys.contains(key),
        var detection = fields["realtimeInputConfig"]?["automaticActivityDetection"]?.object,
        detection["disabled"] == nil
      {
        detection[key] = value
        set(.object(detection), at: "automaticActivityDetection", in: "realtimeInputConfig")
      }
    }
  }

  private mutating func set(_ value: JSONValue, at key: String, in section: String) {
    var object = fields[section]?.object ?? JSONObject()
    object[key] = value
    fields[section] = .object(object)
  }
}

extension RealtimeSession {
  /// Whether the client or our detector says where turns begin and end: the service answers every turn that it finds.
  var ownsTurns: Bool { audio.input.turnDetection?.createResponse != true }

  /// Whether the client wants to see what the user said.
  var transcribesInput: Bool { audio.input.transcription != nil }

  /// Whether the client chose a temperature that the service takes.
  var hasTemperature: Bool { unknown.fields["temperature"]?.double.map { (0...2).contains($0) } ?? false }

  /// Settings of the service by its own names, for what the envelope has no field for.
  var geminiExtension: JSONObject { unknown.fields["gemini"]?.object ?? JSONObject() }
}

extension TurnDetection {
  /// How long a silence ends a turn at the service, in milliseconds.
  var silenceMs: Int {
    switch self {
    case .serverVAD(let vad): Limits.silence(vad.silenceDurationMs)
    case .semanticVAD(let vad):
      switch vad.eagerness {
      case .low: 1_200
      case .high: 400
      case .medium, .auto: 800
      }
    }
  }
}
