public import Envelope
public import LocalVoiceProvider
public import NIOCore
public import Translation

import Logging

/// The voice engine of the process: hears, transcribes, answers and speaks, for all sessions that have no other provider.
public final class VoiceEngine: Sendable {
  public let parts: EngineParts
  /// What a session begins with.
  public let profile: LocalVoiceConfiguration
  /// Whether the server has a provider that is this engine.
  public let isPresent: Bool
  /// Why the parts are these; nil for an engine that was made of given parts.
  public let selection: EngineSelection?
  /// What the next engine may take over.
  let loaded: LoadedParts

  /// - Parameters:
  ///   - model: what `session.model` says.
  ///   - turnDetection: of sessions that say nothing of it; nil for push-to-talk.
  ///   - selection: why the parts are these.
  public convenience init(
    parts: EngineParts, model: String, turnDetection: TurnDetection?, selection: EngineSelection? = nil,
    isPresent: Bool = true
  ) {
    self.init(
      parts: parts, model: model, turnDetection: turnDetection, selection: selection, isPresent: isPresent,
      loaded: LoadedParts())
  }

  init(
    parts: EngineParts, model: String, turnDetection: TurnDetection?, selection: EngineSelection? = nil,
    isPresent: Bool = true, loaded: LoadedParts
  ) {
    self.loaded = loaded
    self.parts = parts
    self.isPresent = isPresent
    self.selection = selection
    profile = LocalVoiceConfiguration(
      model: model,
      stages: parts.descriptions.map {
        .init(name: $0.stage.rawValue, label: $0.label, degradation: $0.degradation)
      },
      voices: parts.voices, transcriptionModel: parts.transcriber.map { $0.description.model },
      answersSpeech: parts.responder.takesSpeech, turnDetection: turnDetection)
  }

  /// Opens the engine's side of a session.
  ///
  /// - Parameters:
  ///   - session: its id, for the log.
  ///   - deliver: takes the engine's messages, on any thread, in order.
  ///   - pressure: is told when the engine has more to hear than it should hold, and when that is over.
  public func open(
    session: String, deliver: @escaping @Sendable (ByteBuffer) -> Void, pressure: @escaping @Sendable (Bool) -> Void
  ) -> EngineLine {
    var parts = parts
    parts.logger[metadataKey: "session"] = "\(session)"
    return EngineLine(parts: parts, deliver: deliver, pressure: pressure)
  }

  /// Makes a detector of turns for a session of another provider, which has none that does what the client asked for: of
  /// the same kind as the engine's own, whose weights it shares.
  public var makeTurnDetector: @Sendable () -> any TurnDetector {
    { [makeDetector = parts.makeDetector] in SpeechTurnDetector(makeDetector()) }
  }

  /// An engine without ears, voice or model, for a server whose configuration has no provider of kind `local`.
  public static var absent: VoiceEngine {
    absent(detectingBy: EnergyDetector.description) { EnergyDetector() }
  }

  /// The same with a detector for the sessions of other providers.
  static func absent(
    detectingBy vad: StageDescription, loaded: LoadedParts = LoadedParts(),
    makeDetector: @escaping @Sendable () -> any VoiceActivityDetector
  ) -> VoiceEngine {
    VoiceEngine(
      parts: EngineParts(
        vad: vad, makeDetector: makeDetector, transcriber: nil, responder: RuleResponder(), synthesizer: nil,
        logger: Logger(label: "engine") { _ in SwiftLogNoOpLogHandler() }),
      model: RuleResponder.model, turnDetection: nil, isPresent: false, loaded: loaded)
  }
}
