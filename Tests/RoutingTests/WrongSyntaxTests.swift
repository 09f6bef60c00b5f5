import Testing

@testable import Routing

private let wrongSyntax: [WrongFile] = [
  WrongFile(
    "empty file", "", #"routes.json:1: invalid JSON at column 1: expected a value, found the end of the file"#),
  WrongFile(
    "a word", "yes", #"routes.json:1: invalid JSON at column 1: expected a value, found "y""#),
  WrongFile(
    "a line comment", "{\n  // providers\n}",
    #"routes.json:2: invalid JSON at column 3: expected a key in double quotes, found "/" (comments are not allowed)"#),
  WrongFile(
    "a comma before the end of an object", "{\n  \"default\": \"a\",\n}",
    #"routes.json:2: invalid JSON at column 17: a comma before "}" is not allowed"#),
  WrongFile(
    "a comma before the end of an array", "{\"listen\": [1,\n]}",
    #"routes.json:1: invalid JSON at column 14: a comma before "]" is not allowed"#),
  WrongFile(
    "a missing comma", "{\n  \"default\": \"ä\" \"x\": 1}",
    #"routes.json:2: invalid JSON at column 18: expected "," or "}", found "\"""#),
  WrongFile(
    "a missing colon", "{\"default\" \"a\"}",
    #"routes.json:1: invalid JSON at column 12: expected ":" after a key, found "\"""#),
  WrongFile(
    "a key without quotes", "{default: 1}",
    #"routes.json:1: invalid JSON at column 2: expected a key in double quotes, found "d""#),
  WrongFile(
    "text after the end", "{}\n{}", #"routes.json:2: invalid JSON at column 1: "{" after the end of the value"#),
  WrongFile(
    "an open string", "{\"default", #"routes.json:1: invalid JSON at column 2: the string is not closed"#),
  WrongFile(
    "a raw line break in a string", "{\"a\nb\": 1}",
    #"routes.json:1: invalid JSON at column 4: a line break or control character must be escaped in a string"#),
  WrongFile(
    "an unknown escape", #"{"a\x": 1}"#, #"routes.json:1: invalid JSON at column 4: unknown escape"#),
  WrongFile(
    "a lone surrogate", #"{"a\ud83d": 1}"#, #"routes.json:1: invalid JSON at column 4: half of a surrogate pair"#),
  WrongFile(
    "a trail surrogate first", #"{"\ude00\ud83d": 1}"#,
    #"routes.json:1: invalid JSON at column 3: half of a surrogate pair"#),
  WrongFile(
    "an escape with three digits", #"{"\u12g4": 1}"#,
    #"routes.json:1: invalid JSON at column 7: expected four hexadecimal digits behind \u"#),
  WrongFile(
    "a number with a leading zero", "[\n01]",
    #"routes.json:2: invalid JSON at column 1: a number must not begin with 0"#),
  WrongFile(
    "a number without digits", "[1.]", #"routes.json:1: invalid JSON at column 4: expected a digit, found "]""#),
  WrongFile("NaN", "[NaN]", #"routes.json:1: invalid JSON at column 2: expected a value, found "N""#),
  WrongFile(
    "a byte-order mark", "\u{FEFF}{}", #"routes.json:1: invalid JSON at column 1: a byte-order mark is not allowed"#),
  WrongFile(
    "33 levels", String(repeating: "[", count: 33), #"routes.json:1: invalid JSON at column 33: more than 32 levels"#),
  WrongFile(
    "100,000 levels", String(repeating: "{\"a\":", count: 100_000),
    #"routes.json:1: invalid JSON at column 161: more than 32 levels"#),
]

@Suite("Files that are not JSON")
struct WrongSyntaxTests {
  @Test("fault row 60: a file that is not JSON is refused with line and column", arguments: wrongSyntax)
  func wrongSyntaxIsRefused(_ file: WrongFile) {
    #expect(faultLines(file.text) == file.lines)
  }

  @Test("fault row 60: invalid UTF-8 is refused")
  func invalidUTF8() {
    let bytes = Array("{\n\"".utf8) + [0xC3, 0x28] + Array("\": 1}".utf8)
    #expect(faultLines(bytes) == [#"routes.json:2: invalid JSON at column 1: the string is not valid UTF-8"#])
    #expect(
      faultLines([0xFF, 0x7B]) == [#"routes.json:1: invalid JSON at column 1: expected a value, found byte 0xFF"#])
  }

  @Test("fault row 60: cut at any byte, a valid file is refused and never accepted")
  func cutAnywhere() {
    let bytes = Array(smallFile().utf8)
    for count in 0..<(bytes.count) {
      let lines = faultLines(Array(bytes[..<count]))
      #expect(lines.count == 1 && lines[0].contains("invalid JSON"), "cut at \(count)")
    }
    #expect(faultLines(bytes).isEmpty)
  }

  @Test("fault row 60: 20,000 damaged files end in faults or in a table, never in a trap")
  func damagedFiles() {
    var generator = SplitMix64(state: 60)
    let original = Array(
      smallFile(more: #", "limits": {"pingIntervalSeconds": 1.5e1}, "contact": "\u00e4\ud83d\ude00""#).utf8)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      let lines = faultLines(bytes)
      if !lines.isEmpty { refused += 1 }
      #expect(lines.allSatisfy { $0.hasPrefix("routes.json:") && !$0.contains(plantedSecret) })
    }
    #expect(refused > 15_000)
  }

  @Test("Escapes and surrogate pairs are decoded")
  func escapes() throws {
    let table = try decode(smallFile(more: #", "contact": "\u00e4 \ud83d\ude00 \"\\\/""#))
    #expect(table.contact == "ä 😀 \"\\/")
  }
}

/// A seeded generator (Steele, Lea, Flood 2014), so that a failure comes again.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
