import Envelope
import LocalVoiceProvider
import ParleyTesting
import Testing
import Translation

/// The conversation's items: brought along, looked at, cut, removed; and what the model is told of them.
@Suite struct LocalVoiceItems {
  private static func recording(_ parts: String...) -> String {
    #""id":"item_r","type":"message","role":"user","content":[\#(parts.joined(separator: ","))]"#
  }

  private static let sound = #"{"type":"input_audio","audio":"AAABAAIA"}"#

  // MARK: Create

  @Test("items keep the order that the client asks for, and their roles")
  func order() {
    var call = EngineCall()
    let first = call.text("two", id: "item_2")
    #expect(first.types == ["conversation.item.added", "conversation.item.done"])
    #expect(first.events[0]["previous_item_id"] == .null && first.events[0]["item"]?["status"] == "completed")
    #expect(first.answer == nil && first.upstream.isEmpty)
    _ = call.item(
      #""id":"item_1","type":"message","role":"system","content":[{"type":"input_text","text":"one"}]"#,
      after: #","previous_item_id":"root""#)
    let third = call.item(
      #""type":"message","role":"assistant","content":[{"type":"output_text","text":"three"}]"#,
      after: #","previous_item_id":"item_2""#)
    #expect(third.events[0]["previous_item_id"] == "item_2")
    #expect(
      call.create().answer?.messages == [.init(.system, "one"), .init(.user, "two"), .init(.assistant, "three")])
  }

  @Test("an id that is taken, and a predecessor that is not there, are refused")
  func badPlaces() {
    var call = EngineCall()
    _ = call.text("one", id: "item_1")
    let twice = call.text("two", id: "item_1")
    #expect(twice.error?["code"] == "item_create_duplicate_item_id" && twice.error?["event_id"] == "item")
    let lost = call.item(Self.recording(Self.sound), after: #","previous_item_id":"item_9""#)
    #expect(lost.error?["code"] == "item_create_invalid_previous_item_id" && lost.upstream.isEmpty)
  }

  @Test("several texts of one message are its lines; an item of no words is nothing to the model")
  func lines() {
    var call = EngineCall()
    _ = call.item(
      #""type":"message","role":"user","content":[{"type":"input_text","text":"one"},{"type":"input_text","text":"two"}]"#
    )
    _ = call.item(#""type":"message","role":"user","content":[]"#)
    #expect(call.create().answer?.messages == [.init(.user, "one\ntwo")])
  }

  @Test("a conversation of before is told with its calls and outputs")
  func restored() {
    var call = EngineCall()
    _ = call.item(#""type":"function_call","call_id":"c1","name":"now","arguments":"{}""#)
    _ = call.item(#""type":"function_call_output","call_id":"c1","output":"10:00""#)
    let messages = call.create().answer?.messages ?? []
    #expect(messages.map(\.role) == [.assistant, .tool] && messages.first?.calls?.first?.name == "now")
  }

  @Test(
    "what the engine has no use for is refused by its place",
    arguments: [
      (#""type":"mcp_list_tools","server_label":"x","tools":[]"#, "item.type"),
      (
        #""type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]"#,
        "item.content[1].type"
      ),
    ])
  func refused(_ item: String, _ param: String) {
    var call = EngineCall()
    let step = call.item(item)
    #expect(step.error?["param"]?.string == param && step.upstream.isEmpty && step.types == ["error"])
  }

  // MARK: Recordings

  @Test("recordings are recognised, each into its own part, in whatever order the words come")
  func recordings() {
    var call = EngineCall()
    let step = call.item(
      Self.recording(Self.sound, #"{"type":"input_text","text":"and"}"#, #"{"type":"input_audio","audio":"AQABAAIA"}"#))
    #expect(step.types == ["conversation.item.added", "conversation.item.done"])
    #expect(step.events[0]["item"]?["content"]?[0]?["audio"] == nil, "the sound is not echoed")
    #expect(
      step.requests == [
        .recording(turn: "item_1", base64: "AAABAAIA", format: .pcm(rate: 24_000)), .transcribe(turn: "item_1"),
        .recording(turn: "item_2", base64: "AQABAAIA", format: .pcm(rate: 24_000)), .transcribe(turn: "item_2"),
      ])
    #expect(call.create().upstream.isEmpty, "the answer waits")
    let second = call.says(.transcribed(turn: "item_2", text: "two"))
    #expect(second.events.isEmpty && second.requests == [.forget(turn: "item_2")])
    let answer = call.says(.transcribed(turn: "item_1", text: "one"))
    #expect(answer.answer?.messages == [.init(.user, "one\nand\ntwo")])
    #expect(call.retrieve("item_r")?["content"]?[2]?["transcript"] == "two")
  }

  @Test("a recording that brings its words along is not recognised again; words alone will do")
  func transcriptGiven() {
    var call = EngineCall()
    let step = call.item(Self.recording(#"{"type":"input_audio","audio":"AAABAAIA","transcript":"hello"}"#))
    #expect(step.upstream.isEmpty)
    let item = #""type":"message","role":"user","content":[{"type":"input_audio","transcript":"again"}]"#
    #expect(call.item(item).error == nil)
    #expect(call.create().answer?.messages.map(\.text) == ["hello", "again"])
  }

  @Test(
    "a recording that is none is refused, and nothing of the item stays",
    arguments: [
      #"{"type":"input_audio","audio":"!!"}"#, #"{"type":"input_audio","audio":""}"#, #"{"type":"input_audio"}"#,
    ])
  func badRecording(_ part: String) {
    var call = EngineCall()
    let step = call.item(Self.recording(Self.sound, part))
    #expect(step.error?["param"] == "item.content[1].audio" && step.upstream.isEmpty)
    #expect(call.retrieve("item_r") == nil)
  }

  @Test("the URL-safe alphabet without padding is taken, and goes on in standard form")
  func otherAlphabet() {
    var call = EngineCall()
    let step = call.item(Self.recording(#"{"type":"input_audio","audio":"_-8"}"#))
    #expect(step.requests.first == .recording(turn: "item_1", base64: "/+8=", format: .pcm(rate: 24_000)))
  }

  @Test("a recording of a kind that nobody can read: an error about it, and the answer it held up fails")
  func unreadable() {
    var call = EngineCall()
    _ = call.item(Self.recording(Self.sound))
    _ = call.create()
    let step = call.says(.notTranscribed(turn: "item_1", code: "audio_format_unsupported", message: "No."))
    #expect(step.error?["code"] == "audio_format_unsupported" && step.error?["param"] == "item.content")
    #expect(step.done?["status"] == "failed")
    #expect(call.retrieve("item_r")?["content"]?[0]?["transcript"] == .null)
  }

  @Test("a model that hears is asked with the recording; its audio goes with the item")
  func heardItem() {
    var engine = SessionDialogue.engine
    engine.answersSpeech = true
    var call = EngineCall(engine)
    _ = call.item(Self.recording(Self.sound))
    #expect(call.says(.transcribed(turn: "item_1", text: "hello")).upstream.isEmpty)
    let deleted = call.delete("item_r")
    #expect(deleted.types == ["conversation.item.deleted"] && deleted.requests == [.forget(turn: "item_1")])
    _ = call.item(Self.recording(Self.sound, Self.sound))
    _ = call.says(.transcribed(turn: "item_2", text: "one"))
    let second = call.says(.transcribed(turn: "item_3", text: "two"))
    #expect(second.requests == [.forget(turn: "item_2")], "nothing is kept that nobody will ask for")
    let asked = call.create()
    #expect(asked.answer?.messages.map(\.turn) == ["item_3"])
    #expect(asked.requests.last == .forget(turn: "item_3"))
  }

  // MARK: Retrieve and delete

  @Test("retrieve gives the item as it is known; an unknown one is refused")
  func retrieve() {
    var call = EngineCall()
    _ = call.text("hello", id: "item_1")
    #expect(call.retrieve("item_1")?["content"]?[0]?["text"] == "hello")
    let step = call.client(#"{"type":"conversation.item.retrieve","event_id":"r","item_id":"item_9"}"#)
    #expect(step.error?["code"] == "item_retrieve_invalid_item_id" && step.error?["event_id"] == "r")
  }

  @Test("R145 R270: a deleted item is not told to the model; an unknown one is refused")
  func delete() {
    var call = EngineCall()
    _ = call.text("one", id: "item_1")
    _ = call.text("two", id: "item_2")
    #expect(call.delete("item_1").types == ["conversation.item.deleted"])
    #expect(call.delete("item_1").error?["code"] == "item_delete_invalid_item_id")
    #expect(call.create().answer?.messages.map(\.text) == ["two"])
  }

  @Test("R149: a turn that is deleted before the model answers is not answered to")
  func moderated() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","create_response":false}"#)
    let (step, turn) = call.speech()
    let item = step.event("input_audio_buffer.committed")?["item_id"]?.string ?? ""
    _ = call.says(.transcribed(turn: turn, text: "something vile"))
    _ = call.delete(item)
    #expect(call.create().answer?.messages == [])
  }

  @Test("a turn that is deleted while it is recognised: its words come, and go nowhere")
  func deletedEarly() {
    var call = EngineCall(input: #""turn_detection":{"type":"server_vad","create_response":false}"#)
    let (step, turn) = call.speech()
    _ = call.delete(step.event("input_audio_buffer.committed")?["item_id"]?.string ?? "")
    _ = call.says(.transcribed(turn: turn, text: "late"))
    #expect(call.create().answer?.messages == [])
    #expect(call.violations == [])
  }

  // MARK: Truncate

  @Test(
    "truncate of an answer: the model is told the words that were heard and no others",
    arguments: [
      (0, ""), (500, "one two"), (749, "one two"), (750, "one two three"), (1_000, "one two three four"),
    ])
  func truncate(_ end: Int, _ words: String) {
    var call = EngineCall()
    let item = call.spokenAnswer()
    let step = call.truncate(item, toMs: end)
    #expect(step.types == ["conversation.item.truncated"])
    #expect(step.events.first?["audio_end_ms"]?.int == end && step.events.first?["item_id"]?.string == item)
    #expect(call.create().answer?.messages == (words.isEmpty ? [] : [.init(.assistant, words)]))
  }

  @Test("truncate of the answer that is live holds when it ends")
  func truncateLive() {
    var call = EngineCall()
    let id = call.create().answer?.id ?? ""
    let item = call.answers(id, "one two three four").event("response.output_item.added")?["item"]?["id"]?.string ?? ""
    #expect(call.truncate(item, toMs: 1_001).error?["code"] == "invalid_value")
    #expect(call.truncate(item, toMs: 500).error == nil)
    _ = call.cancel()
    #expect(call.create().answer?.messages == [.init(.assistant, "one two")])
  }

  @Test("what is cut cannot be cut to more")
  func truncateTwice() {
    var call = EngineCall()
    let item = call.spokenAnswer()
    _ = call.truncate(item, toMs: 500)
    #expect(
      call.truncate(item, toMs: 501).error?["message"]?.string?.contains("500ms is already shorter than 501ms") == true)
    _ = call.truncate(item, toMs: 250)
    #expect(call.retrieve(item)?["content"]?[0]?["transcript"] == "one")
  }

  @Test("only what the assistant spoke can be truncated, and only what is there")
  func truncateOthers() {
    var call = EngineCall()
    _ = call.text("hello", id: "item_u")
    _ = call.text("hello", role: "assistant", id: "item_a")
    for item in ["item_u", "item_a"] {
      #expect(call.truncate(item, toMs: 0).error?["code"] == "unsupported_content_type")
    }
    #expect(call.truncate("item_9", toMs: 0).error?["code"] == "item_truncate_invalid_item_id")
    let spoken = call.spokenAnswer()
    #expect(call.truncate(spoken, toMs: 0, index: 1).error?["event_id"] == "cut")
    #expect(call.truncate(spoken, toMs: -1).error != nil)
    let live = call.create(#""output_modalities":["text"]"#).answer?.id ?? ""
    let written = call.answers(live, "Hi.", ms: 0).event("response.output_item.added")?["item"]?["id"]?.string ?? ""
    #expect(call.truncate(written, toMs: 0).error?["code"] == "unsupported_content_type", "a live one as any other")
  }
}
