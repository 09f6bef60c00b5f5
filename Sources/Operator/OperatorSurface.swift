public import Foundation
import HTTPTypes
public import Hummingbird
import NIOCore

/// The HTTP side of the server: what operators and health checks talk to.
public enum OperatorSurface {
  /// A router that answers `GET /health`, and everything it does not know with an error object as JSON.
  ///
  /// `now` gives the time stamp of the health answer.
  public static func router(
    now: @escaping @Sendable () -> Date = { Date() }
  ) -> Router<BasicRequestContext> {
    let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: JSONErrorMiddleware())
    router.get("/health") { _, _ in
      let stamp = now().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
      return json(.ok, #"{"status":"ok","timestamp":"\#(stamp)"}"#)
    }
    // WebRTC and SIP calls are set up here at the original service; this server speaks WebSocket only.
    router.post("/v1/realtime/calls") { _, _ in
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

  /// The shape of the OpenAI error object. Both texts are literals of this target, without anything to escape.
  static func errorResponse(_ status: HTTPResponse.Status, code: StaticString, message: StaticString) -> Response {
    json(
      status,
      #"{"error":{"message":"\#(message)","type":"invalid_request_error","param":null,"code":"\#(code)"}}"#)
  }
}

/// Gives every error of the router a JSON body.
struct JSONErrorMiddleware<Context: RequestContext>: RouterMiddleware {
  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as any HTTPResponseError {
      switch error.status {
      case .notFound:
        return OperatorSurface.errorResponse(.notFound, code: "not_found", message: "There is nothing at this path.")
      default:
        return OperatorSurface.errorResponse(
          error.status, code: "request_failed", message: "The request could not be served.")
      }
    }
  }
}
