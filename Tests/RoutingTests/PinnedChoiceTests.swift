import Envelope
import Testing

@testable import Routing

private func pinnable() throws -> RouteTable {
  try decode(
    smallFile(
      provider: #"""
        "openai": {"kind": "openai", "url": "wss://h.example/v1", "key": "env:NONE", "model": "m"},
        "gemini": {"kind": "gemini-live", "key": "env:K", "model": "g"}
        """#))
}

@Suite("What a token pins")
struct PinnedChoiceTests {
  private func choice(_ target: String, _ pins: RoutePins) throws -> RouteChoice {
    try pinnable().choose(RequestTarget(target), pins: pins)
  }

  @Test(
    "R282: a pinned provider and the query must not fight: what is pinned is chosen",
    arguments: [
      "/v1/realtime", "/v1/realtime?provider=openai", "/v1/realtime?model=gpt-realtime", "/v1/realtime?model=openai/x",
      "/v1/realtime?provider=gemini&model=x",
    ])
  func provider(_ target: String) throws {
    #expect(try choice(target, RoutePins(provider: "gemini")).provider.name == "gemini")
    let both = try choice(target, RoutePins(provider: "gemini", model: "pinned"))
    #expect(both.provider.name == "gemini" && both.model == "pinned")
  }

  @Test("a pinned model chooses its provider as one in the query does, and what it transcribes is pinned too")
  func model() throws {
    let choice = try choice(
      "/v1/realtime?model=gpt-realtime&intent=transcription", RoutePins(model: "gemini-live", purpose: .realtime))
    #expect(choice.provider.name == "gemini" && choice.model == "gemini-live" && choice.purpose == .realtime)
    #expect(throws: RouteRefusal.self) { try self.choice("/v1/realtime", RoutePins(provider: "nope")) }
  }

  @Test("R064: vowel-prime is the default, unless a provider has that name")
  func alias() throws {
    let table = try pinnable()
    #expect(table.providerName(alias: "vowel-prime") == "openai")
    #expect(table.providerName(alias: "gemini") == "gemini")
    #expect(table.providerName(alias: "other") == nil)
  }

  @Test("a provider without its secret serves a client that brings a key of its own")
  func ownKey() throws {
    #expect(throws: RouteRefusal.self) { try choice("/v1/realtime", RoutePins()) }
    #expect(try choice("/v1/realtime", RoutePins(bringsKey: true)).provider.name == "openai")
  }
}
