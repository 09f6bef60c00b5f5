/// Decodes from one value of a JSON tree.
struct TreeDecoder: Decoder {
  let value: JSONValue
  let codingPath: [any CodingKey]

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// `JSONValue` and its kin keep what no other decoder can give them.
  static func require(_ decoder: any Decoder) throws -> Self {
    guard let tree = decoder as? Self else {
      let context = DecodingError.Context(
        codingPath: decoder.codingPath, debugDescription: "only JSONCoding decodes this")
      throw DecodingError.dataCorrupted(context)
    }
    return tree
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(KeyedTree<Key>(object: try object(), codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let elements) = value else { throw mismatch(.array) }
    return UnkeyedTree(elements: elements, codingPath: codingPath)
  }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    SingleTree(decoder: self)
  }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if type == JSONValue.self, let raw = value as? Value { return raw }
    return try Value(from: self)
  }

  func object() throws(DecodingFault) -> JSONObject {
    guard case .object(let object) = value else { throw mismatch(.object) }
    return object
  }

  func mismatch(_ expected: JSONKind) -> DecodingFault {
    DecodingFault(.wrongType(expected: expected, found: value.kind), at: codingPath)
  }

  func bool() throws(DecodingFault) -> Bool {
    guard case .bool(let bool) = value else { throw mismatch(.boolean) }
    return bool
  }

  func string() throws(DecodingFault) -> String {
    guard case .string(let string) = value else { throw mismatch(.string) }
    return string
  }

  func double() throws(DecodingFault) -> Double {
    guard case .number(let number) = value else { throw mismatch(.number) }
    guard let double = number.double else { throw DecodingFault(.invalidValue("number out of range"), at: codingPath) }
    return double
  }

  func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(DecodingFault) -> Integer {
    guard case .number(let number) = value else { throw mismatch(.integer) }
    // A value between Int.max and UInt64.max has no use on these wires.
    if let int = number.int {
      guard let integer = Integer(exactly: int) else {
        throw DecodingFault(.invalidValue("integer out of range"), at: codingPath)
      }
      return integer
    }
    throw mismatch(.integer)
  }
}

/// The fields of one object.
private struct KeyedTree<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let object: JSONObject
  let codingPath: [any CodingKey]

  var allKeys: [Key] { object.keys.compactMap(Key.init(stringValue:)) }

  func contains(_ key: Key) -> Bool {
    object[key.stringValue] != nil
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    try at(key).value.isNull
  }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try at(key).bool() }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try at(key).string() }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try at(key).double() }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try at(key).double()) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try at(key).integer(type) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try at(key).integer(type) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try at(key).integer(type) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try at(key).integer(type) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try at(key).integer(type) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try at(key).integer(type) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try at(key).integer(type) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try at(key).integer(type) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try at(key).integer(type) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try at(key).integer(type) }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    if type == UnknownFields.self, let unknown = unknownFields(key) as? Value { return unknown }
    return try at(key).decode(type)
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<NestedKey> {
    try at(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try at(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder {
    TreeDecoder(value: object["super"] ?? .null, codingPath: codingPath + [PathKey(stringValue: "super")])
  }

  func superDecoder(forKey key: Key) throws -> any Decoder {
    TreeDecoder(value: object[key.stringValue] ?? .null, codingPath: codingPath + [key])
  }

  private func at(_ key: Key) throws(DecodingFault) -> TreeDecoder {
    guard let value = object[key.stringValue] else { throw DecodingFault(.missing, at: codingPath + [key]) }
    return TreeDecoder(value: value, codingPath: codingPath + [key])
  }

  /// Every field without a key of its own; one that happens to be named like `placeholder` is among them.
  private func unknownFields(_ placeholder: Key) -> UnknownFields {
    var fields = JSONObject()
    for (name, value) in object where name == placeholder.stringValue || Key(stringValue: name) == nil {
      fields.appendNew(name, value)
    }
    return UnknownFields(fields)
  }
}

/// The elements of one array.
private struct UnkeyedTree: UnkeyedDecodingContainer {
  let elements: [JSONValue]
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0

  init(elements: [JSONValue], codingPath: [any CodingKey]) {
    self.elements = elements
    self.codingPath = codingPath
  }

  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  mutating func decodeNil() throws -> Bool {
    guard try current().value.isNull else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool { try next { try $0.bool() } }
  mutating func decode(_ type: String.Type) throws -> String { try next { try $0.string() } }
  mutating func decode(_ type: Double.Type) throws -> Double { try next { try $0.double() } }
  mutating func decode(_ type: Float.Type) throws -> Float { try next { Float(try $0.double()) } }
  mutating func decode(_ type: Int.Type) throws -> Int { try next { try $0.integer(type) } }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try next { try $0.integer(type) } }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try next { try $0.integer(type) } }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try next { try $0.integer(type) } }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try next { try $0.integer(type) } }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try next { try $0.integer(type) } }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next { try $0.integer(type) } }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next { try $0.integer(type) } }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next { try $0.integer(type) } }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next { try $0.integer(type) } }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try next { try $0.decode(type) }
  }

  mutating func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type
  ) throws -> KeyedDecodingContainer<NestedKey> {
    try next { try $0.container(keyedBy: type) }
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next { try $0.unkeyedContainer() }
  }

  mutating func superDecoder() throws -> any Decoder {
    try next { $0 }
  }

  private func current() throws(DecodingFault) -> TreeDecoder {
    let path = codingPath + [PathKey(index: currentIndex)]
    guard !isAtEnd else { throw DecodingFault(.missing, at: path) }
    return TreeDecoder(value: elements[currentIndex], codingPath: path)
  }

  /// The cursor moves on only when `body` succeeds, as `UnkeyedDecodingContainer` asks.
  private mutating func next<Value>(_ body: (TreeDecoder) throws -> Value) throws -> Value {
    let value = try body(try current())
    currentIndex += 1
    return value
  }
}

/// One value by itself.
private struct SingleTree: SingleValueDecodingContainer {
  let decoder: TreeDecoder

  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool { decoder.value.isNull }
  func decode(_ type: Bool.Type) throws -> Bool { try decoder.bool() }
  func decode(_ type: String.Type) throws -> String { try decoder.string() }
  func decode(_ type: Double.Type) throws -> Double { try decoder.double() }
  func decode(_ type: Float.Type) throws -> Float { Float(try decoder.double()) }
  func decode(_ type: Int.Type) throws -> Int { try decoder.integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer(type) }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try decoder.decode(type)
  }
}
