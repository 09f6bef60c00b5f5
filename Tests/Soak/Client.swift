import Envelope
import Foundation
import NIOCore
import NIOPosix
import ParleyTesting
import WebSocketWire

enum Base64Bytes {
  static func decode(_ text: String) -> [UInt8] { Data(base64Encoded: text).map(Array.init) ?? [] }
  static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

/// One client: does as its script says, and keeps the ledger of it. All of it is on its event loop.
final class Client: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private enum Phase { case head, greeting, running, closing, over }

  /// Times are far beyond what Parley is set to; whoever reaches them has been forgotten.
  private static let tick = TimeAmount.milliseconds(20)
  private static let answerTime = TimeAmount.seconds(60)
  private static let silenceTime = TimeAmount.seconds(12)
  private static let closeTime = TimeAmount.seconds(15)
  private static let spokenAnswerTime = TimeAmount.milliseconds(1_500)

  private let script: Script
  private let promise: EventLoopPromise<ClientLedger>
  private var ledger: ClientLedger
  private var context: ChannelHandlerContext?
  private var socket = WebSocketConnection(role: .client)
  private var head = ByteBuffer()
  private var phase = Phase.head
  private var stepIndex = 0
  private var stepBegan = NIODeadline.now()
  private var isStepBegun = false
  private var lastHeard = NIODeadline.now()
  private var noteNumber = 0
  private var blocksLeft = (loud: 0, silent: 0)
  private var spokenSince: NIODeadline?
  private var cancelAt: NIODeadline?
  private var updatesDone = 0
  private var updatesSent = 0
  private var liveResponses: Set<String> = []
  private var ticker: RepeatedTask?

  init(script: Script, session: Int, promise: EventLoopPromise<ClientLedger>) {
    self.script = script
    self.promise = promise
    ledger = ClientLedger(session: session, provider: script.provider)
  }

  /// Runs a session to its end.
  static func run(_ session: Int, script: Script, port: Int, loop: any EventLoop) async throws -> ClientLedger {
    let promise = loop.makePromise(of: ClientLedger.self)
    ClientBootstrap(group: loop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Client(script: script, session: session, promise: promise))
        }
      }
      .connect(host: "127.0.0.1", port: port)
      .whenFailure { _ in promise.succeed(ClientLedger(session: session, provider: script.provider)) }
    return try await promise.futureResult.get()
  }

  // MARK: The channel

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    let key = Handshake.newKey()
    let head =
      "GET /v1/realtime?provider=\(script.provider) HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\n"
      + "Connection: Upgrade\r\nSec-WebSocket-Key: \(key)\r\nSec-WebSocket-Version: 13\r\n\r\n"
    context.writeAndFlush(NIOAny(ByteBuffer(string: head)), promise: nil)
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    ticker = context.eventLoop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in
      bound.value.ticked(.now())
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastHeard = .now()
    var bytes = unwrapInboundIn(data)
    if phase == .head {
      head.writeBuffer(&bytes)
      guard let rest = headEnd() else { return }
      bytes = rest
    }
    socket.receive(bytes)
    hearAll()
  }

  /// What follows the head of the answer; nil while that is not complete.
  private func headEnd() -> ByteBuffer? {
    let text = String(buffer: head)
    guard let range = text.range(of: "\r\n\r\n") else { return nil }
    let length = text[..<range.upperBound].utf8.count
    guard text.hasPrefix("HTTP/1.1 101 ") else {
      ledger.broke("refused: \(text.prefix(80))")
      finish(.lost)
      return nil
    }
    head.moveReaderIndex(forwardBy: length)
    phase = .greeting
    ledger.end = .lost
    return head
  }

  func channelInactive(context: ChannelHandlerContext) {
    if phase != .head, phase != .over {
      socket.receiveEOF()
      hearAll()
    }
    finish(phase == .head ? .neverBegan : .lost)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func finish(_ end: ClientLedger.End) {
    guard phase != .over else { return }
    phase = .over
    ledger.end = end
    ledger.record("= \(end)")
    ledger.finish()
    ticker?.cancel()
    context?.close(promise: nil)
    context = nil
    promise.succeed(ledger)
  }

  // MARK: Hearing

  private func hearAll() {
    while phase != .over, let event = socket.nextEvent() {
      switch event {
      case .text(let bytes):
        guard let value = try? JSONValue(parsing: bytes) else {
          ledger.broke("not JSON: \(String(buffer: bytes).prefix(80))")
          continue
        }
        hear(value)
      case .binary: ledger.broke("a binary message")
      case .ping, .pong: break
      case .closed(let close):
        flush()
        switch close.cause {
        case .handshakeCompleted: finish(phase == .closing ? .finished : .closed(Int(close.code.rawValue)))
        case .peerClosed: finish(.closed(Int(close.code.rawValue)))
        case .endOfStream: finish(.lost)
        case .fault(let fault):
          ledger.broke("framing: \(fault)")
          finish(.lost)
        }
      }
    }
    flush()
  }

  private func hear(_ event: JSONValue) {
    ledger.hear(event)
    let type = event["type"]?.string ?? ""
    switch type {
    case "session.created":
      phase = .running
      update()
    case "session.updated": updatesDone += 1
    case "error":
      if event["error"]?["event_id"]?.string?.hasPrefix("update_") == true { updatesDone += 1 }
    case "response.created":
      if let id = event["response"]?["id"]?.string { liveResponses.insert(id) }
      if case .typed(_, let after?) = currentStep, cancelAt == nil {
        cancelAt = .now() + .milliseconds(Int64(after))
      }
    case "response.done":
      if let id = event["response"]?["id"]?.string { liveResponses.remove(id) }
    default: break
    }
    if !type.contains("delta") { ledger.record("< \(type)") }
  }

  // MARK: Acting

  private var currentStep: Script.Step? {
    phase == .running && stepIndex < script.steps.count ? script.steps[stepIndex] : nil
  }

  private func ticked(_ now: NIODeadline) {
    guard phase != .over else { return }
    if now - lastHeard > Self.silenceTime { return finish(.silent) }
    switch phase {
    case .running: run(now)
    case .closing where now - stepBegan > Self.closeTime:
      ledger.broke("the close frame was not answered")
      finish(.silent)
    case .head, .greeting, .closing, .over: break
    }
    flush()
  }

  private func run(_ now: NIODeadline) {
    guard let step = currentStep else { return leave(now) }
    if !isStepBegun {
      isStepBegun = true
      stepBegan = now
      begin(step)
    } else if goOn(step, now) {
      stepIndex += 1
      isStepBegun = false
    } else if now - stepBegan > Self.answerTime {
      ledger.broke("step \(stepIndex) (\(step)) was never answered")
      finish(.silent)
    }
  }

  private func begin(_ step: Script.Step) {
    switch step {
    case .typed(let isStory, _):
      noteNumber += 1
      cancelAt = nil
      write(isStory: isStory)
    case .spoken(let loud):
      ledger.spokenTurns += 1
      blocksLeft = (loud, 45)
      spokenSince = nil
    case .update: update()
    }
  }

  /// True when the step is done.
  private func goOn(_ step: Script.Step, _ now: NIODeadline) -> Bool {
    switch step {
    case .typed:
      if let at = cancelAt, at <= now, ledger.notes[noteNumber]?.outcome == nil, let id = ledger.cancel(noteNumber) {
        cancelAt = .distantFuture
        send([
          "type": "response.cancel", "event_id": .string("cancel_\(ledger.session)_\(noteNumber)"),
          "response_id": .string(id),
        ])
      }
      return ledger.notes[noteNumber]?.outcome != nil
    case .spoken:
      if blocksLeft.loud + blocksLeft.silent > 0 {
        speak()
        return false
      }
      let since = spokenSince ?? now
      spokenSince = since
      return now - since > Self.spokenAnswerTime && liveResponses.isEmpty
    case .update: return updatesDone >= updatesSent
    }
  }

  private func leave(_ now: NIODeadline) {
    switch script.farewell {
    case .drop: finish(.dropped)
    case .close:
      phase = .closing
      stepBegan = now
      socket.close(.normal, reason: "")
      ledger.record("> close")
    }
  }

  private func update() {
    updatesSent += 1
    let turns: JSONValue = ["type": "server_vad", "silence_duration_ms": 300]
    send([
      "type": "session.update", "event_id": .string("update_\(ledger.session)_\(updatesSent)"),
      "session": [
        "type": "realtime",
        "instructions": .string(Numbers.instructions(session: ledger.session) + " update \(updatesSent)"),
        "audio": ["input": ["turn_detection": turns]],
      ],
    ])
  }

  private func write(isStory: Bool) {
    let text =
      "note \(Numbers.note(noteNumber, session: ledger.session));" + (isStory ? "\n\(Numbers.storyRequest)" : "")
    let id = "\(ledger.session)_\(noteNumber)"
    let crossesSpeech = ledger.isGemini && ledger.spokenTurns > ledger.spokenAnswers
    ledger.notes[noteNumber] = .init(isStory: isStory, crossesSpeech: crossesSpeech, isAsked: true)
    send([
      "type": "conversation.item.create", "event_id": .string("create_\(id)"),
      "item": [
        "id": .string("item_\(id)"), "type": "message", "role": "user",
        "content": [["type": "input_text", "text": .string(text)]],
      ],
    ])
    send([
      "type": "response.create", "event_id": .string("ask_\(id)"),
      "response": ["metadata": ["note": .string("note_\(id)")]],
    ])
  }

  private func speak() {
    let isLoud = blocksLeft.loud > 0
    if isLoud { blocksLeft.loud -= 1 } else { blocksLeft.silent -= 1 }
    let audio = Base64Bytes.encode(NumberedSound.block(ledger.blocksSent, isLoud: isLoud))
    ledger.blocks.append(.init(atMs: CommonTime.milliseconds(), isLoud: isLoud))
    send(["type": "input_audio_buffer.append", "audio": .string(audio)])
  }

  private func send(_ event: JSONValue) {
    let type = event["type"]?.string ?? ""
    if type != "input_audio_buffer.append" { ledger.record("> \(type) \(event["event_id"]?.string ?? "")") }
    socket.send(.text, ByteBuffer(string: event.text).readableBytesView)
  }

  private func flush() {
    guard socket.outbound.readableBytes > 0, let context else { return }
    let bytes = socket.outbound
    socket.emptyOutbound()
    context.writeAndFlush(NIOAny(bytes), promise: nil)
  }
}
