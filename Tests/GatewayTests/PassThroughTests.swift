import Access
import Envelope
import Metering
import NIOCore
import Routing
import Testing

@testable import Gateway

@Suite("Clients with a key of their own at the provider, live", .timeLimit(.minutes(2)))
struct PassThroughTests {
  private static let own = "sk-clients-own-c0ffee"
  private static let configured = "sk-provider-5ec2e7"
  private static let routes = #"{"path": "/v1/realtime", "clientKeys": true}, {"path": "/second"}"#

  private func gateway(_ notes: UsageNotes, access: String? = nil, routes: String = Self.routes)
    async throws -> BookedGateway
  {
    try await BookedGateway.start { plan in
      plan.routes = routes
      plan.provider = #""key": "env:PROVIDER", "maxSessions": 2"#
      plan.environment["PROVIDER"] = Self.configured
      plan.books = Bookkeeping(usage: notes)
      if let access { plan.access = access }
    }
  }

  @Test("the client's own key goes upstream in place of ours; no log line, record or answer has it")
  func own() async throws {
    let notes = UsageNotes()
    let gateway = try await gateway(notes)
    var requests = gateway.upstream.requests.makeAsyncIterator()
    for (number, (path, fields)) in [
      (BookedGateway.path, BookedGateway.bearer(Self.own)), (BookedGateway.path, ["api-key: \(Self.own)"]),
      (BookedGateway.path + "&token=\(Self.own)", []),
      (BookedGateway.path, ["Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.\(Self.own)"]),
    ].enumerated() {
      let others = ["X-User-Id: 7", "Cookie: a=\(Self.own)", "X-Forwarded-For: 203.0.113.9"]
      let socket = try await gateway.connect()
      try await socket.send(TestSocket.upgradeRequest(path: path, fields: fields + others))
      let answer = await GateAnswer(socket.response())
      #expect(answer.status == 101 && !answer.head.contains(Self.own))
      let head = try #require(await requests.next())
      #expect(head.contains("\r\nAuthorization: Bearer \(Self.own)\r\n"))
      #expect(head.ranges(of: Self.own).count == 1 && !head.contains(Self.configured))
      // Fault row 20: only the key, nothing else.
      for part in ["x-user-id", "cookie", "x-forwarded-for", "api-key"] { #expect(!head.lowercased().contains(part)) }
      try await socket.channel.close()
      let record = try #require(await notes.ended(number + 1))
      #expect(record.identity.mode == .ownKey && record.identity.key == nil && record.identity.keyID == nil)
      #expect(!JSONValue.object(record.json).text.contains(Self.own))
    }
    #expect(gateway.log.text.contains("session ended"))
    #expect(!gateway.log.text.contains(Self.own) && !gateway.log.text.contains(Self.configured))
    await gateway.stop()
  }

  @Test("our own keys and tokens stay ours on such a route, and use the configured key")
  func ours() async throws {
    let notes = UsageNotes()
    let gateway = try await gateway(notes)
    var requests = gateway.upstream.requests.makeAsyncIterator()
    for (number, key) in [BookedGateway.key, try gateway.token()].enumerated() {
      let socket = try await gateway.session(key: key)
      let head = try #require(await requests.next())
      #expect(head.contains("\r\nAuthorization: Bearer \(Self.configured)\r\n") && !head.contains(key))
      try await socket.channel.close()
      #expect(await notes.ended(number + 1)?.identity.mode == .managedInference)
    }
    // A token that is no good is nobody's key.
    #expect("\(try await gateway.answer(key: "ek_a.b.c"))" == "401 invalid_token")
    #expect("\(try await gateway.answer())" == "401 missing_api_key")
    await gateway.stop()
  }

  @Test("on other routes, and for other uses, such a key is none")
  func elsewhere() async throws {
    let gateway = try await gateway(UsageNotes())
    #expect("\(try await gateway.answer("/second", key: Self.own))" == "401 invalid_api_key")
    #expect("\(try await gateway.ask("GET", "/v1/models", key: Self.own))" == "401 invalid_api_key")
    #expect(
      "\(try await gateway.ask("POST", "/v1/realtime/client_secrets", key: Self.own, "{}"))" == "401 invalid_api_key")
    // A page has to be listed, as with any static key.
    let page = try await gateway.answer(key: Self.own, ["Origin: https://evil.example"])
    #expect("\(page)" == "403 origin_not_allowed")
    await gateway.stop()
  }

  @Test("a key of a store is ours: it is asked for before a key counts as the client's own")
  func stored() async throws {
    let storage = FakeStorage()
    let revoked = try storage.add("revoked")
    storage.revokeQuietly(revoked.id, at: TestClock().wall.unixTime)
    let gateway = try await BookedGateway.start { plan in
      plan.routes = Self.routes
      plan.books = Bookkeeping(keys: storage)
    }
    #expect("\(try await gateway.answer(key: revoked.key))" == "401 api_key_revoked")
    #expect("\(try await gateway.answer(key: Self.own))" == "101")
    var requests = gateway.upstream.requests.makeAsyncIterator()
    #expect(await requests.next()?.contains(Self.own) ?? false)
    // A key that may be one of the store's does not go to a provider while nobody can tell.
    storage.setAway(true)
    #expect("\(try await gateway.answer(key: Self.own))" == "503 store_unavailable")
    await gateway.stop()
  }

  @Test("the account's limits at the provider hold for clients with keys of their own, too")
  func limits() async throws {
    let gateway = try await gateway(UsageNotes())
    let live = [try await gateway.session(key: Self.own), try await gateway.session(key: BookedGateway.key)]
    #expect("\(try await gateway.answer(key: Self.own + "2"))" == "429 rate_limit_exceeded maxSessions")
    for socket in live { #expect(try await socket.isServed()) }
    await gateway.stop()
  }

  @Test("a provider whose key is absent is served with the client's")
  func absent() async throws {
    let gateway = try await BookedGateway.start { plan in
      plan.routes = Self.routes
      plan.provider = #""key": "env:ABSENT""#
    }
    #expect("\(try await gateway.answer(key: BookedGateway.key))" == "503 provider_unavailable provider")
    #expect("\(try await gateway.answer(key: Self.own))" == "101")
    await gateway.stop()
  }
}
