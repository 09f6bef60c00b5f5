import HTTPWire
import NIOCore
import Testing

@Suite("Response heads")
struct ResponseHeadParserTests {
  private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
  private static let sound = [
    "HTTP/1.1 101 Switching Protocols", "Upgrade: WebSocket", "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Accept: \(accept)",
  ]

  private static func parse(_ lines: [String], step: Int = .max) throws(HeadFault) -> (ResponseHead?, String) {
    var parser = ResponseHeadParser()
    var bytes = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\nrest")
    while bytes.readableBytes > 0 {
      var piece = bytes.readSlice(length: min(step, bytes.readableBytes)) ?? ByteBuffer()
      if let head = try parser.parse(&piece) { return (head, String(buffer: piece) + String(buffer: bytes)) }
    }
    return (nil, "")
  }

  @Test("a sound 101 opens the WebSocket, and what follows it stays", arguments: [1, 5, Int.max])
  func opens(step: Int) throws {
    let (head, rest) = try Self.parse(Self.sound, step: step)
    #expect(try #require(head).opensWebSocket(accept: Self.accept, offered: []))
    #expect(rest == "rest")
  }

  @Test("an interim response before the 101 is skipped")
  func interim() throws {
    let (head, _) = try Self.parse(["HTTP/1.1 100 Continue", "X: y", ""] + Self.sound)
    #expect(head?.status == 101)
  }

  @Test(
    "fault row 44: an answer that breaks RFC 6455 does not open it",
    arguments: [
      (1, "Upgrade: h2c"), (1, "X: y"), (2, "Connection: close"), (2, "X: y"), (3, "X: y"),
      (3, "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="), (0, "HTTP/1.1 200 OK"), (0, "HTTP/1.1 302 Found"),
      (4, "Sec-WebSocket-Extensions: permessage-deflate"), (4, "Sec-WebSocket-Protocol: other"),
      (4, "Sec-WebSocket-Accept: \(accept)"), (4, "Sec-WebSocket-Protocol: realtime, realtime"),
    ])
  func refused(line: Int, text: String) throws {
    var lines = Self.sound
    if line < lines.count { lines[line] = text } else { lines.append(text) }
    let head = try #require(try Self.parse(lines).0)
    #expect(!head.opensWebSocket(accept: Self.accept, offered: ["realtime"]))
  }

  @Test("an offered subprotocol may be chosen")
  func subprotocol() throws {
    let head = try #require(try Self.parse(Self.sound + ["Sec-WebSocket-Protocol: realtime"]).0)
    #expect(head.opensWebSocket(accept: Self.accept, offered: ["realtime"]))
    #expect(!head.opensWebSocket(accept: Self.accept, offered: []))
  }

  @Test(
    "malformed status lines are faults",
    arguments: [
      "HTTP/1.0 101 x", "HTTP/2 101", "101", "HTTP/1.1 10 x", "HTTP/1.1 1010", "HTTP/1.1 099 x", "ICY 200 OK",
    ])
  func statusLines(line: String) {
    #expect(throws: HeadFault.self) { try Self.parse([line] + Self.sound.dropFirst()) }
    #expect(throws: HeadFault.self) { try Self.parse([line] + Self.sound.dropFirst(), step: 1) }
  }

  @Test("interim responses without end are a fault")
  func endlessInterim() {
    let many = (0..<10).flatMap { _ in ["HTTP/1.1 102 Processing", ""] }
    #expect(throws: HeadFault.self) { try Self.parse(many) }
  }

  @Test("fault row 44: Retry-After in seconds is read, a date is not")
  func retryAfter() throws {
    #expect(try Self.parse(["HTTP/1.1 429 Slow", "Retry-After: 7"]).0?.retryAfterSeconds == 7)
    #expect(try Self.parse(["HTTP/1.1 429", "Retry-After: Fri, 31 Dec"]).0?.retryAfterSeconds == nil)
  }
}
