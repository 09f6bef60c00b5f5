import Audio

/// Walks over the fields of one object: `begin`, then `key` and one value at a time while `hasNext`, then `isComplete`.
/// Nil and false mean that the message is not what the audio lane takes, never that it is invalid.
struct FieldCursor {
  private var scanner: JSONScanner

  init(_ message: UnsafeRawBufferPointer) {
    scanner = JSONScanner(message)
  }

  @inline(__always)
  mutating func begin() -> Bool {
    scanner.skipWhitespace()
    return scanner.consume(ASCII.openBrace)
  }

  /// The next key; the cursor stands before its value.
  @inline(__always)
  mutating func key() -> Range<Int>? {
    scanner.skipWhitespace()
    guard let key = plainString() else { return nil }
    scanner.skipWhitespace()
    guard scanner.consume(ASCII.colon) else { return nil }
    scanner.skipWhitespace()
    return key
  }

  @inline(__always)
  func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
    scanner.matches(range, text)
  }

  /// Whether two ranges hold the same bytes.
  @inline(__always)
  func areEqual(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
    scanner.bytes[left].elementsEqual(scanner.bytes[right])
  }

  /// A string of ASCII without escapes.
  @inline(__always)
  mutating func plainString() -> Range<Int>? {
    guard let token = try? scanner.string(), token.isASCII, !token.hasEscapes else { return nil }
    return token.range
  }

  /// A string that is base64 in standard form and stands for at least one byte.
  @inline(__always)
  mutating func base64() -> (range: Range<Int>, decodedBytes: Int)? {
    scanner.base64()
  }

  /// A whole number from 0 to 999,999, written plainly.
  @inline(__always)
  mutating func index() -> Int? {
    guard let range = try? scanner.number(maxDigits: 6) else { return nil }
    var value = 0
    for offset in range {
      let digit = scanner.bytes[offset] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  mutating func skipValue() -> Bool {
    (try? scanner.skipValue()) != nil
  }

  /// Moves over a value that the full parser would take as well. Only objects, arrays and strings that are not plain
  /// need memory for that.
  mutating func skipCheckedValue() -> Bool {
    guard let range = try? scanner.skipValue() else { return false }
    let value = UnsafeRawBufferPointer(rebasing: scanner.bytes[range])
    let isPlain =
      switch value.first {
      case ASCII.quote: value.allSatisfy { $0 < 0x80 && $0 != ASCII.backslash }
      case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): true
      case ASCII.openBrace, ASCII.openBracket: false
      // An exponent may leave the range of a Double.
      default: !value.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
      }
    return isPlain || (try? JSONCheck.check(value, limits: Self.nested)) != nil
  }

  /// The limits of a value inside one object.
  private static let nested: JSONLimits = {
    var limits = JSONLimits()
    limits.depth -= 1
    return limits
  }()

  /// Moves over the comma before another field; false at anything else.
  @inline(__always)
  mutating func hasNext() -> Bool {
    scanner.skipWhitespace()
    return scanner.consume(ASCII.comma)
  }

  /// Whether the object ends here and nothing follows it.
  @inline(__always)
  mutating func isComplete() -> Bool {
    guard scanner.consume(ASCII.closeBrace) else { return false }
    scanner.skipWhitespace()
    return scanner.isAtEnd
  }
}
