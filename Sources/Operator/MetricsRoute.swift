import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Routing

/// `GET /metrics`: what Prometheus collects (R120).
///
/// Open to this machine and where the gate is nil; everybody else shows the operator's key.
struct MetricsRoute: Sendable {
  /// Fields by which a request says that it comes from somewhere else than its connection.
  private static let signsOfProxies = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"]
    .compactMap { HTTPField.Name($0) }

  /// The text exposition format, version 0.0.4.
  let text: @Sendable () -> String
  /// Nil where everybody may.
  let gate: AdminGate?

  func add(to book: RouteBook) {
    book.get("/metrics") { request, context in
      if let gate, !Self.isLocal(request, context.peer) { try gate.check(request) }
      return Response(
        status: .ok,
        headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text())))
    }
  }

  /// From a process of this machine for itself: nobody has forwarded it, and it names this machine, which a page whose
  /// name was made to lead here does not.
  static func isLocal(_ request: Request, _ peer: SocketAddress?) -> Bool {
    guard let address = peer?.ipAddress, NetworkAddress.isLoopback(address),
      !signsOfProxies.contains(where: { request.headers[$0] != nil })
    else { return false }
    return request.head.authority.map { NetworkAddress.isLoopback(host(of: $0)) } ?? true
  }

  /// The host of `host:port`, without brackets.
  private static func host(of authority: String) -> String {
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    return String(authority.prefix { $0 != ":" })
  }
}
