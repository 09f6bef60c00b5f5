/// A setting of the runtime configuration for people, its cells in Markdown without "|" and line breaks.
public struct SettingReference: Sendable {
  /// `llm.baseUrl`
  public let path: String
  /// Those that speak for it, the first that is set before the others.
  public let variables: String
  /// What it may be.
  public let values: String
  /// What holds where nobody says anything.
  public let usual: String

  /// All settings, in the order of the documentation.
  public static let all = Setting.all.map { setting in
    SettingReference(
      path: setting.path,
      variables: setting.variables.isEmpty ? "–" : setting.variables.map(\.shown).joined(separator: ", "),
      values: setting.kind.shown, usual: setting.usual)
  }

  /// The names of all variables that speak for a setting, each once.
  public static let variableNames = Setting.all.flatMap(\.variables).map(\.name).reduce(into: [String]()) {
    if !$0.contains($1) { $0.append($1) }
  }
}

extension Setting.Variable {
  fileprivate var shown: String {
    guard let providers else { return "`\(name)`" }
    let stages = providers.sorted().joined(separator: ", ")
    return "`\(name)` (\(stages)\(needsChosenProvider ? ", if chosen by name" : ""))"
  }
}

extension Setting.Kind {
  fileprivate var shown: String {
    switch self {
    case .word(let words, let aliases):
      words.map { word in
        let others = aliases.filter { $0.value == word }.keys.sorted().map { "`\($0)`" }
        return others.isEmpty ? "`\(word)`" : "`\(word)` (\(others.joined(separator: ", ")))"
      }.joined(separator: ", ")
    case .text: "text"
    case .integer(let range): "\(Self.grouped(range.lowerBound)) to \(Self.grouped(range.upperBound))"
    case .number(let range): "\(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))"
    case .flag: "`true` or `false`"
    case .url: "address, `http://` or `https://`"
    case .path: "path"
    case .secret: "a key, `env:NAME` or `file:PATH`"
    }
  }

  private static func plain(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? String(number)
  }

  /// `10,000,000`
  private static func grouped(_ number: Int) -> String {
    let digits = String(number)
    return digits.enumerated().reduce(into: "") { text, digit in
      if digit.offset > 0, (digits.count - digit.offset).isMultiple(of: 3) { text.append(",") }
      text.append(digit.element)
    }
  }
}
