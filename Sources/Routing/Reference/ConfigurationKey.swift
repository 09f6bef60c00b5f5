/// A key of the configuration, or a few that are described together: what the decoder knows, and what the documentation
/// says of it.
public struct ConfigurationKey: Sendable {
  /// What may stand there.
  public enum Value: Sendable, CustomStringConvertible {
    case text
    /// Of a file; relative to the folder of the configuration.
    case path
    /// With its schemes: `wss://`.
    case url(String)
    /// `env:NAME` or `file:PATH`
    case reference
    case flag
    case whole(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case choice([String])
    /// With what its elements are.
    case list(String)
    /// With what it holds.
    case object(String)
    /// In words of its own.
    case other(String)

    /// Markdown.
    public var description: String {
      switch self {
      case .text: "text"
      case .path: "path"
      case .url(let schemes): "address, \(schemes)"
      case .reference: "[reference](#secrets)"
      case .flag: "`true` or `false`"
      case .whole(let range): "\(grouped(Double(range.lowerBound))) to \(grouped(Double(range.upperBound)))"
      case .number(let range): "\(grouped(range.lowerBound)) to \(grouped(range.upperBound))"
      case .choice(let words): listed(words.map { "`\($0)`" })
      case .list(let elements): "list of \(elements)"
      case .object(let members): members.isEmpty ? "object" : "object of \(members)"
      case .other(let words): words
      }
    }
  }

  public let names: [String]
  public let value: Value
  /// What holds without the key, in Markdown.
  public let usual: String
  /// What it is for, in Markdown.
  public let meaning: String

  init(_ names: String..., value: Value, usual: String = "none", _ meaning: String) {
    self.init(names, value: value, usual: usual, meaning)
  }

  init(_ names: [String], value: Value, usual: String = "none", _ meaning: String) {
    self.names = names
    self.value = value
    self.usual = usual
    self.meaning = meaning
  }
}

/// An object of the configuration: the keys that it may have. An array literal of them.
public struct ConfigurationSection: Sendable, ExpressibleByArrayLiteral {
  public let keys: [ConfigurationKey]

  init(keys: [ConfigurationKey]) {
    self.keys = keys
  }

  public init(arrayLiteral keys: ConfigurationKey...) {
    self.init(keys: keys)
  }

  /// In the order of the documentation. A key beside these is a fault.
  public var names: [String] { keys.flatMap(\.names) }

  func table(_ name: String) -> ReferenceTable {
    ReferenceTable(
      name: name, columns: ["key", "value", "default", "meaning"],
      rows: keys.map { [code($0.names), $0.value.description, $0.usual, $0.meaning] })
  }
}

/// A table of the documentation.
public struct ReferenceTable: Sendable {
  /// What the documents call the place where it stands.
  public let name: String
  public let columns: [String]
  /// Cells in Markdown, without "|" and line breaks.
  public let rows: [[String]]

  public init(name: String, columns: [String], rows: [[String]]) {
    self.name = name
    self.columns = columns
    self.rows = rows
  }

  /// Lines of Markdown without a line break at the end.
  public var markdown: String {
    let head = [columns, columns.map { _ in "---" }].map { Self.line($0, separator: $0.first == "---" ? "" : " ") }
    return (head + rows.map { Self.line($0, separator: " ") }).joined(separator: "\n")
  }

  private static func line(_ cells: [String], separator: String) -> String {
    "|" + cells.map { separator + $0 + separator }.joined(separator: "|") + "|"
  }
}

/// `a`, `b`
func code(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }

/// One, two or three
func listed(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

/// A number for people: `25,165,824`, `0.01`.
func grouped(_ value: Double) -> String {
  let plain = LimitDefinition.plain(value)
  guard value == value.rounded(), value >= 1_000 else { return plain }
  return plain.enumerated().reduce(into: "") { text, digit in
    if digit.offset > 0, (plain.count - digit.offset).isMultiple(of: 3) { text.append(",") }
    text.append(digit.element)
  }
}
