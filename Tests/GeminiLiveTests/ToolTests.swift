import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// Calls and their results: the rows of sections 5.5 and 6.2 on tools, and 4.1 on the order of a tool's turn.
@Suite struct GeminiTools {
  typealias Call = GeminiCall

  static let declared = #""tools":[{"type":"function","name":"get_weather"},{"type":"function","name":"get_time"}]"#

  static func ready(_ model: String = GeminiCall.live38) -> SessionDialogue {
    var call = GeminiCall.ready(model, declared)
    _ = call.client(GeminiCall.create)
    return call
  }

  static func responses(_ step: SessionDialogue.Step) -> JSONValue? {
    step.upstream.first { $0["toolResponse"] != nil }?["toolResponse"]?["functionResponses"]
  }

  // MARK: 6.2

  @Test(
    "gemini 6.2 8.6: toolCall closes the open message and gives each call all its events, then the response is done")
  func call() {
    var call = Self.ready()
    _ = call.upstream(Call.audio)
    let step = call.upstream(
      #"{"toolCall":{"functionCalls":[{"id":"fc_1","name":"get_weather","args":{"city":"Oslo"}}]}}"#)
    #expect(
      step.types == [
        "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done", "response.output_item.added",
        "conversation.item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
        "conversation.item.done", "response.output_item.done", "response.done",
      ])
    let done = step.event("response.function_call_arguments.done")
    #expect(done?["call_id"] == "fc_1" && done?["name"] == "get_weather" && done?["output_index"] == 1)
    #expect(done?["arguments"] == #"{"city":"Oslo"}"#)
    #expect(step.response?["status"] == "completed" && step.response?["output"]?.array?.count == 2)
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("gemini 6.2: a call with nothing said before it is the first output")
  func callFirst() {
    var call = Self.ready()
    let step = call.upstream(Call.calls(Call.called("a")))
    #expect(step.types.first == "response.created")
    #expect(step.event("response.output_item.added")?["output_index"] == 0)
    #expect(step.event("response.output_item.added")?["item"]?["status"] == "in_progress")
    #expect(step.event("response.output_item.added")?["item"]?["arguments"] == "")
  }

  @Test("gemini 8.6: two calls with one id in one frame are one call")
  func sameID() {
    var call = Self.ready()
    let step = call.upstream(Call.calls(Call.called("a"), Call.called("a"), Call.called("b")))
    #expect(step.types.filter { $0 == "response.function_call_arguments.done" }.count == 2)
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("gemini 3.3 6.1 8.7: calls without ids and arguments get ids of ours, which never go up")
  func withoutIDs() throws {
    var call = Self.ready()
    let step = call.upstream(#"{"toolCall":{"functionCalls":[{"name":"get_weather","args":{}},{"name":"get_time"}]}}"#)
    let calls = step.events.filter { $0["type"] == "response.function_call_arguments.done" }
    let ids = calls.compactMap { $0["call_id"]?.string }
    try #require(ids.count == 2)
    #expect(ids[0] != ids[1] && ids.allSatisfy { $0.hasPrefix("call_") })
    #expect(calls.allSatisfy { $0["arguments"] == "{}" })
    _ = call.client(Call.result(ids[1], "12:00"))
    _ = call.client(Call.result(ids[0], "ok"))
    #expect(
      Self.responses(call.client(Call.create)) == [
        ["name": "get_weather", "response": ["output": "ok"]], ["name": "get_time", "response": ["output": "12:00"]],
      ])
  }

  @Test("gemini 3.3: a toolCall without calls is nothing")
  func noCalls() {
    var call = Self.ready()
    #expect(call.upstream(#"{"toolCall":{"functionCalls":[]}}"#).events.isEmpty)
    #expect(call.upstream(#"{"toolCall":{}}"#).events.isEmpty)
    #expect(call.upstream(Call.audio).types.first == "response.created")
  }

  @Test(
    "gemini 6.2 4.1: a bare generationComplete and turnComplete after a toolCall open and end nothing; their usage is the next response's"
  )
  func bareEnds() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    #expect(call.upstream(Call.complete).events.isEmpty)
    #expect(
      call.upstream(
        #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":31,"responseTokenCount":4}}"#
      )
      .events.isEmpty)
    _ = call.client(Call.result("a", "{}"))
    _ = call.client(Call.create)
    #expect(call.upstream(Call.audio).types.first == "response.created")
    let done = call.upstream(#"{"serverContent":{"generationComplete":true,"turnComplete":true}}"#).response
    #expect(done?["status"] == "completed" && done?["usage"]?["input_tokens"] == 31)
  }

  @Test(
    "gemini 6.2 3.4: toolCallCancellation says nothing to the client; results of such calls are accepted and dropped")
  func cancellation() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a"), Call.called("b", "get_time")))
    let step = call.upstream(#"{"toolCallCancellation":{"ids":["a"]}}"#)
    #expect(step.events.isEmpty && !step.notes.isEmpty)
    #expect(call.client(Call.result("a", "late")).types == ["conversation.item.added", "conversation.item.done"])
    _ = call.client(Call.result("b", "12:00"))
    #expect(
      Self.responses(call.client(Call.create)) == [
        ["id": "b", "name": "get_time", "response": ["output": "12:00"]]
      ])
  }

  // MARK: 5.5

  @Test(
    "gemini 5.5 2.7: an output that is a JSON object goes as it is, anything else as output",
    arguments: [
      (#"{"temp_c":7}"#, #"{"temp_c":7}"#), ("12:00", #"{"output":"12:00"}"#), ("[1]", #"{"output":"[1]"}"#),
      ("", #"{"output":""}"#), (#"{"broken"#, #"{"output":"{\"broken"}"#),
    ])
  func outputs(_ output: String, _ response: String) throws {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    _ = call.client(Call.result("a", output))
    #expect(
      try Self.responses(call.client(Call.create))
        == [["id": "a", "name": "get_weather", "response": JSONValue(parsing: response)]])
  }

  @Test(
    "gemini 5.5: one toolResponse when all calls of the batch are answered, in the service's order, and no frame for response.create"
  )
  func batch() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a"), Call.called("b", "get_time")))
    #expect(call.client(Call.result("b", "12:00")).upstream.isEmpty)
    #expect(call.client(Call.result("a", "7")).upstream.isEmpty)
    let step = call.client(Call.create)
    #expect(step.upstream.count == 1)
    #expect(
      Self.responses(step) == [
        ["id": "a", "name": "get_weather", "response": ["output": "7"]],
        ["id": "b", "name": "get_time", "response": ["output": "12:00"]],
      ])
    #expect(call.answer().types.first == "response.created", "the answer to the results is a new response")
  }

  @Test(
    "issue 4 part 7: response.create between two results waits for the second: neither is lost, neither comes early")
  func createBetween() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a"), Call.called("b", "get_time")))
    _ = call.client(Call.result("a", "7"))
    let early = call.client(Call.create)
    #expect(early.events.isEmpty && early.upstream.isEmpty)
    let step = call.client(Call.result("b", "12:00"))
    #expect(Self.responses(step)?.array?.count == 2 && step.error == nil)
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 5.5: a result of an unknown call is invalid_call_id")
  func unknownCall() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    let step = call.client(Call.result("z", "7"))
    #expect(step.types == ["error"])
    #expect(step.error?["code"] == "invalid_call_id" && step.error?["param"] == "item.call_id")
  }

  @Test(
    "gemini 4.1: results nobody asked an answer for go up after 10 s, because the service is wedged; its answer is not heard"
  )
  func unasked() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    _ = call.client(Call.result("a", "7"))
    #expect(call.wait(.milliseconds(9_999)).upstream.isEmpty)
    #expect(Self.responses(call.wait(.milliseconds(1))) != nil)
    #expect(call.upstream(Call.audio).events.isEmpty)
    #expect(call.upstream(Call.end).events.isEmpty)
  }

  @Test("gemini 4.1: results that are held back go up before the user is answered")
  func beforeSpeech() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    _ = call.client(Call.result("a", "7"))
    #expect(Self.responses(call.upstream(Call.activity("ACTIVITY_START", at: "0.1s"))) != nil)
  }

  @Test("gemini 5.5: text that comes with the results rides in the last one: a turn of its own would cancel the calls")
  func notes() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    _ = call.client(Call.result("a", "7"))
    _ = call.client(Call.text("Answer in Kelvin."))
    let step = call.client(Call.create(#""instructions":"Be brief.""#))
    #expect(step.upstream.count == 1)
    let response = Self.responses(step)?[0]?["response"]
    #expect(response?["output"] == "7")
    #expect(response?["note"]?.string?.contains("Answer in Kelvin.") == true)
    #expect(response?["note"]?.string?.contains("Be brief.") == true)
  }

  @Test("gemini 1.7: an empty answer to a result is an empty response, not an error")
  func emptyAnswer() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    _ = call.client(Call.result("a", "7"))
    _ = call.client(Call.create)
    _ = call.upstream(#"{"serverContent":{"outputTranscription":{"text":""}}}"#)
    _ = call.upstream(Call.complete)
    let step = call.upstream(Call.end) + call.wait(.seconds(3))
    #expect(step.response?["status"] == "completed" && step.response?["output"] == [])
  }

  @Test("fault row 54: a client that goes leaves no call dangling")
  func clientGoes() {
    var call = Self.ready()
    _ = call.upstream(Call.calls(Call.called("a")))
    let step = call.clientCloses()
    #expect(Self.responses(step) == [["id": "a", "name": "get_weather", "response": ["error": "cancelled"]]])
  }
}
