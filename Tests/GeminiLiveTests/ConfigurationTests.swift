import Testing
import Translation

@testable import GeminiLiveProvider

@Suite struct ConfigurationTests {
  static let secret = "sk-planted-7e57ab1e"
  static let endpoint = UpstreamEndpoint(isSecure: true, host: "h", port: 443)

  static func configuration(
    _ place: GeminiPlatform.Place = .aiStudio, _ access: GeminiPlatform.Access = .apiKey(Redacted(secret)),
    model: String = "gemini-3.8-live", version: String? = nil, quotaProject: String? = nil
  ) -> GeminiLiveConfiguration {
    GeminiLiveConfiguration(
      endpoint: endpoint, model: model,
      platform: GeminiPlatform(place: place, apiVersion: version, access: access, quotaProject: quotaProject))
  }

  static let vertex = GeminiPlatform.Place.vertex(project: "p1", location: "us-central1")

  private func headers(_ configuration: GeminiLiveConfiguration) -> [String] {
    configuration.target().headers.map { "\($0.name): \($0.value.reveal())" }
  }

  @Test("gemini 1.1, 1.2: AI Studio: a dot before the method, the key in a header")
  func aiStudio() {
    let path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    let target = Self.configuration().target()
    #expect(target.pathAndQuery == path)
    #expect(headers(Self.configuration()) == ["x-goog-api-key: \(Self.secret)"])
    #expect(target.authorization == nil)
    for version in ["v1alpha", "v1"] {
      #expect(
        Self.configuration(version: version).target().pathAndQuery == path.replacing("v1beta", with: version))
    }
    #expect(headers(Self.configuration(.aiStudio, .anonymous)).isEmpty)
  }

  @Test("gemini 1.1, 1.2: an ephemeral token is for the constrained method of v1alpha, in a header, not in the address")
  func ephemeralToken() {
    let configuration = Self.configuration(.aiStudio, .ephemeralToken(Redacted("auth_tokens/abc")))
    #expect(
      configuration.target().pathAndQuery
        == "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained")
    #expect(headers(configuration) == ["Authorization: Token auth_tokens/abc"])
  }

  @Test("gemini 1.1, 1.2, 1.3: Vertex: a slash before the method, a bearer token, the whole name of the model")
  func vertexProject() {
    let configuration = Self.configuration(Self.vertex, .bearer(Redacted("ya29.x")), quotaProject: "q1")
    #expect(
      configuration.target().pathAndQuery == "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent")
    #expect(headers(configuration) == ["Authorization: Bearer ya29.x", "x-goog-user-project: q1"])
    #expect(
      configuration.wireName(of: "gemini-3.8-live")
        == "projects/p1/locations/us-central1/publishers/google/models/gemini-3.8-live")
    #expect(
      Self.configuration(Self.vertex, .anonymous, version: "v1").target().pathAndQuery
        == "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent")
  }

  @Test("gemini 1.2, 1.3: Vertex express: the key in a header, the model without a project")
  func vertexExpress() {
    let configuration = Self.configuration(.vertexExpress)
    #expect(headers(configuration) == ["x-goog-api-key: \(Self.secret)"])
    #expect(configuration.wireName(of: "gemini-3.8-live") == "publishers/google/models/gemini-3.8-live")
  }

  @Test("gemini 1.2: a service account is left to the edge, and none of it prints")
  func serviceAccount() {
    let account = GoogleServiceAccount(
      email: "a@b", keyID: "k", privateKey: Redacted(Self.secret), tokenURL: "https://t")
    let configuration = Self.configuration(Self.vertex, .serviceAccount(account))
    #expect(configuration.target().headers.isEmpty)
    #expect(configuration.target().authorization == .googleServiceAccount(account))
    let values: [Any] = [configuration, configuration.target(), account]
    for value in values {
      var text = "\(value) " + String(reflecting: value)
      dump(value, to: &text)
      #expect(!text.contains(Self.secret))
    }
  }

  @Test("gemini 1.3: AI Studio's names have a prefix; a resource name says all by itself")
  func wireNames() {
    let configuration = Self.configuration()
    #expect(configuration.wireName(of: "gemini-3.8-live") == "models/gemini-3.8-live")
    #expect(configuration.wireName(of: "tunedModels/mine-1") == "tunedModels/mine-1")
    #expect(
      Self.configuration(Self.vertex).wireName(of: "projects/p1/locations/l/endpoints/7")
        == "projects/p1/locations/l/endpoints/7")
  }

  @Test("the path of the configured URL stands before the service's own")
  func basePath() {
    var configuration = Self.configuration()
    configuration.endpoint.basePath = "/proxy"
    #expect(configuration.target().pathAndQuery.hasPrefix("/proxy/ws/google.ai."))
  }

  @Test(
    "Q16, R017: a model's prefix is dropped, a name that no Gemini has is unknown",
    arguments: [
      ("gemini-2.5-flash-native-audio-preview-12-2025", "gemini-2.5-flash-native-audio-preview-12-2025"),
      ("models/gemini-3.1-flash-live-preview", "gemini-3.1-flash-live-preview"),
      ("gemini/gemini-3.8-live", "gemini-3.8-live"), ("google/gemini-3.8-live", "gemini-3.8-live"),
      ("publishers/google/models/gemini-3.8-live", "gemini-3.8-live"), ("tunedModels/mine", "tunedModels/mine"),
      ("gpt-realtime", nil), ("gpt-4o-realtime-preview", nil), ("openai/gpt-realtime", nil), ("", nil), ("gemini", nil),
      ("models/", nil), ("Qwen2.5-Omni-3B", nil),
      ("projects/other/locations/l/publishers/google/models/gemini-3.8-live", nil),
    ] as [(String, String?)])
  func knownModels(_ name: String, _ id: String?) {
    #expect(Self.configuration().known(model: name) == id)
  }

  @Test("the configured model is known whatever it is called, with its prefix or without")
  func configuredModel() {
    let configuration = Self.configuration(model: "models/learnlm-live")
    #expect(configuration.model == "learnlm-live")
    #expect(configuration.known(model: "learnlm-live") == "learnlm-live")
    #expect(configuration.known(model: "models/learnlm-live") == "learnlm-live")
    #expect(configuration.wireName(of: configuration.model) == "models/learnlm-live")
    let endpoint = "projects/p1/locations/us-central1/endpoints/7"
    let tuned = Self.configuration(Self.vertex, model: endpoint)
    #expect(tuned.known(model: endpoint) == endpoint)
    #expect(tuned.known(model: "projects/p2/locations/us-central1/endpoints/7") == nil)
    #expect(tuned.known(model: "tunedModels/mine") == nil)
    let own = "projects/p1/locations/us-central1/publishers/google/models/gemini-3.8-live"
    #expect(tuned.known(model: own) == "gemini-3.8-live")
  }

  @Test("an alias comes before everything, with a prefix or without")
  func aliases() {
    var configuration = Self.configuration()
    configuration.aliases = ["gpt-realtime": "models/gemini-2.5-flash-native-audio-latest", "gemini-old": "gemini-new"]
    #expect(configuration.known(model: "gpt-realtime") == "gemini-2.5-flash-native-audio-latest")
    #expect(configuration.known(model: "google/gpt-realtime") == "gemini-2.5-flash-native-audio-latest")
    #expect(configuration.known(model: "gemini-old") == "gemini-new")
    #expect(configuration.known(model: "gpt-4o-realtime-preview") == nil)
  }

  @Test("R101: the configured voices come before our table, in any case")
  func voices() {
    var configuration = Self.configuration()
    #expect(configuration.voice(named: "marin") == "Despina")
    #expect(configuration.voice(named: "nobody") == nil)
    configuration.voices = ["Marin": "Zephyr", "Nobody": "Newvoice"]
    #expect(configuration.voice(named: "MARIN") == "Zephyr")
    #expect(configuration.voice(named: "nobody") == "Newvoice")
    #expect(configuration.voice(named: "alloy") == "Kore")
  }

  @Test("gemini 1.6: cells of the table can be set by prefix, the longer prefix wins, the rest stays")
  func overrides() {
    var configuration = Self.configuration()
    var family = GeminiModelOverride(prefix: "gemini-3.8")
    #expect(family.set("thinking", to: .text("level")) == nil)
    #expect(family.set("takesImagesInTurns", to: .bool(false)) == nil)
    var model = GeminiModelOverride(prefix: "gemini-3.8-live-x")
    #expect(model.set("thinking", to: .text("budget")) == nil)
    configuration.overrides = [model, family]
    var expected = ModelTraits.of("gemini-3.8-live")
    expected.thinking = .level
    expected.takesImagesInTurns = false
    #expect(configuration.traits(of: "gemini-3.8-live") == expected)
    #expect(configuration.traits(of: "models/gemini-3.8-live") == expected)
    expected.thinking = .budget
    #expect(configuration.traits(of: "gemini-3.8-live-x2") == expected)
    #expect(
      configuration.traits(of: "gemini-3.1-flash-live-preview") == ModelTraits.of("gemini-3.1-flash-live-preview"))
  }

  @Test("gemini 2.5: system turns are for Vertex alone, unless the configuration says otherwise")
  func systemTurns() {
    let model = "gemini-live-2.5-flash-native-audio"
    #expect(Self.configuration(Self.vertex).traits(of: model).takesSystemTurns)
    var configuration = Self.configuration()
    #expect(!configuration.traits(of: model).takesSystemTurns)
    var override = GeminiModelOverride(prefix: "gemini-live")
    #expect(override.set("takesSystemTurns", to: .bool(true)) == nil)
    configuration.overrides = [override]
    #expect(configuration.traits(of: model).takesSystemTurns)
  }
}
