import NIOCore
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A session's two legs, live")
struct SessionDriverTests {
  private static let path = "/v1/realtime?model=gpt-realtime"

  /// Messages until the close frame, and its code.
  private func conversation(_ socket: TestSocket) async -> (messages: [String], close: CloseCode?) {
    var messages: [String] = []
    while let event = await socket.event() {
      switch event {
      case .text(let text): messages.append(String(buffer: text))
      case .closed(let close): return (messages, close.code)
      case .binary, .ping, .pong: continue
      }
    }
    return (messages, nil)
  }

  @Test("R185: session.created comes with the 101, though the provider says nothing")
  func greeting() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await TestGateway.upstream(port: upstream.port)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    #expect(await socket.message()?.contains(#""type":"session.created""#) ?? false)
    await gateway.stop()
    await upstream.stop()
  }

  struct Failure: Sendable, CustomTestStringConvertible {
    var name: String
    var script: ScriptedUpstream.Script
    var code: String
    var close: UInt16
    var fault: String
    var testDescription: String { name }
  }

  static let failures = [
    Failure(
      name: "row 43: no answer to the upgrade", script: .silence, code: "upstream_timeout", close: 1013,
      fault: "upstream_timeout_upgrade"),
    Failure(
      name: "row 43: hang-up before the answer", script: .hangUp, code: "upstream_lost", close: 1013,
      fault: "upstream_lost"),
    Failure(
      name: "row 44: 401", script: .answer("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), code: "upstream_",
      close: 1014, fault: "upstream_refused"),
    Failure(
      name: "row 44: 500", script: .answer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), code: "upstream_refused",
      close: 1013, fault: "upstream_refused"),
    Failure(
      name: "row 44: redirect", script: .answer("HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n\r\n"),
      code: "upstream_refused", close: 1014, fault: "upstream_refused"),
    Failure(
      name: "row 44: 200 with HTML", script: .answer("HTTP/1.1 200 OK\r\n\r\n<html>secret words</html>"),
      code: "upstream_refused", close: 1014, fault: "upstream_refused"),
    Failure(
      name: "row 44: a wrong accept value",
      script: .answer(ScriptedUpstream.upgraded.replacing("%ACCEPT%", with: "AAAA") + "\r\n"),
      code: "upstream_protocol_error", close: 1014, fault: "upstream_bad_handshake"),
    Failure(
      name: "row 44: an extension that nobody offered",
      script: .answer(ScriptedUpstream.upgraded + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
      code: "upstream_protocol_error", close: 1014, fault: "upstream_bad_handshake"),
    Failure(
      name: "row 44: noise", script: .answer("\0\0\0\0"), code: "upstream_protocol_error", close: 1014,
      fault: "upstream_bad_handshake"),
    Failure(
      name: "row 21: a masked frame of the provider", script: .openRaw([0x81, 0x80, 1, 2, 3, 4]),
      code: "upstream_protocol_error", close: 1014, fault: "upstream_framing_broken"),
    Failure(
      name: "row 46: 1011", script: .open(texts: [], close: 1011), code: "upstream_closed", close: 1013,
      fault: "upstream_closed"),
  ]

  @Test(
    "R193, fault rows 43 to 46: a provider that fails is an error event and a close code of ours",
    arguments: failures)
  func fails(_ given: Failure) async throws {
    let upstream = try await ScriptedUpstream.start(given.script)
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: upstream.port, log: log) {
      if case .silence = given.script { $0.upstreamUpgrade = .milliseconds(200) }
    }
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    let (messages, close) = await conversation(socket)
    #expect(messages.first?.contains(#""type":"session.created""#) ?? false)
    let error = try #require(messages.last)
    #expect(error.contains(#""type":"error""#))
    #expect(error.contains("\"code\":\"\(given.code)"))
    #expect(!error.contains("secret words"))
    #expect(close?.rawValue == given.close)
    let line = await log.line(with: "session ended")
    #expect(line.contains("fault=\(given.fault)"))
    #expect(line.contains("source=upstream"))
    await gateway.stop()
    await upstream.stop()
  }

  @Test("fault row 42: a refused connection is told within 200 ms")
  func unreachable() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let port = upstream.port
    await upstream.stop()
    let gateway = try await TestGateway.upstream(port: port)
    let socket = try await gateway.connect()
    let clock = ContinuousClock()
    let began = clock.now
    #expect(try await socket.upgrade(path: Self.path))
    let (messages, close) = await conversation(socket)
    #expect(messages.last?.contains("upstream_unreachable") ?? false)
    #expect(close == .tryAgainLater)
    // Ten times the figure: the machine may be busy, and the connect timeout is 25 times it.
    #expect(clock.now - began < .seconds(2))
    await gateway.stop()
  }

  @Test(
    "fault row 42: a certificate of another authority, another name or another time is refused",
    arguments: [
      ("good", "localhost", false), ("wrong-name", "localhost", true), ("wrong-name", "127.0.0.1", true),
      ("expired", "localhost", true),
    ])
  func untrusted(certificate: String, host: String, trustsAuthority: Bool) async throws {
    let upstream = try await ScriptedUpstream.start(.silence, certificate: certificate)
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(
      port: upstream.port, scheme: "wss", host: host,
      authority: trustsAuthority ? ScriptedUpstream.certificatePath("authority") : nil, log: log)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    let (messages, close) = await conversation(socket)
    #expect(messages.last?.contains("upstream_tls_failed") ?? false)
    #expect(close == .badGateway)
    #expect(await log.line(with: "session ended").contains("fault=upstream_tls_failed"))
    await gateway.stop()
    await upstream.stop()
  }

  @Test(
    "a provider whose certificate is good is asked for a WebSocket over TLS", arguments: ["localhost", "127.0.0.1"])
  func trusted(host: String) async throws {
    let upstream = try await ScriptedUpstream.start(.silence, certificate: "good")
    let gateway = try await TestGateway.upstream(
      port: upstream.port, scheme: "wss", host: host, authority: ScriptedUpstream.certificatePath("authority"))
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    var requests = upstream.requests.makeAsyncIterator()
    let request = try #require(await requests.next())
    #expect(request.hasPrefix("GET /v1/realtime"))
    #expect(request.contains("\r\nHost: \(host):\(upstream.port)\r\n"))
    #expect(request.contains("\r\nSec-WebSocket-Version: 13\r\n"))
    await gateway.stop()
    await upstream.stop()
  }

  @Test("fault rows 33 and 52: a client that leaves during the dial takes the dial with it", arguments: [true, false])
  func abandoned(withCloseFrame: Bool) async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await TestGateway.upstream(port: upstream.port)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    var requests = upstream.requests.makeAsyncIterator()
    #expect(await requests.next() != nil)
    if withCloseFrame {
      try await socket.sendFrames { $0.close(.normal, reason: "") }
    } else {
      try await socket.channel.close()
    }
    var ends = upstream.ends.makeAsyncIterator()
    #expect(await ends.next() != nil)
    await gateway.stop()
    #expect(gateway.running.connectionCount == 0)
    await upstream.stop()
  }

  @Test("fault row 33: a half-close in a frame ends both sides")
  func halfClose() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: upstream.port, log: log)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    var requests = upstream.requests.makeAsyncIterator()
    #expect(await requests.next() != nil)
    try await socket.send(ByteBuffer(bytes: [0x81, 0x85, 1, 2]))
    try await socket.channel.close(mode: .output)
    var ends = upstream.ends.makeAsyncIterator()
    #expect(await ends.next() != nil)
    #expect(await log.line(with: "session ended").contains("fault=client_lost"))
    await gateway.stop()
    await upstream.stop()
  }

  @Test("a stop closes running sessions with 1012, after an error event")
  func stop() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await TestGateway.upstream(port: upstream.port)
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: Self.path))
    #expect(await socket.message() != nil)
    async let stopped: Void = gateway.stop()
    let (messages, close) = await conversation(socket)
    #expect(messages.last?.contains(#""type":"error""#) ?? false)
    #expect(close == .serviceRestart)
    // The gateway may have closed it by now.
    try? await socket.channel.close()
    await stopped
    #expect(gateway.running.connectionCount == 0)
    await upstream.stop()
  }
}
