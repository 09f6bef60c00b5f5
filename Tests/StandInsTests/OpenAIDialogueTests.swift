import Envelope
import StandIns
import Testing

@Suite("The OpenAI Realtime stand-in in dialogue")
struct OpenAIDialogueTests {
  private static let hello =
    #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hello there my friend"}]}}"#
  private static let create = #"{"type":"response.create"}"#
  private static let spokenAnswer = [
    "response.created", "response.output_item.added", "conversation.item.added", "response.content_part.added",
    "response.output_audio_transcript.delta", "response.output_audio.delta",
    "response.output_audio_transcript.delta", "response.output_audio.delta",
    "response.output_audio_transcript.delta", "response.output_audio.delta",
    "response.output_audio.delta", "response.output_audio.done", "response.output_audio_transcript.done",
    "response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done",
    "rate_limits.updated",
  ]

  private func append(_ audio: String) -> String {
    #"{"type":"input_audio_buffer.append","audio":"\#(audio)"}"#
  }

  @Test("session.created comes first, with every field")
  func created() throws {
    let dialogue = Dialogue.openAI()
    #expect(try dialogue.opening.types == ["session.created"])
    let session = try dialogue.opening.event("session.created")["session"]
    #expect(session?["model"]?.string == "gpt-realtime")
    #expect(session?["audio"]?["input"]?["turn_detection"]?["silence_duration_ms"]?.int == 200)
    #expect(session?["tracing"]?.isNull == true)
    #expect(session?["id"]?.string?.count == 26)
  }

  @Test("a partial update changes what it names and nothing else")
  func update() throws {
    var dialogue = Dialogue.openAI()
    let sent = dialogue.say(
      #"""
      {"type":"session.update","session":{"type":"realtime","model":"another","instructions":"Be brief.",
      "audio":{"input":{"transcription":{"model":"whisper-1"},"turn_detection":{"type":"server_vad","threshold":0.7}}}}}
      """#)
    let session = try sent.event("session.updated")["session"]
    let input = session?["audio"]?["input"]
    #expect(session?["model"]?.string == "gpt-realtime", "the model cannot change")
    #expect(session?["instructions"]?.string == "Be brief.")
    #expect(input?["transcription"] == ["model": "whisper-1", "language": nil, "prompt": nil])
    #expect(input?["turn_detection"]?["threshold"]?.double == 0.7)
    #expect(input?["turn_detection"]?["prefix_padding_ms"]?.int == 300)
    #expect(session?["audio"]?["output"]?["voice"]?.string == "alloy")
    let semantic = dialogue.say(
      #"{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":{"type":"semantic_vad"}}}}}"#
    )
    #expect(
      try semantic.event("session.updated")["session"]?["audio"]?["input"]?["turn_detection"]
        == ["type": "semantic_vad", "eagerness": "auto", "create_response": true, "interrupt_response": true])
  }

  @Test("a text turn with a spoken answer: the order of the recorded service")
  func spokenAnswer() throws {
    var dialogue = Dialogue.openAI()
    let item = dialogue.say(Self.hello)
    #expect(try item.types == ["conversation.item.added", "conversation.item.done"])
    let sent = dialogue.say(Self.create)
    #expect(try sent.types == Self.spokenAnswer)
    let deltas = try sent.messages.filter { $0["type"]?.string == "response.output_audio.delta" }
    #expect(deltas.compactMap { $0["delta"]?.string } == StandInSound.parts.map { TestSound.base64($0) })
    let transcript = try sent.event("response.output_audio_transcript.done")["transcript"]?.string
    #expect(transcript == "You said: Hello there my friend.")
    let first = try sent.event("response.output_audio_transcript.delta")
    #expect(first["obfuscation"]?.string?.isEmpty == false)
    let done = try sent.event("response.done")["response"]
    #expect(done?["status"]?.string == "completed")
    #expect(done?["output"]?[0]?["content"]?[0]?["transcript"]?.string == transcript)
    #expect(done?["usage"]?["total_tokens"]?.int == 14)
    let user = try item.event("conversation.item.done")["item"]?["id"]
    #expect(try sent.event("conversation.item.added")["previous_item_id"] == user)
  }

  @Test("a written answer has text deltas only")
  func writtenAnswer() throws {
    var dialogue = Dialogue.openAI(session: #""output_modalities":["text"]"#)
    dialogue.say(Self.hello)
    let sent = dialogue.say(Self.create)
    #expect(try sent.types.filter { $0.contains("audio") }.isEmpty)
    #expect(try sent.event("response.output_text.done")["text"]?.string == "You said: Hello there my friend.")
    #expect(try sent.event("response.content_part.added")["part"] == ["type": "text", "text": ""])
  }

  @Test("speech, then silence: the whole turn in the recorded order, with transcription")
  func voiceDetection() throws {
    var dialogue = Dialogue.openAI(
      session: #""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#)
    dialogue.say(append(TestSound.silence(milliseconds: 500, rate: 24_000)))
    let started = dialogue.say(append(TestSound.speech(milliseconds: 300, rate: 24_000)))
    #expect(try started.types == ["input_audio_buffer.speech_started"])
    let speech = try started.event("input_audio_buffer.speech_started")
    #expect(speech["audio_start_ms"]?.int == 200, "prefix padding included")
    let sent = dialogue.say(append(TestSound.silence(milliseconds: 200, rate: 24_000)))
    let transcription = "conversation.item.input_audio_transcription"
    #expect(
      try sent.types == [
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "conversation.item.added",
        "conversation.item.done", transcription + ".delta", transcription + ".delta", transcription + ".completed",
      ] + Self.spokenAnswer)
    #expect(try sent.event("input_audio_buffer.speech_stopped")["audio_end_ms"]?.int == 1_000)
    for type in ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed", transcription + ".completed"] {
      #expect(try sent.event(type)["item_id"] == speech["item_id"], "\(type)")
    }
    let content = try sent.event("conversation.item.added")["item"]?["content"]
    #expect(content == [["type": "input_audio", "transcript": nil]])
  }

  @Test("push-to-talk: commit makes an item and no response", arguments: ["audio/pcm", "audio/pcmu", "audio/pcma"])
  func manualCommit(_ format: String) throws {
    var dialogue = Dialogue.openAI(
      session: #""audio":{"input":{"format":{"type":"\#(format)"},"turn_detection":null}}"#)
    let rate = format == "audio/pcm" ? 24_000 : 4_000
    #expect(dialogue.say(append(TestSound.speech(milliseconds: 400, rate: rate))).frames.isEmpty)
    #expect(dialogue.say(append(TestSound.silence(milliseconds: 400, rate: rate))).frames.isEmpty)
    let sent = dialogue.say(#"{"type":"input_audio_buffer.commit"}"#)
    #expect(
      try sent.types == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"])
    #expect(try dialogue.say(Self.create).types == Self.spokenAnswer)
  }

  @Test("barge-in cancels the answer, closes its item and keeps what was said")
  func bargeIn() throws {
    var options = RealtimeStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = Dialogue.openAI(options)
    dialogue.say(Self.hello)
    _ = dialogue.begin(Self.create)
    #expect(dialogue.script.pause == .milliseconds(20))
    _ = dialogue.advance(3)
    let sent = dialogue.begin(append(TestSound.speech(milliseconds: 100, rate: 24_000)))
    #expect(
      try sent.types == [
        "input_audio_buffer.speech_started", "response.output_audio.done", "response.output_audio_transcript.done",
        "response.content_part.done", "conversation.item.done", "response.output_item.done", "response.done",
        "rate_limits.updated",
      ])
    let done = try sent.event("response.done")["response"]
    #expect(done?["status"]?.string == "cancelled")
    #expect(done?["status_details"] == ["type": "cancelled", "reason": "turn_detected"])
    #expect(done?["output"]?[0]?["status"]?.string == "incomplete")
    #expect(dialogue.script.pause == nil)
    let item = try #require(done?["output"]?[0]?["id"]?.string)
    let truncate = { (end: Int) in
      #"{"type":"conversation.item.truncate","item_id":"\#(item)","content_index":0,"audio_end_ms":\#(end)}"#
    }
    let late = try dialogue.say(truncate(101)).event("error")["error"]
    #expect(late?["message"]?.string == "Audio content of 100ms is already shorter than 101ms")
    #expect(try dialogue.say(truncate(50)).event("conversation.item.truncated")["audio_end_ms"]?.int == 50)
    let kept = try dialogue.say(#"{"type":"conversation.item.retrieve","item_id":"\#(item)"}"#)
      .event("conversation.item.retrieved")["item"]?["content"]?[0]
    #expect(kept?["audio"]?.string == TestSound.base64(Array(StandInSound.tone.prefix(2_400))))
    #expect(kept?["transcript"]?.isNull == true)
  }

  @Test("response.cancel, by default and by id; without an answer it is an error")
  func cancel() throws {
    var options = RealtimeStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = Dialogue.openAI(options)
    let cancel = #"{"type":"response.cancel","event_id":"c1"}"#
    let early = try dialogue.say(cancel).event("error")["error"]
    #expect(early?["code"]?.string == "response_cancel_not_active")
    #expect(early?["event_id"]?.string == "c1")
    let id = try dialogue.begin(Self.create).event("response.created")["response"]?["id"]?.string ?? ""
    let busy = try dialogue.begin(Self.create).event("error")["error"]
    #expect(busy?["code"]?.string == "conversation_already_has_active_response")
    #expect(busy?["message"]?.string?.contains(id) == true)
    let done = try dialogue.begin(#"{"type":"response.cancel","response_id":"\#(id)"}"#).event("response.done")
    #expect(done["response"]?["status_details"]?["reason"]?.string == "client_cancelled")
    #expect(done["response"]?["output"] == [], "cancelled before it had an item")
  }

  @Test("an out-of-band response runs beside the conversation's and leaves no item")
  func outOfBand() throws {
    var dialogue = Dialogue.openAI()
    let sent = dialogue.say(
      #"""
      {"type":"response.create","response":{"conversation":"none","metadata":{"k":"v"},"output_modalities":["text"],
      "input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"aside"}]}]}}
      """#)
    #expect(try !sent.types.contains("conversation.item.added"))
    let done = try sent.event("response.done")["response"]
    #expect(done?["conversation_id"]?.isNull == true)
    #expect(done?["metadata"] == ["k": "v"])
    #expect(done?["output"]?[0]?["content"]?[0]?["text"]?.string == "You said: aside.")
  }

  @Test("items: the client's ids, positions, retrieve and delete")
  func items() throws {
    var dialogue = Dialogue.openAI()
    let create = { (id: String, previous: String) in
      #"""
      {"type":"conversation.item.create","previous_item_id":\#(previous),"item":{"id":"\#(id)","type":"message",
      "role":"user","content":[{"type":"input_text","text":"a"}]}}
      """#
    }
    #expect(try dialogue.say(create("i1", "null")).event("conversation.item.added")["previous_item_id"]?.isNull == true)
    #expect(try dialogue.say(create("i3", #""i1""#)).event("conversation.item.added")["previous_item_id"] == "i1")
    #expect(
      try dialogue.say(create("i0", #""root""#)).event("conversation.item.added")["previous_item_id"]?.isNull == true)
    #expect(try dialogue.say(create("i2", #""i1""#)).event("conversation.item.done")["previous_item_id"] == "i1")
    let duplicate = try dialogue.say(create("i2", "null")).event("error")["error"]
    #expect(duplicate?["code"]?.string == "item_create_duplicate_item_id")
    let lost = try dialogue.say(create("i9", #""nowhere""#)).event("error")["error"]
    #expect(lost?["code"]?.string == "item_create_invalid_previous_item_id")
    let delete = #"{"type":"conversation.item.delete","item_id":"i2"}"#
    #expect(try dialogue.say(delete).event("conversation.item.deleted")["item_id"] == "i2")
    #expect(try dialogue.say(delete).event("error")["error"]?["code"]?.string == "item_delete_invalid_item_id")
    let retrieve = #"{"type":"conversation.item.retrieve","item_id":"i2"}"#
    #expect(try dialogue.say(retrieve).event("error")["error"]?["code"]?.string == "item_retrieve_invalid_item_id")
  }

  @Test("every event decodes with the product's own types and encodes to the same JSON")
  func ownTypes() throws {
    var options = RealtimeStandIn.Options()
    options.answerInterval = .milliseconds(20)
    var dialogue = Dialogue.openAI(options, session: #""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#)
    var messages = try dialogue.opening.messages
    for message in [
      Self.hello, Self.create, append(TestSound.speech(milliseconds: 300, rate: 24_000)),
      append(TestSound.silence(milliseconds: 200, rate: 24_000)), #"{"type":"nonsense"}"#,
      #"{"type":"input_audio_buffer.clear"}"#, #"{"type":"session.update","session":{"type":"realtime"}}"#,
      #"{"type":"conversation.item.create","item":{"id":"x","type":"function_call_output","call_id":"c","output":"o"}}"#,
      #"{"type":"conversation.item.retrieve","item_id":"x"}"#, #"{"type":"conversation.item.delete","item_id":"x"}"#,
    ] {
      messages += try dialogue.say(message).messages
    }
    for message in messages {
      let event = try ServerEvent.decode(message)
      if case .unknown = event.body { Issue.record("unknown event \(message.text)") }
      #expect(event.encoded() == message)
    }
    #expect(Set(messages.compactMap { $0["event_id"]?.string }).count == messages.count, "each has its own id")
  }
}
