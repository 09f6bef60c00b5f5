import ParleyTesting
import Crypto
import Envelope
import Routing
import Testing
import Translation

@testable import Access

private let longest = String(repeating: "k", count: AccessKey.longestKeyBytes)
private let ring = KeyRing([key("app", "hyb_right"), key("ops", "hyb_operator"), key("long", longest)])
private let store = policy(keys: [key("app", "hyb_right"), key("ops", "hyb_operator"), key("long", longest)])

private func name(_ admittance: Admittance?) -> String? { admittance?.principal.usageKey }

@Suite("Access by static keys")
struct KeyRingTests {
  @Test("R007: each key is known by its name")
  func known() throws {
    for (value, known) in [("hyb_right", "app"), ("hyb_operator", "ops"), (longest, "long")] {
      #expect(ring.find(Redacted(value))?.name == known)
      let admittance = try admit(store, bearer(value))
      #expect(name(admittance) == known)
      #expect(admittance?.key?.name == known)
      #expect(admittance?.app.name == "default")
    }
  }

  @Test(
    "R009, fault row 14: a wrong key is a 401 that tells nothing, however near it is",
    arguments: [
      "hyb_wrong", "hyb_righ", "hyb_rightt", "Hyb_right", "hyb_righu", "iyb_right", "r", longest + "k",
      String(longest.dropLast()), String(repeating: "k", count: 8_192),
    ])
  func wrong(_ value: String) {
    for isLoopback in [true, false] {
      #expect(throws: AccessRefusal.wrongKey) { try admit(store, bearer(value), isLoopback: isLoopback) }
    }
  }

  @Test("fault row 14: a zero byte is no end of a key")
  func zeroByte() {
    #expect(ring.find(Redacted("hyb_right\0")) == nil)
    #expect(ring.find(Redacted("")) == nil)
    #expect(KeyRing([key("zero", "a\0")]).find(Redacted("a")) == nil)
  }

  @Test("R009: a configured key that is empty, or too long, never matches")
  func unusable() {
    let ring = KeyRing([key("long", longest + "x"), key("empty", "")])
    for value in [longest + "x", longest + "y", longest, ""] { #expect(ring.find(Redacted(value)) == nil) }
  }

  @Test("R007: with keys a request without one is a 401, on loopback too")
  func missing() {
    for isLoopback in [true, false] {
      #expect(throws: AccessRefusal.noCredential) { try admit(store, [], isLoopback: isLoopback) }
    }
    #expect(throws: AccessRefusal.badCredential(.unknownScheme)) {
      try admit(store, [(name: "Authorization", value: "Basic eDp5")], isLoopback: true)
    }
  }

  @Test("R179: the header's key decides, also if only the query's is right")
  func headerWins() throws {
    let queried = "/v1/realtime?token=hyb_operator"
    #expect(name(try admit(store, bearer("hyb_right"), queried)) == "app")
    #expect(throws: AccessRefusal.wrongKey) { try admit(store, bearer("hyb_wrong"), queried) }
    #expect(name(try admit(store, [], queried)) == "ops")
  }

  @Test("R009: expired and revoked keys are told only to who has them")
  func ended() throws {
    let old = key("old", "hyb_old") { $0.expiresAt = now }
    let policy = policy(keys: [old])
    #expect(throws: AccessRefusal.keyExpired) { try admit(policy, bearer("hyb_old")) }
    #expect(throws: AccessRefusal.wrongKey) { try admit(policy, bearer("hyb_olc")) }
    #expect(name(try admit(policy, bearer("hyb_old"), at: now - 1)) == "old")

    var random = SplitMix64(seed: 9)
    var (record, made) = try KeyRecord.make(KeyOrder(name: "made"), unixTime: now - 10, random: &random)
    record.revokedAt = now
    let request = AccessPolicy.Request(
      headers: bearer(made.reveal()), target: RequestTarget("/v1/realtime"), use: .session, peerIsLoopback: true,
      route: nil, at: now)
    let stored = StoredAccess(keys: [record], apps: [])
    guard case .ask(let digest) = policy.judge(request, stored: stored) else {
      Issue.record("the store was not asked")
      return
    }
    #expect(stored.key(with: digest)?.id == record.id)
    guard case .refused(.keyRevoked) = policy.judge(record, request, stored: stored) else {
      Issue.record("a revoked key was let in")
      return
    }
    // Who shows another one is told nothing of it.
    var other = request
    other.credential = .success(
      try Credential.extract(headers: bearer("hyb_x"), target: RequestTarget("/v1/realtime")))
    guard case .refused(.wrongKey) = policy.judge(record, other, stored: stored) else {
      Issue.record("the record of another key was taken")
      return
    }
  }

  @Test("a publishable key mints and opens nothing", arguments: AccessUse.allCases)
  func publishable(use: AccessUse) throws {
    let policy = policy(keys: [key("page", "vkey_page"), key("marked", "hyb_m") { $0.isPublishable = true }])
    for value in ["vkey_page", "hyb_m"] {
      if use == .tokens {
        #expect(try admit(policy, bearer(value), use: use)?.key?.isPublishable == true)
      } else {
        #expect(throws: AccessRefusal.publishableKey) { try admit(policy, bearer(value), use: use) }
      }
    }
  }

  @Test("of ten thousand keys each is found")
  func many() {
    let ring = KeyRing((0..<10_000).map { key("k\($0)", "hyb_\($0)") })
    var missed = 0
    for number in 0..<10_000 where ring.find(Redacted("hyb_\(number)"))?.name != "k\(number)" { missed += 1 }
    #expect(missed == 0)
    #expect(ring.find(Redacted("hyb_10000")) == nil)
  }

  @Test("digests that begin alike are told apart")
  func bucket() {
    let (one, other) = ([UInt8](repeating: 7, count: 32), [UInt8](repeating: 7, count: 31) + [8])
    let ring = KeyRing([
      AccessKey(name: "one", secret: .digest(one)), AccessKey(name: "other", secret: .digest(other)),
    ])
    #expect(KeyDigest(bytes: one).flatMap { ring.find($0) }?.name == "one")
    #expect(KeyDigest(bytes: other).flatMap { ring.find($0) }?.name == "other")
    #expect(KeyDigest(bytes: Array(one.dropLast()) + [9]).flatMap { ring.find($0) } == nil)
  }

  @Test("a key whose digest is configured is the key")
  func digests() throws {
    let digest = Array(SHA256.hash(data: Array("hyb_hashed".utf8)))
    let policy = policy(keys: [AccessKey(name: "hashed", secret: .digest(digest))])
    #expect(name(try admit(policy, bearer("hyb_hashed"))) == "hashed")
    #expect(throws: AccessRefusal.wrongKey) { try admit(policy, bearer("hyb_hashed2")) }
  }

  @Test("fault row 68: a ring does not print its keys, nor what they are recognised by")
  func printing() {
    var dumped = ""
    dump(ring, to: &dumped)
    #expect(!dumped.contains("hyb_right") && !dumped.contains("hyb_operator"))
    #expect(!dumped.contains(KeyDigest(of: Redacted("hyb_right")).hex))
    #expect(dumped.contains("app"))
  }
}
