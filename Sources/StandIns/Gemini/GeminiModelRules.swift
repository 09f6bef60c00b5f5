import Envelope

/// What the families of models refuse beyond the shape of a message.
///
/// Source: the capability comparison of the Live models and reports of closed sessions. A rule that only some reports
/// support is kept on the strict side: the product does not send what the rule refuses.
struct GeminiModelRules: Sendable {
  enum Family: Sendable, Hashable {
    /// 2.5 native audio.
    case v25
    /// 3.1 flash live.
    case v31
    /// 3.8 live, and every model that is not known here.
    case v38
    /// 3.8 live extended thinking.
    case v38ExtendedThinking
  }

  static let voices: Set<String> = [
    "Achernar", "Achird", "Algenib", "Algieba", "Alnilam", "Aoede", "Autonoe", "Callirrhoe", "Charon", "Despina",
    "Enceladus", "Erinome", "Fenrir", "Gacrux", "Iapetus", "Kore", "Laomedeia", "Leda", "Orus", "Puck", "Pulcherrima",
    "Rasalgethi", "Sadachbia", "Sadaltager", "Schedar", "Sulafat", "Umbriel", "Vindemiatrix", "Zephyr", "Zubenelgenubi",
  ]

  static let invalidArgument = "Request contains an invalid argument."

  static func unknown(_ name: String, at path: String) -> String {
    let place = path.isEmpty ? "" : " at '\(path)'"
    return "Invalid JSON payload received. Unknown name \"\(name)\"\(place): Cannot find field."
  }

  let family: Family
  let platform: GeminiFields.Platform
  /// Text output is possible.
  private let writes: Bool
  /// Speaks nothing without a target language.
  let translates: Bool
  /// Writes down what it hears, and nothing else.
  let transcribes: Bool

  init(model: String, platform: GeminiFields.Platform = .aiStudio) {
    self.platform = platform
    writes = model.hasSuffix("/gemini-live-2.5-flash") || model.contains("robotics")
    translates = model.contains("live-translate")
    transcribes = model.contains("transcribe-live")
    if model.contains("extended-thinking") {
      family = .v38ExtendedThinking
    } else if model.contains("gemini-3.1") {
      family = .v31
    } else if model.contains("2.5") {
      family = .v25
    } else {
      family = .v38
    }
  }

  // MARK: What the families do

  /// Several parts or kinds of content in one frame.
  var hasRichFrames: Bool { family != .v25 && platform == .aiStudio }
  /// Reports the end of a turn as a status instead of by `generationComplete`.
  var hasInteractionStatus: Bool { family == .v38ExtendedThinking }
  /// Tells of calls that an interruption cancelled; the others drop them silently.
  var announcesCancelledCalls: Bool { family == .v25 || family == .v31 }
  /// Says something before it calls.
  var leadsIntoCalls: Bool { family == .v38 || family == .v38ExtendedThinking }
  /// Text stops the answer in progress; 2.5 models answer in turn instead.
  var isStoppedByText: Bool { family != .v25 }

  func isBlocking(_ behavior: String?) -> Bool {
    switch family {
    case .v31: true
    case .v38ExtendedThinking: false
    case .v38: behavior == "BLOCKING"
    case .v25: platform == .aiStudio ? behavior != "NON_BLOCKING" : behavior == "BLOCKING"
    }
  }

  /// Whether results may say how they are to be taken.
  var takesScheduling: Bool {
    switch family {
    case .v25: platform == .aiStudio
    case .v38: true
    case .v31, .v38ExtendedThinking: false
    }
  }

  // MARK: Model names

  static func isModelName(_ name: String, platform: GeminiFields.Platform) -> Bool {
    let steps = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !steps.contains("") else { return false }
    switch platform {
    case .aiStudio:
      return steps.count == 2 && (steps[0] == "models" || steps[0] == "tunedModels")
    case .vertex:
      let publisher = steps.suffix(4)
      guard publisher.dropLast() == ["publishers", "google", "models"] else { return false }
      let place = steps.dropLast(4)
      return place.isEmpty || (place.count == 4 && place[0] == "projects" && place[2] == "locations")
    }
  }

  // MARK: Set-ups

  /// Why the service closes on this set-up, nil if it does not.
  func refusal(of setup: JSONValue, speaksText: Bool) -> String? {
    let generation = setup["generationConfig"]
    let modalities = generation?["responseModalities"]?.array?.compactMap(\.string) ?? []
    if modalities.count > 1 || (platform == .vertex && modalities.isEmpty) { return Self.invalidArgument }
    let possible = transcribes ? ["TEXT"] : ["AUDIO"] + (speaksText || writes ? ["TEXT"] : [])
    if let modality = modalities.first, !possible.contains(modality) {
      return "The requested combination of response modalities (\(modality)) is not supported by the model."
    }
    if let reason = unknownField(in: setup) { return reason }
    let voice = generation?["speechConfig"]?["voiceConfig"]?["prebuiltVoiceConfig"]?["voiceName"]?.string
    if let voice, !Self.voices.contains(voice) { return Self.invalidArgument }
    guard acceptsInput(setup["realtimeInputConfig"]), acceptsThinking(generation?["thinkingConfig"]),
      acceptsProactivity(setup["proactivity"]), acceptsTools(setup["tools"]),
      Self.isText(setup["systemInstruction"])
    else { return Self.invalidArgument }
    return nil
  }

  /// Fields that the message has and this model or platform has not.
  private func unknownField(in setup: JSONValue) -> String? {
    if family != .v25, setup["generationConfig"]?["enableAffectiveDialog"] != nil {
      return Self.unknown("enableAffectiveDialog", at: "setup.generation_config")
    }
    if platform == .vertex {
      // Supported by one SDK and not by another client; not sent by the product.
      if setup["historyConfig"] != nil { return Self.unknown("historyConfig", at: "setup") }
      if setup["labels"] != nil { return Self.unknown("labels", at: "setup") }
    }
    // The transcribing model alone is known to take more than an empty object.
    for side in ["input", "output"] where !transcribes {
      if let field = setup["\(side)AudioTranscription"]?.object?.keys.first {
        return Self.unknown(field, at: "setup.\(side)_audio_transcription")
      }
    }
    return nil
  }

  /// An instruction is text and nothing else.
  private static func isText(_ instruction: JSONValue?) -> Bool {
    (instruction?["parts"]?.array ?? []).allSatisfy { $0.object?.keys == ["text"] }
  }

  private func acceptsInput(_ input: JSONValue?) -> Bool {
    if platform == .vertex, input?["turnCoverage"]?.string == "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO" {
      return false
    }
    let detection = input?["automaticActivityDetection"]
    return detection?["disabled"]?.bool != true || detection?.object?.count == 1
  }

  private func acceptsThinking(_ thinking: JSONValue?) -> Bool {
    let level = thinking?["thinkingLevel"]?.string
    let budget = thinking?["thinkingBudget"]?.int
    switch family {
    case .v25: return level == nil && (budget ?? 0) >= -1
    case .v31: return budget == nil
    case .v38: return thinking == nil
    case .v38ExtendedThinking:
      return budget == nil && (level.map { ["LOW", "MEDIUM", "HIGH"].contains($0) } ?? false)
    }
  }

  private func acceptsProactivity(_ proactivity: JSONValue?) -> Bool {
    switch family {
    case .v25: true
    case .v31: proactivity == nil
    case .v38, .v38ExtendedThinking: proactivity?["proactiveAudio"]?.bool != false
    }
  }
}
