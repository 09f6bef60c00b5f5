import Envelope
import Testing

@Suite("JSON values")
struct JSONValueTests {
  @Test(
    "Numbers keep their text and compare by value",
    arguments: [
      ("5", 5, 5.0), ("5.0", 5, 5.0), ("50e-1", 5, 5.0), ("0.5e1", 5, 5.0), ("-0", 0, 0.0), ("0e10", 0, 0.0),
      ("1e3", 1000, 1000.0), ("1.5", nil, 1.5), ("-1.25E2", -125, -125.0), ("1e19", nil, 1e19),
      ("9223372036854775807", .max, 9.223372036854775807e18), ("9223372036854775808", nil, 9.223372036854775808e18),
      ("-9223372036854775808", .min, -9.223372036854775808e18),
      ("9.223372036854775807e18", .max, 9.223372036854775807e18),
      ("1e400", nil, nil), ("1e-400", nil, 0.0), ("1e99999999999999999999", nil, nil),
    ] as [(String, Int?, Double?)])
  func numbers(text: String, int: Int?, double: Double?) throws {
    let number = try #require(JSONNumber(text: text))
    #expect(number.text == text)
    #expect(number.int == int)
    #expect(number.double == double)
  }

  @Test("Equality and hash of numbers ignore the notation and nothing else")
  func numberEquality() throws {
    func number(_ text: String) throws -> JSONNumber { try #require(JSONNumber(text: text)) }
    #expect(try number("1.0") == number("1"))
    #expect(try number("100") == number("1e2"))
    #expect(try number("0.10") == number("1e-1"))
    #expect(try Set([number("1"), number("1.0"), number("10e-1")]).count == 1)
    #expect(try number("1") != number("-1"))
    #expect(try number("0.1") != number("0.10000000000000000001"), "Exact, not rounded to Double")
    #expect(try number("12345678901234567890") != number("12345678901234567891"))
  }

  @Test("No text but one number makes a number", arguments: ["", " 1", "1 ", "01", "1.", "+1", "1,2", "true", "0x1"])
  func notNumbers(text: String) {
    #expect(JSONNumber(text: text) == nil)
  }

  @Test(
    "A Double is written shortly, and finitely",
    arguments: [
      (0.5, "0.5"), (1.0, "1"), (-3.0, "-3"), (-0.0, "0"), (1e20, "1e+20"), (.nan, "0"),
      (.infinity, "1.7976931348623157e+308"), (9_007_199_254_740_992, "9007199254740992.0"),
    ])
  func doubles(value: Double, text: String) {
    #expect(JSONNumber(value).text == text)
  }

  @Test("Accessors give nil for any other kind")
  func accessors() {
    let value: JSONValue = ["s": "x", "n": 2, "d": 1.5, "b": true, "a": [1, "y"], "o": ["k": nil], "z": nil]
    #expect(value["s"]?.string == "x" && value["s"]?.int == nil && value["s"]?.kind == .string)
    #expect(value["n"]?.int == 2 && value["n"]?.double == 2 && value["n"]?.kind == .integer)
    #expect(value["d"]?.int == nil && value["d"]?.double == 1.5 && value["d"]?.kind == .number)
    #expect(value["b"]?.bool == true && value["b"]?.string == nil)
    #expect(value["a"]?[1]?.string == "y" && value["a"]?[2] == nil && value["a"]?[-1] == nil)
    #expect(value["o"]?["k"]?.isNull == true && value["o"]?["other"] == nil)
    #expect(value["z"]?.isNull == true && value["missing"] == nil && value["s"]?["k"] == nil)
    #expect(value["a"]?.array?.count == 2 && value["o"]?.object?.keys == ["k"])
  }

  @Test("An object keeps its order, replaces in place and compares without order", arguments: [3, 16, 17, 500])
  func objects(count: Int) {
    var object = JSONObject()
    var reversed = JSONObject()
    for index in 0..<count { object["k\(index)"] = .number(JSONNumber(index)) }
    for index in (0..<count).reversed() { reversed["k\(index)"] = .number(JSONNumber(index)) }
    #expect(object.keys == (0..<count).map { "k\($0)" })
    #expect(object == reversed)
    object["k1"] = "new"
    #expect(object.keys[1] == "k1" && object["k1"] == "new" && object != reversed)
    #expect(object.removeValue(forKey: "k0") == 0)
    #expect(object.removeValue(forKey: "k0") == nil)
    object["k2"] = nil
    #expect(object.count == count - 2 && object["k2"] == nil && object["k1"] == "new")
    for index in 3..<count where object["k\(index)"]?.int != index { Issue.record("k\(index) is lost") }
    #expect(object.map(\.key).first == "k1")
  }

  @Test(
    "The scanner moves over any value that the parser accepts, and over nothing else",
    arguments: 0..<40 as Range<UInt64>)
  func skipsValues(seed: UInt64) {
    var random = SeededJSON(seed: seed &+ 5_000)
    let bytes = Array(random.value(depth: 3).text.utf8)
    for round in 0..<60 {
      // The first round takes the text as it is.
      let text = round == 0 ? bytes : random.mutated(bytes)
      let isSkipped = text.withUnsafeBytes { raw in
        var scanner = JSONScanner(raw)
        guard (try? scanner.skipValue()) != nil else { return false }
        scanner.skipWhitespace()
        return scanner.isAtEnd
      }
      switch checked(text) {
      case nil: #expect(isSkipped)
      case .duplicateKey, .invalidUTF8, .loneSurrogate, .numberOutOfRange, .byteOrderMark: break
      default: #expect(!isSkipped)
      }
    }
  }

  @Test("The scanner tells escapes, ASCII and ranges")
  func scansStrings() throws {
    let text = Array(#" "plain text of more than eight bytes" "é" "a\"b" "\u0041""#.utf8)
    try text.withUnsafeBytes { raw in
      var scanner = JSONScanner(raw)
      var tokens: [JSONScanner.StringToken] = []
      while !scanner.isAtEnd {
        scanner.skipWhitespace()
        tokens.append(try scanner.string())
      }
      #expect(tokens.map(\.hasEscapes) == [false, false, true, true])
      #expect(tokens.map(\.isASCII) == [true, false, true, true])
      #expect(tokens.map(\.range) == [2..<37, 40..<42, 45..<49, 52..<58])
      #expect(scanner.matches(2..<7, "plain") && !scanner.matches(2..<8, "plain") && !scanner.matches(2..<7, "plaid"))
      #expect(!scanner.matches(raw.count..<(raw.count + 1), "x"))
    }
  }

  @Test("The scanner skips 64 levels and refuses the 65th")
  func skipsToDepth() {
    for (depth, isAccepted) in [(64, true), (65, false), (50_000, false)] {
      let text = Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
      let end = text.withUnsafeBytes { raw in
        var scanner = JSONScanner(raw)
        return try? scanner.skipValue().upperBound
      }
      #expect((end == text.count) == isAccepted)
    }
  }
}
