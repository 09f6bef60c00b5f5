import HTTPWire
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import Operator

/// The ordinary HTTP side of a port: hands a connection to Hummingbird's HTTP/1 channel.
struct HTTPSurface: Sendable {
  /// Answers one request. It looks for the configuration in force itself: a connection may outlive one.
  typealias Answer = @Sendable (Request, OperatorContext) async throws -> Response

  private let http: HTTP1Channel
  private let logger: Logger

  init(logger: Logger, answer: @escaping Answer) {
    self.logger = logger
    http = HTTP1Channel(
      responder: { request, writer, channel in
        let context = OperatorContext(source: ApplicationRequestContextSource(channel: channel, logger: logger))
        let response: Response
        do {
          response = try await answer(request, context)
        } catch {
          logger.error("request failed", metadata: ["fault": "internal", "source": "gateway", "phase": "http"])
          response = Response(status: .internalServerError)
        }
        try await writer.write(response: response.head, body: response.body)
      },
      configuration: HTTP1Channel.Configuration(additionalChannelHandlers: [ResponseEndHandler()]))
  }

  /// Installs the HTTP handlers behind the gate and serves until the connection ends. On the channel's event loop.
  func serve(_ channel: any Channel) {
    let http = self.http
    let logger = self.logger
    http.setup(channel: channel, logger: logger).whenSuccess { asyncChannel in
      Task { await http.handle(value: asyncChannel, logger: logger) }
    }
  }
}

/// Travels towards the head of the pipeline behind the last bytes of a response.
struct ResponseEnded: Sendable {}

/// Tells the gate when a response is complete.
final class ResponseEndHandler: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let isEnd = if case .end = unwrapOutboundIn(data) { true } else { false }
    context.write(data, promise: promise)
    if isEnd { context.triggerUserOutboundEvent(ResponseEnded(), promise: nil) }
  }
}

extension RequestHead {
  /// The head as the HTTP surface gets it: written anew from what was understood, so that two parsers cannot differ on
  /// it, and without the upgrade fields, which end here.
  var forwarded: ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeString("\(method) \(path)\(query.map { "?" + $0 } ?? "") HTTP/1.1\r\n")
    for field in fields {
      switch field.name.lowercased() {
      case "upgrade", "connection", "http2-settings": continue
      default: buffer.writeString("\(field.name): \(field.value)\r\n")
      }
    }
    if tokens(of: "connection").contains("close") { buffer.writeString("Connection: close\r\n") }
    buffer.writeString("\r\n")
    return buffer
  }
}
