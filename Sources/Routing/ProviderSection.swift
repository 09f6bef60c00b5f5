import SessionCore
import Translation

/// Section `providers` of the file.
extension TableDecoder {
  /// The keys that only some kinds have.
  private static let keysOfKinds = unique(
    [
      ConfigurationReference.gemini, ConfigurationReference.azure, ConfigurationReference.inworld,
      ConfigurationReference.vowel,
    ].flatMap(\.names))
  private static let keys = ConfigurationReference.provider.names + keysOfKinds

  private static func unique(_ keys: [String]) -> [String] {
    keys.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The valid entries, and the names of all: a provider with a fault is declared nonetheless.
  mutating func providers(_ fields: Fields) -> (entries: [ProviderEntry], declared: [String]) {
    let path = fields.path.key("providers")
    guard let member = fields.member("providers") else {
      report(.missingKey, at: fields.place, path)
      return ([], [])
    }
    guard let fields = self.fields(member.value, path, known: nil) else { return ([], []) }
    if fields.members.isEmpty { report(.empty("provider"), at: member.value.place, path) }
    var entries: [ProviderEntry] = []
    for member in fields.members {
      let name = Located(value: member.key, place: member.keyPlace, path: path.key(member.key))
      checkName(name)
      // `models/...` is how Google writes a model's name; a provider called so would take these names.
      if name.value == "models" { report(.badName("\"models\" begins the names of Gemini's models"), at: name) }
      if let entry = provider(name.value, member.value, name.path) { entries.append(entry) }
    }
    return (entries, fields.members.map(\.key))
  }

  private mutating func provider(_ name: String, _ value: PositionedValue, _ path: ValuePath) -> ProviderEntry? {
    guard let fields = fields(value, path, known: Self.keys) else { return nil }
    let kind = kind(fields)
    if kind == .local {
      refuse(Self.keys.filter { $0 != "kind" }, fields, .notOfThisKind(kind: ProviderKind.local.name))
      return ProviderEntry(name: name, kind: .local, remote: nil)
    }
    let endpoint = endpoint(fields, kind)
    let model = model(fields, kind)
    let (credential, reference) = credential(fields, endpoint)
    let caFile = string(fields, "caFile")
    let caPath: String? = if let caFile { readableFile(caFile) } else { nil }
    let allowsPrivateAddresses = flag(fields, "allowPrivateAddresses")
    guard let kind, let endpoint, let model else { return nil }
    return ProviderEntry(
      name: name, kind: kind,
      remote: RemoteProvider(
        endpoint: endpoint, model: model, credential: credential, reference: reference, caFile: caPath,
        allowsPrivateAddresses: allowsPrivateAddresses, limits: accountLimits(fields, kind)))
  }

  private mutating func kind(_ fields: Fields) -> ProviderKind? {
    guard let kind = requiredString(fields, "kind") else { return nil }
    let (provider, own): (ProviderKind, [String])
    switch kind.value {
    case ProviderKind.openAI.name: (provider, own) = (.openAI, [])
    case ProviderKind.geminiLive().name:
      (provider, own) = (.geminiLive(geminiSettings(fields)), ConfigurationReference.gemini.names)
    case ProviderKind.azure().name:
      (provider, own) = (.azure(azureSettings(fields)), ConfigurationReference.azure.names)
    case ProviderKind.xai.name: (provider, own) = (.xai, [])
    case ProviderKind.inworld().name:
      (provider, own) = (.inworld(inworldSettings(fields)), ConfigurationReference.inworld.names)
    case ProviderKind.vowel().name:
      (provider, own) = (.vowel(vowelSettings(fields)), ConfigurationReference.vowel.names)
    case ProviderKind.local.name: return .local
    default:
      let nearest = NearestName.of(kind.value, among: ProviderKind.names)
      report(.unknownProviderKind(kind.value, nearest: nearest, known: ProviderKind.names), at: kind)
      return nil
    }
    refuse(Self.keysOfKinds.filter { !own.contains($0) }, fields, .notOfThisKind(kind: kind.value))
    return provider
  }

  /// Reports each of the keys that is there.
  mutating func refuse(_ keys: [String], _ fields: Fields, _ cause: RouteFault.Cause) {
    for key in keys {
      guard let member = fields.member(key) else { continue }
      report(cause, at: member.keyPlace, fields.path.key(key))
    }
  }

  private mutating func model(_ fields: Fields, _ kind: ProviderKind?) -> String? {
    if fields.member("model") == nil, let usual = kind?.usualModel { return usual }
    let model = requiredString(fields, "model")
    if let model, !ModelName.isValid(model.value) {
      report(.badText("expected the name of a model: 1 to 256 visible ASCII characters"), at: model)
    }
    return model?.value
  }

  private mutating func accountLimits(_ fields: Fields, _ kind: ProviderKind) -> AccountLimits {
    var limits = kind.usualLimits
    limits.maxFramesPerSecond = most(fields, "maxFramesPerSecond") ?? limits.maxFramesPerSecond
    let others = holderLimits(fields)
    limits.maxSessions = others.maxSessions ?? limits.maxSessions
    limits.maxConnectsPerSecond = others.maxConnectsPerSecond
    limits.maxMinutesPerSession = others.maxMinutesPerSession
    limits.maxMinutesPerDay = others.maxMinutesPerDay
    return limits
  }

  private mutating func endpoint(_ fields: Fields, _ kind: ProviderKind?) -> Endpoint? {
    if fields.member("url") == nil, let usual = kind?.usualURL { return try? Endpoint(url: usual) }
    return requiredString(fields, "url").flatMap { endpoint($0) }
  }

  private mutating func endpoint(_ url: Located<String>) -> Endpoint? {
    do {
      return try Endpoint(url: url.value)
    } catch {
      report(.badURL(error), at: url)
      return nil
    }
  }

  /// A secret that is absent makes the provider unavailable and is no fault, so that one file serves every machine.
  private mutating func credential(
    _ fields: Fields, _ endpoint: Endpoint?
  ) -> (ProviderCredential, SecretReference?) {
    if let member = fields.member("serviceAccount") {
      if fields.member("key") != nil {
        let cause = RouteFault.Cause.badText("there is a key already; one of the two is enough")
        report(cause, at: member.keyPlace, fields.path.key(member.key))
      }
      guard let text = string(fields, "serviceAccount"), let reference = reference(text) else { return (.none, nil) }
      do {
        return (.serviceAccount(try sources.serviceAccount(reference, directory: directory)), reference)
      } catch {
        return (.unavailable(error), reference)
      }
    }
    guard fields.member("key") != nil else {
      if let endpoint, !endpoint.isLoopback {
        report(.keyNeeded(host: endpoint.host), at: fields.place, fields.path.key("key"))
      }
      return (.none, nil)
    }
    guard let text = string(fields, "key"), let reference = reference(text) else { return (.none, nil) }
    do {
      return (.secret(try sources.secret(reference, directory: directory)), reference)
    } catch {
      return (.unavailable(error), reference)
    }
  }
}

/// What holds where the section does not say otherwise.
extension ProviderKind {
  /// The service's public address; nil where everybody has one of their own.
  fileprivate var usualURL: String? {
    switch self {
    case .geminiLive(let settings): "wss://" + settings.host
    case .xai: "wss://api.x.ai/v1/realtime"
    case .inworld: "wss://api.inworld.ai"
    case .openAI, .azure, .vowel, .local: nil
    }
  }

  /// Of sessions whose client names none.
  fileprivate var usualModel: String? {
    switch self {
    case .xai: "grok-voice-latest"
    case .inworld: "google-ai-studio/gemini-2.5-flash"
    case .openAI, .geminiLive, .azure, .vowel, .local: nil
    }
  }

  /// Inworld's are those of every account that has not asked for more (R165, R166).
  fileprivate var usualLimits: AccountLimits {
    if case .inworld = self { AccountLimits(maxSessions: 20, maxFramesPerSecond: 1_000) } else { AccountLimits() }
  }
}
