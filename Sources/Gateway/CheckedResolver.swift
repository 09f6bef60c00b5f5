import NIOCore
import NIOPosix
import Routing
import Translation

/// The addresses of one dial: looked up once, checked, and handed to the connector, which connects to one of them and to
/// nothing else. An answer that changes a moment later changes nothing (fault row 61).
final class CheckedResolver: Resolver, Sendable {
  private let lookup: AddressLookup
  private let loop: any EventLoop
  private let admits: @Sendable (IPAddress) -> Bool
  private let refusal: NIOLoopBoundBox<Bool>

  /// Of a proxy: it is the operator's, wherever it is.
  init(_ lookup: AddressLookup, on loop: any EventLoop, admits: @escaping @Sendable (IPAddress) -> Bool = { _ in true })
  {
    self.lookup = lookup
    self.loop = loop
    self.admits = admits
    refusal = .makeBoxSendingValue(false, eventLoop: loop)
  }

  /// Of a provider. An address, or `localhost`, that stands in the configuration is taken as it is.
  convenience init(_ lookup: AddressLookup, on loop: any EventLoop, for endpoint: UpstreamEndpoint) {
    let isWrittenOut = IPAddress(endpoint.host) != nil || endpoint.host.lowercased() == "localhost"
    let allowsPrivate = endpoint.allowsPrivateAddresses
    self.init(lookup, on: loop) { isWrittenOut || $0.mayBeDialled(allowsPrivate: allowsPrivate) }
  }

  /// Whether the name had an address that it may not have. To be asked on the loop.
  var hasRefused: Bool { refusal.value }

  func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    addresses(host, port, .inet)
  }

  func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
    addresses(host, port, .inet6)
  }

  func cancelQueries() {}

  private func addresses(
    _ host: String, _ port: Int, _ family: NIOBSDSocket.AddressFamily
  ) -> EventLoopFuture<[SocketAddress]> {
    if let literal = try? SocketAddress(ipAddress: host, port: port) {
      return loop.makeSucceededFuture(literal.protocol == .init(family) ? [literal] : [])
    }
    return lookup.addresses(of: host, port: port, family, on: loop).map { [self] addresses in
      let admitted = addresses.filter { $0.ipAddress.flatMap { IPAddress($0) }.map(admits) ?? false }
      if admitted.count < addresses.count { refusal.value = true }
      return admitted
    }
  }
}

extension NIOBSDSocket.ProtocolFamily {
  fileprivate init(_ family: NIOBSDSocket.AddressFamily) {
    self = family == .inet6 ? .inet6 : .inet
  }
}
