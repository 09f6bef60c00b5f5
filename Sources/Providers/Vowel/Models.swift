import Translation

/// The models behind an engine.
enum Models {
  /// Speech to text is the engine's to choose; this is its documented default, as it names it itself.
  static let transcription = "deepgram-realtime"

  /// Whether a name is one of another service's that speaks by itself: the engine's models write.
  static func isForeign(_ name: String) -> Bool {
    let id = name.split(separator: "/").last ?? ""
    return id.hasPrefix("gpt-realtime") || id.contains("-realtime") || id.hasPrefix("grok-voice")
      || (id.hasPrefix("gemini-") && (id.contains("-live") || id.contains("native-audio")))
  }
}

/// The voices of an engine: Deepgram's, unless the operator names one of another kind.
enum Voices {
  static let standard = "aura-2-thalia-en"

  /// What sessions of OpenAI begin with: it says nothing about what a client wants.
  private static let unconsidered: Set<String> = ["alloy", "marin"]

  /// The engine's voice for a name, and whether it stands for that one. Unknown names would go to its synthesiser,
  /// which fails.
  ///
  /// - Parameter own: the operator's, where there is one.
  static func voice(for name: String, own: String?) -> (name: String, isMeant: Bool) {
    let lowercased = name.lowercased()
    if name == own || lowercased.hasPrefix("aura-") { return (name, true) }
    if unconsidered.contains(lowercased) { return (own ?? standard, true) }
    guard let name = VoiceNames.name(for: lowercased, at: .aura) else { return (own ?? standard, false) }
    return (own ?? name, true)
  }
}
