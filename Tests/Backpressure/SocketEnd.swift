import NIOCore
import WebSocketWire

/// One end of a WebSocket on its event loop: the handshake, then text messages.
final class SocketEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let role: Role
  private var socket: WebSocketConnection
  private var head = ByteBuffer()
  private var isOpen = false
  private var hasEnded = false
  private var context: ChannelHandlerContext?
  var opened: () -> Void = {}
  var heard: (ByteBuffer) -> Void = { _ in }
  var becameWritable: () -> Void = {}
  /// The close code; 1006 without one.
  var ended: (UInt16) -> Void = { _ in }
  /// Bytes that came, frames and all.
  private(set) var receivedBytes = 0

  init(_ role: Role) {
    self.role = role
    socket = WebSocketConnection(role: role)
  }

  var isWritable: Bool { context?.channel.isWritable ?? false }

  func say(_ texts: [String]) {
    for text in texts { socket.send(.text, ByteBuffer(string: text).readableBytesView) }
    flush()
  }

  func say(_ text: ByteBuffer) {
    socket.send(.text, text.readableBytesView)
    flush()
  }

  func close() {
    socket.close(.normal, reason: "")
    flush()
  }

  func drop() {
    context?.close(promise: nil)
  }

  // MARK: Reading by hand

  func setReading(_ isReading: Bool) {
    guard let context else { return }
    try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
  }

  func readOnce() {
    context?.read()
  }

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    guard role == .client else { return }
    let request =
      "GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
      + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Handshake.newKey())\r\n\r\n"
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    receivedBytes += bytes.readableBytes
    guard isOpen else {
      head.writeBuffer(&bytes)
      return readHead(context)
    }
    socket.receive(bytes)
    deliver()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { becameWritable() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isOpen {
      socket.receiveEOF()
      deliver()
    }
    end(1006)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func readHead(_ context: ChannelHandlerContext) {
    let end = ByteBuffer(string: "\r\n\r\n").readableBytesView
    guard let range = head.readableBytesView.firstRange(of: end),
      let text = head.readString(length: range.upperBound - head.readerIndex)
    else { return }
    if role == .server {
      let field = text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }
      let key = field.map { String($0.dropFirst("sec-websocket-key: ".count)) } ?? ""
      let answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: \(Handshake.accept(forKey: key))\r\n\r\n"
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
    } else if !text.hasPrefix("HTTP/1.1 101 ") {
      return context.close(promise: nil)
    }
    isOpen = true
    opened()
    socket.receive(head)
    deliver()
  }

  private func deliver() {
    while let event = socket.nextEvent() {
      switch event {
      case .text(let text): heard(text)
      case .closed(let close): end(close.code.rawValue)
      case .binary, .ping, .pong: continue
      }
    }
    flush()
  }

  private func end(_ code: UInt16) {
    guard !hasEnded else { return }
    hasEnded = true
    ended(code)
  }

  private func flush() {
    guard let context, socket.outbound.readableBytes > 0 else { return }
    context.writeAndFlush(wrapOutboundOut(socket.outbound), promise: nil)
    socket.emptyOutbound()
  }
}

extension ByteBuffer {
  /// What stands between this beginning and the end of an event; nil where it begins otherwise.
  func text(after beginning: String) -> ByteBufferView? {
    let count = beginning.utf8.count
    let rest = readableBytes - count - Words.end.utf8.count
    guard rest >= 0, readableBytesView.starts(with: beginning.utf8) else { return nil }
    return viewBytes(at: readerIndex + count, length: rest)
  }
}
