import Envelope
public import Routing
import Translation

/// Who may use what, by the configuration, by a store of keys where there is one, and by ephemeral tokens. It does no
/// input and output: what only the store can tell, it says so.
public struct AccessPolicy: Sendable {
  /// What is decided of a request.
  public enum Answer: Sendable {
    case admitted(Admittance)
    case refused(AccessRefusal)
    /// Only the store knows: look this up there and judge again with what it has said.
    case ask(KeyDigest)
  }

  /// A request, as far as it matters here.
  public struct Request: Sendable {
    /// What it shows for itself; nil: nothing.
    public var credential: Result<Credential?, CredentialFault>
    public var use: AccessUse
    /// Of the TCP connection, not of a forwarded address.
    public var peerIsLoopback: Bool
    /// All fields `Origin`.
    public var origin: [String]
    /// Of a session; nil elsewhere, and where no route has the path.
    public var route: Route?
    public var unixTime: Int

    public init(
      credential: Result<Credential?, CredentialFault>, use: AccessUse, peerIsLoopback: Bool, origin: [String],
      route: Route?, at unixTime: Int
    ) {
      self.credential = credential
      self.use = use
      self.peerIsLoopback = peerIsLoopback
      self.origin = origin
      self.route = route
      self.unixTime = unixTime
    }

    /// - Parameters:
    ///   - headers: all fields of the request; names in any case.
    ///   - target: of the request line.
    public init(
      headers: [(name: String, value: String)], target: RequestTarget, use: AccessUse, peerIsLoopback: Bool,
      route: Route?, at unixTime: Int
    ) {
      let credential: Result<Credential?, CredentialFault>
      do {
        credential = .success(try Credential.extract(headers: headers, target: target))
      } catch {
        credential = .failure(error)
      }
      self.init(
        credential: credential, use: use, peerIsLoopback: peerIsLoopback,
        origin: headers.filter { $0.name.lowercased() == "origin" }.map(\.value), route: route, at: unixTime)
    }
  }

  private let table: AccessTable
  private let ring: KeyRing
  private let apps: [String: App]
  private let admin: KeyDigest?
  /// Makes and checks tokens.
  public let tokens: TokenKeyRing

  public init(_ table: AccessTable, tokens: TokenKeyRing) {
    self.table = table
    self.tokens = tokens
    ring = KeyRing(table.keys)
    apps = Dictionary(table.apps.map { ($0.name, $0) }) { first, _ in first }
    admin = table.admin.map { KeyDigest(of: $0) }
  }

  /// The keys of the configuration, in its order.
  public var configuredKeys: [KeyRecord] { ring.all }
  /// The apps of the configuration, in its order.
  public var configuredApps: [App] { table.apps }

  /// An app by its name; nil where there is none. `default` always is there.
  public func app(_ name: String, stored: StoredAccess? = nil) -> App? {
    apps[name] ?? stored?.app(name) ?? (name == App.usual.name ? .usual : nil)
  }

  /// Decides on a request.
  ///
  /// Without keys a client on loopback is let in whatever it shows, because clients of the OpenAI API always show a key;
  /// one elsewhere never is. With keys everybody has to show one, on loopback too.
  ///
  /// - Parameter stored: what is known of the store of keys; nil: there is no store.
  public func judge(_ request: Request, stored: StoredAccess? = nil) -> Answer {
    switch request.credential {
    case .failure(let fault):
      return isOpen(request, stored)
        ? admitAnonymous(request) : .refused(isClosed(request, stored) ?? .badCredential(fault))
    case .success(nil):
      return isOpen(request, stored) ? admitAnonymous(request) : .refused(isClosed(request, stored) ?? .noCredential)
    case .success(let credential?):
      let key = credential.key
      if SignedToken.isMeant(by: key) { return judgeToken(key, request, stored) }
      let digest = KeyDigest(of: key)
      if let record = ring.find(key) { return judgeKnown(record, key, request, stored) }
      if request.use == .tokens, let admin, admin.agreesWith(digest) {
        return admit(request, Admittance(principal: .admin))
      }
      return stored == nil ? judgeUnknown(key, request, stored) : .ask(digest)
    }
  }

  /// The second half, when the store has answered.
  ///
  /// - Parameter record: the key of the digest that was asked for; nil where the store has none. Where the store does not
  ///   answer: `stored.key(with:)`, and the refusal `.storeUnavailable` in place of a second half where that has none.
  public func judge(_ record: KeyRecord?, _ request: Request, stored: StoredAccess?) -> Answer {
    guard case .success(let credential?) = request.credential else { return .refused(.wrongKey) }
    guard let record, record.digest.agreesWith(KeyDigest(of: credential.key)) else {
      return judgeUnknown(credential.key, request, stored)
    }
    return judgeKnown(record, credential.key, request, stored)
  }

  // MARK: Without keys

  /// A server without keys, asked from its own machine.
  private func isOpen(_ request: Request, _ stored: StoredAccess?) -> Bool {
    request.peerIsLoopback && hasNoKeys(stored)
  }

  /// Keys of a store count also where all are revoked: to revoke the last one must not open the server.
  private func hasNoKeys(_ stored: StoredAccess?) -> Bool { ring.isEmpty && stored?.holdsKeys != true }

  /// Why no key would help a client of another machine, or nil.
  private func isClosed(_ request: Request, _ stored: StoredAccess?) -> AccessRefusal? {
    let admitsOthers = admin != nil || table.tokens.isConfigured
    return !request.peerIsLoopback && hasNoKeys(stored) && !admitsOthers ? .remoteWithoutKeys : nil
  }

  private func admitAnonymous(_ request: Request) -> Answer {
    let shown = (try? request.credential.get()).flatMap { $0 }
    // What it shows opens nothing here, but may say how its holder wants to be talked to.
    return admit(
      request,
      Admittance(
        principal: .anonymous, app: app(App.usual.name) ?? .usual,
        preference: shown.map { Self.preference(of: $0.key) } ?? WirePreference()))
  }

  // MARK: Keys

  private func judgeKnown(
    _ record: KeyRecord, _ key: Redacted<String>, _ request: Request, _ stored: StoredAccess?
  ) -> Answer {
    if let refusal = record.refusal(at: request.unixTime) { return .refused(refusal) }
    // Of a key that is configured by its digest nobody knew until now how it begins.
    var record = record
    record.isPublishable = record.isPublishable || KeyOrder.isPublishable(key)
    if record.isPublishable, request.use != .tokens { return .refused(.publishableKey) }
    // What an unknown app may is unknown too: that must not be everything.
    guard let app = app(record.app, stored: stored) else { return .refused(.storeUnavailable) }
    return admit(
      request,
      Admittance(
        principal: .key(id: record.id, name: record.name, app: record.app), key: record, app: app,
        preference: record.preference.otherwise(app.preference).otherwise(Self.preference(of: key))))
  }

  private func judgeUnknown(_ key: Redacted<String>, _ request: Request, _ stored: StoredAccess?) -> Answer {
    if let route = request.route, route.passesClientKeys, request.use == .session, canPass(request, stored) {
      let fingerprint = String(KeyDigest(of: key).hex.prefix(8))
      return admit(
        request,
        Admittance(
          principal: .clientKey(fingerprint: fingerprint), app: app(App.usual.name, stored: stored) ?? .usual,
          clientKey: key, preference: Self.preference(of: key)))
    }
    if isOpen(request, stored) { return admitAnonymous(request) }
    return .refused(isClosed(request, stored) ?? .wrongKey)
  }

  /// A client with a key of its own pays for itself; but a server that is closed to other machines stays so.
  private func canPass(_ request: Request, _ stored: StoredAccess?) -> Bool { isClosed(request, stored) == nil }

  /// What a key's own form says: holders of those that begin so look for audio in `audio` (Q1).
  private static func preference(of key: Redacted<String>) -> WirePreference {
    WirePreference(deltaFields: key.reveal().hasPrefix("hyb_") ? .deltaAndAudio : nil)
  }

  // MARK: Tokens

  private func judgeToken(_ token: Redacted<String>, _ request: Request, _ stored: StoredAccess?) -> Answer {
    let claims: TokenClaims
    do {
      claims = try tokens.verify(token, at: request.unixTime)
    } catch {
      return .refused(.token(error))
    }
    switch request.use {
    case .session, .catalogue: break
    case .tokens, .speech: return .refused(.tokenIsForOthers(parameter: "use"))
    }
    // The signature is the authority: whether the key is known here that the token was made with does not matter. But one
    // that is known to be of no use any more takes its tokens along.
    let key = claims.keyID.flatMap { id in ring.find(id: id) ?? stored?.key(id: id) }
    if let refusal = key?.refusal(at: request.unixTime) { return .refused(refusal) }
    if let pinned = claims.route, let route = request.route, route.path != pinned {
      return .refused(.tokenIsForOthers(parameter: "path"))
    }
    let app = app(claims.app, stored: stored) ?? App(name: claims.app)
    let preference = claims.preference.otherwise(key?.preference ?? WirePreference()).otherwise(app.preference)
    return admit(
      request,
      Admittance(
        principal: .token(id: claims.id, key: claims.key, app: claims.app), key: key, app: app, claims: claims,
        preference: preference))
  }

  // MARK: What all have in common

  private func admit(_ request: Request, _ admittance: Admittance) -> Answer {
    let refusal = OriginPolicy.verdict(
      origin: request.origin, for: admittance.principal, pins: admittance.claims, route: request.route,
      key: admittance.key, app: admittance.app, table: table)
    return refusal.map { .refused($0) } ?? .admitted(admittance)
  }

  /// Whether a provider and a model are the client's to use: of its key, of its app, of its token.
  ///
  /// - Parameters:
  ///   - provider: its name in the configuration.
  ///   - model: as the session will have it.
  public func permits(provider: String, model: String, to admittance: Admittance) -> AccessRefusal? {
    if let pinned = admittance.claims?.provider, pinned != provider { return .tokenIsForOthers(parameter: "provider") }
    guard NamePattern.admit(provider, providers(of: admittance)) else { return .providerNotAllowed }
    return NamePattern.admit(model, models(of: admittance)) ? nil : .modelNotAllowed
  }

  /// What is the client's to use, as `NamePattern`: of its key, of its app and of its token together; nil: everything.
  public func providers(of admittance: Admittance) -> [String]? {
    NamePattern.common(
      NamePattern.common(admittance.key?.providers, admittance.app.providers), admittance.claims?.providers)
  }

  /// The same of models.
  public func models(of admittance: Admittance) -> [String]? {
    NamePattern.common(NamePattern.common(admittance.key?.models, admittance.app.models), admittance.claims?.models)
  }

  /// Whose limits hold for a session of the client, and which; those without any are left out. How many sessions a token
  /// may start is none of them: see `TokenClaims.maxSessions`.
  public func limits(for admittance: Admittance, provider: ProviderEntry) -> [(LimitHolder, HolderLimits)] {
    var all: [(LimitHolder, HolderLimits)] = []
    if let remote = provider.remote { all.append((.provider(provider.name), remote.limits.holder)) }
    all.append((.app(admittance.app.name), admittance.app.limits))
    if let key = admittance.key { all.append((.key(id: key.id), key.limits)) }
    if let claims = admittance.claims {
      all.append((.token(id: claims.id), HolderLimits(maxMinutesPerSession: claims.maxMinutesPerSession)))
    }
    return all.filter { !$0.1.isEmpty }
  }
}
