import HTTPTypes
import Hummingbird

/// Lets pages of other sites use the token routes (WHATWG Fetch, section 3.3): a page fetches a token and opens a
/// WebSocket with it (R105).
///
/// Any page may ask and read the answer; whether it gets a token is decided by its key and by its `Origin`, as
/// everywhere. Cookies play no part, so no page can ask in the name of somebody else.
enum CrossOrigin {
  private static let requestHeaders =
    "authorization, content-type, x-api-key, api-key, openai-beta, openai-organization, openai-project, "
    + "openai-safety-identifier"
  private static let vary = HTTPField.Name.vary

  /// The answer to `OPTIONS`.
  static func preflight(_ request: Request) -> Response {
    var response = Response(status: .noContent)
    response.headers[.accessControlAllowMethods] = "POST, OPTIONS"
    response.headers[.accessControlAllowHeaders] = requestHeaders
    response.headers[.accessControlMaxAge] = "600"
    return open(response, to: request)
  }

  /// Adds what lets the asking page read an answer.
  static func open(_ response: Response, to request: Request) -> Response {
    var response = response
    response.headers[vary] = "Origin"
    if let origin = origin(of: request) {
      response.headers[.accessControlAllowOrigin] = origin
      response.headers[.accessControlExposeHeaders] = "Retry-After"
    }
    return response
  }

  /// The origin, if there is exactly one and it may be said back: visible ASCII of at most 300 bytes.
  private static func origin(of request: Request) -> String? {
    let origins = request.headers[values: .origin]
    guard let origin = origins.first, origins.count == 1, (1...300).contains(origin.utf8.count),
      origin.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    return origin
  }
}
