/// The key and the accept value of the opening handshake (RFC 6455 sections 4.1 and 4.2.2).
public enum Handshake {
  /// The value of `Sec-WebSocket-Accept` that answers `key`, used as it was received.
  public static func accept(forKey key: String) -> String {
    let constant = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64(SHA1.digest(Array(key.utf8) + Array(constant.utf8)))
  }

  /// True for exactly 24 characters of standard base64 that decode to 16 bytes (fault row 1). The four bits that the last
  /// character has to spare may be anything, as decoders take them.
  public static func isValidKey(_ key: String) -> Bool {
    let bytes = Array(key.utf8)
    guard bytes.count == 24, bytes[22] == UInt8(ascii: "="), bytes[23] == UInt8(ascii: "=") else { return false }
    return bytes[..<22].allSatisfy { alphabet.contains($0) }
  }

  /// A fresh value for `Sec-WebSocket-Key`: 16 bytes from the system's random generator.
  public static func newKey() -> String {
    var generator = SystemRandomNumberGenerator()
    var bytes: [UInt8] = []
    for _ in 0..<2 {
      let word = generator.next()
      bytes.append(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) })
    }
    return base64(bytes)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func base64(_ bytes: [UInt8]) -> String {
    var characters: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let word = group.reduce(0) { $0 << 8 | Int($1) } << ((3 - group.count) * 8)
      for position in 0..<4 {
        let isFilled = position <= group.count
        characters.append(isFilled ? alphabet[word >> ((3 - position) * 6) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: characters, as: UTF8.self)
  }
}
