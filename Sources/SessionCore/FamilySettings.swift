/// What the configuration can say about a provider of kind `azure`, beside what it says about any. Holds no secret.
public struct AzureSettings: Sendable, Hashable {
  /// The service of Azure that is spoken to.
  public enum API: String, Sendable, Hashable, CaseIterable {
    /// Azure OpenAI, `/openai/v1/realtime`.
    case realtime
    /// Azure OpenAI before that, `/openai/realtime` with a version and a deployment.
    case preview
    /// Azure AI Voice Live.
    case voiceLive = "voice-live"

    /// The version in the address where the configuration names none; nil where the address has none.
    public var usualVersion: String? {
      switch self {
      case .realtime: nil
      case .preview: "2025-04-01-preview"
      case .voiceLive: "2026-04-10"
      }
    }
  }

  /// What the provider's secret is, and how it is shown.
  public enum Credential: Sendable, Hashable {
    /// A key of the resource, in the header `api-key`.
    case header
    /// An access token of Entra, which something else renews.
    case bearer
    /// The secret of an application in Entra, which access tokens are fetched with.
    case entra(tenant: String, clientID: String)
  }

  public var api: API
  /// Nil where the address has none.
  public var apiVersion: String?
  public var credential: Credential
  /// Where an application's secret is exchanged for access tokens, in place of the tenant's address in the public cloud.
  public var tokenURL: String?

  /// - Parameter apiVersion: nil for the usual version of the API.
  public init(
    api: API = .realtime, apiVersion: String? = nil, credential: Credential = .header, tokenURL: String? = nil
  ) {
    self.api = api
    self.apiVersion = apiVersion ?? api.usualVersion
    self.credential = credential
    self.tokenURL = tokenURL
  }
}

/// What the configuration can say about a provider of kind `inworld`, beside what it says about any. Holds no secret.
///
/// Each is the default of sessions whose client names none; nil leaves it to the service.
public struct InworldSettings: Sendable, Hashable {
  public var transcriptionModel: String?
  public var voiceModel: String?
  public var voice: String?

  public init(transcriptionModel: String? = nil, voiceModel: String? = nil, voice: String? = nil) {
    self.transcriptionModel = transcriptionModel
    self.voiceModel = voiceModel
    self.voice = voice
  }
}

/// What the configuration can say about a provider of kind `vowel`, beside what it says about any. Holds no secret.
public struct VowelSettings: Sendable, Hashable {
  /// Where the token of a session comes from.
  public enum Tokens: Sendable, Hashable {
    /// The provider's secret is shown as it is.
    case none
    /// From the engine itself, for its API key.
    case engine
    /// From Core, for a key of this application.
    case core(appID: String)
  }

  public var tokens: Tokens
  /// Where tokens are made; nil for the engine's own address, which there is with `Tokens.engine` only.
  public var tokenURL: String?
  /// The voice that other services' voices become; nil for the one of Deepgram's that resembles each most.
  public var voice: String?

  public init(tokens: Tokens = .none, tokenURL: String? = nil, voice: String? = nil) {
    self.tokens = tokens
    self.tokenURL = tokenURL
    self.voice = voice
  }
}
