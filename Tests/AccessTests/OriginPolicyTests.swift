import Routing
import Testing
import Translation

@testable import Access

private struct Origins: Sendable, CustomTestStringConvertible {
  var patterns: [String]
  var origin: String
  var isLet: Bool

  init(_ patterns: [String], _ origin: String, _ isLet: Bool) {
    self.patterns = patterns
    self.origin = origin
    self.isLet = isLet
  }

  var testDescription: String { "\(origin) at \(patterns)" }
}

private let good = ["https://good.example"]
private let cases: [Origins] = [
  Origins(good, "https://good.example", true),
  Origins(good, "https://good.example:443", true),
  Origins(good, "HTTPS://Good.Example", true),
  Origins(good, "null", false),
  Origins(good, "", false),
  Origins(good, "https://good.example.evil", false),
  Origins(good, "https://evilgood.example", false),
  Origins(good, "https://sub.good.example", false),
  Origins(good, "https://good.exampl", false),
  Origins(good, "http://good.example", false),
  Origins(good, "https://good.example:8443", false),
  Origins(good, "https://good.example:80", false),
  Origins(good, "https://good.example:", false),
  Origins(good, "https://good.example.", false),
  Origins(good, "https://good.example/", false),
  Origins(good, "https://good.example/path", false),
  Origins(good, "https://good.example?x", false),
  Origins(good, "https://good.example#x", false),
  Origins(good, "https://user@good.example", false),
  Origins(good, "https://good.example@evil.example", false),
  Origins(good, "https://good.example:443@evil.example", false),
  Origins(good, " https://good.example", false),
  Origins(good, "https://good.example, https://good.example", false),
  Origins(good, "https://g\u{F6}\u{F6}d.example", false),
  Origins(good, "https://good.example\0.evil.example", false),
  Origins(good, "good.example", false),
  Origins(good, "://good.example", false),
  Origins(good, "wss://good.example", false),
  Origins(["https://xn--gd-fkaa.example"], "https://xn--gd-fkaa.example", true),
  Origins(["https://app.example:8443"], "https://app.example:8443", true),
  Origins(["https://app.example:8443"], "https://app.example", false),
  Origins(["http://localhost:3000"], "http://localhost:3000", true),
  Origins(["http://localhost:3000"], "http://localhost:3001", false),
  Origins(["http://[::1]:3000"], "http://[::1]:3000", true),
  Origins(["http://[::1]:3000"], "http://[::2]:3000", false),
  Origins(["capacitor://localhost"], "capacitor://localhost", true),
  Origins(["https://*.good.example"], "https://a.good.example", true),
  Origins(["https://*.good.example"], "https://a.b.good.example", true),
  Origins(["https://*.good.example"], "https://good.example", false),
  Origins(["https://*.good.example"], "https://evilgood.example", false),
  Origins(["https://*.good.example"], "https://a.good.example.evil", false),
  Origins(["https://*.good.example"], "http://a.good.example", false),
  Origins(["https://*.good.example"], "https://a.good.example:444", false),
  Origins(["https://*.good.example"], "https://.good.example", false),
  Origins(["https://other.example", "https://good.example"], "https://good.example", true),
  Origins(["*"], "https://any.example", true),
  Origins(["*"], "null", true),
  Origins([], "https://good.example", false),
]

private func patterns(_ texts: [String]) -> [OriginPattern] { texts.compactMap { OriginPattern($0) } }

private func page(_ origin: String) -> [(name: String, value: String)] { [(name: "Origin", value: origin)] }

@Suite("Which web pages may connect")
struct OriginPolicyTests {
  @Test("fault row 19: an origin is compared whole", arguments: cases)
  private func whole(_ one: Origins) throws {
    let listed = patterns(one.patterns)
    #expect(listed.count == one.patterns.count)
    #expect(listed.contains { $0.admits(one.origin) } == one.isLet)
    let policy = policy(keys: [key("app", "hyb_right") { $0.origins = listed }])
    if one.isLet {
      #expect(try admit(policy, bearer("hyb_right") + page(one.origin))?.key?.name == "app")
    } else {
      #expect(throws: AccessRefusal.originNotAllowed) { try admit(policy, bearer("hyb_right") + page(one.origin)) }
    }
  }

  @Test("fault row 19: two origins are none that may, and none is no page")
  func number() throws {
    let policy = policy(keys: [key("app", "hyb_right") { $0.origins = patterns(["*"]) }])
    let headers = bearer("hyb_right") + page("https://good.example")
    #expect(try admit(policy, headers)?.key != nil)
    #expect(throws: AccessRefusal.originNotAllowed) { try admit(policy, headers + page("https://good.example")) }
    #expect(try admit(policy, bearer("hyb_right"))?.key != nil)
  }

  @Test(
    "what is no origin is no pattern",
    arguments: [
      "", "null", "https://", "https://good.example/", "https://good.example/x", "https://a.*.example", "https://*",
      "https://*good.example", "*.good.example", "good.example", "https://g\u{F6}\u{F6}d.example", "https://a b",
      "https://good.example:0", "https://good.example:65536", "https://u@good.example", "https://*.*.example",
      "https://[::1", "https://*.1.2.3.4", "https://good.example.", "**",
    ])
  func noPattern(_ text: String) {
    #expect(OriginPattern(text) == nil)
  }

  @Test("a static key's page may be listed with the key, its app, the route or the section")
  func places() throws {
    let listed = patterns(good)
    let headers = bearer("hyb_right") + page("https://good.example")
    let route = Route(path: "/v1/realtime", provider: "p", origins: listed)
    #expect(throws: AccessRefusal.originNotAllowed) { try admit(policy(keys: [key("app", "hyb_right")]), headers) }
    #expect(try admit(policy(keys: [key("app", "hyb_right") { $0.origins = listed }]), headers) != nil)
    #expect(try admit(policy(keys: [key("app", "hyb_right")]), headers, route: route) != nil)
    #expect(try admit(policy(keys: [key("app", "hyb_right")]) { $0.origins = listed }, headers) != nil)
    #expect(
      try admit(
        policy(keys: [key("app", "hyb_right") { $0.app = "shop" }]) { $0.apps = [App(name: "shop", origins: listed)] },
        headers) != nil)
  }

  @Test("a token admits any page, unless it or the route names some: then all have to admit")
  func tokens() throws {
    let keyed = policy(keys: [key("app", "hyb_right")])
    func verdict(_ token: [String]?, _ route: [String], _ origin: String?) throws -> AccessRefusal? {
      let text = try tokenRing().mint(claims { $0.origins = token.map(patterns) }).reveal()
      let headers = bearer(text) + (origin.map(page) ?? [])
      do {
        let found = Route(path: "/v1/realtime", provider: "p", origins: patterns(route))
        #expect(try admit(keyed, headers, route: found)?.claims != nil)
        return nil
      } catch let refusal as AccessRefusal {
        return refusal
      }
    }
    #expect(try verdict(nil, [], "https://any.example") == nil)
    #expect(try verdict(nil, [], "null") == nil)
    #expect(try verdict(good, [], "https://good.example") == nil)
    #expect(try verdict(good, [], nil) == nil)
    #expect(try verdict(good, [], "https://evil.example") == .originNotAllowed)
    #expect(try verdict(nil, good, "https://good.example") == nil)
    #expect(try verdict(nil, good, "https://evil.example") == .originNotAllowed)
    #expect(try verdict(["https://other.example"], good, "https://good.example") == .originNotAllowed)
    #expect(try verdict(["*"], good, "https://other.example") == .originNotAllowed)
  }

  @Test("a publishable key mints for any page, or for those of its own list")
  func publishable() throws {
    let policy = policy(keys: [
      key("any", "vkey_any"), key("one", "vkey_one") { $0.origins = patterns(good) },
    ])
    func mints(_ value: String, _ origin: String) -> Bool {
      (try? admit(policy, bearer(value) + page(origin), use: .tokens))?.key != nil
    }
    #expect(mints("vkey_any", "https://evil.example"))
    #expect(mints("vkey_one", "https://good.example"))
    #expect(!mints("vkey_one", "https://evil.example"))
  }

  @Test(
    "fault row 19: without keys, a page of another site is refused",
    arguments: [
      ("http://localhost:3000", true), ("https://127.0.0.1", true), ("http://[::1]:8787", true),
      ("HTTP://LOCALHOST", true), ("https://listed.example", true),
      ("https://evil.example", false), ("http://localhost.evil.example", false), ("null", false), ("", false),
      ("http://localhost:80@evil.example", false), ("file://localhost", false), ("http://[::1].evil.example", false),
      ("http://127.0.0.1.evil.example:8787", false),
    ])
  func withoutKeys(origin: String, isLet: Bool) throws {
    let open = policy { $0.origins = patterns(["https://listed.example"]) }
    if isLet {
      #expect(try admit(open, page(origin), isLoopback: true)?.principal == .anonymous)
    } else {
      #expect(throws: AccessRefusal.foreignOrigin) { try admit(open, page(origin), isLoopback: true) }
    }
  }
}
