/// What was found on this machine when the engine started. Found by others; here it is only weighed.
public struct Found: Sendable, Hashable {
  /// An OpenAI-compatible server on loopback that answered with its models.
  public struct ChatServer: Sendable, Hashable {
    /// With `/v1`.
    public var baseURL: String
    /// Such as `Ollama`.
    public var name: String
    public var models: [String]

    public init(baseURL: String, name: String, models: [String]) {
      self.baseURL = baseURL
      self.name = name
      self.models = models
    }

    /// The first model that hears and speaks, by its name.
    public var omniModel: String? {
      models.first {
        let name = $0.lowercased()
        return name.contains("qwen") && name.contains("omni")
      }
    }

    /// The first model that chats: not one for embeddings, ranking or sound.
    public var chatModel: String? {
      models.first { model in
        let name = model.lowercased()
        return !["embed", "rerank", "whisper", "tts", "kokoro"].contains(where: name.contains)
      }
    }
  }

  /// In the order in which they are preferred.
  public var chatServers: [ChatServer] = []
  public var hasWhisperLibrary = false
  /// The transcriber's weights: the configured ones if there are such.
  public var hasSTTModel = false
  public var hasSileroModel = false
  public var hasEspeak = false
  /// The voice with its description.
  public var hasPiperVoice = false
  public var hasONNXRuntime = false
  public var hasFlite = false

  public init() {}
}

/// A service over the network, ready to be called.
public struct RemoteService: Sendable {
  public var baseURL: String
  public var model: String
  /// Nil for a service without keys.
  public var apiKey: ConfiguredSecret?
}

/// Which implementation serves each stage, and why.
public struct EngineSelection: Sendable {
  public enum LLM: Sendable {
    case groq(RemoteService), openRouter(RemoteService), openAICompatible(RemoteService)
    /// Hears and speaks itself.
    case omni(RemoteService)
    case rules
  }

  public enum STT: Sendable {
    case deepgram(RemoteService, language: String?)
    /// Groq's transcription has the same shape.
    case openAICompatible(RemoteService, language: String?, isGroq: Bool)
    /// `modelPath` nil: the installed model.
    case whisper(modelPath: String?, language: String?, threads: Int)
    case none
  }

  public enum TTS: Sendable {
    case deepgram(RemoteService, sampleRate: Int)
    case openAICompatible(RemoteService, voice: String, sampleRate: Int)
    /// Voices nil: the implementation's default.
    case espeak(voice: String?)
    case piper(voice: String?, modelPath: String?)
    case flite(voice: String?)
    case none
  }

  public enum VAD: Sendable, Hashable {
    /// `modelPath` nil: the installed weights.
    case silero(modelPath: String?)
    case energy
    case none
  }

  public struct Choice<Value: Sendable>: Sendable {
    public var value: Value
    /// The word for it in `StageDescription.implementation`.
    public var implementation: String
    /// Empty where there is none or only the part itself knows.
    public var model: String
    /// Why this one, in a few words.
    public var reason: String
    /// Why this is not what was asked for, in one sentence; nil if it is.
    public var degradation: String?
  }

  public var llm: Choice<LLM>
  public var stt: Choice<STT>
  public var tts: Choice<TTS>
  public var vad: Choice<VAD>
  /// What `session.model` says: what really runs.
  public var sessionModel: String

  /// One sentence for each stage that is not what was asked for.
  public var degradations: [(stage: StageName, text: String)] {
    [(.vad, vad.degradation), (.stt, stt.degradation), (.llm, llm.degradation), (.tts, tts.degradation)]
      .compactMap { stage, text in text.map { (stage, $0) } }
  }
}

extension RuntimeConfiguration {
  /// Decides what serves each stage. The same input gives the same answer; nothing is tried out.
  public func resolved(_ found: Found) -> EngineSelection {
    let llm = resolvedLLM(found)
    var sessionModel = llm.model
    if case .omni = llm.value {
      // Servers list models with their owner: Qwen/Qwen2.5-Omni-3B.
      sessionModel = realtimeModel ?? llm.model.split(separator: "/").last.map(String.init) ?? llm.model
    }
    return EngineSelection(
      llm: llm, stt: resolvedSTT(found), tts: resolvedTTS(found), vad: resolvedVAD(found), sessionModel: sessionModel)
  }

  /// `LLM_PROVIDER` or the place in the file, for a sentence.
  func asked(_ stage: StageName, for provider: String) -> String {
    let source = sources["\(stage.rawValue).provider"] ?? .standard
    return "\(stage.rawValue).provider \(provider) (\(source))"
  }
}
