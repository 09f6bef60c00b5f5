import Envelope

// What the keys of a schema say about values of one type.

extension JSONObject {
  mutating func addText(_ schema: JSONObject) {
    // Of the formats of strings the service has only this one (and one that says that there is an `enum`).
    if schema["format"] == "date-time" { self["format"] = "date-time" }
    addCounts(schema, "minLength", "maxLength")
    if let pattern = schema["pattern"]?.string, !pattern.isEmpty, !pattern.looksAround {
      self["pattern"] = .string(pattern)
    }
  }

  mutating func addNumber(_ schema: JSONObject, isInteger: Bool) {
    let formats = isInteger ? ["int32", "int64"] : ["float", "double"]
    if let format = schema["format"]?.string, formats.contains(format) { self["format"] = .string(format) }
    let least = schema["minimum"]?.bound ?? schema["exclusiveMinimum"]?.beyond(isInteger ? 1 : 0)
    let greatest = schema["maximum"]?.bound ?? schema["exclusiveMaximum"]?.beyond(isInteger ? -1 : 0)
    add("minimum", least, "maximum", greatest)
  }

  /// Bounds that are counts, such as lengths.
  mutating func addCounts(_ schema: JSONObject, _ least: String, _ greatest: String) {
    add(least, schema[least]?.count, greatest, schema[greatest]?.count)
  }

  /// Bounds between which there is nothing are left out.
  private mutating func add(_ leastKey: String, _ least: JSONValue?, _ greatestKey: String, _ greatest: JSONValue?) {
    if let low = least?.double, let high = greatest?.double, low > high { return }
    if let least { self[leastKey] = least }
    if let greatest { self[greatestKey] = greatest }
  }

  var withoutEnum: JSONObject {
    var rest = self
    rest["enum"] = nil
    return rest
  }

  /// An object of which nothing more is known.
  var isBareObject: Bool { self["type"] == "OBJECT" && self["properties"] == nil }

  /// Takes in another form of the same object: the properties of either, and what both require.
  mutating func formUnion(_ other: JSONObject) {
    var properties = self["properties"]?.object ?? [:]
    for (name, value) in other["properties"]?.object ?? [:] {
      guard let own = properties[name], own != value else {
        properties[name] = value
        continue
      }
      var united = SchemaConversion.Alternatives()
      for branch in own.branches + value.branches { united.append(branch) }
      properties[name] = united.schema.map(JSONValue.object)
    }
    self["properties"] = .object(properties)
    let required = other["required"]?.array.map { Set($0.compactMap(\.string)) } ?? []
    let shared = (self["required"]?.array ?? []).filter { $0.string.map(required.contains) ?? false }
    self["required"] = .array(shared)
    if shared.isEmpty { self["required"] = nil }
    for key in ["propertyOrdering", "minProperties", "maxProperties", "default", "example"] { self[key] = nil }
  }
}

extension JSONValue {
  /// The names in a list that are names of properties, each once; nil where there is none.
  static func names(_ list: JSONValue?, of properties: JSONObject) -> JSONValue? {
    var names = JSONObject()
    for name in list?.array ?? [] {
      if let name = name.string, properties[name] != nil { names[name] = true }
    }
    guard !names.isEmpty else { return nil }
    return .array(names.keys.map(JSONValue.string))
  }

  /// A single value as the text of an enumeration; nil for a list, an object and null.
  var scalarText: String? {
    switch self {
    case .string(let text): text
    case .number(let number): number.int.map(String.init) ?? number.text
    case .bool(let value): value ? "true" : "false"
    case .null, .array, .object: nil
    }
  }

  // A `nil` between `?` and `:` would be JSON's null here.

  fileprivate var bound: JSONValue? {
    guard case .number = self else { return nil }
    return self
  }

  fileprivate var count: JSONValue? {
    guard let count = int, count >= 0 else { return nil }
    return .number(JSONNumber(count))
  }

  /// The bound that is allowed itself; for numbers with fractions there is none nearer than this.
  fileprivate func beyond(_ step: Int) -> JSONValue? {
    guard let whole = int else { return bound }
    let (sum, overflow) = whole.addingReportingOverflow(step)
    guard !overflow else { return nil }
    return .number(JSONNumber(sum))
  }

  /// The schemas of one type each in a schema that has been converted.
  fileprivate var branches: [JSONObject] {
    object?["anyOf"]?.array?.compactMap(\.object) ?? object.map { [$0] } ?? []
  }
}

extension String {
  /// Patterns that look around are outside the regular languages, and outside RE2, Google's engine.
  fileprivate var looksAround: Bool {
    ["(?=", "(?!", "(?<"].contains { self.contains($0) }
  }
}

extension SchemaConversion {
  /// The type of which the keys speak, where none is stated; nil where none of them tells.
  func inferredType(of schema: JSONObject) -> SchemaType? {
    let telling: [(type: SchemaType, keys: [String])] = [
      (.object, ["properties", "required", "additionalProperties", "patternProperties", "minProperties"]),
      (.array, ["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
      (.number, ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
      (.string, ["pattern", "minLength", "maxLength"]),
    ]
    if let type = telling.first(where: { $0.keys.contains { schema[$0] != nil } })?.type { return type }
    switch schema["format"]?.string {
    case "int32", "int64": return .integer
    case "float", "double": return .number
    case .some: return .string
    case nil: return schema["default"].flatMap(SchemaType.init(of:))
    }
  }
}
