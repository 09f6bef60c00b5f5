public import NIOCore
import NIOPosix
public import WebSocketWire

/// Why a `RawClient` did not get what it waited for.
public enum RawClientFault: Error, Sendable {
  case cannotConnect(any Error)
  /// The deadline passed; what had been read by then.
  case timedOut(read: String)
  /// The server closed the connection; what had been read by then.
  case closed(read: String)
  /// The answer to the upgrade was not 101.
  case refused(head: String)
}

/// A TCP client with control of every byte, for tests of what a server does with good and bad input.
///
/// It writes what it is told, keeps what it reads until somebody asks, and after an upgrade speaks WebSocket through
/// `WebSocketConnection`. One task at a time may use it.
public actor RawClient {
  public static let patience = Duration.seconds(10)

  fileprivate enum Arrival: Sendable {
    case bytes(ByteBuffer)
    /// The time of a wait is over.
    case deadline(Int)
  }

  private let channel: any Channel
  private let continuation: AsyncStream<Arrival>.Continuation
  private var arrivals: AsyncStream<Arrival>.Iterator
  private var waits = 0
  private var unread = ByteBuffer()
  private var socket = WebSocketConnection(role: .client)

  private init(
    channel: any Channel, arrivals: AsyncStream<Arrival>, continuation: AsyncStream<Arrival>.Continuation
  ) {
    self.channel = channel
    self.continuation = continuation
    self.arrivals = arrivals.makeAsyncIterator()
  }

  public static func connect(host: String = "127.0.0.1", port: Int) async throws(RawClientFault) -> RawClient {
    let (arrivals, continuation) = AsyncStream<Arrival>.makeStream()
    do {
      let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ByteCollector(continuation))
          }
        }
        .connect(host: host, port: port).get()
      return RawClient(channel: channel, arrivals: arrivals, continuation: continuation)
    } catch {
      throw .cannotConnect(error)
    }
  }

  // MARK: Bytes

  public func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes).get()
  }

  public func send(_ text: String) async throws {
    try await send(ByteBuffer(string: text))
  }

  /// Reads until `isEnough` says so about everything unread, and takes that much.
  ///
  /// - Parameter isEnough: the number of bytes to take, nil to read on.
  public func read(
    within patience: Duration = RawClient.patience, until isEnough: @Sendable (ByteBuffer) -> Int?
  ) async throws(RawClientFault) -> ByteBuffer {
    while true {
      if let count = isEnough(unread), let bytes = unread.readSlice(length: count) { return bytes }
      guard try await readMore(within: patience) else { throw .closed(read: String(buffer: unread)) }
    }
  }

  /// Reads through the end of an HTTP head, `\r\n\r\n` included.
  public func readHead(within patience: Duration = RawClient.patience) async throws(RawClientFault) -> String {
    let head = try await read(within: patience) { bytes in
      let text = bytes.readableBytesView
      var matched = 0
      for (offset, byte) in text.enumerated() {
        matched = byte == (matched.isMultiple(of: 2) ? 0x0D : 0x0A) ? matched + 1 : (byte == 0x0D ? 1 : 0)
        if matched == 4 { return offset + 1 }
      }
      return nil
    }
    return String(buffer: head)
  }

  /// Everything until the server closes the connection.
  public func readToEnd(within patience: Duration = RawClient.patience) async throws(RawClientFault) -> String {
    while try await readMore(within: patience) {}
    defer { unread.clear() }
    return String(buffer: unread)
  }

  /// One more chunk into `unread`; false at the end of the stream.
  private func readMore(within patience: Duration) async throws(RawClientFault) -> Bool {
    waits += 1
    let (wait, continuation) = (waits, continuation)
    let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(patience)) {
      _ = continuation.yield(.deadline(wait))
    }
    defer { deadline.cancel() }
    while true {
      switch await nextArrival() {
      case .bytes(var chunk):
        unread.writeBuffer(&chunk)
        return true
      case .deadline(wait):
        throw .timedOut(read: String(buffer: unread))
      case .deadline:
        // Of an earlier wait that ended in time.
        continue
      case nil:
        return false
      }
    }
  }

  private func nextArrival() async -> Arrival? {
    var iterator = arrivals
    let arrival = await iterator.next(isolation: self)
    arrivals = iterator
    return arrival
  }

  // MARK: WebSocket

  /// The head of a well-formed upgrade request.
  public static func upgradeHead(
    _ target: String, host: String = "127.0.0.1", key: String = Handshake.newKey(),
    headers: [(name: String, value: String)] = []
  ) -> String {
    let extra = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    return "GET \(target) HTTP/1.1\r\nHost: \(host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n\(extra)\r\n"
  }

  /// Sends a head and expects a 101.
  ///
  /// - Returns: the head of the answer.
  @discardableResult
  public func upgrade(head: String) async throws -> String {
    try await send(head)
    let answer = try await readHead()
    guard answer.hasPrefix("HTTP/1.1 101 ") else { throw RawClientFault.refused(head: answer) }
    return answer
  }

  @discardableResult
  public func upgrade(
    _ target: String, headers: [(name: String, value: String)] = []
  ) async throws -> String {
    try await upgrade(head: Self.upgradeHead(target, headers: headers))
  }

  public func send(_ opcode: Opcode, _ text: String) async throws {
    socket.send(opcode, ByteBuffer(string: text).readableBytesView)
    try await flush()
  }

  /// The next event of the WebSocket, control frames included; nil when the terminal one has been given.
  public func next(within patience: Duration = RawClient.patience) async throws -> WebSocketEvent? {
    while socket.phase != .finished {
      if let event = socket.nextEvent() {
        try await flush()
        return event
      }
      if unread.readableBytes == 0, try await !readMore(within: patience) {
        socket.receiveEOF()
      }
      socket.receive(unread)
      unread = ByteBuffer()
    }
    return nil
  }

  /// The text of the next data frame; nil when the connection has ended instead.
  public func nextMessage(within patience: Duration = RawClient.patience) async throws -> String? {
    while let event = try await next(within: patience) {
      switch event {
      case .text(let bytes), .binary(let bytes): return String(buffer: bytes)
      case .ping, .pong: continue
      case .closed: return nil
      }
    }
    return nil
  }

  /// Reads on until the connection has ended and says how.
  public func closeEvent(within patience: Duration = RawClient.patience) async throws -> CloseEvent? {
    while let event = try await next(within: patience) {
      if case .closed(let close) = event { return close }
    }
    return nil
  }

  /// Begins the close handshake; read on for the server's answer.
  public func close(_ code: CloseCode = .normal, reason: String = "") async throws {
    socket.close(code, reason: reason)
    try await flush()
  }

  /// Ends the TCP connection without a word.
  public func drop() async {
    try? await channel.close().get()
  }

  private func flush() async throws {
    guard socket.outbound.readableBytes > 0 else { return }
    let bytes = socket.outbound
    socket.emptyOutbound()
    try await send(bytes)
  }
}

/// Hands everything that arrives to a stream.
private final class ByteCollector: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer
  private let continuation: AsyncStream<RawClient.Arrival>.Continuation

  init(_ continuation: AsyncStream<RawClient.Arrival>.Continuation) {
    self.continuation = continuation
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    continuation.yield(.bytes(unwrapInboundIn(data)))
  }

  func channelInactive(context: ChannelHandlerContext) {
    continuation.finish()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
