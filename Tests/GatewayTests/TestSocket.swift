import NIOCore
import NIOPosix
import WebSocketWire

/// A raw TCP client: writes bytes as they are and reads what comes. Used from one task.
final class TestSocket {
  let channel: any Channel
  private var chunks: AsyncStream<ByteBuffer>.Iterator
  private(set) var received = ByteBuffer()
  private var connection = WebSocketConnection(role: .client)

  /// No test waits longer than this for anything, unless it says so; the connection is then cut and the expectation fails.
  static let patience = TimeAmount.seconds(20)

  private init(channel: any Channel, chunks: AsyncStream<ByteBuffer>) {
    self.channel = channel
    self.chunks = chunks.makeAsyncIterator()
  }

  static func connect(port: Int, patience: TimeAmount = patience) async throws -> TestSocket {
    let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(continuation: continuation))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    return TestSocket(channel: channel, chunks: stream)
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text))
  }

  func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes)
  }

  /// Reads until the text is there; nil when the connection ends before.
  func text(upTo end: String) async -> String? {
    while true {
      let text = String(buffer: received)
      if let range = text.firstRange(of: end) {
        let head = String(text[..<range.upperBound])
        received.moveReaderIndex(forwardBy: head.utf8.count)
        return head
      }
      guard await readMore() else { return nil }
    }
  }

  /// Everything until the peer closes.
  func textToEnd() async -> String {
    while await readMore() {}
    return String(buffer: received)
  }

  /// A whole answer with `Content-Length`.
  func response() async -> (head: String, body: String)? {
    guard let head = await text(upTo: "\r\n\r\n") else { return nil }
    let field = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
    let count = field.flatMap { Int($0.dropFirst("content-length:".count).filter(\.isNumber)) } ?? 0
    while received.readableBytes < count {
      guard await readMore() else { return nil }
    }
    return (head, received.readString(length: count) ?? "")
  }

  // MARK: WebSocket

  static func upgradeRequest(path: String = "/v1/realtime", fields: [String] = []) -> String {
    (["GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: keep-alive, Upgrade"]
      + ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="] + fields + ["", ""])
      .joined(separator: "\r\n")
  }

  /// Opens a WebSocket; false when refused.
  func upgrade(path: String = "/v1/realtime", fields: [String] = []) async throws -> Bool {
    try await send(Self.upgradeRequest(path: path, fields: fields))
    let head = await text(upTo: "\r\n\r\n")
    return head?.hasPrefix("HTTP/1.1 101 ") ?? false
  }

  func sendFrames(_ write: (inout WebSocketConnection) -> Void) async throws {
    write(&connection)
    let bytes = connection.outbound
    connection.outbound = ByteBuffer()
    try await send(bytes)
  }

  /// The next frame's event; nil when the connection ends without one.
  func event() async -> WebSocketEvent? {
    while true {
      if received.readableBytes > 0 {
        connection.receive(received)
        received = ByteBuffer()
      }
      if let event = connection.nextEvent() { return event }
      guard await readMore() else {
        connection.receiveEOF()
        return connection.nextEvent()
      }
    }
  }

  /// The next text message; nil when something else comes.
  func message() async -> String? {
    guard case .text(let text) = await event() else { return nil }
    return String(buffer: text)
  }

  private func readMore() async -> Bool {
    guard var chunk = await chunks.next() else { return false }
    received.writeBuffer(&chunk)
    return true
  }
}

/// Turns what a channel receives into a stream; the end of either direction ends it.
private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let continuation: AsyncStream<ByteBuffer>.Continuation

  init(continuation: AsyncStream<ByteBuffer>.Continuation) {
    self.continuation = continuation
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    continuation.yield(unwrapInboundIn(data))
  }

  func channelInactive(context: ChannelHandlerContext) {
    continuation.finish()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
