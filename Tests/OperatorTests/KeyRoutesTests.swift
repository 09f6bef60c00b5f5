import Access
import Envelope
import HTTPTypes
import Routing
import Testing
import Translation

@testable import Operator

@Suite("The routes of keys and apps")
struct KeyRoutesTests {
  @Test("a key is told once; afterwards neither it nor its digest is anywhere")
  func create() async throws {
    let surface = TestSurface()
    let made = try await surface.ask(
      .post, "/api/v1/keys",
      """
      {"name":"shop","prefix":"sk-","expires_in":60,"providers":["gemini"],"models":["gemini-*"],
       "origins":["https://app.example"],"limits":{"maxSessions":3,"maxMinutesPerDay":1.5},"dialect":"beta",
       "deltaField":"both","metadata":{"team":"a"}}
      """)
    #expect(made.status == 201, "\(made.text)")
    let key = try #require(made.json["key"]?.string)
    #expect(key.hasPrefix("sk-") && key.utf8.count == 3 + 43)
    #expect(made.json["expires_at"]?.int == TestSurface.now + 60)
    #expect(made.json["limits"] == ["maxSessions": 3, "maxMinutesPerDay": 1.5])
    #expect(made.headers[.cacheControl] == "no-store")
    #expect(surface.books.changes == 1, "what is remembered of the store is read anew")
    let listed = try await surface.ask(.get, "/api/v1/keys")
    #expect(listed.status == 200 && listed.json["data"]?.array?.count == 1)
    #expect(listed.json["data"]?[0]?["name"] == "shop" && listed.json["data"]?[0]?["source"] == "store")
    let digest = try #require(surface.books.storedKeys.first).digest.hex
    #expect(!listed.text.contains(key) && !listed.text.contains(digest) && !made.text.contains(digest))
    #expect(try await surface.books.key(with: KeyDigest(of: Redacted(key)))?.name == "shop")
  }

  @Test("a member that is null counts as absent")
  func nulls() async throws {
    let surface = TestSurface()
    let made = try await surface.ask(
      .post, "/api/v1/keys",
      """
      {"name":"shop","prefix":null,"app":null,"expires_at":null,"expires_in":null,"publishable":null,"providers":null,
       "models":null,"origins":null,"limits":null,"dialect":null,"deltaField":null,"metadata":null}
      """)
    #expect(made.status == 201, "\(made.text)")
    let event = #"{"modality":"text","id":null,"key":null,"tokens":{"input":null},"metadata":null}"#
    #expect(try await surface.ask(.post, "/api/v1/usage/events", event).status == 201)
    for path in ["client_secrets", "sessions"] {
      let body = #"{"session":null,"client_secret":null,"expires_after":null,"provider":null,"origins":null}"#
      #expect(try await surface.ask(.post, "/v1/realtime/\(path)", body, key: FakeTokenDesk.key).status == 200)
    }
  }

  @Test("a revocation is told once and holds; a name is free again after it")
  func revoke() async throws {
    let surface = TestSurface()
    let made = try await surface.ask(.post, "/api/v1/keys", #"{"name":"shop"}"#)
    let id = try #require(made.json["id"]?.string)
    let taken = try await surface.ask(.post, "/api/v1/keys", #"{"name":"shop"}"#)
    #expect(taken.status == 409 && taken.code == "name_taken" && taken.param == "name")
    for _ in 0..<2 {
      let revoked = try await surface.ask(.delete, "/api/v1/keys/\(id)")
      #expect(revoked.status == 200)
      #expect(revoked.json == ["id": .string(id), "object": "key", "revoked_at": .number(JSONNumber(TestSurface.now))])
    }
    #expect(try await surface.ask(.post, "/api/v1/keys", #"{"name":"shop"}"#).status == 201)
    let missing = try await surface.ask(.delete, "/api/v1/keys/key_0000000000000000")
    #expect(missing.status == 404 && missing.code == "key_not_found")
  }

  @Test("keys and apps of the configuration are shown and left alone")
  func configured() async throws {
    let surface = TestSurface(
      keys: [
        AccessKey(
          name: "desk", reference: try #require(SecretReference("env:DESK")), key: Redacted("hyb_configured-key"))
      ], apps: [App(name: "shop")])
    let listed = try await surface.ask(.get, "/api/v1/keys")
    let id = try #require(listed.json["data"]?[0]?["id"]?.string)
    #expect(listed.json["data"]?[0]?["source"] == "configuration")
    #expect(!listed.text.contains("hyb_configured-key"))
    let refused = try await surface.ask(.delete, "/api/v1/keys/\(id)")
    #expect(refused.status == 409 && refused.code == "key_is_configured")
    #expect(try await surface.ask(.post, "/api/v1/keys", #"{"name":"desk"}"#).code == "name_taken")
    for (method, path, body) in [
      (HTTPRequest.Method.post, "/api/v1/apps", #"{"name":"shop"}"# as String?), (.delete, "/api/v1/apps/shop", nil),
    ] {
      let refused = try await surface.ask(method, path, body)
      #expect(refused.status == 409 && refused.code == "app_is_configured")
    }
  }

  @Test("apps are made, replaced, listed and removed, but not under the feet of their keys")
  func apps() async throws {
    let surface = TestSurface()
    let unknown = try await surface.ask(.post, "/api/v1/keys", #"{"name":"till","app":"shop"}"#)
    #expect(unknown.status == 400 && unknown.param == "app")
    let made = try await surface.ask(.post, "/api/v1/apps", #"{"name":"shop","limits":{"maxSessions":2}}"#)
    #expect(made.status == 201 && made.json["object"] == "app" && made.json["source"] == "store")
    #expect(try await surface.ask(.post, "/api/v1/apps", #"{"name":"shop","models":["a"]}"#).status == 200)
    let listed = try await surface.ask(.get, "/api/v1/apps")
    #expect(listed.json["data"]?.array?.compactMap { $0["name"]?.string } == ["default", "shop"])
    #expect(listed.json["data"]?[1]?["limits"] == [:], "it was replaced, not merged")
    let key = try await surface.ask(.post, "/api/v1/keys", #"{"name":"till","app":"shop"}"#)
    #expect(key.status == 201)
    #expect(try await surface.ask(.get, "/api/v1/keys?app=shop").json["data"]?.array?.count == 1)
    #expect(try await surface.ask(.get, "/api/v1/keys?app=default").json["data"]?.array?.isEmpty == true)
    let held = try await surface.ask(.delete, "/api/v1/apps/shop")
    #expect(held.status == 409 && held.code == "app_has_keys")
    _ = try await surface.ask(.delete, "/api/v1/keys/\(try #require(key.json["id"]?.string))")
    #expect(try await surface.ask(.delete, "/api/v1/apps/shop").status == 200)
    let gone = try await surface.ask(.delete, "/api/v1/apps/shop")
    #expect(gone.status == 404 && gone.code == "app_not_found")
  }

  @Test("without a store the configuration is shown, and nothing can be made")
  func noStore() async throws {
    let surface = TestSurface(hasStore: false)
    #expect(try await surface.ask(.get, "/api/v1/keys").status == 200)
    #expect(try await surface.ask(.get, "/api/v1/apps").status == 200)
    for (path, body) in [("/api/v1/keys", #"{"name":"a"}"#), ("/api/v1/apps", #"{"name":"a"}"#)] {
      let answer = try await surface.ask(.post, path, body)
      #expect(answer.status == 501 && answer.code == "no_key_store")
    }
    #expect(try await surface.ask(.delete, "/api/v1/keys/key_0000000000000000").status == 404)
  }

  @Test(
    "an order that no key can have changes nothing",
    arguments: [
      (#"{}"#, "name"), (#"{"name":""}"#, "name"), (#"{"name":"a b"}"#, "name"), (#"{"name":7}"#, "name"),
      (#"{"name":"a","prefix":"ek_"}"#, "prefix"), (#"{"name":"a","prefix":"nodash"}"#, "prefix"),
      (#"{"name":"a","expires_at":1}"#, "expires_at"), (#"{"name":"a","expires_in":0}"#, "expires_in"),
      (#"{"name":"a","expires_in":1,"expires_at":9999999999}"#, "expires_in"),
      (#"{"name":"a","publishable":"yes"}"#, "publishable"), (#"{"name":"a","providers":[]}"#, "providers"),
      (#"{"name":"a","models":["a*b"]}"#, "models"), (#"{"name":"a","origins":["app.example"]}"#, "origins"),
      (#"{"name":"a","limits":{"maxSessions":0}}"#, "limits.maxSessions"),
      (#"{"name":"a","limits":{"maxSessions":1.5}}"#, "limits.maxSessions"),
      (#"{"name":"a","limits":{"maxFoo":1}}"#, "limits.maxFoo"), (#"{"name":"a","limits":7}"#, "limits"),
      (#"{"name":"a","dialect":"klingon"}"#, "dialect"), (#"{"name":"a","deltaField":"all"}"#, "deltaField"),
      (#"{"name":"a","metadata":[]}"#, "metadata"), (#"{"name":"a","metadata":{"a":"\u0000"}}"#, "metadata"),
      (#"{"name":"a","colour":"red"}"#, "colour"),
    ])
  func wrong(body: String, param: String) async throws {
    let surface = TestSurface()
    let answer = try await surface.ask(.post, "/api/v1/keys", body)
    #expect(answer.status == 400)
    #expect(answer.param == param, "\(answer.text)")
    #expect(surface.books.storedKeys.isEmpty && surface.books.changes == 0)
  }
}
