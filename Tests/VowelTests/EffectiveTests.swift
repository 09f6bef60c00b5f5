import Envelope
import OpenAIWire
import Testing
import Translation

@testable import VowelProvider

@Suite struct VowelEffective {
  private static func voice(_ voice: String) -> JSONObject {
    ["audio": ["output": ["voice": .string(voice)]]]
  }

  @Test(
    "R197 vowel 7.6: OpenAI's voices become Deepgram's",
    arguments: ["alloy", "echo", "nova", "shimmer", "marin", "cedar", "Verse"])
  func voices(_ name: String) throws {
    var form = try VowelForm()
    try form.update(Self.voice(name))
    #expect(form.session.audio.output.voice.name.hasPrefix("aura-2-"))
    #expect(form.missing.isEmpty)
  }

  @Test("R101: Deepgram's stay, Inworld's are mapped, and one that nobody knows becomes the standard voice")
  func otherVoices() throws {
    var form = try VowelForm()
    try form.update(Self.voice("aura-2-zeus-en"))
    #expect(form.session.audio.output.voice == "aura-2-zeus-en")
    try form.update(Self.voice("Olivia"))
    #expect(form.session.audio.output.voice == "aura-2-andromeda-en")
    try form.update(Self.voice("nobody"))
    #expect(form.session.audio.output.voice == "aura-2-thalia-en")
    #expect(form.missing == ["session.audio.output.voice"])
  }

  @Test("vowel 7.6: an engine with other voices has the operator's for all of them")
  func operatorsVoice() throws {
    var form = try VowelForm { $0.voice = "af_heart" }
    #expect(form.session.audio.output.voice == "af_heart")
    try form.update(Self.voice("echo"))
    #expect(form.session.audio.output.voice == "af_heart")
    #expect(form.missing.isEmpty)
  }

  @Test(
    "R168 Q16: a model that writes is nothing but a name",
    arguments: ["openai/gpt-oss-120b", "moonshotai/kimi-k2-instruct-0905", "anthropic/claude-3-sonnet", "gpt-4o-mini"])
  func models(_ name: String) throws {
    var form = try VowelForm()
    try form.update(["model": .string(name)])
    #expect(form.session.model == name)
    #expect(form.missing.isEmpty)
  }

  @Test(
    "Q16: a model that speaks by itself becomes the configured one",
    arguments: ["gpt-realtime", "gpt-4o-realtime-preview", "grok-voice-fast", "gemini-2.5-flash-native-audio-preview"])
  func foreignModels(_ name: String) throws {
    var form = try VowelForm()
    try form.update(["model": .string(name)])
    #expect(form.session.model == "openai/gpt-oss-20b")
    #expect(form.missing == ["session.model"])
  }

  @Test("R232 R235: other services' transcribers are the engine's own, and a name that nobody has is refused")
  func transcribers() throws {
    var form = try VowelForm()
    try form.update(["audio": ["input": ["transcription": ["model": "whisper-1", "language": "de"]]]])
    #expect(form.session.audio.input.transcription == InputTranscription(model: "deepgram-realtime"))
    #expect(form.missing == ["session.audio.input.transcription.language"])
    let fault = form.fault(["audio": ["input": ["transcription": ["model": "nobody/has-this"]]]])
    #expect(fault?.code == "invalid_value")
    #expect(fault?.param == "session.audio.input.transcription.model")
  }

  @Test("R242 vowel 7.4: speech that is not to interrupt has no counterpart")
  func interruption() throws {
    var form = try VowelForm()
    for type: JSONValue in ["server_vad", "semantic_vad"] {
      try form.update(["audio": ["input": ["turn_detection": ["type": type, "interrupt_response": false]]]])
      #expect(form.session.audio.input.turnDetection?.interruptResponse == true)
      #expect(form.missing == ["session.audio.input.turn_detection.interrupt_response"])
    }
  }

  @Test("Q23: what the engine has nothing for goes, and is named")
  func counterless() throws {
    var form = try VowelForm()
    try form.update([
      "tracing": "auto", "include": ["item.input_audio_transcription.logprobs"], "prompt": ["id": "p"],
      "reasoning": ["effort": "low"], "parallel_tool_calls": true, "truncation": "disabled", "temperature": 0.8,
      "providerData": ["user_id": "u"], "language": 5, "tool_choice": ["type": "mcp", "server_label": "s"],
      "audio": ["input": ["noise_reduction": ["type": "near_field"]], "output": ["model": "inworld-tts-1.5-max"]],
    ])
    #expect(
      Set(form.missing) == [
        "session.tracing", "session.include", "session.prompt", "session.reasoning.effort",
        "session.parallel_tool_calls", "session.truncation", "session.temperature", "session.providerData",
        "session.language", "session.tool_choice", "session.audio.input.noise_reduction",
        "session.audio.output.model",
      ])
    #expect(form.session.unknown.isEmpty)
    #expect(form.session.audio.output.unknown.isEmpty)
  }

  @Test("Other tools than functions are refused by their place")
  func tools() throws {
    let fault = try VowelForm().fault([
      "tools": [["type": "function", "name": "f"], ["type": "web_search"]]
    ])
    #expect(fault?.param == "session.tools[1].type")
  }
}
