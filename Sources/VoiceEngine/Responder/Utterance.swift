/// What somebody said, cut into words that can be compared: lower case, no punctuation, operators on their own.
struct Utterance: Sendable {
  struct Word: Sendable {
    var text: String
    /// Of the word in `source`.
    var range: Range<String.Index>
  }

  /// Beyond this many characters nothing is looked at: no command is that long, and everything stays cheap.
  static let longest = 2_000

  let source: String
  let words: [Word]
  /// `words` as text.
  let texts: [String]

  init(_ text: String) {
    source = String(text.prefix(Self.longest))
    words = Self.cut(source)
    texts = words.map(\.text)
  }

  /// The utterance without courtesies before and after: `could you please … for me`.
  var core: ArraySlice<String> {
    var rest = texts[...]
    if rest.count > 1, rest.last == "parley", isAddressed { rest.removeLast() }
    while let length = Self.openings.first(where: { rest.starts(with: $0) })?.count, length < rest.count {
      rest = rest.dropFirst(length)
    }
    while let length = Self.endings.first(where: { rest.count > $0.count && rest.suffix($0.count) == $0[...] })?.count {
      rest = rest.dropLast(length)
    }
    return rest
  }

  /// Whether the last word is set off by a comma: "stop, Parley", but not "spell Parley".
  private var isAddressed: Bool {
    guard let last = words.last else { return false }
    return source[..<last.range.lowerBound].last { !$0.isWhitespace } == ","
  }

  private static let openings: [[String]] = [
    "can you", "could you", "would you", "will you", "i want you to", "i would like you to", "please", "hey", "hi",
    "hello",
    "ok", "okay", "parley", "um", "uh", "so", "well", "and", "now", "then", "tell me", "do you know", "let us", "just",
  ].map { $0.split(separator: " ").map(String.init) }

  private static let endings: [[String]] = ["please", "for me", "now", "right now", "thanks", "thank you"]
    .map { $0.split(separator: " ").map(String.init) }

  /// Whether the words of `phrase` occur one after the other.
  func has(_ phrase: String) -> Bool { range(of: phrase) != nil }

  func hasAny(_ phrases: String...) -> Bool { phrases.contains(where: has) }

  /// Where the words of `phrase` occur, as positions in `words`.
  func range(of phrase: String) -> Range<Int>? {
    range(of: phrase.split(separator: " ").map(String.init))
  }

  func range(of phrase: [String], from start: Int = 0) -> Range<Int>? {
    guard !phrase.isEmpty, start >= 0, texts.count - start >= phrase.count else { return nil }
    for first in start...(texts.count - phrase.count) where texts[first..<(first + phrase.count)] == phrase[...] {
      return first..<(first + phrase.count)
    }
    return nil
  }

  /// The text from word `index` on as it was said, without what surrounds it.
  func text(from index: Int) -> String {
    guard words.indices.contains(index) else { return "" }
    return Self.bare(source[words[index].range.lowerBound...])
  }

  /// The text of some words as it was said.
  func text(_ range: Range<Int>) -> String {
    guard let first = range.first, let last = range.last, words.indices.contains(first), words.indices.contains(last)
    else { return "" }
    return String(source[words[first].range.lowerBound..<words[last].range.upperBound])
  }

  /// Without white space and the quotation marks and commas that recognisers put around what is quoted.
  static func bare(_ text: Substring) -> String {
    let edge: Set<Character> = ["\"", "'", "“", "”", "‘", "’", ":", ",", ";", "«", "»"]
    var rest = text
    while let first = rest.first, first.isWhitespace || edge.contains(first) { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace || edge.contains(last) { rest.removeLast() }
    // The end of a sentence stands behind the closing quotation mark or in front of it.
    let end = rest.suffix(2)
    if rest.count > 2, let mark = end.first, let stop = end.last, ".!?".contains(stop), "\"”".contains(mark) {
      return rest.dropLast(2) + String(stop)
    }
    return String(rest)
  }

  // MARK: Cutting

  private enum Kind { case letter, digit, symbol, space }

  private static func kind(_ scalar: Unicode.Scalar) -> Kind {
    if ("0"..."9").contains(scalar) { return .digit }
    if "+*×÷/%=^√−".unicodeScalars.contains(scalar) { return .symbol }
    return scalar.properties.isAlphabetic || scalar.properties.generalCategory == .nonspacingMark ? .letter : .space
  }

  private static func cut(_ source: String) -> [Word] {
    var words: [Word] = []
    let scalars = source.unicodeScalars
    var index = scalars.startIndex
    while index < scalars.endIndex {
      let start = index
      let kind = kind(scalars[index])
      index = scalars.index(after: index)
      switch kind {
      case .letter:
        while index < scalars.endIndex, Self.kind(scalars[index]) == .letter || isApostrophe(scalars, index) {
          index = scalars.index(after: index)
        }
        append(source, start..<index, to: &words)
      case .digit:
        while index < scalars.endIndex, Self.kind(scalars[index]) == .digit || isInNumber(scalars, index) {
          index = scalars.index(after: index)
        }
        words.append(Word(text: source[start..<index].filter { $0 != "," }, range: start..<index))
      case .symbol:
        words.append(Word(text: String(source[start..<index]), range: start..<index))
      case .space:
        if isMinus(scalars, start) { words.append(Word(text: "-", range: start..<index)) }
      }
    }
    return words
  }

  /// `what's` is two words, `don't` one.
  private static func append(_ source: String, _ range: Range<String.Index>, to words: inout [Word]) {
    var text = source[range].lowercased()
    text = String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "’" ? "'" : $0 }))
    for (short, long) in [("let's", ["let", "us"]), ("i'm", ["i", "am"])] where text == short {
      words += long.map { Word(text: $0, range: range) }
      return
    }
    let heads: Set<String> = ["what", "who", "it", "that", "how", "where", "when"]
    if text.hasSuffix("'s"), heads.contains(String(text.dropLast(2))) {
      words += [Word(text: String(text.dropLast(2)), range: range), Word(text: "is", range: range)]
    } else {
      words.append(Word(text: text, range: range))
    }
  }

  private static func isApostrophe(_ scalars: String.UnicodeScalarView, _ index: String.Index) -> Bool {
    guard scalars[index] == "'" || scalars[index] == "’" else { return false }
    let next = scalars.index(after: index)
    return next < scalars.endIndex && kind(scalars[next]) == .letter
  }

  /// A point or a comma between digits.
  private static func isInNumber(_ scalars: String.UnicodeScalarView, _ index: String.Index) -> Bool {
    guard scalars[index] == "." || scalars[index] == "," else { return false }
    let next = scalars.index(after: index)
    return next < scalars.endIndex && kind(scalars[next]) == .digit
  }

  /// A hyphen before a digit that does not join two letters: `9-4`, `-4`, but not `twenty-five`.
  private static func isMinus(_ scalars: String.UnicodeScalarView, _ index: String.Index) -> Bool {
    guard scalars[index] == "-" || scalars[index] == "–" else { return false }
    var next = scalars.index(after: index)
    while next < scalars.endIndex, scalars[next] == " " { next = scalars.index(after: next) }
    return next < scalars.endIndex && kind(scalars[next]) == .digit
  }
}
