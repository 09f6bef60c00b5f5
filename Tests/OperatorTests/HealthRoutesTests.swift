import Envelope
import HTTPTypes
import NIOCore
import Routing
import Testing

@testable import Operator

@Suite("Health and metrics")
struct HealthRoutesTests {
  private func surface(_ status: HealthStanding.Status) -> TestSurface {
    TestSurface(
      health: FakeHealthDesk(
        standing: HealthStanding(
          status: status, engine: ["stt": "moonshine"],
          providers: [("gemini", .available), ("openai", .unavailable), ("xai", .failing)], sessions: 7)))
  }

  @Test(
    "R073, R074, R107: health is open, says when, and is 200 exactly while sessions can be had",
    arguments: HealthStanding.Status.allCases)
  func health(status: HealthStanding.Status) async throws {
    for path in ["/health", "/health/ready"] {
      let answer = try await surface(status).ask(.get, path, key: nil)
      #expect(answer.status == (status == .ok ? 200 : 503))
      #expect(answer.headers[.cacheControl] == "no-store")
      let expected: JSONValue = [
        "status": .string(status.rawValue), "timestamp": "2026-01-01T01:03:55.000Z", "engine": ["stt": "moonshine"],
        "providers": [
          "gemini": ["state": "available"], "openai": ["state": "unavailable"], "xai": ["state": "failing"],
        ],
        "sessions": 7,
      ]
      #expect(answer.json == expected)
      let head = try await surface(status).ask(.head, path, key: nil)
      #expect(head.status == answer.status && head.text.isEmpty)
    }
  }

  @Test("R107: a process that answers lives, whatever it can do", arguments: HealthStanding.Status.allCases)
  func live(status: HealthStanding.Status) async throws {
    let answer = try await surface(status).ask(.get, "/health/live", key: nil)
    #expect(answer.status == 200)
    #expect(answer.json == ["status": "ok", "timestamp": "2026-01-01T01:03:55.000Z"])
  }

  @Test("health is on every listener; what a listener does not serve is not there", arguments: [true, false])
  func listeners(servesMetrics: Bool) async throws {
    let surface = TestSurface(
      running: FakeOperatorDesk(), metricsAreOpen: true, serves: servesMetrics ? [.metrics] : [.tokens])
    for path in ["/health", "/health/ready", "/health/live"] {
      #expect(try await surface.ask(.get, path, key: nil).status == 200)
    }
    #expect(try await surface.ask(.get, "/metrics", key: nil).status == (servesMetrics ? 200 : 404))
    for path in ["/config", "/sessions", "/drain", "/presets", "/api/v1/keys", "/v1/models"] {
      #expect(try await surface.ask(.get, path).status == 404)
    }
  }

  // MARK: Metrics

  private static let here = "127.0.0.1"

  private func metrics(
    _ peer: String, _ authority: String = "localhost:8787", key: String? = nil, fields: HTTPFields = [:]
  ) async throws -> Int {
    let answer = try await TestSurface().ask(
      .get, "/metrics", key: key, fields: fields, peer: try SocketAddress(ipAddress: peer, port: 4711),
      authority: authority)
    if answer.status == 200 {
      #expect(answer.text == TestSurface.metrics)
      #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
    } else {
      #expect(answer.code == "missing_api_key" || answer.code == "invalid_api_key")
    }
    return answer.status
  }

  @Test("R120: this machine gets the metrics without a key; everybody else shows the operator's")
  func gate() async throws {
    for (peer, authority) in [
      (Self.here, "localhost:8787"), ("127.9.9.9", "127.0.0.1"), ("::1", "[::1]:8787"), ("::1", "localhost"),
    ] {
      #expect(try await metrics(peer, authority) == 200, "\(peer) \(authority)")
    }
    // A page whose name was made to lead here, and machines elsewhere.
    for (peer, authority) in [
      (Self.here, "evil.example:8787"), ("192.0.2.1", "localhost:8787"), ("2001:db8::1", "[::1]:8787"),
    ] {
      #expect(try await metrics(peer, authority) == 401)
      #expect(try await metrics(peer, authority, key: "wrong") == 401)
      #expect(try await metrics(peer, authority, key: TestSurface.admin) == 200)
    }
  }

  @Test(
    "R120: what a proxy forwards is of no machine that is known",
    arguments: ["X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"])
  func forwarded(name: String) async throws {
    let fields: HTTPFields = [try #require(HTTPField.Name(name)): "127.0.0.1"]
    #expect(try await metrics(Self.here, fields: fields) == 401)
    #expect(try await metrics(Self.here, key: TestSurface.admin, fields: fields) == 200)
  }
}
