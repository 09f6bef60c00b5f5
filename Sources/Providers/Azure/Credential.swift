import OpenAIWire
public import Translation

/// How the gateway shows who it is.
public enum AzureCredential: Sendable {
  /// For a stand-in that wants none.
  case none
  /// A key of the resource.
  case key(Redacted<String>)
  /// An access token of Entra, which something else renews.
  case token(Redacted<String>)
  case application(AzureApplication)

  var headers: [UpstreamTarget.Header] {
    switch self {
    case .none, .application: []
    case .key(let key): [.init("api-key", key)]
    case .token(let token): [.init("Authorization", Redacted("Bearer " + token.reveal()))]
    }
  }

  func authorization(for api: AzureAPI) -> UpstreamTarget.Authorization? {
    guard case .application(let application) = self else { return nil }
    return .minted(application.tokenRequest(scope: api.scope))
  }
}

/// An application that is registered with Entra, and its secret: the client credentials grant of OAuth 2.0 (RFC 6749,
/// section 4.4).
public struct AzureApplication: Sendable {
  /// The directory, by its id or its domain.
  public var tenant: String
  public var clientID: String
  public var secret: Redacted<String>
  /// Nil for the address of the tenant in the public cloud.
  public var tokenURL: String?

  public init(tenant: String, clientID: String, secret: Redacted<String>, tokenURL: String? = nil) {
    self.tenant = tenant
    self.clientID = clientID
    self.secret = secret
    self.tokenURL = tokenURL
  }

  func tokenRequest(scope: String) -> TokenRequest {
    let body = [
      ("grant_type", "client_credentials"), ("client_id", clientID), ("client_secret", secret.reveal()),
      ("scope", scope),
    ].map { $0.0 + "=" + PercentEncoding.queryValue($0.1) }.joined(separator: "&")
    let publicURL =
      "https://login.microsoftonline.com/" + PercentEncoding.queryValue(tenant) + "/oauth2/v2.0/token"
    return TokenRequest(
      url: tokenURL ?? publicURL, headers: [], body: Redacted(body),
      contentType: "application/x-www-form-urlencoded", tokenPath: ["access_token"], lifetimePath: ["expires_in"])
  }
}

extension AzureAPI {
  /// What an access token is asked for.
  var scope: String {
    switch self {
    case .realtime, .voiceLive: "https://ai.azure.com/.default"
    case .preview: "https://cognitiveservices.azure.com/.default"
    }
  }
}
