/// Every key of the configuration file. The decoder takes its known keys from here, and `parley reference` prints the
/// tables of docs/configuration.md.
public enum ConfigurationReference {
  static let top: ConfigurationSection = [
    .init(
      "listen", value: .list("[addresses](#an-address)"), usual: "`127.0.0.1` and `::1`, port 8787",
      """
      where to listen. Without keys, secrets of tokens or `access.admin` only loopback addresses are allowed. Takes \
      effect at the start
      """),
    .init("default", value: .text, usual: "required", "name of the provider of sessions that name none"),
    .init("providers", value: .object("[providers](#a-provider)"), usual: "required", "providers by name"),
    .init(
      "routes", value: .list("[routes](#a-route)"), usual: code(RouteTable.defaultPaths),
      "where sessions are opened"),
    .init("access", value: .object(""), "[who may connect](#access): keys, apps, web pages, the operator's key"),
    .init("tokens", value: .object(""), usual: "below", "how [ephemeral tokens](#tokens) are signed and checked"),
    .init(
      "ledger", value: .other("object or `none`"), usual: "SQLite in the data folder",
      "where [usage and keys are kept](#ledger). Takes effect at the start"),
    .init(
      "contact", value: .text, "stands behind the message of a refusal; at most 500 bytes, one line"),
    .init("limits", value: .object("numbers"), usual: "below", "[limits](#limits) of the gateway"),
  ]

  // MARK: listen

  static let listener: ConfigurationSection = [
    .init("host", value: .other("IP address or name"), usual: "required", "without brackets and port"),
    .init("port", value: .other("0 to 65535"), usual: "required", "0: the system chooses, and the log says which"),
    .init(
      "serves", value: .list(code(Listener.Service.allCases.map(\.rawValue))), usual: "all of them",
      """
      what the address is for: `sessions`, with models, voices, speech and capabilities; `tokens`, the minting of \
      them; `admin`, all that is the operator's, metrics included; `metrics`, `/metrics` alone. `/health` is everywhere
      """),
    .init("tls", value: .object(""), "[TLS](#tls) for its clients; without it the connections are not encrypted"),
  ]

  static let tls: ConfigurationSection = [
    .init(
      "certificate", value: .path, usual: "required",
      "PEM: the certificate, and behind it what leads to an authority"),
    .init("key", value: .reference, usual: "required", "the private key, in PEM"),
    .init("clientCA", value: .path, "PEM of the authorities whose certificates clients have to show"),
    .init(
      "clientCertificate", value: .choice(ListenerTLS.ClientCertificate.allCases.map(\.rawValue)), usual: "`required`",
      "with `clientCA`. `optional`: a client without a certificate is let in, one with a wrong one is not"),
  ]

  // MARK: routes

  static let route: ConfigurationSection = [
    .init("path", value: .text, usual: "required", "where sessions are opened; a slash at its end does not matter"),
    .init("provider", value: .text, usual: "`default`", "the provider of sessions that name none"),
    .init(
      "dialect", value: .choice(dialects),
      "the vocabulary of clients that show none; `auto`: the first event tells"),
    .init(
      "deltaField", value: .choice(deltaFields), usual: "`both` at `\(Route.managedPath)`, else `delta`",
      "what carries the audio of `response.output_audio.delta`: `delta`, or `delta` and `audio` (`both`)"),
    .init(
      "strict", value: .flag, usual: "`false`",
      """
      `true`: a field without a counterpart at the provider is refused with an `error` that names it. `false`: the \
      client sees in `session.updated` what really happens, and the operator a log line and the metric \
      `parley_fields_without_counterpart_total`
      """),
    .init(
      "vendorEvents", value: .flag, usual: "`false`", "`true`: events that only the provider knows reach the client"),
    .init(
      "origins", value: .list("[web pages](#web-pages)"),
      "pages that may use static keys here; where there are any, tokens are bound to them too"),
    .init(
      "clientKeys", value: .flag, usual: "`false`",
      """
      `true`: a key that is none of ours is the client's own at the provider. It goes there in place of the configured \
      one, whose absence then does not matter, and is kept nowhere. Not with `local` and service accounts
      """),
  ]

  static let dialects = ["ga", "beta", "auto"]
  static let deltaFields = ["delta", "both"]

  // MARK: All of them

  /// The tables of docs/configuration.md.
  public static let tables: [ReferenceTable] = [
    top.table("top"), listener.table("address"), tls.table("tls"), route.table("route"), provider.table("provider"),
    azure.table("azure"), inworld.table("inworld"), vowel.table("vowel"), gemini.table("gemini-live"),
    geminiModel.table("gemini-live models"), access.table("access"), accessKey.table("access key"),
    app.table("access app"), holderLimits, tokens.table("tokens"), tokenSecret.table("token secret"),
    tokenKey.table("token key"), ledger.table("ledger"), webhook.table("webhook"), limits,
  ]

  /// Bounds of a key, an app, a provider.
  static let holderLimits = ReferenceTable(
    name: "bounds", columns: ["key", "range", "what it bounds, and what happens beyond"],
    rows: HolderLimitDefinition.all.map { definition in
      [
        "`\(definition.name)`", "\(grouped(definition.range.lowerBound)) to \(grouped(definition.range.upperBound))",
        definition.meaning,
      ]
    })

  /// Section `limits`.
  public static let limits = ReferenceTable(
    name: "limits", columns: ["key", "default", "range", "what it bounds, and what happens beyond"],
    rows: LimitDefinition.all.map { definition in
      [
        "`\(definition.name)`", usual(definition), "\(grouped(definition.lowest)) to \(grouped(definition.highest))",
        definition.meaning,
      ]
    })

  private static func usual(_ definition: LimitDefinition) -> String {
    guard let value = definition.value(in: GatewayLimits()) else { return definition.absence }
    guard definition.unit != .count else { return grouped(value) }
    return grouped(value) + " " + (value == 1 ? String(definition.unit.rawValue.dropLast()) : definition.unit.rawValue)
  }
}
