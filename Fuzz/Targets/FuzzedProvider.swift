import NIOCore
import ParleyTesting
import SessionCore
import Translation

/// The providers that sessions are fuzzed with.
enum FuzzedProvider: String, CaseIterable {
  case gemini = "gemini-live"
  case openAI = "openai"
  case azure
  case azurePreview = "azure-preview"
  case azureVoiceLive = "azure-voice-live"
  case xai
  case inworld
  case vowel
  case local

  var configuration: ProviderConfiguration {
    let endpoint = UpstreamEndpoint(
      isSecure: false, host: "127.0.0.1", port: 9, basePath: self == .openAI ? "/v1/realtime" : "")
    let service = kind.service(at: endpoint, key: Redacted("upstream-key"), model: model)
    return ProviderConfiguration(name: rawValue, service: service ?? .local(SessionDialogue.engine))
  }

  private var kind: ProviderKind {
    switch self {
    case .gemini: .geminiLive()
    case .openAI: .openAI
    case .azure: .azure()
    case .azurePreview: .azure(AzureSettings(api: .preview))
    case .azureVoiceLive: .azure(AzureSettings(api: .voiceLive))
    case .xai: .xai
    case .inworld: .inworld()
    case .vowel: .vowel()
    case .local: .local
    }
  }

  var model: String {
    switch self {
    case .gemini: "gemini-3.8-live"
    case .openAI, .azure, .azurePreview, .azureVoiceLive: "gpt-realtime"
    case .xai: "grok-voice-latest"
    case .inworld: "google-ai-studio/gemini-2.5-flash"
    case .vowel: "openai/gpt-oss-20b"
    case .local: "parley-rules"
    }
  }

  /// Whether the service's events reach the client in their order and number, right or wrong.
  var isNative: Bool { self == .openAI || self == .azure }

  /// What may be expected of a session whose provider says anything.
  func expectations<Law: UpstreamLaw>(isOrderly: Bool, of law: Law.Type) -> WatchedCall<Law>.Expectations {
    var expectations = WatchedCall<Law>.Expectations()
    expectations.judgesProvider = isOrderly || !isNative
    expectations.answersAtOnce = self == .gemini || self == .local
    expectations.endsEverything = self == .gemini
    return expectations
  }
}
