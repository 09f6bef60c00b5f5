import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A provider that breaks its protocol", .timeLimit(.minutes(2)))
struct LinkProtocolTests {
  struct Breach: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    /// What the provider is closed with.
    var close: UInt16
    var testDescription: String { name }

    /// A text frame.
    static func text(_ name: String, _ text: String) -> Breach {
      var socket = WebSocketConnection(role: .server)
      socket.send(.text, ByteBuffer(string: text).readableBytesView)
      return Breach(name: name, bytes: Array(socket.outbound.readableBytesView), close: 1002)
    }
  }

  private static let giant = UInt64(WireLimits().maxMessageBytes) + 1

  private static let breaches = [
    Breach.text("row 45: not JSON", "planted words"),
    .text("row 45: JSON that ends early", #"{"type":"response.created","#),
    .text("row 45: an array", #"[{"type":"error"}]"#),
    .text("row 45: no type", #"{"event_id":"event_1"}"#),
    .text("row 45: a key twice", #"{"type":"a","type":"b"}"#),
    .text("row 45: nothing", ""),
    Breach(
      name: "row 45: a giant message, on its header",
      bytes: [0x81, 0x7F] + (0..<8).map { UInt8(truncatingIfNeeded: giant >> (56 - 8 * $0)) }, close: 1009),
    Breach(name: "row 21: a masked frame", bytes: [0x81, 0x80, 1, 2, 3, 4], close: 1002),
    Breach(name: "row 21: a masked frame without its payload", bytes: [0x81, 0xFE, 0xFF, 0xFF, 1, 2], close: 1002),
    Breach(name: "row 45: a reserved bit", bytes: [0xC1, 0x00], close: 1002),
    Breach(name: "row 45: text that is not UTF-8", bytes: [0x81, 0x02, 0xC3, 0x28], close: 1007),
  ]

  @Test(
    "fault rows 21, 45: a provider that breaks its protocol in an answer is closed, and the client told with 1014; what came before is delivered",
    arguments: breaches)
  func broken(_ breach: Breach) async throws {
    let call = try await LinkCall.open()
    try await call.beginAnswer()
    try await call.line.say((0..<5).map { LinkCall.audio($0) })
    try await call.line.send(breach.bytes)
    let (messages, close) = await call.toEnd()
    #expect(messages.sounds == Array(0..<5))
    let done = try #require(messages.dropLast().last)
    #expect(done.contains(#""type":"response.done""#) && done.contains(#""status":"failed""#))
    #expect(done.contains(LinkCall.itemID))
    #expect(messages.last?.contains(#""code":"upstream_protocol_error""#) ?? false)
    #expect(!messages.joined().contains("planted"))
    #expect(close == 1014)
    var told: UInt16?
    for await case .ended(let code) in call.line.heard { told = code }
    #expect(told == breach.close)
    #expect(await call.log.line(with: "session ended").contains("close_code=1014"))
    await call.stop()
  }

  private static func gemini(_ port: Int) -> String {
    #"""
    {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main", "contact": "Ask ops@example.test.",
     "providers": {"main": {"kind": "gemini-live", "url": "ws://127.0.0.1:\#(port)", "model": "gemini-3.8-live"}},
     "routes": [{"path": "/v1/realtime"}]}
    """#
  }

  @Test(
    "fault row 45: a message of Gemini's that comes before its time, or is of the wrong kind, ends the session with 1014",
    arguments: [
      #"{"serverContent":{"turnComplete":true}}"#,
      #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm","data":"AAAA"}}]}}}"#,
      #"{"toolCall":{"functionCalls":[{"id":"a","name":"b"}]}}"#, #"{"setupComplete":"#, #"{"goAway":7}"#,
    ])
  func wrongOrder(_ message: String) async throws {
    let peer = try await LinkPeer.start()
    let gateway = try await TestGateway.routes(Self.gemini(peer.port))
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: "/v1/realtime?model=gemini-3.8-live"))
    #expect(await client.message() != nil)
    var lines = peer.lines.makeAsyncIterator()
    let line = try #require(await lines.next())
    try await line.say(message)
    #expect(await client.message()?.contains(#""code":"upstream_protocol_error""#) ?? false)
    guard case .closed(let close)? = await client.event() else {
      Issue.record("no close frame")
      return
    }
    #expect(close.code.rawValue == 1014)
    var told: UInt16?
    for await case .ended(let code) in line.heard { told = code }
    #expect(told == 1002)
    await gateway.stop()
    await peer.stop()
  }

  @Test(
    "fault row 45: what nobody knows of Gemini's is skipped, beside what is known or alone, and counted if it is alone")
  func unknown() async throws {
    let peer = try await LinkPeer.start()
    let log = LogCapture()
    let gateway = try await TestGateway.routes(Self.gemini(peer.port), log: log)
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: "/v1/realtime?model=gemini-3.8-live"))
    var lines = peer.lines.makeAsyncIterator()
    let line = try #require(await lines.next())
    // Its set-up goes up with the first content.
    try await client.sendFrames { socket in
      socket.send(.text, ByteBuffer(string: #"{"type":"response.create"}"#).readableBytesView)
    }
    var heard = line.heard.makeAsyncIterator()
    guard case .text(let setUp)? = await heard.next() else {
      Issue.record("no set-up")
      return
    }
    #expect(setUp.contains(#""setup":"#))
    try await line.say(
      #"{"brandNew":{"a":[1,{"b":null}]}}"#, #"{"setupComplete":{"more":1},"x":2}"#, #"{}"#,
      #"{"serverContent":{"brandNew":{"planted":1},"modelTurn":{"parts":[{"unheardOf":{}}]}}}"#,
      #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AAAAAAAA"}}]}}}"#,
      #"{"serverContent":{"generationComplete":true}}"#, #"{"serverContent":{"turnComplete":true}}"#)
    var messages: [String] = []
    while let message = await client.message() {
      messages.append(message)
      if message.contains(#""type":"response.done""#) { break }
    }
    #expect(messages.count("response.output_audio.delta") == 1)
    #expect(messages.last?.contains(#""status":"completed""#) ?? false)
    #expect(messages.count("error") == 0 && !messages.joined().contains("planted"))
    try await client.sendFrames { $0.close(.normal, reason: "") }
    #expect(await log.line(with: "session ended").contains("messages_skipped=2"))
    await gateway.stop()
    await peer.stop()
  }

  @Test(
    "fault row 45: an event that nobody knows is skipped and counted; one of OpenAI's own is the client's to judge",
    arguments: ["xai", "openai"])
  func unknownEvent(kind: String) async throws {
    let peer = try await LinkPeer.start()
    let log = LogCapture()
    let gateway = try await TestGateway.routes(Self.gemini(peer.port).replacing("gemini-live", with: kind), log: log)
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: "/v1/realtime?model=gemini-3.8-live"))
    var lines = peer.lines.makeAsyncIterator()
    let line = try #require(await lines.next())
    try await line.say(
      [
        LinkCall.session("session.created"), LinkCall.session("session.updated"),
        #"{"type":"brand.new","event_id":"e"}"#,
      ]
        + LinkCall.beginning())
    var messages: [String] = []
    while let message = await client.message() {
      messages.append(message)
      if message.contains("content_part.added") { break }
    }
    let isNative = kind == "openai"
    #expect(messages.count("brand.new") == (isNative ? 1 : 0) && messages.count("error") == 0)
    try await client.sendFrames { $0.close(.normal, reason: "") }
    #expect(await log.line(with: "session ended").contains("messages_skipped=1") == !isNative)
    await gateway.stop()
    await peer.stop()
  }
}
