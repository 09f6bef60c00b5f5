import NativeCode
public import Logging

/// The stages of an engine, made and loaded. A stage that could not be had is nil, or a lesser one whose description says
/// why.
public struct EngineParts: Sendable {
  public var vad: StageDescription
  /// One for each session.
  public var makeDetector: @Sendable () -> any VoiceActivityDetector
  public var transcriber: (any Transcriber)?
  public var responder: any Responder
  public var synthesizer: (any Synthesizer)?
  /// A longer turn is cut.
  public var longestTurnMs: Int
  /// What stands for a stage that is nil, and why a stage that is there is not what was asked for.
  public var absent: [StageName: StageDescription]
  public var logger: Logger
  /// The thread on which sessions are heard.
  let hearingExecutor = NativeExecutor(label: "parley.hearing")
  let decoder = RecordingDecoder()

  public init(
    vad: StageDescription, makeDetector: @escaping @Sendable () -> any VoiceActivityDetector,
    transcriber: (any Transcriber)?, responder: any Responder, synthesizer: (any Synthesizer)?,
    longestTurnMs: Int = 25_000, absent: [StageName: StageDescription] = [:], logger: Logger
  ) {
    self.vad = vad
    self.makeDetector = makeDetector
    self.transcriber = transcriber
    self.responder = responder
    self.synthesizer = synthesizer
    self.longestTurnMs = longestTurnMs
    self.absent = absent
    self.logger = logger
  }

  /// The voices of the answers: the synthesizer's, or those of a model that speaks itself.
  public var voices: [String] {
    responder.speakers.isEmpty ? synthesizer?.voices ?? [] : responder.speakers
  }

  /// The four stages in the order of the cascade.
  public var descriptions: [StageDescription] {
    [
      vad, transcriber?.description ?? missing(.stt), responder.description, synthesizer?.description ?? missing(.tts),
    ].map { description in
      var description = description
      let reason = description.degradation ?? absent[description.stage]?.degradation
      description.degradation = reason.map(Self.withoutFolders)
      return description
    }
  }

  private func missing(_ stage: StageName) -> StageDescription {
    absent[stage] ?? StageDescription(stage, "none")
  }

  /// Why a stage is not there, in a sentence for the client.
  func absence(of stage: StageName) -> String {
    let what = stage == .stt ? "Nothing transcribes speech here" : "Nothing speaks here"
    return what + (absent[stage]?.degradation.map { ": \(Self.withoutFolders($0))" } ?? ".")
  }

  /// Files by their names only: where they lie is the operator's, who has it in the log.
  static func withoutFolders(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      guard word.hasPrefix("/"), let slash = word.lastIndex(of: "/") else { return word }
      return word[word.index(after: slash)...]
    }.joined(separator: " ")
  }
}
