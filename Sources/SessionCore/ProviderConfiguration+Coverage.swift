public import Translation

import GeminiLiveProvider
import LocalVoiceProvider
import OpenAIWire

extension ProviderConfiguration {
  /// What the provider, as it is configured, makes of everything that a client can say.
  public var coverage: [CoverageRow] {
    switch service {
    case .wire(let service): service.coverage
    case .geminiLive(let configuration): configuration.coverage
    case .local(let configuration): configuration.coverage
    }
  }

  /// The model of sessions whose client names none.
  public var model: String { service.model }
}
