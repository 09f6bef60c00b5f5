public import Envelope
import SessionCore
import Translation

/// The provider of a session, the model that its client named, and how the client is talked to.
public struct RouteChoice: Sendable {
  public let route: Route
  public let provider: ProviderEntry
  /// Percent-decoded and without the provider's name before a slash; nil if the client named none.
  public let model: String?
  /// The model's name says that another kind of provider serves it: a client with a fixed `model=gpt-…` that was sent to
  /// Gemini by `?provider=`, or for want of an OpenAI provider.
  public let isForeignModel: Bool
  public let purpose: SessionType
  public let dialect: DialectChoice
  public let deltaFields: AudioDeltaWriter.Fields
  public let passesVendorEvents: Bool
}

/// What a client's credential fixes of its session.
public struct RoutePins: Sendable, Hashable {
  public var provider: String?
  public var model: String?
  public var purpose: SessionType?
  /// The client brings its own key at the provider: that the configured one is absent does not matter.
  public var bringsKey: Bool

  public init(
    provider: String? = nil, model: String? = nil, purpose: SessionType? = nil, bringsKey: Bool = false
  ) {
    self.bringsKey = bringsKey
    self.provider = provider
    self.model = model
    self.purpose = purpose
  }
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
  /// The places of a model's name in a query, in order of precedence: OpenAI's, Inworld's, and that of Azure's clients.
  private static let modelParameters = ["model", "modelId", "deployment"]

  /// Chooses by the request's path and query, by what else it says, and by what its key brings.
  ///
  /// The vocabulary is that of the first place that names one: header or subprotocol, query, key, route, and the path of
  /// Azure's clients (Q2). What carries audio is said by the query, the key, or the route (Q1).
  ///
  /// - Parameters:
  ///   - openAIBeta: the comma-separated members of all fields `OpenAI-Beta`.
  ///   - subprotocols: the members of `Sec-WebSocket-Protocol`.
  ///   - key: what goes with the key that the client has shown.
  ///   - pins: what its token fixes; it wins over the query.
  public func choose(
    _ target: RequestTarget, openAIBeta: [String] = [], subprotocols: [String] = [], key: WirePreference = .init(),
    pins: RoutePins = RoutePins()
  ) throws(RouteRefusal) -> RouteChoice {
    guard let route = route(of: target.path) else { throw .unknownPath }
    let signs = try RequestSigns(target, openAIBeta: openAIBeta, subprotocols: subprotocols)
    let named = try target.single("provider")
    let asked = try Self.model(target)
    let (entry, model) = try provider(
      of: route, named: pins.provider ?? named, model: pins.model ?? asked, bringsKey: pins.bringsKey)
    let preference = signs.preference.otherwise(key)
    let family = model.flatMap { ModelFamily(of: $0) }
    return RouteChoice(
      route: route, provider: entry, model: model,
      isForeignModel: family.map { !$0.isAtHome(with: entry.kind) } ?? false
        && !route.isStrict && !(model.map(entry.kind.judges) ?? false),
      purpose: pins.purpose ?? signs.purpose,
      dialect: preference.dialect ?? route.dialect ?? Self.dialect(ofAzureForm: target) ?? .auto,
      deltaFields: preference.deltaFields ?? route.deltaFields,
      passesVendorEvents: signs.passesVendorEvents ?? route.passesVendorEvents)
  }

  /// The route of a path, with or without a slash at its end.
  public func route(of path: String) -> Route? {
    let plain = Self.withoutTrailingSlash(path)
    return routes.first { $0.path == plain }
  }

  /// The name in `providers` that a client means; nil for one that there is not. vowel's clients call the upstream of their
  /// deployment `vowel-prime` or `vowel-core`, whatever that is (R064).
  public func providerName(alias: String) -> String? {
    if providers[alias] != nil { return alias }
    return Self.usualAliases.contains(alias) ? defaultProvider : nil
  }

  private static let usualAliases = ["vowel-prime", "vowel-core"]

  /// What the addresses say that Azure's clients make: of its retired API with a version, of the present one without.
  private static func dialect(ofAzureForm target: RequestTarget) -> DialectChoice? {
    let path = withoutTrailingSlash(target.path)
    if path.hasSuffix("/openai/v1/realtime") { return .fixed(.ga) }
    let hasVersion = target.values(of: "api-version").contains { !($0 ?? "").isEmpty }
    return path.hasSuffix("/openai/realtime") && hasVersion ? .fixed(.beta) : nil
  }

  /// The model that the query names; several names of it have to agree.
  private static func model(_ target: RequestTarget) throws(RouteRefusal) -> String? {
    var model: String?
    for parameter in modelParameters {
      guard let value = try target.single(parameter), !value.isEmpty else { continue }
      guard ModelName.isValid(value) else { throw .malformedParameter(parameter) }
      guard model == nil || model == value else { throw .ambiguousParameter(parameter) }
      model = value
    }
    return model
  }

  /// A provider: the one named by `?provider=`; else the one that the model's name belongs to, `NAME/model` to the
  /// provider of that name, `gemini…` and `models/gemini…` to one of kind `gemini-live`, `gpt-…` and `openai/…` to one of
  /// kind `openai` or `azure`, `grok-…` to one of kind `xai`; else the route's own; else the default (R013, R014, R282).
  ///
  /// A chosen provider's own name before the model is dropped; any other prefix is passed on, so that
  /// `?provider=inworld&model=openai/gpt-4o` reaches Inworld with the name that it knows.
  private func provider(
    of route: Route, named provider: String?, model: String?, bringsKey: Bool
  ) throws(RouteRefusal) -> (ProviderEntry, model: String?) {
    let name: String
    if let provider, !provider.isEmpty {
      name = provider
    } else {
      name = model.flatMap { owner(of: $0, route: route) } ?? route.provider
    }
    guard let entry = providerName(alias: name).flatMap({ providers[$0] }) else {
      throw .unknownProvider(name, known: providerNames)
    }
    if let fault = entry.unavailability, !bringsKey { throw .providerUnavailable(name: name, fault) }
    return (entry, model.map { Self.stripped($0, for: entry) })
  }

  /// The provider that a model's name points to, or nil.
  private func owner(of model: String, route: Route) -> String? {
    if let slash = model.firstIndex(of: "/"), model.index(after: slash) < model.endIndex {
      if providers[route.provider]?.kind.servesModelsOfOthers ?? false { return route.provider }
      let prefix = String(model[..<slash])
      if providers[prefix] != nil { return prefix }
    }
    guard let family = ModelFamily(of: model) else { return nil }
    func isSuitable(_ name: String) -> Bool { providers[name].map { family.isAtHome(with: $0.kind) } ?? false }
    // The route and the default have been chosen by the operator and go first even if they are unavailable: the refusal
    // then names the cause. Among the others, one that works.
    if let chosen = [route.provider, defaultProvider].first(where: isSuitable) { return chosen }
    let others = providerNames.filter(isSuitable)
    // A deployment of Azure's has the name that somebody gave it: a service that has the model itself goes first.
    let works = others.filter { providers[$0]?.unavailability == nil }
    if let able = works.first(where: { !isAzure($0) }) ?? works.first { return able }
    // Most clients always name a model. Where the voice engine answers those that name none, it answers these too.
    return providers[route.provider]?.kind == .local ? nil : others.first
  }

  private func isAzure(_ name: String) -> Bool {
    if case .azure? = providers[name]?.kind { true } else { false }
  }

  private static func stripped(_ model: String, for entry: ProviderEntry) -> String {
    var prefixes = entry.kind.vendorPrefixes
    // Where the provider's own name is part of names that its service knows, `inworld/ROUTER`, it stays.
    if !entry.kind.servesModelsOfOthers || ModelFamily(of: entry.name + "/") == nil {
      prefixes.insert(entry.name + "/", at: 0)
    }
    for prefix in prefixes where model.hasPrefix(prefix) && model.utf8.count > prefix.utf8.count {
      return String(model.dropFirst(prefix.count))
    }
    return model
  }

  static func withoutTrailingSlash(_ path: String) -> String {
    path.hasSuffix("/") && path != "/" ? String(path.dropLast()) : path
  }
}
