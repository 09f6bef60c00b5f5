import Envelope
import ParleyTesting
import SessionCore
import Testing

@Suite struct GeminiLiveConversation {
  /// A call that is set up and ready.
  static func ready(_ update: String? = nil) -> SessionDialogue {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    _ = call.upstreamOpens()
    if let update { _ = call.client(update) }
    _ = call.wait(.seconds(5))
    _ = call.upstream(#"{"setupComplete":{}}"#)
    return call
  }

  static let audio = #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AAABAAIA"}}]}}}"#
  static let create = #"{"type":"response.create","event_id":"c"}"#

  @Test("R089: a response.create whose answer never begins fails after 15 s, visibly")
  func answerTimeout() {
    var call = Self.ready()
    #expect(call.client(Self.create).events.isEmpty)
    #expect(call.wait(.milliseconds(14_999)).events.isEmpty)
    let step = call.wait(.milliseconds(1))
    #expect(step.types == ["response.created", "rate_limits.updated", "response.done"])
    #expect(step.event("response.done")?["response"]?["status"] == "failed")
  }

  @Test("one response at a time: a second create is an error that names the first")
  func oneAtATime() {
    var call = Self.ready()
    _ = call.client(Self.create)
    let id = call.upstream(Self.audio).event("response.created")?["response"]?["id"]?.string
    let error = call.client(Self.create).event("error")?["error"]
    #expect(error?["code"] == "conversation_already_has_active_response")
    #expect(error?["event_id"] == "c")
    #expect(error?["message"]?.string?.contains(id ?? "?") == true)
  }

  @Test("the usage may come before, with, or after generationComplete; response.done waits at most 1.5 s for it")
  func release() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    #expect(call.upstream(#"{"serverContent":{"generationComplete":true}}"#).event("response.done") == nil)
    #expect(call.wait(.milliseconds(1499)).events.isEmpty)
    #expect(call.wait(.milliseconds(1)).types == ["response.done"])
    _ = call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    _ = call.upstream(#"{"serverContent":{"generationComplete":true}}"#)
    let done = call.upstream(#"{"usageMetadata":{"promptTokenCount":1,"responseTokenCount":2}}"#).event("response.done")
    #expect(done?["response"]?["usage"]?["total_tokens"] == 3)
  }

  @Test("an answer that is complete makes way for a new response.create")
  func releasedByCreate() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    _ = call.upstream(#"{"serverContent":{"generationComplete":true}}"#)
    #expect(call.client(Self.create).types == ["response.done"])
  }

  @Test("an empty turn answers a request with an empty response, and otherwise nothing")
  func emptyTurn() {
    var call = Self.ready()
    #expect(call.upstream(#"{"serverContent":{"turnComplete":true}}"#).events.isEmpty)
    _ = call.client(Self.create)
    let step = call.upstream(#"{"serverContent":{"turnComplete":true,"turnCompleteReason":"RESPONSE_REJECTED"}}"#)
    #expect(step.types == ["response.created", "rate_limits.updated", "response.done"])
    #expect(step.event("response.done")?["response"]?["output"] == [])
    #expect(step.event("response.done")?["response"]?["status"] == "completed")
  }

  @Test(
    "a turn that the provider ends for a reason says so",
    arguments: [("GENERATED_CONTENT_SAFETY", "incomplete"), ("MALFORMED_FUNCTION_CALL", "failed")])
  func reasons(_ reason: String, _ status: String) {
    var call = Self.ready()
    _ = call.client(Self.create)
    let step = call.upstream(#"{"serverContent":{"turnComplete":true,"turnCompleteReason":"\#(reason)"}}"#)
    #expect(step.event("response.done")?["response"]?["status"]?.string == status)
  }

  @Test("R090: after a cancel, what the provider still says is discarded until its turn ends")
  func discarding() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    #expect(call.client(#"{"type":"response.cancel"}"#).event("response.done") != nil)
    #expect(call.upstream(Self.audio).events.isEmpty)
    _ = call.wait(.milliseconds(2900))
    #expect(call.upstream(Self.audio).events.isEmpty, "each sign of life extends the wait")
    _ = call.wait(.seconds(3))
    #expect(call.upstream(Self.audio).event("response.created") != nil, "then it is a turn of its own")
  }

  @Test("items: honoured ids, duplicates refused, retrieve, delete, truncate")
  func items() {
    var call = Self.ready()
    let item =
      #"{"type":"conversation.item.create","event_id":"e","item":{"id":"a","type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#
    #expect(call.client(item).types == ["conversation.item.added", "conversation.item.done"])
    #expect(call.client(item).event("error")?["error"]?["code"] == "item_create_duplicate_item_id")
    #expect(
      call.client(#"{"type":"conversation.item.retrieve","item_id":"a"}"#).event("conversation.item.retrieved")?[
        "item"]?["content"]?[0]?["text"] == "hi")
    #expect(
      call.client(#"{"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":0}"#).event(
        "error")?["error"]?["code"] == "unsupported_content_type")
    #expect(call.client(#"{"type":"conversation.item.delete","item_id":"a"}"#).types == ["conversation.item.deleted"])
    #expect(
      call.client(#"{"type":"conversation.item.delete","item_id":"a"}"#).event("error")?["error"]?["code"]
        == "item_delete_invalid_item_id")
    let upstream = call.client(Self.create).upstream
    #expect(upstream == [["clientContent": ["turns": [], "turnComplete": true]]], "a deleted item is not sent")
  }

  @Test(
    "what this provider cannot do is one error that names the field, and changes nothing",
    arguments: [
      (
        #"{"type":"session.update","event_id":"x","session":{"tools":[{"type":"mcp","server_label":"s"}]}}"#,
        "session.tools[0].type"
      ),
      (#"{"type":"session.update","event_id":"x","session":{"prompt":{"id":"p"}}}"#, "session.prompt"),
      (
        #"{"type":"session.update","event_id":"x","session":{"audio":{"input":{"turn_detection":{"type":"server_vad","create_response":false}}}}}"#,
        "session.audio.input.turn_detection.create_response"
      ),
      (
        #"{"type":"conversation.item.create","event_id":"x","item":{"type":"message","role":"user","content":[{"type":"input_image","image_url":"https://example.org/a.png"}]}}"#,
        "item.content[0].image_url"
      ),
      (
        #"{"type":"conversation.item.create","event_id":"x","item":{"type":"function_call_output","call_id":"c","output":"x"}}"#,
        "item.call_id"
      ),
      (#"{"type":"response.create","event_id":"x","response":{"input":[]}}"#, "response.input"),
      (#"{"type":"input_audio_buffer.commit","event_id":"x"}"#, nil),
    ])
  func refusals(_ event: String, _ param: String?) {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live")
    _ = call.begin()
    let before = call.session.session
    let step = call.client(event)
    #expect(step.types == ["error"])
    #expect(step.events.first?["error"]?["event_id"] == "x")
    #expect(step.events.first?["error"]?["param"]?.string == param)
    #expect(call.session.session == before)
  }

  @Test("what an answer that was cancelled still says does not leak into the next one")
  func noLeak() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    _ = call.client(#"{"type":"response.cancel"}"#)
    _ = call.client(Self.create)
    #expect(call.upstream(Self.audio).events.isEmpty, "of the old answer")
    _ = call.upstream(#"{"serverContent":{"interrupted":true}}"#)
    let end = call.upstream(#"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":9}}"#)
    #expect(end.events.isEmpty)
    #expect(call.upstream(Self.audio).types.first == "response.created")
    let done = call.upstream(#"{"serverContent":{"generationComplete":true}}"#)
    #expect(done.event("response.done") == nil, "the old turn's usage is not the new one's")
  }

  @Test("an answer that is awaited is not discarded for ever with the one that was cancelled")
  func awaitedAnswer() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    _ = call.client(#"{"type":"response.cancel"}"#)
    _ = call.client(Self.create)
    _ = call.wait(.milliseconds(2900))
    #expect(call.upstream(Self.audio).events.isEmpty)
    _ = call.wait(.milliseconds(100))
    #expect(call.upstream(Self.audio).types.first == "response.created")
  }

  @Test("a cancel of an answer that is complete ends it as completed")
  func lateCancel() {
    var call = Self.ready()
    _ = call.client(Self.create)
    _ = call.upstream(Self.audio)
    _ = call.upstream(#"{"serverContent":{"generationComplete":true}}"#)
    let step = call.client(#"{"type":"response.cancel"}"#)
    #expect(step.event("response.done")?["response"]?["status"] == "completed" && step.upstream.isEmpty)
  }

  @Test("R101 Q23: what has no counterpart shows its effective value in session.updated")
  func effectiveValues() {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live")
    _ = call.begin()
    let step = call.client(
      #"{"type":"session.update","session":{"audio":{"input":{"noise_reduction":{"type":"near_field"}},"output":{"voice":"nobody","speed":1.2}}}}"#
    )
    let audio = step.event("session.updated")?["session"]?["audio"]
    #expect(audio?["output"]?["voice"] == "marin" && audio?["output"]?["speed"] == 1)
    #expect(audio?["input"]?["noise_reduction"] == .null)
    let other = call.client(
      #"{"type":"session.update","session":{"tool_choice":"required","tracing":"auto","audio":{"input":{"turn_detection":{"type":"server_vad","silence_duration_ms":5000}}}}}"#
    ).event("session.updated")?["session"]
    #expect(other?["tool_choice"] == "auto" && other?["tracing"] == .null)
    #expect(other?["audio"]?["input"]?["turn_detection"]?["silence_duration_ms"] == 2000)
  }

  @Test("what is held for a client that ends its turns itself is bounded")
  func bounds() {
    var call = Self.ready(#"{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}"#)
    let minute =
      #"{"type":"input_audio_buffer.append","event_id":"a","audio":"\#(String(repeating: "A", count: 3_840_000))"}"#
    for _ in 0..<10 { #expect(call.client(minute).events.isEmpty) }
    let step = call.client(minute)
    #expect(step.event("error")?["error"]?["code"] == "too_much_held")
    #expect(step.event("error")?["error"]?["event_id"] == "a")
    let text = String(repeating: "x", count: 1_048_577)
    let item = call.client(
      #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"\#(text)"}]}}"#
    )
    #expect(item.event("error")?["error"]?["param"] == "item")
  }

  @Test("R137 R138: a long append is cut into pieces of whole samples; together they are what was sent")
  func longAppend() {
    var call = Self.ready()
    let base64 = String(repeating: "AAABAAIA", count: 20_000)
    let step = call.client(#"{"type":"input_audio_buffer.append","audio":"\#(base64)"}"#)
    let pieces = step.upstream.map { $0["realtimeInput"]?["audio"]?["data"]?.string ?? "?" }
    #expect(pieces.count == 25, "of 100 ms")
    #expect(pieces.allSatisfy { $0.utf8.count == 6400 })
    #expect(pieces.joined() == base64)
  }
}
