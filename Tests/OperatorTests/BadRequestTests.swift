import Envelope
import HTTPTypes
import Testing

@testable import Operator

@Suite("Requests that are wrong, at every route")
struct BadRequestTests {
  struct Endpoint: Sendable, CustomTestStringConvertible {
    var method: HTTPRequest.Method
    var path: String
    /// Bytes that a body may have; nil for none.
    var most: Int?
    var isAdmins = false
    /// It always has; programs send what their library sends by itself.
    var takesAnyType = false
    var allowed: String

    var testDescription: String { "\(method) \(path)" }
    var key: String? { isAdmins ? TestSurface.admin : FakeTokenDesk.key }
  }

  static let endpoints =
    ["/v1/realtime/client_secrets", "/v1/realtime/sessions", "/v1/realtime/transcription_sessions"].map {
      Endpoint(method: .post, path: $0, most: 65_536, allowed: "POST, OPTIONS")
    } + [
      Endpoint(method: .post, path: "/vowel/api/generateToken", most: 65_536, allowed: "POST, OPTIONS"),
      Endpoint(method: .post, path: "/v1/audio/speech", most: 65_536, takesAnyType: true, allowed: "POST"),
      Endpoint(method: .get, path: "/v1/models", allowed: "GET, HEAD"),
      Endpoint(method: .get, path: "/v1/voices", allowed: "GET, HEAD"),
      Endpoint(method: .get, path: "/v1/capabilities", allowed: "GET, HEAD"),
      Endpoint(method: .get, path: "/api/v1/keys", isAdmins: true, allowed: "GET, POST, HEAD"),
      Endpoint(method: .post, path: "/api/v1/keys", most: 16_384, isAdmins: true, allowed: "GET, POST, HEAD"),
      Endpoint(method: .delete, path: "/api/v1/keys/key_1", isAdmins: true, allowed: "DELETE"),
      Endpoint(method: .get, path: "/api/v1/apps", isAdmins: true, allowed: "GET, POST, HEAD"),
      Endpoint(method: .post, path: "/api/v1/apps", most: 16_384, isAdmins: true, allowed: "GET, POST, HEAD"),
      Endpoint(method: .delete, path: "/api/v1/apps/shop", isAdmins: true, allowed: "DELETE"),
      Endpoint(method: .get, path: "/api/v1/usage/summary", isAdmins: true, allowed: "GET, HEAD"),
      Endpoint(method: .get, path: "/api/v1/usage/events", isAdmins: true, allowed: "GET, POST, HEAD"),
      Endpoint(
        method: .post, path: "/api/v1/usage/events", most: 1_048_576, isAdmins: true, allowed: "GET, POST, HEAD"),
    ]

  private let surface = TestSurface()

  /// One error shape everywhere.
  private func expectError(_ answer: TestSurface.Answer, _ status: Int, _ code: String) throws {
    #expect(answer.status == status)
    #expect(answer.code == code)
    #expect(answer.headers[.contentType] == "application/json")
    let error = try #require(answer.json.object)
    #expect(error.keys == ["error"])
    #expect(error["error"]?.object?.keys == ["message", "type", "param", "code"])
    #expect(error["error"]?["message"]?.string?.isEmpty == false)
  }

  private func expectNothingHappened() {
    #expect(surface.desk.order == nil && surface.books.changes == 0 && surface.books.records.isEmpty)
  }

  @Test(
    "a method that a path lacks is 405 and says which it has; a path that there is not is 404", arguments: endpoints)
  func methods(endpoint: Endpoint) async throws {
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
      guard !endpoint.allowed.split(separator: ", ").contains(Substring(method)) else { continue }
      let answer = try await surface.ask(try #require(HTTPRequest.Method(method)), endpoint.path, key: endpoint.key)
      #expect(answer.headers[HTTPField.Name("Allow")!] == endpoint.allowed, "\(method)")
      if method == "HEAD" {
        #expect(answer.status == 405 && answer.text.isEmpty)
      } else {
        try expectError(answer, 405, "method_not_allowed")
      }
    }
    try expectError(
      try await surface.ask(endpoint.method, endpoint.path + "/a/b/c"), endpoint.path == "/v1/models" ? 401 : 404,
      endpoint.path == "/v1/models" ? "missing_api_key" : "not_found")
    expectNothingHappened()
  }

  @Test("a body of another type, too large, or no JSON is refused", arguments: endpoints.filter { $0.most != nil })
  func bodies(endpoint: Endpoint) async throws {
    let most = try #require(endpoint.most)
    func ask(_ body: String, _ type: String = "application/json") async throws -> TestSurface.Answer {
      try await surface.ask(endpoint.method, endpoint.path, body, key: endpoint.key, fields: [.contentType: type])
    }
    for type in endpoint.takesAnyType
      ? [] : ["text/xml", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
    {
      try expectError(try await ask("{}", type), 415, "unsupported_media_type")
    }
    try expectError(try await ask(String(repeating: " ", count: most + 1)), 413, "request_too_large")
    for body in [
      String(repeating: " ", count: most), "{", "nil", "{\"a\":1,\"a\":2}", "{}{}", "{\"a\":\"\u{1}\"}", "[1,]",
    ] {
      try expectError(try await ask(body), 400, "invalid_json")
    }
    if endpoint.path != "/api/v1/usage/events" {
      for body in ["[]", "null", "7", "\"a\""] {
        #expect(try await ask(body).status == 400)
      }
    }
    expectNothingHappened()
  }

  @Test("only the operator's key opens what is the operator's", arguments: endpoints.filter(\.isAdmins))
  func admins(endpoint: Endpoint) async throws {
    try expectError(try await surface.ask(endpoint.method, endpoint.path, key: nil), 401, "missing_api_key")
    for key in [FakeTokenDesk.key, "ek_a.b.c", TestSurface.admin + "x", String(TestSurface.admin.dropLast())] {
      let refused = try await surface.ask(endpoint.method, endpoint.path, key: key)
      try expectError(refused, 401, "invalid_api_key")
      #expect(refused.headers[.wwwAuthenticate] == "Bearer")
      #expect(!refused.text.contains(key) && refused.text.contains("Ask us."))
    }
    let query = try await surface.ask(endpoint.method, endpoint.path + "?token=" + TestSurface.admin, key: nil)
    try expectError(query, 401, "missing_api_key")
    for name in ["api-key", "X-API-Key"] {
      let fields: HTTPFields = [try #require(HTTPField.Name(name)): TestSurface.admin]
      let taken = try await surface.ask(endpoint.method, endpoint.path, key: nil, fields: fields)
      #expect(taken.status != 401 && taken.status != 403)
    }
    for key in [TestSurface.admin, nil] {
      let closed = try await TestSurface(adminKey: nil).ask(endpoint.method, endpoint.path, key: key)
      try expectError(closed, 403, "admin_disabled")
    }
  }

  @Test("a query of the operator's routes has no words that they do not know", arguments: endpoints.filter(\.isAdmins))
  func queries(endpoint: Endpoint) async throws {
    let answer = try await surface.ask(
      endpoint.method, endpoint.path + "?colour=red", endpoint.most == nil ? nil : "{}")
    try expectError(answer, 400, "unknown_parameter")
    #expect(answer.param == "colour")
  }
}
