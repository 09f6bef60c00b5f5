import Envelope
import NIOCore
import OpenAIWire
import ParleyTesting
import Testing
import Translation

@Suite struct EventMenderTests {
  @Test("R283: every event of the vocabulary goes through a native mender untouched")
  func nativeFixtures() throws {
    var call = MendingCall(MendingRules())
    for (name, event) in try ServerFixtures.load() where !name.hasPrefix("session.") && name != "error" {
      let isUntouched = call.isUntouched(event)
      #expect(isUntouched, "\(name)")
    }
  }

  @Test("every event of the vocabulary goes through a completing mender untouched where it is legal")
  func completedFixtures() throws {
    let fixtures = try ServerFixtures.load()
    let order = [
      "conversation.created", "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped",
      "input_audio_buffer.committed", "conversation.item.input_audio_transcription.delta",
      "conversation.item.input_audio_transcription.segment",
      "conversation.item.input_audio_transcription.completed", "response.created", "response.output_item.added",
      "conversation.item.added", "response.content_part.added", "response.output_audio_transcript.delta",
      "response.output_audio.delta", "response.output_audio.done", "response.output_audio_transcript.done",
      "response.content_part.done", "conversation.item.done", "conversation.item.retrieved",
      "conversation.item.truncated", "output_audio_buffer.started", "output_audio_buffer.stopped",
      "output_audio_buffer.cleared", "rate_limits.updated", "input_audio_buffer.cleared",
      "input_audio_buffer.dtmf_event_received", "mcp_list_tools.in_progress", "mcp_list_tools.completed",
      "mcp_list_tools.failed", "conversation.item.deleted",
    ]
    var call = MendingCall.completing()
    // The user's item is told with its end; it makes the assistant's `previous_item_id` known.
    for name in order {
      if name == "response.created" { _ = call.tell(try #require(fixtures["conversation.item.created"])) }
      let isUntouched = call.isUntouched(try #require(fixtures[name]))
      #expect(isUntouched, "\(name)")
    }
    // A response whose item the fixtures end differently.
    let done = call.tell(try #require(fixtures["response.done"]))
    #expect(done.types == ["response.output_item.done", "response.done"])
    #expect(done.last == fixtures["response.done"])
  }

  @Test("Q19: foreign types are dropped, go unchanged where the client opted in, and cross a native mender")
  func foreignTypes() throws {
    let suggestion = try MendingCall.object(#"{"type":"input_audio_buffer.turn_suggestion","item_id":"i"}"#)
    let ping = try MendingCall.object(#"{"type":"ping","timestamp":1}"#)
    var call = MendingCall.completing { $0.dropped = ["ping"] }
    let told = call.tell(suggestion) + call.tell(ping)
    #expect(told.isEmpty)
    var opted = MendingCall.completing {
      $0.dropped = ["ping"]
      $0.vendorEvents = ["input_audio_buffer.turn_suggestion", "response.backchannel.audio.delta"]
    }
    let untouched = [opted.isUntouched(suggestion), opted.isUntouched(ping)]
    #expect(untouched == [true, false])
    let backchannel = #"{"type":"response.backchannel.audio.delta","backchannel_id":"b","delta":"AAAA"}"#
    let isUntouched = opted.isUntouched(try MendingCall.object(backchannel))
    #expect(isUntouched && !opted.mender.isMidTurn)
    var native = MendingCall(MendingRules())
    let crosses = native.isUntouched(suggestion)
    #expect(crosses)
  }

  @Test("the provider's own names are the vocabulary's, and so are the beta's")
  func names() throws {
    var call = MendingCall.completing { $0.renames = ["response.audio_chunk": "response.output_audio.delta"] }
    for type in ["response.audio_chunk", "response.audio.delta", "response.output_audio.delta"] {
      let told = try call.tell(
        #"{"type":"\#(type)","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":"AAAA"}"#)
      #expect(told.last?["type"] == "response.output_audio.delta")
    }
    #expect(call.invariants.violations == [])
  }

  @Test("an event without an id is not the client's as it is: it needs one", arguments: [false, true])
  func withoutID(completes: Bool) throws {
    var call = completes ? MendingCall.completing() : MendingCall(MendingRules())
    let event = try MendingCall.object(#"{"type":"input_audio_buffer.cleared"}"#)
    let mended = call.mender.mend(event, session: call.session, ids: &call.ids)
    #expect(mended == .events([event]))
    let keys = try MendingCall.object(
      #"{"type":"input_audio_buffer.dtmf_event_received","event":"9","received_at":1}"#)
    let isUntouched = call.isUntouched(keys)
    #expect(isUntouched)
    let isAdmitted = admits(delta("i").replacing(#""event_id":"event_i","#, with: ""), &call)
    #expect(!isAdmitted)
  }

  @Test("R234: what a provider adds to an event of the vocabulary is passed on")
  func additions() throws {
    var call = MendingCall.completing()
    let told = try call.tell(
      #"{"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null}"#,
      #"""
      {"type":"conversation.item.input_audio_transcription.completed","item_id":"u","content_index":0,
      "transcript":"Hi","usage":{"type":"duration","seconds":1},"voice_profile":{"age":"adult"}}
      """#)
    #expect(told[1]["voice_profile"] == ["age": "adult"])
  }

  // MARK: The audio lane

  private func delta(_ item: String, response: String = "r", index: Int = 0) -> String {
    #"{"type":"response.output_audio.delta","event_id":"event_\#(item)","response_id":"\#(response)","#
      + #""item_id":"\#(item)","output_index":0,"content_index":\#(index),"delta":"AAAAAAAA"}"#
  }

  private func admits(_ text: String, _ call: inout MendingCall) -> Bool {
    ByteBuffer(string: text).withUnsafeReadableBytes { bytes in
      guard case .audioDelta(let frame) = EventReader.readServer(bytes) else { return false }
      return call.mender.admits(frame, in: bytes)
    }
  }

  @Test("a delta goes by its bytes where it goes to the part that is open, and its bytes are counted")
  func admission() throws {
    var call = MendingCall.completing()
    let early = admits(delta("i"), &call)
    let first = try call.tell(delta("i"))
    #expect(!early && first.types.last == "response.output_audio.delta")
    let admitted = (0..<399).count { _ in admits(delta("i"), &call) }
    #expect(admitted == 399)
    let others = [delta("j"), delta("i", index: 1), delta("i", response: "s")].count { admits($0, &call) }
    #expect(others == 0)
    let told = try call.tell(#"{"type":"response.done","response":{"id":"r","status":"completed"}}"#)
    // 2,400 bytes are 50 ms, at 20 tokens a second.
    #expect(told.last?["response"]?["usage"]?["output_token_details"] == ["text_tokens": 0, "audio_tokens": 1])
    let late = admits(delta("i"), &call)
    let afterwards = try call.tell(delta("i"))
    #expect(!late && afterwards.isEmpty)
    #expect(call.invariants.violations == [])
  }

  @Test("nothing of a response goes by its bytes once the words of another have ended it")
  func admissionOfAbandoned() throws {
    var call = MendingCall.completing()
    _ = try call.tell(delta("i"))
    let told = try call.tell(LifecycleTests.position("output_text.delta", #","delta":"Hi""#, item: "j", response: "s"))
    let isAdmitted = admits(delta("i"), &call)
    #expect(told.first("response.done")?["response"]?["id"] == "r" && !isAdmitted)
  }

  @Test("nothing of a cancelled response goes on, nor speech in a written answer")
  func admissionEnds() throws {
    var call = MendingCall.completing { $0.speaksInTextMode = true }
    _ = try call.tell(delta("i"))
    call.mender.cancelAsked(responseID: nil)
    let late = admits(delta("i"), &call)
    let told = try call.tell(delta("i"))
    #expect(!late && told.isEmpty)
    var written = MendingCall.completing { $0.speaksInTextMode = true }
    written.mender.asked(metadata: nil, modalities: [.text])
    let speech = try written.tell(delta("i")).all("response.output_audio.delta")
    let isAdmitted = admits(delta("i"), &written)
    #expect(speech.isEmpty && !isAdmitted)
    var native = MendingCall(MendingRules())
    let crosses = admits(delta("anything"), &native)
    #expect(crosses)
  }

  // MARK: The end

  @Test("fault row 28: what a native provider left open is closed as failed, each response with its items")
  func closeAll() throws {
    var call = MendingCall(MendingRules())
    #expect(!call.mender.isMidTurn)
    _ = try call.tell(
      #"{"type":"response.created","response":{"id":"r1","status":"in_progress","conversation_id":"c"}}"#,
      #"""
      {"type":"response.output_item.added","response_id":"r1","output_index":0,
      "item":{"id":"i1","type":"message","role":"assistant","status":"in_progress","content":[]}}
      """#,
      #"""
      {"type":"conversation.item.added","previous_item_id":"u",
      "item":{"id":"i1","type":"message","role":"assistant","status":"in_progress","content":[]}}
      """#,
      #"{"type":"response.created","response":{"id":"side","status":"in_progress","conversation_id":null}}"#,
      #"""
      {"type":"response.content_part.added","response_id":"side","item_id":"o1","output_index":0,"content_index":0,
      "part":{"type":"text","text":""}}
      """#,
      #"{"type":"response.created","response":{"id":"over","status":"in_progress","conversation_id":null}}"#,
      #"{"type":"response.done","response":{"id":"over","status":"completed","conversation_id":null}}"#)
    #expect(call.mender.isMidTurn && call.mender.openResponseIDs == ["r1", "side"])
    let verdict = UpstreamVerdict(code: "lost", message: "Lost.", outlook: .mayRecover)
    let events = call.mender.closeAll(verdict)
    let again = call.mender.closeAll(verdict)
    #expect(
      events.types == [
        "conversation.item.done", "response.output_item.done", "response.done", "response.output_text.done",
        "response.content_part.done", "response.output_item.done", "response.done",
      ])
    #expect(events[0]["item"]?["status"] == "incomplete" && events[0]["previous_item_id"] == "u")
    #expect(events[2]["response"]?["output"]?[0]?["id"] == "i1")
    #expect(
      events[2]["response"]?["status_details"] == [
        "type": "failed", "error": ["type": "server_error", "code": "lost", "message": "Lost."],
      ])
    #expect(events[6]["response"]?["id"] == "side" && events[6]["response"]?["status"] == "failed")
    #expect(!call.mender.isMidTurn && again.isEmpty)
  }

  // MARK: Errors

  @Test(
    "an error object comes of whatever a provider sends as one",
    arguments: [
      (#"{"type":"error","error":{"type":"a","code":"b","message":"M","param":"p","event_id":"e"}}"#, "a", "b", "M"),
      (
        #"{"type":"error","error":{"message":"Cancellation failed: no active response found"}}"#, "server_error",
        "response_cancel_not_active", "Cancellation failed: no active response found"
      ),
      (
        #"{"type":"error","message":"Conversation already has an active response: r."}"#, "server_error",
        "conversation_already_has_active_response", "Conversation already has an active response: r."
      ),
      (#"{"type":"error","error":"Bad."}"#, "server_error", nil, "Bad."),
      (#"{"type":"error","error":{"type":null,"code":42,"message":"M"}}"#, "server_error", "42", "M"),
      (
        #"{"errorType":"SESSION_RESOURCES_EXHAUSTED","message":"x"}"#, "rate_limit_error", "upstream_capacity",
        "The voice provider has no free session."
      ),
      (#"{"errorType":"SOME_LIMIT","message":"x"}"#, "server_error", "some_limit", "x"),
      (#"{"type":"error"}"#, "server_error", nil, "The voice provider reported an error without a message."),
    ] as [(String, String, String?, String)])
  func errors(_ event: String, _ type: String, _ code: String?, _ message: String) throws {
    let error = EventMender.error(from: try MendingCall.object(event))
    #expect(error.type == type && error.code == code && error.message == message)
    let isWhole = event.contains("\"param\"")
    #expect(error.param == (isWhole ? "p" : nil) && error.eventID == (isWhole ? "e" : nil))
  }
}
