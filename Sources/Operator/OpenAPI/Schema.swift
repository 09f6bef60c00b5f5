import Envelope

/// A JSON Schema (draft 2020-12), as OpenAPI 3.1 has it.
struct Schema: Sendable {
  var fields: JSONObject

  private init(type: String, _ description: String?) {
    fields = ["type": .string(type)]
    fields["description"] = description.map(JSONValue.string)
  }

  init(_ fields: JSONObject) {
    self.fields = fields
  }

  var json: JSONValue { .object(fields) }

  /// The same with another keyword.
  func with(_ keyword: String, _ value: JSONValue) -> Schema {
    var schema = self
    schema.fields[keyword] = value
    return schema
  }

  func described(_ text: String) -> Schema { with("description", .string(text)) }

  /// Also `null`, which counts as absent in a body and stands for nothing in an answer.
  var orNull: Schema {
    guard let type = fields["type"]?.string else {
      var schema = Schema(["anyOf": [json, ["type": "null"]]])
      schema.fields["description"] = fields["description"]
      return schema
    }
    let schema = with("type", [.string(type), "null"])
    guard let choices = fields["enum"]?.array else { return schema }
    return schema.with("enum", .array(choices + [.null]))
  }

  // MARK: Kinds

  /// Anything at all.
  static func anything(_ description: String? = nil) -> Schema {
    var schema = Schema([:])
    schema.fields["description"] = description.map(JSONValue.string)
    return schema
  }

  static func text(_ description: String? = nil) -> Schema { Schema(type: "string", description) }

  /// - Parameter length: in Unicode scalars.
  static func text(_ length: ClosedRange<Int>, pattern: String? = nil, _ description: String? = nil) -> Schema {
    var schema = Schema(type: "string", description)
    schema.fields["minLength"] = number(length.lowerBound)
    schema.fields["maxLength"] = number(length.upperBound)
    schema.fields["pattern"] = pattern.map(JSONValue.string)
    return schema
  }

  /// What is a name, an address or an id: without control characters.
  static func line(_ most: Int = 256, _ description: String? = nil) -> Schema {
    text(1...most, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", description)
  }

  static func choice(_ texts: [String], _ description: String? = nil) -> Schema {
    Schema(type: "string", description).with("enum", .array(texts.map(JSONValue.string)))
  }

  static func constant(_ text: String) -> Schema { Schema(["type": "string", "const": .string(text)]) }

  static func constant(_ number: Int) -> Schema { Schema(["type": "integer", "const": Self.number(number)]) }

  static func boolean(_ description: String? = nil) -> Schema { Schema(type: "boolean", description) }

  static func time(_ description: String? = nil) -> Schema {
    Schema(type: "string", description).with("format", "date-time")
  }

  /// Seconds since 1970.
  static func unixTime(_ description: String) -> Schema { integer(description + " Unix time, seconds.") }

  static func integer(_ description: String? = nil) -> Schema { Schema(type: "integer", description) }

  static func integer(_ range: ClosedRange<Int>, _ description: String? = nil) -> Schema {
    Schema(type: "integer", description).with("minimum", number(range.lowerBound))
      .with("maximum", number(range.upperBound))
  }

  /// How many there are.
  static func count(_ description: String? = nil) -> Schema {
    Schema(type: "integer", description).with("minimum", 0)
  }

  static func decimal(_ description: String? = nil) -> Schema { Schema(type: "number", description) }

  static func decimal(_ range: ClosedRange<Double>, _ description: String? = nil) -> Schema {
    Schema(type: "number", description).with("minimum", .number(JSONNumber(range.lowerBound)))
      .with("maximum", .number(JSONNumber(range.upperBound)))
  }

  static func amount(_ description: String? = nil) -> Schema {
    Schema(type: "number", description).with("minimum", 0)
  }

  static func list(of element: Schema, _ count: ClosedRange<Int>? = nil, _ description: String? = nil) -> Schema {
    var schema = Schema(type: "array", description).with("items", element.json)
    if let count {
      schema.fields["minItems"] = number(count.lowerBound)
      schema.fields["maxItems"] = number(count.upperBound)
    }
    return schema
  }

  /// An object by its members.
  ///
  /// - Parameters:
  ///   - required: names of members that are always there.
  ///   - isClosed: others are refused.
  static func object(
    _ description: String?, required: [String] = [], isClosed: Bool = false, _ members: KeyValuePairs<String, Schema>
  ) -> Schema {
    var properties = JSONObject()
    for (name, schema) in members { properties[name] = schema.json }
    var schema = Schema(type: "object", description).with("properties", .object(properties))
    if !required.isEmpty { schema.fields["required"] = .array(required.map(JSONValue.string)) }
    if isClosed { schema.fields["additionalProperties"] = false }
    return schema
  }

  static func object(
    required: [String] = [], isClosed: Bool = false, _ members: KeyValuePairs<String, Schema>
  ) -> Schema {
    object(nil, required: required, isClosed: isClosed, members)
  }

  /// An object of an answer: all its members are always there, but those that `sometimes` are.
  static func answer(
    _ description: String? = nil, _ members: KeyValuePairs<String, Schema>,
    sometimes: KeyValuePairs<String, Schema> = [:]
  ) -> Schema {
    var schema = object(description, required: members.map(\.key), members)
    guard !sometimes.isEmpty, var properties = schema.fields["properties"]?.object else { return schema }
    for (name, member) in sometimes { properties[name] = member.json }
    schema.fields["properties"] = .object(properties)
    return schema
  }

  /// An object whose members are all of a kind.
  static func map(of value: Schema, _ description: String? = nil) -> Schema {
    Schema(type: "object", description).with("additionalProperties", value.json)
  }

  static func any(of schemas: [Schema], _ description: String? = nil) -> Schema {
    var schema = Schema(["anyOf": .array(schemas.map(\.json))])
    schema.fields["description"] = description.map(JSONValue.string)
    return schema
  }

  /// Of the components of the document.
  static func named(_ name: String) -> Schema { Schema(["$ref": .string("#/components/schemas/\(name)")]) }

  private static func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
}
