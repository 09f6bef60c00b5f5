import NIOCore
import NIOPosix

/// Accepts connections, takes what comes, and says nothing of its own.
struct SilentPeer {
  struct Line: Sendable {
    let channel: any Channel
    /// Ends with the connection.
    let bytes: AsyncStream<ByteBuffer>
  }

  let channel: any Channel
  /// The connections whose first bytes have come.
  let arrivals: AsyncStream<Line>
  var port: Int { channel.localAddress?.port ?? 0 }

  static func start() async throws -> SilentPeer {
    let (arrivals, arrival) = AsyncStream.makeStream(of: Line.self)
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(SilentHandler(arrival))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return SilentPeer(channel: channel, arrivals: arrivals)
  }

  func stop() async {
    try? await channel.close()
  }
}

private final class SilentHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let arrival: AsyncStream<SilentPeer.Line>.Continuation
  private var bytes: AsyncStream<ByteBuffer>.Continuation?

  init(_ arrival: AsyncStream<SilentPeer.Line>.Continuation) {
    self.arrival = arrival
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if bytes == nil {
      let (stream, bytes) = AsyncStream.makeStream(of: ByteBuffer.self)
      self.bytes = bytes
      arrival.yield(SilentPeer.Line(channel: context.channel, bytes: stream))
    }
    bytes?.yield(unwrapInboundIn(data))
  }

  func channelInactive(context: ChannelHandlerContext) {
    bytes?.finish()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
