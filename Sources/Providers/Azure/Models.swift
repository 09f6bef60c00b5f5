import Envelope
import Translation

/// Names of models on Azure OpenAI, where clients see deployments.
enum Deployments {
  /// Clients name models of OpenAI's catalogue, whatever the deployment of them is called: those stand for the
  /// configured one. Any other name is a deployment's (Q16).
  static func name(for model: String, configured: String) -> String {
    let isOfCatalogue = model.hasPrefix("gpt-") || model.hasPrefix("openai/") || model.hasPrefix("azure/")
    return isOfCatalogue ? configured : model
  }

  /// OpenAI's voice for a name; nil where no table knows it.
  static func voice(_ name: String) -> String? {
    VoiceNames.name(for: name, at: .openAI)
  }

  /// The transcriber where a client names none, or one that only another service has.
  static let transcription = "whisper-1"

  /// Whether a name may be a deployment's: it is not the name of another service's transcriber.
  static func isTranscription(_ name: String) -> Bool {
    !TranscriptionModels.isKnown(name) || name.hasPrefix("gpt-") || name.hasPrefix("whisper")
  }
}

/// What Voice Live transcribes with.
enum VoiceLiveTranscribers {
  /// Where a client names none, or one that only another service has.
  static let standard = "azure-speech"

  static func isOwn(_ name: String) -> Bool {
    name == standard || name.hasPrefix("mai-transcribe-") || takesPrompt(name)
  }

  /// The others take a list of phrases.
  static func takesPrompt(_ name: String) -> Bool {
    name == "whisper-1" || name.hasPrefix("gpt-4o-transcribe") || name.hasPrefix("gpt-4o-mini-transcribe")
  }
}

/// The voices of Voice Live, as the objects that it takes.
enum VoiceLiveVoices {
  /// The voice of a session whose client named none.
  static let standard = "alloy"

  /// The voice for a name, or nil where the service has none of the kind.
  static func name(for name: String) -> String? {
    isAzure(name) ? name : VoiceNames.name(for: name, at: .openAI)
  }

  /// Azure's speak a language that their names begin with: `en-US-AvaNeural`, `zh-CN-Xiaoxiao:DragonHDLatestNeural`.
  static func isAzure(_ name: String) -> Bool {
    let parts = name.split(separator: "-", maxSplits: 2)
    return parts.count == 3 && (2...3).contains(parts[0].count) && parts[0].allSatisfy(\.isLowercase)
  }

  /// - Parameter speed: relative to normal speech; Azure's own voices have one each.
  static func object(for voice: Voice, speed: Double) -> JSONValue {
    switch voice {
    case .named(let name) where isAzure(name):
      return speed == 1
        ? ["type": "azure-standard", "name": .string(name)]
        : ["type": "azure-standard", "name": .string(name), "rate": .string(JSONNumber(speed).text)]
    case .named(let name):
      return ["type": "openai", "name": .string(name)]
    case .custom(let id, let unknown):
      var object = unknown.fields
      object["type"] = object["type"] ?? "azure-custom"
      object["name"] = .string(id)
      return .object(object)
    }
  }
}
