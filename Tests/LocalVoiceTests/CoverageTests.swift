import Envelope
import LocalVoiceProvider
import ParleyTesting
import SessionCore
import Testing
import Translation

/// That what `GET /v1/capabilities` says of the engine is what happens.
@Suite struct LocalCoverage {
  static func rows(_ isIncluded: (CoverageRow) -> Bool) -> [CoverageRow] {
    SessionDialogue.engine.coverage.filter(isIncluded)
  }

  /// A session with an update of each, before the example.
  static func call(_ before: [JSONValue]) -> EngineCall {
    var call = EngineCall()
    for fields in before { _ = call.client((["type": "session.update", "session": fields] as JSONValue).text) }
    return call
  }

  @Test(
    "R251: a field of a session is refused, ignored or taken as its row says; detection is told to the engine before the next chunk",
    arguments: rows { $0.subject.hasPrefix("session.") && $0.subject != "session.update" })
  func field(_ row: CoverageRow) throws {
    let example = try #require(CoverageExample(row, model: "other", voice: "en-gb"))
    var call = Self.call(example.before)
    let step = call.client(example.event.text)
    #expect((step.error != nil) == (row.support == .refused))
    // It need not be told who answers a turn, or who may speak into it.
    if row.takesEffect == .nextChunk {
      #expect(!step.requests.isEmpty)
    } else {
      #expect(step.requests.isEmpty)
    }
    guard row.takesEffect == .nextResponse, !row.subject.hasSuffix("idle_timeout_ms") else { return }
    #expect(Self.anonymous(call.create().answer) != Self.plainAnswer(example.before), "it is part of what is asked for")
  }

  @Test(
    "R251: an option of a response is ignored or taken as its row says",
    arguments: rows { $0.subject.hasPrefix("response.") && ClientEventType(rawValue: $0.subject) == nil })
  func option(_ row: CoverageRow) throws {
    let example = try #require(CoverageExample(row, model: "other", voice: "en-gb"))
    var call = Self.call(example.before)
    _ = call.text("Hello")
    let step = call.client(example.event.text)
    #expect(step.error == nil)
    let answer = try #require(Self.anonymous(step.answer))
    switch row.subject {
    case "response.conversation", "response.metadata": #expect(row.support == .mapped)
    default: #expect((answer != Self.plainAnswer(example.before, text: "Hello")) == (row.support == .mapped))
    }
  }

  private static func plainAnswer(_ before: [JSONValue], text: String? = nil) -> AnswerRequest? {
    var call = call(before)
    if let text { _ = call.text(text) }
    return anonymous(call.create().answer)
  }

  /// The ids of two calls differ.
  private static func anonymous(_ answer: AnswerRequest?) -> AnswerRequest? {
    var answer = answer
    answer?.id = ""
    return answer
  }

  @Test(
    "an event that is refused is an error, and so is an item",
    arguments: rows { $0.support == .refused && !$0.subject.hasPrefix("session.") })
  func refused(_ row: CoverageRow) throws {
    var call = EngineCall()
    let step: EngineCall.Step
    switch (row.subject, row.condition) {
    case ("output_audio_buffer.clear", _):
      step = call.client(#"{"type":"output_audio_buffer.clear","event_id":"item"}"#)
    case (_, ["item.type": "mcp_call"]): step = call.item(#""type":"mcp_call""#)
    case (_, ["item.content[].type": "input_image"]):
      step = call.item(
        #""type":"message","role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]"#)
    default:
      Issue.record("no example of \(row.subject)")
      return
    }
    #expect(step.error?["event_id"] == "item")
  }
}
