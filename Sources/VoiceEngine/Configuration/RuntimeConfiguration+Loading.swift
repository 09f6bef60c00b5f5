import Envelope
import Foundation

extension RuntimeConfiguration {
  /// The folder of the image's volume for the file.
  public static let imageFolder = "/app/data/config"

  /// Bytes that a configuration file may have.
  public static let longestFileBytes = 262_144

  /// Reads the file, if there is one, and lays it over the environment and the defaults.
  ///
  /// - Parameters:
  ///   - environment: of the process. An empty variable counts as not set.
  ///   - file: where the operator said the file is; it must exist then. Nil: `RUNTIME_CONFIG_PATH`, else `runtime.yaml`
  ///     in `/app/data/config` where that folder exists, else in `dataFolder`; none of these has to exist.
  public static func load(
    environment: [String: String], file: String? = nil, dataFolder: String
  ) throws(RuntimeConfigurationFault) -> RuntimeConfiguration {
    let path = file ?? defaultFile(environment: environment, dataFolder: dataFolder)
    var layer = ConfigurationLayer()
    if let text = try text(ofFile: path) {
      layer = try ConfigurationLayer(yaml: text, file: path)
    } else if file != nil {
      throw RuntimeConfigurationFault(.file(path, line: nil), path: "", .unreadable("no such file"))
    }
    var configuration = try RuntimeConfiguration(
      layers: [layer], environment: environment, folder: (path as NSString).deletingLastPathComponent)
    configuration.file = path
    return configuration
  }

  /// What a file holds; nil if there is none.
  public static func text(ofFile path: String) throws(RuntimeConfigurationFault) -> String? {
    do throws(BoundedFile.Fault) {
      return try BoundedFile.read(path, limitBytes: longestFileBytes)
    } catch {
      if error.isAbsent { return nil }
      throw RuntimeConfigurationFault(.file(path, line: nil), path: "", .unreadable(error.reason))
    }
  }

  /// Everything that is wrong in `layers`. What is wrong in the environment, or between the layers, is told when a
  /// configuration is made of them.
  public static func faults(
    in layers: [ConfigurationLayer], environment: [String: String], folder: String
  ) -> [RuntimeConfigurationFault] {
    LayerReading(layers: layers, environment: environment, folder: folder).faults
  }

  /// Where the file is if nobody says so on the command line.
  public static func defaultFile(environment: [String: String], dataFolder: String) -> String {
    defaultFile(environment: environment, dataFolder: dataFolder, imageFolder: imageFolder)
  }

  static func defaultFile(environment: [String: String], dataFolder: String, imageFolder: String) -> String {
    if let named = environment["RUNTIME_CONFIG_PATH"], !named.isEmpty { return named }
    var isDirectory: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: imageFolder, isDirectory: &isDirectory)
    return (isThere && isDirectory.boolValue ? imageFolder : dataFolder) + "/runtime.yaml"
  }

  /// Lays `layers` over the environment and the defaults.
  ///
  /// - Parameters:
  ///   - layers: the highest first.
  ///   - folder: from which relative `file:` references start.
  public init(
    layers: [ConfigurationLayer], environment: [String: String], folder: String = ""
  ) throws(RuntimeConfigurationFault) {
    var reading = LayerReading(layers: layers, environment: environment, folder: folder)
    try reading.checkAll()
    let language = try reading.llmProvider()
    llm = LLM(
      provider: language, model: try reading.text("llm.model", Standard.llmModel(language)),
      baseURL: try reading.text("llm.baseUrl", Standard.llmBaseURL(language)),
      apiKey: try reading.secret("llm.apiKey"), temperature: try reading.number("llm.temperature"),
      maxTokens: try reading.integer("llm.maxTokens"), timeoutMs: try reading.integer("llm.timeoutMs", 30_000),
      historyTokens: try reading.integer("llm.historyTokens", 6_000))
    let hearing = try reading.sttProvider()
    stt = STT(
      provider: hearing, model: try reading.text("stt.model", Standard.sttModel(hearing)),
      language: try reading.text("stt.language", Standard.sttLanguage(hearing)),
      baseURL: try reading.text("stt.baseUrl", Standard.sttBaseURL(hearing)),
      apiKey: try reading.secret("stt.apiKey"), modelPath: try reading.text("stt.modelPath", nil),
      threads: try reading.integer("stt.threads", 1))
    let speaking = try reading.ttsProvider()
    tts = TTS(
      provider: speaking, model: try reading.text("tts.model", Standard.ttsModel(speaking)),
      voice: try reading.text("tts.voice", speaking == .openAICompatible ? "alloy" : nil),
      baseURL: try reading.text("tts.baseUrl", speaking == .deepgram ? Standard.deepgram : nil),
      apiKey: try reading.secret("tts.apiKey"), modelPath: try reading.text("tts.modelPath", nil),
      sampleRate: try reading.integer("tts.sampleRate", 24_000))
    vad = VAD(
      provider: try reading.word("vad.provider") ?? .silero, isEnabled: try reading.flag("vad.enabled", true),
      threshold: try reading.number("vad.threshold") ?? 0.5, minSilenceMs: try reading.integer("vad.minSilenceMs", 550),
      speechPadMs: try reading.integer("vad.speechPadMs", 300), modelPath: try reading.text("vad.modelPath", nil))
    if reading.sources["vad.provider"] != .standard { reading.chosen.insert(.vad) }
    let idle = try reading.integer("turnDetection.idleTimeoutMs", 0)
    turnDetection = TurnDetection(
      isEnabled: try reading.flag("turnDetection.enabled", true),
      isSemantic: try reading.text("turnDetection.type", "server_vad") == "semantic_vad",
      eagerness: try reading.word("turnDetection.eagerness") ?? .auto,
      createsResponse: try reading.flag("turnDetection.createResponse", true),
      interruptsResponse: try reading.flag("turnDetection.interruptResponse", true),
      idleTimeoutMs: idle == 0 ? nil : idle,
      maximumTurnMs: try reading.integer("turnDetection.maximumTurnMs", 25_000))
    limits = Limits(maximumTurns: try reading.integer("limits.maximumTurns", 4))
    realtimeModel = try reading.text("realtimeModel", nil)
    sources = reading.sources
    if language == .omni, let realtimeModel, sources["llm.model"] == .standard {
      llm.model = realtimeModel
      sources["llm.model"] = sources["realtimeModel"]
    }
    chosenProviders = reading.chosen
  }

  /// What a provider takes if nobody says otherwise.
  private enum Standard {
    static let deepgram = "https://api.deepgram.com"
    static let groq = "https://api.groq.com/openai/v1"

    static func llmModel(_ provider: LLMProvider) -> String? {
      switch provider {
      case .groq: "openai/gpt-oss-20b"
      case .openrouter: "openrouter/auto"
      case .omni: RuntimeConfiguration.standardRealtimeModel
      case .rules: RuleResponder.model
      case .openAICompatible: nil
      }
    }

    static func llmBaseURL(_ provider: LLMProvider) -> String? {
      switch provider {
      case .groq: groq
      case .openrouter: "https://openrouter.ai/api/v1"
      case .openAICompatible, .omni, .rules: nil
      }
    }

    static func sttModel(_ provider: STTProvider) -> String? {
      switch provider {
      case .deepgram: "nova-3"
      case .groq: "whisper-large-v3-turbo"
      case .openAICompatible: "whisper-1"
      case .whisper: "tiny.en"
      case .none: nil
      }
    }

    static func sttLanguage(_ provider: STTProvider) -> String? {
      switch provider {
      case .deepgram: "en-US"
      case .whisper: "en"
      case .groq, .openAICompatible, .none: nil
      }
    }

    static func sttBaseURL(_ provider: STTProvider) -> String? {
      switch provider {
      case .deepgram: deepgram
      case .groq: groq
      case .openAICompatible, .whisper, .none: nil
      }
    }

    static func ttsModel(_ provider: TTSProvider) -> String? {
      switch provider {
      case .deepgram: "aura-2-thalia-en"
      case .openAICompatible: "tts-1"
      case .espeak, .piper, .flite, .none: nil
      }
    }
  }
}
