public import NIOCore

/// Checks a JSON text without keeping it.
public enum JSONCheck {
  /// Passes exactly the texts that `JSONValue.init(parsing:)` accepts, in linear time and without recursion.
  public static func check(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .init()) throws(JSONFault) {
    var parser = JSONParser(bytes, limits: limits, sink: NoTree())
    try parser.parse()
  }
}

extension JSONValue {
  /// Parses one JSON text: RFC 8259, UTF-8, no byte order mark, no duplicate keys, no lone surrogates, and the limits.
  public init(parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits = .init()) throws(JSONFault) {
    var parser = JSONParser(bytes, limits: limits, sink: TreeBuilder())
    try parser.parse()
    self = parser.sink.root
  }

  /// The text is the whole view.
  public init(parsing view: ByteBufferView, limits: JSONLimits = .init()) throws(JSONFault) {
    self = try view.withUnsafeBytes { Self.result(parsing: $0, limits: limits) }.get()
  }

  /// The text is what the buffer has to read; nothing is consumed.
  public init(parsing buffer: ByteBuffer, limits: JSONLimits = .init()) throws(JSONFault) {
    self = try buffer.withUnsafeReadableBytes { Self.result(parsing: $0, limits: limits) }.get()
  }

  public init(parsing text: String, limits: JSONLimits = .init()) throws(JSONFault) {
    var copy = text
    self = try copy.withUTF8 { Self.result(parsing: UnsafeRawBufferPointer($0), limits: limits) }.get()
  }

  private static func result(
    parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits
  ) -> Result<JSONValue, JSONFault> {
    do throws(JSONFault) {
      return .success(try JSONValue(parsing: bytes, limits: limits))
    } catch {
      return .failure(error)
    }
  }
}

private struct NoTree: JSONSink {
  static var keepsText: Bool { false }

  mutating func beginObject() {}
  mutating func key(_ key: String) {}
  mutating func endObject() {}
  mutating func beginArray() {}
  mutating func endArray() {}
  mutating func scalar(_ value: JSONValue) {}
}

private struct TreeBuilder: JSONSink {
  static var keepsText: Bool { true }

  private(set) var root = JSONValue.null
  /// The open containers of either kind, innermost last, and which kind each level is. They are kept apart because a
  /// collection inside an enum would be copied at every change.
  private var objects: [JSONObject] = []
  private var arrays: [[JSONValue]] = []
  private var isObject: [Bool] = []
  /// The key that each open object waits with.
  private var keys: [String] = []

  mutating func beginObject() {
    objects.append(JSONObject())
    keys.append("")
    isObject.append(true)
  }

  mutating func key(_ key: String) {
    keys[keys.count - 1] = key
  }

  mutating func endObject() {
    isObject.removeLast()
    keys.removeLast()
    scalar(.object(objects.removeLast()))
  }

  mutating func beginArray() {
    arrays.append([])
    isObject.append(false)
  }

  mutating func endArray() {
    isObject.removeLast()
    scalar(.array(arrays.removeLast()))
  }

  mutating func scalar(_ value: JSONValue) {
    switch isObject.last {
    case nil: root = value
    case true: objects[objects.count - 1].appendNew(keys[keys.count - 1], value)
    case false: arrays[arrays.count - 1].append(value)
    }
  }
}
