public import Translation

import GeminiLiveProvider

extension ProviderKind {
  /// Whether its sessions may ask for turns that the provider cannot find as the client wants them.
  public var needsTurnDetector: Bool {
    if case .geminiLive = self { true } else { false }
  }
}

extension ProviderConfiguration {
  /// The same, with a maker of detectors where the provider needs one.
  public func detectingTurns(by makeDetector: @escaping @Sendable () -> any TurnDetector) -> Self {
    guard case .geminiLive(var configuration) = service else { return self }
    configuration.makeDetector = makeDetector
    var detecting = self
    detecting.service = .geminiLive(configuration)
    return detecting
  }
}
