/// The voices of Gemini Live and what OpenAI's names become there.
enum Voices {
  /// The voice of a session whose client named none.
  static let standard = "marin"

  static let names = [
    "Achernar", "Achird", "Algenib", "Algieba", "Alnilam", "Aoede", "Autonoe", "Callirrhoe", "Charon", "Despina",
    "Enceladus", "Erinome", "Fenrir", "Gacrux", "Iapetus", "Kore", "Laomedeia", "Leda", "Orus", "Puck", "Pulcherrima",
    "Rasalgethi", "Sadachbia", "Sadaltager", "Schedar", "Sulafat", "Umbriel", "Vindemiatrix", "Zephyr",
    "Zubenelgenubi",
  ]

  private static let aliases = [
    "alloy": "Kore", "ash": "Iapetus", "ballad": "Algieba", "cedar": "Achird", "coral": "Sulafat", "echo": "Charon",
    "fable": "Umbriel", "marin": "Despina", "nova": "Aoede", "onyx": "Orus", "sage": "Vindemiatrix",
    "shimmer": "Achernar", "verse": "Puck",
  ]

  /// The service's name for a voice, or nil where it has no such voice: an unknown name would end the connection.
  static func name(for voice: String) -> String? {
    aliases[voice.lowercased()] ?? names.first { $0.lowercased() == voice.lowercased() }
  }
}
