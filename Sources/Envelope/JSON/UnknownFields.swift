/// The fields of an object that its type has no coding key for, kept so that they come out again.
///
/// Give a `Codable` type a property of this type and the coding key `case unknown = "*"`: `JSONCoding` then fills it with
/// every field for which `CodingKeys(stringValue:)` is nil, and merges it back on encoding. A field of the same name that
/// the type writes itself wins.
public struct UnknownFields: Sendable, Equatable, Codable, ExpressibleByDictionaryLiteral {
  public var fields: JSONObject

  public init(_ fields: JSONObject = JSONObject()) {
    self.fields = fields
  }

  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    fields = JSONObject()
    for (key, value) in elements { fields[key] = value }
  }

  public var isEmpty: Bool { fields.isEmpty }

  public init(from decoder: any Decoder) throws {
    fields = try JSONObject(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    let node = try TreeEncoder.require(encoder).node
    node.becomeObject()
    node.merge(self)
  }
}
