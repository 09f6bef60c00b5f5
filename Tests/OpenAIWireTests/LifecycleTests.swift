import Envelope
import OpenAIWire
import ParleyTesting
import Testing

/// What a provider leaves out of a sequence is told; what it says too often or too late is not.
@Suite struct LifecycleTests {
  static func position(_ type: String, _ fields: String, item: String = "i", response: String = "r") -> String {
    #"{"type":"response.\#(type)","response_id":"\#(response)","item_id":"\#(item)","output_index":0,"#
      + #""content_index":0\#(fields)}"#
  }

  static func done(_ id: String, _ fields: String = #","status":"completed""#) -> String {
    #"{"type":"response.done","response":{"id":"\#(id)"\#(fields)}}"#
  }

  @Test("a delta alone makes a whole response of it")
  func fromNothing() throws {
    var call = MendingCall.completing()
    let told = try call.tell(
      Self.position("output_audio.delta", #","delta":"AAAA""#),
      Self.position("output_audio_transcript.delta", #","delta":"Hi""#), Self.done("r"))
    #expect(
      told.types == [
        "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
        "response.output_audio.delta", "response.output_audio_transcript.delta", "response.output_audio.done",
        "response.output_audio_transcript.done", "response.content_part.done", "conversation.item.done",
        "response.output_item.done", "response.done",
      ])
    #expect(told[9]["item"]?["content"] == [["type": "output_audio", "transcript": "Hi"]])
    #expect(told[11]["response"]?["output"]?[0] == told[9]["item"])
    #expect(told[11]["response"]?["conversation_id"] == told[0]["response"]?["conversation_id"])
    #expect(told[0]["response"]?["audio"]?["output"]?["voice"] == "alloy")
    #expect(call.invariants.violations == [] && !told.contains { ServerFixtures.isInvalid($0) })
  }

  @Test("a written answer is closed with its text")
  func text() throws {
    var call = MendingCall.completing()
    call.session.outputModalities = [.text]
    let told = try call.tell(Self.position("text.delta", #","delta":"Hi""#), Self.done("r"))
    #expect(
      told.types.suffix(5) == [
        "response.output_text.done", "response.content_part.done", "conversation.item.done",
        "response.output_item.done", "response.done",
      ])
    #expect(told.first("response.output_text.done")?["text"] == "Hi")
    #expect(told[0]["response"]?["output_modalities"] == ["text"])
    #expect(call.invariants.violations == [])
  }

  @Test("a part that is ended before its speech waits for it")
  func partBeforeSpeech() throws {
    var call = MendingCall.completing()
    let told = try call.tell(
      Self.position("output_audio.delta", #","delta":"AAAA""#),
      Self.position("output_audio_transcript.done", #","transcript":"Hi""#), Self.position("content_part.done", ""),
      Self.position("output_audio.delta", #","delta":"AAAA""#), Self.position("output_audio.done", ""))
    #expect(
      told.types.suffix(5) == [
        "response.output_audio_transcript.delta", "response.output_audio_transcript.done",
        "response.output_audio.delta", "response.output_audio.done", "response.content_part.done",
      ])
    #expect(told.last?["part"] == ["type": "audio", "transcript": "Hi"])
  }

  @Test("nothing of a response after its response.done, which comes once")
  func late() throws {
    var call = MendingCall.completing()
    _ = try call.tell(Self.position("output_audio.delta", #","delta":"AAAA""#), Self.done("r"))
    let late = try call.tell(
      Self.done("r"), Self.position("output_audio.delta", #","delta":"AAAA""#),
      Self.position("content_part.done", #","part":{"type":"audio","transcript":"x"}"#),
      #"{"type":"response.created","response":{"id":"r"}}"#,
      #"{"type":"response.output_item.done","response_id":"r","item":{"id":"i","type":"message","role":"assistant"}}"#,
      #"{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"assistant"}}"#)
    #expect(late.isEmpty && !call.mender.isMidTurn)
  }

  @Test("another response of the conversation ends the one that was abandoned; one beside it does not")
  func abandoned() throws {
    var call = MendingCall.completing()
    _ = try call.tell(Self.position("output_audio.delta", #","delta":"AAAA""#))
    let side = try call.tell(#"{"type":"response.created","response":{"id":"s","conversation_id":null}}"#)
    #expect(side.types == ["response.created"] && call.mender.openResponseIDs == ["r", "s"])
    let told = try call.tell(#"{"type":"response.created","response":{"id":"r2"}}"#)
    #expect(told.types.suffix(3) == ["response.output_item.done", "response.done", "response.created"])
    let ended = told.first("response.done")?["response"]
    #expect(ended?["status"] == "cancelled" && ended?["status_details"]?["reason"] == "turn_detected")
    #expect(ended?["output"]?[0]?["status"] == "incomplete")
    call.mender.cancelAsked(responseID: nil)
    let next = try call.tell(#"{"type":"response.created","response":{"id":"r3"}}"#)
    #expect(next.first("response.done")?["response"]?["status_details"]?["reason"] == "client_cancelled")
    #expect(call.mender.openResponseIDs == ["s", "r3"] && call.invariants.violations == [])
  }

  @Test("the items of a response beside the conversation are not the conversation's")
  func beside() throws {
    var call = MendingCall.completing()
    let told = try call.tell(
      #"{"type":"response.created","response":{"id":"r","conversation_id":null}}"#,
      Self.position("output_text.delta", #","delta":"Hi""#),
      #"{"type":"conversation.item.added","item":{"id":"i","type":"message","role":"assistant"}}"#, Self.done("r"))
    #expect(!told.types.contains { $0.hasPrefix("conversation.") })
    #expect(told.last?["response"]?["conversation_id"] == .null && call.invariants.violations == [])
  }

  @Test("a cancelled response says no more, and ends as cancelled")
  func cancelled() throws {
    var call = MendingCall.completing()
    _ = try call.tell(Self.position("output_audio_transcript.delta", #","delta":"Hi""#))
    call.mender.cancelAsked(responseID: "r")
    let told = try call.tell(
      Self.position("output_audio_transcript.delta", #","delta":" there""#),
      Self.position("output_audio.delta", #","delta":"AAAA""#), Self.done("r", #","status":"cancelled""#))
    #expect(
      told.types == [
        "response.output_audio.done", "response.output_audio_transcript.done", "response.content_part.done",
        "conversation.item.done", "response.output_item.done", "response.done",
      ])
    #expect(told[1]["transcript"] == "Hi")
    #expect(told[5]["response"]?["status_details"] == ["type": "cancelled", "reason": "client_cancelled"])
    #expect(told[5]["response"]?["output"]?[0]?["status"] == "incomplete")
  }

  @Test("a cancelled response that the provider never ends can be ended; one that goes on cannot")
  func cancelledInVain() throws {
    var call = MendingCall.completing()
    _ = try call.tell(Self.position("output_audio_transcript.delta", #","delta":"Hi""#))
    let early = call.mender.endCancelled()
    call.mender.cancelAsked(responseID: nil)
    let told = call.mender.endCancelled()
    #expect(early.isEmpty && told.types.last == "response.done" && !call.mender.isMidTurn)
    #expect(told.last?["response"]?["status_details"] == ["type": "cancelled", "reason": "client_cancelled"])
    let late = try call.tell(Self.done("r", #","status":"cancelled""#))
    #expect(late.isEmpty)
  }

  @Test("an interruption has one name, whatever the provider calls it")
  func interruption() throws {
    var call = MendingCall.completing()
    let told = try call.tell(
      #"{"type":"response.created","response":{"id":"r"}}"#,
      Self.done("r", #","status":"incomplete","status_details":{"type":"incomplete","reason":"turn_detected"}"#))
    #expect(told[1]["response"]?["status"] == "cancelled")
    #expect(told[1]["response"]?["status_details"] == ["type": "cancelled", "reason": "turn_detected"])
  }

  @Test("metadata comes back in response.created and response.done, in order of asking")
  func metadata() throws {
    var call = MendingCall.completing()
    call.mender.asked(metadata: ["client_event_id": "1"], modalities: nil)
    call.mender.asked(metadata: ["client_event_id": "2"], modalities: [.text])
    call.mender.asked(metadata: nil, modalities: nil)
    var shown: [JSONValue?] = []
    for id in ["a", "b", "c"] {
      let told = try call.tell(
        #"{"type":"response.created","response":{"id":"\#(id)"}}"#,
        Self.done(id, #","status":"completed","metadata":null"#))
      shown += told.map { $0["response"]?["metadata"] }
      #expect(told[1]["response"]?["output_modalities"] == (id == "b" ? ["text"] : ["audio"]))
    }
    #expect(
      shown == [
        ["client_event_id": "1"], ["client_event_id": "1"], ["client_event_id": "2"], ["client_event_id": "2"], .null,
        .null,
      ])
    call.mender.asked(metadata: ["client_event_id": "4"], modalities: nil)
    call.mender.askedInVain()
    let own = try call.tell(#"{"type":"response.created","response":{"id":"d"}}"#)
    #expect(own[0]["response"]?["metadata"] == .null)
  }

  @Test("items that a provider only adds are done, once; those that it adds twice are added once")
  func items() throws {
    var call = MendingCall.completing()
    let item =
      #"{"id":"u","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"Hi"}]}"#
    let told = try call.tell(
      #"{"type":"conversation.item.added","previous_item_id":null,"item":\#(item)}"#,
      #"{"type":"conversation.item.added","previous_item_id":null,"item":\#(item)}"#,
      #"{"type":"conversation.item.done","previous_item_id":null,"item":\#(item)}"#,
      #"{"type":"conversation.item.deleted","item_id":""}"#, #"{"type":"conversation.item.deleted","item_id":"u"}"#,
      #"{"type":"conversation.item.done","previous_item_id":null,"item":\#(item)}"#)
    #expect(
      told.types == [
        "conversation.item.added", "conversation.item.done", "conversation.item.deleted", "conversation.item.added",
        "conversation.item.done",
      ])
    #expect(told[0]["item"] == told[1]["item"] && call.invariants.violations == [])
  }

  @Test("an item of a response that is announced before it is added, is added first")
  func announcedEarly() throws {
    var call = MendingCall.completing()
    let item = #"{"id":"i","type":"message","status":"in_progress","role":"assistant","content":[]}"#
    let told = try call.tell(
      #"{"type":"conversation.item.added","previous_item_id":null,"item":\#(item)}"#,
      #"{"type":"response.created","response":{"id":"r"}}"#,
      #"{"type":"conversation.item.added","previous_item_id":null,"item":\#(item)}"#,
      #"{"type":"response.output_item.added","response_id":"r","output_index":0,"item":\#(item)}"#)
    #expect(told.types == ["response.created", "response.output_item.added", "conversation.item.added"])
  }

  @Test("the user's audio is committed before its item and its transcript")
  func committed() throws {
    var call = MendingCall.completing()
    let recording = try call.tell(
      #"""
      {"type":"conversation.item.added","item":{"id":"recording","type":"message","role":"user","status":"completed",
      "content":[{"type":"input_audio"}]}}
      """#)
    #expect(recording.types == ["conversation.item.added", "conversation.item.done"])
    call.mender.heardAudio(milliseconds: 20)
    let told = try call.tell(
      #"""
      {"type":"conversation.item.created","item":{"id":"u","type":"message","role":"user","status":"completed",
      "content":[{"type":"input_audio"}]}}
      """#,
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"v","transcript":"Hi"}"#,
      #"{"type":"input_audio_buffer.committed","item_id":"v"}"#)
    #expect(
      told.types == [
        "input_audio_buffer.committed", "conversation.item.added", "conversation.item.done",
        "input_audio_buffer.committed", "conversation.item.input_audio_transcription.completed",
      ])
    #expect(told[1]["item"]?["content"]?[0]?["transcript"] == .null && told[3]["previous_item_id"] == "u")
    #expect(call.invariants.violations == [])
  }

  @Test("speech that stops before it starts is not told; ids that are left out are those of the turn")
  func speech() throws {
    var call = MendingCall.completing()
    let told = try call.tell(
      #"{"type":"input_audio_buffer.speech_stopped","item_id":"x","audio_end_ms":1}"#,
      #"{"type":"input_audio_buffer.speech_started","audio_start_ms":10.4}"#,
      #"{"type":"input_audio_buffer.speech_stopped","audio_end_ms":2010.4}"#,
      #"{"type":"input_audio_buffer.committed"}"#)
    #expect(told.types.map { $0.split(separator: ".").last } == ["speech_started", "speech_stopped", "committed"])
    #expect(Set(told.map { $0["item_id"]?.string }).count == 1 && told[0]["audio_start_ms"] == 10)
    let id = try #require(told[0]["item_id"]?.string)
    let transcript = try call.tell(
      #"{"type":"conversation.item.input_audio_transcription.completed","item_id":"\#(id)","transcript":"Hi"}"#)
    #expect(transcript[0]["usage"] == ["type": "duration", "seconds": 2])
    #expect(call.invariants.violations == [])
  }

  @Test("R205-R210: usage is estimated where none comes, and adds up")
  func usage() throws {
    var call = MendingCall.completing()
    call.mender.heardAudio(milliseconds: 1500)
    call.mender.heardAudio(milliseconds: 510)
    let told = try call.tell(
      #"""
      {"type":"conversation.item.added","item":{"id":"u","type":"message","role":"user",
      "content":[{"type":"input_text","text":"Hello"}]}}
      """#, Self.position("output_audio_transcript.delta", #","delta":"abcdefghi""#), Self.done("r"))
    let usage = try #require(told.last?["response"]?["usage"])
    #expect(usage["input_token_details"]?["audio_tokens"] == 21 && usage["input_token_details"]?["text_tokens"] == 2)
    #expect(usage["input_token_details"]?["cached_tokens"] == 0)
    #expect(usage["output_token_details"] == ["text_tokens": 3, "audio_tokens": 0])
    #expect(usage["input_tokens"] == 23 && usage["output_tokens"] == 3 && usage["total_tokens"] == 26)
    let next = try call.tell(Self.done("r2"))
    #expect(next.last?["response"]?["usage"]?["total_tokens"] == 0)
  }

  @Test("a native mender adds nothing and keeps nothing back")
  func native() throws {
    var call = MendingCall(MendingRules())
    let told = try call.tell(
      Self.position("output_audio.delta", #","delta":"AAAA""#),
      Self.position("output_audio_transcript.done", #","transcript":"Hi""#),
      Self.position("output_audio_transcript.done", #","transcript":"Hi""#))
    #expect(told.types.count == 3)
  }
}
