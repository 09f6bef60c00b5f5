import HTTPWire
import Access
import HTTPTypes
import Hummingbird
import NIOCore
import Routing

/// Who may use, over HTTP, what belongs to sessions: whoever may open one (R008).
struct HTTPAdmission: Sendable {
  private let keys: KeyStore
  private let contact: String

  init(table: RouteTable) {
    keys = KeyStore(keys: table.accessKeys)
    contact = table.contact
  }

  /// The answer to a client that shows no key, or nil for one that may.
  @Sendable
  func refusal(_ request: Request, peer: SocketAddress?) -> Response? {
    do {
      _ = try keys.admit(
        headers: request.headers.map { (name: $0.name.rawName, value: $0.value) },
        target: RequestTarget(request.uri.string),
        peerIsLoopback: peer?.ipAddress.map(NetworkAddress.isLoopback) ?? false)
      return nil
    } catch {
      let refusal = FaultResponse.refusal(for: error, contact: contact)
      var fields = HTTPFields([HTTPField(name: .contentType, value: "application/json")])
      for field in refusal.fields {
        if let name = HTTPField.Name(field.name) { fields[name] = field.value }
      }
      return Response(
        status: .init(code: refusal.status), headers: fields, body: ResponseBody(byteBuffer: refusal.body))
    }
  }
}
