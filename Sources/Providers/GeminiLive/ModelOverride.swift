/// Cells of the table of models (``ModelTraits``) that the configuration sets, for every model whose id begins with
/// `prefix`.
public struct GeminiModelOverride: Sendable, Hashable {
  /// What a cell can be set to. `named` is a choice that comes with a text: a cue and its words.
  public enum Value: Sendable, Hashable {
    case bool(Bool)
    case text(String)
    case named(String, String)
  }

  public let prefix: String
  private var values: [String: Value] = [:]

  public init(prefix: String) {
    self.prefix = prefix
  }

  /// The names that ``set(_:to:)`` knows.
  public static let cellNames = cells.map(\.name)

  /// Sets a cell.
  ///
  /// - Returns: what the cell takes, if that is something else, and then nothing is set; nil where it is set.
  public mutating func set(_ name: String, to value: Value) -> String? {
    guard let cell = Self.cells.first(where: { $0.name == name }) else { return "a known cell" }
    var traits = ModelTraits()
    guard cell.write(value, &traits) else { return cell.expected }
    values[name] = value
    return nil
  }

  func apply(to traits: inout ModelTraits) {
    for cell in Self.cells {
      if let value = values[cell.name] { _ = cell.write(value, &traits) }
    }
  }
}

extension GeminiModelOverride {
  private struct Cell: Sendable {
    var name: String
    /// What it takes, for a fault.
    var expected: String
    /// False if the value is none of these.
    var write: @Sendable (Value, inout ModelTraits) -> Bool

    init(_ name: String, _ path: any WritableKeyPath<ModelTraits, Bool> & Sendable) {
      self.name = name
      expected = "true or false"
      write = { value, traits in
        guard case .bool(let flag) = value else { return false }
        traits[keyPath: path] = flag
        return true
      }
    }

    init<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
      _ name: String, _ path: any WritableKeyPath<ModelTraits, Choice> & Sendable
    ) {
      self.name = name
      expected = "one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      write = { value, traits in
        guard case .text(let text) = value, let choice = Choice(rawValue: text) else { return false }
        traits[keyPath: path] = choice
        return true
      }
    }

    private init(
      name: String, expected: String, write: @escaping @Sendable (Value, inout ModelTraits) -> Bool
    ) {
      self.name = name
      self.expected = expected
      self.write = write
    }

    static let cue = Cell(
      name: "cue", expected: #""emptyTurn", {"userTurn": TEXT} or {"realtimeText": TEXT}"#,
      write: { value, traits in
        switch value {
        case .text("emptyTurn"): traits.cue = .emptyTurn
        case .named("userTurn", let text): traits.cue = .userTurn(text)
        case .named("realtimeText", let text): traits.cue = .realtimeText(text)
        default: return false
        }
        return true
      })
  }

  /// In the order of the documentation.
  private static let cells: [Cell] = [
    Cell("textInput", \.textInput),
    .cue,
    Cell("seeding", \.seeding),
    Cell("thinking", \.thinking),
    Cell("toolBehavior", \.toolBehavior),
    Cell("contentStopsGeneration", \.contentStopsGeneration),
    Cell("takesContextAnytime", \.takesContextAnytime),
    Cell("takesContextUpdate", \.takesContextUpdate),
    Cell("takesSystemTurns", \.takesSystemTurns),
    Cell("takesImagesInTurns", \.takesImagesInTurns),
    Cell("endsWhenIdle", \.endsWhenIdle),
    Cell("speaksText", \.speaksText),
    Cell("schedulesToolResults", \.schedulesToolResults),
    Cell("combinesSearchWithFunctions", \.combinesSearchWithFunctions),
    Cell("transcribesUnasked", \.transcribesUnasked),
    Cell("takesJSONSchema", \.takesJSONSchema),
  ]
}
