import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// `response.create` and `response.cancel` (section 5.5), and how the model is made to speak (section 4.7).
@Suite struct GeminiResponses {
  typealias Call = GeminiCall

  // MARK: response.create

  @Test("gemini 5.5: response.create while a response is open is conversation_already_has_active_response")
  func active() {
    var call = Call.ready()
    _ = call.client(Call.create)
    #expect(call.client(Call.create).error?["code"] == "conversation_already_has_active_response", "one that waits")
    _ = call.upstream(Call.audio)
    #expect(call.client(Call.create).error?["code"] == "conversation_already_has_active_response", "one that speaks")
    _ = call.upstream(Call.complete)
    #expect(call.client(Call.create).error == nil, "all of it was said")
  }

  @Test(
    "gemini 4.7 5.5: with nothing to answer, each family is made to speak in its own way",
    arguments: [
      (GeminiCall.live38, #"{"clientContent":{"turns":[],"turnComplete":true}}"#),
      (GeminiCall.thinking38, #"{"clientContent":{"turns":[],"turnComplete":true}}"#),
      (GeminiCall.flash31, #"{"realtimeInput":{"text":" "}}"#),
      (
        GeminiCall.native25,
        #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"."}]}],"turnComplete":true}}"#
      ),
    ])
  func cue(_ model: String, _ frame: String) throws {
    var call = Call.ready(model)
    #expect(try call.client(Call.create).upstream == [JSONValue(parsing: frame)])
  }

  @Test("gemini 5.5: the response opens when output comes, not before; it remembers what it was asked with")
  func opens() {
    var call = Call.ready()
    #expect(call.client(Call.create(#""metadata":{"k":"v"}"#)).events.isEmpty)
    let created = call.upstream(Call.audio)
    #expect(created.types.first == "response.created")
    #expect(created.events.first?["response"]?["metadata"] == ["k": "v"])
    _ = call.upstream(Call.complete)
    #expect(call.upstream(Call.end).response?["metadata"] == ["k": "v"], "LiveKit matches responses by it")
  }

  @Test("gemini 5.5: a request that draws no output fails after 15 s")
  func timeout() {
    var call = Call.ready()
    _ = call.client(Call.create)
    #expect(call.wait(.milliseconds(14_999)).events.isEmpty)
    let response = call.wait(.milliseconds(1)).response
    #expect(response?["status"] == "failed" && response?["status_details"]?["error"]?["code"] == "upstream_timeout")
  }

  @Test("gemini 5.5: audio that was streamed is answered by the service itself; after 2 s of nothing it is asked to")
  func streamedAudio() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 300))
    #expect(call.client(Call.create).upstream == [["realtimeInput": ["audioStreamEnd": true]]])
    #expect(call.wait(.seconds(2)).upstream == [["clientContent": ["turns": [], "turnComplete": true]]])
  }

  @Test("gemini 5.5: instructions of one response stand before the user's words; without words they are the cue")
  func instructions() {
    let create = Call.create(#""instructions":"In French.""#)
    var call = Call.ready()
    _ = call.client(Call.text("Hello"))
    #expect(
      call.client(create).upstream.first?["clientContent"]?["turns"]
        == [["role": "user", "parts": [["text": "[For this reply only: In French.]\n"], ["text": "Hello"]]]])
    var bare = Call.ready()
    #expect(
      bare.client(create).upstream.first?["clientContent"]
        == ["turns": Call.turns(("user", "[For this reply only: In French.]\n")), "turnComplete": true])
    var flash = Call.ready(Call.flash31)
    _ = flash.client(Call.text("Hello"))
    #expect(
      flash.client(create).upstream == [["realtimeInput": ["text": "[For this reply only: In French.]\n\nHello"]]])
  }

  @Test(
    "gemini 5.5: a tool choice of one response: required and named are said in words; none refuses calls in the client's place, three times at most"
  )
  func toolChoice() {
    let tools = #""tools":[{"type":"function","name":"f"}]"#
    var call = Call.ready(Call.live38, tools)
    let words = call.client(Call.create(#""tool_choice":{"type":"function","name":"f"}"#)).upstream.first
    #expect(words?.text.contains("You must call the function f.") == true)
    _ = call.answer()
    _ = call.client(Call.create(#""tool_choice":"none""#))
    for number in 1...3 {
      let refused = call.upstream(Call.calls(Call.called("c\(number)", "f")))
      #expect(refused.events.isEmpty)
      let response = refused.upstream.first?["toolResponse"]?["functionResponses"]?[0]
      #expect(response?["id"]?.string == "c\(number)" && response?["name"] == "f")
      #expect(response?["response"] == ["error": "Tool calls are disabled for this turn, reply directly."])
    }
    let fourth = call.upstream(Call.calls(Call.called("c4", "f")))
    #expect(fourth.event("response.function_call_arguments.done") != nil && fourth.upstream.isEmpty)
  }

  @Test(
    "gemini 5.5 R017: output_modalities text for one response: its words are text and its sound is dropped; the next one speaks"
  )
  func textOnly() {
    var call = Call.ready()
    _ = call.client(Call.create(#""output_modalities":["text"]"#))
    let step = call.answer()
    #expect(!step.types.contains { $0.contains("audio") })
    #expect(step.event("response.output_text.delta")?["delta"] == "Yes.")
    #expect(step.event("response.content_part.added")?["part"] == ["type": "text", "text": ""])
    #expect(step.response?["output_modalities"] == ["text"])
    _ = call.client(Call.create)
    #expect(call.answer().types.contains("response.output_audio.delta"))
  }

  @Test(
    "gemini 5.5 Q23: what one response cannot have of its own is not echoed as if it had it, and is logged",
    arguments: [
      (#""max_output_tokens":5"#, "response.max_output_tokens"),
      (#""audio":{"output":{"voice":"Puck"}}"#, "response.audio.output.voice"),
      (#""tools":[{"type":"function","name":"f"}]"#, "response.tools"),
      (#""reasoning":{"effort":"high"}"#, "response.reasoning"), (#""novelty":1"#, "response.novelty"),
    ])
  func ignored(_ option: String, _ param: String) {
    var plain = Call.ready()
    _ = plain.client(Call.create)
    let expected = plain.upstream(Call.audio).events.first?["response"]
    var call = Call.ready()
    let step = call.client(Call.create(option))
    #expect(step.error == nil && step.notes.contains { $0.fields["fields"]?.contains(param) == true })
    let response = call.upstream(Call.audio).events.first?["response"]
    #expect(response?["audio"] == expected?["audio"])
    #expect(response?["max_output_tokens"] == "inf")
  }

  @Test("gemini 5.5: an input of its own needs a response outside of the conversation")
  func input() {
    var call = Call.ready()
    let step = call.client(Call.create(#""input":[]"#))
    #expect(step.error?["param"] == "response.input" && step.error?["code"] == "unsupported_value")
  }

  // MARK: response.cancel

  @Test(
    "gemini 5.5 8.14 R090: response.cancel closes at once as cancelled and stops the generation; what still comes is dropped",
    arguments: [GeminiCall.live38, GeminiCall.native25, GeminiCall.flash31])
  func cancel(_ model: String) {
    var call = Call.ready(model)
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let step = call.client(Call.cancel)
    #expect(step.response?["status"] == "cancelled")
    #expect(step.response?["status_details"] == ["type": "cancelled", "reason": "client_cancelled"])
    #expect(step.event("response.output_item.done")?["item"]?["status"] == "incomplete")
    #expect(step.upstream == (model == Call.flash31 ? [] : [["clientContent": ["turnComplete": false]]]))
    for rest in [Call.audio, Call.said("more"), Call.interrupted, Call.end] {
      #expect(call.upstream(rest).events.isEmpty)
    }
    _ = call.client(Call.text("Next"))
    #expect(
      call.client(Call.create).upstream.first != nil,
      "after such a frame the service waits for a turn that completes it")
    #expect(call.upstream(Call.audio).types.first == "response.created")
  }

  @Test("gemini 5.5: calls of an answer that was cancelled are refused: the service must not wait for them")
  func cancelledCalls() {
    var call = Call.ready()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.client(Call.cancel)
    let step = call.upstream(Call.calls(Call.called("c")))
    #expect(step.events.isEmpty)
    #expect(step.upstream.first?["toolResponse"]?["functionResponses"]?[0]?["response"]?["error"] != nil)
  }

  @Test("gemini 5.5: response.cancel with nothing active, or of another response, is response_cancel_not_active")
  func nothingToCancel() {
    var call = Call.ready()
    let error = call.client(Call.cancel).error
    #expect(error?["code"] == "response_cancel_not_active" && error?["event_id"] == "cancel")
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let other = call.client(#"{"type":"response.cancel","response_id":"resp_other"}"#)
    #expect(other.error?["code"] == "response_cancel_not_active")
    _ = call.answer()
    #expect(call.client(Call.cancel).error?["code"] == "response_cancel_not_active")
  }

  @Test("gemini 5.5: in manual mode the next window stops what a cancel left running")
  func manualCancel() {
    var call = Call.ready(Call.live38, #""audio":{"input":{"turn_detection":null}}"#)
    _ = call.client(Call.append(ms: 200))
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.client(Call.cancel)
    _ = call.client(Call.append(ms: 200))
    let step = call.client(Call.create)
    #expect(step.upstream.first == ["realtimeInput": ["activityStart": [:]]])
    for stale in [Call.interrupted, Call.end] { #expect(call.upstream(stale).events.isEmpty) }
    #expect(call.upstream(Call.audio).event("response.created") != nil)
  }

  @Test("gemini 5.5: output_audio_buffer.clear cancels what is spoken and says so")
  func clearOutput() {
    var call = Call.ready()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let step = call.client(#"{"type":"output_audio_buffer.clear"}"#)
    #expect(step.response?["status"] == "cancelled")
    #expect(step.types.last == "output_audio_buffer.cleared")
    #expect(step.events.last?["response_id"] == step.response?["id"])
    let idle = call.client(#"{"type":"output_audio_buffer.clear","event_id":"again"}"#)
    #expect(idle.error?["event_id"] == "again", "nothing is spoken")
  }
}
