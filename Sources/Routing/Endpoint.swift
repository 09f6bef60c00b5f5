/// The configured address of a provider. Scheme, host and port of every connection to it come from here (fault row 61).
public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
  /// `wss` rather than `ws`.
  public let isSecure: Bool
  /// A name or an IP address, without brackets.
  public let host: String
  /// 1 to 65535; 443 or 80 where the URL names none.
  public let port: Int
  /// The path without a slash at its end; empty where the URL has none.
  public let basePath: String

  public var isLoopback: Bool { NetworkAddress.isLoopback(host) }

  /// As a URL, always with its port.
  public var description: String {
    "\(isSecure ? "wss" : "ws")://\(NetworkAddress.bracketed(host)):\(port)\(basePath)"
  }
}

/// Why a URL cannot be a provider's.
public enum URLFault: Error, Sendable, Hashable, CustomStringConvertible {
  case scheme
  case noHost
  case userPart
  case fragment
  case query
  case host
  case port
  case path

  public var description: String {
    switch self {
    case .scheme: "it must begin with ws:// or wss://"
    case .noHost: "it names no host"
    case .userPart: "a user or password does not belong in it"
    case .fragment: "a fragment (#) is not allowed"
    case .query: "a query (?) is not allowed"
    case .host: "the host is neither a name nor an IP address"
    case .port: "the port must be 1 to 65535"
    case .path: "the path has a character or a segment that is not allowed"
    }
  }
}

extension Endpoint {
  /// Reads `ws://host[:port][/path]` or `wss://…` (RFC 6455 section 3), without query and user part.
  init(url: String) throws(URLFault) {
    guard let separator = url.firstRange(of: "://") else { throw .scheme }
    switch url[..<separator.lowerBound].lowercased() {
    case "ws": isSecure = false
    case "wss": isSecure = true
    default: throw .scheme
    }
    let rest = url[separator.upperBound...]
    guard !rest.contains("#") else { throw .fragment }
    guard !rest.contains("?") else { throw .query }
    let authority = rest.prefix { $0 != "/" }
    guard !authority.contains("@") else { throw .userPart }
    let portText: Substring?
    (host, portText) = try Self.split(authority)
    if let portText {
      guard (1...5).contains(portText.count), portText.utf8.allSatisfy(\.isDigit), let number = Int(portText),
        (1...65_535).contains(number)
      else { throw .port }
      port = number
    } else {
      port = isSecure ? 443 : 80
    }
    var path = rest[authority.endIndex...]
    if path.hasSuffix("/") { path.removeLast() }
    guard path.isEmpty || PathText.fault(in: path) == nil else { throw .path }
    basePath = String(path)
  }

  private static func split(_ authority: Substring) throws(URLFault) -> (host: String, port: Substring?) {
    let host: Substring
    let rest: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { throw .host }
      host = authority[authority.index(after: authority.startIndex)..<end]
      rest = authority[authority.index(after: end)...]
      guard NetworkAddress.isIPv6(String(host)) else { throw .host }
      guard rest.isEmpty || rest.hasPrefix(":") else { throw .host }
    } else {
      host = authority.prefix { $0 != ":" }
      rest = authority[host.endIndex...]
      guard !host.isEmpty else { throw .noHost }
      guard NetworkAddress.isHost(String(host)) else { throw .host }
    }
    return (String(host), rest.isEmpty ? nil : rest.dropFirst())
  }
}

/// The rule for paths in the configuration.
enum PathText {
  /// What is wrong with an absolute path, or nil. Percent escapes are not allowed: two spellings of a path would compare
  /// as different.
  static func fault(in path: Substring) -> String? {
    guard path.hasPrefix("/") else { return "it must begin with \"/\"" }
    let extra = Set("-._~!$&'()*+,;=:@/".utf8)
    guard path.utf8.allSatisfy({ $0.isLetter || $0.isDigit || extra.contains($0) }) else {
      return "it has a character that is not allowed"
    }
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    // The last segment may be empty: a slash at the end.
    if segments.dropLast().contains("") { return "it has an empty segment" }
    if segments.contains(".") || segments.contains("..") { return "it has the segment \".\" or \"..\"" }
    return nil
  }
}
