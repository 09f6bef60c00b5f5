import SessionCore
import Translation

/// Section `providers` of the file.
extension TableDecoder {
  private static let keys = ["kind", "url", "key", "model", "caFile"] + geminiKeys

  /// The valid entries, and the names of all: a provider with a fault is declared nonetheless.
  mutating func providers(_ fields: Fields) -> (entries: [ProviderEntry], declared: [String]) {
    let path = fields.path.key("providers")
    guard let member = fields.member("providers") else {
      report(.missingKey, at: fields.offset, path)
      return ([], [])
    }
    guard let fields = self.fields(member.value, path, known: nil) else { return ([], []) }
    if fields.members.isEmpty { report(.empty("provider"), at: member.value.offset, path) }
    var entries: [ProviderEntry] = []
    for member in fields.members {
      let name = Located(value: member.key, offset: member.keyOffset, path: path.key(member.key))
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
      refuse(Self.keys.filter { $0 != "kind" }, fields, kind: ProviderKind.local.name)
      return ProviderEntry(name: name, kind: .local, remote: nil)
    }
    let endpoint = endpoint(fields, kind)
    let model = requiredString(fields, "model")
    if let model, !ModelName.isValid(model.value) {
      report(.badText("expected the name of a model: 1 to 256 visible ASCII characters"), at: model)
    }
    let (credential, reference) = credential(fields, endpoint)
    let caFile = string(fields, "caFile")
    let caPath: String? = if let caFile { readableFile(caFile) } else { nil }
    guard let kind, let endpoint, let model else { return nil }
    return ProviderEntry(
      name: name, kind: kind,
      remote: RemoteProvider(
        endpoint: endpoint, model: model.value, credential: credential, reference: reference, caFile: caPath))
  }

  private mutating func kind(_ fields: Fields) -> ProviderKind? {
    guard let kind = requiredString(fields, "kind") else { return nil }
    switch kind.value {
    case ProviderKind.openAI.name:
      refuse(Self.geminiKeys, fields, kind: kind.value)
      return .openAI
    case ProviderKind.geminiLive().name:
      return .geminiLive(geminiSettings(fields))
    case ProviderKind.local.name:
      return .local
    default:
      let nearest = NearestName.of(kind.value, among: ProviderKind.names)
      report(.unknownProviderKind(kind.value, nearest: nearest, known: ProviderKind.names), at: kind)
      return nil
    }
  }

  private mutating func refuse(_ keys: [String], _ fields: Fields, kind: String) {
    for key in keys {
      guard let member = fields.member(key) else { continue }
      report(.notOfThisKind(kind: kind), at: member.keyOffset, fields.path.key(key))
    }
  }

  /// Google's addresses follow from the rest of the section.
  private mutating func endpoint(_ fields: Fields, _ kind: ProviderKind?) -> Endpoint? {
    if case .geminiLive(let settings)? = kind, fields.member("url") == nil {
      return try? Endpoint(url: "wss://" + settings.host)
    }
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
        report(cause, at: member.keyOffset, fields.path.key(member.key))
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
        report(.keyNeeded(host: endpoint.host), at: fields.offset, fields.path.key("key"))
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
