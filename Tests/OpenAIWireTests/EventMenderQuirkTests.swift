import Envelope
import OpenAIWire
import ParleyTesting
import Testing

/// What is known of the single services, quirk by quirk.
@Suite struct EventMenderQuirkTests {
  private static func position(_ type: String, _ fields: String, index: Int = 0) -> String {
    LifecycleTests.position(type, fields).replacing(#""content_index":0"#, with: #""content_index":\#(index)"#)
  }

  // MARK: Inworld

  private static func inworld() -> MendingCall {
    .completing {
      $0.dropped = ["ping"]
      $0.repeatsTextInAudio = true
      $0.cumulativeTranscripts = ["conversation.item.input_audio_transcription.updated"]
    }
  }

  private static let call = #"""
    {"id":"i2","type":"function_call","status":"in_progress","name":"get_horoscope","call_id":"call_9","arguments":""}
    """#

  @Test("R263, R277: the end of a call bears its name, from the item that was announced")
  func callWithoutName() throws {
    var inworld = Self.inworld()
    let told = try inworld.tell(
      #"{"type":"response.created","response":{"id":"r1"}}"#,
      #"{"type":"response.output_item.added","response_id":"r1","output_index":0,"item":\#(Self.call)}"#,
      #"""
      {"type":"response.function_call_arguments.done","response_id":"r1","item_id":"i2","call_id":"call_9",
      "arguments":"{\"sign\":\"Aries\"}"}
      """#)
    #expect(
      told.types.suffix(3) == [
        "conversation.item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
      ])
    let done = try #require(told.last)
    #expect(done["name"] == "get_horoscope" && done["output_index"] == 0 && done["call_id"] == "call_9")
    #expect(done["arguments"] == #"{"sign":"Aries"}"#)
    // R189: there is always a delta.
    #expect(told[3]["delta"] == done["arguments"])
  }

  @Test("R191, R205-R210: usage beside the response is moved into it, and its breakdown is filled in")
  func usageBeside() throws {
    var inworld = Self.inworld()
    let told = try inworld.tell(
      #"{"type":"response.created","response":{"id":"r1"}}"#,
      #"""
      {"type":"response.done","response":{"id":"r1","object":"realtime.response","status":"completed","output":[]},
      "usage":{"total_tokens":90,"input_tokens":60,"output_tokens":30}}
      """#)
    let done = try #require(told.last)
    #expect(done["usage"] == nil)
    let usage = done["response"]?["usage"]
    #expect(usage?["total_tokens"] == 90 && usage?["input_tokens"] == 60 && usage?["output_tokens"] == 30)
    #expect(
      usage?["input_token_details"] == ["text_tokens": 0, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0])
    #expect(usage?["output_token_details"] == ["text_tokens": 0, "audio_tokens": 0])
  }

  @Test("the same words as text and as transcript are told once, whichever comes first")
  func wordsTwice() throws {
    for kinds in [["output_text", "output_audio_transcript"], ["output_audio_transcript", "output_text"]] {
      var inworld = Self.inworld()
      let told = try inworld.tell(
        lines: kinds.map { Self.position("\($0).delta", #","delta":"Hi""#) } + [
          Self.position("output_audio.delta", #","delta":"AAAA""#),
          Self.position("output_text.done", #","text":"Hi""#),
          Self.position("output_audio_transcript.done", #","transcript":"Hi""#), LifecycleTests.done("r"),
        ])
      #expect(told.all("response.output_audio_transcript.delta").map { $0["delta"] } == ["Hi"])
      #expect(!told.types.contains { $0.hasPrefix("response.output_text") })
      #expect(told.last?["response"]?["output"]?[0]?["content"] == [["type": "output_audio", "transcript": "Hi"]])
      #expect(inworld.invariants.violations == [])
    }
  }

  @Test("in a written answer the first kind of words wins")
  func wordsTwiceWritten() throws {
    for kinds in [["output_text", "output_audio_transcript"], ["output_audio_transcript", "output_text"]] {
      var inworld = Self.inworld()
      inworld.mender.asked(metadata: nil, modalities: [.text])
      let told = try inworld.tell(
        lines: kinds.map { Self.position("\($0).delta", #","delta":"\#($0)""#) } + [LifecycleTests.done("r")])
      #expect(told.all("response.output_text.delta").map { $0["delta"]?.string } == [kinds[0]])
      #expect(told.first("response.output_text.done")?["text"]?.string == kinds[0])
    }
  }

  @Test("text stands in for a transcript that never comes")
  func textOnly() throws {
    var inworld = Self.inworld()
    let told = try inworld.tell(
      Self.position("output_text.delta", #","delta":"Hi""#), Self.position("output_audio.delta", #","delta":"AAAA""#),
      LifecycleTests.done("r"))
    #expect(told.first("response.output_audio_transcript.delta")?["delta"] == "Hi")
    #expect(told.first("response.output_audio_transcript.done")?["transcript"] == "Hi")
  }

  @Test("a transcript that grows is told as deltas, and ends once")
  func growingTranscript() throws {
    var inworld = Self.inworld()
    func event(_ end: String, _ text: String, _ more: String = "") -> String {
      #"{"type":"conversation.item.input_audio_transcription.\#(end)","item_id":"u","transcript":"\#(text)"\#(more)}"#
    }
    let told = try inworld.tell(
      #"{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null}"#,
      event("updated", "Good"), event("updated", "Good mor"), event("updated", "Good"), event("updated", "Wood"),
      event("completed", "Good morning", #","status":"in_progress""#),
      event("completed", "Good morning!", #","status":"completed""#), event("completed", "Good morning to you"),
      event("updated", "Good morning to you"))
    #expect(told.dropFirst().dropLast().map { $0["delta"] } == ["Good", " mor", "ning"])
    #expect(told.last?["transcript"] == "Good morning!" && told.count == 5)
    #expect(inworld.invariants.violations == [])
  }

  // MARK: xAI

  private static func xai() -> MendingCall {
    .completing {
      $0.dropped = ["ping"]
      $0.speaksInTextMode = true
      $0.cumulativeTranscripts = ["conversation.item.input_audio_transcription.updated"]
    }
  }

  @Test(
    "a status in a bare word, and usage without anything in it",
    arguments: [
      ("completed", "completed", .null), ("completed", "unimplemented", .null),
      ("cancelled", "cancelled", ["type": "cancelled", "reason": "turn_detected"]),
      ("failed", "failed", ["type": "failed"]),
    ] as [(String, String, JSONValue)])
  func bareStatus(_ status: String, _ word: String, _ details: JSONValue) throws {
    var xai = Self.xai()
    let told = try xai.tell(
      LifecycleTests.done("r", #","status":"\#(status)","status_details":"\#(word)","usage":{}"#))
    #expect(told.types == ["response.created", "response.done"])
    #expect(told[1]["response"]?["status_details"] == details)
    #expect(told[1]["response"]?["usage"]?["total_tokens"] == 0)
    #expect(told[0]["response"]?["conversation_id"]?.string?.hasPrefix("conv_") == true)
  }

  @Test("a call with a role, told twice, in the place of the message before it")
  func callWithRole() throws {
    var xai = Self.xai()
    let item = Self.call.replacing(#""status""#, with: #""role":"tool","status""#)
    let told = try xai.tell(
      Self.position("output_audio_transcript.delta", #","delta":"Well.""#),
      #"{"type":"response.output_item.added","response_id":"r","output_index":0,"item":\#(item)}"#,
      #"{"type":"conversation.item.added","previous_item_id":null,"item":\#(item)}"#,
      #"{"type":"conversation.item.added","previous_item_id":"nobody","item":\#(item)}"#,
      #"""
      {"type":"response.function_call_arguments.done","name":"get_horoscope","call_id":"call_9","arguments":"{}"}
      """#)
    let added = told.all("conversation.item.added")
    #expect(added.count == 2 && added[1]["previous_item_id"] == "i" && added[1]["item"]?["role"] == nil)
    #expect(told.all("response.output_item.added").map { $0["output_index"] } == [0, 1])
    #expect(told.last?["response_id"] == "r" && told.last?["item_id"] == "i2" && told.last?["output_index"] == 1)
    #expect(xai.invariants.violations == [])
  }

  @Test("R217: a written answer that is spoken all the same is told as text")
  func spokenText() throws {
    var xai = Self.xai()
    xai.mender.asked(metadata: nil, modalities: [.text])
    let told = try xai.tell(
      #"{"type":"response.created","response":{"id":"r","output_modalities":["audio"]}}"#,
      Self.position("content_part.added", #","part":{"type":"audio","transcript":""}"#),
      Self.position("output_audio.delta", #","delta":"AAAA""#),
      Self.position("output_audio_transcript.delta", #","delta":"Hi""#),
      Self.position("output_audio_transcript.done", #","transcript":"Hi""#),
      Self.position("content_part.done", #","part":{"type":"audio","transcript":"Hi"}"#),
      Self.position("output_audio.done", ""),
      #"""
      {"type":"response.done","response":{"id":"r","status":"completed","output":[{"id":"i","type":"message",
      "role":"assistant","status":"completed","content":[{"type":"audio","transcript":"Hi"}]}]}}
      """#)
    #expect(
      told.types == [
        "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done", "response.done",
      ])
    #expect(told[0]["response"]?["output_modalities"] == ["text"] && told[3]["part"] == ["type": "text", "text": ""])
    #expect(told[5]["text"] == "Hi" && told[5]["transcript"] == nil)
    #expect(told[6]["part"] == ["type": "text", "text": "Hi"])
    #expect(told[9]["response"]?["output"]?[0]?["content"] == [["type": "output_text", "text": "Hi"]])
    #expect(told[9]["response"]?["output_modalities"] == ["text"])
    #expect(xai.invariants.violations == [] && !told.contains { ServerFixtures.isInvalid($0) })
  }

  @Test("scripted speech is a message of the assistant")
  func forcedMessage() throws {
    var xai = Self.xai()
    let told = try xai.tell(
      #"""
      {"type":"response.output_item.done","response_id":"r","output_index":0,"item":{"id":"i","type":"force_message",
      "content":[{"type":"output_text","text":"Hi"}]}}
      """#)
    #expect(told.last?["item"]?["role"] == "assistant" && told.last?["item"]?["type"] == "message")
    #expect(told.first("response.output_text.delta")?["delta"] == "Hi" && xai.invariants.violations == [])
  }

  @Test("R268: several calls at once, each with its own end, though only the response tells of one of them")
  func severalCalls() throws {
    var xai = Self.xai()
    let second = Self.call.replacing("i2", with: "i3").replacing("call_9", with: "call_10")
      .replacing(#""arguments":"""#, with: #""arguments":"{\"b\":2}""#)
    let told = try xai.tell(
      #"{"type":"response.created","response":{"id":"r"}}"#,
      #"""
      {"type":"response.function_call_arguments.done","response_id":"r","item_id":"i2","call_id":"call_9","name":"f",
      "arguments":"{\"a\":1}"}
      """#,
      #"{"type":"response.done","response":{"id":"r","status":"completed","output":[\#(second)]}}"#)
    let ends = told.all("response.function_call_arguments.done")
    #expect(ends.map { $0["call_id"] } == ["call_9", "call_10"])
    #expect(ends.map { $0["arguments"] } == [#"{"a":1}"#, #"{"b":2}"#])
    let items = told.all("response.output_item.done").map { $0["item"] }
    #expect(items.map { $0?["status"] } == ["completed", "completed"] && xai.invariants.violations == [])
    #expect(told.last?["response"]?["output"]?.array?.count == 2)
  }

  // MARK: vowel

  private static func vowel() -> MendingCall {
    .completing {
      $0.dropped = ["session.hibernate"]
      $0.speaksInTextMode = true
      $0.repeatsTextInAudio = true
      $0.callsComeWhole = true
    }
  }

  @Test("R189, R263: a call that comes whole is told in pieces, and is the client's to answer")
  func wholeCall() throws {
    var vowel = Self.vowel()
    let told = try vowel.tell(
      #"{"type":"response.created","response":{"id":"r","status":"in_progress"}}"#,
      #"""
      {"type":"response.output_item.added","response_id":"r","output_index":1,"item":{"id":"f","type":"function_call",
      "status":"completed","call_id":"c1","name":"f","arguments":"{\"a\":1}"}}
      """#,
      #"{"type":"response.done","response":{"id":"r","status":"completed","output":[],"usage":null}}"#)
    #expect(
      told.types == [
        "response.created", "response.output_item.added", "conversation.item.added",
        "response.function_call_arguments.delta", "response.function_call_arguments.done", "conversation.item.done",
        "response.output_item.done", "response.done",
      ])
    #expect(told[1]["item"]?["status"] == "in_progress" && told[1]["item"]?["arguments"] == "")
    #expect(told[3]["delta"] == #"{"a":1}"# && told[4]["name"] == "f" && told[6]["item"]?["status"] == "completed")
    #expect(told[7]["response"]?["output"]?[0] == told[6]["item"])
    #expect(vowel.invariants.violations == [])
  }

  @Test("text while speech is on is dropped, and the speech is the first part of its item")
  func textBesideSpeech() throws {
    var vowel = Self.vowel()
    let told = try vowel.tell(
      Self.position("content_part.added", #","part":{"type":"text","text":""}"#),
      Self.position("text.delta", #","delta":"Hi""#), Self.position("text.done", #","text":"Hi""#),
      Self.position("output_audio.delta", #","delta":"AAAA""#, index: 1),
      Self.position("output_audio_transcript.delta", #","delta":"Hi""#, index: 1),
      Self.position("output_audio.done", "", index: 1),
      #"{"type":"response.done","response":{"id":"r","status":"completed","usage":null}}"#)
    #expect(!told.types.contains { $0.hasPrefix("response.output_text") })
    #expect(told.all("response.content_part.added").count == 1)
    #expect(told.first("response.output_audio.delta")?["content_index"] == 0)
    #expect(told.first("response.output_audio_transcript.done")?["transcript"] == "Hi")
    #expect(told.last?["response"]?["usage"]?["total_tokens"] != nil && vowel.invariants.violations == [])
  }

  @Test("text where text was asked for is told, and an item is done when it is added")
  func vowelText() throws {
    var vowel = Self.vowel()
    vowel.session.outputModalities = [.text]
    let told = try vowel.tell(
      #"{"type":"session.hibernate"}"#,
      #"""
      {"type":"conversation.item.created","item":{"id":"u","type":"message","role":"user","status":"completed",
      "content":[{"type":"input_text","text":"Hi"}]}}
      """#,
      Self.position("text.delta", #","delta":"Hello""#), LifecycleTests.done("r"))
    #expect(told.types.prefix(2) == ["conversation.item.added", "conversation.item.done"])
    #expect(told.first("response.output_text.delta")?["delta"] == "Hello" && vowel.invariants.violations == [])
  }
}
