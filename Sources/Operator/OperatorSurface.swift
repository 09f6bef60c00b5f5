public import Envelope
public import Foundation
import HTTPTypes
public import Hummingbird
import LocalVoiceProvider
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
}

/// The HTTP side of the server: what operators and health checks talk to, and what the engine does beside sessions.
public enum OperatorSurface {
  /// Why a client may not use what sessions and their keys are for; nil if it may.
  public typealias Gatekeeper = @Sendable (Request, _ peer: SocketAddress?) -> Response?

  /// A router that answers `GET /health`, `GET /v1/capabilities`, `GET /v1/models` and `GET /v1/voices`, speaks with the
  /// engine's voice, and answers everything it does not know with an error object as JSON.
  ///
  /// - Parameters:
  ///   - capabilities: the answer to the second; it does not change.
  ///   - catalogue: the answer to the other two.
  ///   - refusal: judges who may have those and speech.
  ///   - now: gives the time stamp of the health answer.
  public static func router(
    engine: VoiceEngine, capabilities: JSONValue, catalogue: Catalogue, refusal: @escaping Gatekeeper,
    now: @escaping @Sendable () -> Date = { Date() }
  ) -> Router<OperatorContext> {
    let router = Router(context: OperatorContext.self, options: .autoGenerateHeadEndpoints)
    let book = RouteBook(router: router, paths: PathTable())
    router.add(middleware: JSONErrorMiddleware(paths: book.paths))
    book.get("/health") { _, _ in
      let stamp = now().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
      var health: JSONObject = ["status": "ok", "timestamp": .string(stamp)]
      if engine.isPresent { health["engine"] = engine.profile.description }
      return json(.ok, JSONValue.object(health).text)
    }
    let capabilities = capabilities.text
    book.get("/v1/capabilities") { request, context in
      refusal(request, context.peer) ?? json(.ok, capabilities)
    }
    CatalogueRoutes(catalogue: catalogue, refusal: refusal).add(to: book)
    let places = SpeechPlaces(SpeechRoute.mostAtOnce)
    book.post("/v1/audio/speech") { request, context in
      if let refused = refusal(request, context.peer) { return refused }
      return try await SpeechRoute.answer(request, engine: engine, places: places)
    }
    // WebRTC and SIP calls are set up here at the original service; this server speaks WebSocket only.
    book.post("/v1/realtime/calls") { _, _ in
      errorResponse(
        .notImplemented, code: "transport_not_supported",
        message: "WebRTC calls are not supported; open a WebSocket at /v1/realtime.")
    }
    return router
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
