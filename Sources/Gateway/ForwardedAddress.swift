import Routing

/// Which address a client has that may come through reverse proxies of the operator's.
enum ForwardedAddress {
  /// The address of the TCP connection, unless a proxy of the operator's made it: then the last of `X-Forwarded-For` that is
  /// none of these proxies. What stands before that one, anybody may have written.
  ///
  /// - Parameters:
  ///   - peer: of the TCP connection.
  ///   - forwarded: the members of the field, in their order.
  ///   - proxies: addresses whose word counts.
  static func client(of peer: String?, forwarded: [String], proxies: Set<IPAddress>) -> IPAddress? {
    guard var client = peer.flatMap({ IPAddress($0)?.unmapped }) else { return nil }
    for member in forwarded.reversed() {
      guard proxies.contains(client), let address = IPAddress(member)?.unmapped else { break }
      client = address
    }
    return client
  }
}
