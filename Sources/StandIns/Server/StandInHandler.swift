import Envelope
import NIOCore
import WebSocketWire

/// One connection of a stand-in server: head, then frames, then the close. Lives on its event loop.
final class StandInHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case head
    case delaying
    case open
    case ended
  }

  private let behaviour: StandInServer.Behaviour
  private let record: StandInRecord
  private let service: String
  private var script: any StandInScript
  private var phase = Phase.head
  private var bytes = ByteBuffer()
  private var socket = WebSocketConnection(role: .server)
  private var number = 0
  private var advance: Scheduled<Void>?
  /// The pause that `advance` waits for.
  private var awaitedPause: Duration?
  private var alarms: [Scheduled<Void>] = []
  private var pings: Scheduled<Void>?

  init(
    script: any StandInScript, service: String, behaviour: StandInServer.Behaviour,
    record: StandInRecord
  ) {
    self.script = script
    self.service = service
    self.behaviour = behaviour
    self.record = record
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var received = unwrapInboundIn(data)
    switch phase {
    case .head:
      bytes.writeBuffer(&received)
      readHead(context)
    case .delaying:
      bytes.writeBuffer(&received)
    case .open:
      socket.receive(received)
      readMessages(context)
    case .ended:
      return
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .open = phase {
      socket.receiveEOF()
      readMessages(context)
    }
    end()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  // MARK: Upgrade

  private func readHead(_ context: ChannelHandlerContext) {
    switch UpgradeRequest.read(&bytes) {
    case .incomplete:
      return
    case .refuse(let status, let reason):
      refuse(status, reason, context)
    case .call(let call):
      number = record.nextConnection()
      record.append(number, .received, .head(call.request, method: call.method, service: service))
      guard let answer = script.answer(call) else {
        return refuse(405, "Method Not Allowed", context)
      }
      record.append(number, .received, .text(call.body))
      record.append(number, .sent, .text(answer.body.text))
      respond(
        answer.status, answer.status == 200 ? "OK" : "Refused", body: answer.body.text, context)
    case .upgrade(let request, let key):
      number = record.nextConnection()
      record.append(number, .received, .head(request, method: "GET", service: service))
      if let status = behaviour.refusalStatus {
        return refuse(status, "Refused", context)
      }
      switch script.judge(request) {
      case .refuse(let status, let reason):
        refuse(status, reason, context)
      case .upgrade(let subprotocol):
        phase = .delaying
        afterDelay(behaviour.upgradeDelay, context) { handler, context in
          handler.upgrade(key: key, subprotocol: subprotocol, context)
        }
      }
    }
  }

  /// Runs `body` at once for a delay of zero, later otherwise; not at all if the connection has ended by then.
  private func afterDelay(
    _ delay: Duration, _ context: ChannelHandlerContext,
    _ body: @escaping (StandInHandler, ChannelHandlerContext) -> Void
  ) {
    guard delay > .zero else { return body(self, context) }
    advance = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
      self.advance = nil
      if case .ended = self.phase { return }
      body(self, context)
    }
  }

  private func refuse(_ status: Int, _ reason: String, _ context: ChannelHandlerContext) {
    respond(
      status, reason, body: "{\"error\":{\"code\":\(status),\"message\":\"\(reason)\"}}\n", context)
  }

  private func respond(
    _ status: Int, _ reason: String, body: String, _ context: ChannelHandlerContext
  ) {
    phase = .ended
    let head =
      "HTTP/1.1 \(status) \(reason)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
      + "Connection: close\r\n\r\n"
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + body)), promise: nil)
    context.close(promise: nil)
  }

  private func upgrade(key: String, subprotocol: String?, _ context: ChannelHandlerContext) {
    let chosen = subprotocol.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? ""
    let head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      + "Sec-WebSocket-Accept: \(Handshake.accept(forKey: key))\r\n\(chosen)\r\n"
    context.write(wrapOutboundOut(ByteBuffer(string: head)), promise: nil)
    phase = .open
    send(script.begin(), context)
    if let interval = behaviour.pingInterval, interval > .zero {
      startPings(every: TimeAmount(interval), context)
    }
    socket.receive(bytes)
    bytes = ByteBuffer()
    readMessages(context)
  }

  private func startPings(every interval: TimeAmount, _ context: ChannelHandlerContext) {
    pings = context.eventLoop.assumeIsolated().scheduleTask(in: interval) {
      guard case .open = self.phase else { return }
      self.socket.ping(ByteBuffer(string: "ping").readableBytesView)
      self.flush(context)
      self.startPings(every: interval, context)
    }
  }

  // MARK: Messages

  private func readMessages(_ context: ChannelHandlerContext) {
    while case .open = phase, let event = socket.nextEvent() {
      switch event {
      case .text(let message):
        let text = String(buffer: message)
        record.append(number, .received, .text(text))
        send(script.receive(.text(text)), context)
      case .binary(let message):
        record.append(number, .received, .binary(String(buffer: message)))
        send(script.receive(.binary(message)), context)
      case .ping, .pong:
        continue
      case .closed(let closed):
        record.append(number, .received, .close(code: closed.code.rawValue, reason: closed.reason))
        end()
        flush(context)
        context.close(promise: nil)
        return
      }
    }
    flush(context)
  }

  private func send(_ frames: [StandInFrame], _ context: ChannelHandlerContext) {
    for frame in frames { send(frame, context) }
    while case .open = phase, script.pause == .zero {
      for frame in script.advance() { send(frame, context) }
    }
    flush(context)
    schedule(context)
    setAlarms(context)
  }

  private func send(_ frame: StandInFrame, _ context: ChannelHandlerContext) {
    guard case .open = phase else { return }
    switch frame {
    case .text(let text):
      record.append(number, .sent, .text(text))
      socket.send(.text, ByteBuffer(string: text).readableBytesView)
    case .binary(let text):
      record.append(number, .sent, .binary(text))
      socket.send(.binary, ByteBuffer(string: text).readableBytesView)
    case .close(let code, let reason):
      record.append(number, .sent, .close(code: code, reason: reason))
      socket.close(CloseCode(rawValue: code), reason: reason)
    case .abort:
      record.append(number, .sent, .close(code: CloseCode.abnormal.rawValue, reason: ""))
      flush(context)
      end()
      context.close(promise: nil)
    case .violation(let violation):
      record.append(number, .received, .violation(violation))
    }
  }

  /// Waits for the script's pause; one that goes on is waited for once, however much comes in meanwhile.
  private func schedule(_ context: ChannelHandlerContext) {
    guard case .open = phase, script.pause != awaitedPause || advance == nil else { return }
    advance?.cancel()
    advance = nil
    awaitedPause = script.pause
    guard let pause = script.pause else { return }
    afterDelay(pause, context) { handler, context in
      handler.send(handler.script.advance(), context)
    }
  }

  private func setAlarms(_ context: ChannelHandlerContext) {
    for alarm in script.takeAlarms() {
      let loop = context.eventLoop.assumeIsolated()
      alarms.append(
        loop.scheduleTask(in: TimeAmount(alarm.after)) {
          guard case .open = self.phase else { return }
          self.send(self.script.ring(alarm), context)
        })
    }
  }

  private func flush(_ context: ChannelHandlerContext) {
    if socket.outbound.readableBytes > 0 {
      context.write(wrapOutboundOut(socket.outbound), promise: nil)
      socket.emptyOutbound()
    }
    context.flush()
  }

  private func end() {
    if case .open = phase {
      script.connectionEnded()
      if let summary = script.summary { record.append(number, .received, .summary(summary)) }
    }
    phase = .ended
    for alarm in alarms { alarm.cancel() }
    alarms = []
    advance?.cancel()
    advance = nil
    pings?.cancel()
    pings = nil
  }
}
