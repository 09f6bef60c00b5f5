import Envelope
public import Translation

import AzureProvider
public import GeminiLiveProvider
import InworldProvider
public import LocalVoiceProvider
import OpenAIProvider
public import OpenAIWire
import VowelProvider
import XAIProvider

/// The kinds of provider that Parley speaks. Adding one is a folder in `Sources/Providers` and a line in each switch
/// over this type.
public enum ProviderKind: Sendable, Hashable {
  /// The OpenAI Realtime wire.
  case openAI
  /// Gemini Live (BidiGenerateContent), on AI Studio or on Vertex AI.
  case geminiLive(GeminiLiveSettings = GeminiLiveSettings())
  /// Azure OpenAI, or Azure AI Voice Live.
  case azure(AzureSettings = AzureSettings())
  /// The Grok Voice Agent of xAI.
  case xai
  /// Inworld's realtime API.
  case inworld(InworldSettings = InworldSettings())
  /// A voice engine of vowel's.
  case vowel(VowelSettings = VowelSettings())
  /// The voice engine of this process.
  case local

  /// All values of `kind` in the configuration.
  public static let names = ["local", "openai", "gemini-live", "azure", "xai", "inworld", "vowel"]

  /// The value of `kind` in the configuration.
  public var name: String {
    switch self {
    case .openAI: "openai"
    case .geminiLive: "gemini-live"
    case .azure: "azure"
    case .xai: "xai"
    case .inworld: "inworld"
    case .vowel: "vowel"
    case .local: "local"
    }
  }

  /// Whether the provider is reached at an address, with a key.
  public var isRemote: Bool { self != .local }
}

/// What a session needs to know of its provider.
public struct ProviderConfiguration: Sendable {
  /// What the kinds of provider need to know, each its own.
  public enum Service: Sendable {
    /// Any service of the OpenAI wire.
    case wire(any WireService)
    case geminiLive(GeminiLiveConfiguration)
    case local(LocalVoiceConfiguration)

    /// The model of sessions whose client names none.
    var model: String {
      switch self {
      case .wire(let service): service.model
      case .geminiLive(let configuration): configuration.model
      case .local(let configuration): configuration.model
      }
    }

    /// Whether turns can be found and transcribed without an answer; Gemini transcribes what it answers.
    var canListenOnly: Bool {
      switch self {
      case .wire(let service): service.traits.canListenOnly
      case .geminiLive: false
      case .local: true
      }
    }

    /// Whether a turn that the client ends is not transcribed before its answer is asked for.
    var transcribesOnRequest: Bool {
      if case .wire(let service) = self { service.traits.answersCommits != .nothing } else { !canListenOnly }
    }

    /// Whether a session of its own kind transcribes and never answers; elsewhere such sessions are emulated.
    var hasTranscriptionSessions: Bool {
      if case .wire(let service) = self { service.traits.hasTranscriptionSessions } else { false }
    }
  }

  /// The name in the configuration, for logs.
  public var name: String
  public var service: Service
  /// For recordings that are Opus, where the service does not take them; nil where Opus cannot be decoded.
  public var decodeRecording: RecordingDecoder?

  public init(name: String, service: Service) {
    self.name = name
    self.service = service
  }
}

extension ProviderKind {
  /// The service of a remote kind; nil for the local one, which has no address.
  ///
  /// - Parameters:
  ///   - key: nil for a stand-in that wants none.
  ///   - account: Google's alone, in place of a key.
  public func service(
    at endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String, account: GoogleServiceAccount? = nil
  ) -> ProviderConfiguration.Service? {
    switch self {
    case .openAI: .wire(OpenAIService(endpoint: endpoint, key: key, model: model))
    case .azure(let settings): .wire(settings.service(at: endpoint, key: key, model: model))
    case .xai: .wire(XAIService(endpoint: endpoint, key: key, model: model))
    case .inworld(let settings): .wire(settings.service(at: endpoint, key: key, model: model))
    case .vowel(let settings): .wire(settings.service(at: endpoint, key: key, model: model))
    case .geminiLive(let settings):
      .geminiLive(settings.configuration(at: endpoint, key: key, account: account, model: model))
    case .local: nil
    }
  }
}

enum ProviderRegistry {
  /// The translator of a session.
  static func translator(
    for parameters: SessionParameters, session: RealtimeSession, conversationID: String
  ) -> any Translator {
    let provider = parameters.isStrict ? parameters.provider.strict() : parameters.provider
    switch provider.service {
    case .wire(var service):
      if parameters.passesVendorEvents { service.passVendorEvents() }
      return WireTranslator(
        service: service, session: session, conversationID: conversationID,
        isModelKnown: parameters.requestedModel != nil, isStrict: parameters.isStrict,
        passesVendorEvents: parameters.passesVendorEvents, decodeRecording: provider.decodeRecording)
    case .geminiLive(let configuration):
      return GeminiLiveTranslator(configuration: configuration, session: session, conversationID: conversationID)
    case .local(let configuration):
      return LocalVoiceTranslator(configuration: configuration, session: session, conversationID: conversationID)
    }
  }
}
