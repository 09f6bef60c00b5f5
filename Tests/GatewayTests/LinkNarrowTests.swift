import NIOCore
import ParleyTesting
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A link of 64 kbit/s with a queue of five packets", .timeLimit(.minutes(3)))
struct LinkNarrowTests {
  private static func narrow() -> FaultyLink.Behaviour {
    var behaviour = FaultyLink.Behaviour()
    behaviour.bytesPerSecond = 8_000
    behaviour.queueBytes = 5 * 576
    behaviour.segmentBytes = 536
    return behaviour
  }

  /// Many pings go by while the sound crosses, and a pong has less time than that takes.
  private static func hasty(_ limits: inout EdgeLimits) {
    limits.pingInterval = .milliseconds(500)
    limits.pongTimeout = .seconds(10)
    limits.upstreamPongTimeout = .seconds(18)
    limits.peerStall = .seconds(5)
    // A ping waits behind what the channel has.
    limits.writeHighWaterBytes = 32_768
    limits.writeLowWaterBytes = 16_384
  }

  @Test(
    "fault row 56: over 64 kbit/s with a queue of 5 packets of 576 bytes, to the client or to the provider, the session lives: pings are answered in time, and every byte arrives",
    arguments: [true, false])
  func lives(toClient: Bool) async throws {
    let peer = try await LinkPeer.start()
    let upLink = try await FaultyLink.open(port: peer.port, socketBytes: 4_096)
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: upLink.port, log: log) {
      Self.hasty(&$0)
      // The test does not read for a while.
      if !toClient { $0.pongTimeout = .seconds(60) }
    }
    let downLink = try await FaultyLink.open(port: gateway.port, socketBytes: 4_096)
    for direction in FaultyLink.Direction.allCases {
      await (toClient ? downLink : upLink).behave(Self.narrow(), direction)
    }
    let client = try await TestSocket.connect(port: downLink.port, patience: .seconds(90))
    let call = try await LinkCall.open(peer, gateway, log, client)
    // About 20 s of the narrow link, and little on the other one. The answer has 30 s to begin, the way of the question
    // included.
    let (up, down) = toClient ? (1, 25) : (24, 1)
    let began = ContinuousClock.now
    let sounds = (0..<up).map { #"{"type":"input_audio_buffer.append","audio":"\#(LinkCall.sound($0))"}"# }
    try await call.ask(sounds + [#"{"type":"response.create"}"#])
    var appended: [String] = []
    for await case .text(let text) in call.line.heard {
      if text.contains("input_audio_buffer.append") { appended.append(text) }
      if text.contains("response.create") { break }
    }
    #expect(appended == sounds)
    try await call.line.say(LinkCall.beginning() + (0..<down).map { LinkCall.audio($0) } + LinkCall.ending())
    let messages = await call.messages(through: #""type":"response.done""#)
    #expect(messages.sounds == Array(0..<down))
    #expect(messages.last?.contains(#""status":"completed""#) ?? false)
    #expect(ContinuousClock.now - began > .seconds(12), "the link was narrow")
    try await call.client.sendFrames { $0.close(.normal, reason: "") }
    #expect(await call.toEnd().close == 1000)
    #expect(await log.line(with: "session ended").contains("fault=none"))
    #expect(!log.text.contains("peer_silent") && !log.text.contains("peer_stalled"))
    await downLink.shutDown()
    await upLink.shutDown()
    await call.stop()
  }
}
