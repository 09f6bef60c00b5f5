import Translation

/// Names that the service knows (its API description of August 2026).
enum OpenAIModels {
  /// What the user is transcribed by where a client asks for another service's model.
  static let transcriber = "gpt-4o-mini-transcribe"

  /// Whether the service judges the name of a transcriber itself: its own, and those that it may have by now.
  static func isTranscriber(_ name: String) -> Bool {
    name.hasPrefix("gpt-") || name == "whisper-1"
  }

  /// The service's voice for a name. What no table knows may be a voice that is newer than the table.
  static func voice(_ name: String) -> String? {
    VoiceNames.name(for: name, at: .openAI)
  }

  /// Whether the service may have a model of this name: those that name another maker are a client's fixed default (Q16).
  static func mayExist(_ name: String) -> Bool {
    let others = ["gemini", "models/", "google", "grok", "Qwen", "anthropic/", "groq/", "inworld/", "mistral"]
    return !others.contains { name.hasPrefix($0) }
  }
}
