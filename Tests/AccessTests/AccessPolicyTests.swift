import ParleyTesting
import Crypto
import Envelope
import Routing
import Testing
import Translation

@testable import Access

private let open = policy(AccessTable())
private let keyed = policy(keys: [key("app", "hyb_right"), key("page", "vkey_page")]) {
  $0.admin = Redacted("the-operator")
}

private func token(_ change: (inout TokenClaims) -> Void = { _ in }) throws -> [(name: String, value: String)] {
  bearer(try tokenRing().mint(claims(change: change)).reveal())
}

@Suite("Who may use what")
struct AccessPolicyTests {
  @Test("Without keys, loopback is anonymous whatever it shows, and others are refused")
  func anonymous() throws {
    for headers in [
      [], bearer("sk-whatever"), bearer("ek_your_ephemeral_token"), [(name: "Authorization", value: "Basic x")],
    ] {
      #expect(try admit(open, headers, isLoopback: true)?.principal == .anonymous)
      #expect(throws: AccessRefusal.remoteWithoutKeys) { try admit(open, headers) }
    }
  }

  @Test("Q1: a key brings how its holder is talked to; its form says it where the configuration does not")
  func preferences() throws {
    let beta = WirePreference(dialect: .fixed(.beta))
    let policy = policy(
      keys: [
        key("app", "hyb_right"), key("plain", "sk-1"),
        key("old", "hyb_old") { $0.preference = beta },
        key("new", "hyb_new") { $0.preference = WirePreference(deltaFields: .delta) },
        key("member", "hyb_member") { $0.app = "shop" },
      ]
    ) { $0.apps = [App(name: "shop", preference: WirePreference(dialect: .fixed(.ga), deltaFields: .delta))] }
    func preference(_ value: String) throws -> WirePreference? { try admit(policy, bearer(value))?.preference }
    #expect(try preference("hyb_right") == WirePreference(deltaFields: .deltaAndAudio))
    #expect(try preference("sk-1") == WirePreference())
    #expect(try preference("hyb_old") == WirePreference(dialect: .fixed(.beta), deltaFields: .deltaAndAudio))
    #expect(try preference("hyb_new") == WirePreference(deltaFields: .delta))
    #expect(try preference("hyb_member") == WirePreference(dialect: .fixed(.ga), deltaFields: .delta))
  }

  @Test("Q1: an anonymous client's key opens nothing, and its form says what carries audio, wherever it stands")
  func anonymousPreferences() throws {
    func fields(_ headers: [(name: String, value: String)], _ query: String = "") throws -> AudioDeltaWriter.Fields? {
      try admit(open, headers, "/v1/realtime" + query, isLoopback: true)?.preference.deltaFields
    }
    #expect(try fields(bearer("hyb_anything")) == .deltaAndAudio)
    #expect(try fields([(name: "X-API-Key", value: "hyb_anything")]) == .deltaAndAudio)
    #expect(try fields([], "?token=hyb_anything") == .deltaAndAudio)
    #expect(try fields(bearer("sk-anything")) == nil)
    #expect(try fields(bearer("HYB_anything")) == nil)
    #expect(try fields([]) == nil)
    // What is no credential is no fault here.
    #expect(try fields([(name: "Authorization", value: "Basic x")]) == nil)
  }

  @Test("who may use what", arguments: AccessUse.allCases)
  func uses(use: AccessUse) throws {
    // A static key: everything (R008).
    #expect(try admit(keyed, bearer("hyb_right"), use: use)?.principal.usageKey == "app")
    // A token: sessions, and what helps to choose one.
    let allowed: Set<AccessUse> = [.session, .catalogue]
    if allowed.contains(use) {
      #expect(try admit(keyed, token(), use: use)?.claims != nil)
    } else {
      #expect(throws: AccessRefusal.tokenIsForOthers(parameter: "use")) { try admit(keyed, token(), use: use) }
    }
    // The operator's key: minting.
    if use == .tokens {
      #expect(try admit(keyed, bearer("the-operator"), use: use)?.principal == .admin)
    } else {
      #expect(throws: AccessRefusal.wrongKey) { try admit(keyed, bearer("the-operator"), use: use) }
    }
    #expect(throws: AccessRefusal.noCredential) { try admit(keyed, [], use: use, isLoopback: true) }
  }

  @Test("R009: a key that begins with vkey_ is publishable also where the configuration has only its digest")
  func publishableDigest() throws {
    let digest = Array(SHA256.hash(data: Array("vkey_page".utf8)))
    let page = key("page", "") { $0.secret = .digest(digest) }
    let policy = policy(keys: [page])
    #expect(throws: AccessRefusal.publishableKey) { try admit(policy, bearer("vkey_page")) }
    #expect(try admit(policy, bearer("vkey_page"), use: .tokens)?.key?.name == "page")
    // Meant for pages, it is asked for from one.
    let origin = [(name: "Origin", value: "https://any.example")]
    #expect(try admit(policy, bearer("vkey_page") + origin, use: .tokens)?.key?.isPublishable == true)
  }

  @Test("a key whose app is not known is not admitted as if the app bounded nothing")
  func unknownApp() throws {
    var order = KeyOrder(name: "shop")
    order.app = "shop"
    var random = SystemRandomNumberGenerator()
    let (record, key) = try KeyRecord.make(order, unixTime: now, random: &random)
    let stored = StoredAccess(keys: [record], apps: [])
    let request = AccessPolicy.Request(
      headers: bearer(key.reveal()), target: RequestTarget("/v1/realtime"), use: .session, peerIsLoopback: true,
      route: nil, at: now)
    guard case .refused(.storeUnavailable) = open.judge(record, request, stored: stored) else {
      Issue.record("admitted without the bounds of its app")
      return
    }
    let known = StoredAccess(keys: [record], apps: [App(name: "shop")])
    guard case .admitted = open.judge(record, request, stored: known) else {
      Issue.record("refused with its app")
      return
    }
  }

  @Test("a key that the configuration has not is asked of the store, and the store's first key ends the anonymous mode")
  func stored() throws {
    let empty = StoredAccess()
    // Each presented key is asked for, so that one that was made a moment ago, or revoked, is seen at once.
    for isLoopback in [true, false] {
      #expect(verdict(open, bearer("hyb_new"), isLoopback: isLoopback, stored: empty) == nil)
    }
    #expect(try admit(open, [], isLoopback: true, stored: empty)?.principal == .anonymous)
    var random = SplitMix64(seed: 4)
    var order = KeyOrder(name: "new")
    order.app = "shop"
    var (record, made) = try KeyRecord.make(order, unixTime: now, random: &random)
    let shop = App(name: "shop", models: ["m*"])
    let holding = StoredAccess(keys: [record], apps: [shop])
    #expect(throws: AccessRefusal.noCredential) { try admit(open, [], isLoopback: true, stored: holding) }
    func second(_ headers: [(name: String, value: String)], _ record: KeyRecord?, _ stored: StoredAccess)
      -> AccessPolicy.Answer
    {
      open.judge(
        record,
        .init(
          headers: headers, target: RequestTarget("/"), use: .session, peerIsLoopback: true, route: nil, at: now),
        stored: stored)
    }
    guard case .admitted(let admittance) = second(bearer(made.reveal()), record, holding) else {
      Issue.record("a stored key was refused")
      return
    }
    #expect(admittance.principal == .key(id: record.id, name: "new", app: "shop"))
    #expect(admittance.app == shop)
    guard case .refused(.wrongKey) = second(bearer("hyb_other"), nil, holding),
      case .admitted(let anonymous) = second(bearer("hyb_other"), nil, empty)
    else {
      Issue.record("a key that nobody has")
      return
    }
    #expect(anonymous.principal == .anonymous)
    // To revoke the last key does not open the server.
    record.revokedAt = now
    let revoked = StoredAccess(keys: [record], apps: [])
    #expect(throws: AccessRefusal.noCredential) { try admit(open, [], isLoopback: true, stored: revoked) }
  }

  @Test("a token of a key that is known to have ended is refused with it; of one that is not known here it is taken")
  func tokensOfKeys() throws {
    var random = SplitMix64(seed: 4)
    var (record, _) = try KeyRecord.make(KeyOrder(name: "new"), unixTime: now, random: &random)
    let headers = try token { claims in
      claims.key = record.name
      claims.keyID = record.id
    }
    #expect(try admit(keyed, headers)?.principal == .token(id: claims().id, key: "new", app: "default"))
    record.revokedAt = now
    #expect(throws: AccessRefusal.keyRevoked) {
      try admit(keyed, headers, stored: StoredAccess(keys: [record], apps: []))
    }
    #expect(try admit(keyed, headers, stored: StoredAccess())?.claims?.keyID == record.id)
  }

  @Test("what is meant as a token has to be one, also where any key will do")
  func meantTokens() throws {
    let good = try tokenRing().mint(claims()).reveal()
    let open = policy()
    #expect(try admit(open, bearer(good), isLoopback: true)?.claims != nil)
    #expect(try admit(open, bearer(good))?.claims != nil)
    for text in [good + "x", String(good.dropLast()), "ek_eyJhbGciOiJIUzI1NiIs", "ek_a.b.c", "ek_a.b"] {
      guard case .failure(.token) = verdict(open, bearer(text), isLoopback: true) else {
        Issue.record("\(text.prefix(20)) was let in")
        continue
      }
    }
  }

  @Test("a token is for the path that it names, and no other")
  func paths() throws {
    let headers = try token { $0.route = "/v1/realtime" }
    let (right, wrong) = (Route(path: "/v1/realtime", provider: "p"), Route(path: "/realtime", provider: "p"))
    #expect(try admit(keyed, headers, route: right)?.claims != nil)
    #expect(throws: AccessRefusal.tokenIsForOthers(parameter: "path")) { try admit(keyed, headers, route: wrong) }
  }

  @Test("a key of none of ours goes upstream where the route passes keys on; ours and tokens do not")
  func passThrough() throws {
    let route = Route(path: "/v1/realtime", provider: "p", passesClientKeys: true)
    let admittance = try admit(keyed, bearer("sk-own"), route: route)
    #expect(admittance?.clientKey?.reveal() == "sk-own")
    #expect(admittance?.principal == .clientKey(fingerprint: String(KeyDigest(of: Redacted("sk-own")).hex.prefix(8))))
    #expect(try admit(keyed, bearer("hyb_right"), route: route)?.clientKey == nil)
    #expect(try admit(keyed, token(), route: route)?.clientKey == nil)
    #expect(throws: AccessRefusal.wrongKey) { try admit(keyed, bearer("sk-own"), use: .tokens, route: route) }
    #expect(throws: AccessRefusal.wrongKey) {
      try admit(keyed, bearer("sk-own"), route: Route(path: "/", provider: "p"))
    }
    #expect(throws: AccessRefusal.noCredential) { try admit(keyed, [], route: route) }
    // On its own machine a server without keys passes them on, to others it stays closed.
    #expect(try admit(open, bearer("sk-own"), isLoopback: true, route: route)?.clientKey != nil)
    #expect(throws: AccessRefusal.remoteWithoutKeys) { try admit(open, bearer("sk-own"), route: route) }
  }

  @Test("providers and models are those of the key, of the app and of the token together")
  func permits() throws {
    let policy = policy(keys: [
      key("narrow", "hyb_n") {
        $0.providers = ["gemini", "open*"]
        $0.models = ["gpt-*", "gemini-live"]
        $0.app = "shop"
      }
    ]) { $0.apps = [App(name: "shop", providers: ["*"], models: ["gpt-realtime", "gemini*"])] }
    let narrow = try #require(try admit(policy, bearer("hyb_n")))
    func refusal(_ provider: String, _ model: String) -> AccessRefusal? {
      policy.permits(provider: provider, model: model, to: narrow)
    }
    #expect(refusal("gemini", "gemini-live") == nil)
    #expect(refusal("openai", "gpt-realtime") == nil)
    #expect(refusal("inworld", "gpt-realtime") == .providerNotAllowed)
    #expect(refusal("gemini2", "gpt-realtime") == .providerNotAllowed)
    #expect(refusal("openai", "gpt-other") == .modelNotAllowed)
    #expect(refusal("openai", "gemini-other") == .modelNotAllowed)
    let pinned = try #require(try admit(policy, token { $0.provider = "gemini" }))
    #expect(policy.permits(provider: "gemini", model: "any", to: pinned) == nil)
    #expect(policy.permits(provider: "openai", model: "any", to: pinned) == .tokenIsForOthers(parameter: "provider"))
  }

  @Test("the limits of everybody who has some hold for a session; a token brings its minutes")
  func limits() throws {
    let file = """
      {"default": "p", "providers": {"p": {"kind": "openai", "url": "ws://127.0.0.1:1", "model": "m", "maxSessions": 7},
       "q": {"kind": "local"}}}
      """
    let providers = try RouteTable.decode(Array(file.utf8), file: "routes.json").providers
    let limited = policy(keys: [
      key("app", "hyb_a") {
        $0.limits = HolderLimits(maxSessions: 2)
        $0.app = "shop"
      }, key("free", "hyb_f"),
    ]) { $0.apps = [App(name: "shop", limits: HolderLimits(maxMinutesPerDay: 9))] }
    let id = try #require(limited.configuredKeys.first?.id)
    func limits(_ headers: [(name: String, value: String)], _ provider: String) throws -> [LimitHolder: HolderLimits] {
      let admittance = try #require(try admit(limited, headers))
      let all = limited.limits(for: admittance, provider: try #require(providers[provider]))
      return Dictionary(all) { first, _ in first }
    }
    let provider = [LimitHolder.provider("p"): HolderLimits(maxSessions: 7)]
    let holder = [
      LimitHolder.app("shop"): HolderLimits(maxMinutesPerDay: 9), .key(id: id): HolderLimits(maxSessions: 2),
    ]
    #expect(try limits(bearer("hyb_a"), "p") == holder.merging(provider) { $1 })
    #expect(try limits(bearer("hyb_a"), "q") == holder)
    #expect(try limits(bearer("hyb_f"), "p") == provider)
    let headers = try token { claims in
      claims.app = "shop"
      claims.keyID = id
      claims.maxMinutesPerSession = 0.5
      claims.maxSessions = 3
    }
    let ofToken = [LimitHolder.token(id: claims().id): HolderLimits(maxMinutesPerSession: 0.5)]
    #expect(try limits(headers, "q") == holder.merging(ofToken) { $1 })
    #expect(try limits(token(), "q").isEmpty)
  }

  @Test(
    "R172: every refusal has its status and code, and ends in the operator's contact text",
    arguments: [
      (AccessRefusal.noCredential, 401, "missing_api_key"), (.wrongKey, 401, "invalid_api_key"),
      (.badCredential(.empty), 401, "invalid_api_key"), (.badCredential(.malformed), 401, "invalid_api_key"),
      (.badCredential(.unknownScheme), 401, "invalid_api_key"),
      (.badCredential(.severalValues), 401, "invalid_api_key"),
      (.keyExpired, 401, "api_key_expired"), (.keyRevoked, 401, "api_key_revoked"),
      (.token(.malformed), 401, "invalid_token"), (.token(.wrongSignature), 401, "invalid_token"),
      (.token(.wrongAudience), 401, "invalid_token"), (.token(.wrongIssuer), 401, "invalid_token"),
      (.token(.livesTooLong), 401, "invalid_token"), (.token(.expired), 401, "token_expired"),
      (.token(.notYetValid), 401, "token_not_yet_valid"),
      (.tokenIsForOthers(parameter: "provider"), 401, "token_not_for_this"), (.tokenUsedUp, 401, "token_used_up"),
      (.publishableKey, 403, "key_not_allowed"), (.originNotAllowed, 403, "origin_not_allowed"),
      (.providerNotAllowed, 403, "provider_not_allowed"), (.modelNotAllowed, 403, "model_not_allowed"),
      (.adminDisabled, 403, "admin_disabled"), (.storeUnavailable, 503, "store_unavailable"),
      (.remoteWithoutKeys, 403, "access_denied"), (.foreignOrigin, 403, "origin_not_allowed"),
    ])
  func refusals(refusal: AccessRefusal, status: Int, code: String) {
    #expect(refusal.status == status)
    #expect(refusal.code == code)
    #expect(refusal.message(contact: "Ask ops.").hasSuffix(". Ask ops."))
    #expect(refusal.message(contact: "").hasSuffix("."))
    #expect((refusal.challenge != nil) == (status == 401))
    #expect((refusal.retryAfterSeconds != nil) == (status == 503))
  }
}
