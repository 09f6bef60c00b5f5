public import Envelope
public import Translation

import GeminiLiveProvider
import InworldProvider
import LocalVoiceProvider
import OpenAIWire

/// What a service has by name, for `GET /v1/models` and `GET /v1/voices`.
public struct ServiceCatalogue: Sendable {
  /// Who serves the models.
  public var owner: String
  /// The configured model first.
  public var models: [String]
  /// Where clients may name more models than these: what they may name, for people.
  public var modelNote: String?
  /// Empty where nothing speaks.
  public var voices: [ServiceVoice]
  /// The voice of sessions that name none.
  public var standardVoice: String?
  /// Where the service itself lists its voices.
  public var listing: VoiceListing?
}

/// A service's own list of its voices.
public struct VoiceListing: Sendable {
  public var endpoint: UpstreamEndpoint
  /// With its query.
  public var pathAndQuery: String
  public var headers: [UpstreamTarget.Header]

  /// The voices of an answer; nil if it is none. Voices without an id are left out.
  public func voices(in answer: JSONValue) -> [ServiceVoice]? {
    answer["voices"]?.array?.compactMap { voice in
      guard let id = voice["voiceId"]?.string, !id.isEmpty else { return nil }
      let name = voice["displayName"]?.string
      return ServiceVoice(
        id, name: name == id ? nil : name, language: voice["langCode"]?.string.map(Self.language),
        gender: voice["gender"]?.string.flatMap(Self.gender))
    }
  }

  /// `EN_US` as BCP 47 has it.
  private static func language(_ code: String) -> String {
    let parts = code.replacing("_", with: "-").split(separator: "-", maxSplits: 1)
    return ([parts.first?.lowercased()] + parts.dropFirst().map { $0.uppercased() }).compactMap(\.self)
      .joined(separator: "-")
  }

  private static func gender(_ text: String) -> ServiceVoice.Gender? {
    let words = text.lowercased().split { !$0.isLetter }
    return ServiceVoice.Gender.allCases.first { words.contains($0.rawValue[...]) }
  }
}

extension ProviderKind {
  /// What the service has by name, as it is configured.
  public func catalogue(_ configuration: ProviderConfiguration) -> ServiceCatalogue {
    var catalogue = ServiceCatalogue(
      owner: owner, models: [configuration.model], voices: voices,
      standardVoice: standardVoice(configuration))
    catalogue.models += modelNames.filter { $0 != configuration.model }
    catalogue.modelNote = modelNote
    if case .local(let engine) = configuration.service { catalogue.voices = engine.voices.map { ServiceVoice($0) } }
    if let standard = catalogue.standardVoice, !catalogue.voices.contains(where: { $0.id == standard }) {
      catalogue.voices.insert(ServiceVoice(standard), at: 0)
    }
    if case .wire(let service as InworldService) = configuration.service {
      catalogue.listing = service.voiceListing
    }
    return catalogue
  }

  private var owner: String {
    switch self {
    case .openAI: "openai"
    case .geminiLive: "google"
    case .azure: "azure"
    case .xai: "xai"
    case .inworld: "inworld"
    case .vowel: "vowel"
    case .local: "parley"
    }
  }

  /// Beside the configured one. Deployments and routers are an account's own.
  private var modelNames: [String] {
    switch self {
    case .openAI: Self.openAIModels
    case .geminiLive(let settings): settings.aliases.keys.sorted() + settings.modelNames
    case .xai: ["grok-voice-latest", "grok-voice-think-fast-1.0", "grok-voice-fast-1.0"]
    case .azure, .inworld, .vowel, .local: []
    }
  }

  /// The API description of August 2026, and what came before it.
  private static let openAIModels = [
    "gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5", "gpt-realtime",
    "gpt-realtime-2025-08-28", "gpt-realtime-mini", "gpt-realtime-mini-2025-10-06", "gpt-realtime-mini-2025-12-15",
    "gpt-audio-1.5", "gpt-audio-mini", "gpt-4o-realtime-preview", "gpt-4o-realtime-preview-2024-10-01",
    "gpt-4o-realtime-preview-2024-12-17", "gpt-4o-realtime-preview-2025-06-03", "gpt-4o-mini-realtime-preview",
    "gpt-4o-mini-realtime-preview-2024-12-17",
  ]

  private var modelNote: String? {
    switch self {
    case .openAI: "Any other model of the account may be named too."
    case .geminiLive: "Any other Live model of the service may be named too."
    case .azure: "Any deployment of the resource may be named."
    case .xai: "Any other voice model of the service may be named too."
    case .inworld: "Any `provider/model` or router of the account may be named."
    case .vowel: "Any model that the engine has may be named."
    case .local: nil
    }
  }

  private var voices: [ServiceVoice] {
    switch self {
    case .openAI, .azure: VoiceNames.voices(of: .openAI)
    case .geminiLive: GeminiLiveConfiguration.catalogue
    case .xai: VoiceNames.voices(of: .xAI)
    case .inworld: VoiceNames.voices(of: .inworld)
    case .vowel: VoiceNames.voices(of: .aura)
    case .local: []
    }
  }

  /// What a fresh session shows.
  private func standardVoice(_ configuration: ProviderConfiguration) -> String? {
    switch configuration.service {
    case .wire(let service):
      var session = RealtimeSession.defaults(id: "", model: service.model, voice: "marin", expiresAt: 0)
      service.begin(&session)
      return session.audio.output.voice.name
    case .geminiLive: return GeminiLiveConfiguration.catalogue.first?.id
    case .local(let engine): return engine.voices.first
    }
  }
}

extension GeminiLiveSettings {
  fileprivate var modelNames: [String] {
    GeminiLiveConfiguration.modelNames(onVertex: place != .aiStudio)
  }
}

extension InworldService {
  /// At the host of the sessions, whatever their path is, with the same credential.
  fileprivate var voiceListing: VoiceListing {
    let session = RealtimeSession.defaults(id: "", model: model, voice: "marin", expiresAt: 0)
    return VoiceListing(
      endpoint: endpoint, pathAndQuery: "/voices/v1/voices?pageSize=2000",
      headers: target(session, resuming: nil).headers)
  }
}
