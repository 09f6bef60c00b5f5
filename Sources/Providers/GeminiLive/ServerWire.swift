import Envelope

// What the service says, field for field, as far as it is used. Sources: see `Wire.swift`.

/// One message of the service. Every known key is read, whatever else the message holds; unknown keys are skipped,
/// because they appear before the documentation does.
struct ServerMessage: Decodable {
  var setupComplete: EmptyObject?
  var serverContent: ServerContent?
  var toolCall: ToolCall?
  var toolCallCancellation: ToolCallCancellation?
  var goAway: GoAway?
  var sessionResumptionUpdate: SessionResumptionUpdate?
  /// Read as far as it can be: a count that nobody can read must not end a call.
  var usageMetadata: Lenient<UsageMetadata>?
  var voiceActivity: VoiceActivity?
  var voiceActivityDetectionSignal: VoiceActivityDetectionSignal?
  /// Google's samples read it here, the SDK inside `serverContent`.
  var interactionStatus: String?
  /// Anticipated by the SDK, not seen: an error as a message.
  var error: JSONValue?

  /// Nothing in it is known.
  var isUnknown: Bool {
    setupComplete == nil && serverContent == nil && toolCall == nil && toolCallCancellation == nil && goAway == nil
      && sessionResumptionUpdate == nil && usageMetadata == nil && voiceActivity == nil
      && voiceActivityDetectionSignal == nil && interactionStatus == nil && error == nil
  }
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
  var groundingMetadata: Lenient<GroundingMetadata>?
  var generationComplete: Bool?
  var turnComplete: Bool?
  var turnCompleteReason: String?
  var interrupted: Bool?
  /// `IN_PROGRESS` or `IDLE`, beside `turnComplete`, of models that think on after they spoke.
  var interactionStatus: String?
}

/// What is told beside the conversation; nil where it has another shape than expected.
struct Lenient<Value: Decodable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) throws {
    value = try? Value(from: decoder)
  }
}

/// What a search brought. Only what the client can be shown.
struct GroundingMetadata: Decodable {
  struct Chunk: Decodable {
    struct Web: Decodable {
      var uri: String?
      var title: String?
    }
    var web: Web?
  }
  var webSearchQueries: [String]?
  var groundingChunks: [Chunk]?
}

struct ToolCall: Decodable {
  struct FunctionCall: Decodable {
    /// Absent on some models of Vertex.
    var id: String?
    var name: String?
    /// Absent where the function has no arguments.
    var args: JSONValue?
  }
  var functionCalls: [FunctionCall]?

  /// Each call once: its result goes up by its id.
  var distinctCalls: [FunctionCall] {
    var seen: Set<String> = []
    return (functionCalls ?? []).filter { call in
      guard let id = call.id, !id.isEmpty else { return true }
      return seen.insert(id).inserted
    }
  }
}

struct ToolCallCancellation: Decodable {
  var ids: [String]?
}

struct SessionResumptionUpdate: Decodable {
  var newHandle: String?
  /// False while the model generates or waits for a result.
  var resumable: Bool?
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

/// The same from Vertex, where `explicitVadSignal` asked for it; it has no position.
struct VoiceActivityDetectionSignal: Decodable {
  /// `VAD_SIGNAL_TYPE_SOS` or `VAD_SIGNAL_TYPE_EOS`.
  var vadSignalType: String?
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
