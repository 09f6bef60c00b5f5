import Envelope

/// The user's spoken turn, from the first sign of speech to its transcript: emits each of its events exactly once and
/// in the order that the service has (speech started, stopped, committed, item added and done, transcription).
public struct SpeechTurn: Sendable {
  private enum Stage: Sendable { case listening, stopped, committed }

  public let itemID: String
  private let startedMs: Int
  private var endedMs: Int
  private var stage = Stage.listening
  private var transcript = ""

  /// The user began to speak: emits `input_audio_buffer.speech_started`.
  public init(startedAtMs: Int, port: inout Port) {
    itemID = port.ids.next(.item)
    startedMs = max(0, startedAtMs)
    endedMs = startedMs
    port.emit(.inputAudioBufferSpeechStarted(audioStartMs: startedMs, itemID: itemID))
  }

  /// A turn that the client ended itself by a commit, with no detection of speech: it has no speech events.
  public init(committedByClient audioMs: Int, port: inout Port) {
    itemID = port.ids.next(.item)
    startedMs = 0
    endedMs = max(0, audioMs)
    stage = .stopped
  }

  public var isCommitted: Bool { stage == .committed }
  /// Whether anything of the transcript has been told.
  public var hasWords: Bool { !transcript.isEmpty }

  /// The utterance's length.
  public var lengthMs: Int { endedMs - startedMs }
  /// The utterance's length in seconds, for the transcription's usage.
  private var seconds: Double { Double(lengthMs) / 1000 }

  /// The user stopped: emits `input_audio_buffer.speech_stopped`.
  public mutating func stop(atMs endMs: Int, port: inout Port) {
    guard stage == .listening else { return }
    stage = .stopped
    endedMs = max(startedMs, endMs)
    port.emit(.inputAudioBufferSpeechStopped(audioEndMs: endedMs, itemID: itemID))
  }

  /// The turn becomes a user item, whether or not the end of speech was detected: emits the commit group.
  public mutating func commit(_ conversation: inout Conversation, port: inout Port) {
    guard stage != .committed else { return }
    stage = .committed
    let item = Item.message(
      id: itemID, role: .user, status: .completed, content: [.inputAudio(audio: nil, transcript: nil)])
    let previous = conversation.append(item)
    port.emit(.inputAudioBufferCommitted(itemID: itemID, previousItemID: previous))
    port.emit(.conversationItemAdded(item: item, previousItemID: previous))
    port.emit(.conversationItemDone(item: item, previousItemID: previous))
    if hasWords { completeItem(&conversation) }
  }

  /// A fragment of what the user said. The first one often starts with a space, which goes.
  public mutating func transcribe(_ fragment: String, port: inout Port) {
    let text = transcript.isEmpty ? String(fragment.drop { $0 == " " }) : fragment
    guard !text.isEmpty else { return }
    transcript += text
    port.emit(.inputAudioTranscriptionDelta(itemID: itemID, contentIndex: 0, delta: text))
  }

  /// A fragment of what the user said that the client does not want to see; the item of a committed turn has it.
  public mutating func remember(_ fragment: String, in conversation: inout Conversation) {
    transcript += transcript.isEmpty ? String(fragment.drop { $0 == " " }) : fragment
    if isCommitted { completeItem(&conversation) }
  }

  /// No more of the transcript comes: emits its `completed` event and completes the item.
  public func finishTranscript(_ conversation: inout Conversation, port: inout Port) {
    completeItem(&conversation)
    port.emit(
      .inputAudioTranscriptionCompleted(
        itemID: itemID, contentIndex: 0, transcript: transcript, usage: .duration(seconds: seconds)))
  }

  /// The whole transcript came at once. `isReported`: whether the client asked for it; the item has it in any case.
  public mutating func finish(
    transcript text: String, isReported: Bool, _ conversation: inout Conversation, port: inout Port
  ) {
    guard isReported else {
      transcript = text
      return completeItem(&conversation)
    }
    transcribe(text, port: &port)
    finishTranscript(&conversation, port: &port)
  }

  /// There is no transcript; the item stays without.
  public func fail(code: String, message: String, isReported: Bool, port: inout Port) {
    guard isReported else { return }
    port.emit(
      .inputAudioTranscriptionFailed(
        itemID: itemID, contentIndex: 0,
        error: TranscriptionError(type: "server_error", code: code, message: message, param: nil)))
  }

  private func completeItem(_ conversation: inout Conversation) {
    conversation.replace(
      Item.message(
        id: itemID, role: .user, status: .completed, content: [.inputAudio(audio: nil, transcript: transcript)]))
  }
}
