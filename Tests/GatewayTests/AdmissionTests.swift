import Testing

@testable import Gateway

@Suite("Who gets a WebSocket, live")
struct AdmissionTests {
  private static let keyed = #"""
    {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main", "contact": "Ask ops@example.test.",
     "providers": {
       "main": {"kind": "openai", "url": "ws://127.0.0.1:9/v1/realtime", "model": "gpt-realtime"},
       "absent": {"kind": "openai", "url": "wss://api.example.test/v1", "key": "env:ABSENT_KEY", "model": "m"}},
     "access": {"keys": [{"name": "app", "key": "env:APP_KEY"}]}}
    """#
  private static let key = "sk-planted-secret-0123456789"

  private func answer(
    path: String = "/v1/realtime", _ fields: [String] = [], log: LogCapture = LogCapture()
  ) async throws -> String {
    let gateway = try await TestGateway.routes(Self.keyed, environment: ["APP_KEY": Self.key], log: log)
    let socket = try await gateway.connect()
    try await socket.send(TestSocket.upgradeRequest(path: path, fields: fields))
    let answer = await socket.response()
    await gateway.stop()
    return answer.map { $0.head + $0.body } ?? ""
  }

  @Test("fault row 14: no key, a wrong one and a malformed one are 401 with a reason class")
  func unauthorized() async throws {
    let none = try await answer()
    #expect(none.hasPrefix("HTTP/1.1 401 "))
    #expect(none.contains("\r\nWWW-Authenticate: Bearer\r\n"))
    #expect(none.contains(#""code":"missing_api_key""#))
    let wrong = try await answer(["Authorization: Bearer sk-other"])
    #expect(wrong.hasPrefix("HTTP/1.1 401 "))
    #expect(wrong.contains(#""code":"invalid_api_key""#))
    #expect(!wrong.contains("sk-other"))
    #expect(try await answer(["Authorization: Basic abc"]).hasPrefix("HTTP/1.1 401 "))
    #expect(try await answer(path: "/v1/realtime?token=", []).hasPrefix("HTTP/1.1 401 "))
  }

  @Test("fault rows 17 and 18: the key is taken from each place, echoed from none, and in no log line")
  func authorized() async throws {
    let log = LogCapture()
    let header = try await answer(["Authorization: Bearer \(Self.key)"], log: log)
    #expect(header.hasPrefix("HTTP/1.1 101 "))
    #expect(!header.contains("Sec-WebSocket-Protocol"))
    #expect(try await answer(path: "/v1/realtime?token=\(Self.key)", log: log).hasPrefix("HTTP/1.1 101 "))
    let browser = try await answer(
      ["Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.\(Self.key)"], log: log)
    #expect(browser.hasPrefix("HTTP/1.1 101 "))
    #expect(browser.contains("\r\nSec-WebSocket-Protocol: realtime\r\n"))
    #expect(!browser.contains(Self.key))
    #expect(log.text.contains("session began"))
    #expect(!log.text.contains(Self.key))
  }

  @Test("R171, R172: a provider that is unknown or has no key is refused before the 101, with whom to ask")
  func providers() async throws {
    let field = "Authorization: Bearer \(Self.key)"
    let unknown = try await answer(path: "/v1/realtime?provider=nobody", [field])
    #expect(unknown.hasPrefix("HTTP/1.1 400 "))
    #expect(unknown.contains("main, absent"))
    let absent = try await answer(path: "/v1/realtime?provider=absent", [field])
    #expect(absent.hasPrefix("HTTP/1.1 503 "))
    #expect(absent.contains(#""code":"provider_unavailable""#))
    #expect(absent.contains("Ask ops@example.test."))
    #expect(absent.contains("ABSENT_KEY"))
  }

  @Test("a slash behind the path is tolerated; another path is not found")
  func paths() async throws {
    let field = "Authorization: Bearer \(Self.key)"
    #expect(try await answer(path: "/v1/realtime/", [field]).hasPrefix("HTTP/1.1 101 "))
    #expect(try await answer(path: "/openai/realtime", [field]).hasPrefix("HTTP/1.1 101 "))
    #expect(try await answer(path: "/v1/realtimes", [field]).hasPrefix("HTTP/1.1 404 "))
  }
}
