import Routing

/// Which web pages may connect without a key.
public enum OriginPolicy {
  /// Whether a request without a key may come from here. Without this, any page that the operator happens to visit could
  /// open a session at `ws://localhost` and use the provider keys of this machine: browsers do not keep pages from that.
  ///
  /// - Parameter origin: the `Origin` field; nil for programs that are no browser.
  /// - Returns: true without an origin, and for pages served by this machine itself. `null` (a sandboxed frame, a page
  ///   from a file) is false.
  public static func isLocal(_ origin: String?) -> Bool {
    guard let origin else { return true }
    guard let separator = origin.firstRange(of: "://") else { return false }
    guard ["http", "https"].contains(origin[..<separator.lowerBound].lowercased()) else { return false }
    let authority = origin[separator.upperBound...]
    let host: Substring
    let rest: Substring
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = authority[..<end].dropFirst()
      rest = authority[authority.index(after: end)...]
    } else {
      host = authority.prefix { $0 != ":" }
      rest = authority[host.endIndex...]
    }
    let isPort =
      rest.isEmpty || (rest.hasPrefix(":") && rest.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) })
    return isPort && NetworkAddress.isLoopback(String(host))
  }
}
