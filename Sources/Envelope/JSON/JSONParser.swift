/// What the parser reports to: a tree, or nothing.
protocol JSONSink {
  /// Whether `key` and `string` need the text itself; it is checked in any case.
  static var keepsText: Bool { get }

  mutating func beginObject()
  mutating func key(_ key: String)
  mutating func endObject()
  mutating func beginArray()
  mutating func endArray()
  mutating func scalar(_ value: JSONValue)
}

/// The strict parser: RFC 8259 and the limits, in one pass, without recursion.
struct JSONParser<Sink: JSONSink> {
  /// An object or array that is open.
  private struct Container {
    let isObject: Bool
    var keys = KeySet()
    /// The key of the value at hand, for the path of a fault.
    var key = ""
    /// The index of the value at hand.
    var index = 0
  }

  private(set) var sink: Sink
  private var scanner: JSONScanner
  private let limits: JSONLimits
  private var open: [Container] = []
  private var keyCount = 0
  private var elementCount = 0

  init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits, sink: Sink) {
    scanner = JSONScanner(bytes)
    self.limits = limits
    self.sink = sink
  }

  mutating func parse() throws(JSONFault) {
    if scanner.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw .byteOrderMark }
    scanner.skipWhitespace()
    if scanner.isAtEnd { throw .empty }
    var expectsValue = true
    repeat {
      expectsValue = expectsValue ? try beginValue() : try endOrNext()
    } while expectsValue || !open.isEmpty
    scanner.skipWhitespace()
    if !scanner.isAtEnd { throw .trailingBytes(at: scanner.position) }
  }

  /// Reads a scalar or the opening of a container. True when a value must follow.
  private mutating func beginValue() throws(JSONFault) -> Bool {
    scanner.skipWhitespace()
    switch scanner.peek() {
    case ASCII.openBrace:
      try push(Container(isObject: true))
      sink.beginObject()
      scanner.skipWhitespace()
      if scanner.peek() == ASCII.closeBrace { return false }
      try key()
      return true
    case ASCII.openBracket:
      try push(Container(isObject: false))
      sink.beginArray()
      scanner.skipWhitespace()
      if scanner.peek() == ASCII.closeBracket { return false }
      try countElement()
      return true
    default:
      sink.scalar(try scalar())
      return false
    }
  }

  /// After a value inside a container: a comma, then a value must follow, or the end of the container.
  private mutating func endOrNext() throws(JSONFault) -> Bool {
    scanner.skipWhitespace()
    let last = open.count - 1
    let isObject = open[last].isObject
    // The comma is not allowed right after the opening; there the closing bracket is known to come next.
    if scanner.consume(ASCII.comma) {
      if isObject {
        try key()
      } else {
        open[last].index += 1
        try countElement()
      }
      return true
    }
    guard scanner.consume(isObject ? ASCII.closeBrace : ASCII.closeBracket) else { throw scanner.unexpected() }
    open.removeLast()
    if isObject { sink.endObject() } else { sink.endArray() }
    return false
  }

  private mutating func push(_ container: Container) throws(JSONFault) {
    guard open.count < limits.depth else { throw .tooDeep(at: scanner.position) }
    scanner.advance(by: 1)
    open.append(container)
  }

  private mutating func countElement() throws(JSONFault) {
    elementCount += 1
    guard elementCount <= limits.elements else { throw .tooManyElements(at: scanner.position) }
  }

  private mutating func key() throws(JSONFault) {
    scanner.skipWhitespace()
    let offset = scanner.position
    let token = try scanner.string()
    keyCount += 1
    guard keyCount <= limits.keys else { throw .tooManyKeys(at: offset) }
    let key = try JSONText.string(token, in: scanner.bytes)
    let last = open.count - 1
    open[last].key = key
    guard open[last].keys.insert(key) else { throw .duplicateKey(path: path, at: offset) }
    scanner.skipWhitespace()
    guard scanner.consume(ASCII.colon) else { throw scanner.unexpected() }
    sink.key(key)
  }

  private mutating func scalar() throws(JSONFault) -> JSONValue {
    switch scanner.peek() {
    case ASCII.quote:
      let token = try scanner.string()
      // A plain ASCII string is right as it stands.
      if !Sink.keepsText, token.isASCII, !token.hasEscapes { return .null }
      return .string(try JSONText.string(token, in: scanner.bytes))
    case UInt8(ascii: "t"):
      try scanner.literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try scanner.literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try scanner.literal("null")
      return .null
    default:
      return .number(try number())
    }
  }

  private mutating func number() throws(JSONFault) -> JSONNumber {
    let range = try scanner.number(maxDigits: limits.numberDigits)
    let number = JSONNumber(checked: String(decoding: scanner.bytes[range], as: UTF8.self))
    // Only a long number or one with an exponent can leave the range of Double.
    let isShort = range.count < 20 && !scanner.bytes[range].contains { $0 | 0x20 == UInt8(ascii: "e") }
    guard isShort || number.double != nil else { throw .numberOutOfRange(at: range.lowerBound) }
    return number
  }

  /// Where the value at hand stands: `session.tools[0].name`.
  private var path: String {
    var path = ""
    for container in open {
      if container.isObject {
        path += path.isEmpty ? container.key : "." + container.key
      } else {
        path += "[\(container.index)]"
      }
    }
    return path
  }
}

/// The keys of one object, to find the second of two equal ones in constant time.
private struct KeySet {
  /// Comparing a few keys costs less than hashing them.
  private static let fewest = 16

  private var few: [JSONKey] = []
  private var many: Set<JSONKey> = []

  /// False when the key is there already.
  mutating func insert(_ key: String) -> Bool {
    let key = JSONKey(key)
    guard many.isEmpty else { return many.insert(key).inserted }
    guard !few.contains(key) else { return false }
    few.append(key)
    if few.count > Self.fewest {
      many = Set(few)
      few = []
    }
    return true
  }
}

/// Turns the bytes of a string token into text.
enum JSONText {
  static func string(_ token: JSONScanner.StringToken, in bytes: UnsafeRawBufferPointer) throws(JSONFault) -> String {
    let raw = UnsafeRawBufferPointer(rebasing: bytes[token.range])
    guard token.hasEscapes else {
      if token.isASCII { return String(decoding: raw, as: UTF8.self) }
      guard let text = String(validating: raw, as: UTF8.self) else { throw .invalidUTF8(at: token.range.lowerBound) }
      return text
    }
    let unescaped = try unescaped(raw, offset: token.range.lowerBound)
    guard let text = String(validating: unescaped, as: UTF8.self) else {
      throw .invalidUTF8(at: token.range.lowerBound)
    }
    return text
  }

  /// `raw` has passed the escape rule of the scanner; what remains to be found is an unpaired surrogate.
  private static func unescaped(_ raw: UnsafeRawBufferPointer, offset: Int) throws(JSONFault) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(raw.count)
    var index = 0
    while index < raw.count {
      let byte = raw[index]
      guard byte == ASCII.backslash, index + 1 < raw.count else {
        output.append(byte)
        index += 1
        continue
      }
      if raw[index + 1] != UInt8(ascii: "u") {
        output.append(character(ofEscape: raw[index + 1]))
        index += 2
        continue
      }
      let (scalar, length) = try scalar(raw, at: index, offset: offset)
      output.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
      index += length
    }
    return output
  }

  private static func character(ofEscape letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  /// The scalar of one `\uXXXX`, or of two that form a surrogate pair, and the bytes that it takes.
  private static func scalar(
    _ raw: UnsafeRawBufferPointer, at index: Int, offset: Int
  ) throws(JSONFault) -> (Unicode.Scalar, Int) {
    guard let high = unit(raw, at: index) else { throw .invalidEscape(at: offset + index) }
    if let scalar = Unicode.Scalar(high) { return (scalar, 6) }
    guard UTF16.isLeadSurrogate(high), let low = unit(raw, at: index + 6), UTF16.isTrailSurrogate(low) else {
      throw .loneSurrogate(at: offset + index)
    }
    return (UTF16.decode(UTF16.EncodedScalar([high, low])), 12)
  }

  /// The code unit of the `\uXXXX` at `index`; nil where there is none.
  private static func unit(_ raw: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
    guard index + 6 <= raw.count, raw[index] == ASCII.backslash, raw[index + 1] == UInt8(ascii: "u") else { return nil }
    var unit: UInt16 = 0
    for place in 2..<6 {
      guard let digit = hexValue(raw[index + place]) else { return nil }
      unit = unit << 4 | digit
    }
    return unit
  }
}
