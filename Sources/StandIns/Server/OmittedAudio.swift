extension StandInEntry {
  /// Text of that many characters and more is left out.
  private static let longData = 64

  /// Empties the long base64 members (`data`, `audio`, `delta`) of the text and counts their bytes.
  mutating func omitAudio() {
    switch content {
    case .text(let text): content = .text(shortened(text))
    case .binary(let text): content = .binary(shortened(text))
    case .head, .listening, .close, .summary, .violation: return
    }
  }

  private mutating func shortened(_ text: String) -> String {
    guard text.utf8.count >= Self.longData else { return text }
    // Base64 has no quotes and no escapes, so that the text can be cut at its quotes.
    var pieces = text.split(separator: "\"", omittingEmptySubsequences: false)
    for index in pieces.indices.dropFirst(2) {
      let isMember = ["data", "audio", "delta"].contains(pieces[index - 2])
      guard isMember, pieces[index].utf8.count >= Self.longData,
        let bytes = StandInBase64.decoded(String(pieces[index]))
      else { continue }
      omittedBytes += bytes.count
      pieces[index] = ""
    }
    return pieces.joined(separator: "\"")
  }
}
