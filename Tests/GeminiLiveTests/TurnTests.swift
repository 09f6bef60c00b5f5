import Envelope
import ParleyTesting
import SessionCore
import Testing

/// Turns that cross: the service's own end of a turn comes when playback would have ended, long after its answer.
@Suite struct GeminiLiveTurns {
  static let audio = GeminiLiveConversation.audio
  static let create = GeminiLiveConversation.create
  static let complete = #"{"serverContent":{"generationComplete":true}}"#
  static let end = #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":7}}"#
  static let interrupted = #"{"serverContent":{"interrupted":true}}"#
  static let append = #"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "AAAA", count: 3200))"}"#
  static let commit = #"{"type":"input_audio_buffer.commit"}"#

  static func item(_ text: String, role: String = "user") -> String {
    let part = role == "assistant" ? "output_text" : "input_text"
    return
      #"{"type":"conversation.item.create","item":{"type":"message","role":"\#(role)","content":[{"type":"\#(part)","text":"\#(text)"}]}}"#
  }

  static func heard(_ text: String) -> String {
    #"{"serverContent":{"inputTranscription":{"text":"\#(text)"}}}"#
  }

  static func ready(_ input: String = "", model: String = "gemini-3.8-live") -> SessionDialogue {
    var call = SessionDialogue(.geminiLive(), model: model, requestedModel: model)
    _ = call.begin()
    _ = call.upstreamOpens()
    if !input.isEmpty { _ = call.client(#"{"type":"session.update","session":{"audio":{"input":{\#(input)}}}}"#) }
    _ = call.wait(.seconds(5))
    _ = call.upstream(#"{"setupComplete":{}}"#)
    return call
  }

  /// An answer that the client has had the end of, the service's own being still to come.
  static func released(_ call: inout SessionDialogue) {
    _ = call.client(create)
    _ = call.upstream(audio)
    _ = call.upstream(complete)
    _ = call.wait(.milliseconds(1500))
  }

  @Test("a late turnComplete neither answers the next request nor cuts its answer", arguments: [false, true])
  func lateEnd(_ answerHasBegun: Bool) {
    var call = Self.ready()
    Self.released(&call)
    _ = call.client(Self.create)
    if answerHasBegun { _ = call.upstream(Self.audio) }
    #expect(call.upstream(Self.end).events.isEmpty)
    #expect(call.upstream(Self.audio).types.last == "response.output_audio.delta")
    _ = call.upstream(Self.complete)
    let done = call.upstream(Self.end).event("response.done")
    #expect(done?["response"]?["status"] == "completed" && done?["response"]?["usage"]?["input_tokens"] == 7)
  }

  @Test("an end that was owed and never comes costs one answer a wait, and none its end")
  func neverOwed() {
    var call = Self.ready()
    Self.released(&call)
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    #expect(call.upstream(Self.end).events.isEmpty)
    #expect(call.wait(.seconds(3)).event("response.done") != nil)
  }

  @Test("a cancel before the first output does not swallow the next answer")
  func cancelUnbegun() {
    var call = Self.ready()
    _ = call.client(Self.create)
    #expect(
      call.client(#"{"type":"response.cancel"}"#).types == ["response.created", "rate_limits.updated", "response.done"])
    _ = call.client(Self.create)
    _ = call.wait(.milliseconds(300))
    #expect(call.upstream(Self.audio).types.first == "response.created")
  }

  @Test("a generation that was cancelled is over when it says so; the next answer is heard")
  func cancelledGenerationEnds() {
    var call = Self.ready(model: "gemini-3.1-flash-live-preview")
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    _ = call.client(#"{"type":"response.cancel"}"#)
    _ = call.upstream(Self.audio)
    _ = call.upstream(Self.complete)
    _ = call.client(Self.create)
    #expect(call.upstream(Self.end).events.isEmpty)
    #expect(call.upstream(Self.audio).types.first == "response.created")
  }

  @Test("a late cancel of an earlier response does not touch a request that waits")
  func foreignCancel() {
    var call = Self.ready()
    Self.released(&call)
    _ = call.client(Self.create)
    let step = call.client(#"{"type":"response.cancel","response_id":"resp_earlier"}"#)
    #expect(step.event("error")?["error"]?["code"] == "response_cancel_not_active")
    #expect(call.upstream(Self.audio).event("response.created") != nil)
  }

  @Test("text that interrupts the service's playback is not speech of the user")
  func typedInterruption() {
    var call = Self.ready()
    Self.released(&call)
    _ = call.client(Self.item("next"))
    _ = call.client(Self.create)
    #expect(call.upstream(Self.interrupted).events.isEmpty)
    #expect(call.upstream(Self.end).events.isEmpty)
    #expect(call.upstream(Self.audio).types.first == "response.created")
  }

  @Test("R031: a commit while speech goes on ends the turn: stopped, committed, item")
  func commitDuringSpeech() {
    var call = Self.ready(#""transcription":{"model":"whisper-1"}"#)
    _ = call.client(Self.append)
    _ = call.upstream(Self.heard("Hello"))
    let step = call.client(Self.commit)
    #expect(
      step.types == [
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done",
      ])
    #expect(step.upstream == [["realtimeInput": ["audioStreamEnd": true]]])
    let again = call.client(Self.commit)
    #expect(again.event("error")?["error"]?["code"] == "input_audio_buffer_commit_empty")
  }

  @Test("audio that the voice detection has committed cannot be committed again, nor what was cleared")
  func committedOnce() {
    var call = Self.ready()
    _ = call.client(Self.append)
    _ = call.upstream(#"{"voiceActivity":{"type":"ACTIVITY_START","audioOffset":"0.0s"}}"#)
    _ = call.upstream(#"{"voiceActivity":{"type":"ACTIVITY_END","audioOffset":"0.2s"}}"#)
    #expect(call.client(Self.commit).event("error") != nil)
    _ = call.client(Self.append)
    #expect(call.client(#"{"type":"input_audio_buffer.clear"}"#).types == ["input_audio_buffer.cleared"])
    #expect(call.client(Self.commit).event("error") != nil)
  }

  @Test("audio without speech in it: after 2 s the model is asked to speak, but never into the user's words")
  func cue() {
    let cue: JSONValue = ["clientContent": ["turns": [], "turnComplete": true]]
    var call = Self.ready()
    _ = call.client(Self.append)
    #expect(call.client(Self.create).upstream == [["realtimeInput": ["audioStreamEnd": true]]])
    #expect(call.wait(.milliseconds(1999)).upstream.isEmpty)
    #expect(call.wait(.milliseconds(1)).upstream == [cue])

    var speaking = Self.ready()
    _ = speaking.client(Self.append)
    _ = speaking.client(Self.create)
    _ = speaking.upstream(Self.heard("So"))
    #expect(speaking.wait(.seconds(5)).upstream.isEmpty)

    var slow = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = slow.begin()
    _ = slow.client(Self.append)
    _ = slow.client(Self.create)
    _ = slow.wait(.seconds(4))
    _ = slow.upstreamOpens()
    let sent = slow.upstream(#"{"setupComplete":{}}"#).upstream
    #expect(!sent.contains(cue), "the wait begins when the service hears the audio")
    #expect(slow.wait(.seconds(2)).upstream == [cue])
  }

  @Test("R088: text goes up as context before the next speech where the model takes it")
  func context() {
    var call = Self.ready()
    _ = call.client(Self.item("My name is Ada."))
    let sent = call.client(Self.append).upstream
    #expect(sent.first?["clientContent"]?["turnComplete"] == false)
    #expect(sent.first?["clientContent"]?["turns"]?[0]?["parts"]?[0]?["text"] == "My name is Ada.")
    #expect(sent.count == 3 && sent.last?["realtimeInput"]?["audio"] != nil)
    #expect(call.client(Self.create).upstream == [["clientContent": ["turns": [], "turnComplete": true]]])

    var older = Self.ready(model: "gemini-2.5-flash-native-audio-latest")
    _ = older.client(Self.item("My name is Ada."))
    #expect(
      older.client(Self.append).upstream.allSatisfy { $0["realtimeInput"]?["audio"] != nil },
      "it waits for the next turn")
  }

  @Test("R087 R184: a manual turn takes what is appended, with the text and the instructions before it")
  func manualTurn() {
    var call = Self.ready(#""turn_detection":null"#)
    _ = call.client(Self.item("context"))
    _ = call.client(Self.append)
    let sent = call.client(#"{"type":"response.create","response":{"instructions":"In French."}}"#).upstream
    #expect(
      sent.map { TranscriptPlayer.kind(of: $0) } == [
        "clientContent", "realtimeInput", "realtimeInput", "realtimeInput", "realtimeInput",
      ])
    #expect(sent.first?["clientContent"]?["turns"]?[0]?["parts"]?[0]?["text"] == "[For this reply only: In French.]\n")
  }

  @Test("manual turns keep their transcripts apart and have no speech events")
  func manualTranscripts() {
    var call = Self.ready(#""turn_detection":null,"transcription":{"model":"whisper-1"}"#)
    for text in ["one", "two"] {
      _ = call.client(Self.append)
      _ = call.client(Self.commit)
      _ = call.client(Self.create)
      _ = call.upstream(Self.heard(text))
      _ = call.upstream(Self.audio)
      _ = call.upstream(Self.complete)
      _ = call.wait(.milliseconds(1500))
    }
    _ = call.upstream(Self.end)
    _ = call.upstream(Self.end)
    _ = call.upstream(Self.heard("late"))
    let completed = call.history.filter { $0["type"] == "conversation.item.input_audio_transcription.completed" }
    #expect(completed.first?["transcript"] == "one")
    #expect(!call.history.contains { $0["type"]?.string?.contains("speech_") == true })
    #expect(EventInvariants.violations(in: call.history, isComplete: false) == [])
  }

  @Test("R214: what is no content does not end the time that a client has to configure")
  func configurationTime() {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    _ = call.upstreamOpens()
    #expect(call.client(#"{"type":"input_audio_buffer.clear"}"#).upstream.isEmpty)
    _ = call.client(#"{"type":"session.update","session":{"instructions":"Be brief."}}"#)
    let setup = call.client(Self.append).upstream.first?["setup"]
    #expect(setup?["systemInstruction"]?["parts"]?[0]?["text"] == "Be brief.")
  }

  @Test("a service that never completes its set-up is given up after 10 s")
  func noSetUp() {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.client(Self.append)
    _ = call.upstream("{}")
    #expect(call.wait(.seconds(10)).clientCloseCode == 1013)
  }

  @Test("counts that no service can mean do not end the process")
  func hugeCounts() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    let done = call.upstream(
      #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":9223372036854775807,"toolUsePromptTokenCount":9223372036854775807,"responseTokenCount":-5,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9223372036854775807},{"modality":"TEXT","tokenCount":9223372036854775807}]}}"#
    )
    #expect(done.event("response.done")?["response"]?["usage"]?["output_tokens"] == 0)
  }

  @Test(
    "what one response cannot have of its own is refused by its name",
    arguments: [
      (#""prompt":{"id":"p"}"#, "response.prompt"),
      (#""input":[]"#, "response.input"),
    ])
  func overrides(_ option: String, _ param: String) {
    var call = Self.ready()
    let step = call.client(#"{"type":"response.create","response":{\#(option)}}"#)
    #expect(step.event("error")?["error"]?["param"]?.string == param && step.upstream.isEmpty)
  }

  @Test("Q23: what one response asks for in vain is not echoed as if it had it")
  func effectiveOptions() {
    var call = Self.ready()
    _ = call.client(#"{"type":"response.create","response":{"max_output_tokens":5,"metadata":{"a":"b"}}}"#)
    let response = call.upstream(Self.audio).event("response.created")?["response"]
    #expect(response?["max_output_tokens"] == "inf" && response?["metadata"] == ["a": "b"])
  }
}
