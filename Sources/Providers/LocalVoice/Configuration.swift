public import Envelope

import Translation

/// What the voice engine of this process consists of, as a session sees it. A snapshot: a session keeps the one it began
/// with.
public struct LocalVoiceConfiguration: Sendable, Equatable {
  /// What serves one stage, in words for people, and why it is not what was asked for.
  public struct Stage: Sendable, Equatable {
    /// `vad`, `stt`, `llm` or `tts`.
    public var name: String
    public var label: String
    public var degradation: String?

    public init(name: String, label: String, degradation: String? = nil) {
      self.name = name
      self.label = label
      self.degradation = degradation
    }
  }

  /// What really runs; a client that names another model gets this one, and is told (Q16, Q21).
  public var model: String
  public var stages: [Stage]
  /// The first is the default. Empty: nothing speaks, answers are written.
  public var voices: [String]
  /// Nil: nothing transcribes.
  public var transcriptionModel: String?
  /// Whether the model of the answers hears the turn itself, so that one without words is worth an answer.
  public var answersSpeech: Bool
  /// Of sessions that say nothing of it.
  public var turnDetection: TurnDetection?
  /// What has no counterpart here becomes what really happens; otherwise it is refused (Q16, Q23).
  public var isLenient = true

  public init(
    model: String, stages: [Stage] = [], voices: [String], transcriptionModel: String?, answersSpeech: Bool = false,
    turnDetection: TurnDetection?
  ) {
    self.model = model
    self.stages = stages
    self.voices = voices
    self.transcriptionModel = transcriptionModel
    self.answersSpeech = answersSpeech
    self.turnDetection = turnDetection
  }

  /// `engine` of the session object and of `/health`: nobody shall mistake rules for a model.
  public var description: JSONValue {
    var object = JSONObject()
    for stage in stages { object[stage.name] = .string(stage.label) }
    let notes = stages.compactMap { stage in stage.degradation.map { JSONValue.string("\(stage.name): \($0)") } }
    if !notes.isEmpty { object["degraded"] = .array(notes) }
    return .object(object)
  }

  /// The voice that a name stands for: itself, or the default for every name that is not the engine's.
  func voice(named name: String) -> String {
    voices.contains(name) ? name : voices.first ?? name
  }

  /// Whether a client may take the name for granted (R197).
  func knows(voice name: String) -> Bool {
    voices.contains(name) || VoiceNames.isOpenAI(name)
  }
}
