import NIOCore
import NIOPosix
import WebSocketWire

/// A stand-in provider that a test speaks for, message by message, on each connection that is made to it.
final class LinkPeer: Sendable {
  let channel: any Channel
  /// The connections in the order in which they were upgraded.
  let lines: AsyncStream<LinkLine>
  var port: Int { channel.localAddress?.port ?? 0 }

  private init(channel: any Channel, lines: AsyncStream<LinkLine>) {
    self.channel = channel
    self.lines = lines
  }

  /// - Parameter receiveBytes: of the kernel's buffer, where a test needs to know how much goes into it.
  static func start(receiveBytes: Int? = nil) async throws -> LinkPeer {
    let (lines, line) = AsyncStream.makeStream(of: LinkLine.self)
    var bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(LinkHandler(line))
        }
      }
    if let receiveBytes {
      bootstrap = bootstrap.serverChannelOption(
        .socketOption(.so_rcvbuf), value: ChannelOptions.Types.SocketOption.Value(receiveBytes))
    }
    return LinkPeer(channel: try await bootstrap.bind(host: "127.0.0.1", port: 0).get(), lines: lines)
  }

  func stop() async {
    try? await channel.close()
  }
}

/// One connection to a `LinkPeer`. Whatever it is not told, it does not do: no answer, no close.
final class LinkLine: Sendable {
  enum Heard: Sendable {
    case text(String)
    /// By a close frame, or without one (1006).
    case ended(UInt16)
  }

  let head: String
  let channel: any Channel
  let heard: AsyncStream<Heard>
  private let handler: NIOLoopBound<LinkHandler>

  fileprivate init(
    head: String, channel: any Channel, heard: AsyncStream<Heard>, handler: NIOLoopBound<LinkHandler>
  ) {
    self.head = head
    self.channel = channel
    self.heard = heard
    self.handler = handler
  }

  func say(_ texts: String...) async throws {
    try await say(texts)
  }

  /// In one write. Returns when the kernel has all of it.
  func say(_ texts: [String]) async throws {
    try await write { socket in
      for text in texts { socket.send(.text, ByteBuffer(string: text).readableBytesView) }
    }
  }

  func close(_ code: UInt16, reason: String = "as scripted") async throws {
    try await write { $0.close(CloseCode(rawValue: code), reason: reason) }
  }

  /// Bytes as they are.
  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// The end without a close frame.
  func hangUp() async {
    try? await channel.close()
  }

  func setReading(_ isReading: Bool) async throws {
    try await channel.setOption(.autoRead, value: isReading).get()
    if isReading { channel.read() }
  }

  private func write(_ change: @escaping @Sendable (inout WebSocketConnection) -> Void) async throws {
    let written = channel.eventLoop.makePromise(of: Void.self)
    channel.eventLoop.execute { [handler] in handler.value.write(written, change) }
    try await written.futureResult.get()
  }
}

private final class LinkHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let line: AsyncStream<LinkLine>.Continuation
  private var said: AsyncStream<LinkLine.Heard>.Continuation?
  private var bytes = ByteBuffer()
  private var socket = WebSocketConnection(role: .server)
  private var context: ChannelHandlerContext?
  private var hasEnded = false

  init(_ line: AsyncStream<LinkLine>.Continuation) {
    self.line = line
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var received = unwrapInboundIn(data)
    guard said == nil else {
      socket.receive(received)
      return deliver()
    }
    bytes.writeBuffer(&received)
    let head = String(buffer: bytes)
    guard head.hasSuffix("\r\n\r\n") else { return }
    let field = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }
    let key = field.map { String($0.dropFirst("sec-websocket-key: ".count)) } ?? ""
    let answer = (ScriptedUpstream.upgraded + "\r\n").replacing("%ACCEPT%", with: Handshake.accept(forKey: key))
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    let (heard, said) = AsyncStream.makeStream(of: LinkLine.Heard.self)
    self.said = said
    line.yield(
      LinkLine(
        head: head, channel: context.channel, heard: heard,
        handler: NIOLoopBound(self, eventLoop: context.eventLoop)))
  }

  func channelInactive(context: ChannelHandlerContext) {
    socket.receiveEOF()
    deliver()
    end(1006)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func deliver() {
    while let event = socket.nextEvent() {
      switch event {
      case .text(let text): said?.yield(.text(String(buffer: text)))
      case .closed(let close): end(close.code.rawValue)
      case .binary, .ping, .pong: continue
      }
    }
    // Pongs, and the answer to a close.
    if socket.outbound.readableBytes > 0 { flush(nil) }
  }

  private func end(_ code: UInt16) {
    guard !hasEnded else { return }
    hasEnded = true
    said?.yield(.ended(code))
    said?.finish()
  }

  func write(_ written: EventLoopPromise<Void>, _ change: (inout WebSocketConnection) -> Void) {
    change(&socket)
    flush(written)
  }

  private func flush(_ written: EventLoopPromise<Void>?) {
    let bytes = socket.outbound
    socket.emptyOutbound()
    guard let context else {
      written?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
  }
}
