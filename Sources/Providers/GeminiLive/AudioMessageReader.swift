import Envelope

/// Finds the base64 text in a message that is nothing but one part of audio (see `Downlink.audioOnly`), in one pass over
/// the bytes and without building a tree. Every answer but a range means "not sure".
struct AudioMessageReader {
  private var scanner: JSONScanner

  init(_ bytes: UnsafeRawBufferPointer) {
    scanner = JSONScanner(bytes)
  }

  mutating func read() -> Range<Int>? {
    guard enter("serverContent"), enter("modelTurn"), let data = modelTurn(), leave(), leave() else { return nil }
    scanner.skipWhitespace()
    return scanner.isAtEnd ? data : nil
  }

  /// `parts`, one of them, and `role`.
  private mutating func modelTurn() -> Range<Int>? {
    var data: Range<Int>?
    guard open() else { return nil }
    repeat {
      guard let key = key() else { return nil }
      if scanner.matches(key, "parts") {
        guard data == nil, consume("["), enter("inlineData"), let found = inlineData(), leave(), consume("]") else {
          return nil
        }
        data = found
      } else if scanner.matches(key, "role") {
        guard plainString() != nil else { return nil }
      } else {
        return nil
      }
    } while consume(",")
    return leave() ? data : nil
  }

  /// `mimeType` and `data`.
  private mutating func inlineData() -> Range<Int>? {
    var data: Range<Int>?
    guard open() else { return nil }
    repeat {
      guard let key = key() else { return nil }
      if scanner.matches(key, "data") {
        scanner.skipWhitespace()
        guard data == nil, let audio = scanner.base64(), audio.decodedBytes % 2 == 0 else { return nil }
        data = audio.range
      } else if scanner.matches(key, "mimeType") {
        guard let type = plainString(), type.count > 6,
          scanner.matches(type.lowerBound..<(type.lowerBound + 6), "audio/")
        else { return nil }
      } else {
        return nil
      }
    } while consume(",")
    return leave() ? data : nil
  }

  // MARK: Grammar

  private mutating func open() -> Bool { consume("{") }

  private mutating func leave() -> Bool { consume("}") }

  /// An object whose first and, the caller trusts, only key is `name`; the cursor is then before its value.
  private mutating func enter(_ name: StaticString) -> Bool {
    guard open(), let key = key() else { return false }
    return scanner.matches(key, name)
  }

  private mutating func key() -> Range<Int>? {
    guard let key = plainString(), consume(":") else { return nil }
    return key
  }

  private mutating func plainString() -> Range<Int>? {
    scanner.skipWhitespace()
    guard let token = try? scanner.string(), !token.hasEscapes, token.isASCII else { return nil }
    return token.range
  }

  private mutating func consume(_ character: Unicode.Scalar) -> Bool {
    scanner.skipWhitespace()
    return scanner.consume(UInt8(ascii: character))
  }
}
