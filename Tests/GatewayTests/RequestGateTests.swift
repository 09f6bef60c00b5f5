import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

@Suite("The request gate, live")
struct RequestGateTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    var status: Int
    var field: String?
    var testDescription: String { name }

    init(_ name: String, _ request: String, _ status: Int, _ field: String? = nil) {
      (self.name, self.request, self.status, self.field) = (name, request, status, field)
    }
  }

  private static let sound = TestSocket.upgradeRequest()

  private static func sound(without name: String, adding lines: String = "") -> String {
    let kept = sound.components(separatedBy: "\r\n").filter { !$0.hasPrefix(name + ":") && !$0.isEmpty }
    return kept.joined(separator: "\r\n") + "\r\n" + lines + "\r\n"
  }

  static let cases: [Case] = [
    Case("row 1: no key", sound(without: "Sec-WebSocket-Key"), 400),
    Case("row 1: empty key", sound(without: "Sec-WebSocket-Key", adding: "Sec-WebSocket-Key:\r\n"), 400),
    Case(
      "row 1: double key",
      sound(without: "X", adding: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400),
    Case("row 1: short key", sound(without: "Sec-WebSocket-Key", adding: "Sec-WebSocket-Key: AAAA\r\n"), 400),
    Case(
      "row 1: key not base64",
      sound(without: "Sec-WebSocket-Key", adding: "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n"), 400),
    Case("row 2: no version", sound(without: "Sec-WebSocket-Version"), 426, "Sec-WebSocket-Version: 13"),
    Case(
      "row 2: version 8", sound(without: "Sec-WebSocket-Version", adding: "Sec-WebSocket-Version: 8\r\n"), 426,
      "Sec-WebSocket-Version: 13"),
    Case("row 2: version twice", sound(without: "X", adding: "Sec-WebSocket-Version: 13\r\n"), 426),
    Case("row 3: no Upgrade", sound(without: "Upgrade"), 426, "Upgrade: websocket"),
    Case("row 3: no Connection", sound(without: "Connection"), 426, "Upgrade: websocket"),
    Case("R057: a plain GET", "GET /v1/realtime HTTP/1.1\r\nHost: a\r\n\r\n", 426, "Upgrade: websocket"),
    Case("row 4, R176: POST", "POST /v1/realtime HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Allow: GET"),
    Case(
      "row 4, R176: POST with every upgrade field", sound.replacing("GET ", with: "POST "), 405, "Allow: GET"),
    Case("row 4: HTTP/1.0", sound.replacing("HTTP/1.1", with: "HTTP/1.0"), 400),
    Case("row 4: HTTP/9.9", sound.replacing("HTTP/1.1", with: "HTTP/9.9"), 505),
    Case("row 5: no Host", sound(without: "Host"), 400),
    Case("row 5: two Hosts", sound(without: "X", adding: "Host: localhost\r\n"), 400),
    Case("row 6: foreign authority", sound.replacing("GET /", with: "GET http://evil/"), 400),
    Case("row 8: folding", sound(without: "X", adding: "X: a\r\n b\r\n"), 400),
    Case(
      "row 9: CL and TE, and a second request in the body",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + sound, 400),
    Case("row 9: xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" + sound, 501),
    Case("limits: a body on an upgrade", sound(without: "X", adding: "Content-Length: 3\r\n") + "abc", 400),
    Case("row 13: garbage", "\u{7f}ELF\r\n\r\n", 400),
  ]

  @Test("fault rows 1 to 9: a refusal is one JSON answer, and the connection closes", arguments: cases)
  func refusals(_ given: Case) async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    try await socket.send(given.request)
    let answer = await socket.textToEnd()
    #expect(answer.hasPrefix("HTTP/1.1 \(given.status) "))
    #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "one response")
    #expect(answer.contains("\"error\":{\"message\":"))
    #expect(answer.contains("Connection: close\r\n") || answer.contains("Connection: Upgrade, close\r\n"))
    if let field = given.field { #expect(answer.contains("\r\n\(field)\r\n")) }
    await gateway.stop()
  }

  @Test("fault row 7: a head of 4 MiB is refused after its first 64 KiB")
  func hugeHead() async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    try await socket.send("GET / HTTP/1.1\r\nHost: a\r\n")
    let line = "X: " + String(repeating: "a", count: 1000) + "\r\n"
    // The gateway answers long before the end and stops listening, so this write may fail.
    try? await socket.send(String(repeating: line, count: 4096))
    let answer = await socket.text(upTo: "\r\n\r\n")
    #expect(answer?.hasPrefix("HTTP/1.1 431 ") ?? false)
    await gateway.stop()
  }

  @Test(
    "fault row 13: a TLS hello or an HTTP/2 preface closes at once, without a word",
    arguments: ["\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
  func otherProtocols(bytes: String) async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    try await socket.send(bytes)
    #expect(await socket.textToEnd() == "")
    await gateway.stop()
  }

  @Test(
    "fault row 12: a head that does not come in time is answered 408",
    arguments: ["", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: a\r\n"])
  func silence(start: String) async throws {
    let gateway = try await TestGateway.echo { $0.headIdle = .milliseconds(50) }
    let socket = try await gateway.connect()
    // On a busy machine the answer may come first.
    if !start.isEmpty { try? await socket.send(start) }
    #expect(await socket.textToEnd().hasPrefix("HTTP/1.1 408 "))
    await gateway.stop()
  }

  @Test("fault row 12: bytes that drip do not extend the time for the whole head")
  func drip() async throws {
    let gateway = try await TestGateway.echo {
      $0.headTimeout = .milliseconds(300)
      $0.headIdle = .seconds(60)
    }
    let socket = try await gateway.connect()
    let channel = socket.channel
    let dripping = channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(10)) { _ in
      channel.writeAndFlush(ByteBuffer(string: "G"), promise: nil)
    }
    #expect(await socket.textToEnd().hasPrefix("HTTP/1.1 408 "))
    dripping.cancel()
    await gateway.stop()
  }

  @Test("a request cut at every byte opens a WebSocket", arguments: [1, 13])
  func cut(step: Int) async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    var bytes = ByteBuffer(string: Self.sound)
    while let piece = bytes.readSlice(length: min(step, max(bytes.readableBytes, 1))) { try await socket.send(piece) }
    let head = try #require(await socket.text(upTo: "\r\n\r\n"))
    #expect(head.hasPrefix("HTTP/1.1 101 "))
    #expect(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
    #expect(!head.contains("Sec-WebSocket-Protocol"))
    #expect(!head.contains("Sec-WebSocket-Extensions"))
    await gateway.stop()
  }

  @Test("fault row 11: a frame in the segment of the request is answered")
  func frameWithRequest() async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    var frames = WebSocketConnection(role: .client)
    frames.send(.text, ByteBuffer(string: "at once").readableBytesView)
    try await socket.send(ByteBuffer(string: Self.sound).appending(frames.outbound))
    _ = await socket.text(upTo: "\r\n\r\n")
    #expect(await socket.message() == "at once")
    await gateway.stop()
  }

  @Test("fault row 10: a request behind the upgrade is a broken frame, never an answer in HTTP")
  func pipelinedRequest() async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    try await socket.send(Self.sound + Self.sound)
    let head = await socket.text(upTo: "\r\n\r\n")
    #expect(head?.hasPrefix("HTTP/1.1 101 ") ?? false)
    guard case .closed(let close) = await socket.event() else {
      Issue.record("no close frame")
      return
    }
    #expect(close.code == .protocolError)
    #expect(!(await socket.textToEnd()).contains("HTTP"))
    await gateway.stop()
  }

  @Test("large messages come back whole, whatever the socket takes at once")
  func largeEcho() async throws {
    let gateway = try await TestGateway.echo()
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade())
    let text = String(repeating: "0123456789", count: 300_000)
    try await socket.sendFrames { connection in
      for _ in 0..<3 { connection.send(.text, ByteBuffer(string: text).readableBytesView) }
    }
    for _ in 0..<3 { #expect(await socket.message() == text) }
    try await socket.sendFrames { $0.close(.normal, reason: "") }
    guard case .closed(let close) = await socket.event() else {
      Issue.record("no close frame")
      return
    }
    #expect(close.cause == .handshakeCompleted)
    #expect(await socket.textToEnd() == "")
    await gateway.stop()
    #expect(gateway.running.connectionCount == 0)
  }

  @Test("fault row 49: a client that takes not one byte is dropped, and is not read meanwhile")
  func stalledPeer() async throws {
    let gateway = try await TestGateway.echo { $0.peerStall = .milliseconds(200) }
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade())
    try await socket.channel.setOption(.autoRead, value: false).get()
    var frames = WebSocketConnection(role: .client)
    frames.send(.binary, ByteBuffer(repeating: 7, count: 20_000_000).readableBytesView)
    // More than all socket buffers hold: it ends by the gateway's closing, long before the socket gives up by itself.
    let flood = frames.outbound
    let began = ContinuousClock.now
    await #expect(throws: (any Error).self) {
      while true { try await socket.send(flood) }
    }
    #expect(ContinuousClock.now - began < .seconds(15))
    await gateway.stop()
    #expect(gateway.running.connectionCount == 0)
  }

  @Test("fault row 34: a peer that answers no ping is dropped")
  func silentPeer() async throws {
    let gateway = try await TestGateway.echo {
      $0.pingInterval = .milliseconds(20)
      $0.pongTimeout = .milliseconds(60)
    }
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade())
    // The raw client reads pings and answers none.
    let began = ContinuousClock.now
    _ = await socket.textToEnd()
    #expect(!socket.channel.isActive)
    #expect(ContinuousClock.now - began < .seconds(15))
    await gateway.stop()
  }

  @Test("a close frame that the peer does not answer is followed by the end of the connection")
  func unansweredClose() async throws {
    let gateway = try await TestGateway.echo { $0.closeTimeout = .milliseconds(50) }
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade())
    async let stopped: Void = gateway.stop()
    guard case .closed(let close) = await socket.event() else {
      Issue.record("no close frame")
      return
    }
    #expect(close.code == .serviceRestart)
    _ = await socket.textToEnd()
    await stopped
    #expect(gateway.running.connectionCount == 0)
  }
}

extension ByteBuffer {
  func appending(_ other: ByteBuffer) -> ByteBuffer {
    var result = self
    result.writeImmutableBuffer(other)
    return result
  }
}

extension String {
  func components(separatedBy separator: String) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }
}
