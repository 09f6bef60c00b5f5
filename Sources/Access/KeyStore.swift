public import Routing

/// The static keys of the configuration alone: without a store, tokens and origins of pages beside keys.
public struct KeyStore: Sendable {
  private let policy: AccessPolicy

  public init(keys: [AccessKey]) {
    var random = SystemRandomNumberGenerator()
    let any = OriginPattern("*").map { [$0] } ?? []
    let table = AccessTable(keys: keys, origins: keys.isEmpty ? [] : any)
    policy = AccessPolicy(table, tokens: TokenKeyRing(table.tokens, random: &random))
  }

  /// - Parameters:
  ///   - headers: all fields of the request; names in any case.
  ///   - target: of the request line.
  ///   - peerIsLoopback: of the TCP connection, not of a forwarded address.
  public func admit(
    headers: some Sequence<(name: String, value: String)>, target: RequestTarget, peerIsLoopback: Bool
  ) throws(AccessRefusal) -> Admittance {
    let request = AccessPolicy.Request(
      headers: Array(headers), target: target, use: .session, peerIsLoopback: peerIsLoopback, route: nil, at: 0)
    switch policy.judge(request) {
    case .admitted(let admittance): return admittance
    case .refused(let refusal): throw refusal
    case .ask: throw .wrongKey
    }
  }
}
