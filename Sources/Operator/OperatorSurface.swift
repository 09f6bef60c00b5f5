public import Access
public import Envelope
public import Foundation
import HTTPTypes
public import Hummingbird
import LocalVoiceProvider
public import Metering
public import NIOCore
public import VoiceEngine

/// A request and where it comes from.
public struct OperatorContext: RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// Of the TCP connection; nil for a test's.
  public let peer: SocketAddress?

  public init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    peer = source.channel.remoteAddress
  }

  init(coreContext: CoreRequestContextStorage, peer: SocketAddress? = nil) {
    self.coreContext = coreContext
    self.peer = peer
  }
}

/// What belongs to sessions: lists of what they may name, and the engine's voice.
public struct SessionSurface: Sendable {
  /// Why a client may not use what it asks for; nil if it may.
  public typealias Gatekeeper = @Sendable (Request, _ peer: SocketAddress?, AccessUse) async -> HTTPFault?

  /// The answer to `GET /v1/capabilities`; it does not change.
  public var capabilities: JSONValue
  public var catalogue: Catalogue
  public var gate: Gatekeeper

  public init(capabilities: JSONValue, catalogue: Catalogue, gate: @escaping Gatekeeper) {
    self.capabilities = capabilities
    self.catalogue = catalogue
    self.gate = gate
  }

  /// - Throws: what the gate says.
  func check(_ request: Request, _ context: OperatorContext, _ use: AccessUse) async throws(HTTPFault) {
    if let fault = await gate(request, context.peer, use) { throw fault }
  }
}

/// What is the operator's alone.
public struct AdminSurface: Sendable {
  public var gate: AdminGate
  public var keys: KeyDirectory
  /// Nil with `"ledger": "none"`.
  public var usage: (any UsageStore)?
  /// What is nil has no routes.
  public var configuration: (any ConfigurationDesk)?
  public var sessions: (any SessionDesk)?
  public var drain: (any DrainDesk)?

  public init(
    gate: AdminGate, keys: KeyDirectory, usage: (any UsageStore)?, configuration: (any ConfigurationDesk)? = nil,
    sessions: (any SessionDesk)? = nil, drain: (any DrainDesk)? = nil
  ) {
    self.gate = gate
    self.keys = keys
    self.usage = usage
    self.configuration = configuration
    self.sessions = sessions
    self.drain = drain
  }
}

/// The HTTP side of the server: what operators and health checks talk to, and what the engine does beside sessions.
public enum OperatorSurface {
  /// A router that answers `GET /health` with its kin, `GET /openapi.json` and the routes of the parts that it is given, and everything else with an
  /// error object as JSON: 405 for a method that a path lacks, 404 for a path that there is not.
  ///
  /// - Parameters:
  ///   - sessions: nil where a listener does not serve them.
  ///   - tokens: likewise.
  ///   - admin: likewise.
  ///   - health: nil where nothing but the process's being there is to be told.
  ///   - metrics: the text of `GET /metrics`; nil where a listener does not serve it.
  ///   - metricsGate: asked of whoever wants the metrics from another machine; nil where they are open.
  ///   - now: gives the time stamps of answers and records.
  public static func router(
    engine: VoiceEngine, sessions: SessionSurface? = nil, tokens: (any TokenIssuing)? = nil,
    admin: AdminSurface? = nil, health: (any HealthDesk)? = nil, metrics: (@Sendable () -> String)? = nil,
    metricsGate: AdminGate? = nil, now: @escaping @Sendable () -> Date = { Date() }
  ) -> Router<OperatorContext> {
    book(
      engine: engine, sessions: sessions, tokens: tokens, admin: admin, health: health, metrics: metrics,
      metricsGate: metricsGate, now: now
    ).router
  }

  /// The router and what it has.
  static func book(
    engine: VoiceEngine, sessions: SessionSurface?, tokens: (any TokenIssuing)?, admin: AdminSurface?,
    health: (any HealthDesk)?, metrics: (@Sendable () -> String)?, metricsGate: AdminGate?,
    now: @escaping @Sendable () -> Date
  ) -> RouteBook {
    let router = Router(context: OperatorContext.self, options: .autoGenerateHeadEndpoints)
    let book = RouteBook(router: router, paths: PathTable())
    router.add(middleware: JSONErrorMiddleware(paths: book.paths))
    HealthRoutes(desk: health ?? BareHealth(engine: engine), now: now).add(to: book)
    if let metrics { MetricsRoute(text: metrics, gate: metricsGate).add(to: book) }
    if let sessions { add(sessions, engine: engine, to: book) }
    if let tokens { TokenRoutes(tokens: tokens).add(to: book) }
    if let admin {
      let guarded = AdminBook(book: book, gate: admin.gate)
      KeyRoutes(directory: admin.keys, now: now).add(to: guarded)
      AppRoutes(directory: admin.keys).add(to: guarded)
      UsageRoutes(store: admin.usage, now: now).add(to: guarded)
      if let desk = admin.configuration { ConfigurationRoutes(desk: desk).add(to: guarded) }
      if let desk = admin.sessions { SessionRoutes(desk: desk).add(to: guarded) }
      if let desk = admin.drain { DrainRoutes(desk: desk).add(to: guarded) }
    }
    describe(book)
    return book
  }

  /// `GET /openapi.json`: what this router has, itself among it.
  private static func describe(_ book: RouteBook) {
    let path = "/openapi.json"
    let served = book.paths.all.union([PathTable.name(.get, path)])
    let document = OpenAPIDocument.document { served.contains(PathTable.name($0.method, $0.path)) }
    let text = JSONValue.object(document).text
    book.get(path) { _, _ in json(.ok, text) }
  }

  private static func add(_ sessions: SessionSurface, engine: VoiceEngine, to book: RouteBook) {
    let capabilities = sessions.capabilities.text
    book.get("/v1/capabilities") { request, context in
      try await sessions.check(request, context, .catalogue)
      return json(.ok, capabilities)
    }
    CatalogueRoutes(sessions: sessions).add(to: book)
    let places = SpeechPlaces(SpeechRoute.mostAtOnce)
    book.post("/v1/audio/speech") { request, context in
      try await sessions.check(request, context, .speech)
      return try await SpeechRoute.answer(request, engine: engine, places: places)
    }
    // WebRTC and SIP calls are set up here at the original service; this server speaks WebSocket only.
    book.post("/v1/realtime/calls") { _, _ in
      errorResponse(
        .notImplemented, code: "transport_not_supported",
        message: "WebRTC calls are not supported; open a WebSocket at /v1/realtime.")
    }
  }

  static func json(_ status: HTTPResponse.Status, _ text: String) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
  }

  /// The shape of the OpenAI error object.
  static func errorResponse(
    _ status: HTTPResponse.Status, type: String = "invalid_request_error", code: String?, message: String,
    param: String? = nil
  ) -> Response {
    let error: JSONObject = [
      "message": .string(message), "type": .string(type), "param": param.map(JSONValue.string) ?? .null,
      "code": code.map(JSONValue.string) ?? .null,
    ]
    return json(status, JSONValue.object(["error": .object(error)]).text)
  }
}
