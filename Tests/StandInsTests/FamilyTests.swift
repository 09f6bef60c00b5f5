import Envelope
import NIOCore
import StandIns
import Testing

@Suite("The stand-ins of the services that speak OpenAI's vocabulary")
struct FamilyTests {
  typealias Talk = Dialogue<RealtimeStandIn>

  static let sessions: [Talk.Form: String] = [
    .openAI:
      #"{"type":"realtime","audio":{"input":{"transcription":{"model":"whisper-1"}}},\#(Talk.tools)}"#,
    .azure:
      #"{"type":"realtime","audio":{"input":{"transcription":{"model":"my-whisper"}}},\#(Talk.tools)}"#,
    .azurePreview: #"{"input_audio_transcription":{"model":"whisper-1"},\#(Talk.tools)}"#,
    .voiceLive: #"{"input_audio_transcription":{"model":"azure-speech"},\#(Talk.tools)}"#,
    .xAI: #"""
    {"turn_detection":{"type":"server_vad"},
    "audio":{"input":{"transcription":{"model":"grok-transcribe"}}},\#(Talk.tools)}
    """#,
    .inworld: #"{"audio":{"input":{"turn_detection":{"type":"server_vad"}}},\#(Talk.tools)}"#,
    .vowel: #"{"turn_detection":{"type":"server_vad"},\#(Talk.tools)}"#,
  ]

  private func talk(_ form: Talk.Form, _ options: RealtimeStandIn.Options = .init()) -> Talk {
    Talk.family(form, options, session: Self.sessions[form])
  }

  private func words(_ done: JSONValue) -> String? {
    let part = done["response"]?["output"]?[0]?["content"]?[0]
    return part?["transcript"]?.string ?? part?["text"]?.string
  }

  @Test("a text turn and a spoken turn, without a broken rule", arguments: Talk.Form.allCases)
  func turns(_ form: Talk.Form) throws {
    var dialogue = talk(form)
    let written = dialogue.turn("Hello there", asks: form != .vowel)
    #expect(try words(written.event("response.done")) == "You said: Hello there.")
    let spoken = dialogue.speak()
    #expect(try words(spoken.event("response.done")) == "You said: what time is it.")
    #expect(try spoken.types.contains { $0.hasSuffix("transcription.completed") })
    let sound = try (written.messages + spoken.messages).filter {
      ["response.output_audio.delta", "response.audio.delta"].contains($0["type"]?.string)
    }
    #expect(sound.count == 8)
    #expect(sound[0]["delta"]?.string == TestSound.base64(StandInSound.parts[0]))
    #expect(written.violations.isEmpty && spoken.violations.isEmpty)
    #expect(try !(written.types + spoken.types).contains("error"))
  }

  @Test("two calls at once, and what comes of their results", arguments: Talk.Form.allCases)
  func calls(_ form: Talk.Form) throws {
    var dialogue = talk(form)
    let sent = dialogue.turn(#"call f {"a":1} and g"#, asks: form != .vowel)
    let output = try sent.event("response.done")["response"]?["output"]?.array ?? []
    let calls = output.filter { $0["type"]?.string == "function_call" }
    #expect(calls.compactMap { $0["name"]?.string } == ["f", "g"])
    #expect(calls.compactMap { $0["arguments"]?.string } == [#"{"a":1}"#, "{}"])
    for call in calls {
      let id = call["call_id"]?.string ?? ""
      #expect(!id.isEmpty)
      dialogue.say(
        #"{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"\#(id)","output":"7"}}"#
      )
    }
    let answer = dialogue.say(#"{"type":"response.create"}"#)
    #expect(
      try words(answer.event("response.done")) == "The result of f is 7. The result of g is 7.")
  }

  @Test("the same texts do the same things everywhere", arguments: Talk.Form.allCases)
  func triggers(_ form: Talk.Form) throws {
    var options = RealtimeStandIn.Options()
    options.storyFrames = 3
    var dialogue = talk(form, options)
    let say = { (text: String) -> Sent in dialogue.turn(text, asks: form != .vowel) }
    #expect(try words(say("what are your tools?").event("response.done")) == "My tools are: f, g.")
    #expect(
      try words(say("tell me a long story").event("response.done")) == "Once upon a time: 1, 2, 3")
    #expect(try say("say nothing").event("response.done")["response"]?["output"] == [])
    let cut = try say("end with MAX_OUTPUT_TOKENS").event("response.done")["response"]
    #expect(cut?["status"]?.string == "incomplete")
    #expect(
      try say("fail with inference_rate_limit_exceeded").event("response.done")["response"]?[
        "status"] == "failed")
    #expect(
      try words(say("hear good morning").event("response.done")) == "You said: hear good morning.")
    #expect(try words(dialogue.speak().event("response.done")) == "You said: good morning.")
    #expect(
      try words(say("what did I say").event("response.done"))?.hasSuffix("; good morning.") == true)
    #expect(try say("show your extras").types.contains("response.done"))
    let last = say("go away")
    #expect(
      last.close
        == .close(code: 1_001, reason: "Your session hit the maximum duration of 60 minutes."))
    #expect(dialogue.say(#"{"type":"response.create"}"#).frames.isEmpty)
  }

  @Test("a line that is dropped three times: this connection and the next two")
  func drops() throws {
    let memory = RealtimeMemory()
    var dialogue = Talk.family(.openAI, memory: memory)
    #expect(dialogue.turn("drop the line 3 times").frames.last == .abort)
    for _ in 0..<2 { #expect(Talk.family(.openAI, memory: memory).opening.frames == [.abort]) }
    #expect(try Talk.family(.openAI, memory: memory).opening.types == ["session.created"])
  }

  @Test("a session ends when its lifetime is over, and not before")
  func lifetime() {
    var options = RealtimeStandIn.Options()
    options.lifetime = .seconds(3_600)
    var dialogue = Talk.family(.openAI, options)
    #expect(dialogue.script.takeAlarms() == [StandInAlarm("lifetime", after: .seconds(3_600))])
    #expect(
      dialogue.script.ring(StandInAlarm("lifetime", after: .zero))
        == [.close(code: 1_001, reason: "Your session hit the maximum duration of 60 minutes.")])
  }

  @Test(
    "silence that lasts: the event, and with OpenAI a turn of it",
    arguments: [Talk.Form.openAI, .inworld])
  func idle(_ form: Talk.Form) throws {
    let detection = #""turn_detection":{"type":"server_vad","idle_timeout_ms":6000}"#
    var dialogue = Talk.family(
      form, session: #"{"type":"realtime","audio":{"input":{\#(detection)}}}"#)
    dialogue.turn("Hello")
    let alarm = try #require(dialogue.script.takeAlarms().last)
    #expect(alarm.after == .seconds(6))
    let sent = Sent(frames: dialogue.script.ring(alarm))
    #expect(try sent.types.first == "input_audio_buffer.timeout_triggered")
    #expect(try sent.types.contains("response.created") == (form == .openAI))
    #expect(dialogue.script.ring(alarm).isEmpty || form == .inworld, "something has happened since")
  }

  @Test("silence before speech is forgotten, so that a long call does not fill the memory")
  func longSilence() throws {
    var dialogue = talk(.openAI)
    for _ in 0..<10 { dialogue.append(TestSound.silence(milliseconds: 1_000, rate: 24_000)) }
    let usage = try dialogue.speak().event("conversation.item.input_audio_transcription.completed")[
      "usage"]
    #expect(try #require(usage?["seconds"]?.int) <= 6)
  }

  @Test("a limit of tokens cuts the answer; a forced choice calls")
  func limits() throws {
    var dialogue = talk(.openAI)
    dialogue.say(Talk.item("one two three"))
    let cut = dialogue.say(#"{"type":"response.create","response":{"max_output_tokens":3}}"#)
    let response = try cut.event("response.done")["response"]
    #expect(response?["status_details"] == ["type": "incomplete", "reason": "max_output_tokens"])
    #expect(response?["output"]?[0]?["content"]?[0]?["transcript"]?.string == "You said: one")
    let forced = dialogue.say(
      #"{"type":"response.create","response":{"tool_choice":{"type":"function","name":"g"}}}"#)
    #expect(try forced.event("response.function_call_arguments.done")["name"]?.string == "g")
    dialogue.say(Talk.item("call f"))
    let never = dialogue.say(#"{"type":"response.create","response":{"tool_choice":"none"}}"#)
    #expect(try words(never.event("response.done")) == "You said: call f.")
  }
}
