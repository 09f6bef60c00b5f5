import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Where assertions are exchanged for access tokens, on the loopback interface: records what it is asked, and answers
/// as a script says.
final class TokenEndpoint: Sendable {
  struct Request: Sendable {
    var head: String
    var body: String

    /// A field of the form, percent-decoded.
    func field(_ name: String) -> String? {
      let pairs = body.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
      return pairs.first { $0.first == name }?.last?.removingPercentEncoding
    }
  }

  /// The whole answer to the nth request, counted from 1; nil: none, ever.
  typealias Script = @Sendable (_ count: Int) -> String?

  /// One element for each request.
  let arrivals: AsyncStream<Void>
  private let channel: any Channel
  private let record: Record
  var port: Int { channel.localAddress?.port ?? 0 }
  var url: String { "http://127.0.0.1:\(port)/token" }
  var requests: [Request] { record.requests.withLock { $0 } }

  private final class Record: Sendable {
    let requests = Mutex<[Request]>([])
    let script: Script
    let arrived: AsyncStream<Void>.Continuation

    init(_ script: @escaping Script, _ arrived: AsyncStream<Void>.Continuation) {
      self.script = script
      self.arrived = arrived
    }

    func answer(to request: Request) -> String? {
      let count = requests.withLock {
        $0.append(request)
        return $0.count
      }
      arrived.yield()
      return script(count)
    }
  }

  init(_ script: @escaping Script) async throws {
    let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
    let record = Record(script, arrived)
    self.arrivals = arrivals
    self.record = record
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Connection { record.answer(to: $0) })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  func stop() async {
    try? await channel.close()
  }

  static func answer(_ body: String, status: String = "200 OK", headers: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static func token(_ text: String, seconds: Int = 3600) -> String {
    answer(#"{"access_token": "\#(text)", "expires_in": \#(seconds), "token_type": "Bearer"}"#)
  }

  private final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: (Request) -> String?
    private var text = ""

    init(answer: @escaping (Request) -> String?) {
      self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      text += String(buffer: unwrapInboundIn(data))
      guard let end = text.firstRange(of: "\r\n\r\n") else { return }
      let head = String(text[..<end.upperBound])
      let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
      let length = line.flatMap { Int($0.dropFirst("content-length:".count).trimmingPrefix(" ")) } ?? 0
      let body = String(text[end.upperBound...])
      guard body.utf8.count >= length else { return }
      text = ""
      guard let answer = answer(Request(head: head, body: body)) else { return }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }
}
