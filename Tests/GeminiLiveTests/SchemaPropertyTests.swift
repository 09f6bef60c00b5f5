import Envelope
import Testing

@testable import GeminiLiveProvider

/// Checks a value against the Schema message of the service and against what Google's platforms demand of it.
enum SchemaChecker {
  private static let types = ["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"]

  /// What is wrong and where; nil for a sound schema.
  static func fault(of value: JSONValue, at path: String = "$") -> String? {
    guard let schema = value.object else { return "\(path) is no object" }
    if let alternatives = schema["anyOf"] {
      guard schema.count == 1, let list = alternatives.array, list.count > 1 else { return "\(path) is no anyOf" }
      return first(list.enumerated().map { ($1, "\(path).anyOf[\($0)]") })
    }
    guard let type = schema["type"]?.string, types.contains(type) else { return "\(path) has no type" }
    for (key, value) in schema {
      if !isSound(key, value, of: type) { return "\(path).\(key) of \(type) is \(value.text)" }
    }
    if let wrong = required(schema) { return "\(path) requires \(wrong)" }
    if type == "ARRAY", schema["items"] == nil { return "\(path) has no items" }
    var inner = schema["properties"]?.object?.map { ($0.value, "\(path).\($0.key)") } ?? []
    if let items = schema["items"] { inner.append((items, "\(path)[]")) }
    return first(inner)
  }

  private static func first(_ schemas: [(JSONValue, String)]) -> String? {
    schemas.lazy.compactMap { fault(of: $0.0, at: $0.1) }.first
  }

  private static func isSound(_ key: String, _ value: JSONValue, of type: String) -> Bool {
    switch (key, type) {
    case ("type", _): true
    case ("title", _), ("description", _), ("pattern", "STRING"): value.string?.isEmpty == false
    case ("nullable", _): value.bool != nil
    case ("default", _), ("example", _): !value.isNull
    case ("format", "STRING"): value == "date-time"
    case ("format", "NUMBER"): value == "float" || value == "double"
    case ("format", "INTEGER"): value == "int32" || value == "int64"
    case ("enum", "STRING"): isList(value)
    case ("minLength", "STRING"), ("maxLength", "STRING"), ("minItems", "ARRAY"), ("maxItems", "ARRAY"),
      ("minProperties", "OBJECT"), ("maxProperties", "OBJECT"):
      (value.number.flatMap { Int($0.text) } ?? -1) >= 0
    case ("minimum", "NUMBER"), ("maximum", "NUMBER"), ("minimum", "INTEGER"), ("maximum", "INTEGER"):
      value.double != nil
    case ("items", "ARRAY"): value.object != nil
    case ("properties", "OBJECT"): value.object?.isEmpty == false
    case ("required", "OBJECT"), ("propertyOrdering", "OBJECT"): isList(value)
    default: false
    }
  }

  /// Strings, at least one, none of them empty or there twice.
  private static func isList(_ value: JSONValue) -> Bool {
    let texts = value.array?.compactMap(\.string) ?? []
    return !texts.isEmpty && texts.count == value.array?.count && Set(texts).count == texts.count
  }

  private static func required(_ schema: JSONObject) -> String? {
    let properties = schema["properties"]?.object ?? [:]
    for key in ["required", "propertyOrdering"] {
      for name in schema[key]?.array ?? [] where properties[name.string ?? ""] == nil { return name.text }
    }
    return nil
  }
}

/// SplitMix64, so that a property test that fails can be run again.
private struct SeededBits: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Random schemas: mostly keys of JSON Schema, with values that mostly are of the right kind.
private struct SeededSchemas {
  var bits: SeededBits

  private static let keys = [
    "type", "type", "properties", "properties", "items", "items", "anyOf", "oneOf", "allOf", "$ref", "$ref", "enum",
    "const",
    "required", "description", "title", "default", "example", "format", "pattern", "nullable", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "minLength", "maxLength", "minProperties",
    "maxProperties", "propertyOrdering", "additionalProperties", "patternProperties", "prefixItems", "$defs",
    "definitions", "not", "if", "$schema", "strict", "examples", "uniqueItems", "ref", "defs",
  ]
  private static let names = ["a", "b", "c", "", "~/", "enum"]
  private static let references = [
    "#", "#/$defs/a", "#/$defs/b", "#/$defs/c", "#/definitions/a", "#/properties/a", "#/properties/b/items",
    "#/anyOf/0",
    "#/allOf/1", "#/$defs/a/properties/b", "#/$defs/~1", "x",
  ]
  private static let texts = ["", "a", "b", "date-time", "int64", "double", "é", "e\u{301}", "(?=a)", "\u{0}"]
  private static let types = ["string", "number", "integer", "boolean", "array", "object", "null", "STRING", "any"]

  private mutating func pick<Element>(_ list: [Element], _ other: Element) -> Element {
    list.randomElement(using: &bits) ?? other
  }

  private mutating func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &bits) == 0 }

  private mutating func list(_ count: ClosedRange<Int>, _ make: (inout Self) -> JSONValue) -> JSONValue {
    .array((0..<Int.random(in: count, using: &bits)).map { _ in make(&self) })
  }

  mutating func schema(_ depth: Int) -> JSONValue {
    guard depth > 0, !chance(16) else { return anything(min(depth, 1)) }
    var object = JSONObject()
    for _ in 0..<Int.random(in: 0...6, using: &bits) {
      let key = pick(Self.keys, "type")
      object[key] = chance(12) ? anything(depth - 1) : value(of: key, depth - 1)
    }
    return .object(object)
  }

  private mutating func value(of key: String, _ depth: Int) -> JSONValue {
    switch key {
    case "type": chance(3) ? list(0...3) { $0.type() } : type()
    case "properties", "$defs", "definitions", "patternProperties": members(depth)
    case "items": chance(5) ? list(0...3) { $0.schema(depth - 1) } : schema(depth)
    case "additionalProperties", "not", "if": schema(depth)
    case "anyOf", "oneOf", "allOf", "prefixItems": list(0...4) { $0.schema(depth - 1) }
    case "$ref": .string(pick(Self.references, "#"))
    case "enum", "examples": list(0...5) { $0.scalar() }
    case "required", "propertyOrdering": list(0...4) { .string($0.pick(Self.names, "a")) }
    case "description", "title", "format", "pattern": .string(pick(Self.texts, "a"))
    case "nullable", "strict", "uniqueItems": .bool(chance(2))
    case "default", "example", "const": anything(depth)
    default: number()
    }
  }

  private mutating func type() -> JSONValue { .string(pick(Self.types, "string")) }

  private mutating func members(_ depth: Int) -> JSONValue {
    var object = JSONObject()
    for _ in 0..<Int.random(in: 0...4, using: &bits) { object[pick(Self.names, "a")] = schema(depth) }
    return .object(object)
  }

  private mutating func number() -> JSONValue {
    .number(
      JSONNumber(text: pick(["0", "3", "-2", "7.0", "2.5", "1e3", "9223372036854775807"], "1"))
        ?? JSONNumber(1))
  }

  private mutating func scalar() -> JSONValue {
    switch Int.random(in: 0..<5, using: &bits) {
    case 0: .null
    case 1: .bool(chance(2))
    case 2: number()
    default: .string(pick(Self.texts, "a"))
    }
  }

  private mutating func anything(_ depth: Int) -> JSONValue {
    guard depth > 0, chance(2) else { return scalar() }
    return chance(2) ? list(0...3) { $0.anything(depth - 1) } : members(depth - 1)
  }
}

@Suite struct GeminiSchemaProperties {
  @Test("gemini 2.3: whatever a client sends as a schema, the service gets only what it takes (3,000 random schemas)")
  func randomSchemas() throws {
    var schemas = SeededSchemas(bits: SeededBits(state: 23))
    var converted = 0
    var exact = 0
    for round in 0..<3_000 {
      var given = schemas.schema(5)
      // Most parameters are objects with properties.
      if round % 2 == 0, var object = given.object {
        object["type"] = "object"
        object["properties"] = ["a": schemas.schema(4), "b": schemas.schema(4)]
        object["$defs"] = ["a": schemas.schema(3), "b": schemas.schema(3), "c": schemas.schema(3)]
        given = .object(object)
      }
      let outcome = Schema.converted(given)
      if outcome.isExact { exact += 1 }
      guard let schema = outcome.schema else { continue }
      converted += 1
      let fault = SchemaChecker.fault(of: schema)
      #expect(fault == nil, "round \(round): \(given.text) became \(schema.text)")
      #expect(schema.object?["type"] == "OBJECT" && schema.object?["properties"] != nil)
      #expect(schema.nesting(upTo: 100) <= Schema.maxNesting)
    }
    #expect(converted > 1_000 && exact > 300)
  }

  @Test("parameters that go as JSON Schema refer only to what is there, and hold only documented keys")
  func randomPlainSchemas() throws {
    var schemas = SeededSchemas(bits: SeededBits(state: 7))
    var sent = 0
    for round in 0..<3_000 {
      let given: JSONValue = [
        "type": "object", "properties": ["a": schemas.schema(2), "b": schemas.schema(1)],
        "$defs": ["a": schemas.schema(1), "b": schemas.schema(1), "c": schemas.schema(1)],
      ]
      guard let plain = PlainSchema(of: given, recursive: ["/$defs/a"]).parameters() else { continue }
      sent += 1
      let fault = plainFault(of: plain, definitions: plain.object?["$defs"]?.object ?? [:])
      #expect(fault == nil, "round \(round): \(given.text) became \(plain.text)")
      #expect(plain.object?["$defs"]?.object?["a"]?.object?["required"] == nil)
    }
    #expect(sent > 100)
  }

  /// The first thing that is not plain.
  private func plainFault(of value: JSONValue, definitions: JSONObject) -> String? {
    guard let schema = value.object else { return value.text }
    for (key, value) in schema {
      let inner: [JSONValue]
      switch key {
      case "properties", "$defs": inner = value.object?.map(\.value) ?? [.null]
      case "anyOf", "oneOf", "prefixItems": inner = value.array ?? [.null]
      case "items": inner = [value]
      case "additionalProperties": inner = value.bool == nil ? [value] : []
      case "$ref":
        let name = value.string?.split(separator: "/").last.map(String.init) ?? ""
        if definitions[name] == nil || schema.count != 1 { return key }
        inner = []
      case "type", "title", "description", "format", "enum", "minItems", "maxItems", "minimum", "maximum", "required":
        inner = []
      default: return key
      }
      if let fault = inner.lazy.compactMap({ plainFault(of: $0, definitions: definitions) }).first { return fault }
    }
    return nil
  }

  @Test("nested far: cut off where a message would nest too deep")
  func depth() throws {
    var object: JSONValue = ["type": "string"]
    var list: JSONValue = ["type": "string"]
    var union: JSONValue = ["type": "string"]
    for _ in 0..<200 {
      object = ["type": "object", "properties": ["p": object]]
      list = ["type": "array", "items": list]
      union = [
        "anyOf": [["type": "array", "items": union], ["type": ["array", "integer"], "items": union], ["const": "a"]]
      ]
    }
    for schema in [object, list, union] {
      let outcome = Schema.converted(["type": "object", "properties": ["x": schema]])
      let found = try #require(outcome.schema)
      #expect(!outcome.isExact && SchemaChecker.fault(of: found) == nil)
      #expect((40...Schema.maxNesting).contains(found.nesting(upTo: 100)), "\(found.nesting(upTo: 100))")
    }
  }

  @Test("deeper than any function's parameters: nothing is lost")
  func deepest() throws {
    var object: JSONValue = ["type": "string"]
    for _ in 0..<25 { object = ["type": "object", "properties": ["p": object]] }
    let outcome = Schema.converted(object)
    #expect(outcome.isExact)
    #expect(outcome.schema?.nesting(upTo: 100) == 51)
  }

  @Test("references that double at every step end in bounds")
  func doubling() throws {
    var definitions = JSONObject()
    for step in 0..<60 {
      let next: JSONValue = ["$ref": .string("#/$defs/d\(step + 1)")]
      definitions["d\(step)"] =
        switch step % 4 {
        case 0: ["type": "object", "properties": ["a": next, "b": next]]
        case 1: ["allOf": [next, next, ["description": .string("\(step)")]]]
        case 2:
          ["anyOf": [["type": "array", "items": next, "title": "l"], ["type": "array", "items": next, "title": "m"]]]
        default:
          [
            "type": "object", "description": .string(String(repeating: "d", count: 1_000)),
            "properties": ["a": next, "b": next],
          ]
        }
    }
    definitions["d60"] = ["type": "string"]
    for start in 0..<4 {
      let outcome = Schema.converted([
        "type": "object", "properties": ["x": ["$ref": .string("#/$defs/d\(start)")]], "$defs": .object(definitions),
      ])
      let found = try #require(outcome.schema)
      #expect(!outcome.isExact && SchemaChecker.fault(of: found) == nil)
      #expect(found.text.utf8.count < 2 * Schema.maxWork)
    }
  }

  @Test("long chains of references and thousands of alternatives end in bounds")
  func breadth() throws {
    var definitions = JSONObject()
    for step in 0..<5_000 {
      definitions["d\(step)"] = ["anyOf": [["$ref": .string("#/$defs/d\(step + 1)")], ["type": "integer"]]]
      definitions["e\(step)"] = ["$ref": .string("#/$defs/e\(step + 1)")]
    }
    let many = (0..<5_000).map { JSONValue.object(["type": "string", "description": .string("\($0)")]) }
    let outcome = Schema.converted([
      "type": "object", "$defs": .object(definitions),
      "properties": [
        "d": ["$ref": "#/$defs/d0"], "e": ["$ref": "#/$defs/e0"], "many": ["anyOf": .array(many)],
        "values": ["enum": .array((0..<5_000).map { .string("v\($0)") })],
      ],
    ])
    let found = try #require(outcome.schema?.object)
    #expect(!outcome.isExact && SchemaChecker.fault(of: .object(found)) == nil)
    let properties = found["properties"]?.object
    #expect(properties?["d"] != nil && properties?["e"] != nil)
    #expect(properties?["many"]?.object?["anyOf"]?.array?.count == 256)
    #expect(properties?["values"]?.object?["enum"]?.array?.count == 5_000)
  }
}
