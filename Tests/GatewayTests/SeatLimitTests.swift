import Access
import Envelope
import Metering
import NIOCore
import Routing
import Testing
import Translation

@testable import Gateway

@Suite("Sessions at a time, live", .serialized, .timeLimit(.minutes(2)))
struct SeatLimitTests {
  /// Who may have two sessions.
  struct Holder: Sendable, CustomTestStringConvertible {
    var name: String
    var provider = ""
    var access = #""keys": [{"name": "app", "key": "env:KEY"}, {"name": "page", "key": "env:OTHER"}]"#
    /// What the third shows: by default the key of the first two.
    var third: @Sendable (BookedGateway) throws -> String = { _ in BookedGateway.key }
    /// Where, and with which key, somebody else is served.
    var elsewhere = (path: BookedGateway.path, key: BookedGateway.otherKey)
    var parameter = "maxSessions"
    var testDescription: String { name }
  }

  static let holders = [
    Holder(
      name: "key",
      access: #"""
        "keys": [{"name": "app", "key": "env:KEY", "maxSessions": 2}, {"name": "page", "key": "env:OTHER"}]
        """#),
    Holder(
      name: "token, by the key that it was made with",
      access: #"""
        "keys": [{"name": "app", "key": "env:KEY", "maxSessions": 2}, {"name": "page", "key": "env:OTHER"}]
        """#, third: { gateway in try gateway.token { $0.keyID = Self.keyID } }),
    Holder(
      name: "app",
      access: #"""
        "apps": [{"name": "shop", "maxSessions": 2}],
        "keys": [{"name": "app", "key": "env:KEY", "app": "shop"}, {"name": "page", "key": "env:OTHER"}]
        """#),
    Holder(
      name: "token, by its app",
      access: #"""
        "apps": [{"name": "shop", "maxSessions": 2}],
        "keys": [{"name": "app", "key": "env:KEY", "app": "shop"}, {"name": "page", "key": "env:OTHER"}]
        """#, third: { gateway in try gateway.token { $0.app = "shop" } }),
    Holder(
      name: "provider", provider: #""maxSessions": 2"#,
      elsewhere: ("/v1/realtime?provider=other", BookedGateway.key), parameter: "maxSessions"),
  ]

  private static var keyID: String? {
    KeyRecord(AccessKey(name: "app", reference: .environment("KEY"), key: Redacted("x")))?.id
  }

  @Test(
    "R165, R167, R286: two are served, the third is 429 before the 101, others are served, and so is the next",
    arguments: holders)
  func third(_ holder: Holder) async throws {
    let gateway = try await BookedGateway.start() { plan in
      plan.provider = holder.provider
      plan.access = holder.access
    }
    let third = try holder.third(gateway)
    var live = [try await gateway.session(key: BookedGateway.key), try await gateway.session(key: BookedGateway.key)]
    for _ in 0..<3 {
      let refusal = try await gateway.answer(key: third)
      #expect("\(refusal)" == "429 rate_limit_exceeded \(holder.parameter)")
      #expect(refusal.field("Retry-After") == "10")
      #expect(refusal.body.contains(#""type":"rate_limit_error""#) && refusal.body.contains("Ask ops@example.test."))
    }
    #expect("\(try await gateway.answer(holder.elsewhere.path, key: holder.elsewhere.key))" == "101")
    for socket in live { #expect(try await socket.isServed()) }
    try await live.removeFirst().channel.close()
    live.append(try await gateway.sessionWhenFree(key: third))
    #expect(try await gateway.answer(key: third).status == 429)
    await gateway.stop()
  }

  @Test("R167: a key that is given more is served more")
  func raised() async throws {
    let gateway = try await BookedGateway.start { plan in
      plan.access = #"""
        "keys": [{"name": "app", "key": "env:KEY", "maxSessions": 1}, {"name": "page", "key": "env:OTHER", "maxSessions": 3}]
        """#
    }
    var live: [TestSocket] = []
    for _ in 0..<3 { live.append(try await gateway.session(key: BookedGateway.otherKey)) }
    #expect(try await gateway.answer(key: BookedGateway.otherKey).status == 429)
    live.append(try await gateway.session(key: BookedGateway.key))
    #expect(try await gateway.answer(key: BookedGateway.key).status == 429)
    await gateway.stop()
  }

  /// What is wrong with a request, and what it is told.
  struct Wrong: Sendable, CustomTestStringConvertible {
    var path = BookedGateway.path
    var key: @Sendable (BookedGateway) throws -> String = { _ in BookedGateway.key }
    var fields: [String] = []
    var answer: String
    var testDescription: String { answer }
  }

  static let wrongs = [
    Wrong(key: { _ in "" }, answer: "401 invalid_api_key"),
    Wrong(key: { _ in "hyb_wrong" }, answer: "401 invalid_api_key"),
    Wrong(key: { try $0.token { $0.expiresAt = $0.issuedAt } }, answer: "401 token_expired"),
    Wrong(fields: ["Origin: https://evil.example"], answer: "403 origin_not_allowed"),
    Wrong(path: "/v1/realtime?provider=nobody", answer: "400 invalid_value provider"),
    Wrong(
      path: "/v1/realtime?provider=other", key: { try $0.token { $0.provider = "main" } },
      answer: "401 token_not_for_this provider"),
    Wrong(path: "/second", key: { try $0.token { $0.route = "/v1/realtime" } }, answer: "401 token_not_for_this path"),
    Wrong(path: "/v1/realtime?model=gpt-9", answer: "403 model_not_allowed model"),
    Wrong(
      key: { try $0.token { $0.session = ["audio": ["output": ["voice": 7]]] } },
      answer: "401 token_not_for_this session"),
    Wrong(key: { _ in BookedGateway.otherKey }, answer: "429 minutes_exhausted maxMinutesPerDay"),
  ]

  @Test("a refused one leaves nothing taken", arguments: wrongs)
  func nothingTaken(_ wrong: Wrong) async throws {
    // Of everything there is one: whatever a refusal kept would be missing.
    let gateway = try await BookedGateway.start { plan in
      plan.provider = #""maxSessions": 1"#
      plan.limits = #""maxSessions": 1, "maxSessionsPerAddress": 1"#
      plan.access = #"""
        "apps": [{"name": "default", "maxSessions": 1}],
        "keys": [{"name": "app", "key": "env:KEY", "maxSessions": 1, "models": ["gpt-realtime"]},
                 {"name": "page", "key": "env:OTHER", "maxMinutesPerDay": 1}]
        """#
      plan.books = Bookkeeping(secondsUsed: { _ in
        let page = KeyRecord(AccessKey(name: "page", reference: .environment("OTHER"), key: Redacted("x")))
        return [(.key(id: page?.id ?? ""), 60)]
      })
    }
    for _ in 0..<3 {
      let refusal = try await gateway.answer(wrong.path, key: try wrong.key(gateway), wrong.fields)
      #expect("\(refusal)" == wrong.answer)
    }
    #expect(gateway.begun == 0)
    let served = try await gateway.session(key: BookedGateway.key)
    #expect("\(try await gateway.answer(key: BookedGateway.key))" == "503 gateway_overloaded")
    try await served.channel.close()
    _ = try await gateway.sessionWhenFree(key: BookedGateway.key)
    await gateway.stop()
  }

  @Test("of twelve that come at once over a key's two, exactly two are served", arguments: [2])
  func atOnce(most: Int) async throws {
    let gateway = try await BookedGateway.start() { plan in
      plan.access = #""keys": [{"name": "app", "key": "env:KEY", "maxSessions": \#(most)}]"#
    }
    let answers = try await withThrowingTaskGroup(of: (Int, any Channel).self) { group in
      for _ in 0..<12 {
        group.addTask {
          let socket = try await gateway.connect()
          let fields = BookedGateway.bearer(BookedGateway.key)
          try await socket.send(TestSocket.upgradeRequest(path: BookedGateway.path, fields: fields))
          return (await GateAnswer(socket.response()).status, socket.channel)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count { $0.0 == 101 } == most)
    #expect(answers.count { $0.0 == 429 } == 12 - most)
    await gateway.stop()
  }
}
