import Envelope
import SessionCore
import Translation

/// The effective table as `parley check` prints it: every value that is in force, defaults included, and no secret.
public struct RedactedDump: Sendable, CustomStringConvertible {
  let table: RouteTable

  public init(_ table: RouteTable) {
    self.table = table
  }

  /// Lines of text, one for each setting; provider lines end in `available` or in why not.
  public var description: String {
    var lines = listeners + providers
    lines.append("routes")
    lines += table.routes.map { "  " + (["\($0.path) -> \($0.provider)"] + parts(of: $0)).joined(separator: "  ") }
    lines += access + tokens + ledger
    lines.append("contact  \(table.contact.isEmpty ? "none" : quoted(table.contact))")
    lines.append("limits")
    let defaults = GatewayLimits()
    for definition in LimitDefinition.all {
      let value = LimitDefinition.plain(definition.value(in: table.limits))
      let usual = LimitDefinition.plain(definition.value(in: defaults))
      lines.append("  \(definition.name) \(value)" + (value == usual ? "" : " (default \(usual))"))
    }
    return lines.joined(separator: "\n")
  }

  private var listeners: [String] {
    let isOpen = table.accessKeys.isEmpty && table.access.admin == nil && !table.access.tokens.isConfigured
    let note = isOpen ? " (loopback only: there are no access keys)" : ""
    return ["listen" + note]
      + table.listeners.map { listener in
        var parts = [listener.description]
        if listener.serves != Listener.Service.all {
          parts.append("serves " + listener.serves.map(\.rawValue).sorted().joined(separator: ", "))
        }
        if let tls = listener.tls { parts += self.parts(of: tls) }
        return "  " + parts.joined(separator: "  ")
      }
  }

  private func parts(of tls: ListenerTLS) -> [String] {
    var parts = ["tls \(tls.certificate)", "key \(tls.key)"]
    if let clientCA = tls.clientCA { parts.append("clientCA \(clientCA) \(tls.clientCertificate.rawValue)") }
    return parts
  }

  private var providers: [String] {
    var lines = ["default  \(table.defaultProvider)", "providers"]
    for name in table.providerNames {
      guard let entry = table.providers[name] else { continue }
      var parts = [entry.name, entry.kind.name]
      if let remote = entry.remote {
        parts += [remote.endpoint.description, "model \(remote.model)"]
        parts += self.parts(of: entry.kind)
        parts += self.parts(of: remote.limits.holder)
        if let most = remote.limits.maxFramesPerSecond { parts.append("maxFramesPerSecond \(most)") }
        if let caFile = remote.caFile { parts.append("caFile \(caFile)") }
        if remote.allowsPrivateAddresses { parts.append("allowPrivateAddresses") }
        parts.append(credential(remote))
      } else {
        parts.append("in this process, no key: available")
      }
      lines.append("  " + parts.joined(separator: "  "))
    }
    return lines
  }

  private func parts(of route: Route) -> [String] {
    let fields = route.deltaFields == .delta ? nil : route.deltaFields
    var parts = parts(of: WirePreference(dialect: route.dialect, deltaFields: fields))
    if route.isStrict { parts.append("strict") }
    if route.passesVendorEvents { parts.append("vendorEvents") }
    if route.passesClientKeys { parts.append("clientKeys") }
    return parts + self.parts("origins", route.origins.map(\.description))
  }

  func parts(of preference: WirePreference) -> [String] {
    [preference.dialect.map { "dialect \($0.name)" }, preference.deltaFields.map { "deltaField \($0.name)" }]
      .compactMap { $0 }
  }

  private func parts(of kind: ProviderKind) -> [String] {
    switch kind {
    case .geminiLive(let settings): parts(of: settings)
    case .azure(let settings): parts(of: settings)
    case .inworld(let settings):
      [
        settings.transcriptionModel.map { "transcriptionModel \($0)" },
        settings.voiceModel.map { "voiceModel \($0)" }, settings.voice.map { "voice \(quoted($0))" },
      ].compactMap { $0 }
    case .vowel(let settings): parts(of: settings)
    case .openAI, .xai, .local: []
    }
  }

  private func parts(of settings: AzureSettings) -> [String] {
    var parts = ["api \(settings.api.rawValue)"]
    if let version = settings.apiVersion { parts.append("apiVersion \(version)") }
    switch settings.credential {
    case .header: break
    case .bearer: parts.append("keyType access-token")
    case .entra(let tenant, let clientID): parts.append("keyType client-secret  tenant \(tenant)  clientID \(clientID)")
    }
    if let url = settings.tokenURL { parts.append("tokenURL \(url)") }
    return parts
  }

  private func parts(of settings: VowelSettings) -> [String] {
    var parts: [String]
    switch settings.tokens {
    case .none: parts = []
    case .engine: parts = ["tokens engine"]
    case .core(let appID): parts = ["tokens core  appID \(appID)"]
    }
    if let url = settings.tokenURL { parts.append("tokenURL \(url)") }
    if let voice = settings.voice { parts.append("voice \(quoted(voice))") }
    return parts
  }

  private func parts(of settings: GeminiLiveSettings) -> [String] {
    var parts = ["apiVersion \(settings.effectiveAPIVersion)"]
    switch settings.place {
    case .aiStudio: break
    case .vertex(let project, let location): parts.append("vertex \(project) \(location)")
    case .vertexExpress: parts.append("vertex express")
    }
    if settings.keyType != .apiKey { parts.append("keyType \(settings.keyType.rawValue)") }
    if let quotaProject = settings.quotaProject { parts.append("quotaProject \(quotaProject)") }
    if settings.isStrict { parts.append("strict") }
    if !settings.aliases.isEmpty { parts.append("aliases \(settings.aliases.count)") }
    if !settings.voices.isEmpty { parts.append("voices \(settings.voices.count)") }
    if settings.overridesModels { parts.append("models changed") }
    return parts
  }

  private func credential(_ remote: RemoteProvider) -> String {
    let reference = remote.reference?.description ?? ""
    return switch remote.credential {
    case .none: "no key: available"
    case .secret(let secret): "key \(reference) \(secret): available"
    case .serviceAccount(let account): "serviceAccount \(reference) \(account.email): available"
    case .unavailable(let fault): "key \(reference): unavailable, \(fault)"
    }
  }
}
