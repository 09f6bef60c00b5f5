import Access
import Routing
import Testing

@testable import Gateway

@Suite("Connects in a second, live", .serialized, .timeLimit(.minutes(2)))
struct ConnectRateTests {
  /// Asks one after the other until somebody is refused.
  ///
  /// - Returns: how many were served before, how long it took, and what the first was told that was not.
  private func served(
    _ gateway: BookedGateway, key: @Sendable () throws -> String = { BookedGateway.key }
  ) async throws -> (count: Int, time: Duration, refusal: GateAnswer) {
    let began = ContinuousClock.now
    var count = 0
    while true {
      let answer = try await gateway.answer(key: try key())
      guard answer.status == 101 else { return (count, ContinuousClock.now - began, answer) }
      count += 1
    }
  }

  /// As many as the limit at once, and one for each part of a second that it takes.
  private func expect(_ served: (count: Int, time: Duration, refusal: GateAnswer), limit: Int) {
    let seconds = served.time / .seconds(1)
    #expect(served.count >= limit)
    #expect(Double(served.count) <= Double(limit) + seconds * Double(limit) + 1)
  }

  struct Holder: Sendable, CustomTestStringConvertible {
    var name: String
    var provider = ""
    var access = #""keys": [{"name": "app", "key": "env:KEY"}, {"name": "page", "key": "env:OTHER"}]"#
    var testDescription: String { name }
  }

  static let holders = [
    Holder(
      name: "key",
      access: #"""
        "keys": [{"name": "app", "key": "env:KEY", "maxConnectsPerSecond": 2}, {"name": "page", "key": "env:OTHER"}]
        """#),
    Holder(
      name: "app",
      access: #"""
        "apps": [{"name": "shop", "maxConnectsPerSecond": 2}],
        "keys": [{"name": "app", "key": "env:KEY", "app": "shop"}, {"name": "page", "key": "env:OTHER"}]
        """#),
    Holder(name: "provider", provider: #""maxConnectsPerSecond": 2"#),
  ]

  @Test("R286: so many connects at once, the next is 429 for a second, and others are served", arguments: holders)
  func rate(_ holder: Holder) async throws {
    let gateway = try await BookedGateway.start { plan in
      plan.provider = holder.provider
      plan.access = holder.access
    }
    let served = try await served(gateway)
    expect(served, limit: 2)
    #expect("\(served.refusal)" == "429 rate_limit_exceeded maxConnectsPerSecond")
    #expect(served.refusal.field("Retry-After") == "1")
    #expect("\(try await gateway.answer("/v1/realtime?provider=other", key: BookedGateway.otherKey))" == "101")
    // Refused connects do not put off the next one that is served.
    _ = try await gateway.sessionWhenFree(key: BookedGateway.key)
    await gateway.stop()
  }

  @Test("limits: the whole gateway's connects in a second; one more is 503 for a second")
  func gateway() async throws {
    let gateway = try await BookedGateway.start { $0.limits = #""maxConnectsPerSecond": 3"# }
    let served = try await served(gateway)
    expect(served, limit: 3)
    #expect("\(served.refusal)" == "503 gateway_overloaded")
    #expect(served.refusal.field("Retry-After") == "1")
    _ = try await gateway.sessionWhenFree(key: BookedGateway.otherKey)
    await gateway.stop()
  }

  @Test("connects of a key and of its tokens are counted together")
  func tokens() async throws {
    let gateway = try await BookedGateway.start { plan in
      plan.access =
        #""apps": [{"name": "shop", "maxConnectsPerSecond": 1}], "keys": [{"name": "app", "key": "env:KEY"}]"#
    }
    let served = try await served(gateway) { try gateway.token { $0.app = "shop" } }
    expect(served, limit: 1)
    #expect("\(served.refusal)" == "429 rate_limit_exceeded maxConnectsPerSecond")
    // The key is not of that app.
    #expect("\(try await gateway.answer(key: BookedGateway.key))" == "101")
    await gateway.stop()
  }
}
