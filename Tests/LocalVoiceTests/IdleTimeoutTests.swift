import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// `idle_timeout_ms`: the user says nothing after an answer has been heard.
@Suite struct LocalVoiceIdleTimeout {
  static let event = "input_audio_buffer.timeout_triggered"

  private static func ready(_ milliseconds: String = "6000") -> EngineCall {
    EngineCall(input: #""turn_detection":{"type":"server_vad","idle_timeout_ms":\#(milliseconds)}"#)
  }

  @Test("R248: after the answer has been played and the silence has lasted, an empty turn is answered")
  func triggers() {
    var call = Self.ready()
    let id = call.turn("Hello?").answer?.id ?? ""
    // 2 s of speech, sent at once; 3 s later the user would have heard all of it.
    _ = call.answers(id, "Hello.", ms: 2_000)
    _ = call.finishes(id)
    #expect(call.deadline == call.now + .milliseconds(8_000))
    _ = call.append(ms: 8_000)
    #expect(call.wait(ms: 7_999).events.isEmpty)
    let step = call.wait(ms: 1)
    #expect(step.types == [Self.event] + LocalVoiceTurns.committed + ["response.created"])
    // 1 s was heard before; 2 s of silence came while the assistant was heard, 6 s after.
    #expect(step.events[0]["audio_start_ms"] == 3_000 && step.events[0]["audio_end_ms"] == 9_000)
    #expect(step.events[0]["item_id"] == step.events[1]["item_id"])
    #expect(step.requests.first == .clear, "the silence belongs to no later turn")
    #expect(step.answer?.messages.map(\.text) == ["Hello?", "Hello."], "nobody said anything")
    #expect(call.commit().error != nil)
    #expect(call.violations == [])
  }

  @Test("what was heard while the answer came is not waited for again")
  func pacedAnswer() {
    var call = Self.ready()
    let id = call.create().answer?.id ?? ""
    _ = call.answers(id, "Hello.", ms: 2_000)
    _ = call.wait(ms: 1_500)
    _ = call.answers(id, " And more.", ms: 1_000)
    _ = call.finishes(id)
    #expect(call.deadline == call.now + .milliseconds(1_500 + 6_000))
    let slow = call.create().answer?.id ?? ""
    _ = call.answers(slow, "Hello.", ms: 500)
    _ = call.wait(ms: 3_000)
    _ = call.finishes(slow)
    #expect(call.deadline == call.now + .milliseconds(6_000), "it has been heard for long")
  }

  @Test("it fires once: the next needs an answer")
  func once() {
    var call = Self.ready()
    _ = call.finishes(call.create().answer?.id ?? "")
    let step = call.wait(ms: 6_000)
    #expect(step.types.contains(Self.event))
    #expect(call.wait(ms: 60_000).events.isEmpty)
    _ = call.finishes(step.answer?.id ?? "")
    #expect(call.wait(ms: 6_000).types.contains(Self.event))
  }

  @Test("a silent client: the times of the event are in order all the same")
  func noAudio() {
    var call = Self.ready()
    _ = call.spokenAnswer()
    let event = call.wait(ms: 7_000).event(Self.event)
    #expect(event?["audio_start_ms"] == 0 && event?["audio_end_ms"] == 0)
  }

  @Test("R249: null and 0 mean never; so does any detection that is not server_vad", arguments: ["null", "0"])
  func never(_ milliseconds: String) {
    var call = EngineCall()
    let update = call.update(
      #""audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":\#(milliseconds)}}}"#)
    _ = call.spokenAnswer()
    #expect(update.error != nil || call.deadline == nil)
    _ = call.update(#""turn_detection":{"type":"semantic_vad"}"#)
    _ = call.spokenAnswer()
    #expect(call.wait(ms: 60_000).events.isEmpty)
  }

  @Test("before the first answer nothing is waited for")
  func fresh() {
    var call = Self.ready()
    #expect(call.wait(ms: 60_000).events.isEmpty)
  }

  @Test("speech, a response, and an update that turns it off disarm it", arguments: 0..<3)
  func disarmed(_ way: Int) {
    var call = Self.ready()
    _ = call.spokenAnswer()
    #expect(call.deadline != nil)
    switch way {
    case 0: _ = call.says(.speechStarted(turn: "vad_1", atMs: 0))
    case 1: _ = call.create()
    default: _ = call.update(#""turn_detection":{"type":"server_vad","idle_timeout_ms":null}"#)
    }
    #expect(call.deadline == nil)
    #expect(!call.wait(ms: 60_000).types.contains(Self.event))
  }

  @Test("an interrupted answer arms nothing while the user speaks")
  func interrupted() {
    var call = Self.ready()
    let id = call.create().answer?.id ?? ""
    _ = call.answers(id)
    let step = call.says(.speechStarted(turn: "vad_1", atMs: 0))
    #expect(step.done != nil && call.deadline == nil)
  }

  @Test("a noise of the user begins the silence anew; words end it, and so does an answer")
  func noise() {
    var call = Self.ready()
    _ = call.speech(isSpeech: false)
    #expect(!call.wait(ms: 60_000).types.contains(Self.event), "nothing has been answered yet")
    _ = call.spokenAnswer()
    _ = call.wait(ms: 3_000)
    _ = call.speech(isSpeech: false)
    #expect(call.deadline == call.now + .milliseconds(6_000))
    let step = call.wait(ms: 6_000)
    #expect(step.types.contains(Self.event))
    _ = call.finishes(step.answer?.id ?? "")
    _ = call.update(#""turn_detection":{"type":"server_vad","create_response":false}"#)
    _ = call.turn("Wait.")
    _ = call.speech(isSpeech: false)
    #expect(call.deadline == nil)
  }

  @Test("the end of the engine disarms it")
  func ended() {
    var call = Self.ready()
    _ = call.spokenAnswer()
    _ = call.ends(.lost)
    #expect(call.deadline == nil)
  }
}
