import Audio
import Envelope
import NIOCore

/// What became of one question: built from the server's events, read by whoever shows them. No clock of its own.
struct Exchange {
  /// What is timed, in the order of the table.
  enum Moment: String, CaseIterable {
    case speechStopped = "speech_stopped"
    case transcript
    case responseCreated = "response.created"
    case firstText = "first text"
    case firstAudio = "first audio"
    case responseDone = "response.done"
  }

  /// Whether the question is spoken.
  let isSpoken: Bool
  /// Since the connection was opened, of the last turn and its answer.
  private(set) var moments: [Moment: Duration] = [:]
  /// What the server understood, turn by turn.
  private(set) var heard: [String] = []
  private(set) var answer = ""
  /// Base64 decoded: PCM16 at 24 kHz.
  private(set) var answerAudio = ByteBuffer()
  private(set) var answerDeltaCount = 0
  /// Why there is no answer, in one line.
  private(set) var failure: String?
  /// Why the answer is shorter than it should be.
  private(set) var remark: String?

  private(set) var isCreated = false
  private(set) var isConfigured = false
  /// What the session says of its own.
  private(set) var session: JSONValue = .null
  /// Whether all of the question has gone out, and the silence that ends a spoken one.
  var isQuestionSent = false
  private(set) var isSpeaking = false
  /// Turns that the server has ended or begun to answer.
  private(set) var turnSignCount = 0
  private var committedCount = 0
  private var transcribedCount = 0
  private var isAnswerDue = true
  private var isResponding = false

  init(isSpoken: Bool) {
    self.isSpoken = isSpoken
  }

  /// Whether the server itself finds where turns end.
  var hasTurnDetection: Bool { session["audio"]?["input"]?["turn_detection"]?.object != nil }
  /// Whether spoken turns are transcribed.
  var isTranscribing: Bool { session["audio"]?["input"]?["transcription"]?.object != nil }
  /// Whether nothing is missing of the answer to what was sent.
  var isAnswered: Bool { isQuestionSent && !isSpeaking && !isAnswerDue && !isResponding }
  /// Whether a transcript is still to come.
  var isTranscriptDue: Bool { isTranscribing && transcribedCount < committedCount }
  /// Of the answer.
  var answerDuration: Duration { .milliseconds(answerAudio.readableBytes / PCM16.bytesPerSample / 24) }

  mutating func take(_ event: JSONValue, at time: Duration) {
    switch event["type"]?.string ?? "" {
    case "session.created":
      isCreated = true
      session = event["session"] ?? .null
    case "session.updated":
      isConfigured = true
      session = event["session"] ?? .null
    case "error":
      failure = event["error"]?["message"]?.string ?? "the server reports an error"
    case "input_audio_buffer.speech_started":
      isSpeaking = true
      isAnswerDue = true
    case "input_audio_buffer.speech_stopped":
      isSpeaking = false
      moments[.speechStopped] = time
    case "input_audio_buffer.committed":
      committedCount += 1
      turnSignCount += 1
      isSpeaking = false
      isAnswerDue = true
    case "conversation.item.input_audio_transcription.completed":
      transcribedCount += 1
      moments[.transcript] = time
      if let text = event["transcript"]?.string, !text.isEmpty { heard.append(text) }
    case "conversation.item.input_audio_transcription.failed":
      transcribedCount += 1
      remark = event["error"]?["message"]?.string
    case let type where type.hasPrefix("response."):
      takeResponse(type, event, at: time)
    default:
      break
    }
  }

  private mutating func takeResponse(_ type: String, _ event: JSONValue, at time: Duration) {
    switch type {
    case "response.created":
      // An answer that was interrupted counts for nothing.
      for moment in [Moment.firstText, .firstAudio, .responseDone] { moments[moment] = nil }
      moments[.responseCreated] = time
      turnSignCount += 1
      answer = ""
      answerAudio.clear()
      answerDeltaCount = 0
      isResponding = true
    case "response.output_audio_transcript.delta", "response.output_text.delta":
      moments[.firstText] = moments[.firstText] ?? time
      answer += event["delta"]?.string ?? ""
    case "response.output_audio.delta":
      moments[.firstAudio] = moments[.firstAudio] ?? time
      answerDeltaCount += 1
      var text = event["delta"]?.string ?? ""
      if text.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0), into: &answerAudio) }) == nil {
        failure = "the server sent audio that is not base64"
      }
    case "response.done":
      moments[.responseDone] = time
      isResponding = false
      end(event["response"] ?? .null)
    default:
      break
    }
  }

  private mutating func end(_ response: JSONValue) {
    let details = response["status_details"]
    let reason = details?["error"]?["message"]?.string ?? details?["reason"]?.string
    switch response["status"]?.string {
    case "completed":
      isAnswerDue = false
    case "incomplete":
      isAnswerDue = false
      remark = "the answer is incomplete" + (reason.map { ": \($0)" } ?? "")
    case "cancelled" where isSpeaking || !isQuestionSent || details?["reason"]?.string == "turn_detected":
      // The question went on; what follows is answered.
      isAnswerDue = true
    case "cancelled":
      failure = "the answer was cancelled" + (reason.map { ": \($0)" } ?? "")
    default:
      failure = "the answer failed" + (reason.map { ": \($0)" } ?? "")
    }
  }
}
