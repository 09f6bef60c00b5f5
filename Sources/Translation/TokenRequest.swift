/// How an access token is had over HTTP: what is posted, and where in the JSON of the answer the token stands.
public struct TokenRequest: Sendable {
  /// `https://…`, or `http://…`.
  public var url: String
  public var headers: [UpstreamTarget.Header]
  public var body: Redacted<String>
  public var contentType: String
  /// The keys that lead to the token, such as `["client_secret", "value"]`.
  public var tokenPath: [String]
  /// The keys that lead to the seconds that the token holds, such as `["expires_in"]`; nil: the token is used once.
  public var lifetimePath: [String]?

  public init(
    url: String, headers: [UpstreamTarget.Header], body: Redacted<String>, contentType: String, tokenPath: [String],
    lifetimePath: [String]?
  ) {
    self.url = url
    self.headers = headers
    self.body = body
    self.contentType = contentType
    self.tokenPath = tokenPath
    self.lifetimePath = lifetimePath
  }
}

extension TokenRequest: Equatable {
  /// Both sides come from the same configuration; no attacker presents one of them.
  public static func == (left: Self, right: Self) -> Bool {
    left.url == right.url && left.headers == right.headers && left.contentType == right.contentType
      && left.tokenPath == right.tokenPath && left.lifetimePath == right.lifetimePath
      && left.body.reveal() == right.body.reveal()
  }
}
