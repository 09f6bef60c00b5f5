/// A place in the tree that is being written. Shared, because nested containers are filled after they are handed out.
final class TreeNode {
  private enum Content {
    case none
    case leaf(JSONValue)
    case object([(key: String, node: TreeNode)])
    case array([TreeNode])
  }

  private var content = Content.none
  /// Fields to be merged into an object, behind those that the type writes itself.
  private var unknown = JSONObject()

  /// What has been written; an empty place is null.
  var value: JSONValue {
    switch content {
    case .none: return .null
    case .leaf(let value): return value
    case .array(let nodes): return .array(nodes.map(\.value))
    case .object(let members):
      var object = JSONObject()
      for (key, node) in members { object[key] = node.value }
      for (key, value) in unknown where object[key] == nil { object[key] = value }
      return .object(object)
    }
  }

  func set(_ value: JSONValue) {
    content = .leaf(value)
  }

  /// Makes this an object unless it is one.
  func becomeObject() {
    switch content {
    case .object: break
    case .leaf(.object(let object)): content = .object(object.map { ($0.key, TreeNode($0.value)) })
    default: content = .object([])
    }
  }

  func becomeArray() {
    if case .array = content { return }
    content = .array([])
  }

  /// A new member of this object.
  func member(_ key: String) -> TreeNode {
    let node = TreeNode()
    if case .object(var members) = content {
      content = .none
      members.append((key, node))
      content = .object(members)
    }
    return node
  }

  /// A new element at the end of this array.
  func element() -> TreeNode {
    let node = TreeNode()
    if case .array(var nodes) = content {
      content = .none
      nodes.append(node)
      content = .array(nodes)
    }
    return node
  }

  var elementCount: Int {
    if case .array(let nodes) = content { nodes.count } else { 0 }
  }

  func merge(_ fields: UnknownFields) {
    for (key, value) in fields.fields { unknown[key] = value }
  }

  init() {}

  private init(_ value: JSONValue) {
    content = .leaf(value)
  }
}

/// Encodes into one place of the tree.
struct TreeEncoder: Encoder {
  let node: TreeNode
  let codingPath: [any CodingKey]

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// `JSONValue` and its kin are written as they are, which no other encoder can do.
  static func require(_ encoder: any Encoder) throws -> Self {
    guard let tree = encoder as? Self else {
      let context = EncodingError.Context(
        codingPath: encoder.codingPath, debugDescription: "only JSONCoding encodes this")
      throw EncodingError.invalidValue(Self.self, context)
    }
    return tree
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.becomeObject()
    return KeyedEncodingContainer(KeyedNode<Key>(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.becomeArray()
    return UnkeyedNode(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SingleNode(encoder: self)
  }

  func encode<Value: Encodable>(_ value: Value) throws {
    if let raw = value as? JSONValue {
      node.set(raw)
    } else {
      try value.encode(to: self)
    }
  }

  func set(_ value: Double) {
    node.set(value.isFinite ? .number(JSONNumber(value)) : .null)
  }

  func set(_ value: Float) {
    // The shortest text of the Float, not the digits of the Double next to it.
    node.set(value.isFinite ? .number(JSONNumber(text: "\(value)") ?? JSONNumber(Double(value))) : .null)
  }

  func set(_ value: some FixedWidthInteger) {
    node.set(.number(JSONNumber(checked: String(value))))
  }
}

private struct KeyedNode<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: TreeNode
  let codingPath: [any CodingKey]

  func encodeNil(forKey key: Key) throws { node.member(key.stringValue).set(.null) }
  func encode(_ value: Bool, forKey key: Key) throws { node.member(key.stringValue).set(.bool(value)) }
  func encode(_ value: String, forKey key: Key) throws { node.member(key.stringValue).set(.string(value)) }
  func encode(_ value: Double, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: Float, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: Int, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: Int8, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: Int16, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: Int32, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: Int64, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: UInt, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: UInt8, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: UInt16, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: UInt32, forKey key: Key) throws { at(key).set(value) }
  func encode(_ value: UInt64, forKey key: Key) throws { at(key).set(value) }

  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    if let unknown = value as? UnknownFields {
      node.merge(unknown)
    } else {
      try at(key).encode(value)
    }
  }

  func nestedContainer<NestedKey: CodingKey>(
    keyedBy type: NestedKey.Type, forKey key: Key
  ) -> KeyedEncodingContainer<NestedKey> {
    at(key).container(keyedBy: type)
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    at(key).unkeyedContainer()
  }

  func superEncoder() -> any Encoder {
    TreeEncoder(node: node.member("super"), codingPath: codingPath + [PathKey(stringValue: "super")])
  }

  func superEncoder(forKey key: Key) -> any Encoder {
    at(key)
  }

  private func at(_ key: Key) -> TreeEncoder {
    TreeEncoder(node: node.member(key.stringValue), codingPath: codingPath + [key])
  }
}

private struct UnkeyedNode: UnkeyedEncodingContainer {
  let node: TreeNode
  let codingPath: [any CodingKey]

  var count: Int { node.elementCount }

  func encodeNil() throws { next().node.set(.null) }
  func encode(_ value: Bool) throws { next().node.set(.bool(value)) }
  func encode(_ value: String) throws { next().node.set(.string(value)) }
  func encode(_ value: Double) throws { next().set(value) }
  func encode(_ value: Float) throws { next().set(value) }
  func encode(_ value: Int) throws { next().set(value) }
  func encode(_ value: Int8) throws { next().set(value) }
  func encode(_ value: Int16) throws { next().set(value) }
  func encode(_ value: Int32) throws { next().set(value) }
  func encode(_ value: Int64) throws { next().set(value) }
  func encode(_ value: UInt) throws { next().set(value) }
  func encode(_ value: UInt8) throws { next().set(value) }
  func encode(_ value: UInt16) throws { next().set(value) }
  func encode(_ value: UInt32) throws { next().set(value) }
  func encode(_ value: UInt64) throws { next().set(value) }
  func encode<Value: Encodable>(_ value: Value) throws { try next().encode(value) }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
    next().container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    next().unkeyedContainer()
  }

  func superEncoder() -> any Encoder {
    next()
  }

  private func next() -> TreeEncoder {
    let key = PathKey(index: node.elementCount)
    return TreeEncoder(node: node.element(), codingPath: codingPath + [key])
  }
}

private struct SingleNode: SingleValueEncodingContainer {
  let encoder: TreeEncoder

  var codingPath: [any CodingKey] { encoder.codingPath }

  func encodeNil() throws { encoder.node.set(.null) }
  func encode(_ value: Bool) throws { encoder.node.set(.bool(value)) }
  func encode(_ value: String) throws { encoder.node.set(.string(value)) }
  func encode(_ value: Double) throws { encoder.set(value) }
  func encode(_ value: Float) throws { encoder.set(value) }
  func encode(_ value: Int) throws { encoder.set(value) }
  func encode(_ value: Int8) throws { encoder.set(value) }
  func encode(_ value: Int16) throws { encoder.set(value) }
  func encode(_ value: Int32) throws { encoder.set(value) }
  func encode(_ value: Int64) throws { encoder.set(value) }
  func encode(_ value: UInt) throws { encoder.set(value) }
  func encode(_ value: UInt8) throws { encoder.set(value) }
  func encode(_ value: UInt16) throws { encoder.set(value) }
  func encode(_ value: UInt32) throws { encoder.set(value) }
  func encode(_ value: UInt64) throws { encoder.set(value) }
  func encode<Value: Encodable>(_ value: Value) throws { try encoder.encode(value) }
}
