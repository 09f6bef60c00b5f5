import Envelope

/// Ids as variables: each name in a transcript stands for one id of the run, and the reverse.
struct IDBinding {
  private static let keys: Set<String> = [
    "id", "item_id", "response_id", "previous_item_id", "conversation_id", "response", "call_id",
    "event_id",
  ]
  private var actual: [String: String] = [:]
  private var expected: [String: String] = [:]

  /// The ids of an input that stand for nothing yet are the ones that the client or the provider chose.
  mutating func bindGiven(_ value: JSONValue, key: String? = nil) {
    switch value {
    case .string(let name) where key.map(Self.keys.contains) == true:
      guard actual[name] == nil, expected[name] == nil else { return }
      actual[name] = name
      expected[name] = name
    case .array(let elements): for element in elements { bindGiven(element) }
    case .object(let object): for (name, element) in object { bindGiven(element, key: name) }
    default: break
    }
  }

  mutating func compare(_ expected: [JSONValue], _ actual: [JSONValue], _ place: String) -> [String] {
    var differences: [String] = []
    for (number, pair) in zip(expected, actual).enumerated() {
      if let difference = difference(pair.0, pair.1, path: "", key: nil) {
        differences.append("\(place) #\(number) \(pair.1["type"]?.string ?? ""): \(difference)")
      }
    }
    if expected.count != actual.count {
      let names = actual.map { $0["type"]?.string ?? String($0.text.prefix(500)) }
      differences.append("\(place): \(actual.count) messages, not \(expected.count): \(names)")
    }
    return differences
  }

  /// A message with the run's ids in place of the names that are bound by now.
  func resolved(_ value: JSONValue, key: String? = nil) -> JSONValue {
    switch value {
    case .string(let name) where key.map(Self.keys.contains) == true: .string(actual[name] ?? name)
    case .array(let elements): .array(elements.map { resolved($0) })
    case .object(let object):
      .object(object.reduce(into: JSONObject()) { $0[$1.key] = resolved($1.value, key: $1.key) })
    default: value
    }
  }

  private mutating func bind(_ name: String, _ id: String) {
    guard actual[name] == nil, expected[id] == nil else { return }
    actual[name] = id
    expected[id] = name
  }

  private mutating func difference(
    _ expected: JSONValue, _ actual: JSONValue?, path: String, key: String?
  ) -> String? {
    guard let actual else { return "\(path) is missing" }
    if expected.string == "…" { return nil }
    if path == ".event_id", let wanted = expected.string, let found = actual.string {
      // An event's own id is nobody's business, but a later event may name it.
      bind(wanted, found)
      return nil
    }
    switch (expected, actual) {
    case (.object(let wanted), .object(let found)):
      for (name, value) in wanted {
        if let difference = difference(value, found[name], path: "\(path).\(name)", key: name) { return difference }
      }
      return nil
    case (.array(let wanted), .array(let found)):
      guard wanted.count == found.count else { return "\(path) has \(found.count) elements" }
      for (index, pair) in zip(wanted, found).enumerated() {
        if let difference = difference(pair.0, pair.1, path: "\(path)[\(index)]", key: nil) { return difference }
      }
      return nil
    case (.string(let wanted), .string(let found)) where key.map(Self.keys.contains) == true:
      bind(wanted, found)
      return self.actual[wanted] == found ? nil : "\(path) is \(found), not the \(wanted) of before"
    default:
      return expected == actual ? nil : "\(path) is \(actual.text.prefix(400)), not \(expected.text.prefix(400))"
    }
  }
}
