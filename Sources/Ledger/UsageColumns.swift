import Envelope
import Metering

/// The columns of a table of usage, the same in both databases. Everything that is summed or looked for has a column of its
/// own; `record` has the whole.
enum UsageColumns {
  struct Column: Sendable {
    var name: String
    /// In PostgreSQL; SQLite takes the words for INTEGER, REAL and TEXT.
    var type: String
    var value: @Sendable (UsageRecord) -> JSONValue
  }

  static let all: [Column] = [
    Column(name: "id", type: "text") { .string($0.id) },
    Column(name: "sequence", type: "int") { .number(JSONNumber($0.sequence)) },
    Column(name: "state", type: "text") { .string($0.state.rawValue) },
    Column(name: "modality", type: "text") { .string($0.modality) },
    Column(name: "mode", type: "text") { .string($0.identity.mode.rawValue) },
    Column(name: "provider", type: "text") { text($0.identity.provider) },
    Column(name: "kind", type: "text") { text($0.identity.kind) },
    Column(name: "model", type: "text") { text($0.model) },
    Column(name: "key", type: "text") { text($0.identity.key) },
    Column(name: "key_id", type: "text") { text($0.identity.keyID) },
    Column(name: "app", type: "text") { .string($0.identity.app) },
    Column(name: "token_id", type: "text") { text($0.identity.tokenID) },
    Column(name: "started_at", type: "bigint") { number($0.identity.startedAt.milliseconds) },
    Column(name: "updated_at", type: "bigint") { number($0.updatedAt.milliseconds) },
    Column(name: "ended_at", type: "bigint") { $0.endedAt.map { number($0.milliseconds) } ?? .null },
    Column(name: "day", type: "int") { number($0.day) },
    Column(name: "seconds", type: "double precision") { .number(JSONNumber($0.seconds)) },
    Column(name: "heard_seconds", type: "double precision") { .number(JSONNumber($0.meter.heard.seconds)) },
    Column(name: "spoken_seconds", type: "double precision") { .number(JSONNumber($0.meter.spoken.seconds)) },
    Column(name: "in_text", type: "bigint") { number($0.meter.tokens.inputText) },
    Column(name: "in_audio", type: "bigint") { number($0.meter.tokens.inputAudio) },
    Column(name: "in_image", type: "bigint") { number($0.meter.tokens.inputImage) },
    Column(name: "in_cached", type: "bigint") { number($0.meter.tokens.inputCached) },
    Column(name: "out_text", type: "bigint") { number($0.meter.tokens.outputText) },
    Column(name: "out_audio", type: "bigint") { number($0.meter.tokens.outputAudio) },
    Column(name: "total_tokens", type: "bigint") { number($0.meter.tokens.total) },
  ]

  static let names = all.map(\.name) + ["record"]

  /// Columns whose sum is a whole number.
  static let counts = ["in_text", "in_audio", "in_image", "in_cached", "out_text", "out_audio", "total_tokens"]
  static let amounts = ["seconds", "heard_seconds", "spoken_seconds"]

  /// `name = excluded.name, …` for an update of a row that is there.
  static let replacements = names.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")

  private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  private static func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
}

extension UsageGrouping {
  /// The column that holds what records are grouped under.
  var column: String { rawValue }

  /// What a group is called, as of its column's text.
  func key(fromColumn text: String?) -> String? {
    guard self == .day else { return text }
    return text.flatMap { Int($0) }.map { Timestamp.dayText(of: $0) }
  }
}

/// The condition of a query: texts for `WHERE`, with a placeholder for each value.
struct UsageCondition: Sendable {
  enum Value: Sendable {
    case text(String)
    case number(Int)
  }

  private(set) var terms: [String] = []
  private(set) var values: [Value] = []
  /// Makes the placeholder of the nth value, counted from 1.
  private let placeholder: @Sendable (Int) -> String

  init(_ query: UsageQuery, placeholder: @escaping @Sendable (Int) -> String) {
    self.placeholder = placeholder
    span(query.from, query.to)
  }

  /// - Parameter bytewise: what makes the order of texts that of their bytes, behind a column.
  init(_ query: EventQuery, bytewise: String, placeholder: @escaping @Sendable (Int) -> String) {
    self.placeholder = placeholder
    span(query.from, query.to)
    for (column, wanted) in [
      ("modality", query.modality), ("key", query.key), ("app", query.app), ("provider", query.provider),
    ] {
      if let wanted { terms.append("\(column) = \(place(.text(wanted)))") }
    }
    if let cursor = query.cursor {
      let time = place(.number(cursor.startedAt.milliseconds))
      let again = place(.number(cursor.startedAt.milliseconds))
      let id = place(.text(cursor.id))
      terms.append("(started_at < \(time) OR (started_at = \(again) AND id\(bytewise) < \(id)))")
    }
  }

  /// With the word WHERE, or nothing.
  var clause: String { terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ") }

  private mutating func span(_ from: Timestamp?, _ to: Timestamp?) {
    if let from { terms.append("started_at >= \(place(.number(from.milliseconds)))") }
    if let to { terms.append("started_at < \(place(.number(to.milliseconds)))") }
  }

  private mutating func place(_ value: Value) -> String {
    values.append(value)
    return placeholder(values.count)
  }
}
