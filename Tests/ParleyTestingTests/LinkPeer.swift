import NIOCore
import NIOPosix

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// One end of a TCP connection: what it hears is taken in order, up to its end.
final class LinkPeer: Sendable {
  enum Arrival: Sendable, Equatable {
    case bytes(ByteBuffer)
    /// A FIN.
    case end
    /// A reset.
    case reset
    case closed
  }

  /// No test waits longer than this; the connection is then closed and the expectation fails.
  private static let patience = TimeAmount.seconds(30)

  let channel: any Channel
  private let arrivals: AsyncStream<Arrival>

  private init(channel: any Channel, arrivals: AsyncStream<Arrival>) {
    (self.channel, self.arrivals) = (channel, arrivals)
    channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
  }

  static func connect(port: Int) async throws -> LinkPeer {
    let (arrivals, continuation) = AsyncStream.makeStream(of: Arrival.self)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ArrivalHandler(continuation))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return LinkPeer(channel: channel, arrivals: arrivals)
  }

  /// A port, and what connects to it in order.
  static func listen() async throws -> (listener: any Channel, peers: AsyncStream<LinkPeer>) {
    let (peers, accepted) = AsyncStream.makeStream(of: LinkPeer.self)
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let (arrivals, continuation) = AsyncStream.makeStream(of: Arrival.self)
          try channel.pipeline.syncOperations.addHandler(ArrivalHandler(continuation))
          accepted.yield(LinkPeer(channel: channel, arrivals: arrivals))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return (listener, peers)
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  func send(_ text: String) async throws {
    try await send(Array(text.utf8))
  }

  /// Says no more.
  func finish() async throws {
    try await channel.close(mode: .output).get()
  }

  func close() async {
    try? await channel.close().get()
  }

  /// The next thing heard; `.closed` at the end of all.
  func next() async -> Arrival {
    for await arrival in arrivals { return arrival }
    return .closed
  }

  /// Reads this many bytes, in as many pieces as they come; fewer if the connection ends before.
  func pieces(_ count: Int) async -> [ByteBuffer] {
    var pieces: [ByteBuffer] = []
    while pieces.reduce(0, { $0 + $1.readableBytes }) < count, case .bytes(let piece) = await next() {
      pieces.append(piece)
    }
    return pieces
  }

  func read(_ count: Int) async -> [UInt8] {
    await pieces(count).flatMap { Array($0.readableBytesView) }
  }

  /// Everything up to the end, and how that was.
  func readToEnd() async -> (bytes: [UInt8], end: Arrival) {
    var bytes: [UInt8] = []
    while true {
      let arrival = await next()
      guard case .bytes(let piece) = arrival else { return (bytes, arrival) }
      bytes += piece.readableBytesView
    }
  }
}

private final class ArrivalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let continuation: AsyncStream<LinkPeer.Arrival>.Continuation

  init(_ continuation: AsyncStream<LinkPeer.Arrival>.Continuation) {
    self.continuation = continuation
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    continuation.yield(.bytes(unwrapInboundIn(data)))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { continuation.yield(.end) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if (error as? IOError)?.errnoCode == ECONNRESET { continuation.yield(.reset) }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    continuation.finish()
  }
}
