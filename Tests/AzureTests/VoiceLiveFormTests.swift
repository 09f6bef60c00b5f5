import Envelope
import OpenAIWire
import Testing
import Translation

@testable import AzureProvider

@Suite struct VoiceLive {
  @Test("R196-R202: the beta's names, both modalities, the sampling rate beside the format")
  func plain() throws {
    let update = try Update(
      .voiceLive,
      #"""
      {"type":"realtime","model":"gpt-4o","instructions":"Be brief.","output_modalities":["audio"],
       "max_output_tokens":"inf","reasoning":{"effort":"low"},"tools":[{"type":"function","name":"known"}],
       "audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"noise_reduction":{"type":"far_field"}},
        "output":{"format":{"type":"audio/pcmu"}}}}
      """#)
    #expect(
      update.wire == [
        "instructions": "Be brief.", "modalities": ["text", "audio"], "max_response_output_tokens": "inf",
        "reasoning_effort": "low", "tools": [["type": "function", "name": "known"]], "input_audio_format": "pcm16",
        "input_audio_sampling_rate": 24_000, "input_audio_noise_reduction": ["type": "far_field"],
        "output_audio_format": "g711_ulaw",
      ])
    #expect(update.missing.isEmpty)
    #expect(update.session.model == "gpt-4o", "the service calls models by their names")
  }

  @Test("R198: G.711 comes at 8 kHz")
  func law() throws {
    #expect(
      try Update(.voiceLive, #"{"audio":{"input":{"format":{"type":"audio/pcma"}}}}"#).wire
        == ["input_audio_format": "g711_alaw", "input_audio_sampling_rate": 8_000])
  }

  // MARK: Voices

  @Test(
    "R197: a voice is an object of its kind",
    arguments: [
      (#""alloy""#, #"{"type":"openai","name":"alloy"}"#), (#""Clive""#, #"{"type":"openai","name":"cedar"}"#),
      (#""en-US-AvaNeural""#, #"{"type":"azure-standard","name":"en-US-AvaNeural"}"#),
      (
        #""zh-CN-Xiaoxiao:DragonHDFlashLatestNeural""#,
        #"{"type":"azure-standard","name":"zh-CN-Xiaoxiao:DragonHDFlashLatestNeural"}"#
      ),
      (
        #"{"id":"MyVoice","endpoint_id":"e"}"#, #"{"type":"azure-custom","name":"MyVoice","endpoint_id":"e"}"#
      ),
      (
        #"{"id":"MyVoice","type":"azure-personal","model":"DragonLatestNeural"}"#,
        #"{"type":"azure-personal","name":"MyVoice","model":"DragonLatestNeural"}"#
      ),
    ])
  func voices(_ asked: String, _ sent: String) throws {
    let update = try Update(.voiceLive, #"{"audio":{"output":{"voice":\#(asked)}}}"#)
    #expect(update.wire == ["voice": try JSONValue(parsing: sent)])
    #expect(update.missing.isEmpty)
  }

  @Test("Q23: a voice that nobody knows is the standard one")
  func unknownVoice() throws {
    let update = try Update(.voiceLive, #"{"voice":"Zaphod"}"#)
    #expect(update.wire == ["voice": ["type": "openai", "name": "alloy"]])
    #expect(update.missing == ["session.audio.output.voice"])
  }

  @Test("R218: Azure's own voices have a speed, OpenAI's have one")
  func speed() throws {
    let own = try Update(.voiceLive, #"{"audio":{"output":{"voice":"en-US-AvaNeural","speed":1.2}}}"#)
    #expect(own.wire == ["voice": ["type": "azure-standard", "name": "en-US-AvaNeural", "rate": "1.2"]])
    let later = try Update(
      .voiceLive, #"{"audio":{"output":{"speed":0.8}}}"#, after: #"{"voice":"en-US-AvaNeural"}"#)
    #expect(later.wire == ["voice": ["type": "azure-standard", "name": "en-US-AvaNeural", "rate": "0.8"]])
    let openAI = try Update(.voiceLive, #"{"audio":{"output":{"voice":"alloy","speed":1.2}}}"#)
    #expect(openAI.wire == ["voice": ["type": "openai", "name": "alloy"]])
    #expect(openAI.missing == ["session.audio.output.speed"] && openAI.session.audio.output.speed == 1)
  }

  // MARK: Turn detection

  @Test("R284: server_vad is whole, with explicit numbers; the idle timeout is counted here")
  func serverVAD() throws {
    let update = try Update(.voiceLive, #"{"turn_detection":{"type":"server_vad","idle_timeout_ms":6000}}"#)
    #expect(
      update.wire == [
        "turn_detection": [
          "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
          "create_response": true, "interrupt_response": true,
        ]
      ])
    #expect(!Update.service(.voiceLive).traits.hasIdleTimeout)
  }

  @Test(
    "R141 R239: semantic_vad is the service's own, with a silence by eagerness",
    arguments: [("low", 1200), ("auto", 700), ("high", 350)])
  func semanticVAD(_ eagerness: String, _ silence: Int) throws {
    let update = try Update(
      .voiceLive,
      #"{"turn_detection":{"type":"semantic_vad","eagerness":"\#(eagerness)","create_response":false}}"#)
    #expect(
      update.wire["turn_detection"] == [
        "type": "azure_semantic_vad_multilingual", "threshold": 0.5, "prefix_padding_ms": 300,
        "silence_duration_ms": .number(JSONNumber(silence)), "create_response": false, "interrupt_response": true,
      ])
    guard case .semanticVAD = update.session.audio.input.turnDetection else {
      Issue.record("the session shows what was asked for")
      return
    }
  }

  @Test("R201: null is push-to-talk")
  func pushToTalk() throws {
    #expect(try Update(.voiceLive, #"{"turn_detection":null}"#).wire == ["turn_detection": nil])
  }

  // MARK: Transcription

  @Test(
    "R231 R232 R253: the service's transcribers pass, other services' become azure-speech",
    arguments: [
      (
        #"{"model":"gpt-4o-transcribe","prompt":"Ada","language":"en"}"#,
        #"{"model":"gpt-4o-transcribe","language":"en","prompt":"Ada"}"#, [String]()
      ),
      (
        #"{"model":"soniox/stt-rt-v4","keywords":["Ada"],"languages":["de","en"]}"#,
        #"{"model":"azure-speech","language":"de,en","phrase_list":["Ada"]}"#, []
      ),
      (
        #"{"model":"azure-speech","prompt":"Ada","phrase_list":["Bob"]}"#,
        #"{"model":"azure-speech","phrase_list":["Bob"]}"#, ["session.audio.input.transcription.prompt"]
      ),
      (
        #"{"model":"whisper-1","keywords":["Ada"]}"#, #"{"model":"whisper-1"}"#,
        ["session.audio.input.transcription.keywords"]
      ),
    ])
  func transcription(_ asked: String, _ sent: String, _ missing: [String]) throws {
    let update = try Update(.voiceLive, #"{"audio":{"input":{"transcription":\#(asked)}}}"#)
    #expect(update.wire == ["input_audio_transcription": try JSONValue(parsing: sent)])
    #expect(update.missing == missing)
  }

  @Test("R235: a transcriber that nobody knows is refused")
  func unknownTranscriber() throws {
    #expect(
      try Update.fault(.voiceLive, #"{"audio":{"input":{"transcription":{"model":"no-such-stt"}}}}"#).param
        == "session.audio.input.transcription.model")
  }

  // MARK: The rest

  @Test("R204: the temperature is 1 at most")
  func temperature() throws {
    let update = try Update(.voiceLive, #"{"temperature":1.5}"#)
    #expect(update.wire == ["temperature": 1.0] && update.missing.isEmpty)
    #expect(update.session.unknown.fields["temperature"] == 1.0)
  }

  @Test("fields of the service's own pass by their names")
  func ownFields() throws {
    let fields = #"{"input_audio_echo_cancellation":{"type":"server_echo_cancellation"},"metadata":{"a":"b"}}"#
    #expect(try Update(.voiceLive, fields).wire == JSONValue(parsing: fields))
  }

  @Test(
    "Q23: what the service has nothing of is not sent",
    arguments: [
      (#"{"truncation":"disabled"}"#, "session.truncation"), (#"{"tracing":"auto"}"#, "session.tracing"),
      (#"{"parallel_tool_calls":true}"#, "session.parallel_tool_calls"),
      (#"{"future_field":1}"#, "session.future_field"),
      (#"{"audio":{"output":{"model":"x"}}}"#, "session.audio.output.model"),
    ])
  func counterless(_ fields: String, _ path: String) throws {
    let update = try Update(.voiceLive, fields)
    #expect(update.missing == [path])
    #expect(update.wire == [:])
    #expect(try update.session == Update(.voiceLive, "{}").session)
  }

  @Test("a response's voice is an object, too; one that nobody knows is the session's")
  func response() throws {
    let service = Update.service(.voiceLive)
    let session = RealtimeSession.defaults(id: "s", model: "m", voice: "alloy", expiresAt: 0)
    func told(_ voice: String) throws -> JSONValue? {
      let event: JSONObject = ["type": "response.create", "response": ["audio": ["output": ["voice": .string(voice)]]]]
      let told = try service.wireEvent(event, of: session)
      #expect(told.count == 1)
      return told[0]["response"]?["audio"]?["output"]
    }
    #expect(try told("coral") == ["voice": ["type": "openai", "name": "coral"]])
    #expect(try told("de-DE-KatjaNeural") == ["voice": ["type": "azure-standard", "name": "de-DE-KatjaNeural"]])
    #expect(try told("Zaphod") == [:])
  }

  @Test("Q23: the options of a response that the service has not are told of, a voice that nobody has among them")
  func options() throws {
    let service = Update.service(.voiceLive)
    let response: JSONObject = [
      "reasoning": ["effort": "low"], "parallel_tool_calls": true, "tool_choice": "required", "metadata": ["k": "v"],
      "audio": ["output": ["voice": "Zaphod", "format": ["type": "audio/pcmu"]]],
    ]
    #expect(
      service.ignoredOptions(response) == [
        "response.reasoning.effort", "response.parallel_tool_calls", "response.audio.output.voice",
      ])
    let session = RealtimeSession.defaults(id: "s", model: "m", voice: "alloy", expiresAt: 0)
    let told = try service.wireEvent(["type": "response.create", "response": .object(response)], of: session)
    #expect(told.first?["response"]?.object?.keys == ["tool_choice", "metadata", "audio"])
    for voice: JSONValue in ["coral", "de-DE-KatjaNeural", ["id": "own"], nil] {
      #expect(service.ignoredOptions(["audio": ["output": ["voice": voice]]]).isEmpty)
    }
  }

  @Test("Q19: the service's own events are for clients that ask for them")
  func events() {
    let mending = Update.service(.voiceLive).traits.mending
    #expect(mending.vendorEvents.isSuperset(of: ["warning", "response.audio_timestamp.delta"]))
    #expect(mending.completesLifecycle)
  }
}
