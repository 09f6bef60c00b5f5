import Audio

/// A forward cursor over the bytes of one JSON text, for code that looks for a few fields without building a tree.
///
/// Reads stay inside `bytes`; use it only inside the closure that lent them. The grammar of RFC 8259 is kept to, with
/// two exceptions that the caller decides on: duplicate keys are not looked for, and strings are not checked to be UTF-8
/// (`StringToken.isASCII` tells where that matters) nor their surrogates to be paired.
public struct JSONScanner {
  /// A string as it stands in the text.
  public struct StringToken: Sendable, Hashable {
    /// The bytes between the quotes.
    public let range: Range<Int>
    public let hasEscapes: Bool
    /// No byte of it is above 0x7F. Escapes may still stand for such characters.
    public let isASCII: Bool
  }

  public let bytes: UnsafeRawBufferPointer
  /// The offset of the next byte; at most `bytes.count`.
  public private(set) var position: Int

  public init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) {
    self.bytes = bytes
    self.position = min(max(position, 0), bytes.count)
  }

  public var isAtEnd: Bool { position == bytes.count }

  /// The next byte, nil at the end.
  @inline(__always)
  public func peek() -> UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  /// Moves over space, tab, line feed and carriage return.
  @inline(__always)
  public mutating func skipWhitespace() {
    guard position < bytes.count, bytes[position] <= 0x20 else { return }
    skipIndentation()
  }

  /// Pretty-printed JSON is line feeds and runs of spaces.
  private mutating func skipIndentation() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position &+= 1
      while position &+ 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian
        let others = word ^ 0x2020_2020_2020_2020
        position &+= others.trailingZeroBitCount &>> 3
        if others != 0 { break }
      }
    }
  }

  /// Moves over `byte` if it comes next; false, without moving, if not.
  @inline(__always)
  public mutating func consume(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position &+= 1
    return true
  }

  /// Moves on by `count` bytes, at most to the end.
  @inline(__always)
  public mutating func advance(by count: Int) {
    position = min(bytes.count, position &+ max(0, count))
  }

  /// Whether the bytes of `range` are exactly `text`.
  @inline(__always)
  public func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
    guard text.hasPointerRepresentation, range.count == text.utf8CodeUnitCount, range.lowerBound >= 0,
      range.upperBound <= bytes.count
    else { return false }
    var index = 0
    while index &+ 8 <= range.count {
      let word = bytes.loadUnaligned(fromByteOffset: range.lowerBound &+ index, as: UInt64.self)
      let expected = UnsafeRawPointer(text.utf8Start).loadUnaligned(fromByteOffset: index, as: UInt64.self)
      guard word == expected else { return false }
      index &+= 8
    }
    while index < range.count {
      guard bytes[range.lowerBound &+ index] == text.utf8Start[index] else { return false }
      index &+= 1
    }
    return true
  }

  /// What is wrong at the cursor: the end, or the byte there.
  func unexpected() -> JSONFault {
    peek().map { .unexpectedByte($0, at: position) } ?? .unexpectedEnd(at: position)
  }
}

// MARK: - Tokens

extension JSONScanner {
  /// Moves over a string, whose opening quote comes next.
  public mutating func string() throws(JSONFault) -> StringToken {
    guard consume(ASCII.quote) else { throw unexpected() }
    let start = position
    guard let end = indexOfQuote(from: start) else { return try stringByByte(from: start) }
    let (all, odd) = Self.marks(of: bytes, start..<end)
    guard odd == 0 else { return try stringByByte(from: start) }
    position = end &+ 1
    return StringToken(range: start..<end, hasEscapes: false, isASCII: all < 0x80)
  }

  /// All bytes of the range or-ed together, and whether one of them (1, else 0) is a control character or a backslash. A
  /// sum over all bytes vectorises; a search for the first odd one does not.
  private static func marks(of bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> (all: UInt8, odd: UInt8) {
    var all: UInt8 = 0
    var odd: UInt8 = 0
    for index in range {
      let byte = bytes[index]
      all |= byte
      odd |= (byte < 0x20 ? 1 : 0) | (byte == ASCII.backslash ? 1 : 0)
    }
    return (all, odd)
  }

  /// Moves over a string that is base64 in standard form; nil, with the cursor anywhere, if what comes next is none. One
  /// pass over the text, where `string` and a check of its letters would be three.
  @inline(__always)
  public mutating func base64() -> (range: Range<Int>, decodedBytes: Int)? {
    guard consume(ASCII.quote) else { return nil }
    let start = position
    let letters = Base64.alphabetPrefix(bytes, from: start)
    position &+= letters
    while consume(UInt8(ascii: "=")) {}
    let range = start..<position
    guard consume(ASCII.quote) else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: bytes[range])
    guard let count = Base64.decodedCount(text, alphabetPrefix: letters), count > 0 else { return nil }
    return (range, count)
  }

  /// Moves over a number of at most `maxDigits` digits.
  public mutating func number(maxDigits: Int = 64) throws(JSONFault) -> Range<Int> {
    let start = position
    var budget = maxDigits
    _ = consume(UInt8(ascii: "-"))
    if consume(UInt8(ascii: "0")) {
      budget -= 1
    } else {
      try digits(&budget, from: start)
    }
    if consume(UInt8(ascii: ".")) {
      try digits(&budget, from: start)
    }
    if consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) {
      _ = consume(UInt8(ascii: "+")) || consume(UInt8(ascii: "-"))
      try digits(&budget, from: start)
    }
    guard budget >= 0 else { throw .numberTooLong(at: start) }
    return start..<position
  }

  /// Moves over `true`, `false` or `null`.
  public mutating func literal(_ text: StaticString) throws(JSONFault) {
    for index in 0..<text.utf8CodeUnitCount {
      guard consume(text.utf8Start[index]) else { throw unexpected() }
    }
  }

  private mutating func digits(_ budget: inout Int, from start: Int) throws(JSONFault) {
    let first = position
    while let byte = peek(), byte &- UInt8(ascii: "0") < 10 {
      position &+= 1
      budget -= 1
      guard budget >= 0 else { throw .numberTooLong(at: start) }
    }
    guard position > first else { throw unexpected() }
  }

  private mutating func stringByByte(from start: Int) throws(JSONFault) -> StringToken {
    var index = start
    var hasEscapes = false
    var isASCII = true
    while index < bytes.count {
      let byte = bytes[index]
      if byte == ASCII.quote {
        position = index + 1
        return StringToken(range: start..<index, hasEscapes: hasEscapes, isASCII: isASCII)
      } else if byte == ASCII.backslash {
        hasEscapes = true
        index += try escapeLength(at: index)
      } else if byte < 0x20 {
        throw .controlCharacter(at: index)
      } else {
        isASCII = isASCII && byte < 0x80
        index += 1
      }
    }
    throw .unexpectedEnd(at: bytes.count)
  }

  /// The bytes of the escape that begins at `index` with a backslash.
  private func escapeLength(at index: Int) throws(JSONFault) -> Int {
    guard index + 1 < bytes.count else { throw .unexpectedEnd(at: bytes.count) }
    switch bytes[index + 1] {
    case ASCII.quote, ASCII.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      guard index + 6 <= bytes.count else { throw .unexpectedEnd(at: bytes.count) }
      for digit in (index + 2)..<(index + 6) where hexValue(bytes[digit]) == nil { throw .invalidEscape(at: index) }
      return 6
    default:
      throw .invalidEscape(at: index)
    }
  }

  /// The first quote at or after `start`, eight bytes at a time.
  private func indexOfQuote(from start: Int) -> Int? {
    var index = start
    while index &+ 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ 0x2222_2222_2222_2222
      let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      // The lowest mark is exact; those above it may be carried over from it.
      if zeros != 0 { return index &+ zeros.trailingZeroBitCount >> 3 }
      index &+= 8
    }
    while index < bytes.count {
      if bytes[index] == ASCII.quote { return index }
      index &+= 1
    }
    return nil
  }
}

// MARK: - Values

extension JSONScanner {
  /// Moves over any one value, with white space before it. At most 64 objects and arrays may be open; no memory is
  /// allocated. Returns the range of the value.
  @discardableResult
  public mutating func skipValue(maxDigits: Int = 64) throws(JSONFault) -> Range<Int> {
    skipWhitespace()
    let start = position
    // One bit per open container, 1 for an object; `depth` counts them.
    var kinds: UInt64 = 0
    var depth = 0
    repeat {
      skipWhitespace()
      if let byte = peek(), byte == ASCII.openBrace || byte == ASCII.openBracket {
        guard depth < 64 else { throw .tooDeep(at: position) }
        position &+= 1
        depth += 1
        kinds = kinds << 1 | (byte == ASCII.openBrace ? 1 : 0)
        skipWhitespace()
        if !consume(byte == ASCII.openBrace ? ASCII.closeBrace : ASCII.closeBracket) {
          if byte == ASCII.openBrace { try keyAndColon() }
          continue
        }
        depth -= 1
        kinds >>= 1
      } else {
        try scalar(maxDigits: maxDigits)
      }
      try closeContainers(&kinds, &depth)
    } while depth > 0
    return start..<position
  }

  /// After a value: moves over closing brackets up to and over the next comma (and key).
  private mutating func closeContainers(_ kinds: inout UInt64, _ depth: inout Int) throws(JSONFault) {
    while depth > 0 {
      skipWhitespace()
      let isObject = kinds & 1 == 1
      if consume(ASCII.comma) {
        if isObject { try keyAndColon() }
        return
      }
      guard consume(isObject ? ASCII.closeBrace : ASCII.closeBracket) else { throw unexpected() }
      depth -= 1
      kinds >>= 1
    }
  }

  private mutating func keyAndColon() throws(JSONFault) {
    skipWhitespace()
    _ = try string()
    skipWhitespace()
    guard consume(ASCII.colon) else { throw unexpected() }
  }

  private mutating func scalar(maxDigits: Int) throws(JSONFault) {
    switch peek() {
    case ASCII.quote: _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default: _ = try number(maxDigits: maxDigits)
    }
  }
}

/// The bytes of JSON's punctuation.
enum ASCII {
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let openBrace = UInt8(ascii: "{")
  static let closeBrace = UInt8(ascii: "}")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
  static let colon = UInt8(ascii: ":")
  static let comma = UInt8(ascii: ",")
}

/// The value of a hexadecimal digit.
func hexValue(_ byte: UInt8) -> UInt16? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte &- UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte &- UInt8(ascii: "a") &+ 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte &- UInt8(ascii: "A") &+ 10)
  default: nil
  }
}
