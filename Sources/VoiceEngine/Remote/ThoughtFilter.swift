/// Takes `<think>…</think>` out of an answer that comes in pieces: some servers leave a model's thoughts in its text.
struct ThoughtFilter: Sendable {
  private var isThinking = false
  /// What may be the beginning of a tag.
  private var held = ""
  /// White space right behind thoughts means nothing.
  private var skipsSpace = false

  private var tag: String { isThinking ? "</think>" : "<think>" }

  /// The words of the answer in `piece`, and in what was held back before.
  mutating func words(in piece: String) -> String {
    var rest = Substring(held + piece)
    held = ""
    var words = ""
    while let start = rest.firstIndex(of: "<") {
      let candidate = rest[start...]
      if candidate.hasPrefix(tag) {
        words += spoken(rest[..<start])
        rest = candidate.dropFirst(tag.count)
        skipsSpace = isThinking
        isThinking.toggle()
      } else if tag.hasPrefix(candidate) {
        words += spoken(rest[..<start])
        held = String(candidate)
        return words
      } else {
        let next = rest.index(after: start)
        words += spoken(rest[..<next])
        rest = rest[next...]
      }
    }
    return words + spoken(rest)
  }

  /// What was held back and is no tag after all.
  mutating func rest() -> String {
    defer { held = "" }
    return spoken(held[...])
  }

  private mutating func spoken(_ text: Substring) -> String {
    guard !isThinking else { return "" }
    guard skipsSpace else { return String(text) }
    let words = text.drop { $0.isWhitespace }
    if !words.isEmpty { skipsSpace = false }
    return String(words)
  }
}
