import Envelope
import Testing

@Suite("Session updates")
struct SessionPatchTests {
  private static let start: RealtimeSession = {
    var session = RealtimeSession.defaults(id: "sess_1", model: "gpt-realtime", voice: "marin", expiresAt: 17)
    session.instructions = "Be brief."
    session.tools = [.function(FunctionTool(name: "f"))]
    session.audio.input.transcription = InputTranscription(model: "whisper-1", language: "en")
    session.audio.input.noiseReduction = NoiseReduction(type: .nearField)
    return session
  }()

  private static func apply(
    _ path: String, _ value: JSONValue, to session: RealtimeSession = start
  ) throws(EventFault) -> RealtimeSession {
    let patch: JSONValue = [:]
    return try SessionPatch(patch.setting(path, value).object ?? [:]).applied(to: session)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let path: String
    let value: JSONValue
    let code: String
    let param: String

    var testDescription: String { "\(path) \(code)" }

    init(_ path: String, _ value: JSONValue, _ code: String, _ suffix: String = "") {
      self.path = path
      self.value = value
      self.code = code
      param = "session." + path + suffix
    }
  }

  static let invalid: [Row] = [
    Row("type", "chat", "invalid_value"),
    Row("type", "transcription", "invalid_parameter"),
    Row("type", 7, "invalid_type"),
    Row("model", 7, "invalid_type"),
    Row("modelId", nil, "invalid_type"),
    Row("instructions", nil, "invalid_type"),
    Row("output_modalities", "audio", "invalid_type"),
    Row("output_modalities", [], "invalid_value"),
    Row("output_modalities", ["audio", "video"], "invalid_value", "[1]"),
    Row("tools", [:], "invalid_type"),
    Row(
      "tools", [["type": "mcp", "server_label": "s"], ["type": "function"]], "missing_required_parameter", "[1].name"),
    Row("tools", [["type": "function", "function": ["name": "f"]]], "missing_required_parameter", "[0].name"),
    Row("tools", [["name": "f"]], "missing_required_parameter", "[0].type"),
    Row("tools", [["type": "function", "name": 7]], "invalid_type", "[0].name"),
    Row("tool_choice", "any tool", "invalid_value"),
    Row("tool_choice", ["type": "function", "function": ["name": "f"]], "missing_required_parameter", ".name"),
    Row("tool_choice", ["type": "web"], "invalid_value", ".type"),
    Row("max_output_tokens", 0, "integer_below_min_value"),
    Row("max_output_tokens", 4097, "integer_above_max_value"),
    Row("max_output_tokens", "infinite", "invalid_value"),
    Row("max_output_tokens", 1.5, "invalid_type"),
    Row("max_output_tokens", true, "invalid_type"),
    Row("parallel_tool_calls", "yes", "invalid_type"),
    Row("reasoning", ["effort": "extreme"], "invalid_value", ".effort"),
    Row("tracing", "on", "invalid_value"),
    Row("truncation", "never", "invalid_value"),
    Row(
      "truncation", ["type": "retention_ratio", "retention_ratio": 1.5], "decimal_above_max_value", ".retention_ratio"),
    Row("prompt", ["version": "2"], "missing_required_parameter", ".id"),
    Row("include", ["everything"], "invalid_value", "[0]"),
    Row("audio", nil, "invalid_type"),
    Row("audio.input", 7, "invalid_type"),
    Row("audio.input.format", "pcm16", "invalid_type"),
    Row("audio.input.format", ["type": "audio/opus"], "invalid_value", ".type"),
    Row("audio.input.format", ["type": "audio/pcm", "rate": 16000], "integer_below_min_value", ".rate"),
    Row("audio.input.format.rate", 48000, "integer_above_max_value"),
    Row("audio.output.format", ["type": "audio/pcm", "rate": "24000"], "invalid_type", ".rate"),
    Row("audio.output.voice", 7, "invalid_type"),
    Row("audio.output.voice", "", "invalid_value"),
    Row("audio.output.speed", 0.2, "decimal_below_min_value"),
    Row("audio.output.speed", 1.6, "decimal_above_max_value"),
    Row("audio.input.transcription", "whisper-1", "invalid_type"),
    Row("audio.input.transcription.model", 7, "invalid_type"),
    Row("audio.input.transcription.delay", "never", "invalid_value"),
    Row("audio.input.noise_reduction.type", "no_field", "invalid_value"),
    Row("audio.input.turn_detection", "server_vad", "invalid_type"),
    Row("audio.input.turn_detection.threshold", "0.5", "invalid_type"),
    Row("audio.input.turn_detection.prefix_padding_ms", -1, "integer_below_min_value"),
    Row("audio.input.turn_detection.silence_duration_ms", 1e300, "integer_above_max_value"),
    Row("audio.input.turn_detection.idle_timeout_ms", 30_001, "integer_above_max_value"),
    Row("audio.input.turn_detection.create_response", 1, "invalid_type"),
    Row("audio.input.turn_detection.interrupt_response", nil, "invalid_type"),
  ]

  @Test("R085, R186: an invalid update is refused as a whole, with one fault that names the field", arguments: invalid)
  func refusals(row: Row) throws {
    let unchanged = JSONCoding.encode(Self.start)
    let other = row.path == "instructions" ? "model" : "instructions"
    let empty: JSONValue = [:]
    let alone = empty.setting(row.path, row.value)
    let before: JSONValue = empty.setting(other, "New.").setting(row.path, row.value)
    let after: JSONValue = alone.setting(other, "New.")
    for patch in [alone, before, after] {
      var session = Self.start
      let thrown = thrownFault { () throws(EventFault) in
        session = try SessionPatch(patch.object ?? [:]).applied(to: session)
      }
      #expect(thrown?.code == row.code)
      #expect(thrown?.param == row.param)
      #expect(thrown?.type == "invalid_request_error")
      #expect(JSONCoding.encode(session) == unchanged)
    }
  }

  @Test("R239: the eagerness is one of four", arguments: ["low", "medium", "high", "auto", "urgent"])
  func eagerness(name: String) throws {
    let path = "audio.input.turn_detection"
    let value: JSONValue = ["type": "semantic_vad", "eagerness": .string(name)]
    guard name != "urgent" else {
      let thrown = thrownFault { () throws(EventFault) in _ = try Self.apply(path, value) }
      #expect(thrown?.code == "invalid_value")
      #expect(thrown?.param == "session.audio.input.turn_detection.eagerness")
      return
    }
    let session = try Self.apply(path, value)
    let expected = SemanticVAD(eagerness: try #require(SemanticVAD.Eagerness(rawValue: name)))
    #expect(session.audio.input.turnDetection == .semanticVAD(expected))
  }

  @Test("R275: a turn_detection.type other than server_vad and semantic_vad is refused")
  func turnDetectionType() throws {
    let thrown = thrownFault { () throws(EventFault) in _ = try Self.apply("audio.input.turn_detection.type", "foo") }
    #expect(thrown?.code == "invalid_value")
    #expect(thrown?.param == "session.audio.input.turn_detection.type")
    #expect(try Self.apply("audio.input.turn_detection", nil).audio.input.turnDetection == nil)
    let off = try Self.apply("audio.input.turn_detection", nil)
    let untyped = thrownFault { () throws(EventFault) in
      _ = try Self.apply("audio.input.turn_detection.threshold", 0.4, to: off)
    }
    #expect(untyped?.code == "missing_required_parameter")
    #expect(untyped?.param == "session.audio.input.turn_detection.type")
  }

  @Test("R245: the threshold is 0 to 1, 0.5 where it is omitted", arguments: [-0.1, 0, 0.3, 1, 1.5])
  func threshold(value: Double) throws {
    let path = "audio.input.turn_detection.threshold"
    let given = JSONValue.number(JSONNumber(value))
    guard (0...1).contains(value) else {
      let thrown = thrownFault { () throws(EventFault) in _ = try Self.apply(path, given) }
      #expect(thrown?.code == "invalid_value")
      #expect(thrown?.param == "session." + path)
      return
    }
    #expect(try Self.apply(path, given).audio.input.turnDetection == .serverVAD(ServerVAD(threshold: value)))
    let omitted = try Self.apply("audio.input.turn_detection", ["type": "server_vad"])
    #expect(omitted.audio.input.turnDetection == .serverVAD(ServerVAD(threshold: 0.5)))
  }

  @Test("R241, R242: create_response and interrupt_response are true unless set, and echoed as set")
  func responses() throws {
    for type in ["server_vad", "semantic_vad"] {
      let path = "audio.input.turn_detection"
      let session = try Self.apply(path, ["type": .string(type)])
      let detection = try #require(session.audio.input.turnDetection)
      #expect(detection.createResponse)
      #expect(detection.interruptResponse)
      let off = try Self.apply(path, ["create_response": false, "interrupt_response": false], to: session)
      let echo = JSONCoding.encode(off)["audio"]?["input"]?["turn_detection"]
      #expect(echo?["create_response"] == false)
      #expect(echo?["interrupt_response"] == false)
    }
  }

  @Test("R243, R250: a partial update keeps what it does not mention")
  func partial() throws {
    let session = try Self.apply("audio.input.turn_detection.threshold", 0.7)
    var expected = Self.start
    expected.audio.input.turnDetection = .serverVAD(ServerVAD(threshold: 0.7))
    #expect(session == expected)

    let again = try Self.apply(
      "audio.input.turn_detection", ["type": "server_vad", "prefix_padding_ms": 200], to: session)
    expected.audio.input.turnDetection = .serverVAD(ServerVAD(threshold: 0.7, prefixPaddingMs: 200))
    #expect(again == expected)

    let semantic = try Self.apply("audio.input.turn_detection.type", "semantic_vad", to: again)
    let back = try Self.apply("audio.input.turn_detection.type", "server_vad", to: semantic)
    #expect(back.audio.input.turnDetection == .serverVAD(ServerVAD()))
  }

  @Test("R244: the fields of server_vad are echoed")
  func serverVAD() throws {
    let given: JSONValue = [
      "type": "server_vad", "threshold": 0.6, "prefix_padding_ms": 250, "silence_duration_ms": 700,
      "idle_timeout_ms": 6000, "create_response": false, "interrupt_response": true,
    ]
    let session = try Self.apply("audio.input.turn_detection", given)
    #expect(JSONCoding.encode(session)["audio"]?["input"]?["turn_detection"] == given)
  }

  @Test("R249: idle_timeout_ms takes null and 0", arguments: [nil, 0, 800, 30_000] as [JSONValue])
  func idleTimeout(value: JSONValue) throws {
    let path = "audio.input.turn_detection.idle_timeout_ms"
    let session = try Self.apply(path, value, to: try Self.apply(path, 5000))
    #expect(JSONCoding.encode(session)["audio"]?["input"]?["turn_detection"]?["idle_timeout_ms"] == value)
    #expect(session.audio.input.turnDetection == .serverVAD(ServerVAD(idleTimeoutMs: value.int)))
  }

  @Test("R225: an update of the voice alone leaves the rest unchanged")
  func voice() throws {
    let session = try Self.apply("audio.output.voice", "cedar")
    var expected = Self.start
    expected.audio.output.voice = "cedar"
    #expect(session == expected)
    let custom = try Self.apply("audio.output.voice", ["id": "voice_1", "x": 1])
    #expect(JSONCoding.encode(custom)["audio"]?["output"]?["voice"] == ["id": "voice_1", "x": 1])
  }

  @Test("R276: a prompt or a language alone keeps the model of the transcription")
  func transcription() throws {
    let session = try Self.apply("audio.input.transcription", ["language": "de"])
    let echo = JSONCoding.encode(session)["audio"]?["input"]?["transcription"]
    #expect(echo == ["model": "whisper-1", "language": "de", "prompt": nil])
    let prompted = try Self.apply("audio.input.transcription.prompt", "Names.", to: session)
    #expect(
      prompted.audio.input.transcription == InputTranscription(model: "whisper-1", language: "de", prompt: "Names."))
    let off = try Self.apply("audio.input.transcription", nil)
    #expect(JSONCoding.encode(off)["audio"]?["input"]?["transcription"] == JSONValue.null)
    let fresh = try Self.apply("audio.input.transcription", ["model": "gpt-transcribe"], to: off)
    #expect(
      JSONCoding.encode(fresh)["audio"]?["input"]?["transcription"]
        == ["model": "gpt-transcribe", "language": nil, "prompt": nil])
  }

  @Test("R235: the fault for a transcription model that is not known")
  func transcriptionModel() {
    let fault = EventFault.invalidValue("nope", param: "session.audio.input.transcription.model")
    #expect(fault.type == "invalid_request_error")
    #expect(fault.code == "invalid_value")
    #expect(fault.message == "Invalid value: 'nope'.")
  }

  @Test("R156: modelId is an alias of model, and model wins")
  func modelAlias() throws {
    #expect(try Self.apply("modelId", "groq/gpt-oss-120b").model == "groq/gpt-oss-120b")
    for patch in [["model": "a", "modelId": "b"], ["modelId": "b", "model": "a"]] as [JSONObject] {
      let session = try SessionPatch(patch).applied(to: Self.start)
      #expect(session.model == "a")
      #expect(session.unknown.isEmpty)
      #expect(SessionPatch(patch).model == "a")
    }
  }

  @Test("R157: both modalities in either order are accepted as audio")
  func modalities() throws {
    for both in [["audio", "text"], ["text", "audio"]] as [JSONValue] {
      #expect(try Self.apply("output_modalities", both).outputModalities == [.audio])
    }
    #expect(try Self.apply("output_modalities", ["text"]).outputModalities == [.text])
  }

  @Test("R181: every field of the fixture's update is visible in the session")
  func wholeFixture() throws {
    let fixture = try #require(EventFixtures.client["session.update"])
    guard case .sessionUpdate(let patch) = try ClientEvent.decode(fixture).body else {
      Issue.record("no update")
      return
    }
    let session = try patch.applied(to: Self.start)
    let echo = JSONCoding.encode(session)
    for (key, value) in patch.fields {
      #expect(echo[key] == value, "\(key)")
    }
    #expect(echo["id"] == "sess_1")
  }

  @Test("Null clears nullable fields, arrays replace, the server's own fields cannot be set")
  func clearing() throws {
    let set = try Self.apply("tracing", "auto", to: try Self.apply("prompt", ["id": "p"]))
    let cleared = try SessionPatch(["tracing": nil, "prompt": nil, "include": nil, "tools": []]).applied(to: set)
    #expect(cleared.tracing == nil)
    #expect(cleared.prompt == nil)
    #expect(cleared.tools.isEmpty)
    #expect(try Self.apply("audio.input.noise_reduction", nil).audio.input.noiseReduction == nil)
    #expect(
      try Self.apply("audio.input.noise_reduction.strength", 0.5).audio.input.noiseReduction
        == NoiseReduction(type: .nearField, strength: 0.5))
    let own = try SessionPatch(["id": "sess_2", "object": "x", "expires_at": 1]).applied(to: Self.start)
    #expect(own == Self.start)
    #expect(try SessionPatch([:]).applied(to: Self.start) == Self.start)
  }

  @Test("Unknown fields are kept wherever they stand")
  func unknownFields() throws {
    let patch: JSONObject = [
      "providerData": ["a": 1],
      "audio": [
        "b": 2,
        "input": ["c": 3, "format": ["d": 4], "turn_detection": ["model_version": "v2"], "transcription": ["e": 5]],
        "output": ["model": "tts", "format": ["type": "audio/pcmu", "f": nil]],
      ],
    ]
    let echo = JSONCoding.encode(try SessionPatch(patch).applied(to: Self.start))
    #expect(echo["providerData"] == ["a": 1])
    let audio = echo["audio"]
    #expect(audio?["b"] == 2)
    #expect(audio?["input"]?["c"] == 3)
    #expect(audio?["input"]?["format"] == ["type": "audio/pcm", "rate": 24000, "d": 4])
    #expect(audio?["input"]?["turn_detection"]?["model_version"] == "v2")
    #expect(audio?["input"]?["transcription"]?["e"] == 5)
    #expect(audio?["output"]?["model"] == "tts")
    #expect(audio?["output"]?["format"] == ["type": "audio/pcmu", "f": nil])
  }

  @Test("A fresh session has every key of the service's")
  func defaults() throws {
    let session = JSONCoding.encode(RealtimeSession.defaults(id: "s", model: "m", voice: "marin", expiresAt: 17))
    let fixture = try #require(EventFixtures.server["session.created"]?["session"]?.object)
    #expect(Set(session.object?.keys ?? []) == Set(fixture.keys))
    #expect(
      session["audio"]?["input"]?["turn_detection"]
        == [
          "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
          "idle_timeout_ms": nil, "create_response": true, "interrupt_response": true,
        ])
  }
}
