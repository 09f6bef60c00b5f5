import Envelope

// The messages of Gemini Live (BidiGenerateContent), field for field, as far as they are used: lowerCamelCase, absent
// where empty. Source: google.ai.generativelanguage v1beta `generative_service.proto`, and google-genai 3.4.0
// (`types.LiveClientMessage`, `types.LiveServerMessage`).

// MARK: Client to server

/// One message to the service: exactly one member is set.
struct ClientMessage: Encodable, Equatable {
  var setup: Setup?
  var clientContent: ClientContent?
  var realtimeInput: RealtimeInput?
}

struct Setup: Encodable, Equatable {
  var model: String
  var generationConfig: GenerationConfig
  var systemInstruction: Content?
  var realtimeInputConfig: RealtimeInputConfig?
  var inputAudioTranscription: EmptyObject?
  var outputAudioTranscription: EmptyObject?
  var contextWindowCompression: ContextWindowCompression?
}

struct GenerationConfig: Encodable, Equatable {
  var responseModalities = ["AUDIO"]
  var speechConfig: SpeechConfig?
  var maxOutputTokens: Int?
  var thinkingConfig: ThinkingConfig?
}

struct SpeechConfig: Encodable, Equatable {
  struct VoiceConfig: Encodable, Equatable {
    struct PrebuiltVoiceConfig: Encodable, Equatable {
      var voiceName: String
    }
    var prebuiltVoiceConfig: PrebuiltVoiceConfig
  }
  var voiceConfig: VoiceConfig

  init(voiceName: String) {
    voiceConfig = VoiceConfig(prebuiltVoiceConfig: .init(voiceName: voiceName))
  }
}

struct ThinkingConfig: Encodable, Equatable {
  var thinkingLevel: String
}

struct RealtimeInputConfig: Encodable, Equatable {
  struct AutomaticActivityDetection: Encodable, Equatable {
    var disabled: Bool?
    var startOfSpeechSensitivity: String?
    var endOfSpeechSensitivity: String?
    var silenceDurationMs: Int?
  }
  var automaticActivityDetection: AutomaticActivityDetection?
  var activityHandling: String?
  var turnCoverage: String
}

struct ContextWindowCompression: Encodable, Equatable {
  var slidingWindow = EmptyObject()
}

struct EmptyObject: Codable, Equatable {}

struct ClientContent: Encodable, Equatable {
  var turns: [Content]?
  var turnComplete: Bool
}

struct Content: Encodable, Equatable {
  struct Part: Encodable, Equatable {
    var text: String
  }
  /// `user` or `model`; not needed in a system instruction.
  var role: String?
  var parts: [Part]

  init(role: String? = nil, text: String) {
    self.role = role
    parts = [Part(text: text)]
  }
}

/// One member per message.
struct RealtimeInput: Encodable, Equatable {
  var text: String?
  var activityStart: EmptyObject?
  var activityEnd: EmptyObject?
  /// Only with the service's voice detection on: the microphone is off, cached audio is flushed.
  var audioStreamEnd: Bool?
}

// MARK: Server to client

/// One message of the service. Every known key is read, whatever else the message holds; unknown keys are skipped,
/// because they appear before the documentation does.
struct ServerMessage: Decodable {
  var setupComplete: EmptyObject?
  var serverContent: ServerContent?
  var toolCall: JSONValue?
  var goAway: GoAway?
  var usageMetadata: UsageMetadata?
  var voiceActivity: VoiceActivity?
  /// Anticipated by the SDK, not seen: an error as a message.
  var error: JSONValue?
}

struct ServerContent: Decodable {
  struct ModelTurn: Decodable {
    var parts: [Part]?
  }
  struct Part: Decodable {
    struct Blob: Decodable {
      var mimeType: String?
      var data: String?
    }
    var text: String?
    /// The text is a summary of the model's thinking: never shown.
    var thought: Bool?
    var inlineData: Blob?
  }
  struct Transcription: Decodable {
    var text: String?
    var finished: Bool?
  }
  var modelTurn: ModelTurn?
  var inputTranscription: Transcription?
  var outputTranscription: Transcription?
  var generationComplete: Bool?
  var turnComplete: Bool?
  var turnCompleteReason: String?
  var interrupted: Bool?
}

struct GoAway: Decodable {
  /// Seconds as decimal text with an `s`: `50s`.
  var timeLeft: String?
}

struct VoiceActivity: Decodable {
  /// `ACTIVITY_START` or `ACTIVITY_END`.
  var type: String?
  /// The SDK's name for the same field.
  var voiceActivityType: String?
  /// Since the start of the audio stream, as decimal seconds with an `s`: `0.320s`.
  var audioOffset: String?
}

/// Token counts of one turn. AI Studio says `response…` where Vertex says `candidates…`.
struct UsageMetadata: Decodable {
  struct ModalityCount: Decodable {
    var modality: String?
    var tokenCount: Int?
  }
  var promptTokenCount: Int?
  var cachedContentTokenCount: Int?
  var responseTokenCount: Int?
  var candidatesTokenCount: Int?
  var toolUsePromptTokenCount: Int?
  var thoughtsTokenCount: Int?
  var promptTokensDetails: [ModalityCount]?
  var cacheTokensDetails: [ModalityCount]?
  var responseTokensDetails: [ModalityCount]?
  var candidatesTokensDetails: [ModalityCount]?
}
