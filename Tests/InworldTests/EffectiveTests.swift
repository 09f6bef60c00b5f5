import Envelope
import OpenAIWire
import Testing
import Translation

@testable import InworldProvider

@Suite struct InworldEffective {
  private static func transcriber(_ model: String) -> JSONObject {
    ["audio": ["input": ["transcription": ["model": .string(model)]]]]
  }

  private static func voice(_ voice: JSONValue) -> JSONObject {
    ["audio": ["output": ["voice": voice]]]
  }

  @Test(
    "R232: the service's transcribers stay what they are",
    arguments: [
      "assemblyai/u3-rt-pro", "assemblyai/universal-streaming-multilingual",
      "assemblyai/universal-streaming-english", "inworld/inworld-stt-1", "soniox/stt-rt-v4",
    ])
  func ownTranscribers(_ name: String) throws {
    var form = try InworldForm()
    try form.update(Self.transcriber(name))
    #expect(form.session.audio.input.transcription?.model == name)
  }

  @Test(
    "R232: OpenAI's become the operator's", arguments: ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"])
  func foreignTranscribers(_ name: String) throws {
    var form = try InworldForm { $0.transcriptionModel = "soniox/stt-rt-v4" }
    try form.update(Self.transcriber(name))
    #expect(form.session.audio.input.transcription?.model == "soniox/stt-rt-v4")
    #expect(form.missing.isEmpty)
  }

  @Test(
    "R232 R235: those of its other API are not this one's, and would lose the whole update",
    arguments: ["soniox/stt-rt-v5", "deepgram/flux-general-en", "deepgram/flux-general-multi"])
  func otherTranscribers(_ name: String) throws {
    var form = try InworldForm()
    try form.update(Self.transcriber(name))
    #expect(form.session.audio.input.transcription?.model == "inworld/inworld-stt-1")
    #expect(form.missing.isEmpty)
  }

  @Test("B7 R235 R236: a name that nobody has is refused before it costs the whole update")
  func unknownTranscriber() throws {
    let fault = try #require(try InworldForm().fault(Self.transcriber("nobody/has-this")))
    #expect(fault.type == "invalid_request_error")
    #expect(fault.code == "invalid_value")
    #expect(fault.param == "session.audio.input.transcription.model")
  }

  @Test("R197: OpenAI's voices become others, or the operator's", arguments: ["alloy", "echo", "nova", "shimmer"])
  func foreignVoices(_ name: String) throws {
    var form = try InworldForm()
    try form.update(Self.voice(.string(name)))
    #expect(VoiceNames.voices(of: .inworld).contains { $0.id == form.session.audio.output.voice.name })
    var own = try InworldForm { $0.voice = "Liam" }
    try own.update(Self.voice("Olivia"))
    try own.update(Self.voice(.string(name)))
    #expect(own.session.audio.output.voice == "Liam")
  }

  @Test("R101: a voice of Deepgram's is no reason to fail")
  func aura() throws {
    var form = try InworldForm()
    try form.update(Self.voice("aura-2-thalia-en"))
    #expect(form.session.audio.output.voice == "Dennis")
    try form.update(Self.voice("aura-2-nobody-en"))
    #expect(form.session.audio.output.voice == "Dennis")
  }

  @Test("R159: any other voice is the service's to know")
  func ownVoices() throws {
    var form = try InworldForm()
    for (asked, told) in [("Liam", "Liam"), ("olivia", "Olivia"), ("my-cloned-voice", "my-cloned-voice")] {
      try form.update(Self.voice(.string(asked)))
      #expect(form.session.audio.output.voice == .named(told))
    }
    try form.update(Self.voice(["id": "workspace__ada"]))
    #expect(form.session.audio.output.voice == "workspace__ada")
    try form.update(Self.voice(["id": "voice_123"]))
    #expect(form.session.audio.output.voice == "Dennis")
  }

  @Test("R218: a speed below the service's is its lowest, and shows so")
  func speed() throws {
    var form = try InworldForm()
    try form.update(["audio": ["output": ["speed": 0.25]]])
    #expect(form.session.audio.output.speed == 0.5)
    try form.update(["audio": ["output": ["speed": 1.5]]])
    #expect(form.session.audio.output.speed == 1.5)
  }

  @Test("R221: a temperature is a number from 0 to 2")
  func temperature() throws {
    let form = try InworldForm()
    #expect(form.fault(["temperature": 2]) == nil)
    #expect(form.fault(["temperature": 2.1])?.code == "decimal_above_max_value")
    #expect(form.fault(["temperature": -1])?.code == "decimal_below_min_value")
    #expect(form.fault(["temperature": "hot"])?.code == "invalid_type")
    #expect(form.fault(["temperature": "hot"])?.param == "session.temperature")
  }

  @Test("R229: a voice model is a name, and null is the operator's")
  func voiceModel() throws {
    var form = try InworldForm()
    #expect(form.fault(["audio": ["output": ["model": 5]]])?.param == "session.audio.output.model")
    #expect(form.fault(["audio": ["output": ["model": ""]]])?.code == "invalid_value")
    try form.update(["audio": ["output": ["model": "inworld-tts-2"]]])
    try form.update(["audio": ["output": ["model": nil]]])
    #expect(form.session.audio.output.unknown.fields["model"] == "inworld-tts-1.5-mini")
  }

  @Test("Q19: providerData is an object of at most 8 KiB")
  func providerDataBounds() throws {
    let form = try InworldForm()
    let long = JSONValue.string(String(repeating: "a", count: 8_192))
    #expect(form.fault(["providerData": ["user_id": long]])?.code == "invalid_value")
    #expect(form.fault(["provider_data": ["user_id": long]])?.param == "session.provider_data")
    #expect(form.fault(["providerData": "u"])?.code == "invalid_type")
    #expect(form.fault(["providerData": nil]) == nil)
  }

  @Test("Q19: where the operator keeps it to himself, it is named as having no counterpart")
  func providerDataKept() throws {
    var form = try InworldForm { $0.takesProviderData = false }
    try form.update(["providerData": ["user_id": "u"]])
    #expect(form.missing == ["session.providerData"])
    #expect(form.session.unknown.fields["providerData"] == ["auto_tool_response": false])
    try form.update(["instructions": "Be brief."])
    #expect(form.missing.isEmpty)
  }

  @Test("Q23: what the service has nothing for goes, and is named")
  func counterless() throws {
    var form = try InworldForm()
    try form.update([
      "tracing": "auto", "include": ["item.input_audio_transcription.logprobs"], "prompt": ["id": "p"],
      "reasoning": ["effort": "low"], "parallel_tool_calls": true, "truncation": "disabled", "unheard_of": 1,
      "tool_choice": ["type": "mcp", "server_label": "s"],
      "audio": [
        "input": [
          "noise_reduction": ["type": "near_field", "strength": 0.5],
          "transcription": ["delay": "low", "keywords": ["Ada"]],
        ]
      ],
    ])
    #expect(
      Set(form.missing) == [
        "session.tracing", "session.include", "session.prompt", "session.reasoning.effort",
        "session.parallel_tool_calls", "session.truncation", "session.unheard_of", "session.tool_choice",
        "session.audio.input.noise_reduction.strength", "session.audio.input.transcription.delay",
        "session.audio.input.transcription.keywords",
      ])
    #expect(form.session.tracing == nil)
    #expect(form.session.truncation == "auto")
    #expect(form.session.unknown.fields["unheard_of"] == nil)
    #expect(try form.frame(["noise": 1]) == ["type": "realtime"])
  }

  @Test("MCP tools are refused by their name")
  func mcp() throws {
    let fault = try InworldForm().fault(["tools": [["type": "mcp", "server_label": "s"]]])
    #expect(fault?.param == "session.tools[0].type")
  }
}
