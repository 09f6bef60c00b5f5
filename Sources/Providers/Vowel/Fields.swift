import Envelope

/// The fields that an engine takes.
enum Fields {
  /// What a session has here beside the vocabulary.
  static let own: Set<String> = ["language", "speech_mode"]

  /// In a session's flat form. It has one format of audio, and transcribes by its own configuration.
  static let session =
    own.union([
      "model", "modalities", "instructions", "voice", "speaking_rate", "turn_detection", "tools", "tool_choice",
      "max_response_output_tokens",
    ])

  /// What a response has of its own.
  static let response: Set<String> = ["instructions"]
}
