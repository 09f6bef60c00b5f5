import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// Responses outside of the conversation: the row of section 5.5 on `conversation: "none"` and `input`.
@Suite struct GeminiOutOfBand {
  typealias Call = GeminiCall

  static let ask = GeminiCall.create(
    #""conversation":"none","metadata":{"topic":"mood"},"output_modalities":["text"],"instructions":"Classify."#
      + #"","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"I am fine."}]}]"#)

  /// A call with a response beside it whose connection is set up.
  static func asked(
    _ options: String = ask, _ model: String = GeminiCall.live38
  ) throws -> (call: SessionDialogue, line: SideLine, first: SessionDialogue.Step, told: [JSONValue]) {
    var call = GeminiCall.ready(model)
    let first = call.client(options)
    let line = try #require(first.dialledSide)
    let opened = call.sideOpens(line)
    let told = call.side(line, GeminiCall.setupComplete)
    return (call, line, first + opened, opened.sent(on: line) + told.sent(on: line))
  }

  @Test("gemini 5.5: conversation none is a second short session, told its input and instructions, beside the call's")
  func opens() throws {
    let (call, _, first, told) = try Self.asked()
    #expect(first.types == ["response.created", "rate_limits.updated"])
    let response = first.events.first?["response"]
    #expect(response?["conversation_id"] == .null && response?["metadata"] == ["topic": "mood"])
    #expect(first.upstream.isEmpty, "the call's own session hears nothing of it")
    let setUp = told.first?["setup"]
    #expect(setUp?["systemInstruction"] == ["parts": [["text": "Classify."]]])
    #expect(setUp?["generationConfig"]?["responseModalities"] == ["AUDIO"])
    #expect(told.last?["clientContent"] == ["turns": Call.turns(("user", "I am fine.")), "turnComplete": true])
    #expect(call.session.session.instructions.isEmpty, "it is the response's alone")
  }

  @Test("gemini 5.5: its answer is of no conversation: no item is added, and the line is closed")
  func answers() throws {
    var (call, line, _, _) = try Self.asked()
    let words = call.side(line, Call.audio) + call.side(line, Call.said("Good mood."))
    #expect(
      words.types == ["response.output_item.added", "response.content_part.added", "response.output_text.delta"])
    let end = call.side(line, Call.complete) + call.side(line, Call.end)
    #expect(end.response?["status"] == "completed" && end.response?["metadata"] == ["topic": "mood"])
    #expect(end.response?["output"]?[0]?["content"]?[0]?["text"] == "Good mood.")
    #expect(end.response?["usage"]?["input_tokens"] == 7)
    #expect(end.actions.contains(.closeSide(line)))
    #expect(!call.history.contains { $0["type"]?.string?.hasPrefix("conversation.item") == true })
    #expect(EventInvariants.violations(in: call.history, isComplete: true) == [])
  }

  @Test("gemini 5.5: it goes on beside a response of the conversation, and several beside each other, up to four")
  func several() throws {
    var (call, line, _, _) = try Self.asked()
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let second = call.client(Self.ask)
    #expect(second.error == nil && second.dialledSide != nil && second.dialledSide != line)
    _ = call.client(Self.ask)
    _ = call.client(Self.ask)
    let fifth = call.client(Self.ask)
    #expect(fifth.error?["code"] == "too_much_held" && fifth.dialledSide == nil)
    _ = call.side(line, Call.said("Good."))
    #expect(call.upstream(Call.audio).types == ["response.output_audio.delta"])
    #expect(call.side(line, #"{"serverContent":{"turnComplete":true}}"#).response?["status"] == "completed")
    #expect(EventInvariants.violations(in: call.history, isComplete: false) == [])
  }

  @Test("gemini 5.5: without input it is told the conversation; with references, the items they name")
  func input() throws {
    var call = Call.ready()
    _ = call.client(Call.text("My name is Ada.", id: "u1"))
    _ = call.client(Call.create)
    _ = call.answer()
    var step = call.client(Call.create(#""conversation":"none""#))
    var line = try #require(step.dialledSide)
    _ = call.sideOpens(line)
    #expect(
      call.side(line, Call.setupComplete).sent(on: line).first?["clientContent"]?["turns"]
        == Call.turns(("user", "My name is Ada."), ("model", "Yes.")))
    step = call.client(Call.create(#""conversation":"none","input":[{"type":"item_reference","id":"u1"}]"#))
    line = try #require(step.dialledSide)
    _ = call.sideOpens(line)
    #expect(
      call.side(line, Call.setupComplete).sent(on: line).first?["clientContent"]?["turns"]
        == Call.turns(("user", "My name is Ada.")))
    let unknown = call.client(Call.create(#""conversation":"none","input":[{"type":"item_reference","id":"u9"}]"#))
    #expect(unknown.error?["param"] == "response.input[0].id" && unknown.dialledSide == nil)
  }

  @Test(
    "gemini 5.5: overrides that a response of the conversation cannot have are its own here: voice, tokens, tools, format"
  )
  func overrides() throws {
    var (call, line, _, told) = try Self.asked(
      Call.create(
        #""conversation":"none","input":[],"max_output_tokens":50,"tools":[{"type":"function","name":"f"}],"audio":{"output":{"voice":"Puck","format":{"type":"audio/pcmu"}}}"#
      ))
    let generation = told.first?["setup"]?["generationConfig"]
    #expect(generation?["maxOutputTokens"] == 50)
    #expect(generation?["speechConfig"]?["voiceConfig"]?["prebuiltVoiceConfig"]?["voiceName"] == "Puck")
    #expect(told.first?["setup"]?["tools"]?[0]?["functionDeclarations"]?[0]?["name"] == "f")
    #expect(told.last == ["clientContent": ["turns": [], "turnComplete": true]], "no context at all")
    let speech =
      call.side(line, Call.speech(ms: 100)) + call.side(line, Call.complete)
      + call.side(line, #"{"serverContent":{"turnComplete":true}}"#)
    let base64 = speech.events.compactMap { $0["type"] == "response.output_audio.delta" ? $0["delta"]?.string : nil }
    #expect(base64.joined().utf8.count >= 800 * 4 / 3, "8 kHz, a byte a sample")
  }

  @Test("gemini 5.5: a call made beside the conversation ends the response; nobody waits for its result")
  func calls() throws {
    var (call, line, _, _) = try Self.asked(
      Call.create(#""conversation":"none","tools":[{"type":"function","name":"get_weather"}]"#))
    let step = call.side(line, Call.calls(Call.called("a")))
    #expect(step.event("response.function_call_arguments.done")?["call_id"] == "a")
    #expect(step.response?["status"] == "completed" && step.actions.contains(.closeSide(line)))
    #expect(call.client(Call.create).upstream.first?["clientContent"] != nil, "the conversation is not held up")
  }

  @Test("gemini 5.5: response.cancel by id ends it alone")
  func cancel() throws {
    var (call, line, first, _) = try Self.asked()
    let id = first.events.first?["response"]?["id"]?.string ?? ""
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    let step = call.client(#"{"type":"response.cancel","response_id":"\#(id)"}"#)
    #expect(step.response?["id"]?.string == id && step.response?["status"] == "cancelled")
    #expect(step.actions.contains(.closeSide(line)) && step.upstream.isEmpty)
    #expect(call.upstream(Call.audio).types == ["response.output_audio.delta"])
  }

  @Test(
    "gemini 5.5: a line that cannot be had, breaks its protocol, or is silent for 15 s fails the response and nothing else"
  )
  func failures() throws {
    var (refused, first, _, _) = try Self.asked()
    var step = refused.sideEnds(first, .refused(status: 429, retryAfterSeconds: nil))
    #expect(step.response?["status"] == "failed" && step.clientCloseCode == nil)
    var (broken, second, _, _) = try Self.asked()
    step = broken.side(second, "{")
    #expect(step.response?["status_details"]?["error"]?["code"] == "upstream_protocol_error")
    var (silent, third, _, _) = try Self.asked()
    step = silent.wait(.seconds(15))
    #expect(step.response?["status_details"]?["error"]?["code"] == "upstream_timeout")
    #expect(step.actions.contains(.closeSide(third)) && step.clientCloseCode == nil)
    #expect(silent.client(Call.create).error == nil)
  }

  @Test("gemini 5.5: on 3.1 the input but for the user's last words is announced history")
  func flash31() throws {
    let items = [Call.text("I am Ada."), Call.text("Hello, Ada.", role: "assistant"), Call.text("Who am I?")]
      .compactMap { try? JSONValue(parsing: $0)["item"] }
    let (_, _, _, told) = try Self.asked(
      Call.create(#""conversation":"none","input":\#(JSONValue.array(items).text)"#), Call.flash31)
    #expect(told.first?["setup"]?["historyConfig"] == ["initialHistoryInClientContent": true])
    #expect(
      Array(told.dropFirst()) == [
        [
          "clientContent": [
            "turns": Call.turns(("user", "I am Ada."), ("model", "Hello, Ada.")), "turnComplete": true,
          ]
        ], ["realtimeInput": ["text": "Who am I?"]],
      ])
  }

  @Test("gemini 6.3: a model that thinks on says itself when a response beside the conversation has ended")
  func thinksOn() throws {
    var (call, line, _, _) = try Self.asked(Self.ask, GeminiCall.thinking38)
    _ = call.side(line, Call.said("Good"))
    let goesOn = call.side(line, #"{"serverContent":{"turnComplete":true,"interactionStatus":"IN_PROGRESS"}}"#)
    #expect(goesOn.response == nil && !goesOn.actions.contains(.closeSide(line)))
    _ = call.side(line, Call.said(" mood."))
    let end = call.side(line, #"{"serverContent":{"turnComplete":true,"interactionStatus":"IDLE"}}"#)
    #expect(end.response?["status"] == "completed" && end.actions.contains(.closeSide(line)))
    #expect(end.response?["output"]?[0]?["content"]?[0]?["text"] == "Good mood.")
  }
}
