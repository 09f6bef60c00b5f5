import Envelope
import SessionCore
import Testing
import Translation

@testable import OpenAIProvider

@Suite struct OpenAITranslation {
  static func translator(path: String = "/v1/realtime", key: String? = "k", model: String = "m") -> OpenAITranslator {
    OpenAITranslator(
      configuration: OpenAIConfiguration(
        endpoint: UpstreamEndpoint(isSecure: true, host: "api.example.test", port: 443, basePath: path),
        key: key.map { Redacted($0) }, model: model),
      session: RealtimeSession.defaults(id: "sess_1", model: model, voice: "marin", expiresAt: 0))
  }

  @Test("R038 R173: the service gets the model in the address and the key as a bearer token")
  func target() throws {
    let target = try #require(Self.translator(model: "openai/gpt realtime+ä").upstream().target)
    #expect(target.pathAndQuery == "/v1/realtime?model=openai%2Fgpt%20realtime%2B%C3%A4")
    #expect(target.headers.map(\.name) == ["Authorization"])
    #expect(target.headers.first?.value.reveal() == "Bearer k")
    #expect(Self.translator(path: "").upstream().target?.pathAndQuery == "/v1/realtime?model=m")
    #expect(Self.translator(key: nil).upstream().target?.headers.isEmpty == true)
  }

  @Test(
    "the service's own close codes mean something to the client",
    arguments: [
      (3000, "invalid_request_error.invalid_api_key", "upstream_credentials_refused", UpstreamVerdict.Outlook.isFinal),
      (4000, "invalid_request_error.invalid_model", "model_not_found", .isFinal),
      (4000, "invalid_request_error", "upstream_request_refused", .isFinal),
      (1001, "Your session hit the maximum duration of 60 minutes.", "session_expired", .mayRecover),
    ])
  func verdicts(_ code: UInt16, _ reason: String, _ expected: String, _ outlook: UpstreamVerdict.Outlook) throws {
    let verdict = try #require(Self.translator().verdict(on: .closed(code: code, reason: reason)))
    #expect(verdict.code == expected && verdict.outlook == outlook)
    #expect(!verdict.message.contains(reason), "the provider's own words are not copied to the client")
  }

  @Test("what every provider's end means is not decided here")
  func otherEnds() {
    #expect(Self.translator().verdict(on: .lost) == nil)
    #expect(Self.translator().verdict(on: .closed(code: 1011, reason: "")) == nil)
  }
}
