import Envelope
import OpenAIWire
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import AzureProvider

/// Azure OpenAI, as it is and as it was.
@Suite struct OpenAIForms {
  static let both: [AzureAPI] = [.realtime, .preview]

  // MARK: Both

  @Test(
    "Q16: a model's own name stands for the configured deployment, any other is a deployment", arguments: both)
  func models(_ api: AzureAPI) throws {
    let catalogue = try Update(api, #"{"model":"gpt-realtime-2.1"}"#)
    #expect(catalogue.session.model == "my-voice" && catalogue.missing.isEmpty, "a mapping")
    let deployment = try Update(api, #"{"model":"their-voice"}"#)
    #expect(deployment.session.model == "their-voice" && deployment.missing.isEmpty)
    #expect(deployment.wire["model"] == nil, "the address says it")
    #expect(try Update(api, #"{"model":"my-voice"}"#).missing.isEmpty)
  }

  @Test(
    "R231 R232: the transcriber is a deployment; only other services' names become whisper-1",
    arguments: both,
    [
      ("whisper-1", "whisper-1"), ("my-transcriber", "my-transcriber"), ("gpt-4o-transcribe", "gpt-4o-transcribe"),
      ("assemblyai/u3-rt-pro", "whisper-1"), ("grok-transcribe", "whisper-1"),
    ])
  func transcribers(_ api: AzureAPI, _ name: (asked: String, sent: String)) throws {
    let update = try Update(api, #"{"audio":{"input":{"transcription":{"model":"\#(name.asked)"}}}}"#)
    #expect(update.session.audio.input.transcription?.model == name.sent)
    #expect(update.wire.text.contains("\"model\":\"\(name.sent)\""))
  }

  @Test(
    "R197 R222: voices of other services become OpenAI's, the oldest API's among them", arguments: both,
    [
      ("alloy", ["alloy", "alloy"]), ("Clive", ["cedar", "ash"]), ("nova", ["coral", "coral"]),
      ("marin", ["marin", "coral"]),
    ])
  func voices(_ api: AzureAPI, _ name: (asked: String, sent: [String])) throws {
    let sent = name.sent[api == .preview ? 1 : 0]
    let update = try Update(api, #"{"audio":{"output":{"voice":"\#(name.asked)"}}}"#)
    #expect(update.session.audio.output.voice == .named(sent))
    #expect((update.wire["voice"] ?? update.wire["audio"]?["output"]?["voice"])?.string == sent)
  }

  @Test("R222 R274: the updates of the guide pass, and nothing of another service's goes up", arguments: both)
  func guide(_ api: AzureAPI) throws {
    let update = try Update(
      api,
      #"""
      {"type":"realtime","model":"google-ai-studio/gemini-2.5-flash","instructions":"You are Clive.",
       "output_modalities":["audio","text"],"providerData":{"a":1},"max_output_tokens":"inf",
       "audio":{"input":{"transcription":{"model":"assemblyai/u3-rt-pro","prompt":"Names","language":"en"}},
        "output":{"voice":"Clive","model":"inworld-tts-1.5-mini","speed":1.0}}}
      """#)
    for foreign in ["providerData", "inworld", "assemblyai", "gemini", "Clive\""] {
      #expect(!update.wire.text.contains(foreign), "\(foreign)")
    }
    #expect(update.wire.text.contains("You are Clive."))
  }

  @Test("Q16 Q23: a strict session takes a model's own name, which many clients send in every update", arguments: both)
  func strictModels(_ api: AzureAPI) {
    let provider = ProviderConfiguration(name: "azure", service: .wire(Update.service(api)))
    var call = SessionDialogue(
      SessionParameters(provider: provider, requestedModel: "my-voice", isStrict: true, unixTime: 1, seed: 1))
    _ = call.begin()
    _ = call.upstreamOpens()
    let step = call.client(#"{"type":"session.update","session":{"type":"realtime","model":"gpt-realtime"}}"#)
    #expect(step.event("error") == nil && step.ignoredFields.isEmpty)
  }

  // MARK: Options of a response

  @Test("Q23: the options of a response that the present API has not are told of")
  func options() {
    let service = Update.service(.realtime)
    #expect(
      service.ignoredOptions([
        "temperature": 0.8, "instructions": "Be brief.", "reasoning": ["effort": "low"], "metadata": ["k": "v"],
        "audio": ["output": ["model": "x", "voice": "alloy"]],
      ]) == ["response.temperature", "response.audio.output.model"])
    #expect(service.ignoredOptions(["temperature": nil, "conversation": "none", "input": []]).isEmpty)
  }

  @Test("Q23: the options of a response that the API before had not are told of, and do not go up")
  func previewOptions() throws {
    let service = Update.service(.preview)
    let response: JSONObject = [
      "prompt": ["id": "p"], "reasoning": ["effort": "low"], "parallel_tool_calls": false, "instructions": "Be brief.",
      "metadata": ["k": "v"], "conversation": "auto", "audio": ["output": ["voice": "coral"]],
    ]
    #expect(
      service.ignoredOptions(response) == [
        "response.prompt", "response.reasoning.effort", "response.parallel_tool_calls",
      ])
    let session = RealtimeSession.defaults(id: "s", model: "m", voice: "alloy", expiresAt: 0)
    let told = try service.wireEvent(["type": "response.create", "response": .object(response)], of: session)
    #expect(told.first?["response"]?.object?.keys == ["instructions", "metadata", "conversation", "audio"])
    #expect(service.ignoredOptions(["prompt": nil, "reasoning": nil, "tools": []]).isEmpty)
  }

  // MARK: As it is

  @Test("R155: the type is there, and what the service may judge passes")
  func native() throws {
    let update = try Update(
      .realtime,
      #"""
      {"instructions":"Be brief.","output_modalities":["audio","text"],"future_field":1,
       "audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"low"}}}}
      """#)
    #expect(
      update.wire == [
        "type": "realtime", "instructions": "Be brief.", "output_modalities": ["audio"], "future_field": 1,
        "audio": [
          "input": [
            "turn_detection": [
              "type": "semantic_vad", "eagerness": "low", "create_response": true, "interrupt_response": true,
            ]
          ]
        ],
      ])
    #expect(Update.service(.realtime).traits.isNative)
    #expect(!Update.service(.realtime).traits.mending.completesLifecycle)
  }

  @Test("R204 Q23: what the service refuses whole updates for is dropped, and told of")
  func dropped() throws {
    let update = try Update(
      .realtime,
      #"{"temperature":0.8,"providerData":{"a":1},"audio":{"output":{"model":"inworld-tts-1.5-mini","speed":1.2}}}"#)
    #expect(update.wire == ["type": "realtime", "audio": ["output": ["speed": 1.2]]])
    #expect(update.missing == ["session.temperature", "session.providerData", "session.audio.output.model"])
    #expect(update.session.unknown.isEmpty)
  }

  // MARK: As it was

  @Test("R195 R196 R198 R199: the beta's names and values, without a type; both modalities")
  func preview() throws {
    let update = try Update(
      .preview,
      #"""
      {"type":"realtime","instructions":"Be brief.","output_modalities":["audio"],"max_output_tokens":100,
       "tools":[{"type":"function","name":"known"}],"tool_choice":"auto",
       "audio":{"input":{"format":{"type":"audio/pcmu"},"transcription":{"model":"whisper-1"},
         "noise_reduction":{"type":"near_field"},"turn_detection":{"type":"server_vad","idle_timeout_ms":6000}},
        "output":{"format":{"type":"audio/pcm","rate":24000},"voice":"alloy","speed":1}}}
      """#)
    #expect(
      update.wire == [
        "instructions": "Be brief.", "modalities": ["audio", "text"], "max_response_output_tokens": 100,
        "tools": [["type": "function", "name": "known"]], "tool_choice": "auto", "input_audio_format": "g711_ulaw",
        "input_audio_transcription": ["model": "whisper-1"], "input_audio_noise_reduction": ["type": "near_field"],
        "turn_detection": [
          "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
          "create_response": true, "interrupt_response": true,
        ], "output_audio_format": "pcm16", "voice": "alloy",
      ])
    #expect(update.missing.isEmpty)
    #expect(try Update(.preview, #"{"output_modalities":["text"]}"#).wire == ["modalities": ["text"]])
    #expect(try Update(.preview, #"{"turn_detection":null}"#).wire == ["turn_detection": nil])
    #expect(
      try Update(.preview, #"{"audio":{"input":{"transcription":null}}}"#).wire == [
        "input_audio_transcription": nil
      ])
  }

  @Test("R204: the temperature stays within the API's bounds", arguments: [(0.1, 0.6), (0.8, 0.8), (2.0, 1.2)])
  func temperature(_ asked: Double, _ sent: Double) throws {
    let update = try Update(.preview, #"{"temperature":\#(asked)}"#)
    #expect(update.wire == ["temperature": .number(JSONNumber(sent))])
    #expect(update.session.unknown.fields["temperature"]?.double == sent)
    #expect(update.missing.isEmpty)
  }

  @Test(
    "Q23: what the API would refuse is not sent, and the session shows what really happens",
    arguments: [
      (#"{"reasoning":{"effort":"high"}}"#, "session.reasoning"), (#"{"truncation":"disabled"}"#, "session.truncation"),
      (#"{"tracing":"auto"}"#, "session.tracing"), (#"{"parallel_tool_calls":true}"#, "session.parallel_tool_calls"),
      (#"{"include":["item.input_audio_transcription.logprobs"]}"#, "session.include"),
      (#"{"audio":{"output":{"speed":1.2}}}"#, "session.audio.output.speed"),
      (#"{"audio":{"output":{"model":"x"}}}"#, "session.audio.output.model"),
      (#"{"future_field":1}"#, "session.future_field"),
    ])
  func counterless(_ fields: String, _ path: String) throws {
    let update = try Update(.preview, fields)
    #expect(update.missing == [path])
    #expect(update.wire == [:])
    #expect(try update.session == Update(.preview, "{}").session)
  }

  @Test("the API has functions only, and no stored prompts")
  func refused() throws {
    #expect(
      try Update.fault(.preview, #"{"tools":[{"type":"mcp","server_label":"s"}]}"#).param == "session.tools[0].type")
    #expect(try Update.fault(.preview, #"{"prompt":{"id":"p"}}"#).param == "session.prompt")
  }
}
