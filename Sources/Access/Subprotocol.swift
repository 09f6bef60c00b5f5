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
  /// `realtime` if offered; else the first that bears no key (fault row 18). If all bear keys, the first of them goes back
  /// to the client that sent it: browsers fail a connection whose offer is left unanswered. Such an answer is not to be
  /// logged; `isSecret` tells.
  public static func answer(to offered: [String]) -> String? {
    if offered.contains(realtime) { return realtime }
    return offered.first { !isSecret($0) } ?? offered.first
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
