import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// The session's fields in the set-up: the rows of section 5.3.
@Suite struct GeminiSessionFields {
  typealias Call = GeminiCall

  @Test(
    "gemini 5.3 R016 R017 R020: the session's model, by any of its names, is setup.model; a foreign name is the configured one",
    arguments: [
      ("gemini-2.5-flash-native-audio-preview-12-2025", "models/gemini-2.5-flash-native-audio-preview-12-2025"),
      ("models/gemini-3.1-flash-live-preview", "models/gemini-3.1-flash-live-preview"),
      ("google/gemini-3.8-live", "models/gemini-3.8-live"),
      ("gpt-realtime", "models/gemini-3.8-live"),
    ])
  func model(_ name: String, _ wire: String) {
    #expect(Call.setUp(Call.live38, #""model":"\#(name)""#)["model"]?.string == wire)
    let shown = Call.session(Call.live38, #""model":"\#(name)""#)["model"]?.string ?? ""
    #expect("models/" + shown == wire, "Q16: what is in force shows")
  }

  @Test("gemini 5.3 Q16: strictly, a model that the service cannot have is refused by its name")
  func strictModel() {
    var call = Call.open { $0.isLenient = false }
    let error = call.client(Call.update(#""model":"gpt-realtime""#)).error
    #expect(error?["code"] == "invalid_value" && error?["param"] == "session.model")
  }

  @Test("gemini 5.3: instructions are the parts of systemInstruction; none, no systemInstruction")
  func instructions() {
    #expect(
      Call.setUp(Call.live38, #""instructions":"Be brief.""#)["systemInstruction"] == ["parts": [["text": "Be brief."]]]
    )
    #expect(Call.setUp()["systemInstruction"] == nil)
  }

  @Test(
    "gemini 5.3: output_modalities: a model of speech is asked for speech whatever the client reads; one that writes, for text",
    arguments: [
      (GeminiCall.live38, #"["audio"]"#, "AUDIO"), (GeminiCall.live38, #"["text"]"#, "AUDIO"),
      (GeminiCall.live38, #"["audio","text"]"#, "AUDIO"), (GeminiCall.halfCascade, #"["text"]"#, "TEXT"),
      (GeminiCall.halfCascade, #"["audio"]"#, "AUDIO"),
    ])
  func modalities(_ model: String, _ modalities: String, _ wire: String) {
    let setUp = Call.setUp(model, #""output_modalities":\#(modalities)"#)
    #expect(setUp["generationConfig"]?["responseModalities"] == [.string(wire)], "exactly one")
    #expect((setUp["outputAudioTranscription"] != nil) == (wire == "AUDIO"))
    #expect((setUp["generationConfig"]?["speechConfig"] != nil) == (wire == "AUDIO"))
  }

  @Test("gemini 5.3: voice is speechConfig's voiceName, in the service's spelling")
  func voice() {
    let setUp = Call.setUp(Call.live38, #""audio":{"output":{"voice":"kore"}}"#)
    #expect(
      setUp["generationConfig"]?["speechConfig"]
        == ["voiceConfig": ["prebuiltVoiceConfig": ["voiceName": "Kore"]]])
  }

  @Test(
    "gemini 5.4 R197: names of other services' voices have voices here; Gemini's own pass in any case",
    arguments: [
      ("alloy", "Kore"), ("echo", "Charon"), ("nova", "Aoede"), ("shimmer", "Achernar"), ("marin", "Despina"),
      ("verse", "Puck"), ("Liam", "Iapetus"), ("aura-2-thalia-en", "Kore"), ("ZEPHYR", "Zephyr"),
      ("zubenelgenubi", "Zubenelgenubi"),
    ])
  func voices(_ name: String, _ wire: String) {
    let setUp = Call.setUp(Call.live38, #""audio":{"output":{"voice":"\#(name)"}}"#)
    let config = setUp["generationConfig"]?["speechConfig"]?["voiceConfig"]
    #expect(config?["prebuiltVoiceConfig"]?["voiceName"]?.string == wire)
  }

  @Test(
    "gemini 5.4 R101 Q23: an unknown voice becomes the standard one and shows so; strictly, it is refused by its name")
  func unknownVoice() {
    let fields = #""audio":{"output":{"voice":"nobody"}}"#
    #expect(Call.session(Call.live38, fields)["audio"]?["output"]?["voice"] == "marin")
    var strict = Call.open { $0.isLenient = false }
    let error = strict.client(Call.update(fields)).error
    #expect(error?["param"] == "session.audio.output.voice" && error?["type"] == "invalid_request_error")
    #expect(strict.session.session.audio.output.voice == "marin", "nothing changed")
  }

  @Test(
    "gemini 5.3 R149: transcription is inputAudioTranscription with nothing in it; null asks for it too, as the mirror needs the words"
  )
  func transcription() throws {
    let fields = #""audio":{"input":{"transcription":{"model":"whisper-1","language":"de","prompt":"Names: Ada"}}}"#
    #expect(Call.setUp(Call.live38, fields)["inputAudioTranscription"] == [:])
    let none = #""audio":{"input":{"transcription":null}}"#
    #expect(Call.setUp(Call.live38, none)["inputAudioTranscription"] == [:])
    var override = GeminiModelOverride(prefix: "gemini-3.8")
    #expect(override.set("transcribesUnasked", to: .bool(false)) == nil)
    var call = Call.open { $0.overrides = [override] }
    let setUp = try #require((call.client(Call.update(none)) + call.wait(.seconds(5))).setUp)
    #expect(setUp["inputAudioTranscription"] == nil)
  }

  @Test("gemini 5.3 R149: a transcript that the client does not want is not shown, and a fresh session is told it")
  func unaskedTranscripts() throws {
    var call = Call.ready(Call.live38, #""audio":{"input":{"transcription":null}}"#)
    _ = call.client(Call.append(ms: 400))
    #expect(call.upstream(Call.heard(" My name is")).types == ["input_audio_buffer.speech_started"])
    let turn = call.upstream(Call.heard(" Ada.")) + call.answer()
    #expect(!turn.types.contains { $0.contains("input_audio_transcription") })
    let user = try #require(turn.event("conversation.item.done")?["item"])
    #expect(user["content"]?[0]?["transcript"] == .null)
    let answer = try #require(turn.response?["output"]?[0]?["id"]?.string)
    _ = call.client(#"{"type":"conversation.item.delete","item_id":"\#(answer)"}"#)
    let told = call.wait(.seconds(3)) + call.reconnect()
    #expect(told.upstream.contains { $0["clientContent"]?["turns"] == Call.turns(("user", "My name is Ada.")) })
  }

  // MARK: Turn detection

  static func detection(_ detection: String, _ model: String = GeminiCall.live38) -> JSONValue {
    GeminiCall.setUp(model, #""audio":{"input":{"turn_detection":\#(detection)}}"#)["realtimeInputConfig"] ?? .null
  }

  @Test(
    "gemini 5.3 R244 R245: threshold is coarse: above 0.6 low, below 0.4 high sensitivity, else the service's own",
    arguments: [
      (0.61, "START_SENSITIVITY_LOW"), (0.6, nil), (0.5, nil), (0.4, nil), (0.39, "START_SENSITIVITY_HIGH"),
    ])
  func threshold(_ threshold: Double, _ sensitivity: String?) {
    let automatic = Self.detection(#"{"type":"server_vad","threshold":\#(threshold)}"#)["automaticActivityDetection"]
    #expect(automatic?["startOfSpeechSensitivity"]?.string == sensitivity)
  }

  @Test("gemini 5.3 R246: prefix_padding_ms is a debounce there: shown to the client, not sent")
  func prefixPadding() {
    let fields = #""audio":{"input":{"turn_detection":{"type":"server_vad","prefix_padding_ms":450}}}"#
    #expect(Call.session(Call.live38, fields)["audio"]?["input"]?["turn_detection"]?["prefix_padding_ms"] == 450)
    #expect(!Call.setUp(Call.live38, fields).text.contains("prefixPaddingMs"))
  }

  @Test(
    "gemini 5.3 R247 R284: silence_duration_ms is always sent, within 100 and 2000, and what is sent shows",
    arguments: [
      ("", 500), (#","silence_duration_ms":600"#, 600), (#","silence_duration_ms":50"#, 100),
      (#","silence_duration_ms":9000"#, 2000),
    ])
  func silence(_ field: String, _ milliseconds: Int) {
    let detection = #"{"type":"server_vad"\#(field)}"#
    #expect(Self.detection(detection)["automaticActivityDetection"]?["silenceDurationMs"]?.int == milliseconds)
    let shown = Call.session(Call.live38, #""audio":{"input":{"turn_detection":\#(detection)}}"#)
    #expect(shown["audio"]?["input"]?["turn_detection"]?["silence_duration_ms"]?.int == milliseconds)
  }

  @Test("gemini 5.3 R242: interrupt_response false is NO_INTERRUPTION; true, the service's own way")
  func interruption() {
    #expect(
      Self.detection(#"{"type":"server_vad","interrupt_response":false}"#)["activityHandling"] == "NO_INTERRUPTION")
    #expect(Self.detection(#"{"type":"server_vad"}"#)["activityHandling"] == nil)
  }

  @Test(
    "gemini 5.3: semantic_vad keeps the automatic detection on; eagerness is sensitivity and silence, which is always said (R284)",
    arguments: [
      ("low", "END_SENSITIVITY_LOW", 1200), ("high", "END_SENSITIVITY_HIGH", 400), ("auto", nil, 800),
      ("medium", nil, 800),
    ])
  func semantic(_ eagerness: String, _ sensitivity: String?, _ silence: Int) {
    let automatic = Self.detection(#"{"type":"semantic_vad","eagerness":"\#(eagerness)"}"#)[
      "automaticActivityDetection"]
    #expect(automatic?["endOfSpeechSensitivity"]?.string == sensitivity)
    #expect(automatic?["silenceDurationMs"]?.int == silence && automatic?["disabled"] == nil)
  }

  @Test("gemini 5.3: turn_detection null is disabled and nothing beside it; coverage and handling are stated")
  func manual() {
    #expect(
      Self.detection("null") == [
        "automaticActivityDetection": ["disabled": true], "activityHandling": "NO_INTERRUPTION",
        "turnCoverage": "TURN_INCLUDES_ALL_INPUT",
      ])
  }

  @Test("gemini 5.3 R241: create_response false is the same towards the service; it needs a detector of ours")
  func createResponse() {
    let detection = #"{"type":"server_vad","create_response":false}"#
    let fields = #""audio":{"input":{"turn_detection":\#(detection)}}"#
    let setUp = Call.setUp(Call.live38, fields) { $0.makeDetector = { ScriptedDetector() } }
    #expect(setUp["realtimeInputConfig"] == Self.detection("null"))
    var call = Call.open()
    let error = call.client(Call.update(fields)).error
    #expect(error?["code"] == "unsupported_value")
    #expect(error?["param"] == "session.audio.input.turn_detection.create_response")
  }

  // MARK: The rest

  @Test(
    "gemini 5.3 Q23: what the service has no field for is accepted, shows as it is in force, and sends nothing; strictly, it is refused",
    arguments: [
      (#""audio":{"output":{"speed":1.5}}"#, "session.audio.output.speed"),
      (#""audio":{"input":{"noise_reduction":{"type":"far_field"}}}"#, "session.audio.input.noise_reduction"),
      (#""parallel_tool_calls":false"#, "session.parallel_tool_calls"),
      (#""tool_choice":"required""#, "session.tool_choice"),
      (#""tool_choice":{"type":"function","name":"f"}"#, "session.tool_choice"),
      (#""tracing":"auto""#, "session.tracing"),
      (#""include":["item.input_audio_transcription.logprobs"]"#, "session.include"),
      (#""reasoning":{"effort":"high"}"#, "session.reasoning.effort"),
      (#""type":"realtime","temperature":7"#, "session.temperature"),
      (#""novelty":1"#, "session.novelty"),
      (#""audio":{"output":{"model":"inworld-tts-1.5-max"}}"#, "session.audio.output.model"),
    ])
  func ignored(_ fields: String, _ param: String) {
    var plain = Call.open()
    let before = plain.client(Call.update(#""instructions":"""#)).event("session.updated")?["session"]
    var call = Call.open()
    let step = call.client(Call.update(fields))
    #expect(step.event("session.updated")?["session"] == before)
    #expect(step.notes.contains { $0.fields["fields"]?.contains(param) == true })
    #expect(Call.setUp(Call.live38, fields) == Call.setUp())
    var strict = Call.open { $0.isLenient = false }
    #expect(strict.client(Call.update(fields)).error?["param"]?.string == param)
  }

  @Test("gemini 5.3: tools are functionDeclarations; mcp is refused by its place")
  func tools() {
    let tool =
      #"{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}"#
    #expect(
      Call.setUp(Call.live38, #""tools":[\#(tool)]"#)["tools"] == [
        [
          "functionDeclarations": [
            [
              "name": "f", "description": "d", "behavior": "BLOCKING",
              "parameters": ["type": "OBJECT", "properties": ["a": ["type": "STRING"]]],
            ]
          ]
        ]
      ])
    var call = Call.open()
    let error = call.client(Call.update(#""tools":[\#(tool),{"type":"mcp","server_label":"s"}]"#)).error
    #expect(error?["param"] == "session.tools[1].type" && error?["code"] == "unsupported_value")
  }

  @Test(
    "gemini 1.6 2.3: behavior is stated as the family wants it",
    arguments: [
      (GeminiCall.live38, "BLOCKING"), (GeminiCall.thinking38, "NON_BLOCKING"), (GeminiCall.flash31, nil),
      (GeminiCall.native25, nil),
    ])
  func behavior(_ model: String, _ behavior: String?) {
    let declaration = Call.setUp(model, #""tools":[{"type":"function","name":"f"}]"#)["tools"]?[0]?[
      "functionDeclarations"]?[0]
    #expect(declaration?["name"] == "f" && declaration?["behavior"]?.string == behavior)
  }

  @Test("gemini 5.3: tool_choice none leaves the tools out of the set-up; auto is the default")
  func toolChoice() {
    let tools = #""tools":[{"type":"function","name":"f"}]"#
    #expect(Call.setUp(Call.live38, tools + #","tool_choice":"none""#)["tools"] == nil)
    #expect(Call.setUp(Call.live38, tools + #","tool_choice":"auto""#)["tools"] != nil)
  }

  @Test("gemini 5.3: temperature and max_output_tokens are the generation's; inf is no limit")
  func generation() {
    let generation = Call.setUp(Call.live38, #""temperature":0.3,"max_output_tokens":200"#)["generationConfig"]
    #expect(generation?["temperature"] == 0.3 && generation?["maxOutputTokens"] == 200)
    #expect(Call.session(Call.live38, #""temperature":0.3"#)["temperature"] == 0.3)
    #expect(Call.setUp(Call.live38, #""max_output_tokens":"inf""#)["generationConfig"]?["maxOutputTokens"] == nil)
  }

  @Test(
    "gemini 5.3 1.6: reasoning.effort is what the family knows of thinking",
    arguments: [
      (GeminiCall.native25, "minimal", #"{"thinkingBudget":0}"#),
      (GeminiCall.native25, "low", #"{"thinkingBudget":1024}"#),
      (GeminiCall.flash31, "minimal", #"{"thinkingLevel":"MINIMAL"}"#),
      (GeminiCall.flash31, "high", #"{"thinkingLevel":"HIGH"}"#),
      (GeminiCall.thinking38, "minimal", #"{"thinkingLevel":"LOW"}"#),
      (GeminiCall.thinking38, "medium", #"{"thinkingLevel":"MEDIUM"}"#), (GeminiCall.live38, "high", nil),
    ])
  func reasoning(_ model: String, _ effort: String, _ wire: String?) throws {
    let config = Call.setUp(model, #""reasoning":{"effort":"\#(effort)"}"#)["generationConfig"]?["thinkingConfig"]
    #expect(try config == wire.map { try JSONValue(parsing: $0) })
  }

  @Test("gemini 1.6: a family that must be told a level is told one; others are told nothing")
  func noReasoning() {
    #expect(Call.setUp(Call.thinking38)["generationConfig"]?["thinkingConfig"] == ["thinkingLevel": "LOW"])
    for model in [Call.live38, Call.flash31, Call.native25] {
      #expect(Call.setUp(model)["generationConfig"]?["thinkingConfig"] == nil)
    }
  }

  @Test(
    "gemini 5.3: truncation is contextWindowCompression; disabled leaves it out; a ratio is of the trigger",
    arguments: [
      (#""auto""#, #"{"slidingWindow":{}}"#), (#""disabled""#, nil),
      (
        #"{"type":"retention_ratio","retention_ratio":0.5,"token_limits":{"post_instructions":8000}}"#,
        #"{"triggerTokens":8000,"slidingWindow":{"targetTokens":4000}}"#
      ),
      (
        #"{"type":"retention_ratio","retention_ratio":0.8}"#,
        #"{"triggerTokens":104857,"slidingWindow":{"targetTokens":83886}}"#
      ),
    ])
  func truncation(_ truncation: String, _ wire: String?) throws {
    let compression = Call.setUp(Call.live38, #""truncation":\#(truncation)"#)["contextWindowCompression"]
    #expect(try compression == wire.map { try JSONValue(parsing: $0) })
  }

  @Test("gemini 5.3: a stored prompt is refused by its name")
  func prompt() {
    var call = Call.open()
    let error = call.client(Call.update(#""prompt":{"id":"p"}"#)).error
    #expect(error?["param"] == "session.prompt" && error?["code"] == "unsupported_value")
  }

  @Test(
    "gemini 5.3: session.gemini sets what the envelope has no field for, last; other keys are refused by their names")
  func escapeHatch() {
    let setUp = Call.setUp(
      Call.live38,
      #""gemini":{"translationConfig":{"targetLanguageCode":"de"},"mediaResolution":"MEDIA_RESOLUTION_LOW","proactivity":{"proactiveAudio":true},"safetySettings":[],"startOfSpeechSensitivity":"START_SENSITIVITY_HIGH","turnCoverage":"TURN_INCLUDES_ALL_INPUT","thinkingConfig":{"thinkingBudget":9}}"#
    )
    #expect(setUp["generationConfig"]?["translationConfig"] == ["targetLanguageCode": "de"])
    #expect(setUp["generationConfig"]?["mediaResolution"] == "MEDIA_RESOLUTION_LOW")
    #expect(setUp["generationConfig"]?["thinkingConfig"] == ["thinkingBudget": 9])
    #expect(setUp["proactivity"] == ["proactiveAudio": true] && setUp["safetySettings"] == [])
    #expect(setUp["realtimeInputConfig"]?["turnCoverage"] == "TURN_INCLUDES_ALL_INPUT")
    #expect(
      setUp["realtimeInputConfig"]?["automaticActivityDetection"]
        == ["startOfSpeechSensitivity": "START_SENSITIVITY_HIGH", "silenceDurationMs": 500])
    var call = Call.open()
    let error = call.client(Call.update(#""gemini":{"avatarConfig":{}}"#)).error
    #expect(error?["param"] == "session.gemini.avatarConfig")
  }

  @Test(
    "gemini 5.3: what is always said, by every family: output transcription, resumption, compression, coverage",
    arguments: [GeminiCall.live38, GeminiCall.thinking38, GeminiCall.flash31, GeminiCall.native25])
  func always(_ model: String) {
    let setUp = Call.setUp(model)
    #expect(setUp["outputAudioTranscription"] == [:] && setUp["sessionResumption"] == [:])
    #expect(setUp["contextWindowCompression"] == ["slidingWindow": [:]])
    #expect(setUp["realtimeInputConfig"]?["turnCoverage"] == "TURN_INCLUDES_ONLY_ACTIVITY")
    #expect(setUp["historyConfig"] == nil)
  }
}
