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
  /// Who may connect.
  public let access: AccessTable
  /// Where keys, apps and usage are kept.
  public let ledger: LedgerTable
  /// What a refused client is told about whom to ask (R172); empty if the operator gave none.
  public let contact: String
  public let limits: GatewayLimits
  /// The file with the layers above it, as they were written; it holds references to secrets, and no secret.
  let document: JSONObject

  /// Keys of clients. Empty: anonymous clients on loopback, and no others.
  public var accessKeys: [AccessKey] { access.keys }
  /// The IP addresses of reverse proxies whose `X-Forwarded-For` counts.
  public var proxies: [String] { access.proxies }

  /// Where a request is served if the file names no routes: every path that clients of the OpenAI API build from a base
  /// URL, and the managed one.
  public static let defaultPaths = [
    "/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime", Route.managedPath,
  ]

  /// Where the file names no listeners.
  public static let defaultListeners = [Listener(host: "127.0.0.1", port: 8787), Listener(host: "::1", port: 8787)]

  /// The same table listening on another port (`--port`), on the hosts that it has. Listeners that serve no sessions stay
  /// where they are.
  public func listening(onPort port: UInt16) -> RouteTable {
    var moved: [Listener] = []
    for listener in listeners where listener.serves.contains(.sessions) {
      if !moved.contains(where: { $0.host == listener.host }) {
        moved.append(Listener(host: listener.host, port: Int(port), serves: listener.serves, tls: listener.tls))
      }
    }
    return RouteTable(
      listeners: moved + listeners.filter { !$0.serves.contains(.sessions) }, defaultProvider: defaultProvider,
      providers: providers, providerNames: providerNames, routes: routes, access: access, ledger: ledger,
      contact: contact, limits: limits, document: document)
  }
}

/// An address to listen on.
public struct Listener: Sendable, Hashable, CustomStringConvertible {
  /// An IP address without brackets, or a name.
  public let host: String
  /// 0 to 65535; 0 lets the system choose.
  public let port: Int
  /// What is had there (R290); never nothing.
  public let serves: Set<Service>
  /// Nil: connections are not encrypted.
  public let tls: ListenerTLS?

  /// What an address may be for.
  public enum Service: String, Sendable, Hashable, CaseIterable {
    /// Sessions, and with them models, voices, speech and capabilities.
    case sessions
    /// Minting of ephemeral tokens.
    case tokens
    /// All that the operator looks at and turns: configuration, sessions, keys, apps and usage.
    case admin
    /// What monitoring reads; `admin` has it too.
    case metrics

    public static let all = Set(allCases)
  }

  public init(host: String, port: Int, serves: Set<Service> = Service.all, tls: ListenerTLS? = nil) {
    self.host = host
    self.port = port
    self.serves = serves
    self.tls = tls
  }

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
  /// Web pages that may use static keys here; where there are any, tokens are bound to them too.
  public let origins: [OriginPattern]
  /// A key that is none of ours is the client's own at the provider, and goes there in place of the configured one.
  public let passesClientKeys: Bool

  /// The managed path, whose clients look for audio in `audio` (Q1).
  static let managedPath = "/api/v1/inference/realtime"

  /// - Parameter deltaFields: nil for what is usual at the path.
  public init(
    path: String, provider: String, dialect: DialectChoice? = nil, deltaFields: AudioDeltaWriter.Fields? = nil,
    isStrict: Bool = false, passesVendorEvents: Bool = false, origins: [OriginPattern] = [],
    passesClientKeys: Bool = false
  ) {
    self.path = path
    self.provider = provider
    self.dialect = dialect
    self.deltaFields = deltaFields ?? (path == Self.managedPath ? .deltaAndAudio : .delta)
    self.isStrict = isStrict
    self.passesVendorEvents = passesVendorEvents
    self.origins = origins
    self.passesClientKeys = passesClientKeys
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
  /// Sessions begun in a second.
  public var maxConnectsPerSecond: Int?
  /// Minutes of one session.
  public var maxMinutesPerSession: Double?
  /// Minutes of all sessions in a day of UTC.
  public var maxMinutesPerDay: Double?

  public init(
    maxSessions: Int? = nil, maxFramesPerSecond: Int? = nil, maxConnectsPerSecond: Int? = nil,
    maxMinutesPerSession: Double? = nil, maxMinutesPerDay: Double? = nil
  ) {
    self.maxSessions = maxSessions
    self.maxFramesPerSecond = maxFramesPerSecond
    self.maxConnectsPerSecond = maxConnectsPerSecond
    self.maxMinutesPerSession = maxMinutesPerSession
    self.maxMinutesPerDay = maxMinutesPerDay
  }

  /// Those that hold for the provider as they do for apps and keys; frames are paced and never refused.
  public var holder: HolderLimits {
    HolderLimits(
      maxSessions: maxSessions, maxConnectsPerSecond: maxConnectsPerSecond, maxMinutesPerSession: maxMinutesPerSession,
      maxMinutesPerDay: maxMinutesPerDay)
  }
}
