import Envelope

// Who may connect, and what is kept of it.

extension RedactedDump {
  var access: [String] {
    var lines = table.accessKeys.map { key in
      let source = if case .value = key.secret { "key \(key.source) \(key.key)" } else { "keyHash \(key.source)" }
      return "  " + (["\(key.name)  \(source)"] + parts(of: key)).joined(separator: "  ")
    }
    lines += table.access.apps.map { app in "  " + (["app \(app.name)"] + parts(of: app)).joined(separator: "  ") }
    lines += parts("origins", table.access.origins.map(\.description)).map { "  \($0)" }
    if table.access.admin != nil { lines.append("  admin  a key is set") }
    lines += table.proxies.map { "  proxy \($0)" }
    return [table.accessKeys.isEmpty ? "access  none: anonymous clients on loopback" : "access"] + lines
  }

  private func parts(of key: AccessKey) -> [String] {
    var parts = self.parts(of: key.preference) + self.parts(of: key.limits)
    if key.app != App.usual.name { parts.append("app \(key.app)") }
    if let time = key.expiresAt { parts.append("expires \(time)") }
    if key.isPublishable { parts.append("publishable") }
    return parts + self.parts("providers", key.providers) + self.parts("models", key.models)
      + self.parts("origins", key.origins.map(\.description))
  }

  private func parts(of app: App) -> [String] {
    parts(of: app.preference) + parts(of: app.limits) + parts("providers", app.providers) + parts("models", app.models)
      + parts("origins", app.origins.map(\.description))
  }

  func parts(of limits: HolderLimits) -> [String] {
    HolderLimitDefinition.all.compactMap { definition in
      definition.value(in: limits).map { "\(definition.name) \(LimitDefinition.plain($0))" }
    }
  }

  func parts(_ name: String, _ values: [String]?) -> [String] {
    guard let values, !values.isEmpty else { return [] }
    return ["\(name) \(values.joined(separator: ","))"]
  }

  /// Section `tokens`: how many secrets there are, and what differs from the usual.
  var tokens: [String] {
    let settings = table.access.tokens
    let usual = TokenSettings()
    var parts: [String] = []
    if settings.isConfigured {
      parts.append("secrets \(settings.secrets.count)")
      if let key = settings.signingKey { parts.append("signs with \(key.kid)") }
      if !settings.verifyingKeys.isEmpty { parts.append("public keys \(settings.verifyingKeys.count)") }
    } else {
      parts.append("a secret of this process")
    }
    for (name, value, other) in [
      ("lifetimeSeconds", settings.lifetimeSeconds, usual.lifetimeSeconds),
      ("longestSeconds", settings.longestSeconds, usual.longestSeconds),
      ("skewSeconds", settings.skewSeconds, usual.skewSeconds),
    ] where value != other {
      parts.append("\(name) \(value)")
    }
    if settings.issuer != usual.issuer { parts.append("issuer \(settings.issuer)") }
    if settings.audience != usual.audience { parts.append("audience \(settings.audience)") }
    if let url = settings.publicURL { parts.append("publicURL \(url)") }
    return ["tokens  " + parts.joined(separator: "  ")]
  }

  /// Section `ledger`.
  var ledger: [String] {
    let ledger = table.ledger
    var parts: [String]
    switch ledger.store {
    case .none: return ["ledger  none"]
    case .sqlite(let path): parts = ["sqlite \(path ?? "in the data folder")"]
    case .postgres(_, let reference): parts = ["postgres \(reference)"]
    }
    if let webhook = ledger.webhook {
      parts.append("webhook \(webhook.url)")
      if let key = webhook.key { parts.append("key \(key.reference)") }
      if webhook.sendsUpdates { parts.append("updates") }
    }
    if ledger.spoolBytes != LedgerTable().spoolBytes { parts.append("spoolBytes \(ledger.spoolBytes)") }
    return ["ledger  " + parts.joined(separator: "  ")]
  }
}
