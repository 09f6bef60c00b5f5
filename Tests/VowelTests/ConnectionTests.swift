import Envelope
import OpenAIWire
import Testing
import Translation

@testable import VowelProvider

@Suite struct VowelConnection {
  private func target(_ change: (inout VowelService) -> Void = { _ in }) throws -> UpstreamTarget {
    var form = try VowelForm(change)
    try form.update(["instructions": "Be brief."])
    return form.service.target(form.session, resuming: nil)
  }

  private func request(_ change: (inout VowelService) -> Void = { _ in }) throws -> TokenRequest {
    guard case .minted(let request)? = try target(change).authorization else { throw Missing() }
    return request
  }

  private struct Missing: Error {}

  @Test("R079 vowel 2: the address is the configured one, without a model")
  func address() throws {
    #expect(try target().pathAndQuery == "/v1/realtime")
    #expect(try target { $0.endpoint.basePath = "/voice" }.pathAndQuery == "/voice")
  }

  @Test("vowel 3: the engine makes a token of the session's claims for its API key")
  func engine() throws {
    let request = try request()
    #expect(request.url == "http://engine.local:8787/v1/realtime/sessions")
    #expect(request.headers == [.init("Authorization", Redacted("Bearer secret"))])
    #expect(request.contentType == "application/json")
    #expect(request.tokenPath == ["value"])
    #expect(request.lifetimePath == nil, "one token for each connection: it holds the session")
    #expect(
      try JSONValue(parsing: request.body.reveal()) == [
        "model": "openai/gpt-oss-20b", "voice": "aura-2-thalia-en", "speakingRate": 1, "instructions": "Be brief.",
      ])
    #expect(try target().headers.isEmpty)
  }

  @Test("vowel 3: the token's address follows the endpoint's, or is the operator's")
  func engineAddress() throws {
    #expect(
      try request {
        $0.endpoint = UpstreamEndpoint(isSecure: true, host: "::1", port: 443, basePath: "/voice")
      }.url == "https://[::1]:443/voice/sessions")
    #expect(try request { $0.tokens = .engine(url: "http://mint/x") }.url == "http://mint/x")
  }

  @Test("vowel 3: Core gets its key in both forms, and both names of the provider's place")
  func core() throws {
    let request = try request { $0.tokens = .core(url: "http://core:3000/vowel/api/generateToken", appID: "default") }
    #expect(request.url == "http://core:3000/vowel/api/generateToken")
    #expect(
      request.headers == [
        .init("X-API-Key", Redacted("secret")), .init("Authorization", Redacted("Bearer secret")),
      ])
    #expect(request.tokenPath == ["token"])
    #expect(
      try JSONValue(parsing: request.body.reveal()) == [
        "appId": "default", "provider": "vowel-prime",
        "config": [
          "provider": "vowel-prime", "systemInstructionOverride": "Be brief.",
          "voiceConfig": ["model": "openai/gpt-oss-20b", "voice": "aura-2-thalia-en", "speakingRate": 1],
        ],
      ])
  }

  @Test("vowel 3: a key that is a token goes up as it is, and a stand-in wants none")
  func given() throws {
    let given = try target { $0.tokens = .given }
    #expect(given.headers == [.init("Authorization", Redacted("Bearer secret"))])
    #expect(given.authorization == nil)
    let none = try target { $0.key = nil }
    #expect(none.headers.isEmpty && none.authorization == nil)
  }

  @Test("vowel 7.11: no token and no update asks for a greeting")
  func greeting() throws {
    #expect(try !request().body.reveal().lowercased().contains("greeting"))
    var form = try VowelForm()
    try form.update(["initial_greeting_prompt": "Say hello."])
    #expect(form.missing == ["session.initial_greeting_prompt"])
  }

  @Test("vowel 7.1 7.2 7.3 7.10: what the translator hides for it is said in its traits")
  func traits() {
    let traits = VowelForm.service().traits
    #expect(traits.pieces == .bytes(8_192))
    #expect(!traits.takesG711)
    #expect(traits.answersItems && traits.answersCommits == .response)
    #expect(traits.deletesLocally && traits.retrievesLocally)
    #expect(!traits.hasIdleTimeout)
  }

  @Test("vowel 7.7 7.8 7.12: what is mended of its events")
  func rules() {
    let rules = VowelForm.service().traits.mending
    #expect(rules.completesLifecycle && rules.callsComeWhole && rules.repeatsTextInAudio && rules.speaksInTextMode)
    #expect(rules.dropped.isSuperset(of: ["session.hibernate", "session.resumed"]))
  }

  @Test("vowel 6: a close with 1000 is the longest duration; others mean what they mean anywhere")
  func closes() {
    let service = VowelForm.service()
    let verdict = service.verdict(on: .closed(code: 1000, reason: ""))
    #expect(verdict?.code == "session_expired")
    #expect(verdict?.outlook == .mayRecover)
    #expect(service.verdict(on: .closed(code: 1003, reason: "")) == nil)
    #expect(service.verdict(on: .lost) == nil)
  }
}
