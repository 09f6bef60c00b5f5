import Routing

/// What a request says of where it comes from, as far as reverse proxies of the operator's say it (R115). Everybody else may
/// write what they like into the same fields, and are not listened to.
struct ForwardedAddress: Equatable {
  /// The address of the TCP connection, unless a proxy of the operator's made it: then the last of `X-Forwarded-For` that is
  /// none of these proxies. What stands before that one, anybody may have written.
  let address: IPAddress
  /// Whether that is on this machine. Not where a proxy says something that is no address: the client is anybody then.
  let isLoopback: Bool
  /// How many of the operator's proxies it came through, as far as they tell; 0 of a client that connects itself.
  let hops: Int

  /// - Parameters:
  ///   - peer: of the TCP connection.
  ///   - forwarded: the members of the field, in their order; with a port behind them, as some proxies write them, too.
  ///   - proxies: whose word counts.
  init?(of peer: String?, forwarded: [String], proxies: [IPNetwork]) {
    guard var client = peer.flatMap({ IPAddress($0)?.unmapped }) else { return nil }
    func isProxy(_ address: IPAddress) -> Bool { proxies.contains { $0.contains(address) } }
    var isKnown = true
    var hops = isProxy(client) ? 1 : 0
    for (index, member) in forwarded.reversed().enumerated() {
      guard isProxy(client) else { break }
      guard let address = IPAddress(Self.withoutPort(member))?.unmapped else {
        isKnown = false
        break
      }
      hops = index + 1
      client = address
    }
    address = client
    isLoopback = isKnown && client.realm == .loopback
    self.hops = hops
  }

  /// `203.0.113.9` of `203.0.113.9:51234`, `2001:db8::1` of `"[2001:db8::1]:443"`.
  private static func withoutPort(_ member: String) -> String {
    let bare = member.filter { $0 != "\"" }
    if bare.hasPrefix("["), let end = bare.firstIndex(of: "]") {
      return String(bare[bare.index(after: bare.startIndex)..<end])
    }
    guard let colon = bare.firstIndex(of: ":"), !bare[bare.index(after: colon)...].contains(":") else { return bare }
    return String(bare[..<colon])
  }
}

/// The address that a client has used, where a proxy of the operator's tells it.
struct ForwardedPlace: Equatable {
  /// Of `X-Forwarded-Proto`: whether the client's connection is encrypted; nil where nobody says.
  var isSecure: Bool?
  /// Of `X-Forwarded-Host`: `voice.example` or `voice.example:8443`; nil where nobody says.
  var host: String?

  /// - Parameters:
  ///   - hops: how many of the operator's proxies the request came through. The last member of a field is what the nearest
  ///     one says; what stands before it, anybody may have written.
  ///   - schemes: the members of `X-Forwarded-Proto`.
  ///   - hosts: the members of `X-Forwarded-Host`.
  init(hops: Int = 0, schemes: [String] = [], hosts: [String] = []) {
    guard hops > 0 else { return }
    switch schemes.last?.lowercased() {
    case "https", "wss": isSecure = true
    case "http", "ws": isSecure = false
    default: break
    }
    host = hosts.last.flatMap { Self.isAuthority($0) ? $0 : nil }
  }

  /// A name or an address, in brackets if it has colons, and perhaps a port.
  private static func isAuthority(_ text: String) -> Bool {
    var host = text[...]
    if let colon = text.lastIndex(of: ":"), text[colon...].firstIndex(of: "]") == nil {
      guard let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port) else { return false }
      host = text[..<colon]
    }
    guard host.hasPrefix("[") else { return !host.contains(":") && NetworkAddress.isHost(String(host)) }
    return host.hasSuffix("]") && IPAddress(String(host.dropFirst().dropLast()))?.isIPv6 == true
  }
}
