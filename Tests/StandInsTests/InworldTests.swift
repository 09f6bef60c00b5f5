import Envelope
import StandIns
import Testing

@Suite("The Inworld stand-in")
struct InworldTests {
  typealias Talk = Dialogue<RealtimeStandIn>
  private static let serverVAD = #"{"audio":{"input":{"turn_detection":{"type":"server_vad"}}}}"#

  private func options(_ quirks: InworldQuirk...) -> RealtimeStandIn.Options {
    var options = RealtimeStandIn.Options()
    options.quirks = Set(quirks)
    return options
  }

  @Test("the defaults of a new session")
  func defaults() throws {
    let session = try Talk.family(.inworld).opening.event("session.created")["session"]
    #expect(session?["model"]?.string == "google-ai-studio/gemini-2.5-flash")
    #expect(session?["audio"]?["output"]?["voice"]?.string == "Dennis")
    #expect(session?["audio"]?["output"]?["model"]?.string == "inworld-tts-1.5-mini")
    #expect(session?["audio"]?["input"]?["turn_detection"]?["type"]?.string == "semantic_vad")
    var dialogue = Talk.family(.inworld)
    let detection = try dialogue.say(#"{"type":"session.update","session":\#(Self.serverVAD)}"#)
      .event("session.updated")["session"]?["audio"]?["input"]?["turn_detection"]
    #expect(detection?["silence_duration_ms"]?.int == 1_000)
    #expect(detection?["prefix_padding_ms"]?.int == 200)
  }

  @Test("model, voice and TTS model change after sound, too; omitted fields stay")
  func mutable() throws {
    var dialogue = Talk.family(.inworld)
    dialogue.turn("hello")
    let sent = dialogue.say(
      #"""
      {"type":"session.update","session":{"model":"inworld/router-1","temperature":0.8,
      "audio":{"input":{"transcription":{"language":"de"},"format":"g711_ulaw"},
      "output":{"voice":"Clive","model":"inworld-tts-1.5-max"}}}}
      """#)
    let session = try sent.event("session.updated")["session"]
    #expect(session?["model"]?.string == "inworld/router-1")
    #expect(session?["audio"]?["output"]?["voice"]?.string == "Clive")
    #expect(session?["audio"]?["output"]?["speed"]?.double == 1)
    #expect(
      session?["audio"]?["input"]?["transcription"] == [
        "model": "inworld/inworld-stt-1", "language": "de",
      ])
    #expect(session?["audio"]?["input"]?["format"] == ["type": "audio/pcmu"])
  }

  @Test("an unknown STT model: the three fields, and nothing of the update applied")
  func transcriptionModel() throws {
    var dialogue = Talk.family(.inworld)
    let sent = dialogue.say(
      #"""
      {"type":"session.update","session":{"instructions":"new","audio":{"input":{"transcription":{"model":"nova"}},
      "output":{"voice":"Clive"}}}}
      """#)
    let error = try sent.event("error")["error"]
    #expect(error?["type"]?.string == "invalid_request_error")
    #expect(error?["code"]?.string == "invalid_value")
    #expect(error?["param"]?.string == "session.audio.input.transcription.model")
    let session = try dialogue.say(#"{"type":"session.update","session":{}}"#).event(
      "session.updated")["session"]
    #expect(session?["instructions"]?.string == "")
    #expect(session?["audio"]?["output"]?["voice"]?.string == "Dennis")
  }

  @Test("providerData is kept; another spelling is passed over and noted")
  func providerData() throws {
    var dialogue = Talk.family(.inworld)
    let right = dialogue.say(
      #"""
      {"type":"session.update","session":{"providerData":
      {"tts":{"delivery_mode":"STABLE"},"auto_tool_response":false}}}
      """#
    )
    #expect(
      try right.event("session.updated")["session"]?["providerData"]?["tts"] == [
        "delivery_mode": "STABLE"
      ])
    #expect(right.violations.isEmpty)
    let wrong = dialogue.say(
      #"{"type":"session.update","session":{"provider_data":{"user_id":"u"}}}"#)
    #expect(try wrong.event("session.updated")["session"]?["provider_data"] == nil)
    #expect(wrong.violations.map { $0["param"]?.string } == ["session.provider_data"])
  }

  @Test("each quirk can be switched")
  func quirks() throws {
    let tools = #"{\#(Talk.tools)}"#
    for isOn in [true, false] {
      var dialogue = Talk.family(
        .inworld, isOn ? options(.namelessCalls, .doubledWords, .outerUsage) : options(),
        session: tools)
      let call = dialogue.turn("call f")
      #expect(try (call.event("response.function_call_arguments.done")["name"] == nil) == isOn)
      let done = try call.event("response.done")
      #expect((done["usage"] != nil) == isOn)
      #expect((done["response"]?["usage"] == nil) == isOn)
      #expect(try dialogue.turn("hello").types.contains("response.output_text.delta") == isOn)
      dialogue.say(#"{"type":"session.update","session":{"output_modalities":["audio"]}}"#)
      #expect(try !dialogue.turn("hello").types.contains("response.output_text.delta"))
    }
    var old = Talk.family(.inworld, options(.oldNames))
    #expect(try old.turn("hello").types.contains("response.audio.delta"))
  }

  @Test("completed transcripts come several times and grow")
  func growingTranscripts() throws {
    let completed = "conversation.item.input_audio_transcription.completed"
    var dialogue = Talk.family(.inworld, session: Self.serverVAD)
    #expect(
      try dialogue.speak().events(completed).map { $0["transcript"]?.string }
        == ["what time", "what time is it", "what time is it"])
    var plain = Talk.family(.inworld, options(), session: Self.serverVAD)
    #expect(try plain.speak().events(completed).count == 1)
  }

  @Test("speech during an answer is announced after its first words; late deltas follow the cancel")
  func bargeIn() throws {
    var quirky = options(.lateSpeech, .lateDeltas)
    quirky.answerInterval = .milliseconds(20)
    var dialogue = Talk.family(.inworld, quirky, session: "{}")
    dialogue.say(Talk.item("hello"))
    _ = dialogue.begin(#"{"type":"response.create"}"#)
    _ = dialogue.advance(2)
    let speech = TestSound.speech(milliseconds: 300, rate: 24_000)
    let started = dialogue.begin(#"{"type":"input_audio_buffer.append","audio":"\#(speech)"}"#)
    #expect(try started.types == ["conversation.item.input_audio_transcription.delta"])
    let silence = TestSound.silence(milliseconds: 1_200, rate: 24_000)
    let stopped = dialogue.begin(#"{"type":"input_audio_buffer.append","audio":"\#(silence)"}"#)
    #expect(
      try stopped.types.prefix(2) == [
        "input_audio_buffer.speech_started", "response.output_audio.delta",
      ],
      "a delta that was on its way")
    let done = try stopped.event("response.done")["response"]
    #expect(done?["status_details"]?["reason"]?.string == "turn_detected")
    #expect(try stopped.types.last == "response.created")
  }

  @Test("no acknowledgement of retrieve and truncate, no rate limits")
  func silences() throws {
    var dialogue = Talk.family(.inworld, session: "{}")
    let sent = dialogue.turn("hello")
    #expect(try !sent.types.contains("rate_limits.updated"))
    let id = try sent.event("response.done")["response"]?["output"]?[0]?["id"]?.string ?? ""
    #expect(
      dialogue.say(#"{"type":"conversation.item.retrieve","item_id":"\#(id)"}"#).frames.isEmpty)
    let truncate =
      #"{"type":"conversation.item.truncate","item_id":"\#(id)","content_index":0,"audio_end_ms":1}"#
    #expect(dialogue.say(truncate).frames.isEmpty)
    #expect(dialogue.say(#"{"type":"output_audio_buffer.clear"}"#).frames.isEmpty)
  }

  @Test("its own events, and the frame that has no type")
  func extras() throws {
    var dialogue = Talk.family(.inworld)
    let extras = dialogue.turn("show your extras")
    let backchannel = try extras.event("response.backchannel.audio.delta")
    #expect(backchannel["response_id"] == nil)
    #expect(try extras.types.contains("input_audio_buffer.turn_suggestion_revoked"))
    let exhausted = dialogue.turn("run out of sessions")
    let untyped = try exhausted.messages.filter { $0["type"] == nil }
    #expect(untyped.map { $0["errorType"]?.string } == ["SESSION_RESOURCES_EXHAUSTED"])
  }

  @Test("a session key is used once")
  func sessionKeys() {
    let memory = RealtimeMemory()
    #expect(Talk.family(.inworld, memory: memory).verdict == .upgrade(subprotocol: nil))
    #expect(
      Talk.family(.inworld, memory: memory).verdict == .refuse(status: 400, reason: "Bad Request"))
  }
}
