import Access
import Hummingbird
import Routing
public import Translation

/// Guards the routes of the operator: keys, apps and usage. Opened by one key, `access.admin` or `ENGINE_API_KEY`.
public struct AdminGate: Sendable {
  /// Nil: none is configured, and the routes are closed.
  private let digest: KeyDigest?
  private let contact: String

  public init(key: Redacted<String>?, contact: String) {
    digest = key.map(KeyDigest.init(of:))
    self.contact = contact
  }

  /// The key is looked for in the header fields only: in an address it would stand in logs and histories.
  ///
  /// - Throws: 403 `admin_disabled` without a configured key, whatever is shown; 401 for everything that is not it,
  ///   keys and tokens of clients among it.
  func check(_ request: Request) throws(HTTPFault) {
    if let refusal = refusal(of: request) { throw HTTPFault(refusal, contact: contact) }
  }

  private func refusal(of request: Request) -> AccessRefusal? {
    guard let digest else { return .adminDisabled }
    let credential: Credential?
    do {
      credential = try Credential.extract(
        headers: request.headers.map { (name: $0.name.rawName, value: $0.value) }, target: RequestTarget("/"))
    } catch {
      return .badCredential(error)
    }
    guard let credential, credential.source != .subprotocol else { return .noCredential }
    return KeyDigest(of: credential.key).agreesWith(digest) ? nil : .wrongKey
  }
}

/// Routes behind an ``AdminGate``: it is asked before anything else of a request is looked at.
struct AdminBook {
  let book: RouteBook
  let gate: AdminGate

  func get(_ path: String, _ handler: @escaping RouteBook.Handler) { book.get(path, guarded(handler)) }
  func post(_ path: String, _ handler: @escaping RouteBook.Handler) { book.post(path, guarded(handler)) }
  func put(_ path: String, _ handler: @escaping RouteBook.Handler) { book.put(path, guarded(handler)) }
  func delete(_ path: String, _ handler: @escaping RouteBook.Handler) { book.delete(path, guarded(handler)) }

  private func guarded(_ handler: @escaping RouteBook.Handler) -> RouteBook.Handler {
    { [gate] request, context in
      try gate.check(request)
      return try await handler(request, context)
    }
  }
}
