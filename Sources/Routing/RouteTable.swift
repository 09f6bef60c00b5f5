public import Envelope
public import SessionCore
public import Translation

/// The validated configuration (design: `routes.json` is the deployment). Immutable; a session keeps the one it began with.
public struct RouteTable: Sendable {
  /// Where to listen; at least one.
  public let listeners: [Listener]
  /// The provider of a request that names none; declared in `providers`.
  public let defaultProvider: String
  public let providers: [String: ProviderEntry]
  /// The names of `providers` in the order of the file.
  public let providerNames: [String]
  /// At least one; no two have the same path.
  public let routes: [Route]
  /// Keys of clients. Empty: anonymous clients on loopback, and no others.
  public let accessKeys: [AccessKey]
  /// The IP addresses of reverse proxies whose `X-Forwarded-For` counts.
  public let proxies: [String]
  /// What a refused client is told about whom to ask (R172); empty if the operator gave none.
  public let contact: String
  public let limits: GatewayLimits

  /// Where a request is served if the file names no routes: every path that clients of the OpenAI API build from a base
  /// URL, and the managed one.
  public static let defaultPaths = [
    "/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime", Route.managedPath,
  ]

  /// Where the file names no listeners.
  public static let defaultListeners = [Listener(host: "127.0.0.1", port: 8787), Listener(host: "::1", port: 8787)]

  /// The same table listening on another port (`--port`), on the hosts that it has.
  public func listening(onPort port: UInt16) -> RouteTable {
    var hosts: [String] = []
    for listener in listeners where !hosts.contains(listener.host) { hosts.append(listener.host) }
    return RouteTable(
      listeners: hosts.map { Listener(host: $0, port: Int(port)) }, defaultProvider: defaultProvider,
      providers: providers, providerNames: providerNames, routes: routes, accessKeys: accessKeys, proxies: proxies,
      contact: contact, limits: limits)
  }
}

/// An address to listen on.
public struct Listener: Sendable, Hashable, CustomStringConvertible {
  /// An IP address without brackets, or a name.
  public let host: String
  /// 0 to 65535; 0 lets the system choose.
  public let port: Int

  public var isLoopback: Bool { NetworkAddress.isLoopback(host) }
  public var description: String { "\(NetworkAddress.bracketed(host)):\(port)" }
}

/// A path that sessions are served on.
public struct Route: Sendable, Hashable {
  /// Begins with "/", and does not end with it.
  public let path: String
  /// The provider of requests that name none themselves: the route's own, or the default.
  public let provider: String
  /// The vocabulary of clients that say none; nil if the route says none either.
  public let dialect: DialectChoice?
  /// The fields of an audio delta, where neither the client nor its key says otherwise.
  public let deltaFields: AudioDeltaWriter.Fields
  /// What has no counterpart at the provider is refused, rather than told by what really happens (Q23).
  public let isStrict: Bool
  /// Events that only the provider knows reach the client, where it does not say otherwise (Q19).
  public let passesVendorEvents: Bool

  /// The managed path, whose clients look for audio in `audio` (Q1).
  static let managedPath = "/api/v1/inference/realtime"

  /// - Parameter deltaFields: nil for what is usual at the path.
  public init(
    path: String, provider: String, dialect: DialectChoice? = nil, deltaFields: AudioDeltaWriter.Fields? = nil,
    isStrict: Bool = false, passesVendorEvents: Bool = false
  ) {
    self.path = path
    self.provider = provider
    self.dialect = dialect
    self.deltaFields = deltaFields ?? (path == Self.managedPath ? .deltaAndAudio : .delta)
    self.isStrict = isStrict
    self.passesVendorEvents = passesVendorEvents
  }
}

/// A client's key and the name that it goes by in logs and usage.
public struct AccessKey: Sendable {
  /// The longest key, in bytes: comparisons take as long as one of this length.
  public static let longestKeyBytes = 512

  public let name: String
  public let reference: SecretReference
  public let key: Redacted<String>
  /// How its holder is talked to.
  public let preference: WirePreference
  /// Sessions that it may have at a time; nil for no limit.
  public let maxSessions: Int?

  public init(
    name: String, reference: SecretReference, key: Redacted<String>, preference: WirePreference = WirePreference(),
    maxSessions: Int? = nil
  ) {
    self.name = name
    self.reference = reference
    self.key = key
    self.preference = preference
    self.maxSessions = maxSessions
  }
}

/// The secret of a provider.
public enum ProviderCredential: Sendable {
  /// None configured: a loopback provider that asks for none.
  case none
  case secret(Redacted<String>)
  /// An account of Google Cloud, which access tokens are made for.
  case serviceAccount(GoogleServiceAccount)
  /// Configured, but absent on this machine.
  case unavailable(SecretFault)
}

/// A declared provider.
public struct ProviderEntry: Sendable {
  /// Letters, digits, ".", "_", "-".
  public let name: String
  public let kind: ProviderKind
  /// Nil exactly for the voice engine of this process.
  public let remote: RemoteProvider?

  /// Why no session can be had of it, or nil.
  public var unavailability: SecretFault? {
    if case .unavailable(let fault)? = remote?.credential { return fault }
    return nil
  }
}

/// How a provider outside of this process is reached.
public struct RemoteProvider: Sendable {
  public let endpoint: Endpoint
  /// The model of sessions whose client names none.
  public let model: String
  public let credential: ProviderCredential
  /// Where the secret, or the account, comes from; nil exactly if `credential` is `.none`.
  public let reference: SecretReference?
  /// A PEM file of certificate authorities to trust in place of the system's; nil for the system's.
  public let caFile: String?
  /// The host's name may lead to an address of a private network, or of this machine (fault row 61).
  public let allowsPrivateAddresses: Bool
  public let limits: AccountLimits
}

/// What the account at a provider allows, over all sessions together; nil: nothing is limited here (Q22).
public struct AccountLimits: Sendable, Hashable {
  /// Sessions at a time.
  public var maxSessions: Int?
  /// Messages to the provider in a second.
  public var maxFramesPerSecond: Int?

  public init(maxSessions: Int? = nil, maxFramesPerSecond: Int? = nil) {
    self.maxSessions = maxSessions
    self.maxFramesPerSecond = maxFramesPerSecond
  }
}
