/// Why a client is not let in. Decided before the 101. Nothing of what it has shown is in any answer (fault row 14).
public enum AccessRefusal: Error, Sendable, Hashable {
  case noCredential
  case badCredential(CredentialFault)
  /// Not one of the keys. Nothing tells which, or how close.
  case wrongKey
  /// The key is one of ours, and its time is over.
  case keyExpired
  case keyRevoked
  case token(TokenFault)
  /// The token is for another provider, model, path, page or use: `parameter` says which.
  case tokenIsForOthers(parameter: String)
  /// The token has started all the sessions that it carries.
  case tokenUsedUp
  /// The key mints tokens and does nothing else.
  case publishableKey
  /// No access keys are configured, and the client is on another machine.
  case remoteWithoutKeys
  /// No access keys are configured, and a web page of another site asks.
  case foreignOrigin
  /// A web page asks that is not among those which may.
  case originNotAllowed
  case providerNotAllowed
  case modelNotAllowed
  /// There is no key of the operator, and so nothing that it opens.
  case adminDisabled
  /// Only the store of keys could tell, and it does not answer.
  case storeUnavailable

  /// HTTP status of the answer.
  public var status: Int {
    switch self {
    case .noCredential, .badCredential, .wrongKey, .keyExpired, .keyRevoked, .token, .tokenIsForOthers, .tokenUsedUp:
      401
    case .publishableKey, .remoteWithoutKeys, .foreignOrigin, .originNotAllowed, .providerNotAllowed, .modelNotAllowed,
      .adminDisabled:
      403
    case .storeUnavailable: 503
    }
  }

  /// `error.type` of the answer.
  public var type: String { status == 503 ? "server_error" : "authentication_error" }

  /// `error.code` of the answer.
  public var code: String {
    switch self {
    case .noCredential: "missing_api_key"
    case .badCredential, .wrongKey: "invalid_api_key"
    case .keyExpired: "api_key_expired"
    case .keyRevoked: "api_key_revoked"
    case .token(.expired): "token_expired"
    case .token(.notYetValid): "token_not_yet_valid"
    case .token: "invalid_token"
    case .tokenIsForOthers: "token_not_for_this"
    case .tokenUsedUp: "token_used_up"
    case .publishableKey: "key_not_allowed"
    case .remoteWithoutKeys: "access_denied"
    case .foreignOrigin, .originNotAllowed: "origin_not_allowed"
    case .providerNotAllowed: "provider_not_allowed"
    case .modelNotAllowed: "model_not_allowed"
    case .adminDisabled: "admin_disabled"
    case .storeUnavailable: "store_unavailable"
    }
  }

  /// `error.param` of the answer.
  public var parameter: String? {
    switch self {
    case .tokenIsForOthers(let parameter): parameter
    case .providerNotAllowed: "provider"
    case .modelNotAllowed: "model"
    default: nil
    }
  }

  /// The field `WWW-Authenticate` of a 401 (RFC 9110 section 11.6.1, RFC 6750 section 3); nil of others.
  public var challenge: String? {
    guard status == 401 else { return nil }
    return switch self {
    case .token, .tokenIsForOthers, .tokenUsedUp: "Bearer error=\"invalid_token\""
    default: "Bearer"
    }
  }

  /// The field `Retry-After`, in seconds; nil where trying again does not help.
  public var retryAfterSeconds: Int? { self == .storeUnavailable ? 5 : nil }

  /// `error.message` of the answer, with the operator's contact text behind it (R172).
  public func message(contact: String) -> String {
    contact.isEmpty ? text : "\(text) \(contact)"
  }

  private var text: String {
    switch self {
    case .noCredential: "No API key was given. Send it as \"Authorization: Bearer KEY\"."
    case .badCredential(.empty): "The API key is empty."
    case .badCredential(.malformed): "The API key is malformed."
    case .badCredential(.unknownScheme): "The Authorization header must have the scheme Bearer."
    case .badCredential(.severalValues): "Several different API keys were given."
    case .wrongKey: "The API key is not valid."
    case .keyExpired: "The API key has expired."
    case .keyRevoked: "The API key has been revoked."
    case .token(.expired): "The token has expired."
    case .token(.notYetValid): "The token is not valid yet."
    case .token: "The token is not valid."
    case .tokenIsForOthers(let parameter): "The token does not allow this \(parameter)."
    case .tokenUsedUp: "The token has started as many sessions as it may."
    case .publishableKey: "This API key makes ephemeral tokens and opens nothing else."
    case .remoteWithoutKeys: "This server has no access keys and serves its own machine only."
    case .foreignOrigin: "Without access keys, web pages of other sites are not served."
    case .originNotAllowed: "Web pages of this origin may not connect with this key or token."
    case .providerNotAllowed: "This API key may not use this provider."
    case .modelNotAllowed: "This API key may not use this model."
    case .adminDisabled: "This server has no key for administration, so that this address is closed."
    case .storeUnavailable: "Keys cannot be checked at the moment. Try again."
    }
  }
}
