import Testing

@testable import VoiceEngine

struct SpokenTextTests {
  @Test(
    "what is written for a screen is not spoken",
    arguments: [
      ("It is **very** _important_ to ~~not~~ say *this*.", "It is very important to not say this."),
      ("Use `ls -l` and snake_case.", "Use ls -l and snake case."),
      ("## The answer ##", "The answer."),
      ("\n- first\n* second!\n+ third\n\u{2022} fourth", "first. second! third. fourth."),
      ("- [x] done", "done."),
      ("> quoted words", "quoted words"),
      ("1. Open the door.", "1. Open the door."),
      ("See [the manual](https://example.com/a_(b)) now.", "See the manual now."),
      ("See [the manual](https://example.com/a_b \"Title\") now.", "See the manual now."),
      ("![A cat](cat.png) sits [here][1].[^2]", "A cat sits here."),
      ("Go to https://www.example.com/path?q=1.", "Go to example.com."),
      ("Go to <https://user@example.com:8080/x>, or (www.parley.dev)!", "Go to example.com, or (parley.dev)!"),
      ("It is at http://localhost/x", "It is at a link"),
      (
        "Hi \u{1F600}! Me: \u{1F469}\u{200D}\u{1F4BB}\u{2764}\u{FE0F}, \u{1F1E9}\u{1F1EA} 1\u{FE0F}\u{20E3}",
        "Hi! Me:, 1"
      ),
      ("  two\t words \n and\n\nmore ", "two words and more"),
      ("| Name | Age |\n|---|:-:|\n| Ann | 7 |", "Name, Age. Ann, 7."),
      ("A<br>B and 1 < 2", "A B and 1 < 2"),
      ("2 * 3 is 6 and 2*3 too", "2 * 3 is 6 and 2*3 too"),
      ("a \\* b", "a b"),
      ("caf\u{E9} \u{20AC}5, 20 \u{B0}C\u{2122}", "caf\u{E9} \u{20AC}5, 20 \u{B0}C\u{2122}"),
      ("-5 degrees", "-5 degrees"),
      ("#1 in the world", "#1 in the world"),
    ])
  func spoken(written: String, expected: String) {
    #expect(SpokenText.of(written) == expected)
  }

  @Test(
    "nothing is spoken where no word is left",
    arguments: ["", " ", "\u{1F600}", "---", "***", "```swift", "|---|---|", "#", "...", "**", "- ", "\n"])
  func nothing(written: String) {
    #expect(SpokenText.of(written) == "")
  }

  @Test("plain text stays as it is")
  func plain() {
    for text in ["Hello, world.", "It's 10:30; isn't it?", "Wie sp\u{E4}t ist es?", "\u{4F60}\u{597D}\u{3002}"] {
      #expect(SpokenText.of(text) == text)
    }
  }

  @Test("clauses full of brackets and stars are read in a short time")
  func hostile() {
    for filler in ["[", "](", "<a", "*_", "![a](", "www.", "\\", "> ", "|"] {
      let text = String(repeating: filler, count: 4_096 / filler.count)
      #expect(SpokenText.of(text).count <= 3 * text.count)
    }
  }
}

struct ThoughtFilterTests {
  private static func filtered(_ pieces: [String]) -> String {
    var filter = ThoughtFilter()
    return pieces.map { filter.add($0) }.joined() + filter.finish()
  }

  private static let cases: [(String, String)] = [
    ("<think>hm, so</think>The answer", "The answer"),
    ("a<Think>b</THINK>c<thinking>d</thinking>e", "ace"),
    ("never <think>closed", "never "),
    ("hm</think>The answer", "hmThe answer"),
    ("1 < 2 <b>x</b> <thin> <think", "1 < 2 <b>x</b> <thin> <think"),
    ("<<think>x<y</think>>z", "<>z"),
    ("<think>a <think> b</think> c", " c"),
    ("<think></think></think>", ""),
    ("a<thinking about it", "a<thinking about it"),
  ]

  @Test("thoughts are not spoken", arguments: cases)
  func thoughts(text: String, expected: String) {
    #expect(Self.filtered([text]) == expected)
  }

  @Test("thoughts are not spoken wherever the tags are cut", arguments: cases)
  func cutTags(text: String, expected: String) {
    let characters = Array(text)
    #expect(Self.filtered(characters.map { String($0) }) == expected)
    for cut in characters.indices {
      #expect(Self.filtered([String(characters[..<cut]), String(characters[cut...])]) == expected)
    }
  }

  @Test("words are let through at once; only a possible tag waits")
  func holdsBackLittle() {
    var filter = ThoughtFilter()
    #expect(filter.add("Hello") == "Hello")
    #expect(filter.add(" <thi") == " ")
    #expect(filter.add("s is>") == "<this is>")
    #expect(filter.add("<") == "")
    #expect(filter.finish() == "<")
    #expect(filter.add("next") == "next")
  }
}
