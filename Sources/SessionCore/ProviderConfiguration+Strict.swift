public import Translation

import GeminiLiveProvider
import LocalVoiceProvider

extension ProviderConfiguration {
  /// The same, with what has no counterpart at the provider refused rather than replaced (Q16, Q23). A service of the
  /// OpenAI wire is told by its session.
  public func strict() -> Self {
    var strict = self
    switch service {
    case .wire: break
    case .geminiLive(var configuration):
      configuration.isLenient = false
      strict.service = .geminiLive(configuration)
    case .local(var configuration):
      configuration.isLenient = false
      strict.service = .local(configuration)
    }
    return strict
  }

  /// The same, with a decoder for recordings that the provider does not take as they are (R259). The engine of this
  /// process has its own.
  public func decodingRecordings(by decode: @escaping RecordingDecoder) -> Self {
    var decoding = self
    decoding.decodeRecording = decode
    if case .geminiLive(var configuration) = service {
      configuration.decodeRecording = decode
      decoding.service = .geminiLive(configuration)
    }
    return decoding
  }
}
