extension ConfigurationReference {
  // MARK: access

  static let access: ConfigurationSection = [
    .init(
      "keys", value: .list("keys"),
      "the static keys of clients, below; others can be made by command and API, see [access.md](access.md)"),
    .init("apps", value: .list("apps"), usual: "`default`", "what several keys have in common, below"),
    .init("origins", value: .list("[web pages](#web-pages)"), "pages that may use static keys"),
    .init(
      "admin", value: .reference, usual: "the environment's `ENGINE_API_KEY`, if it is set",
      """
      the operator's key, which opens `/api/v1/...` and may mint tokens. Without one those answer 403 `admin_disabled`
      """),
    .init(
      "proxies", value: .list("IP addresses and networks (`10.0.0.0/8`)"),
      """
      reverse proxies. A client that comes through one of them has the address that the proxy wrote into \
      `X-Forwarded-For`, the last there that is none of theirs, and is on this machine only if that address is. From \
      anybody else the field means nothing
      """),
  ]

  /// What keys and apps have in common.
  private static let holder: [ConfigurationKey] = [
    .init(
      "origins", value: .list("[web pages](#web-pages)"), "pages that may use it"),
    .init(
      "metadata", value: .object(""),
      "the operator's own, at most \(grouped(Double(TableDecoder.longestMetadataBytes))) bytes, kept with the usage"),
    .init(
      HolderLimitDefinition.all.map(\.name), value: .other("number"),
      "[below](#bounds-of-a-key-an-app-a-provider)"),
  ]

  static let accessKey = ConfigurationSection(
    keys: [
      .init(
        "name", value: .text, usual: "required",
        "what the key goes by in logs and usage: 1 to 64 letters, digits, `.`, `_` and `-`"),
      .init("key", value: .reference, usual: "required without `keyHash`", "the key"),
      .init(
        "keyHash", value: .text, usual: "required without `key`",
        "its digest, as `parley key hash` prints it: then the gateway never has the key"),
      .init("app", value: .text, usual: "`\(App.usual.name)`", "the app that it belongs to"),
      .init("expires", value: .other("day or time (RFC 3339)"), usual: "never", "from then on it is refused"),
      .init(
        "providers", "models", value: .list("names"), usual: "all",
        """
        what it may use: names, or beginnings before a `*`. Anything else is 403, and in `session.update` the model \
        stays what it was (on a strict route: an `error`)
        """),
      .init(
        "publishable", value: .flag, usual: "`false`; `true` for keys that begin with `vkey_`",
        "it may stand in a web page: it makes tokens and opens nothing itself"),
      .init(
        "dialect", "deltaField", value: .other("as of a [route](#a-route)"),
        usual: "none; `deltaField` `both` for keys that begin with `hyb_`",
        "how its holder is talked to; comes before the app's and the route's"),
    ] + holder)

  static let app = ConfigurationSection(
    keys: [
      .init("name", value: .text, usual: "required", "1 to 64 letters, digits, `.`, `_` and `-`"),
      .init(
        "providers", "models", value: .list("names"), usual: "all",
        "what all its keys and tokens may use; what a key may use has to be in both lists"),
      .init(
        "dialect", "deltaField", value: .other("as of a [route](#a-route)"),
        "how holders of its keys are talked to, where the key does not say; comes before the route's"),
    ] + holder)

  // MARK: tokens

  static let tokens: ConfigurationSection = [
    .init(
      "secrets", value: .list("secrets"), usual: "`[{\"secret\": \"env:JWT_SECRET\"}]` where that is set",
      """
      for HS256. The first signs, the others still verify. None: the process makes one, and tokens end with it
      """),
    .init(
      "keys", value: .list("keys"), "of Ed25519. A private key signs in place of the first secret"),
    .init(
      "lifetimeSeconds", value: .other("1 to `longestSeconds`"), usual: grouped(Double(usualTokens.lifetimeSeconds)),
      "of tokens whose order names none; 600 and 60 for OpenAI's two ways of minting"),
    .init(
      "longestSeconds", value: .whole(1...TokenSettings.longestLifetimeSeconds),
      usual: grouped(Double(usualTokens.longestSeconds)), "the longest life of a token"),
    .init(
      "skewSeconds", value: .whole(0...60), usual: grouped(Double(usualTokens.skewSeconds)),
      "how far a clock may be behind; never for the end of a token"),
    .init("issuer", "audience", value: .text, usual: "`\(usualTokens.issuer)`", "what tokens have to name"),
    .init(
      "publicURL", value: .url("`wss://` or `ws://`"),
      usual: "the environment's `PUBLIC_WS_URL`, else that of the request",
      "where holders of tokens are told to connect: `wss://voice.example.com/v1/realtime`"),
  ]

  private static let usualTokens = TokenSettings()

  static let tokenSecret: ConfigurationSection = [
    .init("kid", value: .text, usual: "from the secret, the same everywhere", "the name that tokens call it by"),
    .init(
      "secret", value: .reference, usual: "required", "at least \(TokenSettings.shortestSecretBytes) bytes"),
  ]

  static let tokenKey: ConfigurationSection = [
    .init("kid", value: .text, usual: "required", "the name that tokens call it by"),
    .init("publicKey", value: .reference, usual: "required without `privateKey`", "PEM; it verifies"),
    .init(
      "privateKey", value: .reference, usual: "required without `publicKey`",
      "PEM; it signs and verifies. There may be one"),
  ]

  // MARK: ledger

  static let ledger: ConfigurationSection = [
    .init(
      "sqlite", value: .path, usual: "`usage.sqlite` in the data folder",
      """
      a file. In the data folder (`$PARLEY_DATA`, `/app/data` or `./data`) one that cannot be written is a warning, and \
      nothing is kept; one that is named here has to be writable
      """),
    .init(
      "postgres", value: .reference,
      "in place of `sqlite`: a connection string of libpq. One database serves many replicas"),
    .init(
      "webhook", value: .object(""), "every record is sent there as a CloudEvent, below"),
    .init(
      "spoolBytes", value: .whole(TableDecoder.spoolRange), usual: grouped(Double(LedgerTable().spoolBytes)),
      "what may wait on disk for the store, and for the webhook, while it does not answer"),
  ]

  static let webhook: ConfigurationSection = [
    .init("url", value: .url("`https://`, or `http://` of this machine"), usual: "required", "without a query"),
    .init("key", value: .reference, "sent as `Authorization: Bearer`"),
    .init(
      "updates", value: .flag, usual: "`false`", "`true` also sends the records of sessions that go on"),
  ]
}
