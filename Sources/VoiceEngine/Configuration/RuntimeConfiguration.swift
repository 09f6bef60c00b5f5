public import Envelope

public enum LLMProvider: String, Sendable, Hashable, CaseIterable {
  case groq, openrouter
  case openAICompatible = "openai-compatible"
  case omni, rules
}

public enum STTProvider: String, Sendable, Hashable, CaseIterable {
  case deepgram
  case openAICompatible = "openai-compatible"
  case groq, whisper, none
}

public enum TTSProvider: String, Sendable, Hashable, CaseIterable {
  case deepgram
  case openAICompatible = "openai-compatible"
  case espeak, piper, flite, none
}

public enum VADProvider: String, Sendable, Hashable, CaseIterable {
  case silero, energy, none
}

/// What the operator wants of the voice engine, every value with the place it came from.
///
/// Layers, the first that speaks counts: the YAML file, the environment, the defaults. What is asked for and what
/// can be had are two things: `resolved(_:)` decides the second.
public struct RuntimeConfiguration: Sendable {
  public struct LLM: Sendable {
    /// Where nobody chose one: the provider that the rest of the configuration speaks of, in the end `groq`.
    public var provider: LLMProvider
    /// Nil if the server's own has to be taken.
    public var model: String?
    /// Without a slash at its end; nil where there is no address to be had.
    public var baseURL: String?
    public var apiKey: ConfiguredSecret?
    /// Nil for the service's own.
    public var temperature: Double?
    /// The longest answer; nil for the service's own bound.
    public var maxTokens: Int?
    /// From the request until the service begins to answer.
    public var timeoutMs: Int
    /// How much of the conversation is sent along, in tokens.
    public var historyTokens: Int
  }

  public struct STT: Sendable {
    public var provider: STTProvider
    public var model: String?
    /// `en-US` or `en`; nil to let the service find out.
    public var language: String?
    public var baseURL: String?
    public var apiKey: ConfiguredSecret?
    /// A ggml model for the embedded transcriber; nil for the installed one.
    public var modelPath: String?
    public var threads: Int
  }

  public struct TTS: Sendable {
    public var provider: TTSProvider
    public var model: String?
    public var voice: String?
    public var baseURL: String?
    public var apiKey: ConfiguredSecret?
    /// A Piper voice; nil for the installed one.
    public var modelPath: String?
    /// Hertz, of a remote service.
    public var sampleRate: Int
  }

  public struct VAD: Sendable, Hashable {
    public var provider: VADProvider
    /// False: sessions start without turn detection.
    public var isEnabled: Bool
    /// 0…1
    public var threshold: Double
    /// Silence that ends a turn.
    public var minSilenceMs: Int
    /// Sound kept from before the speech.
    public var speechPadMs: Int
    /// Weights of Silero; nil for the installed ones.
    public var modelPath: String?
  }

  public struct TurnDetection: Sendable, Hashable {
    public var isEnabled: Bool
    /// Whether meaning decides with silence where a turn ends (`semantic_vad`).
    public var isSemantic: Bool
    public var eagerness: SemanticVAD.Eagerness
    public var createsResponse: Bool
    public var interruptsResponse: Bool
    /// Nil for none.
    public var idleTimeoutMs: Int?
    /// Speech beyond this is cut and answered.
    public var maximumTurnMs: Int
  }

  public struct Limits: Sendable, Hashable {
    /// Turns that are worked on at once, of all sessions.
    public var maximumTurns: Int
  }

  public var llm: LLM
  public var stt: STT
  public var tts: TTS
  public var vad: VAD
  public var turnDetection: TurnDetection
  public var limits: Limits
  /// The name that an Omni model answers to; nil for the model's own.
  public var realtimeModel: String?

  /// The file that was read or would be; nil if there is none.
  public var file: String?
  /// For every path, such as `llm.model`, where its value came from.
  public var sources: [String: SettingSource]
  /// The stages whose provider somebody named.
  public var chosenProviders: Set<StageName>

  /// The model that an Omni server runs if nobody says otherwise.
  public static let standardRealtimeModel = "Qwen2.5-Omni-3B"

  /// The turn detection that a session starts with (null for push-to-talk: `VAD_ENABLED=false`).
  public var initialTurnDetection: Envelope.TurnDetection? {
    guard vad.isEnabled, vad.provider != .none, turnDetection.isEnabled else { return nil }
    if turnDetection.isSemantic {
      return .semanticVAD(
        SemanticVAD(
          eagerness: turnDetection.eagerness, createResponse: turnDetection.createsResponse,
          interruptResponse: turnDetection.interruptsResponse))
    }
    return .serverVAD(
      ServerVAD(
        threshold: vad.threshold, prefixPaddingMs: vad.speechPadMs, silenceDurationMs: vad.minSilenceMs,
        idleTimeoutMs: turnDetection.idleTimeoutMs, createResponse: turnDetection.createsResponse,
        interruptResponse: turnDetection.interruptsResponse))
  }
}
