public import Routing
public import Translation

/// Who a session belongs to.
public enum Principal: Sendable, Hashable {
  /// A client on loopback of a server without access keys.
  case anonymous
  /// The holder of an access key.
  case key(id: String, name: String, app: String)
  /// The holder of an ephemeral token; `key` is the name of the key that it was made with.
  case token(id: String, key: String?, app: String)
  /// A client with a key of its own at the provider; of it only the first 8 hexadecimal digits of the SHA-256.
  case clientKey(fingerprint: String)
  /// The operator.
  case admin

  /// What usage is booked on: the name of a key, or nil.
  public var usageKey: String? {
    switch self {
    case .key(_, let name, _): name
    case .token(_, let key, _): key
    case .anonymous, .clientKey, .admin: nil
    }
  }

  public var usageApp: String {
    switch self {
    case .key(_, _, let app), .token(_, _, let app): app
    case .anonymous, .clientKey, .admin: App.usual.name
    }
  }
}

/// A client that is let in.
public struct Admittance: Sendable {
  public let principal: Principal
  /// Its key; of a token the one that it was made with, where that is known here.
  public let key: KeyRecord?
  /// Its app; one that is not known here limits nothing.
  public let app: App
  public let claims: TokenClaims?
  /// The client's own key at the provider, to be used in place of the configured one.
  public let clientKey: Redacted<String>?
  /// How it is talked to, as far as its token, its key and its app say.
  public let preference: WirePreference

  public init(
    principal: Principal, key: KeyRecord? = nil, app: App = .usual, claims: TokenClaims? = nil,
    clientKey: Redacted<String>? = nil, preference: WirePreference = WirePreference()
  ) {
    self.principal = principal
    self.key = key
    self.app = app
    self.claims = claims
    self.clientKey = clientKey
    self.preference = preference
  }
}

/// What a request wants.
public enum AccessUse: Sendable, Hashable, CaseIterable {
  case session
  /// To mint ephemeral tokens.
  case tokens
  case speech
  /// Models, voices, capabilities.
  case catalogue
}
