import Envelope
import StandIns
import Testing

@Suite("The vowel stand-in")
struct VowelTests {
  typealias Talk = Dialogue<RealtimeStandIn>
  private static let manual = #"{"turn_detection":{"type":"disabled"}}"#

  private func talk(_ options: RealtimeStandIn.Options = .init(), session: String? = nil) -> Talk {
    Talk.family(.vowel, options, session: session)
  }

  @Test("a user item starts a response by itself; a second start ends the first")
  func starts() throws {
    var options = RealtimeStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = talk(options)
    let first = dialogue.begin(Talk.item("hello"))
    #expect(try first.types == ["conversation.item.created", "response.created"])
    _ = dialogue.advance(2)
    let second = dialogue.begin(#"{"type":"response.create"}"#)
    #expect(try second.types.suffix(2) == ["response.done", "response.created"])
    let done = try second.event("response.done")["response"]
    #expect(done?["status"]?.string == "cancelled")
    #expect(done?["usage"]?.isNull == true)
  }

  @Test("words come as text and as transcript, in parts of their own, and sound with the second")
  func parts() throws {
    var dialogue = talk()
    let sent = dialogue.turn("hello", asks: false)
    #expect(
      try sent.events("response.content_part.added").map { $0["content_index"]?.int } == [0, 1])
    #expect(try sent.event("response.text.delta")["content_index"]?.int == 0)
    #expect(try sent.event("response.output_audio_transcript.delta")["content_index"]?.int == 1)
    #expect(try sent.event("response.output_audio.delta")["content_index"]?.int == 1)
    let never: Set = [
      "input_audio_buffer.committed", "response.content_part.done", "conversation.item.added",
      "conversation.item.done", "rate_limits.updated",
    ]
    #expect(try never.isDisjoint(with: sent.types))
  }

  @Test("text alone has no sound")
  func text() throws {
    var dialogue = talk(session: #"{"modalities":["text"]}"#)
    let sent = dialogue.turn("hello", asks: false)
    #expect(try !sent.types.contains { $0.contains("audio") })
    #expect(try sent.event("response.text.done")["text"]?.string == "You said: hello.")
  }

  @Test("a call comes whole")
  func calls() throws {
    var dialogue = talk(session: #"{\#(Talk.tools)}"#)
    let sent = dialogue.turn(#"call f {"a":1}"#, asks: false)
    #expect(try !sent.types.contains { $0.hasPrefix("response.function_call") })
    #expect(try !sent.types.contains("response.output_item.done"))
    let added = try sent.event("response.output_item.added")
    #expect(added["output_index"]?.int == 1)
    #expect(added["item"]?["status"]?.string == "completed")
    #expect(added["item"]?["arguments"]?.string == #"{"a":1}"#)
    let id = added["item"]?["call_id"]?.string ?? ""
    let result = dialogue.say(
      #"{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"\#(id)","output":"7"}}"#
    )
    #expect(try result.types == ["conversation.item.created"], "a result starts nothing")
  }

  @Test("a commit is marked at 0 ms and answered, unless that is switched off")
  func commits() throws {
    for (session, isAnswered) in [
      (Self.manual, true),
      (#"{"turn_detection":{"type":"server_vad","create_response":false}}"#, false),
    ] {
      var dialogue = talk(session: session)
      dialogue.append(TestSound.speech(milliseconds: 300, rate: 24_000))
      let sent = dialogue.say(#"{"type":"input_audio_buffer.commit"}"#)
      #expect(try sent.event("input_audio_buffer.speech_started")["audio_start_ms"]?.int == 0)
      #expect(try sent.event("input_audio_buffer.speech_stopped")["audio_end_ms"]?.int == 0)
      #expect(try sent.types.contains("conversation.item.created"))
      #expect(try sent.types.contains("response.done") == isAnswered)
    }
  }

  @Test("chunks under 2,048 bytes end the connection; empty ones do nothing")
  func chunks() throws {
    var dialogue = talk()
    #expect(dialogue.append("").frames.isEmpty)
    #expect(dialogue.append(TestSound.base64([UInt8](repeating: 0, count: 2_048))).frames.isEmpty)
    let sent = dialogue.append(TestSound.base64([UInt8](repeating: 0, count: 2_046)))
    #expect(try sent.event("error")["error"]?["type"]?.string == "invalid_audio_chunk")
    #expect(sent.close == .close(code: 1_003, reason: "Invalid audio chunk"))
    #expect(sent.violations.count == 1)
  }

  @Test("the session: its defaults, what the token says, and what is turned into something else")
  func sessions() throws {
    let memory = RealtimeMemory()
    let token = Talk.token(
      .init(), memory, claims: #"{"model":"gpt-oss","voice":"v","initialGreetingPrompt":"Greet."}"#)
    var options = RealtimeStandIn.Options()
    options.service = .vowel
    let request = StandInRequest(
      path: "/v1/realtime", headers: [.init("Authorization", "Bearer \(token)")])
    var dialogue = Talk(RealtimeStandIn(options: options, memory: memory), request)
    let created = try dialogue.opening.event("session.created")["session"]
    #expect(created?["model"]?.string == "gpt-oss")
    #expect(created?["voice"]?.string == "v")
    #expect(created?["input_audio_format"]?.string == "pcm16")
    let modalities: JSONValue = ["text", "audio"]
    #expect(created?["modalities"] == modalities)
    #expect(created?["turn_detection"]?["silence_duration_ms"]?.int == 550)
    let sent = dialogue.say(
      #"""
      {"type":"session.update","session":{"audio":{"input":{"turn_detection":
      {"type":"semantic_vad","silenceDurationMs":700,"interrupt_response":false}}}}}
      """#)
    let detection = try sent.event("session.updated")["session"]?["turn_detection"]
    #expect(detection?["type"]?.string == "server_vad")
    #expect(detection?["silence_duration_ms"]?.int == 700)
    #expect(detection?["interrupt_response"]?.bool == true)
    #expect(sent.violations.map { $0["param"]?.string } == ["session.turn_detection.type"])
    #expect(try sent.types.contains("response.done"), "the first update makes it greet")
    #expect(dialogue.script.takeAlarms() == [StandInAlarm("greeting", after: .milliseconds(250))])
    #expect(dialogue.script.ring(StandInAlarm("greeting", after: .zero)).isEmpty, "once is enough")
    #expect(
      try dialogue.say(#"{"type":"session.update","session":{}}"#).types == ["session.updated"])
  }

  @Test("broken JSON is an error of the server's")
  func brokenJSON() throws {
    var dialogue = talk()
    #expect(try dialogue.say("{").event("error")["error"]?["type"]?.string == "server_error")
    #expect(try dialogue.turn("hello", asks: false).types.contains("response.done"))
  }

  @Test("its own events")
  func extras() throws {
    var dialogue = talk()
    let types = try dialogue.turn("show your extras", asks: false).types
    #expect(types.contains("session.hibernate") && types.contains("session.resumed"))
  }
}
