import Access
import Envelope
import HTTPTypes
import Hummingbird
import Logging
import Routing
import Translation

/// The routes at which clients get ephemeral tokens (R060, R105, OpenAI's client secrets).
struct TokenRoutes: Sendable {
  /// A session with its instructions and tools; what a token can hold is less.
  static let longestBody = 65_536
  /// Where clients find the API under the base URLs that they are given.
  static let bases = ["/v1/realtime", "/realtime", "/openai/v1/realtime"]

  let tokens: any TokenIssuing

  func add(to book: RouteBook) {
    for base in Self.bases {
      add("\(base)/client_secrets", to: book) { try await ClientSecret(tokens).answer($0, $1, $2) }
      add("\(base)/sessions", to: book) { try await BetaSession(tokens, .realtime).answer($0, $1, $2) }
      add("\(base)/transcription_sessions", to: book) {
        try await BetaSession(tokens, .transcription).answer($0, $1, $2)
      }
    }
    add("/vowel/api/generateToken", to: book) { try await VowelToken(tokens).answer($0, $1, $2) }
  }

  /// A route that pages of other sites may use, whatever it answers.
  private func add(
    _ path: String, to book: RouteBook,
    _ answer: @escaping @Sendable (Request, TokenAsker, Logger) async throws -> Response
  ) {
    book.post(path) { request, context in
      let response: Response
      do {
        response = try await answer(request, TokenAsker(request, context), context.logger)
      } catch let fault as HTTPFault {
        response = fault.response
      }
      return CrossOrigin.open(response, to: request)
    }
    book.on(.options, path) { request, _ in CrossOrigin.preflight(request) }
  }
}

extension TokenAsker {
  init(_ request: Request, _ context: OperatorContext) {
    var headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
    // The HTTP types keep `Host` apart from the fields.
    if let host = request.head.authority { headers.append((name: "Host", value: host)) }
    self.init(headers: headers, target: RequestTarget(request.uri.string), peer: context.peer)
  }
}

extension Response {
  /// An answer that holds a secret: nothing on the way may keep it (RFC 9111 section 5.2.2.5).
  static func secret(_ object: JSONObject) -> Response {
    var response = OperatorSurface.json(.ok, JSONValue.object(object).text)
    response.headers[.cacheControl] = "no-store"
    return response
  }
}

/// `POST …/client_secrets`.
struct ClientSecret {
  /// Seconds.
  static let usualLifetime = 600
  static let lifetimes = 10...7200

  private let tokens: any TokenIssuing

  init(_ tokens: any TokenIssuing) {
    self.tokens = tokens
  }

  func answer(_ request: Request, _ asker: TokenAsker, _: Logger) async throws -> Response {
    let admittance = try await tokens.admit(asker)
    let body = try await JSONBody.objectOrNothing(request, most: TokenRoutes.longestBody)
    let order = try Self.order(body, QueryFields(request, known: nil))
    let issued = try await tokens.issue(order, to: admittance, askedBy: asker)
    var session = issued.session
    session["expires_at"] = 0
    return .secret([
      "value": .string(issued.value.reveal()), "expires_at": .number(JSONNumber(issued.expiresAt)),
      "session": .object(session),
    ])
  }

  static func order(_ body: JSONObject, _ query: QueryFields) throws(HTTPFault) -> MintOrder {
    let fields = try BodyFields(body, known: nil)
    var order = MintOrder(lifetimeSeconds: try lifetime(fields, "expires_after") ?? usualLifetime)
    if let session = try fields.object("session") {
      order.purpose = try purpose(session)
      order.model = try model(session)
      order.session = SessionOrder.start(session)
    }
    try order.read(fields, query)
    return order
  }

  private static func purpose(_ session: JSONObject) throws(HTTPFault) -> SessionType {
    guard let name = try BodyFields(session, at: "session", known: nil).string("type") else { return .realtime }
    guard let purpose = SessionType(rawValue: name) else {
      throw HTTPFault(
        .invalidValue(name, param: "session.type", supported: SessionType.allCases.map(\.rawValue)))
    }
    return purpose
  }

  private static func model(_ session: JSONObject) throws(HTTPFault) -> String? {
    let fields = try BodyFields(session, at: "session", known: nil)
    return try fields.string(["model", "modelId"])
  }

  /// `{"anchor":"created_at","seconds":…}`
  static func lifetime(_ fields: BodyFields, _ key: String) throws(HTTPFault) -> Int? {
    guard let expiry = try fields.fields(key, known: nil) else { return nil }
    if let anchor = try expiry.string("anchor"), anchor != "created_at" {
      throw HTTPFault(.invalidValue(anchor, param: expiry.path("anchor"), supported: ["created_at"]))
    }
    return try expiry.integer("seconds", lifetimes)
  }
}

/// What the bodies of the token routes say of a session.
enum SessionOrder {
  /// What says which session it is, and not how it begins.
  private static let names: Set<String> = ["type", "id", "object", "expires_at", "model", "modelId", "client_secret"]

  /// The part of a GA session that is how it begins.
  static func start(_ session: JSONObject) -> JSONObject {
    var start = JSONObject()
    for (key, value) in session where !names.contains(key) { start[key] = value }
    return start
  }

  /// Both, object by object; `other` wins.
  static func merged(_ object: JSONObject, _ other: JSONObject) -> JSONObject {
    var merged = object
    for (key, value) in other {
      if let below = merged[key]?.object, let above = value.object {
        merged[key] = .object(Self.merged(below, above))
      } else {
        merged[key] = value
      }
    }
    return merged
  }
}

extension MintOrder {
  /// Reads what OpenAI's shapes have no word for: which provider, for which app, from where, and how much.
  mutating func read(_ fields: BodyFields, _ query: QueryFields) throws(HTTPFault) {
    provider = try fields.string("provider")
    if provider == nil { provider = try query.value("provider") }
    app = try fields.string("app")
    route = try fields.string("route")
    if let texts = try fields.strings("origins") {
      origins = try Self.origins(texts, at: fields.path("origins"))
    }
    maxSessions = try fields.integer("max_sessions", 1...1_000_000)
    guard let limits = try fields.fields("limits", known: ["maxSessions", "maxMinutesPerSession", "idleSeconds"])
    else { return }
    if let most = try limits.integer("maxSessions", 1...1_000_000) { maxSessions = min(most, maxSessions ?? most) }
    maxMinutesPerSession = try limits.decimal("maxMinutesPerSession", 0.01...525_600)
    idleSeconds = try limits.decimal("idleSeconds", 1...31_536_000)
  }

  static func origins(_ texts: [String], at path: String) throws(HTTPFault) -> [OriginPattern] {
    var origins: [OriginPattern] = []
    for (index, text) in texts.enumerated() {
      guard let origin = OriginPattern(text) else {
        throw HTTPFault(
          .invalidValue(param: "\(path)[\(index)]", because: "expected an origin such as 'https://app.example'."))
      }
      origins.append(origin)
    }
    return origins
  }
}
