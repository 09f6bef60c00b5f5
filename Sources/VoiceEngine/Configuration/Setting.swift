/// One value of the runtime configuration: where it stands, what it may be and which variables carry it.
struct Setting: Sendable {
  enum Kind: Sendable, Hashable {
    /// One of some words; aliases are other spellings of them.
    case word([String], aliases: [String: String] = [:])
    /// A name: no control characters, at most 512 characters.
    case text
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case flag
    case url
    /// A file's path.
    case path
    case secret
  }

  struct Variable: Sendable, Hashable {
    var name: String
    /// The providers of the stage for which the variable speaks; nil for every one.
    var providers: Set<String>?
    /// Only if somebody chose the provider by name. A key without an owner is not sent to a service that nobody named.
    var needsChosenProvider = false
  }

  /// `llm.baseUrl`; a setting outside a stage has no dot.
  let path: String
  let kind: Kind
  /// The first that is set counts.
  let variables: [Variable]

  /// The part before the dot; empty for a setting of the top level.
  var section: String {
    guard let dot = path.firstIndex(of: ".") else { return "" }
    return String(path[..<dot])
  }

  var key: String {
    guard let dot = path.lastIndex(of: ".") else { return path }
    return String(path[path.index(after: dot)...])
  }
}

extension Setting {
  static let sections = ["llm", "stt", "tts", "vad", "turnDetection", "limits"]

  /// The provider that a stage has when nobody chose one.
  static let automatic = "auto"

  private static func name(_ name: String, _ providers: String..., chosen: Bool = false) -> Variable {
    Variable(name: name, providers: providers.isEmpty ? nil : Set(providers), needsChosenProvider: chosen)
  }

  static let all: [Setting] = language + hearing + speaking + turns

  static let byPath: [String: Setting] = Dictionary(all.map { ($0.path, $0) }) { first, _ in first }

  private static let language: [Setting] = [
    Setting(
      path: "llm.provider",
      kind: .word(LLMProvider.allCases.map(\.rawValue) + [automatic], aliases: ["openai": "openai-compatible"]),
      variables: [name("LLM_PROVIDER")]),
    Setting(
      path: "llm.model", kind: .text,
      variables: [
        name("GROQ_MODEL", "groq"), name("OPENROUTER_MODEL", "openrouter"),
        name("LLM_MODEL", "openai-compatible", "groq", "openrouter"),
        name("OPENAI_COMPATIBLE_MODEL", "openai-compatible"),
      ]),
    Setting(
      path: "llm.baseUrl", kind: .url,
      variables: [
        name("LLM_BASE_URL", "openai-compatible"), name("OPENAI_COMPATIBLE_BASE_URL", "openai-compatible"),
        name("OMNI_BASE_URL", "omni"), name("GROQ_BASE_URL", "groq"), name("OPENROUTER_BASE_URL", "openrouter"),
      ]),
    Setting(
      path: "llm.apiKey", kind: .secret,
      variables: [
        name("GROQ_API_KEY", "groq"), name("OPENROUTER_API_KEY", "openrouter"), name("OMNI_API_KEY", "omni"),
        name("LLM_API_KEY", "openai-compatible"), name("OPENAI_COMPATIBLE_API_KEY", "openai-compatible"),
        name("LLM_API_KEY", "groq", "openrouter", "omni", chosen: true),
      ]),
    Setting(
      path: "llm.temperature", kind: .number(0...2),
      variables: [name("LLM_TEMPERATURE"), name("DEFAULT_TEMPERATURE")]),
    Setting(path: "llm.maxTokens", kind: .integer(1...1_000_000), variables: [name("LLM_MAX_TOKENS")]),
    Setting(path: "llm.timeoutMs", kind: .integer(100...600_000), variables: [name("LLM_TIMEOUT_MS")]),
    Setting(path: "llm.historyTokens", kind: .integer(64...10_000_000), variables: [name("LLM_HISTORY_TOKENS")]),
    Setting(path: "realtimeModel", kind: .text, variables: [name("HYBRIE_REALTIME_MODEL")]),
  ]

  private static let hearing: [Setting] = [
    Setting(
      path: "stt.provider",
      kind: .word(
        STTProvider.allCases.map(\.rawValue) + [automatic], aliases: ["embedded": "whisper", "groq-whisper": "groq"]),
      variables: [name("STT_PROVIDER")]),
    Setting(
      path: "stt.model", kind: .text,
      variables: [
        name("DEEPGRAM_STT_MODEL", "deepgram"), name("GROQ_WHISPER_MODEL", "groq"),
        name("STT_MODEL", "openai-compatible", "groq"),
      ]),
    Setting(
      path: "stt.language", kind: .text,
      variables: [name("DEEPGRAM_STT_LANGUAGE", "deepgram"), name("STT_LANGUAGE")]),
    Setting(
      path: "stt.baseUrl", kind: .url,
      variables: [
        name("STT_BASE_URL", "openai-compatible"), name("DEEPGRAM_BASE_URL", "deepgram"),
        name("GROQ_BASE_URL", "groq"),
      ]),
    Setting(
      path: "stt.apiKey", kind: .secret,
      variables: [
        name("DEEPGRAM_API_KEY", "deepgram"), name("GROQ_API_KEY", "groq"), name("STT_API_KEY", "openai-compatible"),
        name("STT_API_KEY", "deepgram", "groq", chosen: true),
      ]),
    Setting(path: "stt.modelPath", kind: .path, variables: [name("STT_MODEL_PATH")]),
    Setting(path: "stt.threads", kind: .integer(1...64), variables: [name("STT_THREADS")]),
  ]

  private static let speaking: [Setting] = [
    Setting(
      path: "tts.provider",
      kind: .word(TTSProvider.allCases.map(\.rawValue) + [automatic], aliases: ["embedded": "espeak"]),
      variables: [name("TTS_PROVIDER")]),
    Setting(
      path: "tts.model", kind: .text,
      variables: [name("DEEPGRAM_TTS_MODEL", "deepgram"), name("TTS_MODEL", "openai-compatible")]),
    Setting(
      path: "tts.voice", kind: .text,
      variables: [name("TTS_VOICE", "openai-compatible", "espeak", "piper", "flite")]),
    Setting(
      path: "tts.baseUrl", kind: .url,
      variables: [name("TTS_BASE_URL", "openai-compatible"), name("DEEPGRAM_BASE_URL", "deepgram")]),
    Setting(
      path: "tts.apiKey", kind: .secret,
      variables: [
        name("DEEPGRAM_API_KEY", "deepgram"), name("TTS_API_KEY", "openai-compatible"),
        name("TTS_API_KEY", "deepgram", chosen: true),
      ]),
    Setting(path: "tts.modelPath", kind: .path, variables: [name("TTS_MODEL_PATH")]),
    Setting(
      path: "tts.sampleRate", kind: .integer(8_000...48_000),
      variables: [name("DEEPGRAM_TTS_SAMPLE_RATE", "deepgram"), name("TTS_SAMPLE_RATE")]),
  ]

  private static let turns: [Setting] = [
    Setting(
      path: "vad.provider", kind: .word(VADProvider.allCases.map(\.rawValue), aliases: ["embedded": "silero"]),
      variables: [name("VAD_PROVIDER")]),
    Setting(path: "vad.enabled", kind: .flag, variables: [name("VAD_ENABLED")]),
    Setting(path: "vad.threshold", kind: .number(0...1), variables: [name("VAD_THRESHOLD")]),
    Setting(path: "vad.minSilenceMs", kind: .integer(0...60_000), variables: [name("VAD_MIN_SILENCE_MS")]),
    Setting(path: "vad.speechPadMs", kind: .integer(0...60_000), variables: [name("VAD_SPEECH_PAD_MS")]),
    Setting(path: "vad.modelPath", kind: .path, variables: [name("SILERO_VAD_MODEL_PATH")]),
    Setting(path: "turnDetection.enabled", kind: .flag, variables: [name("TURN_DETECTION_ENABLED")]),
    Setting(
      path: "turnDetection.type", kind: .word(["server_vad", "semantic_vad"]),
      variables: [name("TURN_DETECTION_TYPE")]),
    Setting(
      path: "turnDetection.eagerness", kind: .word(["auto", "low", "medium", "high"]),
      variables: [name("TURN_DETECTION_EAGERNESS")]),
    Setting(path: "turnDetection.createResponse", kind: .flag, variables: []),
    Setting(path: "turnDetection.interruptResponse", kind: .flag, variables: []),
    Setting(path: "turnDetection.idleTimeoutMs", kind: .integer(0...30_000), variables: []),
    Setting(path: "turnDetection.maximumTurnMs", kind: .integer(1_000...25_000), variables: []),
    Setting(path: "limits.maximumTurns", kind: .integer(1...1_024), variables: [name("PARLEY_MAX_TURNS")]),
  ]
}
