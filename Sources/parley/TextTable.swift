/// A table for a terminal: columns as wide as their widest cell, two spaces between them.
struct TextTable {
  private var rows: [[String]]

  init(_ heads: [String]) {
    rows = [heads]
  }

  mutating func add(_ cells: [String]) {
    rows.append(cells)
  }

  var lines: [String] {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

/// Durations as people read them here: whole milliseconds.
enum Milliseconds {
  static func count(_ duration: Duration) -> Int {
    Int((duration / .milliseconds(1)).rounded())
  }

  static func text(_ duration: Duration) -> String {
    String(count(duration))
  }
}

/// What comes from elsewhere, before it goes to a terminal.
enum TerminalText {
  /// Without control characters, which could move the cursor or more; line breaks become spaces.
  static func plain(_ text: String) -> String {
    var plain = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: plain += " "
      case .format where scalar.value != 0x200D: break
      default: plain.unicodeScalars.append(scalar)
      }
    }
    return plain
  }
}
