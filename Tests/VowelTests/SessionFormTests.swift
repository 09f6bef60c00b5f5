import Envelope
import OpenAIWire
import Testing
import Translation

@testable import VowelProvider

@Suite struct VowelSessionForm {
  private static func turns(_ detection: JSONValue) -> JSONObject {
    ["audio": ["input": ["turn_detection": detection]]]
  }

  private func detection(_ detection: JSONValue) throws -> JSONValue? {
    var form = try VowelForm()
    return try form.frame(Self.turns(detection))["turn_detection"]
  }

  @Test("vowel 8: a GA update goes up flat, with Deepgram's voice and the numbers of server_vad")
  func row() throws {
    var form = try VowelForm()
    let frame = try form.frame([
      "type": "realtime", "output_modalities": ["audio"],
      "audio": [
        "input": ["turn_detection": ["type": "semantic_vad", "eagerness": "low"]], "output": ["voice": "marin"],
      ],
    ])
    #expect(
      frame == [
        "modalities": ["text", "audio"], "voice": "aura-2-thalia-en",
        "turn_detection": [
          "type": "server_vad", "threshold": 0.5, "silence_duration_ms": 900, "prefix_padding_ms": 300,
        ],
      ])
    #expect(form.missing.isEmpty)
  }

  @Test("R100: the flat example of the engine's own pages is as good")
  func flat() throws {
    var form = try VowelForm()
    let example: JSONObject = [
      "instructions": "You are a helpful assistant.", "voice": "aura-2-thalia-en",
      "turn_detection": ["type": "server_vad", "threshold": 0.5, "silence_duration_ms": 550],
    ]
    let frame = try form.frame(BetaWire.session(toGA: example))
    #expect(
      frame == [
        "instructions": "You are a helpful assistant.", "voice": "aura-2-thalia-en",
        "turn_detection": [
          "type": "server_vad", "threshold": 0.5, "silence_duration_ms": 550, "prefix_padding_ms": 300,
        ],
      ])
  }

  @Test(
    "vowel 7.4 R141: semantic_vad is a silence by eagerness",
    arguments: [("low", 900), ("medium", 550), ("auto", 550), ("high", 350)])
  func eagerness(_ name: String, _ silence: Int) throws {
    let told = try detection(["type": "semantic_vad", "eagerness": .string(name)])
    #expect(told?["type"] == "server_vad")
    #expect(told?["silence_duration_ms"]?.int == silence)
  }

  @Test("vowel 7.4 R284: the vocabulary's numbers go up in the place of 550 and 0 ms")
  func numbers() throws {
    #expect(
      try detection(["type": "server_vad"]) == [
        "type": "server_vad", "threshold": 0.5, "silence_duration_ms": 500, "prefix_padding_ms": 300,
      ])
  }

  @Test("R148 vowel 7.3: a turn that is not to be answered says so")
  func gate() throws {
    #expect(try detection(["type": "server_vad", "create_response": false])?["create_response"] == false)
    #expect(try detection(["type": "semantic_vad", "create_response": false])?["create_response"] == false)
  }

  @Test("vowel 6: no turn detection is a word of its own")
  func manual() throws {
    #expect(try detection(nil) == ["type": "disabled"])
  }

  @Test("R250: the session keeps the eagerness that the client asked for, and a later one is understood")
  func semantic() throws {
    var form = try VowelForm()
    try form.update(Self.turns(["type": "semantic_vad", "eagerness": "low"]))
    let frame = try form.frame(Self.turns(["eagerness": "high"]))
    #expect(frame["turn_detection"]?["silence_duration_ms"] == 350)
    #expect(form.session.audio.input.turnDetection == .semanticVAD(SemanticVAD(eagerness: .high)))
  }

  @Test("R217 R195: text alone and both are said in the beta's words")
  func modalities() throws {
    var form = try VowelForm()
    #expect(try form.frame(["output_modalities": ["text"]]) == ["modalities": ["text"]])
    #expect(try form.frame(["output_modalities": ["audio", "text"]]) == ["modalities": ["text", "audio"]])
  }

  @Test("R142 R220: tools, their choice, the model and the limit of tokens go up")
  func others() throws {
    var form = try VowelForm()
    let tools: JSONValue = [["type": "function", "name": "f", "parameters": ["type": "object"]]]
    #expect(
      try form.frame(["model": "moonshotai/kimi-k2", "tools": tools, "tool_choice": "auto", "max_output_tokens": 64])
        == [
          "model": "moonshotai/kimi-k2", "tools": tools, "tool_choice": "auto", "max_response_output_tokens": 64,
        ])
    #expect(try form.frame(["modelId": "a/b"]) == ["model": "a/b"])
    #expect(try form.frame(["audio": ["output": ["speed": 1.2]]]) == ["speaking_rate": 1.2])
    #expect(
      try form.frame(["language": "de", "speech_mode": "explicit"]) == ["language": "de", "speech_mode": "explicit"])
  }

  @Test("vowel 7.10: the engine hears nothing of formats and transcribers, which it cannot change")
  func audio() throws {
    var form = try VowelForm()
    #expect(
      try form.frame([
        "audio": [
          "input": ["format": ["type": "audio/pcmu"], "transcription": ["model": "whisper-1"]],
          "output": ["format": ["type": "audio/pcma"]],
        ]
      ]).isEmpty)
    #expect(form.session.audio.input.format == .pcmu)
  }
}
