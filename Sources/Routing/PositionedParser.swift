/// Strict JSON (RFC 8259) into `PositionedValue`. No comments, no trailing commas, no byte-order mark.
struct PositionedParser {
  /// Where the text stops being JSON, and why.
  struct SyntaxFault: Error {
    var offset: Int
    var message: String
  }

  /// More levels than any configuration has; keeps the recursion far from the end of the stack.
  static let deepest = 32

  private let bytes: [UInt8]
  private var offset = 0
  private var depth = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  static func parse(_ bytes: [UInt8]) throws(SyntaxFault) -> PositionedValue {
    var parser = PositionedParser(bytes)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw parser.fault("a byte-order mark is not allowed") }
    parser.skipSpace()
    let value = try parser.value()
    parser.skipSpace()
    guard parser.offset == bytes.count else { throw parser.fault("\(parser.found) after the end of the value") }
    return value
  }

  private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func fault(_ message: String, at place: Int? = nil) -> SyntaxFault {
    SyntaxFault(offset: place ?? offset, message: message)
  }

  /// The next character as a fault shows it. One character cannot give a secret away.
  private var found: String {
    guard let byte = current else { return "the end of the file" }
    if byte == 0x2F || byte == 0x23 { return "\"\(Character(Unicode.Scalar(byte)))\" (comments are not allowed)" }
    guard (0x21...0x7E).contains(byte) else { return "byte 0x" + String(byte, radix: 16, uppercase: true) }
    return quoted(String(Character(Unicode.Scalar(byte))))
  }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    offset += 1
    return true
  }

  private mutating func value() throws(SyntaxFault) -> PositionedValue {
    let start = offset
    guard let byte = current else { throw fault("expected a value, found the end of the file") }
    switch byte {
    case UInt8(ascii: "{"): return PositionedValue(content: .object(try members()), place: .file(start))
    case UInt8(ascii: "["): return PositionedValue(content: .array(try elements()), place: .file(start))
    case UInt8(ascii: "\""): return PositionedValue(content: .string(try string()), place: .file(start))
    case UInt8(ascii: "-"), 0x30...0x39: return PositionedValue(content: .number(try number()), place: .file(start))
    default: break
    }
    for (word, content) in [("true", PositionedValue.Content.bool(true)), ("false", .bool(false)), ("null", .null)]
    where bytes[offset...].starts(with: word.utf8) {
      offset += word.utf8.count
      return PositionedValue(content: content, place: .file(start))
    }
    throw fault("expected a value, found \(found)")
  }

  private mutating func enter() throws(SyntaxFault) {
    depth += 1
    guard depth <= Self.deepest else { throw fault("more than \(Self.deepest) levels") }
    offset += 1
    skipSpace()
  }

  private mutating func members() throws(SyntaxFault) -> [PositionedMember] {
    try enter()
    defer { depth -= 1 }
    var members: [PositionedMember] = []
    if take(UInt8(ascii: "}")) { return members }
    while true {
      let keyOffset = offset
      guard current == UInt8(ascii: "\"") else { throw fault("expected a key in double quotes, found \(found)") }
      let key = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fault("expected \":\" after a key, found \(found)") }
      skipSpace()
      members.append(PositionedMember(key: key, keyPlace: .file(keyOffset), value: try value()))
      if try !continues(to: UInt8(ascii: "}")) { return members }
    }
  }

  private mutating func elements() throws(SyntaxFault) -> [PositionedValue] {
    try enter()
    defer { depth -= 1 }
    var elements: [PositionedValue] = []
    if take(UInt8(ascii: "]")) { return elements }
    while true {
      elements.append(try value())
      if try !continues(to: UInt8(ascii: "]")) { return elements }
    }
  }

  /// True behind a comma that something follows, false behind the closing bracket.
  private mutating func continues(to end: UInt8) throws(SyntaxFault) -> Bool {
    skipSpace()
    if take(end) { return false }
    let comma = offset
    let bracket = quoted(String(Character(Unicode.Scalar(end))))
    guard take(UInt8(ascii: ",")) else { throw fault("expected \",\" or \(bracket), found \(found)") }
    skipSpace()
    guard current != end else { throw fault("a comma before \(bracket) is not allowed", at: comma) }
    return true
  }

  private mutating func digits() throws(SyntaxFault) {
    guard current?.isDigit == true else { throw fault("expected a digit, found \(found)") }
    while current?.isDigit == true { offset += 1 }
  }

  private mutating func number() throws(SyntaxFault) -> String {
    let start = offset
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      guard current?.isDigit != true else { throw fault("a number must not begin with 0", at: start) }
    } else {
      try digits()
    }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func string() throws(SyntaxFault) -> String {
    let start = offset
    offset += 1
    var content: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        guard let text = String(validating: content, as: UTF8.self) else {
          throw fault("the string is not valid UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"):
        content.append(contentsOf: String(Character(try escape())).utf8)
      case 0..<0x20:
        throw fault("a line break or control character must be escaped in a string")
      default:
        content.append(byte)
        offset += 1
      }
    }
    throw fault("the string is not closed", at: start)
  }

  private mutating func escape() throws(SyntaxFault) -> Unicode.Scalar {
    let start = offset
    offset += 1
    guard let byte = current else { throw fault("the string is not closed", at: start) }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw fault("unknown escape", at: start)
    }
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw fault("half of a surrogate pair", at: start) }
    guard UTF16.isLeadSurrogate(first) else { throw fault("half of a surrogate pair", at: start) }
    let second = try codeUnit()
    guard UTF16.isTrailSurrogate(second) else { throw fault("half of a surrogate pair", at: start) }
    let code = 0x1_0000 + (UInt32(first & 0x3FF) << 10 | UInt32(second & 0x3FF))
    guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair", at: start) }
    return scalar
  }

  private mutating func codeUnit() throws(SyntaxFault) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("expected four hexadecimal digits behind \\u")
      }
      unit = unit << 4 | UInt16(digit)
      offset += 1
    }
    return unit
  }
}
