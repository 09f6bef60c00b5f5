import Access
import Envelope
import HTTPWire
import Metering
import NIOCore
import NIOEmbedded
import NIOPosix
import Routing
import Testing
import VoiceEngine
import WebSocketWire

@testable import Gateway

@Suite("What is told of a session's cost", .serialized, .timeLimit(.minutes(2)))
struct SessionUsageTests {
  // MARK: Ends

  /// A way in which a session ends, and what is told of it.
  struct Way: Sendable, CustomTestStringConvertible {
    var end: String
    var script = ScriptedUpstream.Script.silence
    var plan: @Sendable (inout BookedGateway.Plan) -> Void = { _ in }
    /// What the client does once it has been greeted.
    var act: @Sendable (TestSocket) async throws -> Void = { _ in }
    var stopsServer = false
    var testDescription: String { end }
  }

  static let ways = [
    Way(end: "completed", act: { try await $0.sendFrames { $0.close(.normal, reason: "") } }),
    Way(end: "client_closed_1001", act: { try await $0.sendFrames { $0.close(.goingAway, reason: "") } }),
    Way(end: "client_lost", act: { try await $0.channel.close() }),
    Way(
      end: "peer_silent",
      plan: {
        $0.edge = {
          $0.pingInterval = .milliseconds(50)
          $0.pongTimeout = .milliseconds(100)
        }
      }),
    // A byte that no frame begins with.
    Way(end: "reservedBits", act: { try await $0.send(ByteBuffer(bytes: [0xF1, 0x80, 0, 0, 0, 0])) }),
    Way(
      end: "too_many_bad_events", plan: { $0.limits = #""badEventsPerMinute": 2"# },
      act: { try await $0.say([String](repeating: "{", count: 5)) }),
    Way(end: "session_idle", plan: { $0.limits = #""sessionIdleSeconds": 0.2"# }),
    Way(end: "session_expired", plan: { $0.limits = #""sessionLengthSeconds": 0.2"# }),
    Way(
      end: "minutes_exhausted",
      plan: { $0.access = #""keys": [{"name": "app", "key": "env:KEY", "maxMinutesPerDay": 0.01}]"# }),
    Way(end: "upstream_refused", script: .answer("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")),
    Way(end: "upstream_lost", script: .hangUp),
    Way(end: "upstream_closed", script: .open(texts: [LinkCall.session("session.created")], close: 1008)),
    Way(end: "upstream_framing_broken", script: .openRaw([0x81, 0x80, 1, 2, 3, 4])),
    Way(end: "gateway_restarting", stopsServer: true),
  ]

  @Test("R044: a session that ends in any of its ways is told once", arguments: ways)
  func ends(_ way: Way) async throws {
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start(way.script) { plan in
      way.plan(&plan)
      // No tick in the time of the test.
      plan.limits = [plan.limits, #""usageUpdateSeconds": 60"#].filter { !$0.isEmpty }.joined(separator: ", ")
      plan.books = Bookkeeping(usage: notes)
    }
    let socket = try await gateway.connect()
    try #require(try await socket.upgrade(path: BookedGateway.path, fields: BookedGateway.bearer(BookedGateway.key)))
    let greeting = try #require(await socket.message())
    try await way.act(socket)
    if way.stopsServer { await gateway.stop() }
    let record = try #require(await notes.ended())
    #expect(record.end == way.end)
    #expect(greeting.contains("\"id\":\"\(record.id)\""))
    #expect(record.endedAt == gateway.clock.wall.now() && record.sequence == 1)
    #expect(record.seconds >= 0 && record.seconds < 60 && record.model == "gpt-realtime")
    try? await socket.channel.close()
    if !way.stopsServer { await gateway.stop() }
    // The end of the connection, of the provider's and of the server has added nothing.
    #expect(notes.all.count == 1)
    #expect(gateway.log.text.contains("fault=\(way.end == "completed" ? "none" : way.end)"))
  }

  @Test("a session that never reached its provider has its seconds, and a meter that says nothing was heard")
  func unreached() async throws {
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start(.hangUp) { $0.books = Bookkeeping(usage: notes) }
    _ = try await gateway.session(key: BookedGateway.key)
    let record = try #require(await notes.ended())
    #expect(record.seconds > 0 && record.meter == Meter())
    await gateway.stop()
  }

  @Test("audio that is taken is metered, in bytes of the client's format, and is in the last record")
  func metered() async throws {
    let notes = UsageNotes()
    let script = ScriptedUpstream.Script.heard(
      [LinkCall.session("session.created"), LinkCall.session("session.updated")]
        + LinkCall.beginning() + [LinkCall.audio(1, bytes: 4_800), LinkCall.audio(2, bytes: 480)] + LinkCall.ending()
    ) { _ in }
    let gateway = try await BookedGateway.start(script) { $0.books = Bookkeeping(usage: notes) }
    let socket = try await gateway.session(key: BookedGateway.key)
    for bytes in [4_800, 960, 2_400] {
      try await socket.say(#"{"type":"input_audio_buffer.append","audio":"\#(LinkCall.sound(0, bytes: bytes))"}"#)
    }
    // Not audio, and told so: behind it everything before is through.
    try await socket.say(#"{"type":"input_audio_buffer.append","audio":"A"}"#)
    var hasFailed = false
    var isDone = false
    while !hasFailed || !isDone, let text = await socket.message(with: "") {
      if text.contains(#""type":"error""#) { hasFailed = true }
      if text.contains(#""type":"response.done""#) { isDone = true }
    }
    try await socket.channel.close()
    let meter = try #require(await notes.ended()).meter
    #expect(meter.heard.parts.map(\.bytes) == [8_160] && meter.heard.seconds == 8_160 / 48_000)
    #expect(meter.spoken.parts.map(\.bytes) == [5_280] && meter.responses == 1)
    await gateway.stop()
  }

  // MARK: Ticks

  private static func usage(_ notes: UsageNotes, _ loop: EmbeddedEventLoop, within: Duration) -> SessionUsage {
    let identity = UsageIdentity(
      sessionID: "sess_1", provider: "main", kind: "openai", mode: .managedInference, startedAt: TestClock().wall.now())
    return SessionUsage(identity, sink: notes, clock: TestClock().wall, loop: loop, within: within)
  }

  @Test("a tick every four seconds, the first at random, and one at the end")
  func ticks() {
    let (notes, loop) = (UsageNotes(), EmbeddedEventLoop())
    let usage = Self.usage(notes, loop, within: .seconds(5))
    var responses = 0
    usage.begin {
      responses += 1
      return (responses == 1 ? nil : "m", Meter())
    }
    loop.advanceTime(by: .milliseconds(399))
    #expect(notes.all.isEmpty)
    loop.advanceTime(by: .milliseconds(3_601))
    #expect(notes.all.count == 1)
    for count in 2...5 {
      loop.advanceTime(by: .seconds(4))
      #expect(notes.all.count == count)
    }
    #expect(zip(notes.all, notes.all.dropFirst()).allSatisfy { abs($1.seconds - $0.seconds - 4) < 1e-6 })
    usage.end("client_lost", model: "n", meter: Meter())
    loop.advanceTime(by: .hours(1))
    let all = notes.all
    #expect(all.map(\.sequence) == Array(1...6))
    #expect(all.dropLast().allSatisfy { $0.state == .live && $0.end == nil && $0.endedAt == nil })
    #expect(all.map(\.model) == [nil, "m", "m", "m", "m", "n"])
    #expect(all.last?.state == .ended && all.last?.end == "client_lost" && all.last?.seconds == 20)
  }

  @Test("sessions that begin together do not tick together")
  func spread() {
    let (notes, loop) = (UsageNotes(), EmbeddedEventLoop())
    let usages = (0..<200).map { _ in Self.usage(notes, loop, within: .seconds(5)) }
    for usage in usages { usage.begin { (nil, Meter()) } }
    var counts: [Int] = []
    for _ in 0..<4 {
      loop.advanceTime(by: .seconds(1))
      counts.append(notes.all.count)
    }
    #expect(counts.last == 200)
    // A quarter of them in each second, by a wide margin; 0.4 s of the first have none.
    for (before, after) in zip([0] + counts, counts) { #expect((10...110).contains(after - before)) }
    for usage in usages { usage.end("completed", model: nil, meter: Meter()) }
  }

  @Test("without a sink and limits there is no timer, and no seat")
  func nothing() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    func made(_ books: Bookkeeping, key: String) async throws -> (hasUsage: Bool, hasSeat: Bool) {
      let text = #"""
        {"default": "main", "ledger": "none", "limits": {"dialLatestSeconds": 60},
         "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:9/v1", "model": "m"}},
         "access": {"keys": [\#(key)]}}
        """#
      let sources = SecretSources(
        environment: { $0 == "KEY" ? BookedGateway.key : nil }, file: SecretSources.process.file)
      let table = try RouteTable.decode(Array(text.utf8), file: "test.json", sources: sources)
      let (log, clock) = (LogCapture(), TestClock().wall)
      let limits = EdgeLimits(table.limits)
      let admission = RealtimeAdmission(
        table: table, desk: AccessDesk(table.access, storage: nil, clock: clock, logger: log.logger),
        seats: SeatDesk(shared: nil, clock: clock, logger: log.logger), books: books, limits: limits,
        outgoing: Outgoing(), engine: .absent, overload: Overload(Overload.Bounds(), logger: log.logger),
        logger: log.logger)
      return try await loop.submit {
        let field = RequestHead.Field(name: "Authorization", value: "Bearer \(BookedGateway.key)")
        let head = RequestHead(
          method: "GET", path: "/v1/realtime", query: nil, host: "localhost", fields: [field], body: .none)
        let closed = loop.makePromise(of: Void.self)
        let peer = ConnectionPeer(address: "127.0.0.1", loop: loop, closed: closed.futureResult)
        guard case .accept(_, let begin) = admission.admit(head, from: peer) else { return (false, false) }
        let leg = FrameLeg(role: .server, limits: limits)
        begin(leg)
        let driver = try #require(leg.owner as? SessionDriver)
        defer {
          driver.leg(leg, ended: .lost)
          closed.succeed()
        }
        return (driver.usage != nil, driver.seat != nil)
      }.get()
    }
    let free = #"{"name": "app", "key": "env:KEY"}"#
    let limited = #"{"name": "app", "key": "env:KEY", "maxSessions": 2}"#
    #expect(try await made(.none, key: free) == (false, false))
    #expect(try await made(.none, key: limited) == (false, true))
    #expect(try await made(Bookkeeping(usage: UsageNotes()), key: free) == (true, false))
  }
}
