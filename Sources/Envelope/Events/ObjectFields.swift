/// The fields of one object while they are taken out one by one; what is left over are its unknown fields. An explicit
/// null of an optional field stays and so survives.
///
/// For events and for objects whose shape depends on their `type`; the others are synthesised `Codable`.
struct ObjectFields {
  private(set) var rest: JSONObject
  /// The path of the object, for faults.
  private let path: String

  init(_ object: JSONObject, path: String = "") {
    rest = object
    self.path = path
  }

  /// The object that `decoder` stands at.
  init(from decoder: any Decoder) throws {
    self.init(try JSONObject(from: decoder), path: DecodingFault.dotted(decoder.codingPath))
  }

  /// A required field.
  mutating func take<Value: Decodable>(_ key: String, as type: Value.Type = Value.self) throws(DecodingFault) -> Value {
    guard let value = rest[key] else {
      throw DecodingFault(.missing, path: Self.join(path, key))
    }
    let decoded = try decode(type, from: value, at: key)
    rest.removeValue(forKey: key)
    return decoded
  }

  /// A field that may be absent or null.
  mutating func takeIfPresent<Value: Decodable>(
    _ key: String, as type: Value.Type = Value.self
  ) throws(DecodingFault) -> Value? {
    guard let value = rest[key], !value.isNull else { return nil }
    let decoded = try decode(type, from: value, at: key)
    rest.removeValue(forKey: key)
    return decoded
  }

  /// A field that is written as null, or as a default, where there is none.
  mutating func takeNullable<Value: Decodable>(
    _ key: String, as type: Value.Type = Value.self
  ) throws(DecodingFault) -> Value? {
    guard let value = try takeIfPresent(key, as: type) else {
      rest.removeValue(forKey: key)
      return nil
    }
    return value
  }

  /// A fault for the value of `key`.
  func invalidValue(_ key: String, _ message: String) -> DecodingFault {
    DecodingFault(.invalidValue(message), path: Self.join(path, key))
  }

  private func decode<Value: Decodable>(
    _ type: Value.Type, from value: JSONValue, at key: String
  ) throws(DecodingFault) -> Value {
    do {
      return try JSONCoding.decode(type, from: value)
    } catch {
      throw DecodingFault(error.kind, path: Self.join(Self.join(path, key), error.path))
    }
  }

  /// Two dotted paths, one below the other.
  static func join(_ parent: String, _ child: String) -> String {
    parent.isEmpty || child.isEmpty || child.hasPrefix("[") ? parent + child : parent + "." + child
  }
}

extension JSONObject {
  mutating func set(_ key: String, _ value: String) {
    self[key] = .string(value)
  }

  mutating func set(_ key: String, _ value: Int) {
    self[key] = .number(JSONNumber(value))
  }

  mutating func set(_ key: String, nullable value: String?) {
    self[key] = value.map(JSONValue.string) ?? JSONValue.null
  }

  mutating func set(_ key: String, ifPresent value: String?) {
    if let value {
      self[key] = .string(value)
    }
  }

  /// Adds the fields of `other` that are not here yet.
  mutating func merge(_ other: JSONObject) {
    for (key, value) in other where self[key] == nil {
      self[key] = value
    }
  }
}
