import Testing

@testable import GeminiLiveProvider

@Suite struct ModelsTests {
  static let native = "gemini-2.5-flash-native-audio-preview-12-2025"

  @Test("gemini 1.6: the newest family is talked to in whole turns, and an unknown model of Gemini is taken for it")
  func newest() {
    let traits = ModelTraits.of("gemini-3.8-live")
    #expect(traits.textInput == .clientContent && traits.cue == .emptyTurn && traits.seeding == .context)
    #expect(traits.thinking == .none && traits.toolBehavior == .blocking)
    #expect(traits.contentStopsGeneration && traits.takesContextAnytime)
    #expect(traits.takesImagesInTurns && traits.schedulesToolResults)
    #expect(!traits.takesContextUpdate && !traits.takesSystemTurns && !traits.endsWhenIdle && !traits.speaksText)
    for name in ["gemini-9-live", "gemini-", "tunedModels/mine", ""] { #expect(ModelTraits.of(name) == traits) }
  }

  @Test("gemini 1.6: extended thinking requires a level, refuses blocking calls and ends when it is idle")
  func extendedThinking() {
    let traits = ModelTraits.of("models/gemini-3.8-live-extended-thinking")
    #expect(traits.thinking == .requiredLevel && traits.toolBehavior == .nonBlocking)
    #expect(traits.endsWhenIdle && !traits.schedulesToolResults)
    #expect(traits.textInput == .clientContent && traits.cue == .emptyTurn)
  }

  @Test("gemini 1.6, 4.7, 4.8: 3.1 takes text as speech, and history only where the set-up announced it")
  func flash31() {
    let traits = ModelTraits.of("gemini-3.1-flash-live-preview")
    #expect(traits.textInput == .realtimeText && traits.cue == .realtimeText(" "))
    #expect(traits.seeding == .announcedHistory && traits.thinking == .level)
    #expect(traits.toolBehavior == .unstated && !traits.schedulesToolResults)
    #expect(!traits.contentStopsGeneration && !traits.takesContextAnytime && !traits.takesImagesInTurns)
  }

  @Test("gemini 1.6, R016: 2.5 answers in order, ignores seeded turns before audio, and needs a word as a cue")
  func native25() {
    let traits = ModelTraits.of(Self.native)
    #expect(traits.textInput == .clientContent && traits.cue == .userTurn(".") && traits.seeding == .instruction)
    #expect(traits.thinking == .budget && traits.toolBehavior == .unstated && traits.schedulesToolResults)
    #expect(traits.takesImagesInTurns && !traits.takesSystemTurns && !traits.speaksText)
  }

  @Test("gemini 1.7: 2.5 on Vertex takes system turns and refuses scheduling")
  func vertex25() {
    let traits = ModelTraits.of("gemini-live-2.5-flash-native-audio")
    #expect(traits.takesSystemTurns && !traits.schedulesToolResults && !traits.speaksText)
    #expect(traits.seeding == .instruction && traits.cue == .userTurn("."))
  }

  @Test("gemini 1.4: the half cascade and the specialists of text can answer in text, the others cannot")
  func text() {
    for name in [
      "gemini-live-2.5-flash", "gemini-live-2.5-flash-preview", "gemini-2.0-flash-live-001",
      "gemini-3.5-transcribe-live",
      "gemini-robotics-er-2-streaming-preview",
    ] { #expect(ModelTraits.of(name).speaksText, "\(name)") }
    for name in ["gemini-3.5-live-translate-preview", "gemini-3.8-live", Self.native] {
      #expect(!ModelTraits.of(name).speaksText, "\(name)")
    }
    #expect(ModelTraits.of("gemini-live-2.5-flash").seeding == .context)
    #expect(ModelTraits.of("gemini-3.5-live-translate-preview").toolBehavior == .unstated)
  }

  @Test("every cell can be set, and each sets its own alone")
  func overrides() {
    let values: [String: [GeminiModelOverride.Value]] = [
      "textInput": [.text("clientContent"), .text("realtimeText")],
      "cue": [.text("emptyTurn"), .named("userTurn", "hm"), .named("realtimeText", "hm")],
      "seeding": [.text("context"), .text("announcedHistory"), .text("instruction")],
      "thinking": [.text("budget"), .text("level"), .text("requiredLevel"), .text("none")],
      "toolBehavior": [.text("BLOCKING"), .text("NON_BLOCKING"), .text("unstated")],
    ]
    let bases = ["gemini-3.8-live", "gemini-3.1", Self.native].map(ModelTraits.of)
    for name in GeminiModelOverride.cellNames {
      var changed = 0
      var results: Set<ModelTraits> = []
      for value in values[name] ?? [.bool(true), .bool(false)] {
        var override = GeminiModelOverride(prefix: "g")
        #expect(override.set(name, to: value) == nil, "\(name)")
        for base in bases {
          var traits = base
          override.apply(to: &traits)
          if traits != base { changed += 1 }
          if base == bases[0] { results.insert(traits) }
        }
      }
      #expect(changed > 0, "\(name)")
      #expect(results.count == (values[name]?.count ?? 2), "\(name)")
    }
    #expect(GeminiModelOverride.cellNames.count == Mirror(reflecting: ModelTraits()).children.count)
    #expect(Set(GeminiModelOverride.cellNames) == Set(Mirror(reflecting: ModelTraits()).children.compactMap(\.label)))
  }

  @Test("a cell takes nothing else, and says what it takes")
  func wrongOverrides() {
    var override = GeminiModelOverride(prefix: "g")
    let empty = override
    #expect(override.set("thinking", to: .text("HIGH"))?.contains("\"requiredLevel\"") == true)
    #expect(override.set("thinking", to: .bool(true)) != nil)
    #expect(override.set("takesImagesInTurns", to: .text("true")) == "true or false")
    #expect(override.set("cue", to: .named("modelTurn", ".")) != nil)
    #expect(override.set("family", to: .text("3.8")) != nil)
    #expect(override == empty)
  }
}
