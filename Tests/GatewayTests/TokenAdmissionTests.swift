import Access
import Envelope
import Metering
import NIOCore
import Routing
import Testing

@testable import Gateway

@Suite("Ephemeral tokens at the gate, live", .serialized, .timeLimit(.minutes(2)))
struct TokenAdmissionTests {
  @Test("R054, R055: a token opens a session by header, query and subprotocol, and is in no log and goes nowhere")
  func places() async throws {
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start { $0.books = Bookkeeping(usage: notes) }
    let token = try gateway.token()
    var requests = gateway.upstream.requests.makeAsyncIterator()
    for (path, fields) in [
      (BookedGateway.path, BookedGateway.bearer(token)), (BookedGateway.path + "&token=\(token)", []),
      (BookedGateway.path, ["Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.\(token)"]),
    ] {
      let socket = try await gateway.connect()
      try await socket.send(TestSocket.upgradeRequest(path: path, fields: fields))
      let answer = await GateAnswer(socket.response())
      #expect(answer.status == 101 && !answer.head.contains(token))
      #expect(try #require(await requests.next()).contains(token) == false)
      try await socket.channel.close()
    }
    for number in 1...3 {
      let record = try #require(await notes.ended(number))
      #expect(record.identity.tokenID != nil && !JSONValue.object(record.json).text.contains(token))
    }
    #expect(gateway.log.text.contains("session ended") && !gateway.log.text.contains(token))
    await gateway.stop()
  }

  @Test(
    "fault row 16: a token is refused after its end, at another provider or route, and over its sessions; running sessions go on"
  )
  func row16() async throws {
    let gateway = try await BookedGateway.start()
    let twice = try gateway.token { claims in
      claims.maxSessions = 2
      claims.provider = "main"
      claims.route = "/v1/realtime"
    }
    let running = try await gateway.session(key: twice)
    // What is refused takes nothing of what it carries.
    for (path, expected) in [
      ("/v1/realtime?provider=other", "401 token_not_for_this provider"),
      ("/v1/realtime?provider=nobody", "401 token_not_for_this provider"),
      ("/second?model=gpt-realtime", "401 token_not_for_this path"),
    ] {
      let refusal = try await gateway.answer(path, key: twice)
      #expect("\(refusal)" == expected)
      #expect(refusal.field("WWW-Authenticate") == "Bearer error=\"invalid_token\"")
      #expect(!refusal.body.contains(twice))
    }
    // The end of one is no beginning of another.
    let second = try await gateway.session("/v1/realtime/", key: twice)
    try await second.channel.close()
    for _ in 0..<3 { #expect("\(try await gateway.answer(key: twice))" == "401 token_used_up") }
    // Another token counts for itself, and one without that claim starts as many as it likes.
    #expect("\(try await gateway.answer(key: try gateway.token { $0.maxSessions = 1 }))" == "101")
    let endless = try gateway.token()
    for _ in 0..<4 { #expect("\(try await gateway.answer(key: endless))" == "101") }
    gateway.clock.advance(seconds: 299)
    #expect("\(try await gateway.answer(key: endless))" == "101")
    gateway.clock.advance(seconds: 1)
    #expect("\(try await gateway.answer(key: endless))" == "401 token_expired")
    #expect("\(try await gateway.answer(key: twice))" == "401 token_expired")
    #expect(try await running.isServed())
    await gateway.stop()
  }

  @Test("R133: a bad token leaves the count of sessions as it was")
  func count() async throws {
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start { $0.books = Bookkeeping(usage: notes) }
    let good = try gateway.token()
    let served = try await gateway.session(key: good)
    #expect(gateway.begun == 1)
    let bad = [
      (String(good.dropLast(2)), "401 invalid_token"), ("ek_a.b.c", "401 invalid_token"),
      ("ek_\(good)", "401 invalid_token"),
      (try gateway.token { $0.expiresAt = $0.issuedAt - 1 }, "401 token_expired"),
      (try gateway.token { $0.notBefore += 3_600 }, "401 token_not_yet_valid"),
      (try gateway.token { $0.audience = ["somebody"] }, "401 invalid_token"),
      (try gateway.token { $0.issuer = "somebody" }, "401 invalid_token"),
    ]
    for (token, expected) in bad { #expect("\(try await gateway.answer(key: token))" == expected) }
    #expect(gateway.begun == 1)
    let refused = gateway.metrics.counts.filter { $0.key.hasPrefix("parley_sessions_refused_total") }
    #expect(
      refused == [
        "parley_sessions_refused_total reason=invalid_token": 5,
        "parley_sessions_refused_total reason=token_expired": 1,
        "parley_sessions_refused_total reason=token_not_yet_valid": 1,
      ])
    // Nobody was asked for a session but once, and there is one record.
    try await served.channel.close()
    _ = await notes.ended()
    await gateway.stop()
    #expect(notes.all.count { $0.state == .ended } == 1)
    #expect(gateway.log.text.ranges(of: "session began").count == 1)
  }

  @Test("R282: a pinned provider and the query must not fight")
  func pins() async throws {
    let gateway = try await BookedGateway.start()
    let provider = try gateway.token { $0.provider = "main" }
    for (query, expected) in [
      ("", "101"), ("?provider=main", "101"), ("?provider=vowel-prime", "101"), ("?provider=", "101"),
      ("?model=other/gpt-realtime", "101"), ("?provider=other", "401 token_not_for_this provider"),
      ("?provider=main&model=other/gpt-realtime", "101"),
    ] {
      #expect("\(try await gateway.answer("/v1/realtime\(query)", key: provider))" == expected, "\(query)")
    }
    #expect(gateway.metrics.counts["parley_sessions_total provider=other"] == nil)
    // Without a pin the query says.
    #expect("\(try await gateway.answer("/v1/realtime?provider=other", key: try gateway.token()))" == "101")
    #expect(gateway.metrics.counts["parley_sessions_total provider=other"] == 1)
    await gateway.stop()
  }

  @Test("a pinned model wins over the query's, and nothing that the session says changes it")
  func model() async throws {
    let gateway = try await BookedGateway.start()
    let token = try gateway.token { claims in
      claims.model = "gpt-realtime-mini"
      claims.session = ["instructions": "Be brief."]
    }
    let socket = try await gateway.connect()
    try #require(try await socket.upgrade(path: BookedGateway.path, fields: BookedGateway.bearer(token)))
    let created = try #require(await socket.message())
    #expect(created.contains(#""model":"gpt-realtime-mini""#) && created.contains("Be brief."))
    var requests = gateway.upstream.requests.makeAsyncIterator()
    #expect(await requests.next()?.hasPrefix("GET /v1/realtime?model=gpt-realtime-mini HTTP/1.1\r\n") ?? false)
    await gateway.stop()
  }

  @Test("a token goes with the key that it was made with, as far as that is known here")
  func parent() async throws {
    let storage = FakeStorage()
    let now = TestClock().wall.unixTime
    let made = try storage.add("made") { $0.limits = HolderLimits(maxSessions: 1) }
    let revoked = try storage.add("revoked")
    storage.revokeQuietly(revoked.id, at: now)
    let over = try storage.add("over", at: now - 60) { $0.expiresAt = now }
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start { $0.books = Bookkeeping(usage: notes, keys: storage) }
    func answer(_ keyID: String) async throws -> String {
      "\(try await gateway.answer(key: try gateway.token { $0.keyID = keyID }))"
    }
    #expect(try await answer(revoked.id) == "401 api_key_revoked")
    #expect(try await answer(over.id) == "401 api_key_expired")
    #expect(try await answer("key_of_another_engine") == "101")
    _ = await notes.ended()
    let live = try await gateway.session(
      key: try gateway.token {
        $0.key = "made"
        $0.keyID = made.id
      })
    #expect(try await answer(made.id) == "429 rate_limit_exceeded maxSessions")
    #expect(try await gateway.answer(key: made.key).status == 429)
    try await live.channel.close()
    let identity = try #require(await notes.ended(2)).identity
    #expect(identity.key == "made" && identity.keyID == made.id && identity.tokenID != nil)
    await gateway.stop()
  }

  @Test("R008: a token opens sessions and lists, mints no other and speaks no text")
  func uses() async throws {
    let gateway = try await BookedGateway.start()
    let token = try gateway.token()
    #expect(try await gateway.ask("GET", "/v1/models", key: token).status == 200)
    #expect("\(try await gateway.ask("GET", "/v1/models", key: "ek_a.b.c"))" == "401 invalid_token")
    for path in ["/v1/realtime/client_secrets", "/v1/audio/speech"] {
      #expect("\(try await gateway.ask("POST", path, key: token, "{}"))" == "401 token_not_for_this use", "\(path)")
    }
    #expect(try await gateway.ask("GET", "/api/v1/keys", key: token).status == 403)
    await gateway.stop()
  }

  @Test("a token that asks for silence to end its session has that, and its minutes")
  func idle() async throws {
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start { $0.books = Bookkeeping(usage: notes) }
    let socket = try await gateway.session(key: try gateway.token { $0.idleSeconds = 0.3 })
    let (texts, code) = await socket.ending()
    #expect(code == 1000 && texts.last?.contains(#""code":"session_idle""#) ?? false)
    #expect(await notes.ended()?.end == "session_idle")
    await gateway.stop()
  }

  @Test("R060: what the gateway mints it takes, and whoever may not mint is told so")
  func minted() async throws {
    let gateway = try await BookedGateway.start { $0.environment["ENGINE_API_KEY"] = BookedGateway.admin }
    let order = #"{"session": {"type": "realtime", "model": "gpt-realtime-mini"}, "max_sessions": 1}"#
    for key in [BookedGateway.key, BookedGateway.admin] {
      let answer = try await gateway.ask("POST", "/v1/realtime/client_secrets", key: key, order)
      #expect(answer.status == 200)
      let start = try #require(answer.body.firstRange(of: #""value":"ek_"#))
      let token = "ek_" + String(answer.body[start.upperBound...].prefix { $0 != "\"" })
      #expect("\(try await gateway.answer(key: token))" == "101")
      #expect("\(try await gateway.answer(key: token))" == "401 token_used_up")
    }
    // The operator's key opens no session.
    #expect("\(try await gateway.answer(key: BookedGateway.admin))" == "401 invalid_api_key")
    #expect("\(try await gateway.ask("POST", "/v1/realtime/client_secrets", order))" == "401 missing_api_key")
    await gateway.stop()
  }
}
