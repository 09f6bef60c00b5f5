import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

/// Each limit as an operator writes it, at the limit and one past it, on a running gateway.
@Suite("Configured limits, live", .timeLimit(.minutes(2)))
struct ConfiguredLimitTests {
  private func withGateway(
    _ limits: String, _ script: ScriptedUpstream.Script = .silence, scheme: String = "ws",
    _ body: (LimitedGateway) async throws -> Void
  ) async throws {
    let upstream = try await ScriptedUpstream.start(script)
    let gateway = try await LimitedGateway.start(limits, upstream: upstream.port, scheme: scheme)
    try await body(gateway)
    await gateway.stop()
    await upstream.stop()
  }

  /// Texts until the close frame, and its code.
  private func ending(_ socket: TestSocket) async -> (texts: [String], code: UInt16?) {
    var texts: [String] = []
    while let event = await socket.event() {
      if case .text(let text) = event { texts.append(String(buffer: text)) }
      if case .closed(let close) = event { return (texts, close.code.rawValue) }
    }
    return (texts, nil)
  }

  // MARK: The head of a request

  struct Head: Sendable, CustomTestStringConvertible {
    var limits: String
    /// A request that is at the limit with no byte or field more, and beyond it with one.
    var request: @Sendable (_ more: Int) -> String
    var status: Int
    var testDescription: String { limits }
  }

  static let heads = [
    Head(
      limits: #""requestLineBytes": 300"#,
      request: {
        let line = "GET  HTTP/1.1"
        let path = "/v1/realtime?model=m&x="
        return TestSocket.upgradeRequest(
          path: path + String(repeating: "a", count: 300 - line.count - path.count + $0))
      }, status: 414),
    Head(
      limits: #""headerFieldBytes": 300"#,
      request: {
        TestSocket.upgradeRequest(fields: ["X: " + String(repeating: "a", count: 297 + $0)])
      }, status: 431),
    Head(
      limits: #""headerBlockBytes": 1024"#,
      request: { more in
        // Line ends do not count.
        let bare = TestSocket.upgradeRequest(fields: ["X: "]).split(separator: "\r\n").dropFirst().joined().utf8.count
        return TestSocket.upgradeRequest(fields: ["X: " + String(repeating: "a", count: 1024 - bare + more)])
      }, status: 431),
    Head(
      limits: #""headerFields": 10"#,
      request: { TestSocket.upgradeRequest(fields: (0..<(5 + $0)).map { "X-\($0): a" }) }, status: 431),
  ]

  @Test(
    "fault row 7, limits: a head at each limit opens a session, one byte or field more is refused", arguments: heads)
  func head(_ given: Head) async throws {
    try await withGateway(given.limits) { gateway in
      let within = try await gateway.connect()
      try await within.send(given.request(0))
      #expect(await within.text(upTo: "\r\n\r\n")?.hasPrefix("HTTP/1.1 101 ") ?? false)
      let beyond = try await gateway.connect()
      try await beyond.send(given.request(1))
      #expect(await beyond.response()?.head.hasPrefix("HTTP/1.1 \(given.status) ") ?? false)
    }
  }

  @Test(
    "fault row 12, limits: a head may take so long in all, and so long without a byte",
    arguments: [
      #""headTimeoutSeconds": 0.3, "headIdleSeconds": 60"#, #""headTimeoutSeconds": 60, "headIdleSeconds": 0.3"#,
    ])
  func headTimes(limits: String) async throws {
    try await withGateway(limits) { gateway in
      let clock = ContinuousClock()
      let began = clock.now
      let socket = try await gateway.connect()
      // On a busy machine the answer may come first.
      try? await socket.send("GET /v1/realtime HTTP/1.1\r\n")
      #expect(await socket.textToEnd().hasPrefix("HTTP/1.1 408 "))
      // The defaults are 5 and 10 s.
      #expect((.milliseconds(250)..<(.milliseconds(4_500))).contains(clock.now - began))
    }
  }

  // MARK: Messages

  struct Size: Sendable, CustomTestStringConvertible {
    var limits: String
    var frames: @Sendable (_ more: Int) -> [(Opcode, count: Int, isFinal: Bool)]
    var code: UInt16
    var testDescription: String { limits }
  }

  static let sizes = [
    Size(
      limits: #""maxFrameBytes": 2000, "maxMessageBytes": 9000"#, frames: { [(.text, 2_000 + $0, true)] }, code: 1009),
    Size(
      limits: #""maxFrameBytes": 2000, "maxMessageBytes": 3000"#,
      frames: { [(.text, 2_000, false), (.continuation, 1_000 + $0, true)] }, code: 1009),
    Size(
      limits: #""maxFragments": 5"#,
      frames: {
        [(.text, 2, false)] + Array(repeating: (.continuation, 2, false), count: 3 + $0) + [(.continuation, 2, true)]
      }, code: 1008),
    Size(
      limits: #""maxTinyFragments": 5"#,
      frames: {
        [(.text, 2, false)] + Array(repeating: (.continuation, 1, false), count: 5 + $0) + [(.continuation, 2, true)]
      }, code: 1008),
  ]

  @Test(
    "fault rows 25 and 26, limits: a message at each limit is read, one beyond is closed with its code",
    arguments: sizes)
  func message(_ given: Size) async throws {
    func bytes(_ more: Int) -> ByteBuffer {
      var bytes = ByteBuffer()
      for (opcode, count, isFinal) in given.frames(more) {
        bytes.writeInteger(UInt8(isFinal ? 0x80 : 0) | opcode.rawValue)
        bytes.writeInteger(UInt8(0xFE))
        bytes.writeInteger(UInt16(count))
        // A key of zeros.
        bytes.writeInteger(UInt32(0))
        bytes.writeRepeatingByte(0x20, count: count)
      }
      return bytes
    }
    // The shortest form of a length is asked for, too.
    func shortest(_ buffer: ByteBuffer) -> ByteBuffer {
      var (buffer, result) = (buffer, ByteBuffer())
      while let head = buffer.readInteger(as: UInt8.self), buffer.readInteger(as: UInt8.self) != nil,
        let count = buffer.readInteger(as: UInt16.self), var rest = buffer.readSlice(length: 4 + Int(count))
      {
        result.writeInteger(head)
        if count < 126 {
          result.writeInteger(UInt8(count) | 0x80)
        } else {
          result.writeMultipleIntegers(UInt8(0xFE), count)
        }
        result.writeBuffer(&rest)
      }
      return result
    }
    try await withGateway(given.limits) { gateway in
      let within = try await gateway.session()
      try await within.send(shortest(bytes(0)))
      #expect(await within.message()?.contains("invalid_json") ?? false)
      let beyond = try await gateway.session()
      try await beyond.send(shortest(bytes(1)))
      #expect(await ending(beyond).code == given.code)
    }
  }

  // MARK: A client's pace

  @Test(
    "limits: so many control events at once are carried out, one more is an error with its id, and the session stays")
  func controlEvents() async throws {
    try await withGateway(#""controlEventsPerSecond": 3"#) { gateway in
      for (count, answer) in [(3, "invalid_value"), (4, "rate_limit_exceeded")] {
        let socket = try await gateway.session()
        try await socket.sendFrames { connection in
          let events = (0..<count).map { #"{"type":"input_audio_buffer.clear","event_id":"e\#($0)"}"# }
          // Of no type, and so not counted.
          for event in events + [#"{"type":"no.such","event_id":"last"}"#] {
            connection.send(.text, ByteBuffer(string: event).readableBytesView)
          }
        }
        let first = try #require(await socket.message())
        #expect(first.contains(answer))
        #expect(first.contains(count == 3 ? #""event_id":"last""# : #""event_id":"e3""#))
      }
    }
  }

  @Test("fault row 41, limits: so many bad events are errors, one more closes with 1008")
  func badEvents() async throws {
    try await withGateway(#""badEventsPerMinute": 3"#) { gateway in
      let socket = try await gateway.session()
      try await socket.sendFrames { connection in
        for _ in 0..<4 { connection.send(.text, ByteBuffer(string: "[]").readableBytesView) }
      }
      let (texts, code) = await ending(socket)
      #expect(texts.count == 5)
      #expect(texts.last?.contains("too_many_bad_events") ?? false)
      #expect(code == 1008)
    }
  }

  // MARK: Times of a session

  @Test(
    "limits: a silent session, and one that has lasted its time, end with an error event and 1000",
    arguments: [
      (#""sessionIdleSeconds": 0.3"#, "session_idle"), (#""sessionLengthSeconds": 0.3"#, "session_expired"),
    ])
  func spans(limits: String, code: String) async throws {
    try await withGateway(limits) { gateway in
      let clock = ContinuousClock()
      let began = clock.now
      let (texts, close) = await ending(try await gateway.session())
      #expect(texts.last?.contains("\"code\":\"\(code)\"") ?? false)
      #expect(close == 1000)
      #expect(clock.now - began > .milliseconds(250))
    }
  }

  @Test("limits: our close frame is waited for so long, then the connection is cut")
  func closeTimeout() async throws {
    try await withGateway(#""closeTimeoutSeconds": 0.2, "sessionLengthSeconds": 0.1"#) { gateway in
      let socket = try await gateway.session()
      // Reads, and answers nothing.
      let began = ContinuousClock.now
      while await socket.event() != nil {}
      #expect(await gateway.log.line(with: "session ended").contains("close_code=1000"))
      try await socket.channel.closeFuture.get()
      // By default it is 5 s; the socket gives up by itself after 20.
      #expect(ContinuousClock.now - began < .milliseconds(4_500))
    }
  }

  @Test("limits: a client that takes not one byte while much waits for it is dropped after so long")
  func stall() async throws {
    // A provider that begins to speak by itself: more than the system's buffers take.
    let audio = String(repeating: "A", count: 64_000)
    let texts =
      [
        #"{"type":"session.created","event_id":"e1","session":{"id":"s1","object":"realtime.session","type":"realtime","model":"gpt-realtime","output_modalities":["audio"]}}"#,
        #"{"type":"response.created","event_id":"e2","response":{"id":"r1","object":"realtime.response","status":"in_progress","output":[]}}"#,
        #"{"type":"response.output_item.added","event_id":"e3","response_id":"r1","output_index":0,"item":{"id":"i1","object":"realtime.item","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
        #"{"type":"response.content_part.added","event_id":"e4","response_id":"r1","item_id":"i1","output_index":0,"content_index":0,"part":{"type":"audio","transcript":""}}"#,
      ]
      + (0..<300).map {
        #"{"type":"response.output_audio.delta","event_id":"d\#($0)","response_id":"r1","item_id":"i1","output_index":0,"content_index":0,"delta":"\#(audio)"}"#
      }
    try await withGateway(
      #""peerStallSeconds": 0.3, "writeHighWaterBytes": 4096, "writeLowWaterBytes": 1024"#, .open(texts: texts)
    ) { gateway in
      let socket = try await gateway.connect()
      try await socket.channel.setOption(.autoRead, value: false).get()
      let began = ContinuousClock.now
      try await socket.send(TestSocket.upgradeRequest(path: LimitedGateway.path))
      let line = await gateway.log.line(with: "session ended")
      #expect(line.contains("fault=peer_stalled"), "\(line)")
      // By default it is 10 s.
      #expect(ContinuousClock.now - began < .seconds(9))
    }
  }

  // MARK: The provider

  @Test(
    "fault row 43, limits: each step of a dial may take so long",
    arguments: [
      ("ws", ScriptedUpstream.Script.silence, #""upstreamUpgradeSeconds": 0.2"#, "upgrade"),
      ("wss", .silence, #""upstreamTLSSeconds": 0.2"#, "tls"),
      (
        "ws", .open(texts: []), #""upstreamFirstEventSeconds": 0.2, "dialLatestSeconds": 0.1"#,
        "firstEvent"
      ),
    ])
  func dial(scheme: String, script: ScriptedUpstream.Script, limits: String, phase: String) async throws {
    try await withGateway(limits, script, scheme: scheme) { gateway in
      let began = ContinuousClock.now
      let (texts, code) = await ending(try await gateway.session())
      // The defaults are 5 and 10 s.
      #expect(ContinuousClock.now - began < .milliseconds(4_500))
      #expect(texts.last?.contains(#""code":"upstream_timeout""#) ?? false)
      #expect(texts.last?.contains("(\(phase))") ?? false)
      #expect(code == 1013)
      #expect(await gateway.log.line(with: "session ended").contains("fault=upstream_timeout"))
    }
  }

  @Test("limits: a provider that answers no ping is given up after its own time")
  func silentProvider() async throws {
    try await withGateway(
      #""pingIntervalSeconds": 0.1, "upstreamPongTimeoutSeconds": 0.2, "pongTimeoutSeconds": 60"#, .open(texts: [])
    ) { gateway in
      let (texts, code) = await ending(try await gateway.session())
      #expect(texts.last?.contains(#""code":"upstream_lost""#) ?? false)
      #expect(code == 1013)
      #expect(await gateway.log.line(with: "peer_silent").contains("source=upstream"))
    }
  }
}
