import Envelope
import StandIns
import Testing

@Suite("The Azure stand-in")
struct AzureTests {
  typealias Talk = Dialogue<RealtimeStandIn>

  @Test("three forms of the address, three shapes of the session")
  func forms() throws {
    let session = { (form: Talk.Form) in
      try Talk.family(form).opening.event("session.created")["session"]
    }
    #expect(try session(.azure)?["audio"]?["output"]?["voice"]?.string == "alloy")
    let preview = try session(.azurePreview)
    #expect(preview?["voice"]?.string == "alloy")
    #expect(preview?["modalities"] == ["text", "audio"])
    #expect(preview?["temperature"]?.double == 0.8)
    #expect(preview?["type"] == nil && preview?["audio"] == nil)
    let live = try session(.voiceLive)
    #expect(live?["voice"] == ["name": "alloy", "type": "openai"])
    #expect(live?["modalities"] == ["audio"])
    #expect(live?["turn_detection"]?["silence_duration_ms"]?.int == 200)
  }

  @Test("the GA form's parts come twice")
  func parts() throws {
    var dialogue = Talk.family(.azure)
    let added = try dialogue.turn("hello").event("response.content_part.added")
    #expect(added["content"] == added["part"])
  }

  @Test("Voice Live: other numbers after an update, its own detections and voices")
  func voiceLive() throws {
    var dialogue = Talk.family(.voiceLive)
    let sent = dialogue.say(
      #"""
      {"type":"session.update","session":{"turn_detection":{"type":"azure_semantic_vad","remove_filler_words":true},
      "voice":{"type":"azure-standard","name":"en-US-Ava:DragonHDLatestNeural","temperature":0.8},
      "input_audio_noise_reduction":{"type":"azure_deep_noise_suppression"},
      "input_audio_echo_cancellation":{"type":"server_echo_cancellation"},"input_audio_sampling_rate":16000}}
      """#)
    let session = try sent.event("session.updated")["session"]
    #expect(session?["turn_detection"]?["silence_duration_ms"]?.int == 500)
    #expect(session?["turn_detection"]?["prefix_padding_ms"]?.int == 400)
    #expect(session?["turn_detection"]?["remove_filler_words"]?.bool == true)
    #expect(session?["voice"]?["name"]?.string == "en-US-Ava:DragonHDLatestNeural")
    let done = try dialogue.turn("hello").event("response.done")["response"]
    #expect(done?["voice"] == session?["voice"])
    #expect(done?["usage"]?["output_token_details"]?["reasoning_tokens"]?.int == 0)
    let plain = dialogue.say(#"{"type":"session.update","session":{"modalities":["text"]}}"#)
    #expect(try plain.types == ["session.updated"])
    #expect(try dialogue.turn("hello").order.contains("response.text.delta"))
  }

  @Test("the preview form: beta names, beta parts, a locked voice under its flat name")
  func preview() throws {
    var dialogue = Talk.family(.azurePreview)
    let sent = dialogue.turn("hello")
    #expect(
      try sent.order == [
        "conversation.item.created", "response.created", "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added", "response.audio_transcript.delta", "response.audio.delta",
        "response.audio_transcript.delta", "response.audio.delta", "response.audio.done",
        "response.audio_transcript.done", "response.content_part.done", "response.output_item.done",
        "response.done", "rate_limits.updated",
      ])
    let part = try sent.event("response.done")["response"]?["output"]?[0]?["content"]?[0]
    #expect(part?["type"]?.string == "audio")
    let lock = try dialogue.say(#"{"type":"session.update","session":{"voice":"echo"}}"#).event(
      "error")["error"]
    #expect(lock?["code"]?.string == "cannot_update_voice")
    #expect(lock?["param"]?.string == "session.voice")
    let assistant = dialogue.say(
      #"""
      {"type":"conversation.item.create","item":{"type":"message","role":"assistant",
      "content":[{"type":"text","text":"a"}]}}
      """#)
    #expect(
      try assistant.event("conversation.item.created")["item"]?["content"]?[0]?["type"]?.string
        == "text")
  }

  @Test("G.711 by its flat name", arguments: ["g711_ulaw", "g711_alaw"])
  func narrowBand(_ format: String) throws {
    var dialogue = Talk.family(
      .azurePreview,
      session: #"{"input_audio_format":"\#(format)","output_audio_format":"\#(format)"}"#)
    let sent = dialogue.turn("hello")
    #expect(try sent.event("response.done")["response"]?["output_audio_format"]?.string == format)
    let sound = try sent.event("response.audio.delta")["delta"]?.string
    #expect(sound?.count == 1_068, "100 ms are 800 bytes")
  }

  @Test("a transcription session: its own object, no responses, no session of the other kind")
  func transcription() throws {
    for service in [RealtimeService.openAI, .azure] {
      var options = RealtimeStandIn.Options()
      options.service = service
      let path = service == .azure ? "/openai/v1/realtime" : "/v1/realtime"
      let request = StandInRequest(path: path, query: [.init("intent", "transcription")])
      var dialogue = Talk(RealtimeStandIn(options: options), request)
      let session = try dialogue.opening.event("session.created")["session"]
      #expect(session?["object"]?.string == "realtime.transcription_session")
      #expect(
        session?["audio"]?["input"]?["turn_detection"]
          == [
            "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300,
            "silence_duration_ms": 200,
          ])
      let wrong = dialogue.say(#"{"type":"session.update","session":{"type":"realtime"}}"#)
      #expect(try wrong.event("error")["error"]?["code"]?.string == "invalid_parameter")
      let audio = #"{"input":{"transcription":{"model":"whisper-1"}}}"#
      let right = dialogue.say(
        #"{"type":"session.update","session":{"type":"transcription","audio":\#(audio)}}"#)
      #expect(try right.types == ["session.updated"])
      let heard = dialogue.speak()
      #expect(try heard.types.last == "conversation.item.input_audio_transcription.completed")
      #expect(try dialogue.say(#"{"type":"response.create"}"#).types == ["error"])
    }
    let both = StandInRequest(
      path: "/v1/realtime", query: [.init("intent", "transcription"), .init("model", "m")])
    let refused = Talk(RealtimeStandIn(), both)
    #expect(refused.opening.close == .close(code: 4_000, reason: "invalid_request_error"))
  }
}
