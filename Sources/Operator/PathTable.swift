import HTTPTypes
import Hummingbird
import Synchronization

/// The paths of a surface and the methods that each has: Hummingbird answers a method that a known path lacks with 404.
final class PathTable: Sendable {
  private struct Entry: Sendable {
    let pieces: [Substring]
    var methods: [HTTPRequest.Method]

    /// `**` stands for the rest, and a piece in braces for any one.
    func fits(_ path: [Substring]) -> Bool {
      for (index, piece) in pieces.enumerated() {
        if piece == "**" { return path.count > index }
        guard index < path.count, piece.hasPrefix("{") || piece == path[index] else { return false }
      }
      return pieces.count == path.count
    }
  }

  private let entries = Mutex<[Entry]>([])

  func add(_ method: HTTPRequest.Method, _ path: String) {
    let pieces = Self.pieces(of: path)
    entries.withLock { entries in
      guard let index = entries.firstIndex(where: { $0.pieces == pieces }) else {
        return entries.append(Entry(pieces: pieces, methods: [method]))
      }
      entries[index].methods.append(method)
    }
  }

  /// Each method of each path, with pieces that stand for any one as `{}`, and so the rest that `**` stands for.
  var all: Set<String> {
    entries.withLock { entries in
      Set(entries.flatMap { entry in entry.methods.map { Self.name($0, entry.pieces) } })
    }
  }

  static func name(_ method: HTTPRequest.Method, _ path: String) -> String { name(method, pieces(of: path)) }

  private static func name(_ method: HTTPRequest.Method, _ pieces: [Substring]) -> String {
    "\(method) /" + pieces.map { $0 == "**" || $0.hasPrefix("{") ? "{}" : String($0) }.joined(separator: "/")
  }

  /// What `Allow` says of a path (RFC 9110 section 10.2.1); nil for a path that there is not.
  func allowed(at path: String) -> String? {
    let pieces = Self.pieces(of: path)
    var methods = entries.withLock { $0.first { $0.fits(pieces) }?.methods ?? [] }
    guard !methods.isEmpty else { return nil }
    // Hummingbird makes it of every GET.
    if methods.contains(.get) { methods.append(.head) }
    return methods.map(\.rawValue).joined(separator: ", ")
  }

  /// As Hummingbird takes paths apart: slashes at the end and several in a row do not count.
  private static func pieces(of path: String) -> [Substring] { path.split(separator: "/") }
}

/// A router that tells its ``PathTable`` of each route.
struct RouteBook {
  let router: Router<OperatorContext>
  let paths: PathTable

  typealias Handler = @Sendable (Request, OperatorContext) async throws -> Response

  func on(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
    paths.add(method, path)
    router.on(RouterPath(path), method: method, use: handler)
  }

  func get(_ path: String, _ handler: @escaping Handler) { on(.get, path, handler) }
  func post(_ path: String, _ handler: @escaping Handler) { on(.post, path, handler) }
  func put(_ path: String, _ handler: @escaping Handler) { on(.put, path, handler) }
  func delete(_ path: String, _ handler: @escaping Handler) { on(.delete, path, handler) }
}

/// Gives every error of the router a JSON body, tells a method that a path lacks from a path that there is not, and
/// gives the answer to a HEAD no body whatever it is.
struct JSONErrorMiddleware<Context: RequestContext>: RouterMiddleware {
  let paths: PathTable

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    let response = try await answer(request, context, next)
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func answer(
    _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let fault as HTTPFault {
      return fault.response
    } catch let error as any HTTPResponseError where error.status == .notFound {
      guard let methods = paths.allowed(at: request.uri.path) else {
        return HTTPFault.notFound("There is nothing at this path.").response
      }
      return HTTPFault(
        status: 405, code: "method_not_allowed", message: "This path has the methods \(methods).",
        fields: [.init(name: "Allow", value: methods)]
      ).response
    } catch let error as any HTTPResponseError {
      return OperatorSurface.errorResponse(
        error.status, code: "request_failed", message: "The request could not be served.")
    }
  }
}
