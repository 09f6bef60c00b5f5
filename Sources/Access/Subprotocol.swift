/// The subprotocols that clients of the realtime API offer: the protocol itself, and keys of clients that cannot set
/// headers.
public enum Subprotocol {
  /// The only one that means a protocol.
  public static let realtime = "realtime"
  /// Everything behind these is a key. The second is what xAI's browser clients offer.
  static let keyPrefixes = ["openai-insecure-api-key.", "xai-client-secret."]

  /// The offered values in order, from the lines of `Sec-WebSocket-Protocol` (RFC 6455 section 11.3.4).
  public static func offered(_ lines: [String]) -> [String] {
    lines.flatMap { line in
      line.split(separator: ",").compactMap { item in
        var item = item.drop { $0 == " " || $0 == "\t" }
        while let last = item.last, last == " " || last == "\t" { item.removeLast() }
        return item.isEmpty ? nil : String(item)
      }
    }
  }

  /// The one to answer with; nil if none was offered, for many clients fail on one that they did not offer.
  ///
  /// `realtime` if offered; else the first that bears no key and is a token of RFC 9110. A key is never said back (fault
  /// row 18), though browsers fail a connection whose offer is left unanswered: they offer `realtime` beside it.
  public static func answer(to offered: [String]) -> String? {
    if offered.contains(realtime) { return realtime }
    return offered.first { !isSecret($0) && isToken($0) }
  }

  /// RFC 9110 section 5.6.2.
  private static func isToken(_ value: String) -> Bool {
    let others = "!#$%&'*+-.^_`|~"
    return !value.isEmpty
      && value.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || others.unicodeScalars.contains($0))
      }
  }

  /// Whether a value bears a key.
  public static func isSecret(_ value: String) -> Bool { key(in: value) != nil }

  /// What may be logged of a value.
  public static func redacted(_ value: String) -> String {
    guard let prefix = keyPrefix(of: value) else { return value }
    return prefix + "<redacted>"
  }

  static func key(in value: String) -> String? {
    keyPrefix(of: value).map { String(value.dropFirst($0.count)) }
  }

  private static func keyPrefix(of value: String) -> String? {
    keyPrefixes.first { value.lowercased().hasPrefix($0) }
  }
}
