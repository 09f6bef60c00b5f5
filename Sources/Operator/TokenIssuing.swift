public import Access
public import Envelope
public import NIOCore
public import Routing
public import Translation

/// Judges who may have a token, and makes it. The routes translate between this and the shapes of OpenAI's and vowel's
/// APIs; what a provider, a model and a session are is known behind it.
public protocol TokenIssuing: Sendable {
  /// Decides whether who asks may have a token at all. Called before the body is judged.
  ///
  /// - Throws: 401 and 403, as at the upgrade; 503 where the store of keys does not answer.
  func admit(_ asker: TokenAsker) async throws(HTTPFault) -> Admittance

  /// Makes a token.
  ///
  /// - Throws: 400 for a provider that there is not, a session that the provider cannot have (`param` begins with
  ///   `session.`, GA) or that is too large for a token (`session_too_large`); 403 for an app, a provider or a model
  ///   that is not the asker's; 404 for an app or a route that there is not; 503 for a provider without its secret.
  func issue(
    _ order: MintOrder, to admittance: Admittance, askedBy asker: TokenAsker
  ) async throws(HTTPFault) -> IssuedToken
}

/// Who asks for a token, and with what.
public struct TokenAsker: Sendable {
  /// All fields of the request, `Host` among them.
  public var headers: [(name: String, value: String)]
  public var target: RequestTarget
  /// Of the TCP connection; nil for a test's.
  public var peer: SocketAddress?
  /// A key that stands in the body. It counts where no other place of the request has one.
  public var keyInBody: Redacted<String>?

  public init(
    headers: [(name: String, value: String)], target: RequestTarget, peer: SocketAddress?,
    keyInBody: Redacted<String>? = nil
  ) {
    self.headers = headers
    self.target = target
    self.peer = peer
    self.keyInBody = keyInBody
  }

  /// The values of a field in order.
  public func values(of name: String) -> [String] {
    headers.filter { $0.name.lowercased() == name }.map(\.value)
  }
}

/// What a token is to carry. Whatever is nil is left to the configuration, and to the client that brings the token.
public struct MintOrder: Sendable, Equatable {
  /// As the asker names it: a name of the configuration, or an alias such as `vowel-prime`.
  public var provider: String?
  /// As the asker names it; it may have a provider's name before a slash.
  public var model: String?
  public var purpose: SessionType
  /// How its sessions begin: a partial GA session without `type`, `id`, `object`, `expires_at` and `model`. Not
  /// checked.
  public var session: JSONObject
  public var app: String?
  /// The only path that it opens.
  public var route: String?
  /// The only pages that may use it; never empty.
  public var origins: [OriginPattern]?
  public var preference: WirePreference
  /// How many sessions it may start in its life.
  public var maxSessions: Int?
  public var maxMinutesPerSession: Double?
  public var idleSeconds: Double?
  /// Seconds; nil for the configuration's `tokens.lifetimeSeconds`. What is beyond `tokens.longestSeconds` is cut.
  public var lifetimeSeconds: Int?

  public init(purpose: SessionType = .realtime, session: JSONObject = [:], lifetimeSeconds: Int? = nil) {
    self.purpose = purpose
    self.session = session
    self.lifetimeSeconds = lifetimeSeconds
    preference = WirePreference()
  }
}

/// A token, and what who asked is told of it.
public struct IssuedToken: Sendable {
  /// `ek_…`
  public var value: Redacted<String>
  /// `jti`: its name in the usage API.
  public var id: String
  /// Unix time, seconds.
  public var issuedAt: Int
  public var expiresAt: Int
  /// Its name in the configuration.
  public var provider: String
  /// Of the session, without a provider's name.
  public var model: String
  /// The GA session that it begins, as far as that is known before the provider is asked: with `id`, `object` and
  /// `type`.
  public var session: JSONObject
  /// Where sessions are served, `ws://…` or `wss://…`.
  public var webSocketURL: String

  public init(
    value: Redacted<String>, id: String, issuedAt: Int, expiresAt: Int, provider: String, model: String,
    session: JSONObject, webSocketURL: String
  ) {
    self.value = value
    self.id = id
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.provider = provider
    self.model = model
    self.session = session
    self.webSocketURL = webSocketURL
  }
}
