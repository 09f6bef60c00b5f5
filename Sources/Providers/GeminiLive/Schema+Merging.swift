import Envelope

// What a schema refers to and what it is composed of, merged into it.

extension SchemaConversion {
  /// The longest chain of references and compositions that is followed.
  private static let maxSteps = 64

  /// The schema with `$ref` and `allOf` taken in. What is referred to stays open until `close(downTo:)`.
  mutating func flattened(_ schema: JSONObject) -> JSONObject {
    var flat = schema
    for _ in 0..<Self.maxSteps where !isSpent {
      if let reference = flat["$ref"] {
        flat["$ref"] = nil
        take(target(of: reference), into: &flat)
      } else if let parts = flat["allOf"] {
        flat["allOf"] = nil
        for part in parts.array ?? [] where !isSpent { take(part, into: &flat) }
      } else {
        return flat
      }
    }
    isExact = false
    return flat
  }

  private mutating func take(_ part: JSONValue?, into flat: inout JSONObject) {
    if part == .bool(true) { return }
    guard let object = part?.object, let merged = merged(flat, object) else {
      isExact = false
      return
    }
    flat = merged
  }

  mutating func close(downTo count: Int) {
    for pointer in open[count...] { isOpen.remove(pointer) }
    open.removeLast(open.count - count)
  }

  /// What a reference within the document leads to: of what is being expanded already only what it is.
  private mutating func target(of reference: JSONValue) -> JSONValue? {
    guard let text = reference.string, text.utf8.count <= 1024, let path = JSONPointer(fragment: text) else {
      return nil
    }
    spend(16 * path.tokens.count + text.utf8.count)
    guard let target = path.value(in: document) else { return nil }
    if isOpen.insert(path.text).inserted {
      open.append(path.text)
      return target
    }
    recursive.insert(path.text)
    isExact = false
    return target.object.map { .object(outline(of: $0)) }
  }

  private func outline(of schema: JSONObject) -> JSONObject {
    var schema = schema
    for _ in 0..<8 {
      guard let next = schema["$ref"]?.string.flatMap(JSONPointer.init(fragment:))?.value(in: document)?.object
      else { break }
      schema = next
    }
    var outline = JSONObject()
    for key in ["type", "title", "description"] { outline[key] = schema[key] }
    if outline["type"] == nil, schema["properties"] != nil { outline["type"] = "object" }
    return outline
  }

  /// A schema for what both allow, as far as that can be said; nil where their types exclude each other.
  ///
  /// Of texts and of what can be said but once, the outer one comes first.
  mutating func merged(_ outer: JSONObject, _ inner: JSONObject) -> JSONObject? {
    spend(16 * inner.count)
    var merged = outer
    for (key, value) in inner {
      guard let own = merged[key] else {
        merged[key] = value
        continue
      }
      switch key {
      case "type":
        guard let both = Self.common(own, value) else { return nil }
        merged[key] = both
      case "properties": merged[key] = members(own, value)
      case "items": merged[key] = Self.both(own, value)
      case "required", "allOf": merged[key] = .array((own.array ?? []) + (value.array ?? []))
      case "enum": merged[key] = shared(own, value)
      case "nullable": merged[key] = .bool(own.bool == true || value.bool == true)
      case "description": merged[key] = joined(own, value)
      case "$ref":
        if own != value { merged["allOf"] = .array((merged["allOf"]?.array ?? []) + [["$ref": value]]) }
      case "anyOf", "oneOf":
        let other = key == "anyOf" ? "oneOf" : "anyOf"
        if own == value { break }
        if merged[other] == nil { merged[other] = value } else { isExact = false }
      case "minimum", "minLength", "minItems", "minProperties":
        if let bound = value.double, (own.double ?? -.infinity) < bound { merged[key] = value }
      case "maximum", "maxLength", "maxItems", "maxProperties":
        if let bound = value.double, (own.double ?? .infinity) > bound { merged[key] = value }
      default: break
      }
    }
    return merged
  }

  private static func both(_ outer: JSONValue, _ inner: JSONValue) -> JSONValue {
    outer == inner ? outer : ["allOf": [outer, inner]]
  }

  /// The types that both name; nil where there is none.
  private static func common(_ outer: JSONValue, _ inner: JSONValue) -> JSONValue? {
    let names = { (value: JSONValue) in (value.array ?? [value]).compactMap { $0.string?.lowercased() } }
    let (left, right) = (names(outer), names(inner))
    let shared = left.filter { right.contains($0) || ($0 == "integer" && right.contains("number")) }
    let narrowed = right.filter { $0 == "integer" && left.contains("number") && !shared.contains($0) }
    let both = shared + narrowed
    guard !both.isEmpty else { return nil }
    return .array(both.map(JSONValue.string))
  }

  private mutating func members(_ outer: JSONValue, _ inner: JSONValue) -> JSONValue {
    guard var members = outer.object else { return inner }
    for (name, value) in inner.object ?? [:] {
      spend(16)
      members[name] = members[name].map { Self.both($0, value) } ?? value
    }
    return .object(members)
  }

  private mutating func shared(_ outer: JSONValue, _ inner: JSONValue) -> JSONValue {
    guard let left = outer.array, let right = inner.array else { return outer.array == nil ? inner : outer }
    spend(16 * (left.count + right.count))
    let texts = Set(right.map(\.text))
    return .array(left.filter { texts.contains($0.text) })
  }

  private mutating func joined(_ outer: JSONValue, _ inner: JSONValue) -> JSONValue {
    guard let first = outer.string, !first.isEmpty else { return inner }
    guard let second = inner.string, !second.isEmpty, first != second else { return outer }
    spend(first.utf8.count + second.utf8.count)
    return .string("\(first)\n\(second)")
  }
}

/// A JSON pointer in the fragment of a URI (RFC 6901 section 6).
struct JSONPointer {
  let tokens: [String]

  /// Nil for a reference to another document or to an anchor.
  init?(fragment: String) {
    guard fragment.utf8.first == UInt8(ascii: "#"), let pointer = Self.percentDecoded(fragment.utf8.dropFirst()),
      pointer.isEmpty || pointer.hasPrefix("/")
    else { return nil }
    tokens = pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(Self.unescaped)
  }

  /// The same for any notation of the pointer.
  var text: String {
    tokens.map { "/" + Self.replacing("/", with: "~1", in: Self.replacing("~", with: "~0", in: $0)) }.joined()
  }

  func value(in document: JSONValue) -> JSONValue? {
    var value = document
    for token in tokens {
      guard let next = value[token] ?? Int(token).flatMap({ value[$0] }) else { return nil }
      value = next
    }
    return value
  }

  private static func unescaped(_ token: Substring) -> String {
    replacing("~0", with: "~", in: replacing("~1", with: "/", in: String(token)))
  }

  private static func replacing(_ part: String, with other: String, in text: String) -> String {
    text.split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }

  private static func percentDecoded(_ text: Substring.UTF8View) -> String? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst(), let low = rest.popFirst(),
        let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
