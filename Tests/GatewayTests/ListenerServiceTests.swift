import NIOCore
import Routing
import Testing

@testable import Gateway

@Suite("What each listener serves, live", .serialized, .timeLimit(.minutes(2)))
struct ListenerServiceTests {
  private static let listeners = #"""
    {"host": "127.0.0.1", "port": 0}, {"host": "127.0.0.1", "port": 0, "serves": ["sessions"]},
    {"host": "127.0.0.1", "port": 0, "serves": ["tokens"]}, {"host": "127.0.0.1", "port": 0, "serves": ["admin"]},
    {"host": "127.0.0.1", "port": 0, "serves": ["tokens", "admin"]}
    """#
  private static let services: [Set<String>] = [
    ["sessions", "tokens", "admin"], ["sessions"], ["tokens"], ["admin"], ["tokens", "admin"],
  ]

  private func gateway() async throws -> BookedGateway {
    try await BookedGateway.start { plan in
      plan.listeners = Self.listeners
      plan.environment["ENGINE_API_KEY"] = BookedGateway.admin
      plan.books = Bookkeeping(keys: FakeStorage())
    }
  }

  private func upgrade(_ path: String, at port: Int) async throws -> GateAnswer {
    let socket = try await TestSocket.connect(port: port)
    try await socket.send(TestSocket.upgradeRequest(path: path, fields: BookedGateway.bearer(BookedGateway.key)))
    let answer = await GateAnswer(socket.response())
    try? await socket.channel.close()
    return answer
  }

  @Test("R290: a listener that serves tokens has no sessions")
  func sessions() async throws {
    let gateway = try await gateway()
    try #require(gateway.ports.count == Self.services.count)
    for (port, services) in zip(gateway.ports, Self.services) {
      let isServed = services.contains("sessions")
      for path in ["/v1/realtime", "/second", "/v1/realtime?token=\(BookedGateway.key)"] {
        #expect(try await upgrade(path, at: port).status == (isServed ? 101 : 404), "\(path) \(services)")
      }
      // A plain GET is told to upgrade where there is something to upgrade to.
      let plain = try await gateway.ask("GET", "/v1/realtime", key: BookedGateway.key, port: port)
      #expect(plain.status == (isServed ? 426 : 404), "\(services)")
    }
    #expect(gateway.begun == 6)
    await gateway.stop()
  }

  /// A route, who may use it, and what a listener says that has it.
  private static let routes: [(service: String, method: String, path: String, key: String, status: Int)] = [
    ("sessions", "GET", "/v1/models", BookedGateway.key, 200),
    ("sessions", "GET", "/v1/capabilities", BookedGateway.key, 200),
    ("tokens", "POST", "/v1/realtime/client_secrets", BookedGateway.key, 200),
    ("tokens", "POST", "/v1/realtime/sessions", BookedGateway.key, 200),
    ("tokens", "POST", "/v1/realtime/transcription_sessions", BookedGateway.key, 200),
    ("admin", "GET", "/api/v1/keys", BookedGateway.admin, 200),
    ("admin", "GET", "/api/v1/apps", BookedGateway.admin, 200),
    ("admin", "GET", "/api/v1/usage/summary", BookedGateway.admin, 501),
  ]

  @Test("R290: each listener has its own routes and no other's, with any key")
  func routes() async throws {
    let gateway = try await gateway()
    for (port, services) in zip(gateway.ports, Self.services) {
      for route in Self.routes {
        let body = route.method == "POST" ? "{}" : ""
        let answer = try await gateway.ask(route.method, route.path, key: route.key, body, port: port)
        let isServed = services.contains(route.service)
        #expect(answer.status == (isServed ? route.status : 404), "\(route.path) \(services) \(answer)")
        #expect(answer.field("Content-Type") == "application/json")
        // Another method: known where the path is.
        let other = try await gateway.ask("PATCH", route.path, key: route.key, port: port)
        #expect(other.status == (isServed ? 405 : 404), "\(route.path) \(services) \(other)")
      }
      #expect(try await gateway.ask("GET", "/health", port: port).status == 200)
    }
    await gateway.stop()
  }

  @Test("R103: a token from one listener opens a session at another")
  func tokens() async throws {
    let gateway = try await gateway()
    let minted = try await gateway.ask(
      "POST", "/v1/realtime/client_secrets", key: BookedGateway.key, "{}", port: gateway.ports[2])
    let start = try #require(minted.body.firstRange(of: #""value":"ek_"#))
    let token = "ek_" + String(minted.body[start.upperBound...].prefix { $0 != "\"" })
    for (port, status) in [(gateway.ports[1], 101), (gateway.ports[2], 404)] {
      let socket = try await TestSocket.connect(port: port)
      try await socket.send(TestSocket.upgradeRequest(fields: BookedGateway.bearer(token)))
      #expect(await GateAnswer(socket.response()).status == status)
    }
    await gateway.stop()
  }
}
