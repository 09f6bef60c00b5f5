public import Envelope
import NIOCore
public import Translation

import Audio

/// A session with the voice engine of this process.
///
/// The engine hears, transcribes, answers and speaks; everything that the envelope means is here: turns, items, who may
/// answer when, what an interruption ends. So the engine needs to know nothing of events, and this nothing of threads.
public struct LocalVoiceTranslator: Translator {
  /// A turn whose audio the engine has.
  struct Turn: Sendable {
    var speech: SpeechTurn?
    /// The item that the words belong to, and which part of it.
    var itemID: String
    var contentIndex = 0
    var durationMs: Int
    /// The end of it asks for an answer.
    var wantsAnswer: Bool
  }

  /// A response and what the engine has still to say to it.
  struct Answer: Sendable {
    let id: String
    let options: ResponseOptions?
    /// The words of the user that it answers are still being recognised.
    var isWaiting: Bool
    var audioBytes = 0
    /// Of these, the ones of items that are closed.
    var closedAudioBytes = 0
    /// When the first of its speech went out: from then on the user hears it.
    var spokenFrom: Instant?
    /// Of the user's speech that it answers.
    var inputAudioMs = 0
  }

  let configuration: LocalVoiceConfiguration
  public internal(set) var session: RealtimeSession
  var conversation: Conversation
  var timeline = ResponseTimeline()
  var answer: Answer?
  /// Responses outside of the conversation, each with its own timeline.
  var side: [(timeline: ResponseTimeline, answer: Answer)] = []
  /// The turn in which the user speaks, and what the engine calls it.
  var listening: (turn: String, speech: SpeechTurn)?
  /// Turns that are being recognised, and turns whose audio may still be asked for.
  var pending: [String: Turn] = [:]
  var heard: [String: String] = [:]
  /// Its keys, oldest first.
  var heardOrder: [String] = []
  /// The user's words are there and nobody has answered them.
  var owesAnswer = false
  var unansweredAudioMs = 0
  var turnCount = 0
  var clock = AudioClock()
  /// The time in `clock` when the format last changed was this.
  var clockStartMs = 0
  /// Up to here the audio belongs to a turn, in milliseconds of the session's audio.
  var turnsEndMs = 0
  /// The length of the speech of each answer, and how much of an unfinished one the client heard.
  var spokenMs: [String: Int] = [:]
  var truncations: [String: Int] = [:]
  var idleAt: Instant?
  var idleFromMs = 0
  /// An answer has been given and the user has said nothing to it: silence after a mere noise counts again.
  var awaitsUser = false
  private var isOpen = false

  public init(configuration: LocalVoiceConfiguration, session: RealtimeSession, conversationID: String) {
    self.configuration = configuration
    conversation = Conversation(id: conversationID)
    self.session = session
    self.session.model = configuration.model
    self.session.audio.input.turnDetection = configuration.turnDetection
    self.session.audio.input.transcription = configuration.transcriptionModel.map { InputTranscription(model: $0) }
    _ = makeEffective(&self.session)
  }

  public var inputFormat: AudioFormat { session.audio.input.format }

  public func upstream() -> Upstream { .voiceEngine }

  public var bytesPerSample: Int {
    if case .pcm = session.audio.input.format { PCM16.bytesPerSample } else { 1 }
  }

  public var isMidTurn: Bool { timeline.isLive || owesAnswer || !side.isEmpty || !pending.isEmpty }

  public var isInTurn: Bool {
    isMidTurn || listening != nil || (session.audio.input.turnDetection == nil && heardMs > turnsEndMs)
      || conversation.awaitsCallResult
  }

  /// The position in the client's audio.
  var heardMs: Int { clockStartMs + clock.milliseconds }

  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? { nil }

  // MARK: The engine

  /// The engine needs no set-up of its own: what it shall hear is said as soon as it is there.
  public mutating func configurationSettled(at now: Instant, port: inout Port) {}

  public mutating func upstreamOpened(at now: Instant, port: inout Port) {
    isOpen = true
    let message = EngineRequest.hear(hearing).encoded()
    port.sendSetUp { message.write(into: &$0) }
  }

  func send(_ request: EngineRequest, port: inout Port) {
    let message = request.encoded()
    port.send(.control) { message.write(into: &$0) }
  }

  /// What the engine is to listen for.
  var hearing: HearingSettings {
    var settings = HearingSettings(
      format: session.audio.input.format, detection: .automatic, threshold: 0.5, prefixPaddingMs: 300, silenceMs: 550)
    switch session.audio.input.turnDetection {
    case nil:
      settings.detection = .manual
    case .serverVAD(let vad):
      settings.threshold = vad.threshold
      settings.prefixPaddingMs = vad.prefixPaddingMs
      settings.silenceMs = vad.silenceDurationMs
    case .semanticVAD(let vad):
      settings.silenceMs = SemanticWindow.silenceMs(vad.eagerness)
    }
    settings.language = session.audio.input.transcription?.language
    settings.prompt = session.audio.input.transcription?.prompt
    return settings
  }

  public mutating func clientAudio(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault) {
    if session.audio.input.turnDetection == nil, heardMs - turnsEndMs > Limits.longestBufferMs {
      throw .tooMuchHeld("The input audio buffer holds three minutes of audio, which is all it can.", param: "audio")
    }
    clock.append(bytes: chunk.decodedByteCount)
    port.send(.audio) { EngineRequest.writeAudio(chunk.base64, into: &$0) }
  }

  // MARK: Time

  public var deadline: Instant? { idleAt }

  public mutating func timeReached(at now: Instant, port: inout Port) {
    guard let due = idleAt, now >= due else { return }
    idleAt = nil
    guard listening == nil, !timeline.isLive, !owesAnswer, pending.isEmpty else { return }
    let startMs = min(idleFromMs, heardMs)
    var speech = SpeechTurn(committedByClient: heardMs - startMs, port: &port)
    port.emit(.inputAudioBufferTimeoutTriggered(audioStartMs: startMs, audioEndMs: heardMs, itemID: speech.itemID))
    speech.commit(&conversation, port: &port)
    speech.finish(transcript: "", isReported: false, &conversation, port: &port)
    send(.clear, port: &port)
    turnsEndMs = heardMs
    owesAnswer = true
    answerIfPossible(at: now, port: &port)
  }

  /// Silence counts from the end of what the user hears, which is sent faster than it is spoken.
  ///
  /// - Parameter playbackMs: what is still to be heard.
  mutating func armIdleTimeout(afterMs playbackMs: Int, at now: Instant) {
    idleAt = nil
    guard let idle = session.audio.input.turnDetection?.idleTimeoutMs else { return }
    awaitsUser = true
    idleAt = now + .milliseconds(playbackMs + idle)
    idleFromMs = heardMs + playbackMs
  }

  // MARK: End

  public mutating func upstreamEnded(_ verdict: UpstreamVerdict, at now: Instant, port: inout Port) {
    idleAt = nil
    timeline.finish(.failed(code: verdict.code, message: verdict.message), usage: nil, &conversation, port: &port)
    for index in side.indices {
      side[index].timeline.finish(
        .failed(code: verdict.code, message: verdict.message), usage: nil, &conversation, port: &port)
    }
    side.removeAll()
    answer = nil
    pending.removeAll()
    owesAnswer = false
  }
}
