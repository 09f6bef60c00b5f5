public import Envelope

/// The names of speech-to-text models that clients send, whoever's they are.
///
/// A name that some service has becomes, at a provider that does not have it, the provider's own model, and the session
/// shows that. Any other name is refused, and nothing of its update is applied (R232, R235, R236).
public enum TranscriptionModels {
  /// A model of a service, and what it understands.
  public struct Model: Sendable, Hashable {
    /// As clients write it; with `*` at its end, how the name begins.
    public var name: String
    public var vendor: String
    /// ISO 639-1; empty where the vendor's pages decide.
    public var languages: [String]

    init(_ name: String, of vendor: String, _ languages: [String] = []) {
      self.name = name
      self.vendor = vendor
      self.languages = languages
    }

    func isCalled(_ other: some StringProtocol) -> Bool {
      name.hasSuffix("*") ? other.hasPrefix(name.dropLast()) : other == name
    }
  }

  /// In the order of the documentation.
  public static let known: [Model] =
    [
      "whisper-1", "gpt-4o-transcribe", "gpt-4o-transcribe-*", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-*",
      "gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper",
    ].map { Model($0, of: "OpenAI") }
    + [
      Model("assemblyai/u3-rt-pro", of: "Inworld", six),
      Model("assemblyai/universal-streaming-multilingual", of: "Inworld", six),
      Model("assemblyai/universal-streaming-english", of: "Inworld", ["en"]),
      Model("inworld/inworld-stt-1", of: "Inworld"),
      Model("soniox/stt-rt-v4", of: "Inworld"),
      Model("soniox/stt-rt-v5", of: "Inworld"),
      Model("deepgram/flux-general-en", of: "Inworld", ["en"]),
      Model("deepgram/flux-general-multi", of: "Inworld"),
      Model("grok-transcribe", of: "xAI"),
      Model("grok-transcribe-*", of: "xAI"),
      Model("azure-speech", of: "Azure"),
      Model("azure-fast-transcription", of: "Azure"),
      Model("mai-transcribe-*", of: "Azure"),
      Model("deepgram/*", of: "Deepgram"),
      Model("deepgram-realtime", of: "vowel"),
      Model("nova-2*", of: "Deepgram"),
      Model("nova-3*", of: "Deepgram"),
      Model("flux-general-*", of: "Deepgram"),
      Model("groq-whisper*", of: "vowel"),
      Model("whisper-*", of: "OpenAI's open weights"),
      Model("distil-whisper*", of: "OpenAI's open weights"),
      Model("openai/whisper-*", of: "OpenAI's open weights"),
      Model("large-v*", of: "OpenAI's open weights"),
      Model("voxtral-*", of: "Mistral"),
      Model("gemini-*", of: "Google"),
    ]
    + ["tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en"].map {
      Model($0, of: "OpenAI's open weights")
    }

  private static let six = ["en", "es", "fr", "de", "it", "pt"]

  /// Whether some service has a model of this name.
  public static func isKnown(_ name: String) -> Bool {
    known.contains { $0.isCalled(name) }
  }

  /// The model that a session has for the one that its client asked for.
  ///
  /// - Parameters:
  ///   - asked: nil where the client leaves the choice to the provider.
  ///   - standard: what the provider transcribes with where it is not told, or is told another service's name; nil
  ///     where it does not transcribe.
  ///   - isOwn: whether the provider has a model of this name.
  /// - Throws: `invalid_value`: nobody has a model of this name.
  public static func effective(
    _ asked: String?, standard: String?, isOwn: (String) -> Bool
  ) throws(EventFault) -> String? {
    guard let asked, asked != standard else { return standard }
    if isOwn(asked) { return asked }
    guard isKnown(asked) else { throw .unknownTranscriptionModel(asked) }
    return standard
  }
}

extension EventFault {
  /// Where a session names the model that transcribes its user.
  private static let transcriptionModelPath = "session.audio.input.transcription.model"

  /// The three fields are the ones that Inworld's service answers with (R235).
  public static func unknownTranscriptionModel(_ name: String) -> EventFault {
    .invalidValue(name, param: transcriptionModelPath)
  }
}
