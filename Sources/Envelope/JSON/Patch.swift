/// A field of a partial update: not mentioned, set to null, or given a value.
///
/// A property of this type in a synthesised `Codable` type reads a missing key as `.absent` and writes `.absent` as no
/// key at all.
public enum Patch<Value> {
  case absent
  case null
  case value(Value)
}

extension Patch: Sendable where Value: Sendable {}
extension Patch: Equatable where Value: Equatable {}
extension Patch: Hashable where Value: Hashable {}

extension Patch {
  public var isAbsent: Bool {
    if case .absent = self { true } else { false }
  }

  public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The value; nil for both `.absent` and `.null`.
  public var orNil: Value? {
    if case .value(let value) = self { value } else { nil }
  }

  public func map<Mapped, Fault: Error>(
    _ transform: (Value) throws(Fault) -> Mapped
  ) throws(Fault) -> Patch<Mapped> {
    switch self {
    case .absent: .absent
    case .null: .null
    case .value(let value): .value(try transform(value))
    }
  }

  /// Applies the patch to a nullable field: `.absent` leaves it, `.null` clears it.
  public func apply(to field: inout Value?) {
    switch self {
    case .absent: break
    case .null: field = nil
    case .value(let value): field = value
    }
  }
}

extension Patch: Decodable where Value: Decodable {
  /// The value is there: null or not.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    self = container.decodeNil() ? .null : .value(try container.decode(Value.self))
  }
}

extension Patch: Encodable where Value: Encodable {
  /// `.absent` has no form of its own outside a keyed container and is written as null there.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if case .value(let value) = self {
      try container.encode(value)
    } else {
      try container.encodeNil()
    }
  }
}

extension KeyedDecodingContainer {
  public func decode<Value: Decodable>(_ type: Patch<Value>.Type, forKey key: Key) throws -> Patch<Value> {
    guard contains(key) else { return .absent }
    return try decodeNil(forKey: key) ? .null : .value(try decode(Value.self, forKey: key))
  }
}

extension KeyedEncodingContainer {
  public mutating func encode<Value: Encodable>(_ patch: Patch<Value>, forKey key: Key) throws {
    switch patch {
    case .absent: break
    case .null: try encodeNil(forKey: key)
    case .value(let value): try encode(value, forKey: key)
    }
  }
}
