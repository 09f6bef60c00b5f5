/// A base URL of a service, as people write it.
struct RemoteAddress: Sendable, Hashable {
  private let scheme: String
  private let authority: Substring
  private let path: String
  private let query: Substring

  /// Anything is taken; what is no URL fails when it is used.
  init(_ text: String) {
    let trimmed = text.split(whereSeparator: \.isWhitespace).joined()
    let parts = trimmed.split(separator: "://", maxSplits: 1).map(String.init)
    let rest = parts.count == 2 ? parts[1] : trimmed
    scheme = parts.count == 2 ? parts[0].lowercased() : "http"
    let withoutFragment = rest.prefix { $0 != "#" }
    let beforeQuery = withoutFragment.prefix { $0 != "?" }
    query = withoutFragment[beforeQuery.endIndex...]
    authority = beforeQuery.prefix { $0 != "/" }
    var path = String(beforeQuery[authority.endIndex...])
    while path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  /// Host and port for messages, without user name and password.
  var host: String {
    String(authority.split(separator: "@").last ?? "")
  }

  /// Whether the path already names `endpoint`.
  func ends(with endpoint: String) -> Bool { path.hasSuffix(endpoint) }

  /// The URL of `endpoint` below the base. A base without any path gets `/v1`, which is where all OpenAI-compatible
  /// servers have their endpoints; a base that already ends with the endpoint is left as it is.
  func openAI(_ endpoint: String) -> String {
    let full = path.hasSuffix(endpoint) ? path : (path.isEmpty ? "/v1" : path) + endpoint
    return "\(scheme)://\(authority)\(full)\(query)"
  }

  /// The URL of exactly `endpoint` below the base.
  func url(_ endpoint: String, scheme other: String? = nil) -> String {
    "\(other ?? scheme)://\(authority)\(path)\(endpoint)"
  }

  /// As it was given, without a trailing slash.
  var asGiven: String { "\(scheme)://\(authority)\(path)\(query)" }

  /// `ws` for `http` and `wss` for `https`.
  var socketScheme: String {
    switch scheme {
    case "http", "ws": "ws"
    default: "wss"
    }
  }

  /// A query of percent-encoded pairs (RFC 3986 section 2.3).
  static func query(_ pairs: [(String, String)]) -> String {
    let written = pairs.map { escaped($0.0) + "=" + escaped($0.1) }
    return written.isEmpty ? "" : "?" + written.joined(separator: "&")
  }

  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { result, byte in
      let character = Character(Unicode.Scalar(byte))
      if byte < 128, character.isLetter || character.isNumber || "-._~".contains(character) {
        result.append(character)
      } else {
        result.append("%")
        result.append(digits[Int(byte >> 4)])
        result.append(digits[Int(byte & 15)])
      }
    }
  }
}
