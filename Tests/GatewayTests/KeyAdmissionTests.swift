import Access
import Envelope
import Metering
import Routing
import Testing

@testable import Gateway

@Suite("Keys of the configuration and of a store, live", .serialized, .timeLimit(.minutes(2)))
struct KeyAdmissionTests {
  private func gateway(_ storage: FakeStorage, _ access: String? = nil) async throws -> BookedGateway {
    try await BookedGateway.start { plan in
      plan.books = Bookkeeping(keys: storage)
      if let access { plan.access = access }
      plan.environment["ENGINE_API_KEY"] = BookedGateway.admin
    }
  }

  @Test("R009: a key of the store opens a session; one that is unknown, revoked or over is 401 and says no more")
  func classes() async throws {
    let storage = FakeStorage()
    let now = TestClock().wall.unixTime
    let good = try storage.add("good")
    let over = try storage.add("over", at: now - 60) { $0.expiresAt = now - 1 }
    let short = try storage.add("short") { $0.expiresAt = now + 60 }
    let revoked = try storage.add("revoked")
    storage.revokeQuietly(revoked.id, at: now - 1)
    let gateway = try await gateway(storage)
    for (key, expected) in [
      (good.key, "101"), (short.key, "101"), (over.key, "401 api_key_expired"), (revoked.key, "401 api_key_revoked"),
      (good.key + "x", "401 invalid_api_key"), (String(good.key.dropLast()), "401 invalid_api_key"),
      (BookedGateway.key, "101"), ("hyb_unknown", "401 invalid_api_key"),
    ] {
      let answer = try await gateway.answer(key: key)
      #expect("\(answer)" == expected)
      #expect(answer.status == 101 || answer.field("WWW-Authenticate") == "Bearer")
      #expect(!answer.body.contains(key))
      #expect(answer.status == 101 || answer.body.contains("Ask ops@example.test."))
    }
    // The same key, a minute later.
    gateway.clock.advance(seconds: 60)
    #expect("\(try await gateway.answer(key: short.key))" == "401 api_key_expired")
    for key in [good.key, over.key, short.key, revoked.key] { #expect(!gateway.log.text.contains(key)) }
    #expect(gateway.metrics.counts["parley_sessions_refused_total reason=api_key_revoked"] == 1)
    await gateway.stop()
  }

  @Test("a key that another process revokes is refused at the next connect, and its session goes on")
  func revoked() async throws {
    let storage = FakeStorage()
    let made = try storage.add("app-of-the-store")
    let gateway = try await gateway(storage)
    let running = try await gateway.session(key: made.key)
    storage.revokeQuietly(made.id, at: gateway.clock.wall.unixTime)
    #expect("\(try await gateway.answer(key: made.key))" == "401 api_key_revoked")
    #expect(try await running.isServed())
    await gateway.stop()
  }

  @Test("a store that is away: whom it has told of is let in, whom only it could know is 503, and others are as before")
  func away() async throws {
    let storage = FakeStorage()
    let now = TestClock().wall.unixTime
    let known = try storage.add("known")
    let revoked = try storage.add("revoked")
    storage.revokeQuietly(revoked.id, at: now)
    let over = try storage.add("over", at: now - 60) { $0.expiresAt = now - 1 }
    let gateway = try await gateway(storage)
    let late = try storage.add("late")
    storage.setAway(true)
    #expect("\(try await gateway.answer(key: known.key))" == "101")
    #expect("\(try await gateway.answer(key: revoked.key))" == "401 api_key_revoked")
    #expect("\(try await gateway.answer(key: over.key))" == "401 api_key_expired")
    let unknown = try await gateway.answer(key: late.key)
    #expect("\(unknown)" == "503 store_unavailable" && unknown.field("Retry-After") == "5")
    #expect("\(try await gateway.answer(key: BookedGateway.key))" == "101")
    #expect("\(try await gateway.answer(key: try gateway.token()))" == "101")
    #expect("\(try await gateway.answer())" == "401 missing_api_key")
    #expect(gateway.log.text.ranges(of: "the store of keys does not answer").count == 1)
    storage.setAway(false)
    #expect("\(try await gateway.answer(key: late.key))" == "101")
    #expect(gateway.log.text.contains("the store of keys answers again"))
    await gateway.stop()
  }

  @Test("a store that was never there opens nothing: who shows a key is 503, who shows none is 401")
  func awayFromTheBeginning() async throws {
    let storage = FakeStorage()
    storage.setAway(true)
    let made = try storage.add("made")
    let gateway = try await gateway(storage, "")
    #expect("\(try await gateway.answer(key: made.key))" == "503 store_unavailable")
    #expect("\(try await gateway.answer())" == "401 missing_api_key")
    storage.setAway(false)
    #expect("\(try await gateway.answer(key: made.key))" == "101")
    await gateway.stop()
  }

  @Test("a server without keys serves its own machine until the first key is made, and not again when that is revoked")
  func firstKey() async throws {
    let gateway = try await gateway(FakeStorage(), "")
    #expect("\(try await gateway.answer())" == "101")
    #expect("\(try await gateway.answer(key: "sk-any"))" == "101")
    let made = try await gateway.ask("POST", "/api/v1/keys", key: BookedGateway.admin, #"{"name": "first"}"#)
    #expect(made.status == 201)
    let key = try #require(Self.member("key", of: made.body))
    let id = try #require(Self.member("id", of: made.body))
    #expect("\(try await gateway.answer())" == "401 missing_api_key")
    #expect("\(try await gateway.answer(key: "sk-any"))" == "401 invalid_api_key")
    #expect("\(try await gateway.answer(key: key))" == "101")
    #expect(try await gateway.ask("DELETE", "/api/v1/keys/\(id)", key: BookedGateway.admin).status == 200)
    #expect("\(try await gateway.answer(key: key))" == "401 api_key_revoked")
    #expect("\(try await gateway.answer())" == "401 missing_api_key")
    await gateway.stop()
  }

  private static func member(_ name: String, of json: String) -> String? {
    let start = json.firstRange(of: "\"\(name)\":\"")
    return start.map { String(json[$0.upperBound...].prefix { $0 != "\"" }) }
  }

  @Test("a publishable key opens no session; a key opens what it and its app may use, and nothing else")
  func allowances() async throws {
    let storage = FakeStorage()
    storage.add(App(name: "shop", models: ["gpt-realtime*"]))
    let publishable = try storage.add("page-key") { $0.prefix = "vkey_" }
    let narrow = try storage.add("narrow") {
      $0.app = "shop"
      $0.providers = ["ma*"]
    }
    let gateway = try await gateway(storage)
    let path = "/v1/realtime?provider="
    #expect("\(try await gateway.answer(key: publishable.key))" == "403 key_not_allowed")
    #expect("\(try await gateway.answer(path + "main&model=gpt-realtime-mini", key: narrow.key))" == "101")
    #expect("\(try await gateway.answer(path + "other", key: narrow.key))" == "403 provider_not_allowed provider")
    #expect(
      "\(try await gateway.answer(path + "main&model=gpt-4o-realtime", key: narrow.key))"
        == "403 model_not_allowed model")
    // A token of that app is held to the same.
    let token = try gateway.token { $0.app = "shop" }
    #expect("\(try await gateway.answer(path + "other&model=gpt-realtime", key: token))" == "101")
    #expect(
      "\(try await gateway.answer(path + "main&model=gpt-4o-realtime", key: token))" == "403 model_not_allowed model")
    await gateway.stop()
  }

  @Test("the usage of a session is booked on its key, with what the operator wrote beside it")
  func booked() async throws {
    let notes = UsageNotes()
    let gateway = try await BookedGateway.start { plan in
      plan.books = Bookkeeping(usage: notes, instance: "a")
      plan.access = """
        "keys": [{"name": "app", "key": "env:KEY", "app": "shop", "metadata": {"customer": 7}}], "apps": [{"name": "shop"}]
        """
    }
    _ = try await gateway.answer(key: BookedGateway.key)
    let record = try #require(await notes.ended())
    let identity = record.identity
    #expect(identity.key == "app" && identity.app == "shop" && identity.provider == "main" && identity.kind == "openai")
    #expect(identity.keyID?.hasPrefix("key_") ?? false && identity.tokenID == nil && identity.instance == "a")
    #expect(identity.mode.rawValue == "managed_inference" && identity.metadata["customer"] == 7)
    #expect(identity.startedAt == gateway.clock.wall.now() && record.modality == "voice_realtime")
    await gateway.stop()
  }
}
