/// What differs between the models of Gemini Live, as a table.
///
/// Source: Google's capability comparison and migration pages, autumn 2026; a model that is not listed is taken for the
/// newest family.
struct ModelTraits: Sendable, Equatable {
  /// How a text turn is sent.
  enum TextInput: Sendable, Equatable {
    /// `clientContent`, whole turns with roles.
    case clientContent
    /// `realtimeInput.text`: the family refuses `clientContent` after its first turn.
    case realtimeText
  }

  /// What makes the model speak when there is nothing new to answer.
  enum Cue: Sendable, Equatable {
    /// A `clientContent` without turns.
    case emptyTurn
    /// A `clientContent` with one user turn of this text.
    case userTurn(String)
    /// `realtimeInput.text` of this text.
    case realtimeText(String)
  }

  var textInput: TextInput
  var cue: Cue
  /// A `clientContent` with `turnComplete: false` stops the generation in progress.
  var contentStopsGeneration: Bool
  /// A `clientContent` with `turnComplete: false` may add context between spoken turns.
  var takesContextAnytime = false
  /// `generationConfig.thinkingConfig.thinkingLevel` is required.
  var requiredThinkingLevel: String?

  static func of(_ model: String) -> Self {
    let name = model.split(separator: "/").last.map(String.init) ?? model
    return table.first { name.hasPrefix($0.prefix) }?.traits ?? newest
  }

  private static let newest = ModelTraits(
    textInput: .clientContent, cue: .emptyTurn, contentStopsGeneration: true, takesContextAnytime: true)

  /// Longest prefix first within a family.
  private static let table: [(prefix: String, traits: ModelTraits)] = [
    (
      "gemini-3.8-live-extended-thinking",
      ModelTraits(
        textInput: .clientContent, cue: .emptyTurn, contentStopsGeneration: true, takesContextAnytime: true,
        requiredThinkingLevel: "LOW")
    ),
    ("gemini-3.8", newest),
    (
      "gemini-3.1",
      ModelTraits(textInput: .realtimeText, cue: .realtimeText(" "), contentStopsGeneration: false)
    ),
    (
      "gemini-2.5",
      ModelTraits(textInput: .clientContent, cue: .userTurn("."), contentStopsGeneration: true)
    ),
    (
      "gemini-live-2.5",
      ModelTraits(textInput: .clientContent, cue: .userTurn("."), contentStopsGeneration: true)
    ),
  ]
}

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
