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

  let family: Family

  init(model: String) {
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

  /// Several parts or kinds of content in one frame.
  var hasRichFrames: Bool { family != .v25 }

  /// Whether the model may be told new instructions and tools in a running session.
  var takesContextUpdate: Bool { family == .v38 || family == .v38ExtendedThinking }

  static func isModelName(_ name: String, platform: GeminiFields.Platform) -> Bool {
    let prefixes =
      switch platform {
      case .aiStudio: ["models/", "tunedModels/"]
      case .vertex: ["projects/", "publishers/google/models/"]
      }
    return prefixes.contains { name.hasPrefix($0) && name.count > $0.count }
  }

  /// Why the service closes on this set-up, nil if it does not.
  func refusal(of setup: JSONValue, platform: GeminiFields.Platform, speaksText: Bool) -> String? {
    let generation = setup["generationConfig"]
    let modalities = generation?["responseModalities"]?.array?.compactMap(\.string) ?? []
    if modalities.count > 1 || (platform == .vertex && modalities.isEmpty) { return Self.invalidArgument }
    if let modality = modalities.first, modality != "AUDIO", !(modality == "TEXT" && speaksText) {
      return "The requested combination of response modalities (\(modality)) is not supported by the model."
    }
    let voice = generation?["speechConfig"]?["voiceConfig"]?["prebuiltVoiceConfig"]?["voiceName"]?.string
    if let voice, !Self.voices.contains(voice) { return Self.invalidArgument }
    guard acceptsDetection(setup["realtimeInputConfig"]?["automaticActivityDetection"]),
      acceptsThinking(generation?["thinkingConfig"]),
      acceptsTools(setup["tools"])
    else { return Self.invalidArgument }
    return nil
  }

  private func acceptsDetection(_ detection: JSONValue?) -> Bool {
    guard detection?["disabled"]?.bool == true else { return true }
    return detection?["prefixPaddingMs"] == nil && detection?["silenceDurationMs"] == nil
  }

  private func acceptsThinking(_ thinking: JSONValue?) -> Bool {
    let level = thinking?["thinkingLevel"]?.string
    switch family {
    case .v25: return level == nil
    case .v31: return thinking?["thinkingBudget"] == nil
    case .v38: return thinking == nil
    case .v38ExtendedThinking: return level.map { ["LOW", "MEDIUM", "HIGH"].contains($0) } ?? false
    }
  }

  func acceptsTools(_ tools: JSONValue?) -> Bool {
    let tools = tools?.array ?? []
    let functions = tools.flatMap { $0["functionDeclarations"]?.array ?? [] }
    guard functions.count <= 512, functions.allSatisfy(acceptsFunction) else { return false }
    return family != .v25 || functions.isEmpty || !tools.contains { $0["googleSearch"] != nil }
  }

  private func acceptsFunction(_ function: JSONValue) -> Bool {
    guard let name = function["name"]?.string, Self.isFunctionName(name) else { return false }
    guard function["parameters"] == nil || function["parametersJsonSchema"] == nil else { return false }
    switch (family, function["behavior"]?.string) {
    case (.v31, "NON_BLOCKING"?), (.v38ExtendedThinking, "BLOCKING"?): return false
    default: return true
    }
  }

  /// A letter or underscore, then letters, digits and `_.:-`; at most 128 characters.
  static func isFunctionName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
    let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F }
    guard isLetter(first) else { return false }
    return name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "_.:-".utf8.contains($0) }
  }
}
