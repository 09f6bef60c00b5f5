import Testing

@testable import VoiceEngine

struct ClauseSplitterTests {
  private static func clauses(_ text: String) -> [String] {
    var splitter = ClauseSplitter()
    return splitter.add(text) + [splitter.finish()].compactMap { $0 }
  }

  @Test(
    "clauses end where a voice may begin to speak",
    arguments: [
      // The first one ends as early as possible, later ones are long enough.
      ("Sure! I can. Do that for you right now. Yes.", ["Sure!", " I can. Do that for you right now.", " Yes."]),
      ("Well, that is a question, is it not", ["Well, that is a question,", " is it not"]),
      (
        "Note: this; that is all there is to it, and no more",
        ["Note:", " this; that is all there is to it,", " and no more"]
      ),
      ("Hello there", ["Hello there"]),
      // Closing quotes and brackets belong to the clause.
      ("He said \u{201C}Stop!\u{201D} Then he left.", ["He said \u{201C}Stop!\u{201D}", " Then he left."]),
      ("Really?! (Yes.) And so on it goes.", ["Really?!", " (Yes.) And so on it goes."]),
      ("**Answer:** it is so.", ["**Answer:**", " it is so."]),
      // The end of a line ends a clause.
      (
        "# Title\n- the first entry of it\n- the second\n- and a third",
        ["# Title", "\n- the first entry of it", "\n- the second\n- and a third"]
      ),
      // Scripts without spaces.
      ("\u{4F60}\u{597D}\u{3002}\u{518D}\u{89C1}", ["\u{4F60}\u{597D}\u{3002}", "\u{518D}\u{89C1}"]),
      ("... and so it goes. On.", ["... and so it goes.", " On."]),
    ])
  func boundaries(text: String, expected: [String]) {
    #expect(Self.clauses(text) == expected)
  }

  @Test(
    "no clause ends inside a number, a time, an address, an abbreviation, an initial or a list's number",
    arguments: [
      "Pi is 3.14 and so on", "It costs 1,000,000 dollars in all of these cases", "At 10:30 we meet",
      "See example.com for it",
      "Ask Dr. Smith or Mrs. Jones", "On St. James street", "Fruit, e.g. apples", "That is, i.e. this", "You vs. me",
      "Cats, dogs, etc. are here", "J. K. Rowling wrote", "The U.S. army", "It is 5 p.m. now", "1. Open the door",
      "See https://example.com/a?b=c;d:e!f for it",
    ])
  func noBoundary(text: String) {
    #expect(Self.clauses(text + ". The next one") == [text + ".", " The next one"])
  }

  @Test("a number at the end of a sentence ends it")
  func numberAtEnd() {
    #expect(Self.clauses("It is 42. Next one") == ["It is 42.", " Next one"])
    #expect(Self.clauses("Yes.\n2. Close the big old door. Done") == ["Yes.", "\n2. Close the big old door.", " Done"])
  }

  @Test("a clause is handed out as soon as the character behind its mark is there, and not before")
  func early() {
    var splitter = ClauseSplitter()
    #expect(splitter.add("Hello").isEmpty)
    #expect(splitter.add(".").isEmpty)
    #expect(splitter.add(" How") == ["Hello."])
    #expect(splitter.add(" are you").isEmpty)
    #expect(splitter.finish() == " How are you")
    #expect(splitter.finish() == nil)
    // The next text has a first clause of its own.
    #expect(splitter.add("No. But") == ["No."])
  }

  @Test("a clause without a mark is cut at a space after 200 characters, one without a space after 400")
  func longClauses() {
    let words = String(repeating: "word ", count: 100)
    let clauses = Self.clauses(words)
    #expect(clauses.joined() == words)
    #expect(clauses.first?.count == 204)
    #expect(clauses.dropFirst().dropLast().allSatisfy { 200...206 ~= $0.count })
    for filler in ["x", "!", " ", "\u{301}", "*"] {
      let endless = String(repeating: filler, count: 3_000)
      var splitter = ClauseSplitter()
      let handedOut = splitter.add(endless)
      let rest = splitter.finish() ?? ""
      #expect(rest.unicodeScalars.count <= 400)
      #expect(handedOut.allSatisfy { $0.unicodeScalars.count <= 400 })
      #expect(handedOut.reduce(0) { $0 + $1.unicodeScalars.count } + rest.unicodeScalars.count == 3_000)
    }
  }

  @Test("the clauses together are the text, however it was cut into pieces, and the pieces change nothing")
  func anyCuts() {
    var random = SplitMix64(seed: 7)
    let parts = [
      "Hello", " ", " ", ".", ",", "!", "?", ";", ":", "\n", "Dr", "e.g.", "3.14", "10:30", "\u{201D}", ")", "**",
      "word", "a",
      "I", "\u{1F600}", "\u{1F469}\u{200D}\u{1F4BB}", "e\u{301}", "\r\n", "\u{3002}", "\u{4F60}\u{597D}", "1", "2.",
      "etc", "\u{2026}",
      "supercalifragilistic", "https://a.b/c?d", "- ", "#",
    ]
    for _ in 0..<400 {
      let text = (0..<Int.random(in: 0...150, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
        .joined()
      let expected = Self.clauses(text)
      var splitter = ClauseSplitter()
      var heard: [String] = []
      var rest = text.unicodeScalars[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...9, using: &random))
        rest = rest.dropFirst(piece.count)
        heard += splitter.add(String(piece))
      }
      heard += [splitter.finish()].compactMap { $0 }
      #expect(heard.map { Array($0.unicodeScalars) } == expected.map { Array($0.unicodeScalars) })
      #expect(expected.flatMap { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
      #expect(!expected.contains(""))
    }
  }
}

/// The same numbers for the same seed.
private struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
