import Translation

/// What Inworld has by name. Models of language are anything that it has a router or a provider for.
enum Models {
  // MARK: Speech to text

  static let standardTranscription = "inworld/inworld-stt-1"

  /// One more that it does not know would lose the whole update (R232, R235): those of its API for transcription alone
  /// are not among them.
  static let transcription: Set<String> = [
    "assemblyai/u3-rt-pro", "assemblyai/universal-streaming-multilingual", "assemblyai/universal-streaming-english",
    standardTranscription, "soniox/stt-rt-v4",
  ]

  // MARK: Text to speech

  static let standardVoiceModel = "inworld-tts-1.5-mini"

  static let standardVoice = "Dennis"

  /// What Inworld is told for a voice: its own names in its spelling, something else for names that only other services
  /// have, and any other name as it is, because an account has voices of its own.
  ///
  /// - Parameter standard: the operator's voice for the names of other services, if there is one.
  static func voice(for name: String, standard: String?) -> String {
    let lowercased = name.lowercased()
    let own = VoiceNames.voices(of: .inworld).first { $0.id.lowercased() == lowercased }
    if let own { return own.id }
    guard VoiceNames.isOpenAI(lowercased) || lowercased.hasPrefix("aura-") else { return name }
    return standard ?? VoiceNames.name(for: lowercased, at: .inworld) ?? standardVoice
  }
}
