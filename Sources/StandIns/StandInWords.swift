/// The words of the stand-ins' answers.
enum StandInWords {
  /// `You said: <text>.`; the full stop is not doubled.
  static func answer(to text: String) -> String {
    guard !text.trimmingWhitespace.isEmpty else { return "I am listening." }
    let isEnded = text.last.map { ".!?".contains($0) } ?? false
    return "You said: \(text)\(isEnded ? "" : ".")"
  }

  /// Words, as a stand-in for tokens.
  static func count(_ text: String) -> Int {
    text.split(separator: " ").count
  }

  /// Chunks of two words; together they are the text, each but the first begins with a space.
  static func chunks(_ text: String, leadingSpace: Bool) -> [String] {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    return stride(from: 0, to: words.count, by: 2).map { index in
      let chunk = words[index..<min(index + 2, words.count)].joined(separator: " ")
      return index == 0 && !leadingSpace ? chunk : " " + chunk
    }
  }
}
