import Envelope
import NIOCore
import ParleyTesting
import StandIns
import Testing
import WebSocketWire

@Suite("The stand-in server", .timeLimit(.minutes(1)))
struct ServerTests {
  private static let path = Dialogue<GeminiLiveStandIn>.path
  private static let setUp = #"{"setup":{"model":"models/gemini-3.8-live"}}"#

  private func withGemini(
    _ behaviour: StandInServer.Behaviour = .init(), _ options: GeminiLiveStandIn.Options = .init(),
    _ body: (StandInServer, RawClient) async throws -> Void
  ) async throws {
    let server = try await StandInServer.start(behaviour: behaviour) { GeminiLiveStandIn(options: options) }
    let client = try await RawClient.connect(port: server.port)
    try await body(server, client)
    await client.drop()
    try await server.stop()
  }

  @Test("a conversation over TCP: binary frames, and the close with its reason")
  func conversation() async throws {
    try await withGemini { server, client in
      try await client.upgrade(Self.path + "?key=a%20b")
      try await client.send(.text, Self.setUp)
      let first = try await client.next()
      #expect(first == .binary(ByteBuffer(string: "{\n  \"setupComplete\": {}\n}\n")))
      try await client.send(.text, #"{"bogus":1}"#)
      let close = try #require(try await client.closeEvent())
      #expect(close.code.rawValue == 1007)
      #expect(close.reason == #"Invalid JSON payload received. Unknown name "bogus": Cannot find field."#)
      #expect(server.record.received() == [Self.setUp, #"{"bogus":1}"#])
      guard case .head(let request, _, _) = server.record.entries.first?.content else {
        Issue.record("the record begins with the head")
        return
      }
      #expect(request.query("key") == "a b")
    }
  }

  @Test("paced answers arrive; a frame sent with the upgrade is not lost")
  func pacing() async throws {
    var options = GeminiLiveStandIn.Options()
    options.answerInterval = .milliseconds(1)
    options.setUpDelay = .milliseconds(1)
    var behaviour = StandInServer.Behaviour()
    behaviour.upgradeDelay = .milliseconds(5)
    try await withGemini(behaviour, options) { _, client in
      var early = WebSocketConnection(role: .client)
      early.send(.text, ByteBuffer(string: Self.setUp).readableBytesView)
      var request = ByteBuffer(string: RawClient.upgradeHead(Self.path))
      request.writeImmutableBuffer(early.outbound)
      try await client.send(request)
      #expect(try await client.readHead().hasPrefix("HTTP/1.1 101 "))
      #expect(try await client.nextMessage()?.contains("setupComplete") == true)
      try await client.send(.text, #"{"realtimeInput":{"text":"hi"}}"#)
      var messages: [String] = []
      while messages.last?.contains("turnComplete") != true {
        messages.append(try #require(try await client.nextMessage()))
      }
      #expect(messages.count == 6)
    }
  }

  @Test("dropped connections end without a close frame; the server goes on listening")
  func drop() async throws {
    try await withGemini { server, client in
      try await client.upgrade(Self.path)
      try await client.send(.text, Self.setUp)
      #expect(try await client.nextMessage() != nil)
      server.dropConnections()
      let close = try #require(try await client.closeEvent())
      #expect(close.cause == .endOfStream)
      let other = try await RawClient.connect(port: server.port)
      try await other.upgrade(Self.path)
      await other.drop()
    }
  }

  @Test("pings come at their interval")
  func pings() async throws {
    var behaviour = StandInServer.Behaviour()
    behaviour.pingInterval = .milliseconds(2)
    try await withGemini(behaviour) { _, client in
      try await client.upgrade(Self.path)
      for _ in 0..<3 {
        #expect(try await client.next() == .ping(ByteBuffer(string: "ping")))
      }
    }
  }

  @Test("a configured refusal answers every upgrade")
  func refusal() async throws {
    var behaviour = StandInServer.Behaviour()
    behaviour.refusalStatus = 503
    try await withGemini(behaviour) { _, client in
      try await client.send(RawClient.upgradeHead(Self.path))
      #expect(try await client.readToEnd().hasPrefix("HTTP/1.1 503 Refused\r\n"))
    }
  }

  @Test(
    "heads that are not an upgrade",
    arguments: [
      ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
      ("GET / HTTP/1.0\r\n\r\n", 400),
      ("\u{16}\u{3}\u{1}", 400),
      ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
      (RawClient.upgradeHead("/", key: "short"), 400),
      (RawClient.upgradeHead("/").replacing("Version: 13", with: "Version: 8"), 426),
      (RawClient.upgradeHead("/").replacing("Host: ", with: "Host : "), 400),
      (RawClient.upgradeHead("/nowhere"), 404),
      ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 17_000), 431),
    ])
  func badHeads(_ head: String, _ status: Int) async throws {
    try await withGemini { _, client in
      try await client.send(head)
      #expect(try await client.readToEnd().hasPrefix("HTTP/1.1 \(status) "))
    }
  }

  @Test("the record's stream gives what was and what comes; its lines are JSON")
  func record() async throws {
    try await withGemini { server, client in
      try await client.upgrade(Self.path)
      var stream = server.record.stream().makeAsyncIterator()
      try await client.send(.text, Self.setUp)
      var entries: [StandInEntry] = []
      for _ in 0..<3 { entries.append(try #require(await stream.next())) }
      #expect(entries.map(\.direction) == [.received, .received, .sent])
      #expect(entries[0].json["path"]?.string == Self.path)
      #expect(entries[1].json["text"]?.string == Self.setUp)
      #expect(entries[1].json["conn"]?.int == 1)
      #expect(entries[2].json["dir"]?.string == "out")
      #expect(entries[2].json["binary"]?.bool == true)
    }
  }

  @Test("the client's deadline is an error that says what was read")
  func patience() async throws {
    try await withGemini { _, client in
      try await client.send("GET /")
      await #expect(throws: RawClientFault.self) {
        try await client.readHead(within: .milliseconds(5))
      }
    }
  }

  @Test(
    "all services start for the command line, on any free ports; their record says which is which")
  func service() async throws {
    var options = StandInService.Options()
    options.geminiPort = 0
    options.ports = Dictionary(uniqueKeysWithValues: RealtimeService.allCases.map { ($0, 0) })
    let servers = try await StandInService.start(options)
    #expect(servers.keys.sorted() == ["azure", "gemini", "inworld", "openai", "vowel", "xai"])
    let openAI = try #require(servers["openai"])
    let client = try await RawClient.connect(port: openAI.port)
    try await client.upgrade("/v1/realtime?model=gpt-realtime")
    #expect(try await client.nextMessage()?.contains("session.created") == true)
    await client.drop()
    let lines = openAI.record.entries.map(\.json)
    let listening = lines.filter { $0["conn"]?.int == 0 }
    #expect(listening.count == 6)
    #expect(listening.first { $0["service"]?.string == "openai" }?["port"]?.int == openAI.port)
    #expect(lines.first { $0["path"] != nil }?["service"]?.string == "openai")
    for server in servers.values { try await server.stop() }
  }
}

@Suite("The stand-in server and the Gemini Live stand-in's timers", .timeLimit(.minutes(1)))
struct ServerTimerTests {
  private static let path = Dialogue<GeminiLiveStandIn>.path
  private static let setUp = #"{"setup":{"model":"models/gemini-3.8-live","sessionResumption":{}}}"#

  private func start(
    _ options: GeminiLiveStandIn.Options, record: StandInRecord = StandInRecord()
  ) async throws -> StandInServer {
    let memory = GeminiMemory()
    return try await StandInServer.start(record: record) { GeminiLiveStandIn(options: options, memory: memory) }
  }

  @Test("gemini 3.5: goAway, then the connection ends without a close frame; its session goes on in the next")
  func goAway() async throws {
    var options = GeminiLiveStandIn.Options()
    options.goAwayAfter = .milliseconds(5)
    options.timeLeft = .milliseconds(5)
    let server = try await start(options)
    let client = try await RawClient.connect(port: server.port)
    try await client.upgrade(Self.path)
    try await client.send(.text, Self.setUp)
    #expect(try await client.nextMessage()?.contains("setupComplete") == true)
    let update = try #require(try await client.nextMessage())
    let handle = try #require(try JSONValue(parsing: update)["sessionResumptionUpdate"]?["newHandle"]?.string)
    #expect(try await client.nextMessage()?.contains(#""timeLeft": "0.005s""#) == true)
    let close = try #require(try await client.closeEvent())
    #expect(close.cause == .endOfStream)
    await client.drop()
    let next = try await RawClient.connect(port: server.port)
    try await next.upgrade(Self.path)
    try await next.send(.text, Self.setUp.replacing("{}", with: #"{"handle":"\#(handle)"}"#))
    #expect(try await next.nextMessage()?.contains("setupComplete") == true)
    await next.drop()
    try await server.stop()
  }

  @Test("resuming while the earlier socket is open closes 1011; after it has closed it works")
  func earlierSocket() async throws {
    let server = try await start(.init())
    let first = try await RawClient.connect(port: server.port)
    try await first.upgrade(Self.path)
    try await first.send(.text, Self.setUp)
    #expect(try await first.nextMessage() != nil)
    let second = try await RawClient.connect(port: server.port)
    try await second.upgrade(Self.path)
    let resume = Self.setUp.replacing("{}", with: #"{"handle":"5f0c1c5e-0001"}"#)
    try await second.send(.text, resume)
    #expect(try await second.closeEvent()?.code.rawValue == 1011)
    try await first.close()
    #expect(try await first.closeEvent()?.code.rawValue == 1000)
    let third = try await RawClient.connect(port: server.port)
    try await third.upgrade(Self.path)
    try await third.send(.text, resume)
    #expect(try await third.nextMessage()?.contains("setupComplete") == true)
    for client in [first, second, third] { await client.drop() }
    try await server.stop()
  }

  @Test("the record can leave audio out, and ends each connection with what it heard")
  func record() async throws {
    let server = try await start(.init(), record: StandInRecord(omitsAudio: true))
    let client = try await RawClient.connect(port: server.port)
    try await client.upgrade(Self.path)
    try await client.send(.text, Self.setUp)
    let data = TestSound.silence(milliseconds: 100, rate: 24_000)
    let audio = #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":"\#(data)"}}}"#
    try await client.send(.text, audio)
    try await client.send(.text, Dialogue<GeminiLiveStandIn>.textTurn("drop the line"))
    #expect(try await client.closeEvent()?.cause == .endOfStream)
    await client.drop()
    let entries = server.record.entries
    let spoken = try #require(entries.first { $0.omittedBytes > 0 })
    #expect(spoken.content == .text(audio.replacing(data, with: "")))
    #expect(spoken.json["omitted"]?.int == 4_800)
    let summary = try #require(entries.last?.json["summary"])
    #expect(summary["audioBytes"]?.int == 4_800)
    #expect(summary["audioBytesOfAll"]?.int == 4_800)
    #expect(entries.dropLast().last?.content == .close(code: 1006, reason: ""))
    try await server.stop()
  }
}
