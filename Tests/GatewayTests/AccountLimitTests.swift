import NIOCore
import Routing
import Testing

@testable import Gateway

@Suite("Sessions that a provider's account allows", .timeLimit(.minutes(2)))
struct AccountLimitTests {
  private func routes(port: Int, most: Int) -> String {
    #"""
    {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main", "contact": "Ask ops@example.test.",
     "providers": {
       "main": {"kind": "inworld", "url": "ws://127.0.0.1:\#(port)", "maxSessions": \#(most)},
       "other": {"kind": "openai", "url": "ws://127.0.0.1:\#(port)/v1/realtime", "model": "gpt-realtime"}},
     "limits": {"upstreamUpgradeSeconds": 3600}}
    """#
  }

  @Test("R165, Q22: of 50 connections at once exactly 10 are served, the rest refused before the 101 with whom to ask")
  func live() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let gateway = try await TestGateway.routes(routes(port: upstream.port, most: 10))
    let port = gateway.port
    let answers = try await withThrowingTaskGroup(of: (head: String, body: String, channel: any Channel).self) {
      group in
      for _ in 0..<50 {
        group.addTask {
          let socket = try await TestSocket.connect(port: port)
          try await socket.send(TestSocket.upgradeRequest())
          let head = await socket.text(upTo: "\r\n\r\n") ?? ""
          let body = head.hasPrefix("HTTP/1.1 101 ") ? "" : await socket.textToEnd()
          return (head, body, socket.channel)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let open = answers.filter { $0.head.hasPrefix("HTTP/1.1 101 ") }
    let refused = answers.filter { $0.head.hasPrefix("HTTP/1.1 429 ") }
    #expect(open.count == 10 && refused.count == 40)
    let refusal = try #require(refused.first)
    #expect(refusal.head.contains("\r\nRetry-After: 10\r\n"))
    #expect(refusal.head.contains("\r\nContent-Type: application/json\r\n"))
    #expect(refusal.body.contains(#""code":"rate_limit_exceeded""#))
    #expect(refusal.body.contains("Ask ops@example.test."))

    // Another provider has its own account.
    let other = try await gateway.connect()
    #expect(try await other.upgrade(path: "/v1/realtime?provider=other"))
    // R167: the end of one session is the beginning of another.
    try? await open.first?.channel.close()
    var isServed = false
    while !isServed {
      let next = try await gateway.connect()
      isServed = try await next.upgrade()
    }
    let last = try await gateway.connect()
    #expect(try await !last.upgrade())
    await gateway.stop()
    await upstream.stop()
  }

  @Test("a session whose provider fails gives its place back")
  func failed() async throws {
    let upstream = try await ScriptedUpstream.start(.answer("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
    let gateway = try await TestGateway.routes(routes(port: upstream.port, most: 1))
    for _ in 0..<3 {
      let socket = try await gateway.connect()
      #expect(try await socket.upgrade(path: "/v1/realtime?model=openai/gpt-4.1-nano"))
      while await socket.event() != nil {}
    }
    await gateway.stop()
    await upstream.stop()
  }
}
