public import Logging

extension VoiceEngine {
  /// Only the detector of an engine, for a server whose sessions are all with other providers, of which one has no
  /// detector that does what clients ask for. The rest is absent.
  public static func detecting(
    _ configuration: RuntimeConfiguration, folder: EngineFolder, logger: Logger
  ) -> VoiceEngine {
    let choice = configuration.resolved(Found(installedIn: folder, configuration)).vad
    if let reason = choice.degradation { logger.noteDegraded(.vad, reason) }
    let (description, makeDetector) = DetectorLoader(folder: folder, logger: logger).load(choice)
    logger.info(
      "engine stage",
      metadata: [
        "stage": "\(description.stage.rawValue)", "serves": "\(description.label)",
        "reason": "\(description.degradation ?? choice.reason)",
      ])
    return absent(detectingBy: description, makeDetector: makeDetector)
  }
}

/// Makes what detects speech: without the model it does with less.
struct DetectorLoader {
  let folder: EngineFolder
  let logger: Logger

  func load(
    _ choice: EngineSelection.Choice<EngineSelection.VAD>
  ) -> (StageDescription, @Sendable () -> any VoiceActivityDetector) {
    switch choice.value {
    case .silero(let modelPath):
      do {
        let factory = try SileroFactory(folder: folder, model: modelPath)
        return (factory.description, { factory.detector() })
      } catch {
        logger.noteDegraded(.vad, error.message)
        var description = EnergyDetector.description
        description.degradation = error.message
        return (description, { EnergyDetector() })
      }
    case .energy, .none:
      return (EnergyDetector.description, { EnergyDetector() })
    }
  }
}

extension Logger {
  /// A stage is not served by what was asked for.
  func noteDegraded(_ stage: StageName, _ reason: String) {
    warning("engine stage degraded", metadata: ["stage": "\(stage.rawValue)", "reason": "\(reason)"])
  }
}
