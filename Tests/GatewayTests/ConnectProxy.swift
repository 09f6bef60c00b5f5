import NIOCore
import NIOPosix
import Routing
import Synchronization

/// An HTTP proxy on the loopback interface that answers every connection by one script.
struct ConnectProxy: Sendable {
  enum Script: Sendable {
    /// Answers with this head, and leads to this port of the machine, whatever host is asked for.
    case tunnel(port: Int, head: String = "HTTP/1.1 200 Connection established\r\n\r\n")
    /// Answers and stays.
    case answer(String)
    case silence
    case hangUp
  }

  private final class Record: Sendable {
    let heads = Mutex<[String]>([])
  }

  private let channel: any Channel
  private let record: Record
  var port: Int { channel.localAddress?.port ?? 0 }
  /// The request heads that came, in their order.
  var requests: [String] { record.heads.withLock { $0 } }

  static func start(_ script: Script) async throws -> ConnectProxy {
    let record = Record()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            ProxyScriptHandler(script) { head in record.heads.withLock { $0.append(head) } })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return ConnectProxy(channel: channel, record: record)
  }

  /// Settings that lead here, for both kinds of connections.
  func settings(_ user: String = "", _ more: [String: String] = [:]) throws -> ProxySettings {
    try ProxySettings(environment: more.merging(["ALL_PROXY": "http://\(user)127.0.0.1:\(port)"]) { $1 })
  }

  func stop() async {
    try? await channel.close()
  }
}

private final class ProxyScriptHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let script: ConnectProxy.Script
  private let record: (String) -> Void
  private var head = ""
  private var target: (any Channel)?
  private var early: [ByteBuffer] = []
  private var isTunnel = false

  init(_ script: ConnectProxy.Script, record: @escaping (String) -> Void) {
    self.script = script
    self.record = record
  }

  func channelActive(context: ChannelHandlerContext) {
    if case .hangUp = script { context.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    if isTunnel {
      if let target { target.writeAndFlush(bytes, promise: nil) } else { early.append(bytes) }
      return
    }
    head += String(buffer: bytes)
    guard head.contains("\r\n\r\n") else { return }
    record(head)
    switch script {
    case .silence, .hangUp: return
    case .answer(let answer):
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    case .tunnel(let port, let answer):
      isTunnel = true
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
      connect(context, port)
    }
  }

  private func connect(_ context: ChannelHandlerContext, _ port: Int) {
    let client = context.channel
    ClientBootstrap(group: context.eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Backward(client: client))
        }
      }
      .connect(host: "127.0.0.1", port: port)
      .assumeIsolated()
      .whenComplete { [self] result in
        guard case .success(let channel) = result else { return client.close(promise: nil) }
        target = channel
        for bytes in early { channel.write(bytes, promise: nil) }
        channel.flush()
      }
  }

  func channelInactive(context: ChannelHandlerContext) {
    target?.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

/// From the target back to the client.
private final class Backward: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let client: any Channel

  init(client: any Channel) {
    self.client = client
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    client.writeAndFlush(unwrapInboundIn(data), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    client.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
