/// Where a provider is.
public enum Upstream: Sendable, Equatable {
  /// A WebSocket to another machine or process.
  case socket(UpstreamTarget)
  /// The voice engine of this process, which costs nothing to reach and needs no model to be named.
  case voiceEngine

  /// What is dialled, where something is.
  public var target: UpstreamTarget? {
    if case .socket(let target) = self { target } else { nil }
  }
}

/// Where and how to open an upstream connection. Scheme, host and port always come from the configuration.
public struct UpstreamTarget: Sendable, Equatable {
  /// A request header. The value may be a credential: it goes on the wire and nowhere else.
  public struct Header: Sendable, Equatable {
    public var name: String
    public var value: Redacted<String>

    public init(_ name: String, _ value: Redacted<String>) {
      self.name = name
      self.value = value
    }

    /// Both sides come from the same configuration; no attacker presents one of them.
    public static func == (left: Self, right: Self) -> Bool {
      left.name == right.name && left.value.reveal() == right.value.reveal()
    }
  }

  /// A credential that is made when it is needed.
  public enum Authorization: Sendable, Equatable {
    /// An access token of Google's, exchanged for an assertion that the account's key signs.
    case googleServiceAccount(GoogleServiceAccount)
    /// An access token that an address gives out.
    case minted(TokenRequest)
  }

  public var endpoint: UpstreamEndpoint
  /// Absolute path with the query, percent-encoded.
  public var pathAndQuery: String
  public var headers: [Header]
  /// Becomes one more header, `Authorization`, when the connection is opened; nil where `headers` say all.
  public var authorization: Authorization?

  public init(
    endpoint: UpstreamEndpoint, pathAndQuery: String, headers: [Header], authorization: Authorization? = nil
  ) {
    self.endpoint = endpoint
    self.pathAndQuery = pathAndQuery
    self.headers = headers
    self.authorization = authorization
  }
}

/// The configured address of a provider.
public struct UpstreamEndpoint: Sendable, Hashable {
  /// `wss` rather than `ws`.
  public var isSecure: Bool
  public var host: String
  public var port: Int
  /// The path of the configured URL, without a trailing slash; empty where the provider has a fixed one.
  public var basePath: String
  /// A PEM file of certificate authorities to trust in place of the system's.
  public var authorityFile: String?
  /// The host's name may lead to an address of a private network, or of this machine (fault row 61).
  public var allowsPrivateAddresses: Bool

  public init(
    isSecure: Bool, host: String, port: Int, basePath: String = "", authorityFile: String? = nil,
    allowsPrivateAddresses: Bool = false
  ) {
    self.isSecure = isSecure
    self.host = host
    self.port = port
    self.basePath = basePath
    self.authorityFile = authorityFile
    self.allowsPrivateAddresses = allowsPrivateAddresses
  }
}

/// How an upstream connection came to its end, or failed to begin.
public enum UpstreamEnd: Sendable, Equatable {
  /// The limit that was passed while the connection was being set up.
  /// `credentials` is the exchange for an access token, before all others.
  public enum Phase: String, Sendable { case connect, tls, upgrade, firstEvent, credentials }

  case unreachable
  case nameNotFound
  /// The name leads only to addresses that it may not lead to (fault row 61).
  case addressRefused
  /// The proxy on the way refused, with this status; nil: it could not be reached, closed, or did not speak HTTP.
  case proxyFailed(status: Int?)
  case tlsRefused
  case timedOut(Phase)
  /// An answer other than 101; seconds of `Retry-After` if given.
  case refused(status: Int, retryAfterSeconds: Int?)
  /// A 101 that breaks RFC 6455 section 4.1.
  case badHandshake
  /// A close frame; its code and reason.
  case closed(code: UInt16, reason: String)
  /// The connection broke without a close frame, or went silent.
  case lost
  /// The provider broke the framing of RFC 6455.
  case framingBroken
}

extension UpstreamEnd {
  /// Whether only another configuration can help, here or at the proxy.
  public var isFinal: Bool {
    switch self {
    case .tlsRefused, .addressRefused: true
    case .proxyFailed(let status): status.map { $0 < 500 } ?? false
    default: false
    }
  }

  /// For the log: what the service wrote may be long, and is its own.
  public var label: String {
    switch self {
    case .closed(let code, _): "closed \(code)"
    case .refused(let status, _): "refused \(status)"
    case .timedOut(let phase): "timed out: \(phase.rawValue)"
    case .proxyFailed(let status): "proxy failed" + (status.map { " \($0)" } ?? "")
    case .unreachable, .nameNotFound, .addressRefused, .tlsRefused, .badHandshake, .lost, .framingBroken: "\(self)"
    }
  }
}
