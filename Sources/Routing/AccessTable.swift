public import Envelope
public import Translation

/// Who may connect, by the configuration: section `access`, and section `tokens` beside it.
public struct AccessTable: Sendable {
  /// Keys of clients. Empty, with none in the ledger either: anonymous clients on loopback, and no others.
  public var keys: [AccessKey]
  /// Those that the file names; `App.usual` exists without being written.
  public var apps: [App]
  /// Web pages that may use static keys, whichever the key and the route are.
  public var origins: [OriginPattern]
  /// The IP addresses of reverse proxies whose `X-Forwarded-For` counts.
  public var proxies: [String]
  /// The key of the operator, that opens the administrative routes and minting; nil: these routes are closed.
  public var admin: Redacted<String>?
  public var tokens: TokenSettings

  public init(
    keys: [AccessKey] = [], apps: [App] = [], origins: [OriginPattern] = [], proxies: [String] = [],
    admin: Redacted<String>? = nil, tokens: TokenSettings = TokenSettings()
  ) {
    self.keys = keys
    self.apps = apps
    self.origins = origins
    self.proxies = proxies
    self.admin = admin
    self.tokens = tokens
  }
}

/// A client's key and the name that it goes by in logs and usage.
public struct AccessKey: Sendable {
  /// Where the key comes from.
  public enum Secret: Sendable {
    /// The key itself, from outside of the file.
    case value(SecretReference, Redacted<String>)
    /// SHA-256 of the key, 32 bytes: the gateway never has the key.
    case digest([UInt8])
  }

  /// The longest key, in bytes.
  public static let longestKeyBytes = 512

  public var name: String
  public var secret: Secret
  /// How its holder is talked to.
  public var preference: WirePreference
  public var limits: HolderLimits
  /// The name of the app that it belongs to.
  public var app: String
  /// Unix time from which on it is refused; nil: never.
  public var expiresAt: Int?
  /// The providers that it may use, as `NamePattern`; nil: all.
  public var providers: [String]?
  /// The models that it may use, as `NamePattern`; nil: all.
  public var models: [String]?
  /// Web pages that may use it, beside those of its app, its route and the section.
  public var origins: [OriginPattern]
  /// It may stand in a web page: it makes tokens and opens nothing itself.
  public var isPublishable: Bool
  /// The operator's own, kept with the usage.
  public var metadata: JSONObject

  public init(
    name: String, secret: Secret, preference: WirePreference = WirePreference(), limits: HolderLimits = HolderLimits(),
    app: String = App.usual.name, expiresAt: Int? = nil, providers: [String]? = nil, models: [String]? = nil,
    origins: [OriginPattern] = [], isPublishable: Bool = false, metadata: JSONObject = [:]
  ) {
    self.name = name
    self.secret = secret
    self.preference = preference
    self.limits = limits
    self.app = app
    self.expiresAt = expiresAt
    self.providers = providers
    self.models = models
    self.origins = origins
    self.isPublishable = isPublishable
    self.metadata = metadata
  }

  /// A key whose secret is known here.
  public init(name: String, reference: SecretReference, key: Redacted<String>) {
    self.init(name: name, secret: .value(reference, key))
  }

  /// Empty for a key of which only the digest is configured.
  public var key: Redacted<String> {
    if case .value(_, let key) = secret { key } else { Redacted("") }
  }

  /// What may be shown of where it comes from: `env:NAME`, `file:PATH`, or `sha256`.
  public var source: String {
    switch secret {
    case .value(let reference, _): reference.description
    case .digest: "sha256"
    }
  }
}

/// One of the applications that a deployment serves: what its keys and tokens have in common.
public struct App: Sendable, Equatable {
  /// The app of keys that name none.
  public static let usual = App(name: "default")

  /// 1 to 64 letters, digits, ".", "_" and "-".
  public var name: String
  /// The providers that it may use, as `NamePattern`; nil: all.
  public var providers: [String]?
  /// The models that it may use, as `NamePattern`; nil: all.
  public var models: [String]?
  /// Of all its keys and tokens together.
  public var limits: HolderLimits
  /// How its clients are talked to, where their key does not say.
  public var preference: WirePreference
  /// Web pages that may use its keys.
  public var origins: [OriginPattern]
  /// The operator's own, kept with the usage.
  public var metadata: JSONObject

  public init(
    name: String, providers: [String]? = nil, models: [String]? = nil, limits: HolderLimits = HolderLimits(),
    preference: WirePreference = WirePreference(), origins: [OriginPattern] = [], metadata: JSONObject = [:]
  ) {
    self.name = name
    self.providers = providers
    self.models = models
    self.limits = limits
    self.preference = preference
    self.origins = origins
    self.metadata = metadata
  }
}

/// Names of providers and models that a key or an app may use: exact, or the beginning before a `*` at the end.
public enum NamePattern {
  /// A pattern: 1 to 256 visible ASCII characters, `*` only at the end.
  public static func isValid(_ pattern: String) -> Bool {
    let bytes = pattern.utf8
    return (1...256).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
      && !bytes.dropLast().contains(UInt8(ascii: "*"))
  }

  /// The patterns that admit what both lists admit; nil where neither is there.
  public static func common(_ left: [String]?, _ right: [String]?) -> [String]? {
    guard let left else { return right }
    guard let right else { return left }
    func covers(_ wide: String, _ narrow: String) -> Bool {
      wide.hasSuffix("*") ? narrow.hasPrefix(wide.dropLast()) : wide == narrow
    }
    return left.filter { narrow in right.contains { covers($0, narrow) } }
      + right.filter { narrow in left.contains { covers($0, narrow) && $0 != narrow } }
  }

  /// Whether one of the patterns admits the name; true without patterns.
  public static func admit(_ name: String, _ patterns: [String]?) -> Bool {
    guard let patterns else { return true }
    return patterns.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name == $0 }
  }
}

/// Section `tokens`: how ephemeral tokens are signed and checked.
public struct TokenSettings: Sendable {
  /// The shortest secret, in bytes (RFC 7518 section 3.2 for HS256).
  public static let shortestSecretBytes = 32
  /// The longest `longestSeconds`.
  public static let longestLifetimeSeconds = 86_400

  /// Of HS256. The first signs; the others still verify, so that a secret can be changed while its tokens live. A secret
  /// without a name gets one from itself, the same in every replica. By default the environment's `JWT_SECRET`; empty
  /// together with the keys below: this process makes one of its own.
  public var secrets: [(kid: String?, secret: Redacted<String>)] = []
  /// Public keys of Ed25519, 32 bytes each.
  public var verifyingKeys: [(kid: String, publicKey: [UInt8])] = []
  /// A private key of Ed25519, 32 bytes, that signs in place of the first secret.
  public var signingKey: (kid: String, privateKey: Redacted<[UInt8]>)?
  /// `iss` and `aud` of tokens.
  public var issuer = "parley"
  public var audience = "parley"
  /// Of tokens whose order names no lifetime.
  public var lifetimeSeconds = 300
  /// The longest lifetime of a token.
  public var longestSeconds = 7_200
  /// How far a clock may be behind that of whoever minted a token: for `nbf` and `iat`, never for `exp`.
  public var skewSeconds = 30
  /// Where clients of tokens are told to connect, `ws://…` or `wss://…`; nil: derived from the request.
  public var publicURL: String?

  public init() {}

  /// Whether any token of another process can be good here.
  public var isConfigured: Bool { !secrets.isEmpty || !verifyingKeys.isEmpty || signingKey != nil }
}
