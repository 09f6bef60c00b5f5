import Envelope
import OpenAIWire
import Testing
import Translation

@testable import AzureProvider

/// Where the services are, and who the gateway says it is.
@Suite struct Addresses {
  static func target(
    _ api: AzureAPI, path: String = "", credential: AzureCredential = .key(Redacted("k")), model: String = "my-voice",
    kind: SessionType = .realtime
  ) -> UpstreamTarget {
    var session = RealtimeSession.defaults(id: "sess_1", model: model, voice: "marin", expiresAt: 0)
    session.type = kind
    return Update.service(api, path: path, credential: credential).target(session, resuming: nil)
  }

  @Test(
    "R038 R174: each service has its own path and parameters, below the resource or where the configuration says",
    arguments: [
      (AzureAPI.realtime, "", "/openai/v1/realtime?model=my-voice"),
      (.realtime, "/openai/v1/realtime", "/openai/v1/realtime?model=my-voice"),
      (.realtime, "/proxy", "/proxy/openai/v1/realtime?model=my-voice"),
      (.preview, "", "/openai/realtime?api-version=2025-04-01-preview&deployment=my-voice"),
      (.preview, "/openai/realtime", "/openai/realtime?api-version=2025-04-01-preview&deployment=my-voice"),
      (.voiceLive, "", "/voice-live/realtime?api-version=2026-04-10&model=my-voice"),
      (.voiceLive, "/voice-live/realtime", "/voice-live/realtime?api-version=2026-04-10&model=my-voice"),
    ])
  func addresses(_ api: AzureAPI, _ path: String, _ expected: String) {
    #expect(Self.target(api, path: path).pathAndQuery == expected)
  }

  @Test("Q16 R273: what the service itself calls the model stands for the configured deployment")
  func shownModel() {
    #expect(Self.target(.realtime, model: "gpt-realtime").pathAndQuery == "/openai/v1/realtime?model=my-voice")
    #expect(Self.target(.realtime, model: "their-voice").pathAndQuery == "/openai/v1/realtime?model=their-voice")
    #expect(Self.target(.voiceLive, model: "gpt-4o").pathAndQuery.hasSuffix("&model=gpt-4o"))
  }

  @Test("R168: the name of a deployment is escaped")
  func escaped() {
    #expect(Self.target(.preview, model: "a/b c").pathAndQuery.hasSuffix("&deployment=a%2Fb%20c"))
  }

  @Test("a transcription session says its intent in place of a model")
  func transcription() {
    #expect(Self.target(.realtime, kind: .transcription).pathAndQuery == "/openai/v1/realtime?intent=transcription")
    #expect(Update.service(.realtime).traits.hasTranscriptionSessions)
    #expect(!Update.service(.preview).traits.hasTranscriptionSessions)
    #expect(!Update.service(.voiceLive).traits.hasTranscriptionSessions)
  }

  @Test(
    "R174: a key goes in api-key, a token in Authorization, and the beta marker nowhere", arguments: AzureAPI.allCases)
  func headers(_ api: AzureAPI) {
    let key = Self.target(api)
    #expect(key.headers.map(\.name) == ["api-key"] && key.headers[0].value.reveal() == "k")
    let token = Self.target(api, credential: .token(Redacted("t")))
    #expect(token.headers.map(\.name) == ["Authorization"] && token.headers[0].value.reveal() == "Bearer t")
    #expect(key.authorization == nil && token.authorization == nil)
    #expect(Self.target(api, credential: .none).headers.isEmpty)
  }

  @Test(
    "R174: an application of Entra asks for a token by its secret, for each service in its own scope",
    arguments: [
      (AzureAPI.realtime, "https%3A%2F%2Fai.azure.com%2F.default"),
      (.voiceLive, "https%3A%2F%2Fai.azure.com%2F.default"),
      (.preview, "https%3A%2F%2Fcognitiveservices.azure.com%2F.default"),
    ])
  func entra(_ api: AzureAPI, _ scope: String) throws {
    let application = AzureApplication(tenant: "contoso.example", clientID: "id", secret: Redacted("s&=+"))
    let target = Self.target(api, credential: .application(application))
    #expect(target.headers.isEmpty)
    guard case .minted(let request) = target.authorization else {
      Issue.record("no token is asked for")
      return
    }
    #expect(request.url == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token")
    #expect(request.contentType == "application/x-www-form-urlencoded")
    #expect(
      request.body.reveal()
        == "grant_type=client_credentials&client_id=id&client_secret=s%26%3D%2B&scope=" + scope)
    #expect(request.tokenPath == ["access_token"] && request.lifetimePath == ["expires_in"])
    #expect(!"\(request)".contains("s%26"), "a secret is not printed")
  }

  @Test("another cloud has another address for tokens")
  func otherCloud() {
    let application = AzureApplication(
      tenant: "t", clientID: "id", secret: Redacted("s"), tokenURL: "https://login.example.test/token")
    guard case .minted(let request) = Self.target(.realtime, credential: .application(application)).authorization else {
      Issue.record("no token is asked for")
      return
    }
    #expect(request.url == "https://login.example.test/token")
  }
}
