import Envelope
import NIOCore
import Testing

@Suite("JSON parsing")
struct JSONParsingTests {
  @Test(
    "Texts of RFC 8259 become their values",
    arguments: [
      ("null", .null), ("true", .bool(true)), (" false ", .bool(false)), ("\t\r\n 0", 0), ("-0", 0),
      ("-12.5e+2", -1250),
      ("1E-2", 0.01), (#""""#, ""), (#""a""#, "a"), ("[]", []), ("[ ]", []), ("{ }", [:]),
      ("[1,[2,[3]],{}]", [1, [2, [3]], [:]]),
      (#"{"a":{"b":[true,null,"x"]},"c":-1}"#, ["a": ["b": [true, nil, "x"]], "c": -1]),
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
      (#""\ud83d\ude00""#, "😀"), (#""\u0000""#, "\u{0}"), ("\"\u{7F}é日😀\"", "\u{7F}é日😀"),
    ] as [(String, JSONValue)])
  func accepts(text: String, expected: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == expected)
    #expect(checked(Array(text.utf8)) == nil)
  }

  @Test(
    "Fault rows 35 and 37: what is not JSON is refused, and where",
    arguments: [
      ("", .empty), (" \n", .empty), ("\u{FEFF}{}", .byteOrderMark),
      ("{} {}", .trailingBytes(at: 3)), ("1 2", .trailingBytes(at: 2)), ("{}\u{0}", .trailingBytes(at: 2)),
      ("{} // x", .trailingBytes(at: 3)),
      ("NaN", .unexpectedByte(UInt8(ascii: "N"), at: 0)), ("nul", .unexpectedEnd(at: 3)),
      ("nulL", .unexpectedByte(UInt8(ascii: "L"), at: 3)), ("Infinity", .unexpectedByte(UInt8(ascii: "I"), at: 0)),
      ("-Infinity", .unexpectedByte(UInt8(ascii: "I"), at: 1)), ("/**/1", .unexpectedByte(UInt8(ascii: "/"), at: 0)),
      ("'a'", .unexpectedByte(UInt8(ascii: "'"), at: 0)), ("[1,]", .unexpectedByte(UInt8(ascii: "]"), at: 3)),
      ("[,1]", .unexpectedByte(UInt8(ascii: ","), at: 1)), ("[1 2]", .unexpectedByte(UInt8(ascii: "2"), at: 3)),
      (#"{"a":1,}"#, .unexpectedByte(UInt8(ascii: "}"), at: 7)), ("{a:1}", .unexpectedByte(UInt8(ascii: "a"), at: 1)),
      (#"{"a" 1}"#, .unexpectedByte(UInt8(ascii: "1"), at: 5)), (#"{"a"}"#, .unexpectedByte(UInt8(ascii: "}"), at: 4)),
      (#"{"a":}"#, .unexpectedByte(UInt8(ascii: "}"), at: 5)), ("[1}", .unexpectedByte(UInt8(ascii: "}"), at: 2)),
      (#"{"a":1]"#, .unexpectedByte(UInt8(ascii: "]"), at: 6)), ("]", .unexpectedByte(UInt8(ascii: "]"), at: 0)),
      ("[", .unexpectedEnd(at: 1)), (#"{"a":"#, .unexpectedEnd(at: 5)), (#""abc"#, .unexpectedEnd(at: 4)),
      (#""abc\"#, .unexpectedEnd(at: 5)), (#""\u00"#, .unexpectedEnd(at: 5)),
      ("01", .trailingBytes(at: 1)), ("+1", .unexpectedByte(UInt8(ascii: "+"), at: 0)),
      ("1.", .unexpectedEnd(at: 2)), (".5", .unexpectedByte(UInt8(ascii: "."), at: 0)), ("1e", .unexpectedEnd(at: 2)),
      ("1e+", .unexpectedEnd(at: 3)), ("--1", .unexpectedByte(UInt8(ascii: "-"), at: 1)),
      ("0x10", .trailingBytes(at: 1)),
      ("\"a\u{0}b\"", .controlCharacter(at: 2)), ("\"\n\"", .controlCharacter(at: 1)),
      ("\"\u{1F}\"", .controlCharacter(at: 1)),
      (#""\x41""#, .invalidEscape(at: 1)), (#""\u12G4""#, .invalidEscape(at: 1)), (#""\U0041""#, .invalidEscape(at: 1)),
      (#""\ud800""#, .loneSurrogate(at: 1)), (#""a\udc00""#, .loneSurrogate(at: 2)),
      (#""\ud83dA""#, .loneSurrogate(at: 1)), (#""\ud83d\u0041""#, .loneSurrogate(at: 1)),
      (#""\ud83d\ud83d""#, .loneSurrogate(at: 1)), (#"{"\ud800":1}"#, .loneSurrogate(at: 2)),
    ] as [(String, JSONFault)])
  func refuses(text: String, fault: JSONFault) {
    #expect(parsed(Array(text.utf8)) == .failure(fault))
    #expect(checked(Array(text.utf8)) == fault)
    #expect(!fault.message.isEmpty)
  }

  @Test(
    "Fault row 37: bytes that are not UTF-8 are refused",
    arguments: [
      [0x80], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8], [0xFF],
      [0xE6, 0x97],
    ] as [[UInt8]])
  func refusesInvalidUTF8(sequence: [UInt8]) {
    let quoted = [UInt8(ascii: "\"")] + sequence + [UInt8(ascii: "\"")]
    #expect(parsed(quoted) == .failure(.invalidUTF8(at: 1)))
    #expect(checked(quoted) == .invalidUTF8(at: 1))
    let escaped = Array(#""\n"#.utf8) + sequence + [UInt8(ascii: "\"")]
    #expect(parsed(escaped) == .failure(.invalidUTF8(at: 1)))
    let key = Array("{\"".utf8) + sequence + Array("\":1}".utf8)
    #expect(checked(key) == .invalidUTF8(at: 2))
    #expect(parsed(sequence) == .failure(.unexpectedByte(sequence[0], at: 0)))
  }

  @Test(
    "Fault row 38: a key that occurs twice is refused, however it is written",
    arguments: [
      (#"{"a":1,"a":2}"#, "a", 7), (#"{"a":1,"\u0061":2}"#, "a", 7),
      (#"{"x":[0,{"y":{"b":1,"c":2,"b":3}}]}"#, "x[1].y.b", 26),
      (#"{"type":"a","event":{},"type":"b"}"#, "type", 23), (#"{"":1,"":2}"#, "", 6),
    ])
  func refusesDuplicateKeys(text: String, path: String, offset: Int) {
    #expect(parsed(Array(text.utf8)) == .failure(.duplicateKey(path: path, at: offset)))
    #expect(checked(Array(text.utf8)) == .duplicateKey(path: path, at: offset))
  }

  @Test("Fault row 38: a duplicate among many keys is found; equal keys of different objects are none")
  func findsDuplicateAmongMany() {
    let many = (0..<1000).map { "\"k\($0)\":0" }.joined(separator: ",")
    #expect(checked(Array("{\(many)}".utf8)) == nil)
    let twice = Array("{\(many),\"k7\":1}".utf8)
    #expect(checked(twice) == .duplicateKey(path: "k7", at: many.utf8.count + 2))
    #expect(checked(Array(#"[{"a":1},{"a":{"a":1}}]"#.utf8)) == nil)
  }

  @Test("Keys are compared by their bytes: equivalent texts of Unicode are different keys")
  func comparesKeysByBytes() throws {
    let value = try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value.object?.count == 2)
    #expect(value["\u{E9}"] == 1)
    #expect(value["e\u{301}"] == 2)
  }

  @Test("Fault row 36: depth is counted to its limit")
  func limitsDepth() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(checked(nested(64)) == nil)
    #expect(checked(nested(65)) == .tooDeep(at: 64))
    #expect(parsed(nested(50_000)) == .failure(.tooDeep(at: 64)))
    let objects = Array(String(repeating: #"{"a":"#, count: 50_000).utf8)
    #expect(parsed(objects) == .failure(.tooDeep(at: 64 * 5)))
    var deep = JSONLimits()
    deep.depth = 200_000
    #expect(checked(nested(100_000), limits: deep) == nil, "No recursion: the stack does not grow with the depth")
  }

  @Test("Fault row 36: keys and array elements are counted over the whole text")
  func limitsCounts() {
    func keys(_ count: Int) -> [UInt8] {
      Array(("[{\"x\":1},{" + (1..<count).map { "\"k\($0)\":0" }.joined(separator: ",") + "}]").utf8)
    }
    #expect(checked(keys(10_000)) == nil)
    guard case .tooManyKeys(let offset) = checked(keys(100_000)) else {
      Issue.record("100,000 keys were accepted")
      return
    }
    #expect(offset < keys(10_002).count, "Refused at the first key beyond the limit")
    #expect(parsed(keys(10_001)).failure == .tooManyKeys(at: keys(10_001).count - "\"k10000\":0}]".utf8.count))

    func elements(_ count: Int) -> [UInt8] {
      Array(("[" + Array(repeating: "0", count: count).joined(separator: ",") + "]").utf8)
    }
    #expect(checked(elements(100_000)) == nil)
    #expect(checked(elements(100_001)) == .tooManyElements(at: 200_001))
  }

  @Test(
    "Fault row 36: long and huge numbers are refused",
    arguments: [
      (String(repeating: "1", count: 64), nil), (String(repeating: "1", count: 65), .numberTooLong(at: 0)),
      ("-0." + String(repeating: "1", count: 63), nil),
      ("-0." + String(repeating: "1", count: 64), .numberTooLong(at: 0)),
      ("1e" + String(repeating: "0", count: 63), nil),
      ("1e" + String(repeating: "0", count: 64), .numberTooLong(at: 0)),
      (String(repeating: "9", count: 1_000_000), .numberTooLong(at: 0)), ("1e999999999", .numberOutOfRange(at: 0)),
      ("-1e309", .numberOutOfRange(at: 0)), ("1e308", nil), ("1e-999999999", nil),
    ] as [(String, JSONFault?)])
  func limitsNumbers(text: String, fault: JSONFault?) {
    #expect(checked(Array(text.utf8)) == fault)
    #expect(parsed(Array(text.utf8)).failure == fault)
  }

  @Test("A buffer and a view are parsed from their first readable byte, and not consumed")
  func parsesBuffers() throws {
    var buffer = ByteBuffer(string: "xx{\"a\":1}yy")
    buffer.moveReaderIndex(forwardBy: 2)
    buffer.moveWriterIndex(to: buffer.writerIndex - 2)
    #expect(try JSONValue(parsing: buffer) == ["a": 1])
    #expect(try JSONValue(parsing: buffer.readableBytesView) == ["a": 1])
    #expect(buffer.readableBytes == 7)
    #expect(throws: JSONFault.empty) { try JSONValue(parsing: ByteBuffer()) }
  }

  @Test("What is written is read as the same value", arguments: 0..<300 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    var random = SeededJSON(seed: seed)
    let value = random.value()
    let text = value.text
    #expect(try JSONValue(parsing: text) == value)
    #expect(try JSONValue(parsing: text).text == text)
    var buffer = ByteBuffer(string: "before")
    value.write(into: &buffer)
    #expect(String(buffer: buffer) == "before" + text)
  }

  @Test("Check and parser accept the same texts and give the same faults", arguments: 0..<40 as Range<UInt64>)
  func checkAgreesWithParser(seed: UInt64) {
    var random = SeededJSON(seed: seed &+ 1_000)
    let bytes = Array(JSONValue.object(random.object(depth: 2)).text.utf8)
    for _ in 0..<100 {
      let mutated = random.mutated(bytes)
      #expect(checked(mutated) == parsed(mutated).failure)
    }
  }

  @Test("Compact form: no spaces, no escaped slash, nothing beyond ASCII escaped")
  func writesCompactly() {
    let value: JSONValue = ["a/b": ["é", "\u{1}\u{1F}\"\\\n", 1.5, 2, true, nil], "z": [:]]
    #expect(value.text == #"{"a/b":["é","\u0001\u001f\"\\\n",1.5,2,true,null],"z":{}}"#)
  }
}

extension Result {
  var failure: Failure? {
    if case .failure(let failure) = self { failure } else { nil }
  }
}
