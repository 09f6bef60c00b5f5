public import Envelope

/// What a field of a message may hold.
public indirect enum FieldKind: Sendable, Hashable {
  case string
  /// A string with an upper bound of its length in Unicode scalars.
  case text(maximum: Int)
  case bool
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  /// Base64 in either alphabet, padded or not, as protobuf JSON reads it.
  case bytes
  /// Decimal seconds with the suffix `s`.
  case duration
  case enumeration([String])
  /// A message of the table.
  case message(String)
  /// An object that names its shape in a field: shape by tag.
  case tagged(by: String, [String: String])
  case list(FieldKind)
  case map(FieldKind)
  /// A JSON object with keys of the caller's own choice.
  case object
  case any
  case nullable(FieldKind)
  /// The first kind that fits; the faults of the last one are reported.
  case either([FieldKind])

  public static let integer = Self.integer(Int.min...Int.max)
  public static let int32 = Self.integer(Int(Int32.min)...Int(Int32.max))
  public static let number = Self.number(-Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude)
}

/// The fields of one message.
public struct MessageShape: Sendable, Hashable {
  public var fields: [String: FieldKind]
  public var required: [String]

  public init(_ fields: [String: FieldKind], required: [String] = []) {
    self.fields = fields
    self.required = required
  }
}

/// One step of the way from a message's root to a field.
public enum FieldStep: Sendable, Hashable {
  case key(String)
  case index(Int)
}

/// The first thing in a message that its table does not allow.
public struct FieldFault: Error, Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case unknown(String)
    case missing(String)
    case wrongType(expected: String, found: String)
    case notInEnumeration(value: String, allowed: [String])
    case belowMinimum(value: String, minimum: String, isInteger: Bool)
    case aboveMaximum(value: String, maximum: String, isInteger: Bool)
    case tooLong(maximum: Int)
    case notBase64
    case repeated(String)
  }

  public var kind: Kind
  /// The object or field at fault; for `unknown` and `missing` the object that has or lacks the field.
  public var path: [FieldStep]

  /// The path in dots and brackets: `session.tools[0].name`.
  public var dottedPath: String { Self.dotted(path) }

  static func dotted(_ path: [FieldStep]) -> String {
    var text = ""
    for step in path {
      switch step {
      case .key(let key): text += text.isEmpty ? key : ".\(key)"
      case .index(let index): text += "[\(index)]"
      }
    }
    return text
  }
}

/// The messages that a service knows, and the check of a JSON value against them.
///
/// The tables are written by hand from the services' references and share no code with the product's own types, so that
/// a mistake there cannot hide here.
public struct FieldTable: Sendable {
  /// How the service reads JSON.
  public enum Dialect: Sendable {
    /// protobuf JSON: snake_case for every field, `null` as absent, decimal strings for integers.
    case protobuf
    /// Names and nulls exactly as the table says.
    case literal
  }

  public let dialect: Dialect
  public private(set) var shapes: [String: MessageShape]

  public init(dialect: Dialect, shapes: [String: MessageShape]) {
    self.dialect = dialect
    self.shapes = shapes
  }

  /// The table without some fields of one message, for API versions that lack them.
  public func removing(_ fields: [String], from shape: String) -> Self {
    var copy = self
    for field in fields {
      copy.shapes[shape]?.fields[field] = nil
    }
    return copy
  }

  /// Checks `value` against the shape and gives it in canonical form: table names, no nulls that mean absent.
  ///
  /// - Throws: the first `FieldFault` in document order.
  public func canonical(
    _ value: JSONValue, as shape: String, at path: [FieldStep] = []
  ) throws(FieldFault) -> JSONValue {
    guard let object = value.object else {
      throw FieldFault(kind: .wrongType(expected: "an object", found: value.kindName), path: path)
    }
    guard let shape = shapes[shape] else { return value }
    var result = JSONObject()
    for (key, member) in object {
      let name = fieldName(key, in: shape)
      guard let kind = shape.fields[name] else {
        throw FieldFault(kind: .unknown(key), path: path)
      }
      guard result[name] == nil else {
        throw FieldFault(kind: .repeated(key), path: path)
      }
      if dialect == .protobuf, member.isNull { continue }
      result[name] = try canonical(member, kind, at: path + [.key(name)])
    }
    if let missing = shape.required.first(where: { result[$0] == nil }) {
      throw FieldFault(kind: .missing(missing), path: path)
    }
    return .object(result)
  }

  private func fieldName(_ key: String, in shape: MessageShape) -> String {
    guard dialect == .protobuf, shape.fields[key] == nil else { return key }
    // "Turn_Complete" and "turn__complete" are not names of anything.
    guard key.contains("_"), key == Self.snakeCase(Self.camelCase(key)) else { return key }
    return Self.camelCase(key)
  }

  private func canonical(
    _ value: JSONValue, _ kind: FieldKind, at path: [FieldStep]
  ) throws(FieldFault) -> JSONValue {
    switch kind {
    case .message(let name):
      return try canonical(value, as: name, at: path)
    case .tagged(let tag, let names):
      return try tagged(value, tag: tag, names: names, at: path)
    case .list(let element):
      return .array(try list(value, element, at: path))
    case .map(let element):
      var result = JSONObject()
      for (key, member) in try object(value, at: path) {
        result[key] = try canonical(member, element, at: path + [.key(key)])
      }
      return .object(result)
    case .object:
      _ = try object(value, at: path)
      return value
    case .any:
      return value
    case .nullable(let kind):
      return value.isNull ? .null : try canonical(value, kind, at: path)
    case .either(let kinds):
      return try either(value, kinds, at: path)
    default:
      try ScalarCheck(dialect: dialect, path: path).check(value, kind)
      return value
    }
  }

  private func list(
    _ value: JSONValue, _ element: FieldKind, at path: [FieldStep]
  ) throws(FieldFault) -> [JSONValue] {
    guard let elements = value.array else {
      throw FieldFault(kind: .wrongType(expected: "an array", found: value.kindName), path: path)
    }
    var result: [JSONValue] = []
    for (index, member) in elements.enumerated() {
      result.append(try canonical(member, element, at: path + [.index(index)]))
    }
    return result
  }

  private func object(_ value: JSONValue, at path: [FieldStep]) throws(FieldFault) -> JSONObject {
    guard let object = value.object else {
      throw FieldFault(kind: .wrongType(expected: "an object", found: value.kindName), path: path)
    }
    return object
  }

  private func tagged(
    _ value: JSONValue, tag: String, names: [String: String], at path: [FieldStep]
  ) throws(FieldFault) -> JSONValue {
    let object = try object(value, at: path)
    guard let member = object[tag] else {
      throw FieldFault(kind: .missing(tag), path: path)
    }
    guard let text = member.string else {
      throw FieldFault(
        kind: .wrongType(expected: "a string", found: member.kindName), path: path + [.key(tag)])
    }
    guard let name = names[text] else {
      throw FieldFault(
        kind: .notInEnumeration(value: text, allowed: names.keys.sorted()), path: path + [.key(tag)])
    }
    return try canonical(value, as: name, at: path)
  }

  private func either(
    _ value: JSONValue, _ kinds: [FieldKind], at path: [FieldStep]
  ) throws(FieldFault) -> JSONValue {
    for kind in kinds.dropLast() {
      if let result = try? canonical(value, kind, at: path) { return result }
    }
    guard let last = kinds.last else { return value }
    return try canonical(value, last, at: path)
  }
}

extension FieldTable {
  static func camelCase(_ name: String) -> String {
    var result = ""
    var isWordStart = false
    for character in name {
      if character == "_" {
        isWordStart = true
      } else if isWordStart {
        result += character.uppercased()
        isWordStart = false
      } else {
        result.append(character)
      }
    }
    return result
  }

  static func snakeCase(_ name: String) -> String {
    var result = ""
    for character in name {
      if character.isUppercase {
        result += "_" + character.lowercased()
      } else {
        result.append(character)
      }
    }
    return result
  }
}

extension JSONValue {
  /// The JSON type in words, for messages.
  var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
