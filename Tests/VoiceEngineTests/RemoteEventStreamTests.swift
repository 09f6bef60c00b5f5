import NIOCore
import Testing

@testable import VoiceEngine

@Suite("Server-sent events") struct RemoteEventStreamTests {
  typealias Event = ServerSentEvents.Event

  static let text =
    "\u{FEFF}: a comment\r\ndata: {\"a\":\"grüß 🦜\"}\r\n\r\n" + "event: named\ndata:no space\n\n"
    + "data: two\ndata:  lines\nid: 7\nretry: 10\n\n" + "\n\n: OPENROUTER PROCESSING\n\n" + "data\n\ndata: [DONE]\n"
  static let expected = [
    Event(data: "{\"a\":\"grüß 🦜\"}"), Event(name: "named", data: "no space"), Event(data: "two\n lines"),
    Event(data: ""), Event(data: "[DONE]"),
  ]

  static func events(_ pieces: [[UInt8]], limit: Int = 1 << 20) throws -> [Event] {
    var parser = ServerSentEvents(limit: limit)
    var events: [Event] = []
    for piece in pieces { events += try parser.receive(ByteBuffer(bytes: piece).readableBytesView) }
    if let last = try parser.finish() { events.append(last) }
    return events
  }

  @Test("comments, CRLF, several data lines, no space, no last blank line")
  func rules() throws {
    #expect(try Self.events([Array(Self.text.utf8)]) == Self.expected)
  }

  @Test("every cut in two gives the same events, through characters too")
  func cuts() throws {
    let bytes = Array(Self.text.utf8)
    for cut in 0...bytes.count {
      #expect(try Self.events([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected, "cut at \(cut)")
    }
  }

  @Test("byte by byte gives the same events")
  func bytes() throws {
    #expect(try Self.events(Array(Self.text.utf8).cut(1)) == Self.expected)
  }

  @Test("a stream that ends inside a line still gives its event")
  func endInLine() throws {
    #expect(try Self.events([Array("data: x".utf8)]) == [Event(data: "x")])
    #expect(try Self.events([Array("data: x\n\n".utf8)]) == [Event(data: "x")])
    #expect(try Self.events([]) == [])
  }

  @Test("a line beyond the limit is refused before it is complete")
  func limit() throws {
    let line = Array(("data: " + String(repeating: "x", count: 94)).utf8)
    #expect(try Self.events([line + Array("\n\n".utf8)], limit: 100).count == 1)
    #expect(throws: ServerSentEvents.Fault.tooLong(limit: 100)) { try Self.events([line, [0x78]], limit: 100) }
  }

  @Test("an event of many lines has the same limit")
  func eventLimit() {
    let lines = Array(String(repeating: "data: 0123456789\n", count: 12).utf8)
    #expect(throws: ServerSentEvents.Fault.tooLong(limit: 100)) { try Self.events([lines], limit: 100) }
  }
}
