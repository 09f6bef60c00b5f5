public import Routing
public import Translation

/// What a client shows for itself: a key, and where it stood in the request.
public struct Credential: Sendable {
  /// The places in order of precedence: what stands in a header wins over the query (R179), and the query over the
  /// subprotocols.
  public enum Source: String, Sendable, CaseIterable {
    /// `Authorization: Bearer KEY`
    case authorization
    /// `api-key: KEY`, as Azure's clients send it.
    case apiKeyHeader = "api-key"
    /// `X-API-Key: KEY`, as clients of many other services send it.
    case otherKeyHeader = "x-api-key"
    /// `?token=KEY`, `?access_token=KEY`, `?api_key=KEY`
    case query
    /// `Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.KEY`, the way of browsers.
    case subprotocol
  }

  /// The longest that is taken, in bytes: a static key or a signed token.
  public static let longestKeyBytes = 8_192
  /// The query parameters that carry a key, in order of precedence.
  public static let queryNames = ["token", "access_token", "api_key"]

  public let key: Redacted<String>
  public let source: Source

  /// The credential of a request; nil if there is none. A place of higher precedence that holds something unusable is a
  /// fault and not passed over: the client would be known by another key than the one that it meant.
  ///
  /// - Parameters:
  ///   - headers: all fields of the request; names in any case.
  ///   - target: of the request line.
  /// - Throws: `CredentialFault`; its answer is 401.
  public static func extract(
    headers: some Sequence<(name: String, value: String)>, target: RequestTarget
  ) throws(CredentialFault) -> Credential? {
    var authorizations: [String] = []
    var apiKeys: [String] = []
    var otherKeys: [String] = []
    var offers: [String] = []
    for (name, value) in headers {
      switch name.lowercased() {
      case "authorization": authorizations.append(value)
      case "api-key": apiKeys.append(value)
      case "x-api-key": otherKeys.append(value)
      case "sec-websocket-protocol": offers.append(value)
      default: break
      }
    }
    if let value = try single(authorizations) {
      return try Credential(bearer(value), .authorization)
    }
    if let value = try single(apiKeys) {
      return try Credential(trimmed(value), .apiKeyHeader)
    }
    if let value = try single(otherKeys) {
      return try Credential(trimmed(value), .otherKeyHeader)
    }
    for name in queryNames {
      let values = target.values(of: name)
      guard let first = values.first else { continue }
      guard values.allSatisfy({ $0 == first }) else { throw .severalValues }
      guard let first else { throw .malformed }
      return try Credential(first[...], .query)
    }
    let keys = Subprotocol.offered(offers).compactMap(Subprotocol.key(in:))
    if let key = try single(keys) { return try Credential(key[...], .subprotocol) }
    return nil
  }

  private init(_ key: Substring, _ source: Source) throws(CredentialFault) {
    guard !key.isEmpty else { throw .empty }
    guard key.utf8.count <= Self.longestKeyBytes, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .malformed
    }
    self.key = Redacted(String(key))
    self.source = source
  }

  private static func single(_ values: [String]) throws(CredentialFault) -> String? {
    guard let first = values.first else { return nil }
    guard values.allSatisfy({ $0 == first }) else { throw .severalValues }
    return first
  }

  /// The token behind the scheme (RFC 6750 section 2.1); the scheme's case does not matter (RFC 9110 section 11.1).
  private static func bearer(_ value: String) throws(CredentialFault) -> Substring {
    let text = trimmed(value)
    let scheme = text.prefix { $0 != " " }
    guard scheme.lowercased() == "bearer" else { throw .unknownScheme }
    return text[scheme.endIndex...].drop { $0 == " " }
  }

  private static func trimmed(_ text: String) -> Substring {
    var rest = text[...].drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return rest
  }
}

/// Why what a client shows is no credential. The answer tells only this class (fault row 14).
public enum CredentialFault: Error, Sendable, Hashable {
  /// The place is there, and empty.
  case empty
  /// Too long, or with characters that no key has.
  case malformed
  /// `Authorization` with a scheme other than `Bearer`.
  case unknownScheme
  /// Different values in the same place.
  case severalValues
}
