import Envelope
import OpenAIWire
import Testing
import Translation

@testable import InworldProvider

@Suite struct InworldSessionForm {
  private static let detection: JSONValue = [
    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
    "idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
  ]
  private static let pcm: JSONValue = ["type": "audio/pcm", "rate": 24000]
  private static let pin: JSONValue = ["auto_tool_response": false]

  private static func turns(_ detection: JSONValue) -> JSONObject {
    ["audio": ["input": ["turn_detection": detection]]]
  }

  @Test("T1 R240 R246 R247 R284: the first update says every number, and the operator's models and voice")
  func first() throws {
    var form = try InworldForm()
    let frame = try form.firstFrame([
      "type": "realtime", "model": "openai/gpt-4.1-nano", "instructions": "Answer briefly.",
      "output_modalities": ["audio"],
      "audio": [
        "input": [
          "format": Self.pcm, "transcription": ["model": "whisper-1"], "turn_detection": ["type": "server_vad"],
        ], "output": ["voice": "alloy"],
      ],
    ])
    #expect(
      frame == [
        "type": "realtime", "model": "openai/gpt-4.1-nano", "instructions": "Answer briefly.",
        "output_modalities": ["audio"],
        "audio": [
          "input": [
            "format": Self.pcm, "transcription": ["model": "inworld/inworld-stt-1"], "turn_detection": Self.detection,
          ],
          "output": ["format": Self.pcm, "voice": "Dennis", "model": "inworld-tts-1.5-mini", "speed": 1.0],
        ], "providerData": Self.pin,
      ])
    #expect(form.missing.isEmpty)
  }

  @Test("R240 R284: a client that says nothing gets server_vad with the vocabulary's numbers all the same")
  func silent() throws {
    var form = try InworldForm()
    let frame = try form.firstFrame([:])
    #expect(
      frame == [
        "type": "realtime", "model": "google-ai-studio/gemini-2.5-flash", "output_modalities": ["audio"],
        "audio": [
          "input": ["turn_detection": Self.detection],
          "output": ["format": Self.pcm, "voice": "Dennis", "model": "inworld-tts-1.5-mini", "speed": 1],
        ], "providerData": Self.pin,
      ])
  }

  @Test("T2: the update of a beta client, both modalities being one")
  func beta() throws {
    var form = try InworldForm()
    let frame = try form.frame(
      BetaWire.session(toGA: [
        "modalities": ["text", "audio"], "voice": "Olivia", "input_audio_format": "g711_ulaw",
        "output_audio_format": "pcm16", "input_audio_transcription": ["model": "whisper-1"], "turn_detection": nil,
        "temperature": 0.8, "max_response_output_tokens": "inf",
      ]))
    #expect(
      frame == [
        "type": "realtime", "output_modalities": ["audio"], "temperature": 0.8, "max_output_tokens": "inf",
        "audio": [
          "input": [
            "format": ["type": "audio/pcmu"], "transcription": ["model": "inworld/inworld-stt-1"],
            "turn_detection": nil,
          ], "output": ["format": Self.pcm, "voice": "Olivia"],
        ],
      ])
    #expect(form.missing.isEmpty)
  }

  @Test("T3 R156 Q4: modelId is another name of model, and model wins")
  func alias() throws {
    var form = try InworldForm()
    #expect(try form.frame(["modelId": "groq/gpt-oss-120b"]) == ["type": "realtime", "model": "groq/gpt-oss-120b"])
    #expect(try form.frame(["modelId": "a/b", "model": "c/d"])["model"] == "c/d")
  }

  @Test(
    "R146 R168 R215 Q16: a model is nothing but a name",
    arguments: [
      "anthropic/claude-sonnet-4-6", "inworld/latency-optimizer-ab-test", "openai/gpt-4.1-nano", "gpt-realtime",
      "inworld/models/x",
    ])
  func models(_ name: String) throws {
    var form = try InworldForm()
    #expect(try form.frame(["model": .string(name)]) == ["type": "realtime", "model": .string(name)])
    #expect(form.missing.isEmpty)
  }

  @Test("R221 R225 R228 R230: an update of one field is a frame of one field")
  func single() throws {
    var form = try InworldForm()
    #expect(
      try form.frame(["audio": ["output": ["voice": "Olivia"]]])
        == ["type": "realtime", "audio": ["output": ["voice": "Olivia"]]])
    #expect(
      try form.frame(["audio": ["output": ["model": "inworld-tts-1.5-max"]]])
        == ["type": "realtime", "audio": ["output": ["model": "inworld-tts-1.5-max"]]])
    #expect(try form.frame(["temperature": 0.2]) == ["type": "realtime", "temperature": 0.2])
    #expect(form.session.audio.output.voice == "Olivia")
  }

  @Test("R222: the guide's example passes as it is written")
  func guide() throws {
    var form = try InworldForm()
    let frame = try form.frame([
      "type": "realtime", "model": "openai/gpt-4o-mini", "instructions": "You are a friendly narrator.",
      "output_modalities": ["audio", "text"], "temperature": 0.8,
      "audio": [
        "input": [
          "turn_detection": ["type": "semantic_vad", "create_response": true, "interrupt_response": true]
        ], "output": ["voice": "Clive", "model": "inworld-tts-1.5-mini", "speed": 1.0],
      ],
    ])
    #expect(
      frame == [
        "type": "realtime", "model": "openai/gpt-4o-mini", "instructions": "You are a friendly narrator.",
        "output_modalities": ["audio"], "temperature": 0.8,
        "audio": [
          "input": [
            "turn_detection": [
              "type": "semantic_vad", "eagerness": "auto", "create_response": true, "interrupt_response": true,
            ]
          ], "output": ["voice": "Clive", "model": "inworld-tts-1.5-mini", "speed": 1.0],
        ],
      ])
    #expect(form.missing.isEmpty)
  }

  @Test("R141 R158 R239: every eagerness reaches the service", arguments: ["low", "medium", "high", "auto"])
  func eagerness(_ name: String) throws {
    var form = try InworldForm()
    let frame = try form.frame(Self.turns(["type": "semantic_vad", "eagerness": .string(name)]))
    #expect(
      frame["audio"]?["input"]?["turn_detection"] == [
        "type": "semantic_vad", "eagerness": .string(name), "create_response": true, "interrupt_response": true,
      ])
  }

  @Test("R243 R250 R284: a partial turn detection goes up whole")
  func partial() throws {
    var form = try InworldForm()
    try form.update(Self.turns(["silence_duration_ms": 800, "idle_timeout_ms": 8000]))
    let frame = try form.frame(Self.turns(["threshold": 0.9, "eagerness": "low"]))
    #expect(
      frame["audio"]?["input"]?["turn_detection"] == [
        "type": "server_vad", "threshold": 0.9, "prefix_padding_ms": 300, "silence_duration_ms": 800,
        "idle_timeout_ms": 8000, "create_response": true, "interrupt_response": true,
      ])
  }

  @Test("R249: a timeout that is taken back is said to be, because what is left out keeps its value there")
  func timeout() throws {
    var form = try InworldForm()
    try form.update(Self.turns(["idle_timeout_ms": 8000]))
    let frame = try form.frame(Self.turns(["idle_timeout_ms": nil]))
    #expect(frame["audio"]?["input"]?["turn_detection"]?["idle_timeout_ms"] == JSONValue.null)
    let off = try form.frame(Self.turns(nil))
    #expect(off["audio"]?["input"]?["turn_detection"] == JSONValue.null)
  }

  @Test("R231 R253 R255 R276: language and prompt keep the model, and no language is none")
  func transcription() throws {
    var form = try InworldForm()
    let whole: JSONObject = [
      "audio": [
        "input": [
          "transcription": ["model": "assemblyai/u3-rt-pro", "prompt": "Medical dictation.", "language": "en"]
        ]
      ]
    ]
    #expect(try form.frame(whole)["audio"] == whole["audio"])
    let partial = try form.frame(["audio": ["input": ["transcription": ["language": "pt-BR"]]]])
    #expect(
      partial["audio"]?["input"]?["transcription"] == [
        "model": "assemblyai/u3-rt-pro", "prompt": "Medical dictation.", "language": "pt-BR",
      ])
  }

  @Test("No transcription is not said: the service's models read")
  func noTranscription() throws {
    var form = try InworldForm()
    #expect(try form.frame(["audio": ["input": ["transcription": nil]]]) == ["type": "realtime"])
  }

  @Test("R219 R220: tools, their choice and the limit of tokens go up as they are")
  func tools() throws {
    var form = try InworldForm()
    let fields: JSONObject = [
      "tools": [
        ["type": "function", "name": "get_horoscope", "description": "Today's", "parameters": ["type": "object"]],
        ["type": "web_search", "providerData": ["engine": "exa", "max_results": 3]],
      ], "tool_choice": ["type": "function", "name": "get_horoscope"], "max_output_tokens": 64,
    ]
    var frame = try form.frame(fields)
    #expect(frame.removeValue(forKey: "type") == "realtime")
    #expect(frame == fields)
  }

  @Test("quirk 9 Q19: providerData goes up as it is, in either spelling, and leaves tool results to the client")
  func providerData() throws {
    var form = try InworldForm()
    let asked: JSONValue = ["user_id": "u", "auto_tool_response": true, "backchannel": ["enabled": true]]
    let told: JSONValue = ["user_id": "u", "auto_tool_response": false, "backchannel": ["enabled": true]]
    #expect(try form.frame(["providerData": asked])["providerData"] == told)
    var other = try InworldForm()
    #expect(try other.firstFrame(["provider_data": asked])["providerData"] == told)
    #expect(other.session.unknown.fields["provider_data"] == nil)
  }

  @Test("R155: a transcription session of ours is a conversation there")
  func type() throws {
    var form = try InworldForm()
    #expect(try form.frame(["instructions": "Be brief."]) == ["type": "realtime", "instructions": "Be brief."])
  }
}
