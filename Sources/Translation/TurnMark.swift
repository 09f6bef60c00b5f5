public import Envelope

/// What a step meant for the turns of a session, noted where it happens: a translator has no clock that it could read, and
/// the session stamps all marks of a step with its time.
public enum TurnMark: Sendable, Hashable {
  /// The client was told that the user speaks.
  case speechStarted
  /// A sign that the user's speech went on until now, such as a word of its transcript.
  case speechHeard
  /// The client was told that the user has stopped, or took back what was said.
  case speechStopped
  case speechCleared
  /// The client has asked for an answer, or committed a turn that is answered.
  case asked
  /// What the client asked for before is complete only now: the clock starts anew.
  case askedInFull
  /// An answer will not come: it was asked for in vain, or the user was silent.
  case unanswered
  /// What the client asked for is no valid request.
  case refused
  /// The provider has from now on all that it needs for the answer.
  case handedOver
  /// A response of the conversation was told to have begun.
  case began(responseID: String)
  /// A chunk of speech went to the client; only while somebody watches. Nil: of the response that is live.
  case spoke(responseID: String?)
  /// The client has cancelled a response; nil for the one that is live.
  case cancelled(responseID: String?)
  case ended(TurnOutcome, responseID: String, inputTokens: Int?, outputTokens: Int?)
}

/// The marks of one step, in their order. Empty but for a few steps of a turn, and then it costs one look.
public struct TurnMarks: Sendable {
  /// Not in sessions that only transcribe.
  public var areKept = true
  /// Each chunk of speech is marked: the first of an answer is waited for, or the last.
  public var watchesSpeech = false
  private var marks: [TurnMark] = []

  public var isEmpty: Bool { marks.isEmpty }

  public mutating func add(_ mark: TurnMark) {
    guard areKept else { return }
    marks.append(mark)
    // Its first audio may come in the same step.
    if case .began = mark { watchesSpeech = true }
  }

  /// What was marked ahead did not come about.
  public mutating func withdraw(_ mark: TurnMark) {
    if let index = marks.lastIndex(of: mark) { marks.remove(at: index) }
  }

  public mutating func takeAll() -> [TurnMark] {
    defer { marks = [] }
    return marks
  }

  /// What an event of ours says of the turns.
  mutating func add(_ event: ServerEvent.Body) {
    switch event {
    case .inputAudioBufferSpeechStarted: add(.speechStarted)
    case .inputAudioBufferSpeechStopped: add(.speechStopped)
    case .inputAudioBufferCleared: add(.speechCleared)
    case .inputAudioBufferTimeoutTriggered: add(.unanswered)
    case .responseCreated(let response) where response.conversationID != nil:
      add(.began(responseID: response.id))
    case .responseDone(let response) where response.conversationID != nil:
      add(
        .ended(
          TurnOutcome(response.status), responseID: response.id, inputTokens: response.usage?.inputTokens,
          outputTokens: response.usage?.outputTokens))
    default: break
    }
  }
}

extension TurnOutcome {
  /// A response that is told to be over is in one of these states.
  public init(_ status: ResponseStatus) {
    switch status {
    case .completed, .inProgress: self = .completed
    case .cancelled: self = .cancelled
    case .failed: self = .failed
    case .incomplete: self = .incomplete
    }
  }
}
