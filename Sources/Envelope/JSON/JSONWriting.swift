public import NIOCore

extension JSONValue {
  /// Appends the value as compact JSON in UTF-8. The slash and characters beyond ASCII are written as they are.
  public func write(into buffer: inout ByteBuffer) {
    switch self {
    case .null: buffer.writeStaticString("null")
    case .bool(let value): buffer.writeStaticString(value ? "true" : "false")
    case .number(let number): buffer.writeString(number.text)
    case .string(let text): JSONText.write(text, into: &buffer)
    case .array(let elements): Self.write(elements, into: &buffer)
    case .object(let object): object.write(into: &buffer)
    }
  }

  /// The value as compact JSON.
  public var text: String {
    var buffer = ByteBuffer()
    write(into: &buffer)
    return String(buffer: buffer)
  }

  private static func write(_ elements: [JSONValue], into buffer: inout ByteBuffer) {
    buffer.writeInteger(ASCII.openBracket)
    var isFirst = true
    for element in elements {
      if !isFirst { buffer.writeInteger(ASCII.comma) }
      isFirst = false
      element.write(into: &buffer)
    }
    buffer.writeInteger(ASCII.closeBracket)
  }
}

extension JSONObject {
  /// Appends the object as compact JSON in UTF-8.
  public func write(into buffer: inout ByteBuffer) {
    buffer.writeInteger(ASCII.openBrace)
    var isFirst = true
    for (key, value) in self {
      if !isFirst { buffer.writeInteger(ASCII.comma) }
      isFirst = false
      JSONText.write(key, into: &buffer)
      buffer.writeInteger(ASCII.colon)
      value.write(into: &buffer)
    }
    buffer.writeInteger(ASCII.closeBrace)
  }
}

extension JSONText {
  /// Appends `text` in quotes. Only what RFC 8259 section 7 demands is escaped.
  static func write(_ text: String, into buffer: inout ByteBuffer) {
    buffer.writeInteger(ASCII.quote)
    var copy = text
    copy.withUTF8 { utf8 in
      var runStart = 0
      for index in utf8.indices {
        let byte = utf8[index]
        guard byte < 0x20 || byte == ASCII.quote || byte == ASCII.backslash else { continue }
        buffer.writeBytes(utf8[runStart..<index])
        writeEscape(byte, into: &buffer)
        runStart = index + 1
      }
      buffer.writeBytes(utf8[runStart...])
    }
    buffer.writeInteger(ASCII.quote)
  }

  private static func writeEscape(_ byte: UInt8, into buffer: inout ByteBuffer) {
    switch byte {
    case ASCII.quote: buffer.writeStaticString("\\\"")
    case ASCII.backslash: buffer.writeStaticString("\\\\")
    case 0x08: buffer.writeStaticString("\\b")
    case 0x0C: buffer.writeStaticString("\\f")
    case 0x0A: buffer.writeStaticString("\\n")
    case 0x0D: buffer.writeStaticString("\\r")
    case 0x09: buffer.writeStaticString("\\t")
    default:
      let digits = String(byte, radix: 16)
      buffer.writeString(byte < 0x10 ? "\\u000" + digits : "\\u00" + digits)
    }
  }
}
