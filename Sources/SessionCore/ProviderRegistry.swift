import Envelope
public import Translation

import GeminiLiveProvider
import OpenAIProvider

/// The kinds of provider that Parley speaks. Adding one is a folder in `Sources/Providers` and a line in each switch
/// over this type.
public enum ProviderKind: Sendable, Hashable {
  /// The OpenAI Realtime wire.
  case openAI
  /// Gemini Live (BidiGenerateContent) in a version of the API such as `v1beta`.
  case geminiLive(apiVersion: String = "v1beta")

  /// All values of `kind` in the configuration.
  public static let names = ["openai", "gemini-live"]

  /// The value of `kind` in the configuration.
  public var name: String {
    switch self {
    case .openAI: "openai"
    case .geminiLive: "gemini-live"
    }
  }
}

/// What a session needs to know of its provider.
public struct ProviderConfiguration: Sendable {
  /// The name in the configuration, for logs.
  public var name: String
  public var kind: ProviderKind
  public var endpoint: UpstreamEndpoint
  /// The provider's credential; nil for a stand-in that wants none.
  public var key: Redacted<String>?
  /// The model of sessions whose client names none.
  public var model: String

  public init(
    name: String, kind: ProviderKind, endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String
  ) {
    self.name = name
    self.kind = kind
    self.endpoint = endpoint
    self.key = key
    self.model = model
  }
}

enum ProviderRegistry {
  /// The translator of a session.
  static func translator(
    for provider: ProviderConfiguration, session: RealtimeSession, conversationID: String
  ) -> any Translator {
    switch provider.kind {
    case .openAI:
      return OpenAITranslator(
        configuration: OpenAIConfiguration(endpoint: provider.endpoint, key: provider.key, model: provider.model),
        session: session)
    case .geminiLive(let apiVersion):
      return GeminiLiveTranslator(
        configuration: GeminiLiveConfiguration(
          endpoint: provider.endpoint, key: provider.key, model: provider.model,
          apiVersion: apiVersion),
        session: session, conversationID: conversationID)
    }
  }
}
