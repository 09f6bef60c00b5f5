/// Tells a transcript from what Whisper writes when it heard no words.
enum SpeechText {
  /// Above this probability of “no speech” a segment is noise.
  static let noSpeechLimit: Float = 0.6

  /// Whether there is anything to hear: at least 200 ms (noise of less comes back as words), and a sample above -66 dBFS.
  static func isWorthTranscribing(_ samples: [Int16]) -> Bool {
    samples.count >= 3_200 && samples.contains { $0.magnitude >= 16 }
  }

  /// The words of a transcript, trimmed; empty for what silence and noise are known to come back as: `[BLANK_AUDIO]`,
  /// `(wind blowing)`, `*sighs*`, `♪`, and “You” alone.
  static func words(of transcript: String) -> String {
    let text = trim(transcript)
    if trim(withoutAsides(text), also: punctuation).isEmpty { return "" }
    return trim(text, also: punctuation).lowercased() == "you" ? "" : withoutLoops(text)
  }

  /// The text with what a model says again and again, when it has lost its way, said once: one word at least eight times
  /// in a row, or two to twelve words at least four times.
  static func withoutLoops(_ text: String) -> String {
    let words = text.split(separator: " ")
    let keys = words.map { trim($0, also: punctuation).lowercased() }
    var kept: [Substring] = []
    var index = 0
    while index < words.count {
      var skipped = 0
      for length in 1...12 where index + length * 4 <= words.count {
        let repeats = repetitions(in: keys, at: index, length: length)
        if repeats >= (length == 1 ? 8 : 4) {
          kept += words[index..<(index + length)]
          skipped = repeats * length
          break
        }
      }
      if skipped == 0 {
        kept.append(words[index])
        skipped = 1
      }
      index += skipped
    }
    return kept.count == words.count ? text : kept.joined(separator: " ")
  }

  private static func repetitions(in keys: [String], at start: Int, length: Int) -> Int {
    var count = 1
    while start + (count + 1) * length <= keys.count,
      keys[start..<(start + length)].elementsEqual(keys[(start + count * length)..<(start + (count + 1) * length)])
    {
      count += 1
    }
    return count
  }

  private static let punctuation: Set<Character> = [".", ",", "!", "?", "…", "-", "♪", "♫", "\""]

  /// Without what stands in brackets, in parentheses or between asterisks.
  private static func withoutAsides(_ text: String) -> String {
    var left = ""
    var closing: Character?
    for character in text {
      if let awaited = closing {
        if character == awaited { closing = nil }
      } else {
        switch character {
        case "[": closing = "]"
        case "(": closing = ")"
        case "*": closing = "*"
        default: left.append(character)
        }
      }
    }
    return left
  }

  private static func trim(_ text: some StringProtocol, also others: Set<Character> = []) -> String {
    func isCut(_ character: Character) -> Bool { character.isWhitespace || others.contains(character) }
    var rest = Substring(text).drop(while: isCut)
    while let last = rest.last, isCut(last) { rest.removeLast() }
    return String(rest)
  }
}
