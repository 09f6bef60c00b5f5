/// The last line against secrets in logs and traces: what looks like a key or a token is masked, whoever let it
/// through. What shows is the kind of key: `hyb_<redacted>`.
enum SecretMask {
  private struct Shape {
    let prefix: [UInt8]
    /// How many characters of a key have to follow.
    let atLeast: Int
    /// Whether it has to stand at the beginning of a word: `task-…` holds no key.
    let beginsWord: Bool

    init(_ prefix: String, atLeast: Int, beginsWord: Bool = false) {
      self.prefix = Array(prefix.utf8)
      self.atLeast = atLeast
      self.beginsWord = beginsWord
    }
  }

  private static let mask = Array("<redacted>".utf8)

  private static let shapes = [
    Shape("hyb_", atLeast: 6), Shape("vkey_", atLeast: 6), Shape("ek_", atLeast: 6, beginsWord: true),
    Shape("sk-", atLeast: 6, beginsWord: true), Shape("sk_", atLeast: 6, beginsWord: true), Shape("gsk_", atLeast: 6),
    Shape("xai-", atLeast: 12, beginsWord: true), Shape("AIza", atLeast: 12),
    Shape("eyJ", atLeast: 20, beginsWord: true),
    Shape("Bearer ", atLeast: 6, beginsWord: true), Shape("bearer ", atLeast: 6, beginsWord: true),
    Shape("Basic ", atLeast: 12, beginsWord: true), Shape("insecure-api-key.", atLeast: 1),
  ]

  private static let authority = Array("://".utf8)

  /// By byte, the shapes that begin with it.
  private static let beginning: [[Shape]] = (UInt8.min...UInt8.max).map { byte in
    shapes.filter { $0.prefix.first == byte }
  }

  static func masked(_ text: String) -> String {
    guard text.utf8.count > 4 else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var copied = 0
    var position = 0
    while position < bytes.count {
      guard let (kept, end) = secret(in: bytes, at: position) else {
        position += 1
        continue
      }
      result += bytes[copied..<kept] + mask
      (copied, position) = (end, end)
    }
    return copied == 0 ? text : String(decoding: result + bytes[copied...], as: UTF8.self)
  }

  /// Where what may stay of it ends, and where it ends; nil if none begins here.
  private static func secret(in bytes: [UInt8], at start: Int) -> (kept: Int, end: Int)? {
    let byte = bytes[start]
    if byte == UInt8(ascii: ":") { return password(in: bytes, at: start) }
    for shape in beginning[Int(byte)] where bytes[start...].starts(with: shape.prefix) {
      guard !shape.beginsWord || beginsWord(bytes, at: start) else { continue }
      let kept = start + shape.prefix.count
      let end = bytes[kept...].firstIndex { !isPartOfKey($0) } ?? bytes.count
      if end - kept >= shape.atLeast { return (kept, end) }
    }
    return nil
  }

  /// The password of an address: `://name:password@host`.
  private static func password(in bytes: [UInt8], at start: Int) -> (kept: Int, end: Int)? {
    guard bytes[start...].starts(with: authority) else { return nil }
    let place = bytes[(start + 3)...].prefix { !isEndOfAuthority($0) }
    guard let at = place.lastIndex(of: UInt8(ascii: "@")),
      let colon = place[..<at].firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    return (colon + 1, at)
  }

  /// Also behind what stands for one character: `%3D`, `\n`.
  private static func beginsWord(_ bytes: [UInt8], at start: Int) -> Bool {
    guard start > 0, isPartOfWord(bytes[start - 1]) else { return true }
    if start > 1, bytes[start - 2] == UInt8(ascii: "\\") { return true }
    return start > 2 && bytes[start - 3] == UInt8(ascii: "%")
  }

  private static func isPartOfWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  private static func isPartOfKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "~"),
      UInt8(ascii: "%"):
      true
    default: isPartOfWord(byte)
    }
  }

  private static func isEndOfAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""): true
    default: false
    }
  }
}
