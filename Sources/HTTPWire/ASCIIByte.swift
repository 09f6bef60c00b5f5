/// The bytes that HTTP/1 gives a meaning.
extension UInt8 {
  static let tab: UInt8 = 0x09
  package static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  /// The content type of a TLS handshake record, the first byte of every TLS connection.
  static let tlsHandshakeRecord: UInt8 = 0x16
  static let space: UInt8 = 0x20
  static let numberSign: UInt8 = 0x23
  static let percent: UInt8 = 0x25
  static let dot: UInt8 = 0x2E
  static let zero: UInt8 = 0x30
  static let colon: UInt8 = 0x3A
  static let semicolon: UInt8 = 0x3B
  static let backslash: UInt8 = 0x5C

  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLetterOrDigit: Bool { isDigit || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  var hexValue: Int? {
    switch self {
    case 0x30...0x39: Int(self) - 0x30
    case 0x41...0x46: Int(self) - 0x37
    case 0x61...0x66: Int(self) - 0x57
    default: nil
    }
  }
  var isHexDigit: Bool { hexValue != nil }

  /// A control character that no line of a head may hold; a tab may stand in a value.
  package var isForbiddenControl: Bool { (self < .space && self != .tab) || self == 0x7F }

  /// RFC 9110 section 5.6.2.
  package var isToken: Bool {
    if isLetterOrDigit { return true }
    switch self {
    case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: return true
    default: return false
    }
  }
}
