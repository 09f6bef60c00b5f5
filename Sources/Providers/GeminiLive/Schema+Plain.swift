import Envelope

/// A function's parameters as JSON Schema, cut down to the keys that the service documents for it.
///
/// Source: the list at `GenerationConfig.responseJsonSchema` of the Gemini API (`$defs`, `$ref`, `type`, `format`, `title`,
/// `description`, `enum`, `items`, `prefixItems`, `minItems`, `maxItems`, `minimum`, `maximum`, `anyOf`, `oneOf`,
/// `properties`, `additionalProperties`, `required`); a `$ref` stands alone there, and what contains itself may do so in
/// optional properties only.
struct PlainSchema {
  private let document: JSONValue
  /// The pointers of what contains itself.
  private let recursive: Set<String>

  init(of document: JSONValue, recursive: Set<String>) {
    self.document = document
    self.recursive = recursive
  }

  /// Nil where anything in it is of a kind that JSON Schema does not have there, or composed in a way that the service
  /// does not know: its own dialect then says what can be said.
  func parameters() -> JSONValue? {
    // Beside the nesting the definitions may come to stand one key deeper.
    guard document.nesting(upTo: Schema.maxNesting) < Schema.maxNesting,
      let root = document.object, root["$ref"] == nil, root["type"] == nil || root["type"] == "object",
      var plain = schema(root, at: "")?.object
    else { return nil }
    plain["type"] = "object"
    var definitions = JSONObject()
    for place in Self.places {
      for (name, value) in root[place]?.object ?? [:] {
        guard definitions[name] == nil, Self.isSimple(name), let definition = schema(value, at: "/\(place)/\(name)")
        else { return nil }
        definitions[name] = definition
      }
    }
    if !definitions.isEmpty { plain["$defs"] = .object(definitions) }
    return .object(plain)
  }

  /// Where definitions stand, in newer and in older schemas.
  private static let places = ["$defs", "definitions"]

  private static let types = ["string", "number", "integer", "boolean", "array", "object", "null"]

  private static func isSimple(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_.-".utf8.contains(byte)
      }
  }

  /// - Parameter pointer: where a definition stands; nil for what stands within one.
  private func schema(_ value: JSONValue, at pointer: String? = nil) -> JSONValue? {
    if value == .bool(true) { return [:] }
    guard let object = value.object else { return nil }
    return schema(object, at: pointer)
  }

  private func schema(_ object: JSONObject, at pointer: String?) -> JSONValue? {
    if let reference = object["$ref"] { return renamed(reference) }
    var plain = JSONObject()
    for (key, value) in object {
      switch key {
      case "type":
        guard Self.isType(value) else { return nil }
        plain[key] = value
      case "title", "description", "format":
        if value.string != nil { plain[key] = value }
      case "minimum", "maximum":
        if value.number != nil { plain[key] = value }
      case "minItems", "maxItems":
        if let count = value.int, count >= 0 { plain[key] = .number(JSONNumber(count)) }
      case "const": plain["enum"] = [value]
      case "enum":
        guard let values = value.array, !values.isEmpty else { return nil }
        plain[key] = value
      case "items" where value.array == nil, "additionalProperties" where value.bool == nil:
        guard let inner = schema(value) else { return nil }
        plain[key] = inner
      case "additionalProperties": plain[key] = value
      case "anyOf", "oneOf", "prefixItems":
        guard let inner = schemas(value) else { return nil }
        plain[key] = inner
      case "properties":
        guard let inner = properties(value) else { return nil }
        plain[key] = inner
      case "allOf", "items", "$dynamicRef", "$recursiveRef": return nil
      default: break
      }
    }
    let isRecursive = pointer.map(recursive.contains) ?? false
    if !isRecursive { plain["required"] = .names(object["required"], of: plain["properties"]?.object ?? [:]) }
    return .object(plain)
  }

  private static func isType(_ value: JSONValue) -> Bool {
    let names = value.array ?? [value]
    return !names.isEmpty && names.allSatisfy { $0.string.map(types.contains) ?? false }
  }

  private func schemas(_ value: JSONValue) -> JSONValue? {
    guard let list = value.array, !list.isEmpty else { return nil }
    let plain = list.compactMap { schema($0) }
    guard plain.count == list.count else { return nil }
    return .array(plain)
  }

  private func properties(_ value: JSONValue) -> JSONValue? {
    guard let members = value.object else { return nil }
    var plain = JSONObject()
    for (name, member) in members {
      guard let inner = schema(member) else { return nil }
      plain[name] = inner
    }
    return .object(plain)
  }

  /// A reference to a definition that is there, by its newer name.
  private func renamed(_ reference: JSONValue) -> JSONValue? {
    guard let pointer = reference.string.flatMap(JSONPointer.init(fragment:)), pointer.tokens.count == 2,
      Self.places.contains(pointer.tokens[0]), Self.isSimple(pointer.tokens[1]), pointer.value(in: document) != nil
    else { return nil }
    return ["$ref": .string("#/$defs/\(pointer.tokens[1])")]
  }
}
