import AzureProvider
import InworldProvider
import OpenAIWire
import Translation
import VowelProvider

// The services that the settings of their kinds describe.

extension AzureSettings {
  func service(at endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String) -> AzureService {
    AzureService(
      endpoint: endpoint, credential: credential(key), model: model, api: service, apiVersion: apiVersion)
  }

  private var service: AzureAPI {
    switch api {
    case .realtime: .realtime
    case .preview: .preview
    case .voiceLive: .voiceLive
    }
  }

  private func credential(_ key: Redacted<String>?) -> AzureCredential {
    guard let key else { return .none }
    switch credential {
    case .header: return .key(key)
    case .bearer: return .token(key)
    case .entra(let tenant, let clientID):
      return .application(AzureApplication(tenant: tenant, clientID: clientID, secret: key, tokenURL: tokenURL))
    }
  }
}

extension InworldSettings {
  func service(at endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String) -> InworldService {
    InworldService(
      endpoint: endpoint, key: key, model: model, transcriptionModel: transcriptionModel, voiceModel: voiceModel,
      voice: voice)
  }
}

extension VowelSettings {
  func service(at endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String) -> VowelService {
    VowelService(endpoint: endpoint, key: key, model: model, tokens: service, voice: voice)
  }

  private var service: VowelTokens {
    switch tokens {
    case .none: .given
    case .engine: .engine(url: tokenURL)
    case .core(let appID): .core(url: tokenURL ?? "", appID: appID)
    }
  }
}
