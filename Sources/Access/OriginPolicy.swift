public import Routing

/// Which web pages may connect, and with what.
public enum OriginPolicy {
  /// Judges the page that a request comes from (fault row 19). A browser names it; what names none is no page.
  ///
  /// A token is made for pages: it admits any, unless it or the route names some, which then all have to admit. A static
  /// key in a page is anybody's who looks: its page has to be listed with the key, its app, the route or the section. A
  /// publishable key, that only mints, is meant for pages, and is bound where it has a list of its own. Without keys only
  /// pages of this machine are served, and those listed.
  ///
  /// - Parameters:
  ///   - origin: all fields `Origin`.
  ///   - key: of the client; nil for the operator's, for a client's own at a provider, and without one.
  ///   - route: of a session; nil elsewhere.
  /// - Returns: nil where the page may.
  public static func verdict(
    origin: [String], for principal: Principal, pins: TokenClaims?, route: Route?, key: KeyRecord?, app: App,
    table: AccessTable
  ) -> AccessRefusal? {
    guard let page = origin.first else { return nil }
    guard origin.count == 1 else { return .originNotAllowed }
    func admit(_ patterns: [OriginPattern]) -> Bool { patterns.contains { $0.admits(page) } }
    let ofRoute = route?.origins ?? []
    switch principal {
    case .token:
      let ofToken = pins?.origins ?? []
      if !ofToken.isEmpty, !admit(ofToken) { return .originNotAllowed }
      return ofRoute.isEmpty || admit(ofRoute) ? nil : .originNotAllowed
    case .anonymous:
      return isLocal(page) || admit(ofRoute) || admit(table.origins) ? nil : .foreignOrigin
    case .key where key?.isPublishable == true:
      let ofKey = key?.origins ?? []
      return ofKey.isEmpty || admit(ofKey) ? nil : .originNotAllowed
    case .key, .clientKey, .admin:
      return admit((key?.origins ?? []) + app.origins + ofRoute + table.origins) ? nil : .originNotAllowed
    }
  }

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
