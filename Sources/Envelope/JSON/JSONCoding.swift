/// Turns `Codable` types into JSON trees and back, without losing unknown fields, number texts or the difference between
/// an absent field and a null one.
///
/// Synthesised types may hold `JSONValue`, `JSONObject`, `Patch` and `UnknownFields`; those types decode and encode only
/// here.
public enum JSONCoding {
  public static func decode<Value: Decodable>(
    _ type: Value.Type, from value: JSONValue
  ) throws(DecodingFault) -> Value {
    do {
      return try TreeDecoder(value: value, codingPath: []).decode(type)
    } catch let fault as DecodingFault {
      throw fault
    } catch let error as DecodingError {
      throw DecodingFault(error)
    } catch {
      throw DecodingFault(.invalidValue("\(error)"), path: "")
    }
  }

  /// The JSON form of `value`. Nothing here fails; where an `encode(to:)` of the caller's own throws, what it had not
  /// written by then is left out.
  public static func encode<Value: Encodable>(_ value: Value) -> JSONValue {
    let node = TreeNode()
    try? TreeEncoder(node: node, codingPath: []).encode(value)
    return node.value
  }
}

/// Why a JSON value does not have the shape of a type, and where.
public struct DecodingFault: Error, Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case missing
    case wrongType(expected: JSONKind, found: JSONKind)
    /// The kind is right and the value is not.
    case invalidValue(String)
  }

  public var kind: Kind
  /// Where: `session.audio.input.format.rate`, `tools[0].name`; empty for the value as a whole.
  public var path: String

  public init(_ kind: Kind, path: String) {
    self.kind = kind
    self.path = path
  }

  init(_ kind: Kind, at codingPath: [any CodingKey]) {
    self.init(kind, path: Self.dotted(codingPath))
  }

  /// What the standard library or a hand-written `init(from:)` reports.
  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(.missing, at: context.codingPath + [key])
    case .valueNotFound(_, let context):
      self.init(.invalidValue(context.debugDescription), at: context.codingPath)
    case .typeMismatch(_, let context):
      self.init(.invalidValue(context.debugDescription), at: context.codingPath)
    case .dataCorrupted(let context):
      self.init(.invalidValue(context.debugDescription), at: context.codingPath)
    @unknown default:
      self.init(.invalidValue("\(error)"), path: "")
    }
  }

  static func dotted(_ codingPath: [any CodingKey]) -> String {
    var path = ""
    for key in codingPath {
      if let index = key.intValue {
        path += "[\(index)]"
      } else {
        path += path.isEmpty ? key.stringValue : "." + key.stringValue
      }
    }
    return path
  }
}

extension JSONValue: Codable {
  public init(from decoder: any Decoder) throws {
    self = try TreeDecoder.require(decoder).value
  }

  public func encode(to encoder: any Encoder) throws {
    try TreeEncoder.require(encoder).node.set(self)
  }
}

extension JSONObject: Codable {
  public init(from decoder: any Decoder) throws {
    self = try TreeDecoder.require(decoder).object()
  }

  public func encode(to encoder: any Encoder) throws {
    try TreeEncoder.require(encoder).node.set(.object(self))
  }
}

extension JSONNumber: Codable {
  public init(from decoder: any Decoder) throws {
    let tree = try TreeDecoder.require(decoder)
    guard case .number(let number) = tree.value else { throw tree.mismatch(.number) }
    self = number
  }

  public func encode(to encoder: any Encoder) throws {
    try TreeEncoder.require(encoder).node.set(.number(self))
  }
}

/// A key made at run time: an index of an array, or `super`.
struct PathKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(index: Int) {
    stringValue = String(index)
    intValue = index
  }

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) {
    self.init(index: intValue)
  }
}
