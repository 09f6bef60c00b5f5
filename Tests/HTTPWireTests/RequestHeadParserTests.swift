import HTTPWire
import NIOCore
import Testing

@Suite("Request heads")
struct RequestHeadParserTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: String
    var fault: HeadFault
    var status: Int?
    var testDescription: String { name }

    init(_ name: String, _ bytes: String, _ fault: HeadFault, _ status: Int?) {
      (self.name, self.bytes, self.fault, self.status) = (name, bytes, fault, status)
    }
  }

  private static func get(_ fields: String..., target: String = "/v1/realtime") -> String {
    "GET \(target) HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
  }

  static let cases: [Case] = [
    Case("row 4: HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", .obsoleteVersion, 400),
    Case("row 4: HTTP/9.9", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", .unsupportedVersion, 505),
    Case("row 4: HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .unsupportedVersion, 505),
    Case("row 4: no version", "GET /\r\nHost: a\r\n\r\n", .malformedFirstLine, 400),
    Case("row 4: lower-case protocol", "GET / http/1.1\r\nHost: a\r\n\r\n", .malformedFirstLine, 400),
    Case("row 5: no Host", get(), .hostMissing, 400),
    Case("row 5: two Hosts", get("Host: a", "Host: a"), .hostRepeated, 400),
    Case("row 5: empty Host", get("Host:"), .malformedHost, 400),
    Case("row 5: list in Host", get("Host: a, b"), .malformedHost, 400),
    Case("row 5: path in Host", get("Host: a/b"), .malformedHost, 400),
    Case("row 5: user in Host", get("Host: u@a"), .malformedHost, 400),
    Case("row 6: foreign authority", get("Host: a", target: "http://b/x"), .foreignAuthority, 400),
    Case("row 6: authority form", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget, 400),
    Case("row 6: asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget, 400),
    Case("row 6: //host", get("Host: a", target: "//evil/path"), .malformedTarget, 400),
    Case("row 6: //host behind an authority", get("Host: a", target: "http://a//evil"), .malformedTarget, 400),
    Case("row 6: ..", get("Host: a", target: "/a/../b"), .malformedTarget, 400),
    Case("row 6: last ..", get("Host: a", target: "/a/.."), .malformedTarget, 400),
    Case("row 6: .", get("Host: a", target: "/a/./b"), .malformedTarget, 400),
    Case("row 6: %2e%2E", get("Host: a", target: "/a/%2e%2E/b"), .malformedTarget, 400),
    Case("row 6: .%2e", get("Host: a", target: "/a/.%2e/b"), .malformedTarget, 400),
    Case("row 6: %00 in path", get("Host: a", target: "/a%00"), .malformedTarget, 400),
    Case("row 6: %00 in query", get("Host: a", target: "/a?b=%00"), .malformedTarget, 400),
    Case("row 6: cut escape", get("Host: a", target: "/a%2"), .malformedTarget, 400),
    Case("row 6: bad escape", get("Host: a", target: "/a%zz"), .malformedTarget, 400),
    Case("row 6: backslash", get("Host: a", target: "/a\\b"), .malformedTarget, 400),
    Case("row 6: fragment", get("Host: a", target: "/a#b"), .malformedTarget, 400),
    Case("row 6: not ASCII", get("Host: a", target: "/\u{e9}"), .malformedTarget, 400),
    Case("row 8: two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedFirstLine, 400),
    Case("row 8: tab in request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedFirstLine, 400),
    Case("row 8: NUL in request line", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter, 400),
    Case("row 8: NUL in a value", get("Host: a\0b"), .controlCharacter, 400),
    Case("row 8: escape in a value", get("Host: a", "X: \u{1b}"), .controlCharacter, 400),
    Case("row 8: DEL in a value", get("Host: a", "X: \u{7f}"), .controlCharacter, 400),
    Case("row 8: bare CR", get("Host: a\rX: y"), .bareCarriageReturn, 400),
    Case("row 8: bare LF", "GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed, 400),
    Case("row 8: bare LF first", "\nGET / HTTP/1.1\r\n", .bareLineFeed, 400),
    Case("row 8: no colon", get("Host: a", "nonsense"), .fieldWithoutColon, 400),
    Case("row 8: space before colon", get("Host : a"), .malformedFieldName, 400),
    Case("row 8: empty name", get("Host: a", ": x"), .malformedFieldName, 400),
    Case("row 8: name not ASCII", get("Host: a", "\u{e9}: x"), .malformedFieldName, 400),
    Case("row 8: folding", get("Host: a", "X: y", " z"), .foldedField, 400),
    Case("row 8: folding with a tab", get("Host: a", "\tz"), .foldedField, 400),
    Case("row 8: two empty lines", "\r\n\r\nGET / HTTP/1.1\r\n", .malformedFirstLine, 400),
    Case("row 9: CL and TE", get("Host: a", "Content-Length: 3", "Transfer-Encoding: chunked"), .lengthAndChunked, 400),
    Case(
      "row 9: TE twice", get("Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
      .transferCodingRepeated, 400),
    Case("row 9: xchunked", get("Host: a", "Transfer-Encoding: xchunked"), .transferCodingUnknown, 501),
    Case("row 9: gzip, chunked", get("Host: a", "Transfer-Encoding: gzip, chunked"), .transferCodingUnknown, 501),
    Case("row 9: CL conflicting", get("Host: a", "Content-Length: 3", "Content-Length: 4"), .lengthRepeated, 400),
    Case("row 9: CL twice", get("Host: a", "Content-Length: 3", "Content-Length: 3"), .lengthRepeated, 400),
    Case("row 9: CL list", get("Host: a", "Content-Length: 3, 3"), .malformedLength, 400),
    Case("row 9: CL negative", get("Host: a", "Content-Length: -1"), .malformedLength, 400),
    Case("row 9: CL +0", get("Host: a", "Content-Length: +0"), .malformedLength, 400),
    Case("row 9: CL hex", get("Host: a", "Content-Length: 0x10"), .malformedLength, 400),
    Case("row 9: CL empty", get("Host: a", "Content-Length:"), .malformedLength, 400),
    Case("row 9: CL overflow", get("Host: a", "Content-Length: 99999999999999999999"), .malformedLength, 400),
    Case("row 13: TLS hello", "\u{16}\u{3}\u{1}\u{2}", .tlsOnPlainPort, nil),
    Case("row 13: HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .http2OnPlainPort, nil),
    Case("row 13: garbage", "\u{e9}\u{e8}", .malformedFirstLine, 400),
    Case("row 13: other protocol", "SSH-2.0-OpenSSH_9\r\n", .malformedFirstLine, 400),
  ]

  @Test("fault rows 4 to 9 and 13: a malformed head has one fault and one status", arguments: cases)
  func malformed(_ given: Case) {
    #expect(Self.outcome(given.bytes, step: .max) == .failure(given.fault))
    #expect(given.fault.status == given.status)
    #expect(Self.outcome(given.bytes, step: 1) == .failure(given.fault), "byte by byte")
    #expect(Self.outcome(given.bytes, step: 3) == .failure(given.fault), "three bytes at a time")
  }

  @Test("fault row 7: each size at its limit and one past it")
  func sizes() {
    func line(_ count: Int) -> String {
      let frame = "GET / HTTP/1.1".utf8.count
      return "GET /\(String(repeating: "a", count: count - frame)) HTTP/1.1\r\nHost: a\r\n\r\n"
    }
    #expect(Self.fault(line(8 * 1024)) == nil)
    #expect(Self.fault(line(8 * 1024 + 1)) == .firstLineTooLong)
    #expect(HeadFault.firstLineTooLong.status == 414)

    func field(_ count: Int) -> String { "X: " + String(repeating: "a", count: count - 3) }
    #expect(Self.fault(Self.get("Host: a", field(16 * 1024))) == nil)
    #expect(Self.fault(Self.get("Host: a", field(16 * 1024 + 1))) == .fieldTooLong)
    #expect(HeadFault.fieldTooLong.status == 431)

    let host = "Host: a"
    let three = (0..<3).map { _ in field(16 * 1024) + "\r\n" }.joined()
    func total(_ last: Int) -> String { "GET / HTTP/1.1\r\n\(host)\r\n\(three)\(field(last))\r\n\r\n" }
    #expect(Self.fault(total(16 * 1024 - host.utf8.count)) == nil)
    #expect(Self.fault(total(16 * 1024 - host.utf8.count + 1)) == .fieldsTooLong)
    #expect(HeadFault.fieldsTooLong.status == 431)

    func count(_ number: Int) -> String {
      "GET / HTTP/1.1\r\n\(host)\r\n" + (1..<number).map { "X-\($0): y\r\n" }.joined() + "\r\n"
    }
    #expect(Self.fault(count(100)) == nil)
    #expect(Self.fault(count(101)) == .tooManyFields)
    #expect(HeadFault.tooManyFields.status == 431)
  }

  @Test("a sound head is taken apart, and what follows it stays", arguments: [1, 7, Int.max])
  func sound(step: Int) throws {
    let text =
      "\r\nPOST http://LocalHost:80/a/b%20c?x=1?y HTTP/1.1\r\nhOsT: localhost:80\r\nX:\t a b \r\nX:\r\n"
      + "Connection: a, Upgrade ,,b\r\nContent-Length: 7\r\n\r\nrest"
    let (head, rest) = try Self.parse(text, step: step)
    let parsed = try #require(head)
    #expect(parsed.method == "POST")
    #expect(parsed.path == "/a/b%20c")
    #expect(parsed.query == "x=1?y")
    #expect(parsed.host == "localhost:80")
    #expect(parsed.body == .length(7))
    #expect(parsed.values(of: "x") == ["a b", ""])
    #expect(parsed.tokens(of: "connection") == ["a", "upgrade", "b"])
    #expect(rest == "rest")
  }

  @Test("chunked is the only transfer coding, in any case; a length of zero is no body")
  func bodies() throws {
    #expect(try Self.parse(Self.get("Host: a", "Transfer-Encoding: Chunked"), step: 1).head?.body == .chunked)
    #expect(try Self.parse(Self.get("Host: a", "Content-Length: 0"), step: 1).head?.body == RequestHead.Body.none)
    #expect(try Self.parse(Self.get("Host: a"), step: 1).head?.body == RequestHead.Body.none)
  }

  @Test(
    "mutated heads: whole and byte by byte give the same, and never more than the limits are kept", arguments: 0..<8)
  func mutated(seed: UInt64) {
    var random = SplitMix64(state: seed)
    let alphabet = Array("\r\n\0\t :/.%?#,;=GHX10aA\u{7f}\u{e9}".utf8)
    for _ in 0..<400 {
      let given = Self.cases[Int(random.next() % UInt64(Self.cases.count))].bytes
      var bytes = Array((random.next() % 2 == 0 ? given : Self.get("Host: a", "X: y")).utf8)
      for _ in 0...(random.next() % 3) where !bytes.isEmpty {
        let index = Int(random.next() % UInt64(bytes.count))
        let byte = alphabet[Int(random.next() % UInt64(alphabet.count))]
        switch random.next() % 3 {
        case 0: bytes[index] = byte
        case 1: bytes.insert(byte, at: index)
        default: bytes.remove(at: index)
        }
      }
      let whole = Self.outcome(bytes, step: .max)
      #expect(whole == Self.outcome(bytes, step: 1), "\(bytes)")
      #expect(whole == Self.outcome(bytes, step: 1 + Int(random.next() % 7)), "\(bytes)")
    }
  }

  private static func parse(_ text: String, step: Int) throws(HeadFault) -> (head: RequestHead?, rest: String) {
    try parse(Array(text.utf8), step: step)
  }

  private static func parse(_ text: [UInt8], step: Int) throws(HeadFault) -> (head: RequestHead?, rest: String) {
    var parser = RequestHeadParser()
    var bytes = ByteBuffer(bytes: text)
    while bytes.readableBytes > 0 {
      var piece = bytes.readSlice(length: min(step, bytes.readableBytes)) ?? ByteBuffer()
      if let head = try parser.parse(&piece) {
        return (head, String(buffer: piece) + String(buffer: bytes))
      }
    }
    return (nil, "")
  }

  private static func outcome(_ text: String, step: Int) -> Result<RequestHead?, HeadFault> {
    outcome(Array(text.utf8), step: step)
  }

  private static func outcome(_ text: [UInt8], step: Int) -> Result<RequestHead?, HeadFault> {
    do throws(HeadFault) {
      return .success(try parse(text, step: step).head)
    } catch {
      return .failure(error)
    }
  }

  private static func fault(_ text: String) -> HeadFault? {
    if case .failure(let fault) = outcome(text, step: .max) { fault } else { nil }
  }
}

/// Steele, Lea and Flood's SplitMix64: small, seeded, the same everywhere.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
