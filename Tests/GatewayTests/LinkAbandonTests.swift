import NIOCore
import NIOPosix
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A client that leaves while the provider is being reached", .timeLimit(.minutes(3)))
struct LinkAbandonTests {
  /// Closes the call and waits until the gateway knows.
  private func leave(_ client: TestSocket, withCloseFrame: Bool, _ log: LogCapture) async throws {
    if withCloseFrame {
      try await client.sendFrames { $0.close(.normal, reason: "") }
    } else {
      try await client.channel.close()
    }
    #expect(await log.line(with: "session ended").contains("phase=dialling"))
  }

  @Test(
    "fault row 52: a client that leaves during the provider's TLS handshake leaves no orphan", arguments: [true, false])
  func duringTLS(withCloseFrame: Bool) async throws {
    let peer = try await SilentPeer.start()
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: peer.port, scheme: "wss", log: log)
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: LinkCall.path))
    var arrivals = peer.arrivals.makeAsyncIterator()
    // Its hello has come, and is not answered.
    let line = try #require(await arrivals.next())
    try await leave(client, withCloseFrame: withCloseFrame, log)
    // Ends with the connection.
    for await _ in line.bytes {}
    await gateway.stop()
    #expect(gateway.running.connectionCount == 0)
    await peer.stop()
  }

  @Test(
    "fault row 52: a connection that comes about after the client has left is closed without a byte",
    arguments: [true, false])
  func duringConnect(withCloseFrame: Bool) async throws {
    let crowd = try await CrowdedPeer.start()
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: crowd.port, log: log) { $0.upstreamConnect = .seconds(60) }
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: LinkCall.path))
    #expect(await client.message() != nil)
    try await leave(client, withCloseFrame: withCloseFrame, log)
    crowd.accept()
    var ends = crowd.ends.makeAsyncIterator()
    #expect(await ends.next() == 0)
    await gateway.stop()
    #expect(gateway.running.connectionCount == 0)
    await crowd.stop()
  }
}

/// A listener whose queue is full, so that whoever connects waits until it accepts.
private struct CrowdedPeer {
  private let listener: any Channel
  private let fillers: [any Channel]
  /// The bytes that came over each connection that has ended.
  let ends: AsyncStream<Int>
  var port: Int { listener.localAddress?.port ?? 0 }

  static func start() async throws -> CrowdedPeer {
    let (ends, end) = AsyncStream.makeStream(of: Int.self)
    let group = MultiThreadedEventLoopGroup.singleton
    let listener = try await ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 0)
      .serverChannelOption(.autoRead, value: false)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(CountingHandler(end))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    // One connection fits into the queue of a backlog of 0.
    let filler = try await ClientBootstrap(group: group).connect(
      host: "127.0.0.1", port: listener.localAddress?.port ?? 0
    )
    .get()
    return CrowdedPeer(listener: listener, fillers: [filler], ends: ends)
  }

  /// From now on.
  func accept() {
    listener.setOption(.autoRead, value: true).whenComplete { [listener] _ in listener.read() }
  }

  func stop() async {
    for filler in fillers { try? await filler.close() }
    try? await listener.close()
  }
}

private final class CountingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let end: AsyncStream<Int>.Continuation
  private var count = 0

  init(_ end: AsyncStream<Int>.Continuation) {
    self.end = end
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    count += unwrapInboundIn(data).readableBytes
  }

  func channelInactive(context: ChannelHandlerContext) {
    end.yield(count)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
