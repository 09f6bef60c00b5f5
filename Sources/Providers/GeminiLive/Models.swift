/// What differs between the models of Gemini Live, as a table: one row for each family, one property for each cell.
///
/// Source: Google's capability comparison and migration pages, autumn 2026, and what integrations found in the field. A
/// model that is not listed is taken for the newest family. `routes.json` overrides any cell of any model.
struct ModelTraits: Sendable, Hashable {
  /// How a text turn is sent.
  enum TextInput: String, CaseIterable, Sendable {
    /// `clientContent`, whole turns with roles.
    case clientContent
    /// `realtimeInput.text`: the family refuses `clientContent` after its first turn.
    case realtimeText
  }

  /// What makes the model speak when there is nothing new to answer.
  enum Cue: Sendable, Hashable {
    /// A `clientContent` without turns.
    case emptyTurn
    /// A `clientContent` with one user turn of this text.
    case userTurn(String)
    /// `realtimeInput.text` of this text.
    case realtimeText(String)
  }

  /// How a connection is told what was said before it.
  enum Seeding: String, CaseIterable, Sendable {
    /// `clientContent` with `turnComplete: false`.
    case context
    /// `clientContent` that `setup.historyConfig` announced; it is over with `turnComplete: true`.
    case announcedHistory
    /// In the system instruction: the family ignores seeded turns when the next input is audio.
    case instruction
  }

  /// What `generationConfig.thinkingConfig` may hold.
  enum Thinking: String, CaseIterable, Sendable {
    case budget
    case level
    /// `thinkingLevel` must be there.
    case requiredLevel
    /// The object must not be there.
    case none
  }

  /// `behavior` of a function declaration.
  enum ToolBehavior: String, CaseIterable, Sendable {
    case blocking = "BLOCKING"
    case nonBlocking = "NON_BLOCKING"
    /// The field is left out.
    case unstated
  }

  var textInput = TextInput.clientContent
  var cue = Cue.emptyTurn
  var seeding = Seeding.context
  var thinking = Thinking.none
  var toolBehavior = ToolBehavior.unstated
  /// A `clientContent` with `turnComplete: false` stops the generation in progress.
  var contentStopsGeneration = true
  /// A `clientContent` with `turnComplete: false` may add context between spoken turns.
  var takesContextAnytime = false
  /// `contextUpdate` changes instructions and tools. Off until it is proven.
  var takesContextUpdate = false
  /// A `clientContent` turn with role `system` replaces the instruction (Vertex, 2.5).
  var takesSystemTurns = false
  /// `inlineData` images may stand in `clientContent`.
  var takesImagesInTurns = true
  /// An answer ends with `interactionStatus: IDLE` rather than with `turnComplete`.
  var endsWhenIdle = false
  /// `responseModalities: ["TEXT"]` is possible.
  var speaksText = false
  /// `functionResponses[].scheduling` is accepted.
  var schedulesToolResults = false
  /// Google Search and functions may be declared together.
  var combinesSearchWithFunctions = true
  /// Transcripts of the user are asked for even if the client does not want to see them, for the sessions that are told the
  /// conversation anew. To be switched off where a model answers less for it.
  var transcribesUnasked = true
  /// `parametersJsonSchema` is understood: older models call such functions with no arguments, and with extended thinking
  /// the model writes about its tools instead of calling them.
  var takesJSONSchema = true

  /// The row of a model, whatever prefix its name has.
  static func of(_ model: String) -> Self {
    let name = model.split(separator: "/").last.map(String.init) ?? model
    return table.first { name.hasPrefix($0.prefix) }?.traits ?? newest
  }
}

extension ModelTraits {
  private static let newest = ModelTraits(
    toolBehavior: .blocking, takesContextAnytime: true, schedulesToolResults: true)

  /// A stated `BLOCKING` is an error here.
  private static let extendedThinking = ModelTraits(
    thinking: .requiredLevel, toolBehavior: .nonBlocking, takesContextAnytime: true, endsWhenIdle: true,
    takesJSONSchema: false)

  private static let flash31 = ModelTraits(
    textInput: .realtimeText, cue: .realtimeText(" "), seeding: .announcedHistory, thinking: .level,
    contentStopsGeneration: false, takesImagesInTurns: false)

  /// Native audio on AI Studio.
  private static let native25 = ModelTraits(
    cue: .userTurn("."), seeding: .instruction, thinking: .budget, schedulesToolResults: true,
    combinesSearchWithFunctions: false, takesJSONSchema: false)

  /// Native audio on Vertex, which refuses `scheduling` for this family.
  private static let vertexNative25 = ModelTraits(
    cue: .userTurn("."), seeding: .instruction, thinking: .budget, takesSystemTurns: true,
    combinesSearchWithFunctions: false, takesJSONSchema: false)

  /// A text model that a voice was added to: it takes seeded turns like any text model.
  private static let halfCascade25 = ModelTraits(
    cue: .userTurn("."), takesSystemTurns: true, speaksText: true,
    combinesSearchWithFunctions: false, takesJSONSchema: false)

  /// Specialists have no conversation to shape and no tools whose behaviour is documented.
  private static let translate = ModelTraits(takesContextAnytime: true)
  private static let textSpecialist = ModelTraits(takesContextAnytime: true, speaksText: true)

  /// The first row whose prefix fits holds: the longest prefix comes first within a family.
  private static let table: [(prefix: String, traits: ModelTraits)] = [
    ("gemini-3.8-live-extended-thinking", extendedThinking),
    ("gemini-3.8", newest),
    ("gemini-3.5-live-translate", translate),
    ("gemini-3.5-transcribe", textSpecialist),
    ("gemini-robotics", textSpecialist),
    ("gemini-3.1", flash31),
    ("gemini-live-2.5-flash-native-audio", vertexNative25),
    ("gemini-live-2.5-flash", halfCascade25),
    ("gemini-2.5", native25),
    ("gemini-2.0", halfCascade25),
  ]
}

extension ModelTraits {
  /// A model that the service is known to have.
  struct Name: Sendable {
    var id: String
    var isOnStudio = false
    var isOnVertex = false

    static func studio(_ id: String) -> Self { Self(id: id, isOnStudio: true) }
    static func vertex(_ id: String) -> Self { Self(id: id, isOnVertex: true) }
    static func both(_ id: String) -> Self { Self(id: id, isOnStudio: true, isOnVertex: true) }
  }

  /// The ones that are served (Google's lists, autumn 2026), without those that hold no conversation.
  static let names: [Name] = [
    .both("gemini-3.8-live"),
    .studio("gemini-3.8-live-extended-thinking"),
    .studio("gemini-3.1-flash-live-preview"),
    .studio("gemini-2.5-flash-native-audio-preview-12-2025"),
    .studio("gemini-2.5-flash-native-audio-latest"),
    .vertex("gemini-live-2.5-flash-native-audio"),
    .vertex("gemini-live-2.5-flash"),
  ]
}
