import NIOCore
import NIOPosix
import Testing
import WebSocketWire

@testable import Gateway

@Suite("A provider that does not open the WebSocket", .timeLimit(.minutes(2)))
struct LinkRefusalTests {
  struct Answer: Sendable, CustomTestStringConvertible {
    var name: String
    var head: String
    var code: String
    var close: UInt16
    var testDescription: String { name }

    init(_ name: String, _ head: String, _ code: String, _ close: UInt16) {
      self.name = name
      self.head = head.replacing("\n", with: "\r\n")
      self.code = code
      self.close = close
    }
  }

  /// In each answer wherever it has room for text.
  private static let words = "planted-words-of-the-provider"

  private static let noBody = "Content-Length: 0\nX-Note: \(words)\n\n"
  private static let opening = ScriptedUpstream.upgraded.replacing("\r\n", with: "\n") + "X-Note: \(words)\n"

  private static func openingWithout(_ field: String) -> String {
    opening.split(separator: "\n").filter { !$0.hasPrefix(field) }.joined(separator: "\n") + "\n\n"
  }

  private static let answers: [Answer] =
    [
      (401, "upstream_credentials_refused", 1014), (403, "upstream_credentials_refused", 1014),
      (404, "upstream_not_found", 1014), (429, "rate_limit_exceeded", 1014), (400, "upstream_refused", 1014),
      (500, "upstream_refused", 1013), (502, "upstream_refused", 1013), (503, "upstream_refused", 1013),
    ].map { Answer("\($0)", "HTTP/1.1 \($0) \(words)\n" + noBody, $1, $2) } + [
      Answer(
        "401 with a body", "HTTP/1.1 401 No\nContent-Length: 33\n\n{\"error\":\"\(words)\"}",
        "upstream_credentials_refused", 1014),
      Answer(
        "200 with HTML", "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<html>\(words)</html>", "upstream_refused", 1014),
      Answer(
        "a wrong accept value",
        opening.replacing("%ACCEPT%", with: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") + "\n", "upstream_protocol_error", 1014),
      Answer("no accept value", openingWithout("Sec-WebSocket-Accept"), "upstream_protocol_error", 1014),
      Answer("no Upgrade", openingWithout("Upgrade"), "upstream_protocol_error", 1014),
      Answer("no Connection", openingWithout("Connection"), "upstream_protocol_error", 1014),
      Answer(
        "an extension that was not offered", opening + "Sec-WebSocket-Extensions: permessage-deflate\n\n",
        "upstream_protocol_error", 1014),
      Answer(
        "a subprotocol that was not offered", opening + "Sec-WebSocket-Protocol: \(words)\n\n",
        "upstream_protocol_error", 1014),
      Answer("HTTP/1.0", "HTTP/1.0 101 Switching Protocols\n\n", "upstream_protocol_error", 1014),
      Answer("noise", "\(words) \u{0}\u{1}\n\n", "upstream_protocol_error", 1014),
      Answer(
        "a head without end", "HTTP/1.1 101 Switching Protocols\nX: " + String(repeating: "x", count: 100_000),
        "upstream_protocol_error", 1014),
    ]

  @Test(
    "fault row 44: every other answer to the upgrade than the right one is an error event and a code of ours, without a word of the provider's",
    arguments: answers)
  func refused(_ answer: Answer) async throws {
    let upstream = try await ScriptedUpstream.start(.answer(answer.head))
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: upstream.port, log: log)
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: LinkCall.path))
    let (messages, close) = await conversation(client)
    #expect(messages.count == 2)
    #expect(messages.first?.contains(#""type":"session.created""#) ?? false)
    #expect(messages.last?.contains(#""code":"\#(answer.code)""#) ?? false)
    #expect(close?.code.rawValue == answer.close)
    #expect(!messages.joined().contains(Self.words) && close?.reason.contains(Self.words) == false)
    _ = await log.line(with: "session ended")
    #expect(!log.text.contains(Self.words))
    // And it is left alone.
    var ends = upstream.ends.makeAsyncIterator()
    #expect(await ends.next() != nil)
    await gateway.stop()
    await upstream.stop()
  }

  @Test(
    "fault row 44: a quota tells when to come back: the seconds of Retry-After, and nothing else that was said there")
  func quota() async throws {
    for (field, told) in [("Retry-After: 7", "Retry after 7 seconds."), ("Retry-After: <b>\(Self.words)", nil)] {
      let upstream = try await ScriptedUpstream.start(.answer("HTTP/1.1 429 No\r\n\(field)\r\n\r\n"))
      let gateway = try await TestGateway.upstream(port: upstream.port)
      let client = try await gateway.connect()
      #expect(try await client.upgrade(path: LinkCall.path))
      let (messages, _) = await conversation(client)
      #expect(messages.last?.contains(#""code":"rate_limit_exceeded""#) ?? false)
      #expect(messages.last?.contains("Retry after") == (told != nil))
      #expect(messages.last?.contains(told ?? "limit is reached.") ?? false)
      #expect(!messages.joined().contains(Self.words))
      await gateway.stop()
      await upstream.stop()
    }
  }

  @Test("fault row 44: a redirect is never followed", arguments: [301, 302, 303, 307, 308])
  func redirect(status: Int) async throws {
    let elsewhere = try await LinkPeer.start()
    let upstream = try await ScriptedUpstream.start(
      .answer("HTTP/1.1 \(status) Moved\r\nLocation: ws://127.0.0.1:\(elsewhere.port)/\r\n\r\n"))
    let gateway = try await TestGateway.upstream(port: upstream.port)
    let client = try await gateway.connect()
    #expect(try await client.upgrade(path: LinkCall.path))
    let (messages, close) = await conversation(client)
    #expect(messages.last?.contains(#""code":"upstream_refused""#) ?? false)
    #expect(messages.joined().contains("\(elsewhere.port)") == false)
    #expect(close?.code.rawValue == 1014)
    await gateway.stop()
    // What was dialled would be among the lines by now: the one made here comes first.
    let probe = try await TestSocket.connect(port: elsewhere.port)
    #expect(try await probe.upgrade(path: "/probe"))
    var lines = elsewhere.lines.makeAsyncIterator()
    #expect(await lines.next()?.head.hasPrefix("GET /probe ") ?? false)
    await elsewhere.stop()
    await upstream.stop()
  }

  @Test("fault row 43: a head that drips does not extend the time for the whole of it")
  func drip() async throws {
    let peer = try await SilentPeer.start()
    let gateway = try await TestGateway.upstream(port: peer.port) { $0.upstreamUpgrade = .milliseconds(400) }
    let client = try await gateway.connect()
    let clock = ContinuousClock()
    let began = clock.now
    #expect(try await client.upgrade(path: LinkCall.path))
    var arrivals = peer.arrivals.makeAsyncIterator()
    let line = try #require(await arrivals.next())
    let dripping = line.channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { _ in
      line.channel.writeAndFlush(ByteBuffer(string: "H"), promise: nil)
    }
    let (messages, close) = await conversation(client)
    dripping.cancel()
    #expect(clock.now - began >= .milliseconds(400))
    #expect(messages.last?.contains(#""code":"upstream_timeout""#) ?? false)
    #expect(close?.code.rawValue == 1013)
    await gateway.stop()
    await peer.stop()
  }

  @Test("fault row 43: a provider that does not answer the TLS hello is given up at the deadline, and not before")
  func silentTLS() async throws {
    let peer = try await SilentPeer.start()
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: peer.port, scheme: "wss", log: log) {
      $0.upstreamTLS = .milliseconds(300)
    }
    let client = try await gateway.connect()
    let clock = ContinuousClock()
    let began = clock.now
    #expect(try await client.upgrade(path: LinkCall.path))
    let (messages, close) = await conversation(client)
    #expect(clock.now - began >= .milliseconds(300))
    #expect(messages.last?.contains(#""code":"upstream_timeout""#) ?? false)
    #expect(close?.code.rawValue == 1013)
    #expect(await log.line(with: "session ended").contains("fault=upstream_timeout_tls"))
    await gateway.stop()
    await peer.stop()
  }

  private func conversation(_ client: TestSocket) async -> (messages: [String], close: CloseEvent?) {
    var messages: [String] = []
    while let event = await client.event() {
      switch event {
      case .text(let text): messages.append(String(buffer: text))
      case .closed(let close): return (messages, close)
      case .binary, .ping, .pong: continue
      }
    }
    return (messages, nil)
  }
}
