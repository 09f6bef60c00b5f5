import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// What the two sides say at the same time, or not at all: found by review, each once wrong.
@Suite struct GeminiCrossings {
  typealias Call = GeminiCall

  static let twoCalls = Call.calls(Call.called("fc_1"), Call.called("fc_2", "lamp_on"))
  static let tools =
    #""tools":[{"type":"function","name":"get_weather"},{"type":"function","name":"lamp_on"}]"#

  @Test("gemini 3.4: the user speaks into a call: the service drops it in silence, so its results are told")
  func speechIntoACall() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Self.twoCalls)
    _ = call.client(Call.append(ms: 400))
    _ = call.upstream(Call.interrupted) + call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
    _ = call.client(Call.result("fc_1", "sunny"))
    let last = call.client(Call.result("fc_2", "on"))
    #expect(last.error == nil && last.upstream.isEmpty)
    let asked = call.client(Call.create)
    #expect(
      asked.upstream.last?["realtimeInput"]?["text"]
        == "[The result of get_weather: sunny]\n[The result of lamp_on: on]")
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 2.7 5.5: only requests that crossed a result count as answered with it; a later one is a new one")
  func laterRequest() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Self.twoCalls)
    _ = call.client(Call.result("fc_1", "sunny")) + call.client(Call.result("fc_2", "on"))
    #expect(call.client(Call.create).upstream.at(0)["toolResponse"] != nil)
    _ = call.answer()
    #expect(call.client(Call.create).upstream.count == 1, "the model is asked again")
  }

  @Test(
    "gemini 2.7 5.5: a client that asks once for each result gets one answer to all, and nothing for the rest of its requests"
  )
  func requestForEachResult() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Self.twoCalls)
    _ = call.client(Call.result("fc_1", "sunny"))
    #expect(call.client(Call.create).upstream.isEmpty)
    #expect(call.client(Call.result("fc_2", "on")).upstream.at(0)["toolResponse"] != nil)
    _ = call.answer()
    let second = call.client(Call.create)
    #expect(second.upstream.isEmpty && second.response?["output"] == [])
    #expect(call.client(Call.create).upstream.count == 1, "the next one is a new one")
  }

  @Test("gemini 2.7 5.5: results of calls that an earlier connection made wait for each other too")
  func owedResults() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Self.twoCalls)
    _ = call.upstreamEnds(.lost)
    _ = call.reconnect()
    _ = call.client(Call.result("fc_1", "sunny"))
    #expect(call.client(Call.create).upstream.isEmpty)
    let last = call.client(Call.result("fc_2", "on"))
    #expect(last.error == nil && last.upstream.last?["clientContent"]?["turns"]?.array?.count == 2)
  }

  @Test("gemini 5.3: words before a call that is refused in the client's place are not the end of the answer")
  func refusedAfterWords() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.client(Call.create(#""tool_choice":"none""#))
    _ = call.upstream(Call.said("One moment."))
    let refused = call.upstream(Call.calls(Call.called("fc_1")))
    #expect(refused.response == nil && refused.upstream.at(0)["toolResponse"] != nil)
    let again = call.upstream(Call.calls(Call.called("fc_2")))
    #expect(again.response == nil && again.upstream.at(0)["toolResponse"] != nil)
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 4.5: a commit of silence that draws no answer keeps no update from holding")
  func committedSilence() {
    var call = Call.ready()
    _ = call.upstream(Call.handle)
    _ = call.client(Call.append(ms: 400)) + call.client(Call.commit)
    _ = call.client(Call.update(#""instructions":"Be brief.""#))
    #expect(call.wait(.seconds(10)).dials == 0)
    #expect(call.wait(.seconds(10)).dials == 1)
  }

  @Test("gemini 5.5: a family that cannot be stopped says all of a cancelled answer before the next one begins")
  func cancelledWithoutStop() {
    var call = Call.ready(Call.flash31, #""audio":{"input":{"turn_detection":null}}"#)
    _ = call.client(Call.append(ms: 400)) + call.client(Call.commit) + call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.client(Call.cancel)
    _ = call.client(Call.append(ms: 400)) + call.client(Call.commit) + call.client(Call.create)
    for _ in 0..<4 {
      _ = call.wait(.seconds(2))
      #expect(call.upstream(Call.audio).events.isEmpty, "the old answer")
    }
    _ = call.upstream(Call.complete) + call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 2.5: a written turn is not completed while the client's audio goes up: its words go the audio's way")
  func textBesideAudio() {
    var call = Call.ready()
    _ = call.client(Call.append(ms: 400))
    _ = call.client(Call.text("Answer briefly.", role: "assistant")) + call.client(Call.text("What time is it?"))
    let asked = call.client(Call.create(#""instructions":"In French.""#)).upstream
    #expect(asked.at(0)["clientContent"]?["turnComplete"] == false)
    #expect(
      asked.at(1)["realtimeInput"]?["text"] == "[For this reply only: In French.]\n\nWhat time is it?")
    #expect(asked.count == 2 && call.answer().response?["status"] == "completed")
    _ = call.client(Call.text("And now?"))
    _ = call.wait(.seconds(1))
    #expect(call.client(Call.create).upstream.last?["clientContent"]?["turnComplete"] == true, "in silence as ever")
  }

  @Test("gemini 5.5: what is on its way of an answer that was cancelled unbegun is not the next answer")
  func cancelledInFlight() {
    var call = Call.ready()
    _ = call.client(Call.text("Tell me a story.")) + call.client(Call.create)
    _ = call.client(Call.cancel)
    _ = call.client(Call.text("What time is it?")) + call.client(Call.create)
    #expect(call.upstream(Call.said("Once upon")).events.isEmpty)
    #expect(call.upstream(Call.interrupted).events.isEmpty)
    _ = call.upstream(#"{"serverContent":{"turnComplete":true}}"#)
    let answer = call.answer()
    #expect(answer.response?["output"]?[0]?["content"]?[0]?["transcript"] == "Yes.")
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("gemini 5.5: a request after a cancelled one that never began is answered by what comes")
  func cancelledUnbegun() {
    var call = Call.ready()
    _ = call.client(Call.text("Hello")) + call.client(Call.create) + call.client(Call.cancel)
    _ = call.client(Call.text("What time is it?")) + call.client(Call.create)
    _ = call.wait(.milliseconds(400))
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 2.7 5.5: a client that goes on without its calls' results waits 5 s, and for a deleted call not at all")
  func abandonedCalls() throws {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Self.twoCalls)
    _ = call.client(Call.text("Never mind.")) + call.client(Call.create)
    #expect(call.wait(.seconds(4)).upstream.isEmpty)
    let missing = call.wait(.seconds(2)).upstream.at(0)["toolResponse"]?["functionResponses"]
    #expect(missing?[0]?["response"]?["error"] != nil && missing?[1]?["response"]?["note"] == "Never mind.")
    _ = call.answer()
    let step = call.upstream(Call.calls(Call.called("fc_3")))
    let item = try #require(step.response?["output"]?[0]?["id"]?.string)
    _ = call.client(#"{"type":"conversation.item.delete","item_id":"\#(item)"}"#)
    let asked = call.client(Call.create) + call.reconnect()
    #expect(asked.error == nil && asked.upstream.contains { $0["clientContent"]?["turnComplete"] == true })
  }

  @Test("gemini 2.7: after results that nobody asked about, the next request is one of its own")
  func requestLongAfterResults() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Call.calls(Call.called("fc_1")))
    _ = call.client(Call.result("fc_1", "sunny"))
    #expect(call.wait(.seconds(11)).upstream.at(0)["toolResponse"] != nil)
    #expect(call.answer().events.isEmpty, "nobody asked")
    #expect(call.client(Call.create).upstream.count == 1)
    #expect(call.answer().response?["status"] == "completed")
  }

  @Test("gemini 4.6: results that are owed to an earlier connection hold requests up for 15 s once, not for ever")
  func owedForEver() {
    var call = Call.ready(Call.live38, Self.tools)
    _ = call.upstream(Self.twoCalls)
    _ = call.upstreamEnds(.lost)
    _ = call.reconnect()
    #expect(call.client(Call.create).upstream.isEmpty)
    #expect(call.wait(.seconds(16)).upstream.count == 1)
    _ = call.answer()
    #expect(call.client(Call.create).upstream.count == 1)
  }

  @Test("gemini 3.9: a close in mid-session that ends the call is not told as a refused set-up")
  func closedInMidSession() {
    var call = Call.ready()
    let end = UpstreamEnd.closed(code: 1007, reason: "Request contains an invalid argument.")
    #expect(call.upstreamEnds(end).clientCloseCode == nil)
    _ = call.reconnect()
    let last = call.upstreamEnds(end)
    #expect(last.error?["code"] == "upstream_closed" && last.clientCloseCode == 1014)
  }

  @Test("gemini 3.7: a count that nobody can read ends no call")
  func unreadableUsage() {
    var call = Call.ready()
    _ = call.client(Call.text("Hello")) + call.client(Call.create)
    _ = call.upstream(Call.said("Hi."))
    let end = call.upstream(#"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":"many"}}"#)
    #expect(end.response?["status"] == "completed" && end.response?["usage"] == .null)
  }

  @Test(
    "gemini 6.3: thought of more than 30 s after a filler ends the answer, and what comes after it is one of its own")
  func longThought() {
    var call = Call.ready(Call.thinking38)
    _ = call.client(Call.text("Hello")) + call.client(Call.create)
    _ = call.upstream(Call.said("Let me think."))
    _ = call.upstream(#"{"serverContent":{"turnComplete":true,"interactionStatus":"IN_PROGRESS"}}"#)
    #expect(call.wait(.seconds(31)).response?["status"] == "completed")
    let late = call.upstream(Call.said("Seven."))
    #expect(late.event("response.output_audio_transcript.delta")?["delta"] == "Seven.")
  }
}
