import Access
import Routing
import Testing

@testable import Gateway

@Suite("Web pages, live", .serialized, .timeLimit(.minutes(2)))
struct OriginTests {
  private static let good = "https://good.example"
  private static let evils = [
    "https://evil.example", "null", "https://good.example.evil", "https://evil-good.example", "http://good.example",
    "https://good.example:8443", "https://good.example/", "https://good.example.", "https://user@good.example", "",
  ]

  private func page(_ origin: String) -> [String] { ["Origin: \(origin)"] }

  private func gateway(_ access: String = "", routes: String = #"{"path": "/v1/realtime"}, {"path": "/second"}"#)
    async throws -> BookedGateway
  {
    try await BookedGateway.start { plan in
      if !access.isEmpty { plan.access = access }
      plan.routes = routes
    }
  }

  /// Where a page is listed.
  static let listings = [
    #""keys": [{"name": "app", "key": "env:KEY", "origins": ["https://good.example"]}]"#,
    #"""
    "keys": [{"name": "app", "key": "env:KEY", "app": "shop"}], "apps": [{"name": "shop", "origins": ["https://good.example"]}]
    """#, #""keys": [{"name": "app", "key": "env:KEY"}], "origins": ["https://good.example"]"#,
  ]

  @Test("fault row 19: a static key from a page that is not listed is 403, from a listed one 101", arguments: listings)
  func keys(_ access: String) async throws {
    let gateway = try await gateway(access)
    for origin in Self.evils {
      let refusal = try await gateway.answer(key: BookedGateway.key, page(origin))
      #expect("\(refusal)" == "403 origin_not_allowed", "\(origin)")
    }
    for good in [Self.good, "HTTPS://Good.Example", "https://good.example:443"] {
      #expect("\(try await gateway.answer(key: BookedGateway.key, page(good)))" == "101", "\(good)")
    }
    #expect("\(try await gateway.answer(key: BookedGateway.key, page(Self.good) + page(Self.good)))".hasPrefix("40"))
    // What names no page is no page.
    #expect("\(try await gateway.answer(key: BookedGateway.key))" == "101")
    #expect(gateway.begun == 4)
    await gateway.stop()
  }

  @Test("fault row 19: a token from any page is 101, one that names its pages from another is 403")
  func tokens() async throws {
    let gateway = try await gateway()
    let free = try gateway.token()
    let pinned = try gateway.token { $0.origins = [OriginPattern(Self.good)].compactMap(\.self) }
    for origin in Self.evils where !origin.isEmpty {
      #expect("\(try await gateway.answer(key: free, page(origin)))" == "101", "\(origin)")
      #expect("\(try await gateway.answer(key: pinned, page(origin)))" == "403 origin_not_allowed", "\(origin)")
    }
    #expect("\(try await gateway.answer(key: pinned, page(Self.good)))" == "101")
    #expect("\(try await gateway.answer(key: pinned))" == "101")
    #expect("\(try await gateway.answer(key: free))" == "101")
    await gateway.stop()
  }

  @Test("fault row 19: pages of a route bind tokens too, and let static keys in, on that route alone")
  func routes() async throws {
    let gateway = try await gateway(
      routes: #"{"path": "/v1/realtime", "origins": ["https://*.good.example"]}, {"path": "/second"}"#)
    let below = page("https://app.good.example")
    let token = try gateway.token()
    let pinned = try gateway.token { $0.origins = [OriginPattern("https://other.good.example")].compactMap(\.self) }
    #expect("\(try await gateway.answer(key: token, below))" == "101")
    #expect("\(try await gateway.answer(key: token, page(Self.good)))" == "403 origin_not_allowed")
    #expect("\(try await gateway.answer("/second", key: token, page(Self.good)))" == "101")
    // Both have to admit it.
    #expect("\(try await gateway.answer(key: pinned, below))" == "403 origin_not_allowed")
    #expect("\(try await gateway.answer(key: pinned, page("https://other.good.example")))" == "101")
    #expect("\(try await gateway.answer(key: BookedGateway.key, below))" == "101")
    #expect("\(try await gateway.answer("/second", key: BookedGateway.key, below))" == "403 origin_not_allowed")
    await gateway.stop()
  }

  @Test("fault row 19: without keys only pages of this machine, and those listed, are served")
  func keyless() async throws {
    let gateway = try await gateway(#""origins": ["https://good.example"]"#)
    #expect("\(try await gateway.answer())" == "101")
    #expect("\(try await gateway.answer(BookedGateway.path, page("http://localhost:3000")))" == "101")
    #expect("\(try await gateway.answer(BookedGateway.path, page(Self.good)))" == "101")
    for origin in Self.evils {
      let refusal = try await gateway.answer(BookedGateway.path, page(origin))
      #expect("\(refusal)" == "403 origin_not_allowed", "\(origin)")
    }
    await gateway.stop()
  }

  @Test("fault row 19: a key of a store is held to its pages, wherever it is looked up")
  func stored() async throws {
    let storage = FakeStorage()
    let key = try storage.add("stored") { $0.origins = [OriginPattern(Self.good)].compactMap(\.self) }.key
    let gateway = try await BookedGateway.start { $0.books = Bookkeeping(keys: storage) }
    for isAway in [false, true] {
      storage.setAway(isAway)
      #expect("\(try await gateway.answer(key: key, page(Self.good)))" == "101")
      #expect("\(try await gateway.answer(key: key, page("https://evil.example")))" == "403 origin_not_allowed")
    }
    await gateway.stop()
  }
}
