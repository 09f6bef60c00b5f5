import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// Responses outside of the conversation: they leave nothing behind in it.
@Suite struct LocalVoiceSideResponses {
  static let none = #""conversation":"none""#

  @Test("beside a live response: its events are its own, and the conversation knows nothing of it")
  func beside() {
    var call = EngineCall()
    let main = call.turn("Hello?").answer?.id ?? ""
    _ = call.answers(main)
    let created = call.create(
      Self.none + #","metadata":{"topic":"mood"},"output_modalities":["text"],"instructions":"Classify.""#)
    #expect(created.types == ["response.created"])
    #expect(created.events.first?["response"]?["conversation_id"] == .null)
    #expect(created.events.first?["response"]?["metadata"] == ["topic": "mood"])
    #expect(created.answer?.instructions == "Classify.")
    #expect(created.answer?.messages == [.init(.user, "Hello?")], "what is being said is no item yet")
    let side = created.answer?.id ?? ""
    var step = call.answers(side, "happy", ms: 0)
    step = step + call.answers(main, " And more.", ms: 100)
    step = step + call.finishes(side)
    #expect(!step.types.contains { $0.hasPrefix("conversation.item") })
    #expect(
      step.types == [
        "response.output_item.added", "response.content_part.added", "response.output_text.delta",
        "response.output_audio_transcript.delta", "response.output_audio.delta",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.done",
      ])
    #expect(step.done?["id"]?.string == side && step.done?["output"]?[0]?["content"]?[0]?["text"] == "happy")
    let end = call.finishes(main)
    #expect(end.done?["conversation_id"] != .null)
    #expect(call.create().answer?.messages == [.init(.user, "Hello?"), .init(.assistant, "Hello there. And more.")])
    #expect(call.violations == [])
  }

  @Test("a spoken one has audio deltas of its own")
  func spoken() {
    var call = EngineCall()
    let side = call.create(Self.none).answer?.id ?? ""
    let step = call.answers(side)
    #expect(step.types.last == "response.output_audio.delta" && step.events.last?["response_id"]?.string == side)
    let usage = call.finishes(side, input: 3, output: 2).done?["usage"]
    #expect(usage?["total_tokens"] == 25 && usage?["output_token_details"]?["audio_tokens"] == 20)
  }

  @Test("a call of a function is no item of the conversation")
  func call() {
    var call = EngineCall()
    let side = call.create(Self.none).answer?.id ?? ""
    let step = call.says(.call(response: side, .init(id: "c", name: "now", arguments: "{}")))
    #expect(!step.types.contains { $0.hasPrefix("conversation.item") } && step.types.count == 4)
    _ = call.finishes(side)
    #expect(call.create().answer?.messages == [])
  }

  @Test("at most four at once; the conversation's own is not one of them")
  func four() {
    var call = EngineCall()
    var ids = (0..<4).map { _ in call.create(Self.none).answer?.id ?? "" }
    #expect(Set(ids).count == 4)
    let refused = call.create(Self.none)
    #expect(refused.error?["code"] == "too_much_held" && refused.error?["event_id"] == "create")
    #expect(call.create().answer != nil)
    _ = call.finishes(ids.removeFirst())
    #expect(call.create(Self.none).answer != nil)
  }

  @Test("cancel by its id; a cancel without one means the conversation's")
  func cancel() {
    var call = EngineCall()
    let side = call.create(Self.none).answer?.id ?? ""
    _ = call.answers(side)
    #expect(call.cancel().error?["code"] == "response_cancel_not_active")
    let step = call.client(#"{"type":"response.cancel","response_id":"\#(side)"}"#)
    #expect(step.done?["status"] == "cancelled" && step.requests == [.cancel(response: side)])
    #expect(call.finishes(side).events.isEmpty && call.answers(side).events.isEmpty)
    #expect(call.violations == [])
  }

  @Test("one that fails says so, and touches nothing else")
  func failed() {
    var call = EngineCall()
    let main = call.create().answer?.id ?? ""
    let side = call.create(Self.none).answer?.id ?? ""
    let step = call.says(.failed(response: side, code: "llm_failed", message: "No."))
    #expect(step.types == ["response.done"] && step.done?["status"] == "failed")
    #expect(call.finishes(main).done?["status"] == "completed")
  }

  @Test("speech of the user does not end it")
  func speech() {
    var call = EngineCall()
    let side = call.create(Self.none).answer?.id ?? ""
    let (step, _) = call.speech()
    #expect(step.done == nil && call.finishes(side).done?["status"] == "completed")
  }

  @Test("input replaces the conversation: items, references, both; the model is told exactly that")
  func input() {
    var call = EngineCall()
    _ = call.text("secret", id: "item_1")
    _ = call.text("known", id: "item_2")
    let step = call.create(
      Self.none
        + #","input":[{"type":"item_reference","id":"item_2"},{"type":"message","role":"user","content":[{"type":"input_text","text":"new"}]}]"#
    )
    #expect(step.answer?.messages.map(\.text) == ["known", "new"])
    #expect(call.create(Self.none + #","input":[]"#).answer?.messages == [])
    #expect(call.create(#""input":[]"#).answer?.messages == [], "of a response in the conversation too")
  }

  @Test("a reference to what is not there is refused before anything begins", arguments: [none + ",", ""])
  func unknownReference(_ options: String) {
    var call = EngineCall()
    let step = call.create(options + #""input":[{"type":"item_reference","id":"item_9"}]"#)
    #expect(step.error?["param"] == "response.input[0].id" && step.types == ["error"] && step.upstream.isEmpty)
  }

  @Test(
    "sound and pictures in an input are refused by their place",
    arguments: [
      #"{"type":"input_audio","audio":"AAABAAIA"}"#,
      #"{"type":"input_image","image_url":"data:image/png;base64,AA=="}"#,
    ])
  func inputOfOtherKinds(_ part: String) {
    var call = EngineCall()
    let step = call.create(#""input":[{"type":"message","role":"user","content":[\#(part)]}]"#)
    #expect(step.error?["param"] == "response.input[0].content[0].type" && step.types == ["error"])
  }

  @Test("it waits for words that are still being recognised, unless it is given all it needs")
  func waits() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","create_response":false}"#)
    let (_, turn) = call.speech()
    let created = call.create(Self.none)
    #expect(created.types == ["response.created"] && created.upstream.isEmpty)
    #expect(call.create(Self.none + #","input":[]"#).answer != nil)
    let step = call.says(.transcribed(turn: turn, text: "Hello."))
    #expect(step.answer?.messages == [.init(.user, "Hello.")])
  }
}
