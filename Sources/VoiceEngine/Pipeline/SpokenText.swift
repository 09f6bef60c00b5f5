/// What of a clause of an answer is to be spoken: a model writes for a screen even if it is asked not to.
public enum SpokenText {
  /// The clause without Markdown, addresses, emoji and superfluous white space; empty if nothing is left to be said.
  ///
  /// Headings, entries of lists and rows of tables end with a full stop if they have no mark of their own, so that the
  /// voice pauses where the eye would. Of an address the host is spoken.
  public static func of(_ clause: String) -> String {
    var spoken = ""
    for line in clause.split(whereSeparator: \.isNewline) {
      let (text, isBlock) = withoutBlockMarks(String(line))
      var words = collapsed(withoutEmoji(withoutEmphasis(withoutAddresses(text))))
      guard !words.isEmpty else { continue }
      if isBlock, let last = words.unicodeScalars.last, SpeechMark(last) == nil { words += "." }
      spoken += spoken.isEmpty ? words : " " + words
    }
    return spoken.contains { $0.isLetter || $0.isNumber } ? spoken : ""
  }

  // MARK: Lines

  /// The line without what makes it a heading, an entry, a quotation, a row or a fence; and whether it was a heading,
  /// an entry or a row.
  private static func withoutBlockMarks(_ line: String) -> (text: String, isBlock: Bool) {
    var rest = line[...].drop { $0.isWhitespace }
    while rest.first == ">" { rest = rest.dropFirst().drop { $0.isWhitespace } }
    if rest.hasPrefix("```") || rest.hasPrefix("~~~") || isRule(rest) { return ("", false) }
    if rest.first == "|" { return (row(rest), true) }
    let hashes = rest.prefix { $0 == "#" }.count
    if 1...6 ~= hashes, rest.dropFirst(hashes).first?.isWhitespace ?? true {
      return (String(rest.dropFirst(hashes).trimmed(where: { $0 == "#" || $0.isWhitespace })), true)
    }
    if let bullet = rest.first, bullets.contains(bullet), rest.dropFirst().first?.isWhitespace ?? true {
      rest = rest.dropFirst().drop { $0.isWhitespace }
      for box in ["[ ] ", "[x] ", "[X] "] where rest.hasPrefix(box) { rest = rest.dropFirst(box.count) }
      return (String(rest), true)
    }
    return (String(rest), false)
  }

  private static let bullets: Set<Character> = [
    "-", "*", "+", "\u{2022}", "\u{2023}", "\u{25E6}", "\u{2013}", "\u{2014}",
  ]

  /// `---`, `* * *`, `===`, or the line between a table's head and its rows.
  private static func isRule(_ line: Substring) -> Bool {
    let marks = line.filter { !$0.isWhitespace }
    return marks.count >= 3 && marks.allSatisfy { "-*_=|:+".contains($0) }
  }

  private static func row(_ line: Substring) -> String {
    line.split(separator: "|").map { $0.trimmed(where: \.isWhitespace) }.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  // MARK: Links and addresses

  private static func withoutAddresses(_ text: String) -> String {
    guard text.contains(where: { "[<".contains($0) }) || text.contains("://") || text.contains("www.") else {
      return text
    }
    return
      text
      .replacing(#/!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+"[^"]*")?\)/#) { $0.output.1 }
      .replacing(#/\[\^[^\[\]]*\]/#, with: "")
      .replacing(#/\[([^\[\]]+)\]\[[^\[\]]*\]/#) { $0.output.1 }
      .replacing(#/<?\b(?:https?://|ftp://|www\.)[^\s<>"]+>?/#.ignoresCase()) { spokenAddress($0.output) }
      .replacing(#/<\/?[A-Za-z][^<>]*>/#, with: " ")
  }

  /// The host, with the marks that end the sentence and not the address.
  private static func spokenAddress(_ address: Substring) -> String {
    let bare = address.trimmed(where: { "<>".contains($0) })
    let afterScheme = bare.firstRange(of: "://").map { bare[$0.upperBound...] } ?? bare
    var tail = ""
    var body = afterScheme
    while let last = body.last, ".,;:!?)]}'*_".contains(last) {
      tail.insert(last, at: tail.startIndex)
      body.removeLast()
    }
    var host = body.prefix { !"/?#".contains($0) }
    if let at = host.lastIndex(of: "@") { host = host[host.index(after: at)...] }
    if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
    if host.lowercased().hasPrefix("www.") { host = host.dropFirst(4) }
    let isName = host.contains(".") && host.contains { $0.isLetter } && !host.contains("[")
    return (isName ? String(host) : "a link") + tail
  }

  // MARK: Characters

  /// Without `*`, `_`, `~~` and backticks that mark words up. A star between spaces or digits is a sign and stays; an
  /// underscore inside a word becomes a space.
  private static func withoutEmphasis(_ text: String) -> String {
    let characters = Array(text)
    var output = ""
    for (index, character) in characters.enumerated() {
      let before = index > 0 ? characters[index - 1] : " "
      let after = index + 1 < characters.count ? characters[index + 1] : " "
      switch character {
      case "`": continue
      case "\\" where after.isASCII && (after.isPunctuation || after.isSymbol): continue
      case "*":
        let isSign = (before.isWhitespace && after.isWhitespace) || (before.isNumber && after.isNumber)
        if isSign { output.append(character) }
      case "_": if before.isWord, after.isWord { output.append(" ") }
      case "~" where before == "~" || after == "~": continue
      default: output.append(character)
      }
    }
    return output
  }

  private static func withoutEmoji(_ text: String) -> String {
    var output = ""
    for character in text {
      guard let first = character.unicodeScalars.first, character.unicodeScalars.contains(where: { !$0.isASCII }) else {
        output.append(character)
        continue
      }
      let isPicture =
        first.properties.isEmojiPresentation || (first.properties.isEmoji && first.value >= 0x2190)
        || first.value == 0x200D || first.value == 0xFE0F
      if isPicture {
        output.append(" ")
      } else if first.isASCII,
        character.unicodeScalars.contains("\u{FE0F}") || character.unicodeScalars.contains("\u{20E3}")
      {
        output.unicodeScalars.append(first)
      } else {
        output.append(character)
      }
    }
    return output
  }

  /// One space for any white space between words, none before a mark.
  private static func collapsed(_ text: String) -> String {
    var output = ""
    for word in text.split(whereSeparator: { $0.isWhitespace || $0 == "\u{200B}" || $0 == "\u{0}" }) {
      let isMarks = word.unicodeScalars.allSatisfy { SpeechMark($0) != nil }
      output += output.isEmpty || isMarks ? word : " " + word
    }
    return output
  }
}

extension Character {
  fileprivate var isWord: Bool { isLetter || isNumber }
}

extension StringProtocol {
  fileprivate func trimmed(where isSuperfluous: (Character) -> Bool) -> SubSequence {
    var rest = self[...].drop(while: isSuperfluous)
    while let last = rest.last, isSuperfluous(last) { rest.removeLast() }
    return rest
  }
}
