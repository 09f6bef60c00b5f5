import SessionCore

/// Whose model it is, judged by its name.
enum ModelFamily {
  case openAI
  case gemini
  case grok
  case inworld
  case local

  private static let prefixes: [(text: String, family: ModelFamily)] = [
    ("gpt-", .openAI), ("openai/", .openAI), ("gemini", .gemini), ("models/gemini", .gemini), ("grok-", .grok),
    ("xai/", .grok), ("inworld/", .inworld), ("Qwen2.5-Omni", .local),
  ]

  init?(of model: String) {
    guard let family = Self.prefixes.first(where: { model.hasPrefix($0.text) })?.family else { return nil }
    self = family
  }

  /// Whether a client that names such a model and no provider is to be sent to this kind.
  func isAtHome(with kind: ProviderKind) -> Bool {
    switch (self, kind) {
    case (.openAI, .openAI), (.openAI, .azure), (.gemini, .geminiLive), (.grok, .xai), (.inworld, .inworld),
      (.local, .local):
      true
    case (.openAI, _), (.gemini, _), (.grok, _), (.inworld, _), (.local, _): false
    }
  }
}

extension ProviderKind {
  /// Whether a name is the provider's to judge, whoever's it looks like: an alias, any name where nothing is replaced, and
  /// any at a service that has the models of others (R168, R215).
  func judges(_ model: String) -> Bool {
    switch self {
    case .geminiLive(let settings): settings.isStrict || settings.aliases[model] != nil
    case .inworld: true
    case .vowel: model.contains("/")
    case .openAI, .azure, .xai, .local: false
    }
  }

  /// The prefixes that stand for the service itself. Inworld's are part of its names: `inworld/ROUTER`.
  var vendorPrefixes: [String] {
    switch self {
    case .openAI: ["openai/"]
    case .geminiLive: ["gemini/"]
    case .azure: ["azure/", "openai/"]
    case .xai: ["xai/"]
    case .inworld: []
    case .vowel: ["vowel/"]
    case .local: ["local/"]
    }
  }

  /// Whether the models of other services, as `SERVICE/MODEL`, are its own.
  var servesModelsOfOthers: Bool {
    if case .inworld = self { true } else { false }
  }
}
