import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// Responses of the conversation: how they are asked for, what comes of them, how they end.
@Suite struct LocalVoiceAnswers {
  static let opened = [
    "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
  ]
  static let spokenEnd = [
    "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
    "conversation.item.done", "response.output_item.done", "response.done",
  ]
  static let writtenEnd =
    ["response.output_text.done"] + ["response.content_part.done"]
    + ["conversation.item.done", "response.output_item.done", "response.done"]

  // MARK: Spoken and written

  @Test("a spoken answer: transcript and audio deltas, everything closed, usage by words and by length")
  func spoken() {
    var call = EngineCall()
    let created = call.turn("Hello?", ms: 2_050)
    let id = created.answer?.id ?? ""
    #expect(created.answer?.modality == .audio && created.answer?.voice == "en-us" && created.answer?.speed == 1)
    let step = call.answers(id, "Hello there.", ms: 1_060)
    #expect(
      step.types == Self.opened.dropFirst() + [
        "response.output_audio_transcript.delta", "response.output_audio.delta",
      ])
    #expect(step.events.last?["delta"]?.string == EngineCall.silence(bytes: 1_060 * 48))
    let end = call.finishes(id, input: 12, output: 4)
    #expect(end.types == Self.spokenEnd)
    #expect(
      end.done?["status"] == "completed" && end.done?["output"]?[0]?["content"]?[0]?["transcript"] == "Hello there.")
    let usage = end.done?["usage"]
    // 2,050 ms heard are 20 tokens, 1,060 ms spoken are 21.
    #expect(usage?["input_token_details"]?["text_tokens"] == 12 && usage?["input_token_details"]?["audio_tokens"] == 20)
    #expect(
      usage?["output_token_details"]?["text_tokens"] == 4 && usage?["output_token_details"]?["audio_tokens"] == 21)
    #expect(usage?["input_tokens"] == 32 && usage?["output_tokens"] == 25 && usage?["total_tokens"] == 57)
    #expect(call.violations == [])
  }

  @Test("the user's speech is counted once, by the answer that hears it")
  func countedOnce() {
    var call = EngineCall()
    let first = call.turn("One.").answer?.id ?? ""
    _ = call.finishes(first)
    let second = call.create().answer?.id ?? ""
    #expect(call.finishes(second).done?["usage"]?["input_token_details"]?["audio_tokens"] == 0)
  }

  @Test("a written answer: text deltas only; speech that comes all the same is dropped")
  func written() {
    var call = EngineCall(session: #""output_modalities":["text"]"#)
    _ = call.text("Hello?")
    let created = call.create()
    #expect(created.answer?.modality == .text && created.answer?.messages == [.init(.user, "Hello?")])
    #expect(created.events.first?["response"]?["output_modalities"] == ["text"])
    let id = created.answer?.id ?? ""
    let step = call.answers(id, "Hi.")
    #expect(step.types == Self.opened.dropFirst() + ["response.output_text.delta"])
    #expect(call.finishes(id).types == Self.writtenEnd)
  }

  @Test("one response may be written in a session that speaks")
  func writtenOnce() {
    var call = EngineCall()
    let id = call.create(#""output_modalities":["text"]"#).answer?.id ?? ""
    #expect(call.answers(id, "Hi.").types.last == "response.output_text.delta")
    _ = call.finishes(id)
    #expect(call.create().answer?.modality == .audio)
  }

  @Test("an answer of nothing is complete all the same")
  func empty() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    let end = call.finishes(id)
    #expect(end.types == ["response.done"] && end.done?["status"] == "completed" && end.done?["output"] == [])
  }

  @Test("the model is told instructions, tools, choice, limit; a response may have its own")
  func options() {
    var call = EngineCall(
      session:
        #""instructions":"Be brief.","max_output_tokens":50,"tool_choice":"required","tools":[{"type":"function","name":"now","description":"the time"}]"#
    )
    let plain = call.create()
    #expect(plain.answer?.instructions == "Be brief." && plain.answer?.maximumTokens == 50)
    #expect(plain.answer?.tools.map(\.name) == ["now"] && plain.answer?.toolChoice == .required)
    _ = call.cancel()
    let own = call.create(
      #""instructions":"In French.","max_output_tokens":"inf","tools":[],"tool_choice":"none","metadata":{"a":"b"},"audio":{"output":{"voice":"en-gb","format":{"type":"audio/pcma"}}}"#
    )
    #expect(own.answer?.instructions == "In French." && own.answer?.maximumTokens == nil && own.answer?.tools == [])
    #expect(own.answer?.toolChoice == ToolChoice.none && own.answer?.voice == "en-gb" && own.answer?.format == .pcma)
    #expect(own.events.first?["response"]?["metadata"] == ["a": "b"])
    #expect(own.events.first?["response"]?["audio"]?["output"]?["voice"] == "en-gb")
    #expect(call.session.instructions == "Be brief.")
  }

  @Test("Q23: a voice that nobody has is shown as the one that speaks")
  func foreignVoice() {
    var call = EngineCall()
    let step = call.create(#""audio":{"output":{"voice":"marin"}}"#)
    #expect(step.answer?.voice == "en-us")
    #expect(step.events.first?["response"]?["audio"]?["output"]?["voice"] == "en-us")
  }

  // MARK: Who may answer when

  @Test("a second response while one is live is refused, with the client's event id")
  func active() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    let step = call.create()
    #expect(step.error?["code"] == "conversation_already_has_active_response" && step.error?["event_id"] == "create")
    #expect(step.error?["message"]?.string?.contains(id) == true && step.upstream.isEmpty)
    #expect(call.finishes(id).done?["status"] == "completed")
  }

  @Test("cancel: closed as cancelled, the engine is told, and what still comes is dropped")
  func cancel() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    _ = call.answers(id)
    let step = call.cancel()
    #expect(step.types == Self.spokenEnd && step.requests == [.cancel(response: id)])
    #expect(step.done?["status_details"] == ["type": "cancelled", "reason": "client_cancelled"])
    #expect(step.done?["output"]?[0]?["status"] == "incomplete")
    #expect(call.answers(id).events.isEmpty && call.finishes(id).events.isEmpty)
    #expect(call.says(.failed(response: id, code: "c", message: "m")).events.isEmpty)
  }

  @Test("cancel of a response that waits for words: it never begins")
  func cancelWaiting() {
    var call = EngineCall(input: #""turn_detection":null"#)
    _ = call.append(ms: 300)
    _ = call.commit()
    _ = call.create()
    #expect(call.cancel().done?["status"] == "cancelled")
    #expect(call.says(.transcribed(turn: "commit_1", text: "Hello.")).answer == nil)
    #expect(call.create().answer?.messages == [.init(.user, "Hello.")])
  }

  @Test(
    "cancel with nothing to cancel, or of a response that is not live", arguments: ["", #","response_id":"resp_x""#])
  func cancelNone(_ id: String) {
    var call = EngineCall()
    if !id.isEmpty { _ = call.create() }
    let step = call.client(#"{"type":"response.cancel","event_id":"cancel"\#(id)}"#)
    #expect(step.error?["code"] == "response_cancel_not_active" && step.error?["event_id"] == "cancel")
    #expect(step.upstream.isEmpty)
  }

  @Test("a cancel by the live response's id")
  func cancelByID() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    #expect(call.client(#"{"type":"response.cancel","response_id":"\#(id)"}"#).done?["status"] == "cancelled")
  }

  @Test("R242: speech into an answer ends it as turn_detected, and the next answer knows what was said")
  func interruption() {
    var call = EngineCall()
    let id = call.turn("Tell me.").answer?.id ?? ""
    _ = call.answers(id, "Once upon a time", ms: 1_000)
    _ = call.append(ms: 500)
    let step = call.says(.speechStarted(turn: "vad_2", atMs: 1_200))
    #expect(step.types == ["input_audio_buffer.speech_started"] + Self.spokenEnd)
    #expect(step.done?["status_details"] == ["type": "cancelled", "reason": "turn_detected"])
    #expect(step.requests == [.cancel(response: id)])
    _ = call.says(.speechStopped(turn: "vad_2", atMs: 1_500, isSpeech: true, wasCut: false))
    let next = call.says(.transcribed(turn: "vad_2", text: "Stop.")).answer
    #expect(next?.messages == [.init(.user, "Tell me."), .init(.assistant, "Once upon a time"), .init(.user, "Stop.")])
  }

  @Test("a response that waits for words is interrupted by more of them: one answer to all")
  func interruptionOfWaiting() {
    var call = EngineCall()
    let (_, first) = call.speech()
    _ = call.create()
    let step = call.says(.speechStarted(turn: "vad_2", atMs: 1_100))
    #expect(step.done?["status_details"]?["reason"] == "turn_detected")
    _ = call.says(.transcribed(turn: first, text: "One."))
    _ = call.says(.speechStopped(turn: "vad_2", atMs: 1_900, isSpeech: true, wasCut: false))
    let answer = call.says(.transcribed(turn: "vad_2", text: "Two.")).answer
    #expect(answer?.messages.map(\.text) == ["One.", "Two."])
  }

  @Test("R242: interrupt_response false: the answer goes on, and the new turn is answered after it")
  func noInterruption() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","interrupt_response":false}"#)
    let id = call.turn("One?").answer?.id ?? ""
    _ = call.answers(id)
    let step = call.turn("Two?")
    #expect(
      step.types == LocalVoiceTurns.transcribed && step.upstream == [EngineRequest.forget(turn: "vad_2").encoded()])
    let end = call.finishes(id)
    #expect(end.done?["status"] == "completed")
    #expect(end.answer?.messages.map(\.text) == ["One?", "Hello there.", "Two?"])
  }

  @Test("a cancel lets the turn be answered that came meanwhile")
  func owedAfterCancel() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","interrupt_response":false}"#)
    _ = call.turn("One?")
    _ = call.turn("Two?")
    #expect(call.cancel().answer?.messages.map(\.text) == ["One?", "Two?"])
  }

  // MARK: Endings

  @Test(
    "an answer that ends early says why",
    arguments: [(AnswerEnd.Reason.maximumTokens, "max_output_tokens"), (.contentFilter, "content_filter")])
  func incomplete(_ reason: AnswerEnd.Reason, _ name: String) {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    _ = call.answers(id)
    let done = call.finishes(id, reason).done
    #expect(done?["status"] == "incomplete" && done?["status_details"]?["reason"]?.string == name)
  }

  @Test("an answer that fails says why, keeps what was said, and the next one works")
  func failed() {
    var call = EngineCall()
    let id = call.turn("Hello?").answer?.id ?? ""
    _ = call.answers(id)
    let step = call.says(.failed(response: id, code: "llm_unreachable", message: "Nobody there."))
    #expect(step.types == Self.spokenEnd && step.done?["status"] == "failed")
    #expect(step.done?["status_details"]?["error"]?["code"] == "llm_unreachable")
    #expect(step.done?["status_details"]?["error"]?["message"] == "Nobody there.")
    #expect(step.done?["output"]?[0]?["status"] == "incomplete")
    #expect(call.turn("Again?").answer != nil)
  }

  @Test("counts that no service can mean do not end the process", arguments: [Int.max, -5])
  func hugeCounts(_ count: Int) {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    let usage = call.finishes(id, input: count, output: count).done?["usage"]
    #expect(usage?["input_tokens"]?.int == (count < 0 ? 0 : 1_000_000_000))
    #expect(usage?["total_tokens"]?.int == (count < 0 ? 0 : 2_000_000_000))
  }

  // MARK: Calls

  @Test("two calls of one answer: items with an index each, one message to the model, outputs behind it")
  func calls() {
    var call = EngineCall()
    _ = call.text("What time is it in Rome and Oslo?")
    let id = call.create().answer?.id ?? ""
    var step = EngineCall.Step.none
    for (name, city) in [("call_1", "Rome"), ("call_2", "Oslo")] {
      step = step + call.says(.call(response: id, .init(id: name, name: "now", arguments: #"{"city":"\#(city)"}"#)))
    }
    let one = [
      "response.output_item.added", "conversation.item.added", "response.function_call_arguments.delta",
      "response.function_call_arguments.done", "conversation.item.done", "response.output_item.done",
    ]
    #expect(step.types == one + one)
    #expect(step.events.compactMap { $0["output_index"]?.int } == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(step.events[0]["item"]?["arguments"] == "" && step.events[3]["arguments"] == #"{"city":"Rome"}"#)
    #expect(step.events[5]["item"]?["call_id"] == "call_1" && step.events[5]["item"]?["status"] == "completed")
    #expect(call.finishes(id).done?["output"]?.array?.count == 2)

    _ = call.item(#""type":"function_call_output","call_id":"call_1","output":"10:00""#)
    #expect(call.item(#""type":"function_call_output","call_id":"call_2","output":"9:00""#).answer == nil)
    let messages = call.create().answer?.messages ?? []
    #expect(messages.map(\.role) == [.user, .assistant, .tool, .tool])
    #expect(messages[1].calls?.map(\.id) == ["call_1", "call_2"])
    #expect(messages[1].calls?.map(\.arguments) == [#"{"city":"Rome"}"#, #"{"city":"Oslo"}"#])
    #expect(messages[2].callID == "call_1" && messages[2].text == "10:00" && messages[3].callID == "call_2")
  }

  @Test("words before a call are an item of their own, and can be cut to what was heard")
  func wordsBeforeCall() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    _ = call.answers(id, "one two three four", ms: 1_000)
    let step = call.says(.call(response: id, .init(id: "call_1", name: "now", arguments: "{}")))
    #expect(step.types.prefix(5) == LocalVoiceAnswers.spokenEnd.prefix(5))
    let item = step.event("response.output_item.done")?["item"]?["id"]?.string ?? ""
    #expect(call.truncate(item, toMs: 1_001).error?["param"] == "audio_end_ms")
    #expect(call.truncate(item, toMs: 500).types == ["conversation.item.truncated"], "while the response is live")
    #expect(call.retrieve(item)?["content"]?[0]?["transcript"] == "one two")
    let more = call.answers(id, "five six", ms: 400)
    let last = more.event("response.output_item.added")?["item"]?["id"]?.string ?? ""
    #expect(more.event("response.output_item.added")?["output_index"] == 2)
    #expect(call.truncate(last, toMs: 401).error != nil, "the speech of an item is its own")
    let done = call.finishes(id, input: 0, output: 0).done
    #expect(done?["usage"]?["output_tokens"] == 28, "and all of it is counted")
    #expect(call.truncate(last, toMs: 400).error == nil)
    #expect(call.violations == [])
  }

  @Test("words around a call: the model's own messages keep their order")
  func callBetweenWords() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    _ = call.answers(id, "Let me see.", ms: 0)
    _ = call.says(.call(response: id, .init(id: "call_1", name: "now", arguments: "{}")))
    _ = call.finishes(id)
    _ = call.item(#""type":"function_call_output","call_id":"call_1","output":"10:00""#)
    let roles = call.create().answer?.messages.map(\.role)
    #expect(roles == [.assistant, .assistant, .tool])
  }
}

extension SessionDialogue.Step {
  /// Nothing yet, to add steps to.
  static var none: Self {
    var call = SessionDialogue(SessionDialogue.engine)
    return call.wait(.zero)
  }
}
