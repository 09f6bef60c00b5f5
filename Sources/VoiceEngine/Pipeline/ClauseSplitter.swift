/// Cuts text that arrives in pieces into clauses to be spoken, so that the voice can begin before the answer is
/// complete.
///
/// The clauses put together are the text, scalar by scalar. Where it is cut depends on the text alone and not on how it
/// was cut into pieces: a mark that needs the character after it waits for that.
///
/// A clause ends behind `. ! ? ; : …` (with the quotes and brackets that close there) before white space, at the end of
/// a line, and behind their full-width forms. The first clause is cut at the first of these, to be heard early, or at a
/// comma; every later one at any of them, once it is long enough to be spoken with a natural intonation. No clause ends
/// inside a number, a time, an abbreviation, an initial or the number of a list's entry.
public struct ClauseSplitter: Sendable {
  /// In Unicode scalars from the clause's first visible one to the mark.
  public struct Limits: Sendable, Hashable {
    /// The shortest first clause that ends at a comma.
    public var firstComma = 20
    /// The shortest later clause.
    public var later = 20
    /// From here on any white space ends the clause; from twice this on anything does.
    public var longest = 200

    public init() {}

    /// Every mark counts: the phrases of a clause.
    static var phrases: Limits {
      var limits = Limits()
      limits.firstComma = 0
      limits.later = 0
      return limits
    }
  }

  private let limits: Limits
  /// What was not handed out yet.
  private var pending: [Unicode.Scalar] = []
  /// Everything before it was looked at.
  private var cursor = 0
  /// Where the clause's first visible scalar is; nil while there is none.
  private var start: Int?
  private var hasWord = false
  private var isFirst = true

  public init(limits: Limits = Limits()) {
    self.limits = limits
  }

  /// More text; the clauses that are complete now.
  public mutating func add(_ piece: String) -> [String] {
    pending.append(contentsOf: piece.unicodeScalars)
    var clauses: [String] = []
    while let end = nextCut() { clauses.append(take(end)) }
    return clauses
  }

  /// The text is over: the rest of it; nil if there is none. The next text begins anew.
  public mutating func finish() -> String? {
    let rest = pending.isEmpty ? nil : take(pending.count)
    isFirst = true
    return rest
  }

  private mutating func take(_ count: Int) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: pending[..<count])
    pending.removeFirst(count)
    cursor = 0
    start = nil
    hasWord = false
    isFirst = false
    return String(text)
  }

  // MARK: Where a clause ends

  private enum Verdict {
    /// The clause is the first so many scalars.
    case end(Int)
    /// Not here; go on there.
    case none(Int)
    /// More text decides.
    case unknown
  }

  private mutating func nextCut() -> Int? {
    while cursor < pending.count {
      let scalar = pending[cursor]
      let isWhite = scalar.properties.isWhitespace
      if cursor >= 2 * limits.longest { return cursor }
      if isWhite, let start {
        if cursor - start >= limits.longest { return cursor }
        if SpeechMark.endsLine(scalar), hasWord, isLongEnough(cursor - start, isComma: false) { return cursor }
      }
      if !isWhite, start == nil { start = cursor }
      if scalar.properties.isAlphabetic || scalar.properties.numericType != nil { hasWord = true }
      guard SpeechMark(scalar) != nil else {
        cursor += 1
        continue
      }
      switch verdict(at: cursor) {
      case .end(let end): return end
      case .none(let next): cursor = next
      case .unknown: return nil
      }
    }
    return nil
  }

  /// What the mark at `index` means.
  private func verdict(at index: Int) -> Verdict {
    var end = index
    var marks: [SpeechMark] = []
    while end < pending.count, end < 2 * limits.longest {
      if let mark = SpeechMark(pending[end]) {
        marks.append(mark)
      } else if !SpeechMark.closes(pending[end]) {
        break
      }
      end += 1
    }
    guard end < pending.count else { return .unknown }
    guard hasWord, let start else { return .none(end) }
    let isSeparated = pending[end].properties.isWhitespace || marks.contains { $0.isFullWidth }
    guard isSeparated else { return .none(end) }
    if pending[index] == ".", marks.count == 1, belongsToWord(dotAt: index) { return .none(end) }
    let isComma = marks.allSatisfy { $0 == .comma || $0 == .wideComma }
    return isLongEnough(index - start, isComma: isComma) ? .end(end) : .none(end)
  }

  private func isLongEnough(_ length: Int, isComma: Bool) -> Bool {
    if isFirst { return !isComma || length >= limits.firstComma }
    return length >= limits.later
  }

  /// Whether the full stop is part of the word before it: `Dr.`, `e.g.`, `J.`, or `2.` at the beginning of a line.
  private func belongsToWord(dotAt index: Int) -> Bool {
    var first = index
    while first > 0, pending[first - 1] == "." || pending[first - 1].isWordScalar { first -= 1 }
    let word = pending[first..<index]
    guard !word.isEmpty else { return false }
    if word.allSatisfy({ $0.properties.numericType != nil }) { return beginsLine(first) }
    let parts = word.split(separator: ".", omittingEmptySubsequences: false)
    if parts.allSatisfy({ $0.count == 1 }) {
      return parts.count > 1 || word.first?.properties.isUppercase == true
    }
    return SpeechMark.abbreviations.contains(String(String.UnicodeScalarView(word)).lowercased())
  }

  private func beginsLine(_ index: Int) -> Bool {
    for scalar in pending[..<index].reversed() {
      if SpeechMark.endsLine(scalar) { return true }
      if !scalar.properties.isWhitespace { return false }
    }
    return true
  }
}

/// A character that ends a clause.
enum SpeechMark: Sendable, Hashable {
  case stop, question, exclamation, semicolon, colon, comma
  case wideStop, wideQuestion, wideExclamation, wideSemicolon, wideColon, wideComma

  init?(_ scalar: Unicode.Scalar) {
    switch scalar {
    case ".", "\u{2026}": self = .stop
    case "?": self = .question
    case "!": self = .exclamation
    case ";": self = .semicolon
    case ":": self = .colon
    case ",": self = .comma
    case "\u{3002}": self = .wideStop
    case "\u{FF1F}": self = .wideQuestion
    case "\u{FF01}": self = .wideExclamation
    case "\u{FF1B}": self = .wideSemicolon
    case "\u{FF1A}": self = .wideColon
    case "\u{FF0C}", "\u{3001}": self = .wideComma
    default: return nil
    }
  }

  /// No white space follows it in the scripts that use it.
  var isFullWidth: Bool {
    switch self {
    case .wideStop, .wideQuestion, .wideExclamation, .wideSemicolon, .wideColon, .wideComma: true
    case .stop, .question, .exclamation, .semicolon, .colon, .comma: false
    }
  }

  /// The same mark in the Latin script.
  var latin: Unicode.Scalar {
    switch self {
    case .stop, .wideStop: "."
    case .question, .wideQuestion: "?"
    case .exclamation, .wideExclamation: "!"
    case .semicolon, .wideSemicolon: ";"
    case .colon, .wideColon: ":"
    case .comma, .wideComma: ","
    }
  }

  /// Whether the scalar may stand between a mark and the white space behind it.
  static func closes(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "'", ")", "]", "}", "*", "_", "`", "~", "\u{2019}", "\u{201D}", "\u{BB}", "\u{300D}", "\u{300F}",
      "\u{FF09}":
      true
    default: false
    }
  }

  static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}"
  }

  /// Words whose full stop does not end a clause, in lower case and without it. `no.` is missing on purpose: it is an
  /// answer far more often than a number.
  static let abbreviations: Set<String> = [
    "mr", "mrs", "ms", "mx", "dr", "st", "prof", "sr", "jr", "rev", "hon", "gov", "sen", "gen", "col", "capt", "lt",
    "sgt",
    "mt", "ft", "vs", "etc", "cf", "al", "approx", "dept", "inc", "ltd", "corp", "fig", "vol", "ph.d",
  ]
}

extension Unicode.Scalar {
  fileprivate var isWordScalar: Bool {
    properties.isAlphabetic || properties.numericType != nil
  }
}
