/// Repeating, spelling and counting.
enum LanguageSkills {
  /// "repeat after me …", "say …".
  static func echo(_ utterance: Utterance, previousAnswer: String?) -> String? {
    let core = utterance.core
    let again = [
      "repeat", "repeat that", "repeat it", "say that again", "say it again", "what did you say",
      "what did you just say",
      "what was that", "come again", "pardon",
    ].map { $0.split(separator: " ").map(String.init)[...] }
    if again.contains(core) { return previousAnswer ?? "I have not said anything yet." }
    let starts = [
      "repeat after me", "repeat the words", "repeat the following", "repeat", "echo", "say exactly", "say the words",
      "say the word", "say after me", "say",
    ]
    for start in starts.map({ $0.split(separator: " ").map(String.init) }) where core.starts(with: start) {
      let text = utterance.text(from: core.startIndex + start.count)
      guard text.contains(where: { $0.isLetter || $0.isNumber }) else { return "I do not know what to repeat." }
      return ended(text)
    }
    return nil
  }

  /// "spell …".
  static func spell(_ utterance: Utterance) -> String? {
    let core = utterance.core
    let starts = ["spell the word", "spell", "how do you spell", "how is", "how do i spell"]
    for start in starts.map({ $0.split(separator: " ").map(String.init) }) where core.starts(with: start) {
      var rest = core.dropFirst(start.count)
      if start.first == "how", start.last == "is" {
        guard rest.count > 1, rest.last == "spelled" || rest.last == "spelt" else { continue }
        rest.removeLast()
      }
      while let first = rest.first, rest.count > 1, ["the", "word", "name"].contains(first) { rest.removeFirst() }
      let word = rest.joined(separator: " ")
      let letters = word.uppercased().filter { $0.isLetter || $0.isNumber }
      guard !letters.isEmpty else { return "I do not know what to spell." }
      guard letters.count <= 40 else { return "That is too long to spell." }
      return "\(word) is spelled \(letters.map(String.init).joined(separator: ", "))."
    }
    return nil
  }

  /// At most this many numbers are counted.
  static let longestCount = 50

  /// "count to five", "count from three to nine", "count down from five".
  static func count(_ utterance: Utterance) -> String? {
    var rest = utterance.core
    guard let verb = rest.first, ["count", "counting"].contains(verb) else { return nil }
    rest.removeFirst()
    var isDown = false
    while let word = rest.first, ["down", "backwards", "backward", "up", "forward"].contains(word) {
      isDown = isDown || ["down", "backwards", "backward"].contains(word)
      rest.removeFirst()
    }
    var first: Double?
    if rest.first == "from" {
      guard let (value, count) = SpokenNumber.parse(rest.dropFirst()) else { return nil }
      first = value
      rest = rest.dropFirst(count + 1)
    }
    var last: Double?
    if let word = rest.first, ["to", "till", "until", "through"].contains(word) {
      let tail = rest.dropFirst()
      // "count to to" and "count to for" are what was heard of two and four.
      let heard: [String: Double] = ["to": 2, "too": 2, "for": 4]
      guard let value = SpokenNumber.parse(tail)?.value ?? tail.first.flatMap({ heard[$0] }) else { return nil }
      last = value
    }
    guard first != nil || last != nil else { return "Tell me how far, for example: count to five." }
    let range = -1_000_000.0...1_000_000.0
    guard let from = Int(exactly: first ?? (isDown ? last ?? 0 : 1)),
      let to = Int(exactly: first == nil && isDown ? 1 : last ?? (isDown ? 1 : (first ?? 1) + 9)),
      range.contains(Double(from)), range.contains(Double(to))
    else { return "I can only count whole numbers up to a million." }
    let numbers = Array(stride(from: from, through: to, by: from <= to ? 1 : -1).prefix(longestCount))
    let text = numbers.map { $0 < 0 ? "minus \(-$0)" : "\($0)" }.joined(separator: ", ") + "."
    return numbers.last == to ? text : text + " I stop after \(longestCount) numbers."
  }

  /// With a full stop if it has no end of its own.
  static func ended(_ text: String) -> String {
    guard let last = text.last, !".!?…".contains(last) else { return text }
    return text + "."
  }
}
