import Envelope
import HTTPTypes
import Hummingbird
import NIOCore
import Routing
import Testing

@testable import Operator

@Suite("The document of the HTTP side")
struct OpenAPITests {
  private static func document(serving services: Set<Listener.Service>) async throws -> JSONValue {
    let answer = try await TestSurface(running: FakeOperatorDesk(), serves: services)
      .ask(.get, "/openapi.json", key: nil)
    #expect(answer.status == 200 && answer.headers[.contentType] == "application/json")
    return answer.json
  }

  /// Each method of each path, as `PathTable` names them.
  private static func operations(of document: JSONValue) -> Set<String> {
    var names: Set<String> = []
    for (path, methods) in document["paths"]?.object ?? [:] {
      for (method, _) in methods.object ?? [:] {
        if let method = HTTPRequest.Method(method.uppercased()) { names.insert(PathTable.name(method, path)) }
      }
    }
    return names
  }

  @Test("it tells each method of each path that a router has, and no other")
  func complete() async throws {
    let everything = Set(OpenAPIDocument.operations.map { PathTable.name($0.method, $0.path) })
    #expect(everything.count == OpenAPIDocument.operations.count, "none stands twice")
    let served = try Self.routes()
    #expect(everything.subtracting(served) == [], "told, and not there")
    #expect(served.subtracting(everything) == [], "there, and not told")
    #expect(Self.operations(of: try await Self.document(serving: Listener.Service.all)) == served)
  }

  /// What a router with everything has.
  private static func routes() throws -> Set<String> {
    let surface = TestSurface(running: FakeOperatorDesk())
    return surface.paths.all
  }

  @Test("a listener tells of what it serves")
  func partial() async throws {
    let admin = Self.operations(of: try await Self.document(serving: [.admin, .metrics]))
    #expect(admin.contains("PUT /config") && admin.contains("GET /metrics") && admin.contains("GET /health"))
    #expect(!admin.contains("GET /v1/models") && !admin.contains("POST /v1/realtime/client_secrets"))
    let sessions = try await Self.document(serving: [.sessions])
    #expect(Self.operations(of: sessions).contains("GET /v1/models"))
    #expect(!Self.operations(of: sessions).contains("PUT /config"))
    let tags = sessions["tags"]?.array?.compactMap { $0["name"]?.string }
    #expect(tags == ["health", "sessions"])
  }

  @Test("each name that it uses is defined in it, and each operation has one of its own")
  func references() async throws {
    let document = try await Self.document(serving: Listener.Service.all)
    #expect(document["openapi"] == "3.1.0")
    let schemas = try #require(document["components"]?["schemas"]?.object)
    var used: Set<String> = []
    func look(_ value: JSONValue) {
      if let name = value["$ref"]?.string { used.insert(name) }
      for element in value.array ?? [] { look(element) }
      for (_, member) in value.object ?? [:] { look(member) }
    }
    look(document)
    #expect(used == Set(schemas.keys.map { "#/components/schemas/\($0)" }))
    let schemes = try #require(document["components"]?["securitySchemes"]?.object)
    var ids: [String] = []
    for (_, methods) in try #require(document["paths"]?.object) {
      for (_, operation) in methods.object ?? [:] {
        ids.append(try #require(operation["operationId"]?.string))
        for requirement in operation["security"]?.array ?? [] {
          for name in requirement.object?.keys ?? [] { #expect(schemes[name] != nil) }
        }
      }
    }
    #expect(Set(ids).count == ids.count)
  }

  @Test("every refusal that it tells has the one error shape")
  func refusals() async throws {
    let document = try await Self.document(serving: Listener.Service.all)
    for (path, methods) in try #require(document["paths"]?.object) {
      for (method, operation) in methods.object ?? [:] where !path.hasPrefix("/health") && path != "/config" {
        for (status, response) in try #require(operation["responses"]?.object) {
          guard let code = Int(status), code >= 400, !path.hasPrefix("/config/") else { continue }
          let schema = response["content"]?["application/json"]?["schema"]
          #expect(schema == ["$ref": "#/components/schemas/Refusal"], "\(method) \(path) \(status)")
        }
      }
    }
  }
}
