import Envelope
import Envelope
import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

/// The time of day jumps under running sessions.
@Suite("A clock that jumps", .timeLimit(.minutes(1)))
struct ClockJumpTests {
  private func answers(_ socket: TestSocket) async throws -> Bool {
    try await socket.sendFrames { $0.send(.text, ByteBuffer(string: "{").readableBytesView) }
    return await socket.message()?.contains(#""code":"invalid_json""#) == true
  }

  @Test("fault row 64: an hour forth and two back end no session, use up no minutes and move no deadline")
  func jumps() async throws {
    let gateway = try await BookedGateway.start { plan in
      plan.access = #""keys": [{"name": "app", "key": "env:KEY", "maxMinutesPerDay": 30}]"#
      plan.limits = #""sessionIdleSeconds": 600, "sessionLengthSeconds": 1200"#
    }
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: BookedGateway.path, fields: BookedGateway.bearer(BookedGateway.key)))
    #expect(await socket.message()?.contains("session.created") == true)
    for seconds in [3_600, -7_200, 3_600] {
      gateway.clock.advance(seconds: seconds)
      #expect(try await answers(socket))
      // Whoever comes now is let in, and has the minutes that nobody has used.
      let other = try await gateway.connect()
      #expect(try await other.upgrade(path: BookedGateway.path, fields: BookedGateway.bearer(BookedGateway.key)))
      #expect(await other.message()?.contains("session.created") == true)
      #expect(try await answers(other))
      try await other.channel.close()
    }
    try await socket.channel.close()
    await gateway.stop()
  }

  @Test("fault row 64: the grace of a drain is no time of day")
  func drain() async throws {
    let clock = TestClock()
    let directory = SessionDirectory()
    let drain = Drain(
      directory: directory, connections: ConnectionRegistry(), grace: { .seconds(3_600) }, clock: clock.wall,
      metrics: CountingFactory(), logger: LogCapture().logger)
    let busy = try await FakeSession.begin(in: directory, "busy", inTurn: true)
    drain.begin(grace: nil, exits: false)
    clock.advance(seconds: 7_200)
    while try await busy.calls.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    #expect(try await busy.calls == ["drain"])
    #expect(await drain.standing()["sessions"] == 1)
    try await busy.run { $0.turnEnds() }
    await drain.finish()
  }

  @Test("fault table, section 3: a client that begins no TLS handshake is closed")
  func handshake() async throws {
    let certificate = ScriptedUpstream.certificatePath("good")
    let key = ScriptedUpstream.certificatePath("server-key")
    let gateway = try await TestGateway.routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0, "tls": {"certificate": "\#(certificate)", "key": "file:\#(key)"}}],
       "default": "main", "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:9/v1/realtime", "model": "m"}}}
      """#
    ) { $0.tlsHandshake = .milliseconds(50) }
    let socket = try await gateway.connect()
    #expect(await socket.textToEnd().isEmpty)
    await gateway.stop()
  }
}
