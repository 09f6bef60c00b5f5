import AsyncHTTPClient
import NIOCore
import NIOPosix
import Synchronization
import VoiceEngine

/// An HTTP server on the loopback interface that records what it is asked and plays replies.
final class LoopbackServer: Sendable {
  struct Request: Sendable {
    var line: String
    /// Names in small letters.
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
  }

  struct Reply: Sendable {
    enum Ending: Sendable {
      /// The last chunk, and the connection stays.
      case complete
      /// The connection is closed in the middle.
      case cut
      /// Nothing more comes, and the connection stays.
      case hold
    }

    var status = "200 OK"
    var type = "application/json"
    var headers: [(String, String)] = []
    /// Each is a chunk of its own, so that the client gets exactly these pieces.
    var pieces: [[UInt8]] = []
    var ending = Ending.complete
    /// Nothing is sent at all.
    var isSilent = false

    static func json(_ text: String, status: String = "200 OK") -> Reply {
      Reply(status: status, pieces: [Array(text.utf8)])
    }

    /// Server-sent events, cut every `size` bytes.
    static func events(_ events: [String], cut size: Int = 7, ending: Ending = .complete) -> Reply {
      let bytes = Array(events.map { "data: \($0)\n\n" }.joined().utf8)
      return Reply(type: "text/event-stream; charset=utf-8", pieces: bytes.cut(size), ending: ending)
    }

    static let silent = Reply(isSilent: true)

    fileprivate var bytes: [UInt8] {
      guard !isSilent else { return [] }
      var head = "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\ntransfer-encoding: chunked\r\n"
      for (name, value) in headers { head += "\(name): \(value)\r\n" }
      var bytes = Array((head + "\r\n").utf8)
      for piece in pieces where !piece.isEmpty {
        bytes += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + Array("\r\n".utf8)
      }
      if case .complete = ending { bytes += Array("0\r\n\r\n".utf8) }
      return bytes
    }
  }

  private let replies: [Reply]
  private let seen = Mutex<[Request]>([])
  private let channel: any Channel
  private let closes: AsyncStream<Void>

  /// The nth request gets the nth reply; the last one is repeated.
  init(_ replies: [Reply]) async throws {
    self.replies = replies
    let (closes, closer) = AsyncStream<Void>.makeStream()
    self.closes = closes
    let box = Box()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            Connection(answer: { box.answer($0) }, closed: { closer.yield() }))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    box.set { [weak self] in self?.answer($0) ?? .silent }
  }

  var port: Int { channel.localAddress?.port ?? 0 }
  var base: String { "http://127.0.0.1:\(port)/v1" }
  var requests: [Request] { seen.withLock(\.self) }

  /// Returns when a connection of a client has closed.
  func connectionCloses() async {
    for await _ in closes { return }
  }

  /// Harmless when repeated.
  func stop() async {
    try? await channel.close()
  }

  private func answer(_ request: Request) -> Reply {
    seen.withLock { seen in
      seen.append(request)
      return replies[min(seen.count, replies.count) - 1]
    }
  }

  /// Ties the connections to the server, which is not there yet when they are described.
  private final class Box: Sendable {
    private let target = Mutex<(@Sendable (Request) -> Reply)?>(nil)

    func set(_ target: @escaping @Sendable (Request) -> Reply) { self.target.withLock { $0 = target } }

    func answer(_ request: Request) -> Reply { target.withLock(\.self)?(request) ?? .silent }
  }

  private final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let answer: @Sendable (Request) -> Reply
    private let closed: @Sendable () -> Void
    private var received: [UInt8] = []

    init(answer: @escaping @Sendable (Request) -> Reply, closed: @escaping @Sendable () -> Void) {
      self.answer = answer
      self.closed = closed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      received += unwrapInboundIn(data).readableBytesView
      guard let request = takeRequest() else { return }
      let reply = answer(request)
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply.bytes)), promise: nil)
      if case .cut = reply.ending { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { closed() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func takeRequest() -> Request? {
      let mark = Array("\r\n\r\n".utf8)
      guard let end = received.firstPlace(of: mark) else { return nil }
      let lines = String(decoding: received[..<end], as: UTF8.self).split(separator: "\r\n")
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].drop { $0 == " " }.description : ""
      }
      let body = received[(end + 4)...]
      let length = Int(headers["content-length"] ?? "0") ?? 0
      guard body.count >= length else { return nil }
      received = Array(body.dropFirst(length))
      return Request(line: String(lines[0]), headers: headers, body: Array(body.prefix(length)))
    }
  }
}

extension [UInt8] {
  /// Pieces of `size` bytes; the last may be shorter.
  func cut(_ size: Int) -> [[UInt8]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }

  func firstPlace(of mark: [UInt8]) -> Int? {
    guard count >= mark.count else { return nil }
    return (0...count - mark.count).first { self[$0..<$0 + mark.count].elementsEqual(mark) }
  }
}

/// Runs `body` with a server that plays `replies` and a client like the engine's.
func withLoopback<Result>(
  _ replies: LoopbackServer.Reply..., body: (LoopbackServer, HTTPClient) async throws -> Result
) async throws -> Result {
  let server = try await LoopbackServer(replies)
  let client = HTTPClient(
    eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: .remoteStages)
  do {
    let result = try await body(server, client)
    try await client.shutdown()
    await server.stop()
    return result
  } catch {
    try await client.shutdown()
    await server.stop()
    throw error
  }
}

extension RemoteLimits {
  /// None that ends an exchange before a test does.
  static var endless: RemoteLimits {
    var limits = RemoteLimits()
    limits.response = .seconds(3_600)
    limits.idle = .seconds(3_600)
    limits.total = .seconds(3_600)
    return limits
  }
}

/// All elements, and the fault that ended them.
func collect<Element>(
  _ stream: AsyncThrowingStream<Element, any Error>
) async throws -> (elements: [Element], fault: StageFault?) {
  var elements: [Element] = []
  do {
    for try await element in stream { elements.append(element) }
  } catch let fault as StageFault {
    return (elements, fault)
  }
  return (elements, nil)
}
