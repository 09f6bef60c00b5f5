import Routing

/// Which address a client has that may come through reverse proxies of the operator's.
struct ForwardedAddress: Equatable {
  /// The address of the TCP connection, unless a proxy of the operator's made it: then the last of `X-Forwarded-For` that is
  /// none of these proxies. What stands before that one, anybody may have written.
  let address: IPAddress
  /// Whether that is on this machine. Not where a proxy says something that is no address: the client is anybody then.
  let isLoopback: Bool

  /// - Parameters:
  ///   - peer: of the TCP connection.
  ///   - forwarded: the members of the field, in their order; with a port behind them, as some proxies write them, too.
  ///   - proxies: addresses whose word counts.
  init?(of peer: String?, forwarded: [String], proxies: Set<IPAddress>) {
    guard var client = peer.flatMap({ IPAddress($0)?.unmapped }) else { return nil }
    var isKnown = true
    for member in forwarded.reversed() {
      guard proxies.contains(client) else { break }
      guard let address = IPAddress(Self.withoutPort(member))?.unmapped else {
        isKnown = false
        break
      }
      client = address
    }
    address = client
    isLoopback = isKnown && client.realm == .loopback
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
