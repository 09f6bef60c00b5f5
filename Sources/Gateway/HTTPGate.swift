import Access
import HTTPWire
import Hummingbird
import NIOCore
import Operator
import Routing

/// Who may use, over HTTP, what belongs to sessions: whoever may open one (R008).
struct HTTPGate: Sendable {
  private let desk: AccessDesk
  private let contact: String
  private let proxies: [IPNetwork]
  /// The names that the voice engine has in the configuration.
  private let engines: [String]

  init(desk: AccessDesk, table: RouteTable) {
    self.desk = desk
    contact = table.contact
    engines = table.providerNames.filter { table.providers[$0]?.remote == nil }
    proxies = table.proxies.compactMap { IPNetwork($0) }
  }

  /// Why a client may not; nil for one that may.
  @Sendable
  func fault(_ request: Request, peer: SocketAddress?, use: AccessUse) async -> HTTPFault? {
    let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
    do {
      let admittance = try await admit(
        headers: headers, target: RequestTarget(request.uri.string), peer: peer, use: use)
      if use == .speech, let refusal = speechRefusal(admittance) { return HTTPFault(refusal, contact: contact) }
      return nil
    } catch {
      return HTTPFault(error, contact: contact)
    }
  }

  /// The voice engine speaks: it has to be among the providers that the client may use.
  private func speechRefusal(_ admittance: Admittance) -> AccessRefusal? {
    let providers = desk.policy.providers(of: admittance)
    guard !engines.isEmpty, !engines.contains(where: { NamePattern.admit($0, providers) }) else { return nil }
    return .providerNotAllowed
  }

  func admit(
    headers: [(name: String, value: String)], target: RequestTarget, peer: SocketAddress?, use: AccessUse
  ) async throws(AccessRefusal) -> Admittance {
    try await desk.admit(
      AccessPolicy.Request(
        headers: headers, target: target, use: use, peerIsLoopback: isLoopback(headers, peer), route: nil,
        at: desk.clock.unixTime))
  }

  /// Of the client, where a proxy of the operator's forwards it: behind one every peer is on loopback.
  private func isLoopback(_ headers: [(name: String, value: String)], _ peer: SocketAddress?) -> Bool {
    address(headers, peer)?.isLoopback ?? false
  }

  private func address(_ headers: [(name: String, value: String)], _ peer: SocketAddress?) -> ForwardedAddress? {
    ForwardedAddress(
      of: peer?.ipAddress, forwarded: Self.members(of: "x-forwarded-for", headers), proxies: proxies)
  }

  /// The address that the client has used, where a proxy of the operator's tells it.
  func place(_ headers: [(name: String, value: String)], _ peer: SocketAddress?) -> ForwardedPlace {
    ForwardedPlace(
      hops: address(headers, peer)?.hops ?? 0, schemes: Self.members(of: "x-forwarded-proto", headers),
      hosts: Self.members(of: "x-forwarded-host", headers))
  }

  private static func members(of name: String, _ headers: [(name: String, value: String)]) -> [String] {
    headers.filter { $0.name.lowercased() == name }.flatMap { field in
      field.value.split(separator: ",").map { $0.trimmingSpaces }
    }
  }
}
