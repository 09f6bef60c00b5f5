import SessionCore
import Translation

/// The provider of a session and the model that its client named.
public struct RouteChoice: Sendable {
  public let route: Route
  public let provider: ProviderEntry
  /// Percent-decoded and without the provider's name before a slash; nil if the client named none.
  public let model: String?
  /// The model's name says that another kind of provider serves it: a client with a fixed `model=gpt-…` that was sent to
  /// Gemini by `?provider=`, or for want of an OpenAI provider.
  public let isForeignModel: Bool
}

/// Why a request gets no session. Decided before the 101.
public enum RouteRefusal: Error, Sendable, Hashable {
  /// No route has the path.
  case unknownPath
  case unknownProvider(String, known: [String])
  case providerUnavailable(name: String, SecretFault)
  /// A query parameter comes twice with different values.
  case ambiguousParameter(String)
  /// A query parameter has broken percent escapes or characters that its kind of value has not.
  case malformedParameter(String)

  /// HTTP status of the answer.
  public var status: Int {
    switch self {
    case .unknownPath: 404
    case .unknownProvider, .ambiguousParameter, .malformedParameter: 400
    case .providerUnavailable: 503
    }
  }

  /// `error.code` of the answer.
  public var code: String {
    switch self {
    case .unknownPath: "not_found"
    case .unknownProvider, .ambiguousParameter, .malformedParameter: "invalid_value"
    case .providerUnavailable: "provider_unavailable"
    }
  }

  /// `error.param` of the answer.
  public var parameter: String? {
    switch self {
    case .unknownPath: nil
    case .unknownProvider, .providerUnavailable: "provider"
    case .ambiguousParameter(let name), .malformedParameter(let name): name
    }
  }

  /// `error.message` of the answer, with the operator's contact text behind it (R172). Holds no secret and no path of the
  /// server's files.
  public func message(contact: String) -> String {
    let text =
      switch self {
      case .unknownPath: "Nothing is served at this path."
      case .unknownProvider(let name, let known):
        "Unknown provider \(quoted(name)). Known providers: \(known.joined(separator: ", "))."
      case .providerUnavailable(let name, let fault):
        "Provider \"\(name)\" is configured but not available: \(fault.publicText)."
      case .ambiguousParameter(let name): "The query parameter \"\(name)\" is given twice with different values."
      case .malformedParameter(let name): "The query parameter \"\(name)\" is malformed."
      }
    return contact.isEmpty ? text : "\(text) \(contact)"
  }
}

extension RouteTable {
  /// Chooses by the request's path and its query parameters `provider` and `model`.
  public func choose(_ target: RequestTarget) throws(RouteRefusal) -> RouteChoice {
    try choose(
      path: target.path, provider: try Self.single("provider", target), model: try Self.single("model", target))
  }

  /// Chooses a provider: the one named by `?provider=`; else the one that the model's name belongs to, `NAME/model` to the
  /// provider of that name, `gemini…` and `models/gemini…` to one of kind `gemini-live`, `gpt-…` and `openai/…` to one of
  /// kind `openai`; else the route's own; else the default (R013, R014, R282).
  ///
  /// A chosen provider's own name before the model is dropped; any other prefix is passed on, so that
  /// `?provider=inworld&model=openai/gpt-4o` reaches Inworld with the name that it knows.
  ///
  /// - Parameters:
  ///   - path: of the request; one slash at its end is tolerated.
  ///   - provider: decoded; nil or empty if not given.
  ///   - model: decoded; nil or empty if not given.
  public func choose(path: String, provider: String?, model: String?) throws(RouteRefusal) -> RouteChoice {
    let plain = Self.withoutTrailingSlash(path)
    guard let route = routes.first(where: { $0.path == plain }) else { throw .unknownPath }
    let named = (model ?? "").isEmpty ? nil : model
    if let named, !ModelName.isValid(named) { throw .malformedParameter("model") }

    let name: String
    if let provider, !provider.isEmpty {
      name = provider
    } else {
      name = named.flatMap { owner(of: $0, route: route) } ?? route.provider
    }
    guard let entry = providers[name] else { throw .unknownProvider(name, known: providerNames) }
    if let fault = entry.unavailability { throw .providerUnavailable(name: name, fault) }

    let stripped = named.map { Self.stripped($0, for: entry) }
    let family = stripped.flatMap { ModelFamily(of: $0) }
    return RouteChoice(
      route: route, provider: entry, model: stripped,
      isForeignModel: family.map { !$0.isServed(by: entry.kind) } ?? false && !Self.isTaken(stripped, by: entry.kind))
  }

  /// The provider that a model's name points to, or nil.
  private func owner(of model: String, route: Route) -> String? {
    if let slash = model.firstIndex(of: "/"), model.index(after: slash) < model.endIndex {
      let prefix = String(model[..<slash])
      if providers[prefix] != nil { return prefix }
    }
    guard let family = ModelFamily(of: model) else { return nil }
    let suitable = ([route.provider, defaultProvider] + providerNames).filter { name in
      providers[name].map { family.isServed(by: $0.kind) } ?? false
    }
    // The route and the default have been chosen by the operator and go first even if they are unavailable: the refusal
    // then names the cause. Among the others, one that works.
    if let first = suitable.first, first == route.provider || first == defaultProvider { return first }
    if let available = suitable.first(where: { providers[$0]?.unavailability == nil }) { return available }
    // Most clients always name a model. Where the voice engine answers those that name none, it answers these too.
    return providers[route.provider]?.kind == .local ? nil : suitable.first
  }

  /// Whether a name is the provider's to judge, whoever's it looks like: an alias, or any name where nothing is replaced.
  private static func isTaken(_ model: String?, by kind: ProviderKind) -> Bool {
    guard let model, case .geminiLive(let settings) = kind else { return false }
    return settings.isStrict || settings.aliases[model] != nil
  }

  private static func stripped(_ model: String, for entry: ProviderEntry) -> String {
    let vendor =
      switch entry.kind {
      case .openAI: "openai/"
      case .geminiLive: "gemini/"
      case .local: "local/"
      }
    for prefix in ["\(entry.name)/", vendor] where model.hasPrefix(prefix) && model.utf8.count > prefix.utf8.count {
      return String(model.dropFirst(prefix.count))
    }
    return model
  }

  private static func single(_ name: String, _ target: RequestTarget) throws(RouteRefusal) -> String? {
    let values = target.values(of: name)
    guard let first = values.first else { return nil }
    guard let first else { throw .malformedParameter(name) }
    guard values.allSatisfy({ $0 == first }) else { throw .ambiguousParameter(name) }
    return first
  }

  static func withoutTrailingSlash(_ path: String) -> String {
    path.hasSuffix("/") && path != "/" ? String(path.dropLast()) : path
  }
}

/// Whose model it is, judged by its name.
private enum ModelFamily {
  case openAI
  case gemini
  case local

  init?(of model: String) {
    if model.hasPrefix("gpt-") || model.hasPrefix("openai/") {
      self = .openAI
    } else if model.hasPrefix("gemini") || model.hasPrefix("models/gemini") {
      self = .gemini
    } else if model.hasPrefix("Qwen2.5-Omni") {
      self = .local
    } else {
      return nil
    }
  }

  func isServed(by kind: ProviderKind) -> Bool {
    switch (self, kind) {
    case (.openAI, .openAI), (.gemini, .geminiLive), (.local, .local): true
    case (.openAI, _), (.gemini, _), (.local, _): false
    }
  }
}
