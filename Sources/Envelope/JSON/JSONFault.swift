/// The bounds of one JSON text (fault row 36).
public struct JSONLimits: Sendable, Hashable {
  /// Objects and arrays open at once.
  public var depth = 64
  /// Keys of all objects together.
  public var keys = 10_000
  /// Elements of all arrays together. Bounds the memory of a tree made of a small text such as `[[],[],[],…]`.
  public var elements = 100_000
  /// Digits of one number, exponent included.
  public var numberDigits = 64

  public init() {}
}

/// Why a text is not the JSON that Parley accepts (RFC 8259, made strict: fault rows 35 to 38). Offsets are in bytes.
public enum JSONFault: Error, Sendable, Hashable {
  /// Nothing but white space.
  case empty
  case byteOrderMark
  /// A string, which begins at the offset, is not UTF-8.
  case invalidUTF8(at: Int)
  /// A byte that the grammar does not allow there: comments, `NaN`, single quotes, trailing commas.
  case unexpectedByte(UInt8, at: Int)
  case unexpectedEnd(at: Int)
  /// Something follows the value.
  case trailingBytes(at: Int)
  /// A byte below 0x20 inside a string.
  case controlCharacter(at: Int)
  case invalidEscape(at: Int)
  case loneSurrogate(at: Int)
  case numberTooLong(at: Int)
  /// The nearest `Double` is infinite.
  case numberOutOfRange(at: Int)
  case tooDeep(at: Int)
  case tooManyKeys(at: Int)
  case tooManyElements(at: Int)
  /// `path` is dotted, with indices in brackets.
  case duplicateKey(path: String, at: Int)

  public var byteOffset: Int {
    switch self {
    case .empty, .byteOrderMark: 0
    case .invalidUTF8(let offset), .unexpectedByte(_, let offset), .unexpectedEnd(let offset),
      .trailingBytes(let offset), .controlCharacter(let offset), .invalidEscape(let offset),
      .loneSurrogate(let offset), .numberTooLong(let offset), .numberOutOfRange(let offset), .tooDeep(let offset),
      .tooManyKeys(let offset), .tooManyElements(let offset), .duplicateKey(_, let offset):
      offset
    }
  }

  /// One sentence for an error event; at most 200 characters of it come from the text itself.
  public var message: String {
    switch self {
    case .empty: "The message is empty; expected a JSON object."
    case .byteOrderMark: "The message starts with a byte order mark."
    case .duplicateKey(let path, let offset): "The key '\(path.prefix(200))' occurs twice (byte \(offset))."
    default: "The message is not valid JSON: \(phrase) at byte \(byteOffset)."
    }
  }

  private var phrase: String {
    switch self {
    case .empty, .byteOrderMark, .duplicateKey: ""
    case .invalidUTF8: "text that is not UTF-8"
    case .unexpectedByte(let byte, _): "unexpected " + Self.phrase(byte)
    case .unexpectedEnd: "unexpected end"
    case .trailingBytes: "something after the value"
    case .controlCharacter: "control character in a string"
    case .invalidEscape: "invalid escape"
    case .loneSurrogate: "lone surrogate"
    case .numberTooLong: "number with too many digits"
    case .numberOutOfRange: "number out of range"
    case .tooDeep: "too deeply nested value"
    case .tooManyKeys: "too many keys"
    case .tooManyElements: "too many array elements"
    }
  }

  private static func phrase(_ byte: UInt8) -> String {
    (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte \(byte)"
  }
}
