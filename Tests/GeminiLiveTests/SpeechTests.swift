import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// The user's speech where the service does not tell of it: section 6.6; and its transcript.
@Suite struct GeminiSpeech {
  typealias Call = GeminiCall

  static func types(_ call: SessionDialogue, _ item: String) -> [String] {
    call.history.filter { $0["item_id"]?.string == item || $0["item"]?["id"]?.string == item }.compactMap {
      $0["type"]?.string
    }
  }

  static let triple = [
    "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
    "conversation.item.added", "conversation.item.done",
  ]

  @Test(
    "gemini 6.6: without voiceActivity speech starts at the first fragment of its transcript, stops and is committed at the first output, by our own clock"
  )
  func byTranscript() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 800))
    let started = call.upstream(Call.heard("Hello")).events.at(0)
    #expect(started["audio_start_ms"] == 800)
    _ = call.client(Call.append(ms: 700))
    let step = call.upstream(Call.audio)
    #expect(step.events.at(0)["audio_end_ms"] == 1500 && step.events.at(0)["item_id"] == started["item_id"])
  }

  @Test("gemini 6.6: or at interrupted; each utterance has exactly one of started, stopped and committed")
  func triples() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    for _ in 0..<3 {
      _ = call.client(Call.append(ms: 500))
      _ = call.upstream(Call.interrupted)
      _ = call.upstream(Call.heard("So"))
      _ = call.upstream(Call.heard(" then"))
      _ = call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
      _ = call.answer()
    }
    let items = call.history.filter { $0["type"] == "input_audio_buffer.speech_started" }.compactMap {
      $0["item_id"]?.string
    }
    #expect(items.count == 3)
    for item in items {
      #expect(Self.types(call, item).filter { Self.triple.contains($0) } == Self.triple)
    }
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("gemini 6.6: audio that is answered without any sign of speech is one utterance since the last one")
  func noSign() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 600))
    let step = call.upstream(Call.audio)
    #expect(Array(step.types.prefix(5)) == Self.triple)
    #expect(step.events.at(0)["audio_start_ms"] == 0 && step.events.at(1)["audio_end_ms"] == 600)
    _ = call.upstream(Call.complete)
    _ = call.upstream(Call.end)
    _ = call.client(Call.append(ms: 400))
    let next = call.upstream(Call.audio)
    #expect(next.events.at(0)["audio_start_ms"] == 600 && next.events.at(1)["audio_end_ms"] == 1000)
  }

  @Test("gemini 6.6: an answer to text is no sign of speech, whatever the microphone sent meanwhile")
  func typed() {
    var call = Call.ready()
    _ = call.client(Call.text("Hello"))
    _ = call.client(Call.create)
    _ = call.client(Call.append(ms: 300))
    #expect(!call.answer().types.contains { $0.hasPrefix("input_audio_buffer") })
  }

  @Test("gemini 6.5: a transcript that is completed has the utterance's length as its usage")
  func duration() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 3000))
    _ = call.upstream(Call.activity("ACTIVITY_START", at: "0.200s"))
    _ = call.upstream(Call.activity("ACTIVITY_END", at: "2.900s"))
    _ = call.upstream(Call.heard("Hello."))
    _ = call.upstream(Call.audio)
    _ = call.upstream(Call.end)
    let completed = call.history.first { $0["type"] == "conversation.item.input_audio_transcription.completed" }
    #expect(completed?["usage"] == ["type": "duration", "seconds": 2.7])
    #expect(completed?["transcript"] == "Hello.")
  }

  @Test(
    "gemini 4.1: a transcript may trail the answer; it belongs to the turn that it is of, and a missing one is empty")
  func trailing() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 500))
    let item = call.upstream(Call.audio).events.at(0)["item_id"]
    #expect(call.upstream(Call.heard("Late")).events.map { $0["item_id"] } == [item])
    _ = call.upstream(Call.complete)
    _ = call.upstream(Call.end)
    _ = call.client(Call.append(ms: 500))
    _ = call.upstream(Call.audio)
    let end = call.upstream(Call.end).event("conversation.item.input_audio_transcription.completed")
    #expect(end?["transcript"] == "" && end?["item_id"] != item)
  }

  @Test("R252: the events of a spoken turn in their order, with the transcript, up to the response")
  func lifecycle() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 3000))
    _ = call.upstream(Call.activity("ACTIVITY_START", at: "0.200s"))
    _ = call.upstream(Call.heard("Hello."))
    _ = call.upstream(Call.activity("ACTIVITY_END", at: "2.900s"))
    _ = call.answer()
    let item = call.history.first { $0["type"] == "input_audio_buffer.speech_started" }?["item_id"]?.string ?? ""
    #expect(
      Self.types(call, item) == [
        "input_audio_buffer.speech_started", "conversation.item.input_audio_transcription.delta",
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done", "conversation.item.input_audio_transcription.completed",
      ])
  }
}

/// `idle_timeout_ms`: the row of section 5.3.
@Suite struct GeminiIdleTimeout {
  typealias Call = GeminiCall

  static func ready(_ field: String) -> SessionDialogue {
    GeminiCall.ready(
      GeminiCall.live38, #""audio":{"input":{"turn_detection":{"type":"server_vad"\#(field)}}}"#)
  }

  /// An answer of 600 ms, at the end of which the client has heard none of it.
  static func answered(_ field: String) -> SessionDialogue {
    var call = ready(field)
    _ = call.client(Call.create)
    _ = call.upstream(Call.speech(ms: 600))
    _ = call.upstream(Call.complete)
    _ = call.upstream(Call.end)
    return call
  }

  @Test(
    "gemini 5.3 R248: 800 ms after what the user heard, timeout_triggered with start, end and item; then the model is asked to speak"
  )
  func triggers() {
    var call = Self.answered(#","idle_timeout_ms":800"#)
    for _ in 0..<13 {
      #expect(call.wait(.milliseconds(100)).events.isEmpty)
      _ = call.client(Call.append(ms: 100))
    }
    let step = call.wait(.milliseconds(100))
    #expect(
      step.types == [
        "input_audio_buffer.timeout_triggered", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done",
      ])
    #expect(step.events.at(0)["audio_start_ms"] == 600 && step.events.at(0)["audio_end_ms"] == 1300)
    #expect(step.events.at(0)["item_id"] == step.events.at(1)["item_id"])
    #expect(step.upstream == [["clientContent": ["turns": [], "turnComplete": true]]])
    let answer = call.answer()
    #expect(answer.types.first == "response.created" && answer.response?["status"] == "completed")
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("R249: null, 0 and nothing disable it", arguments: [#","idle_timeout_ms":null"#, #","idle_timeout_ms":0"#, ""])
  func disabled(_ field: String) {
    var call = Self.answered(field)
    #expect(call.wait(.seconds(30)).events.isEmpty)
  }

  @Test("R248: whoever speaks, types or is being answered is not idle")
  func notIdle() {
    var speaking = Self.answered(#","idle_timeout_ms":800"#)
    _ = speaking.upstream(Call.activity("ACTIVITY_START", at: "0.1s"))
    #expect(speaking.wait(.seconds(5)).events.isEmpty)
    var typing = Self.answered(#","idle_timeout_ms":800"#)
    _ = typing.client(Call.create)
    #expect(typing.wait(.seconds(5)).events.isEmpty)
    var fresh = Self.ready(#","idle_timeout_ms":800"#)
    #expect(fresh.wait(.seconds(5)).events.isEmpty, "it counts from an answer on")
    var interrupting = Self.ready(#","idle_timeout_ms":800"#)
    _ = interrupting.client(Call.create)
    _ = interrupting.upstream(Call.audio)
    _ = interrupting.upstream(Call.interrupted)
    #expect(interrupting.wait(.seconds(5)).events.isEmpty, "the user has the turn")
  }

  @Test("R250: an update that leaves it out keeps it, one that takes it away holds at once")
  func updates() {
    var kept = Self.answered(#","idle_timeout_ms":800"#)
    let session = kept.client(
      Call.update(#""audio":{"input":{"turn_detection":{"silence_duration_ms":700}}}"#)
    ).event("session.updated")?["session"]
    #expect(session?["audio"]?["input"]?["turn_detection"]?["idle_timeout_ms"] == 800)
    var gone = Self.answered(#","idle_timeout_ms":800"#)
    _ = gone.client(Call.update(#""audio":{"input":{"turn_detection":{"idle_timeout_ms":null}}}"#))
    #expect(!gone.wait(.seconds(5)).types.contains("input_audio_buffer.timeout_triggered"))
  }

  @Test(
    "gemini 6.2 6.3: a response that was released early leaves its speech to be transcribed until the service's end")
  func transcriptOfAReleasedAnswer() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 800))
    _ = call.upstream(Call.heard("What time"))
    _ = call.upstream(Call.audio)
    _ = call.upstream(Call.complete)
    #expect(call.wait(.milliseconds(1500)).types.last == "response.done")
    _ = call.upstream(Call.heard(" is it?"))
    let end = call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
    #expect(end.types == ["conversation.item.input_audio_transcription.completed"])
    #expect(end.events.at(0)["transcript"] == "What time is it?")
  }

  @Test("gemini 4.2 6.6: an interruption that no speech follows ends by itself, and keeps nothing from happening")
  func phantomInterruption() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.upstream(Call.handle)
    _ = call.answer()
    _ = call.client(Call.append(ms: 400))
    #expect(call.upstream(Call.interrupted).types == ["input_audio_buffer.speech_started"])
    _ = call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
    _ = call.client(Call.update(#""instructions":"Be brief.""#))
    let silence = call.wait(.seconds(20))
    #expect(
      silence.types == [
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done", "conversation.item.input_audio_transcription.completed",
      ])
    #expect(silence.dials > 0, "the update was not held up by it")
    #expect(call.session.deadline.map { $0 > call.now } ?? true)
  }

  @Test("gemini 4.1: a fragment that comes long after its turn was answered is a turn that ends by itself")
  func lateFragment() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 400))
    _ = call.answer()
    _ = call.wait(.seconds(3))
    #expect(call.upstream(Call.heard("Thanks.")).types.first == "input_audio_buffer.speech_started")
    let silence = call.wait(.seconds(20))
    #expect(silence.events.last?["transcript"] == "Thanks.")
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }
}
