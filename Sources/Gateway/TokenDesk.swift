import Access
import Envelope
import HTTPWire
import NIOCore
import Operator
import Routing
import SessionCore
import Translation
import VoiceEngine

/// Makes ephemeral tokens: judges who may have one as the gate judges who may have a session, and lets no token out whose
/// session the provider would refuse.
struct TokenDesk: TokenIssuing {
  /// The longest token, in bytes: it has to fit into a header field, a request line and a proxy's idea of either.
  static let longestToken = 7_900

  private let table: RouteTable
  private let desk: AccessDesk
  private let gate: HTTPGate
  private let engine: VoiceEngine
  /// Where it is asked; nil where that is not known.
  private var listener: Listener?

  init(table: RouteTable, desk: AccessDesk, gate: HTTPGate, engine: VoiceEngine) {
    self.table = table
    self.desk = desk
    self.gate = gate
    self.engine = engine
  }

  /// The same, asked at an address of the configuration.
  func asked(at listener: Listener) -> TokenDesk {
    var desk = self
    desk.listener = listener
    return desk
  }

  func admit(_ asker: TokenAsker) async throws(HTTPFault) -> Admittance {
    var headers = asker.headers
    if let key = asker.keyInBody, case .success(nil) = credential(asker) {
      headers.append((name: "x-api-key", value: key.reveal()))
    }
    do {
      return try await gate.admit(headers: headers, target: asker.target, peer: asker.peer, use: .tokens)
    } catch {
      throw HTTPFault(error, contact: table.contact)
    }
  }

  private func credential(_ asker: TokenAsker) -> Result<Credential?, CredentialFault> {
    do throws(CredentialFault) {
      return .success(try Credential.extract(headers: asker.headers, target: asker.target))
    } catch {
      return .failure(error)
    }
  }

  func issue(
    _ order: MintOrder, to admittance: Admittance, askedBy asker: TokenAsker
  ) async throws(HTTPFault) -> IssuedToken {
    let app = try app(of: order, admittance)
    let (choice, parameters, session) = try begin(order, app, admittance)
    var random = SystemRandomNumberGenerator()
    var claims = claims(order, choice, admittance, app: app)
    claims.date(
      at: desk.clock.unixTime, lasting: order.lifetimeSeconds, settings: table.access.tokens, random: &random)
    // A token does not outlive the key that it was made with.
    if let end = admittance.key?.expiresAt { claims.expiresAt = min(claims.expiresAt, end) }
    let token: Redacted<String>
    do throws(Access.TokenFault) {
      token = try desk.policy.tokens.mint(claims)
    } catch .tooLong(let bytes) {
      throw HTTPFault(
        status: 400, code: "session_too_large",
        message: "The token would have \(bytes) bytes, and \(Self.longestToken) fit into a request. "
          + "Leave long instructions and tools to the client's own session.update.", param: "session")
    } catch {
      throw HTTPFault(
        status: 501, type: "server_error", code: "no_signing_key",
        message: "This server has no key that tokens could be signed with.")
    }
    return IssuedToken(
      value: token, id: claims.id, issuedAt: claims.issuedAt, expiresAt: claims.expiresAt,
      provider: choice.provider.name, model: parameters.requestedModel ?? parameters.provider.model,
      session: JSONCoding.encode(session).object ?? [:], webSocketURL: webSocketURL(asker, order.route))
  }

  /// The app that the token counts for: that of the asker's key, or the one that the operator names.
  private func app(of order: MintOrder, _ admittance: Admittance) throws(HTTPFault) -> App {
    guard let name = order.app else { return admittance.app }
    guard let app = desk.policy.app(name, stored: desk.stored) else {
      throw HTTPFault(status: 404, code: "app_not_found", message: "There is no such app.", param: "app")
    }
    switch admittance.principal {
    case .admin, .anonymous: return app
    case .key, .token, .clientKey:
      guard admittance.app.name == name else {
        throw HTTPFault(
          status: 403, type: "authentication_error", code: "app_not_allowed",
          message: "This API key does not belong to this app.", param: "app")
      }
      return app
    }
  }

  /// The session as it will begin, or why it cannot.
  private func begin(
    _ order: MintOrder, _ app: App, _ admittance: Admittance
  ) throws(HTTPFault) -> (RouteChoice, SessionParameters, RealtimeSession) {
    let path = order.route ?? table.routes.first?.path ?? ""
    guard table.route(of: path) != nil else {
      throw HTTPFault(
        status: 404, code: "route_not_found", message: "No session is served at this path.", param: "route")
    }
    if let model = order.model, !ModelName.isValid(model) {
      throw HTTPFault(status: 400, code: "invalid_value", message: "This is no name of a model.", param: "model")
    }
    let choice: RouteChoice
    do throws(RouteRefusal) {
      choice = try table.choose(
        RequestTarget(path), key: order.preference.otherwise(admittance.preference),
        pins: RoutePins(provider: order.provider, model: order.model, purpose: order.purpose))
    } catch {
      throw HTTPFault(FaultResponse.refusal(for: error, contact: table.contact))
    }
    let holder = Admittance(
      principal: admittance.principal, key: admittance.key, app: app,
      claims: claims(order, choice, admittance, app: app))
    let parameters = SessionParameters(
      choice, engine: engine, limits: table.limits, admittance: holder, policy: desk.policy,
      unixTime: desk.clock.unixTime)
    let model = parameters.requestedModel ?? parameters.provider.model
    if let refusal = desk.policy.permits(provider: choice.provider.name, model: model, to: holder) {
      throw HTTPFault(refusal, contact: table.contact)
    }
    do throws(EventFault) {
      return (choice, parameters, try SessionPreview.effective(parameters))
    } catch {
      throw HTTPFault(error)
    }
  }

  /// What the token says of itself. The provider is pinned where the asker has named it, or a model, which names one; what
  /// is not pinned is bounded as its maker is.
  private func claims(
    _ order: MintOrder, _ choice: RouteChoice, _ admittance: Admittance, app: App
  ) -> TokenClaims {
    var claims = TokenClaims()
    claims.subject =
      switch admittance.principal {
      case .key(_, let name, _): "key:\(name)"
      case .admin: "admin"
      case .anonymous, .token, .clientKey: "anonymous"
      }
    claims.key = admittance.principal.usageKey
    claims.keyID = admittance.key?.id
    claims.app = app.name
    if order.provider != nil || order.model != nil { claims.provider = choice.provider.name }
    claims.model = order.model
    let maker = Admittance(principal: admittance.principal, key: admittance.key, app: app)
    if claims.provider == nil { claims.providers = desk.policy.providers(of: maker) }
    if claims.model == nil { claims.models = desk.policy.models(of: maker) }
    claims.purpose = order.purpose
    claims.session = order.session.isEmpty ? nil : order.session
    claims.route = order.route == nil ? nil : choice.route.path
    claims.origins = order.origins
    if case .fixed(let name)? = order.preference.dialect { claims.dialect = name }
    claims.deltaField = order.preference.deltaFields
    claims.maxSessions = order.maxSessions
    claims.maxMinutesPerSession = order.maxMinutesPerSession
    claims.idleSeconds = order.idleSeconds
    return claims
  }

  /// Where clients are told to connect: the configured address, or the one that the asker has used, at a port where
  /// sessions are served. What a proxy of the operator's says of that address counts before what the request says.
  private func webSocketURL(_ asker: TokenAsker, _ route: String?) -> String {
    if let url = table.access.tokens.publicURL { return url }
    let path = route ?? table.routes.first?.path ?? ""
    let place = gate.place(asker.headers, asker.peer)
    let host = place.host ?? asker.values(of: "host").first ?? ""
    let elsewhere = place == ForwardedPlace() ? sessionListener : nil
    let isSecure = place.isSecure ?? elsewhere.map { $0.tls != nil } ?? listener.map { $0.tls != nil } ?? false
    let scheme = isSecure ? "wss" : "ws"
    guard let elsewhere else { return "\(scheme)://\(host)\(path)" }
    let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
    return "\(scheme)://\(name):\(elsewhere.port)\(path)"
  }

  /// Where sessions are served, if not at each address.
  private var sessionListener: Listener? {
    guard !table.listeners.allSatisfy({ $0.serves.contains(.sessions) }) else { return nil }
    return table.listeners.first { $0.serves.contains(.sessions) }
  }
}

extension HTTPFault {
  init(_ refusal: Refusal) {
    self.init(
      status: refusal.status, type: refusal.type, code: refusal.code, message: refusal.message, param: refusal.param,
      fields: refusal.fields.map { Field(name: $0.name, value: $0.value) })
  }
}
