import Envelope
import Translation

/// The parameters of functions in the service's own dialect.
///
/// The service's `Schema` message knows fewer keys than JSON Schema, and it ends the connection over a key or a value that
/// it does not know. What comes out of here therefore holds only what both of Google's platforms document or were seen to
/// accept, however odd what goes in:
///
/// - A type always stands there (Vertex AI demands it), nothing stands beside an `anyOf` (Vertex AI refuses it), every
///   array says what it holds, `enum` is for strings that are not empty, `required` names properties that exist.
/// - What a key says about another type than the one it stands beside is dropped.
enum Schema {
  /// The most functions that the service takes.
  static let maxDeclarations = 512

  /// The longest name of a function, in characters.
  static let maxNameLength = 128

  /// The most containers that nest in a schema. It is itself the seventh of its message, which thereby stays below 64;
  /// readers of protobuf JSON commonly stop at 100.
  static let maxNesting = 56

  /// How much work all schemas of a session may cost, about a byte of output each. It bounds what references can be made
  /// to expand to; schemas without references cannot be that long.
  static let maxWork = 1_048_576

  /// JSON Schema as the service's Schema message, always of type OBJECT.
  ///
  /// Nothing is refused: what cannot be said is left out.
  ///
  /// - Returns: `schema` is nil where there is no property to tell of: `parameters` is then left out. `isExact` is false
  ///   where structure was lost: a recursive type was cut off, a reference leads nowhere, the values of a map or the
  ///   places of a tuple have types of their own.
  static func converted(_ jsonSchema: JSONValue) -> (schema: JSONValue?, isExact: Bool) {
    var conversion = SchemaConversion(of: jsonSchema, work: maxWork)
    let schema = conversion.parameters()
    return (schema, conversion.isExact)
  }

  /// One function declaration for each function among the tools.
  ///
  /// The vendor's tool `google_search` is no function and is skipped.
  ///
  /// - Parameter path: where the tools stand in the client's event, such as `session.tools`.
  /// - Throws: a fault that names the tool: a name that the service refuses, a name twice, a kind of tool that the
  ///   service does not have; or that there are too many.
  static func declarations(_ tools: [Tool], traits: ModelTraits, path: String) throws(EventFault) -> [JSONValue] {
    var declarations: [JSONValue] = []
    var names: Set<String> = []
    var work = maxWork
    for (index, tool) in tools.enumerated() {
      guard let function = try function(tool, path: "\(path)[\(index)]") else { continue }
      guard names.insert(function.name).inserted else {
        throw .invalidValue(
          param: "\(path)[\(index)].name", because: "expected each function once, but this name occurs twice.")
      }
      guard declarations.count < maxDeclarations else {
        throw .invalidValue(param: path, because: "expected at most \(maxDeclarations) functions.")
      }
      declarations.append(declaration(of: function, traits: traits, work: &work))
    }
    return declarations
  }

  /// Nil for the search, which is not declared.
  private static func function(_ tool: Tool, path: String) throws(EventFault) -> FunctionTool? {
    switch tool {
    case .function(let function):
      guard isName(function.name) else {
        throw .invalidValue(
          param: "\(path).name",
          because: "expected a letter or '_' first, then only letters, digits, '_', '.', ':' and '-', "
            + "at most \(maxNameLength) characters.")
      }
      return function
    case .mcp:
      throw .unsupported("Tools of type 'mcp' are not supported with this provider.", param: "\(path).type")
    case .other:
      if tool.isSearch { return nil }
      throw .unsupported(
        "This provider has tools of the types 'function' and 'google_search' only.", param: "\(path).type")
    }
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= maxNameLength else { return false }
    return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || ".:-".utf8.contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// The parameters go as plain JSON Schema only where the service's own dialect would lose structure and the model calls
  /// functions that are declared so: that way is less travelled.
  private static func declaration(of function: FunctionTool, traits: ModelTraits, work: inout Int) -> JSONValue {
    var declaration: JSONObject = ["name": .string(function.name)]
    if let description = function.description, !description.isEmpty {
      declaration["description"] = .string(description)
    }
    var conversion = SchemaConversion(of: function.parameters ?? .null, work: work)
    let schema = conversion.parameters()
    work = conversion.work
    if !conversion.isExact, traits.takesJSONSchema,
      let plain = PlainSchema(of: conversion.document, recursive: conversion.recursive).parameters()
    {
      declaration["parametersJsonSchema"] = plain
    } else if let schema {
      declaration["parameters"] = schema
    }
    if traits.toolBehavior != .unstated { declaration["behavior"] = .string(traits.toolBehavior.rawValue) }
    return .object(declaration)
  }
}

/// The types of the Schema message, without NULL: that a value may be null is said by `nullable`.
enum SchemaType: String, Sendable, CaseIterable {
  case string = "STRING"
  case number = "NUMBER"
  case integer = "INTEGER"
  case boolean = "BOOLEAN"
  case array = "ARRAY"
  case object = "OBJECT"

  /// The type of a value; nil for null.
  init?(of value: JSONValue) {
    switch value.kind {
    case .null: return nil
    case .boolean: self = .boolean
    case .integer: self = .integer
    case .number: self = .number
    case .string: self = .string
    case .array: self = .array
    case .object: self = .object
    }
  }

  func includes(_ value: JSONValue) -> Bool {
    guard let type = SchemaType(of: value) else { return false }
    return type == self || (self == .number && type == .integer)
  }
}

extension JSONValue {
  /// How many containers nest in the value, itself included; the count stops above `limit`.
  func nesting(upTo limit: Int) -> Int {
    guard limit > 0 else { return 1 }
    switch self {
    case .array(let elements): return 1 + (elements.lazy.map { $0.nesting(upTo: limit - 1) }.max() ?? 0)
    case .object(let object): return 1 + (object.lazy.map { $0.value.nesting(upTo: limit - 1) }.max() ?? 0)
    default: return 0
    }
  }
}
