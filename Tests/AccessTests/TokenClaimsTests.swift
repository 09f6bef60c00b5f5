import ParleyTesting
import Crypto
import Envelope
import Routing
import Testing
import Translation

@testable import Access

private struct WrongClaim: Sendable, CustomTestStringConvertible {
  var name: String
  var fault: TokenFault
  var change: @Sendable (inout JSONObject) -> Void

  init(_ name: String, _ fault: TokenFault = .malformed, _ change: @escaping @Sendable (inout JSONObject) -> Void) {
    self.name = name
    self.fault = fault
    self.change = change
  }

  var testDescription: String { name }
}

private func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

private let wrongKinds: [WrongClaim] = [
  "iss", "aud", "jti", "iat", "nbf", "exp", "sub", "key", "key_id", "app", "provider", "model", "providers", "models",
  "purpose", "session", "route", "origins", "dialect", "deltaField", "maxSessions", "maxMinutesPerSession",
  "idleSeconds",
].flatMap { name in
  [("null", JSONValue.null), ("false", .bool(false)), ("a number below all", number(-1)), ("an odd list", [1, "x"])].map
  { kind, value in
    WrongClaim("\(name) is \(kind)") { $0[name] = value }
  }
}

private let wrong: [WrongClaim] =
  ["iss", "aud", "jti", "iat", "nbf", "exp"].map { name in
    WrongClaim("no \(name)") { $0[name] = nil }
  } + [
    WrongClaim("another issuer", .wrongIssuer) { $0["iss"] = "Parley" },
    WrongClaim("an empty issuer", .wrongIssuer) { $0["iss"] = "" },
    WrongClaim("another audience", .wrongAudience) { $0["aud"] = "parley2" },
    WrongClaim("other audiences", .wrongAudience) { $0["aud"] = ["a", "b"] },
    WrongClaim("no audience in the list") { $0["aud"] = [] },
    WrongClaim("an empty jti") { $0["jti"] = "" },
    WrongClaim("a long jti") { $0["jti"] = .string(String(repeating: "j", count: 129)) },
    WrongClaim("expired", .expired) { $0["exp"] = number(now) },
    WrongClaim("exp with a fraction") { $0["exp"] = .number(JSONNumber(Double(now) + 10.5)) },
    WrongClaim("exp beyond all time") { $0["exp"] = number(.max) },
    WrongClaim("exp as text") { $0["exp"] = .string("\(now + 100)") },
    WrongClaim("not valid yet", .notYetValid) { $0["nbf"] = number(now + 31) },
    WrongClaim("from the future", .notYetValid) { $0["iat"] = number(now + 31) },
    WrongClaim("a life too long", .livesTooLong) { $0["exp"] = number(now + 7_201) },
    WrongClaim("an end before its beginning", .livesTooLong) { object in
      object["iat"] = number(now + 20)
      object["exp"] = number(now + 20)
    },
    WrongClaim("an unknown purpose") { $0["purpose"] = "other" },
    WrongClaim("a provider with a slash") { $0["provider"] = "a/b" },
    WrongClaim("an empty model") { $0["model"] = "" },
    WrongClaim("a session that is a text") { $0["session"] = "x" },
    WrongClaim("no page in the list") { $0["origins"] = [] },
    WrongClaim("a page that is none") { $0["origins"] = ["https://good.example/"] },
    WrongClaim("an unknown dialect") { $0["dialect"] = "auto" },
    WrongClaim("an unknown deltaField") { $0["deltaField"] = "audio" },
    WrongClaim("no sessions") { $0["maxSessions"] = 0 },
    WrongClaim("half a session") { $0["maxSessions"] = 1.5 },
    WrongClaim("no minutes") { $0["maxMinutesPerSession"] = 0 },
    WrongClaim("no seconds") { $0["idleSeconds"] = 0 },
  ]

private let full = claims {
  $0.subject = "key:app"
  $0.key = "app"
  $0.keyID = "key_9f86d081884c7d65"
  $0.provider = "gemini"
  $0.model = "gemini-3.8-live"
  $0.providers = ["gem*"]
  $0.models = ["gemini-3.8-live", "gemini-*"]
  $0.session = ["instructions": "\u{201E}Guten Tag\u{201C} \0", "audio": ["output": ["voice": "marin"]]]
  $0.route = "/v1/realtime"
  $0.origins = ["https://app.example"].compactMap { OriginPattern($0) }
  $0.dialect = .beta
  $0.deltaField = .deltaAndAudio
  $0.maxSessions = 3
  $0.maxMinutesPerSession = 0.5
  $0.idleSeconds = 600
}

@Suite("Claims of tokens")
struct TokenClaimsTests {
  @Test(
    "fault row 14: missing, wrong, malformed, expired, not yet valid, of another audience: 401 with a class and no hint",
    arguments: wrong + wrongKinds)
  private func wrongClaim(_ claim: WrongClaim) throws {
    var json = full.json
    claim.change(&json)
    let ring = tokenRing()
    let name = try #require(ring.signer(of: try ring.mint(full)))
    let token = try SignedToken.text(claims: json, key: .hmac(name: name, SymmetricKey(data: Array(tokenSecret.utf8))))
    #expect(throws: claim.fault) { try ring.verify(token, at: now) }
    let refusal = AccessRefusal.token(claim.fault)
    #expect(refusal.status == 401)
    let text = refusal.message(contact: "")
    #expect(["The token is not valid.", "The token has expired.", "The token is not valid yet."].contains(text))
  }

  @Test("claims there and back, in their order; unknown ones say nothing")
  func thereAndBack() throws {
    let ring = tokenRing()
    #expect(try ring.verify(ring.mint(full), at: now) == full)
    #expect(try ring.verify(ring.mint(claims()), at: now) == claims())
    #expect(
      full.json.keys == [
        "iss", "aud", "sub", "jti", "iat", "nbf", "exp", "key", "key_id", "app", "provider", "model", "providers",
        "models", "purpose", "session", "route", "origins", "dialect", "deltaField", "maxSessions",
        "maxMinutesPerSession", "idleSeconds",
      ])
    #expect(claims().json.keys == ["iss", "aud", "jti", "iat", "nbf", "exp", "app", "purpose"])
    var json = full.json
    json["scope"] = ["x": 1]
    json["aud"] = ["other", "parley"]
    var expected = full
    expected.audience = ["other", "parley"]
    #expect(try TokenClaims(json: json) == expected)
    try expected.check(at: now, settings: TokenSettings())
  }

  @Test("the end is sharp, the beginning has 30 s")
  func times() throws {
    let settings = TokenSettings()
    func isGood(_ time: Int, _ change: (inout TokenClaims) -> Void = { _ in }) -> Bool {
      (try? claims(change: change).check(at: time, settings: settings)) != nil
    }
    let end = now + 300
    #expect(isGood(end - 1))
    #expect(!isGood(end) && !isGood(end + 1))
    #expect(isGood(now - 30) && !isGood(now - 31))
    #expect(isGood(now) { $0.notBefore = now + 29 } && isGood(now) { $0.notBefore = now + 30 })
    #expect(!isGood(now) { $0.notBefore = now + 31 })
    #expect(isGood(now) { $0.issuedAt = now + 29 } && !isGood(now) { $0.issuedAt = now + 31 })
    // A clock one hour off, either way.
    #expect(!isGood(now - 3_600) && !isGood(now + 3_600))
    var strict = settings
    strict.skewSeconds = 0
    #expect(throws: TokenFault.notYetValid) { try claims().check(at: now - 1, settings: strict) }
    try claims().check(at: now, settings: strict)
  }

  @Test("a token lives as long as it is told to, within the bounds, and has a name of 128 random bits")
  func dating() {
    func life(_ seconds: Int?) -> Int {
      var random = SplitMix64(seed: 1)
      var claims = TokenClaims()
      claims.date(at: now, lasting: seconds, settings: TokenSettings(), random: &random)
      #expect(claims.issuedAt == now && claims.notBefore == now)
      return claims.expiresAt - now
    }
    #expect(life(nil) == 300 && life(1) == 1 && life(0) == 1 && life(7_200) == 7_200 && life(90_000) == 7_200)
    var names: Set<String> = []
    for seed in 0..<100 {
      let name = claims(seed: UInt64(seed)).id
      #expect(name.utf8.count == 22 && Base64URL.decoded(name[...])?.count == 16)
      names.insert(name)
    }
    #expect(names.count == 100)
  }
}
