public import Logging

extension VoiceEngine {
  /// Only the detector of an engine, for a server whose sessions are all with other providers, of which one has no
  /// detector that does what clients ask for. The rest is absent.
  ///
  /// - Parameter previous: an engine whose weights are taken over where the configuration wants the same.
  public static func detecting(
    _ configuration: RuntimeConfiguration, reusing previous: VoiceEngine? = nil, folder: EngineFolder, logger: Logger
  ) -> VoiceEngine {
    let choice = configuration.resolved(Found(installedIn: folder, configuration)).vad
    if let reason = choice.degradation { logger.noteDegraded(.vad, reason) }
    var loaded = LoadedParts()
    let loader = DetectorLoader(folder: folder, logger: logger, previous: previous?.loaded.silero)
    let (description, makeDetector) = loader.load(choice, into: &loaded.silero)
    logger.info(
      "engine stage",
      metadata: [
        "stage": "\(description.stage.rawValue)", "serves": "\(description.label)",
        "reason": "\(description.degradation ?? choice.reason)",
      ])
    return absent(detectingBy: description, loaded: loaded, makeDetector: makeDetector)
  }
}

/// Makes what detects speech: without the model it does with less.
struct DetectorLoader {
  let folder: EngineFolder
  let logger: Logger
  var previous: LoadedParts.Part<SileroFactory>?

  func load(
    _ choice: EngineSelection.Choice<EngineSelection.VAD>, into loaded: inout LoadedParts.Part<SileroFactory>?
  ) -> (StageDescription, @Sendable () -> any VoiceActivityDetector) {
    switch choice.value {
    case .silero(let modelPath):
      do {
        let path = modelPath ?? folder.model(SileroDetector.standardModel)
        let recipe = LoadedParts.Recipe.silero(model: ModelStamp(path))
        let factory =
          if let previous, previous.recipe == recipe { previous.value } else {
            try SileroFactory(folder: folder, model: modelPath)
          }
        loaded = LoadedParts.Part(recipe: recipe, value: factory)
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
