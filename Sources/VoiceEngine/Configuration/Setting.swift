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
  /// What holds where nobody says anything, in Markdown.
  let usual: String

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
      variables: [name("LLM_PROVIDER")],
      usual: "`auto`"),
    Setting(
      path: "llm.model", kind: .text,
      variables: [
        name("GROQ_MODEL", "groq"), name("OPENROUTER_MODEL", "openrouter"),
        name("LLM_MODEL", "openai-compatible", "groq", "openrouter"),
        name("OPENAI_COMPATIBLE_MODEL", "openai-compatible"),
      ],
      usual: "groq `openai/gpt-oss-20b`, openrouter `openrouter/auto`, omni `Qwen2.5-Omni-3B`, else the server's first"),
    Setting(
      path: "llm.baseUrl", kind: .url,
      variables: [
        name("LLM_BASE_URL", "openai-compatible"), name("OPENAI_COMPATIBLE_BASE_URL", "openai-compatible"),
        name("OMNI_BASE_URL", "omni"), name("GROQ_BASE_URL", "groq"), name("OPENROUTER_BASE_URL", "openrouter"),
      ],
      usual: "of groq and openrouter their own"),
    Setting(
      path: "llm.apiKey", kind: .secret,
      variables: [
        name("GROQ_API_KEY", "groq"), name("OPENROUTER_API_KEY", "openrouter"), name("OMNI_API_KEY", "omni"),
        name("LLM_API_KEY", "openai-compatible"), name("OPENAI_COMPATIBLE_API_KEY", "openai-compatible"),
        name("LLM_API_KEY", "groq", "openrouter", "omni", chosen: true),
      ],
      usual: "none"),
    Setting(
      path: "llm.temperature", kind: .number(0...2),
      variables: [name("LLM_TEMPERATURE"), name("DEFAULT_TEMPERATURE")],
      usual: "the service's own"),
    Setting(
      path: "llm.maxTokens", kind: .integer(1...1_000_000), variables: [name("LLM_MAX_TOKENS")],
      usual: "200 for an answer to be spoken (600 with groq's gpt-oss, which thinks first)"),
    Setting(
      path: "llm.timeoutMs", kind: .integer(100...600_000), variables: [name("LLM_TIMEOUT_MS")],
      usual: "30,000 until the service begins to answer"),
    Setting(
      path: "llm.historyTokens", kind: .integer(64...10_000_000), variables: [name("LLM_HISTORY_TOKENS")],
      usual: "6,000. Whole turns are left out beyond it, the oldest first"),
    Setting(
      path: "realtimeModel", kind: .text, variables: [name("HYBRIE_REALTIME_MODEL")],
      usual: "the name that an omni model answers to: its own"),
  ]

  private static let hearing: [Setting] = [
    Setting(
      path: "stt.provider",
      kind: .word(
        STTProvider.allCases.map(\.rawValue) + [automatic], aliases: ["embedded": "whisper", "groq-whisper": "groq"]),
      variables: [name("STT_PROVIDER")],
      usual: "`auto`"),
    Setting(
      path: "stt.model", kind: .text,
      variables: [
        name("DEEPGRAM_STT_MODEL", "deepgram"), name("GROQ_WHISPER_MODEL", "groq"),
        name("STT_MODEL", "openai-compatible", "groq"),
      ],
      usual: "deepgram `nova-3`, groq `whisper-large-v3-turbo`, openai-compatible `whisper-1`"),
    Setting(
      path: "stt.language", kind: .text,
      variables: [name("DEEPGRAM_STT_LANGUAGE", "deepgram"), name("STT_LANGUAGE")],
      usual: "deepgram `en-US`, whisper `en`; the others find out"),
    Setting(
      path: "stt.baseUrl", kind: .url,
      variables: [
        name("STT_BASE_URL", "openai-compatible"), name("DEEPGRAM_BASE_URL", "deepgram"),
        name("GROQ_BASE_URL", "groq"),
      ],
      usual: "the service's own"),
    Setting(
      path: "stt.apiKey", kind: .secret,
      variables: [
        name("DEEPGRAM_API_KEY", "deepgram"), name("GROQ_API_KEY", "groq"), name("STT_API_KEY", "openai-compatible"),
        name("STT_API_KEY", "deepgram", "groq", chosen: true),
      ],
      usual: "none"),
    Setting(
      path: "stt.modelPath", kind: .path, variables: [name("STT_MODEL_PATH")],
      usual: "a ggml model of Whisper: the installed one"),
    Setting(
      path: "stt.threads", kind: .integer(1...64), variables: [name("STT_THREADS")],
      usual: "1"),
  ]

  private static let speaking: [Setting] = [
    Setting(
      path: "tts.provider",
      kind: .word(TTSProvider.allCases.map(\.rawValue) + [automatic], aliases: ["embedded": "espeak"]),
      variables: [name("TTS_PROVIDER")],
      usual: "`auto`"),
    Setting(
      path: "tts.model", kind: .text,
      variables: [name("DEEPGRAM_TTS_MODEL", "deepgram"), name("TTS_MODEL", "openai-compatible")],
      usual: "deepgram `aura-2-thalia-en`, openai-compatible `tts-1`"),
    Setting(
      path: "tts.voice", kind: .text,
      variables: [name("TTS_VOICE", "openai-compatible", "espeak", "piper", "flite")],
      usual: "openai-compatible `alloy`, else the voice's own"),
    Setting(
      path: "tts.baseUrl", kind: .url,
      variables: [name("TTS_BASE_URL", "openai-compatible"), name("DEEPGRAM_BASE_URL", "deepgram")],
      usual: "deepgram's own"),
    Setting(
      path: "tts.apiKey", kind: .secret,
      variables: [
        name("DEEPGRAM_API_KEY", "deepgram"), name("TTS_API_KEY", "openai-compatible"),
        name("TTS_API_KEY", "deepgram", chosen: true),
      ],
      usual: "none"),
    Setting(
      path: "tts.modelPath", kind: .path, variables: [name("TTS_MODEL_PATH")],
      usual: "a Piper voice (`.onnx` with its `.onnx.json` beside it): the installed one"),
    Setting(
      path: "tts.sampleRate", kind: .integer(8_000...48_000),
      variables: [name("DEEPGRAM_TTS_SAMPLE_RATE", "deepgram"), name("TTS_SAMPLE_RATE")],
      usual: "24,000, of a service"),
  ]

  private static let turns: [Setting] = [
    Setting(
      path: "vad.provider", kind: .word(VADProvider.allCases.map(\.rawValue), aliases: ["embedded": "silero"]),
      variables: [name("VAD_PROVIDER")],
      usual: "`silero`"),
    Setting(
      path: "vad.enabled", kind: .flag, variables: [name("VAD_ENABLED")],
      usual: "`true`; `false` starts sessions without turn detection"),
    Setting(
      path: "vad.threshold", kind: .number(0...1), variables: [name("VAD_THRESHOLD")],
      usual: "0.5"),
    Setting(
      path: "vad.minSilenceMs", kind: .integer(0...60_000), variables: [name("VAD_MIN_SILENCE_MS")],
      usual: "550"),
    Setting(
      path: "vad.speechPadMs", kind: .integer(0...60_000), variables: [name("VAD_SPEECH_PAD_MS")],
      usual: "300"),
    Setting(
      path: "vad.modelPath", kind: .path, variables: [name("SILERO_VAD_MODEL_PATH")],
      usual: "Silero in ggml form: the installed one"),
    Setting(
      path: "turnDetection.enabled", kind: .flag, variables: [name("TURN_DETECTION_ENABLED")],
      usual: "`true`"),
    Setting(
      path: "turnDetection.type", kind: .word(["server_vad", "semantic_vad"]),
      variables: [name("TURN_DETECTION_TYPE")],
      usual: "`server_vad`"),
    Setting(
      path: "turnDetection.eagerness", kind: .word(["auto", "low", "medium", "high"]),
      variables: [name("TURN_DETECTION_EAGERNESS")],
      usual: "`auto`. `low` means 1,200 ms of silence, `medium` and `auto` 700, `high` 350"),
    Setting(
      path: "turnDetection.createResponse", kind: .flag, variables: [],
      usual: "`true`"),
    Setting(
      path: "turnDetection.interruptResponse", kind: .flag, variables: [],
      usual: "`true`"),
    Setting(
      path: "turnDetection.idleTimeoutMs", kind: .integer(0...30_000), variables: [],
      usual: "0: none"),
    Setting(
      path: "turnDetection.maximumTurnMs", kind: .integer(1_000...25_000), variables: [],
      usual: "25,000"),
    Setting(
      path: "limits.maximumTurns", kind: .integer(1...1_024), variables: [name("PARLEY_MAX_TURNS")],
      usual: "4"),
  ]
}
