import Envelope
import Testing

@Suite("Beta: what GA has no place for")
struct BetaDialectTests {
  private let created = EventFixtures.server["session.created"] ?? nil
  private let updated = EventFixtures.server["session.updated"] ?? nil
  private let responseCreated = EventFixtures.server["response.created"] ?? nil

  private func update(_ session: JSONValue, id: JSONValue = nil) -> JSONValue {
    ["type": "session.update", "event_id": id, "session": session]
  }

  private func response(_ id: String, done: Bool = false, metadata: JSONValue = nil) -> JSONValue {
    responseCreated.setting("type", done ? "response.done" : "response.created").setting("response.id", .string(id))
      .setting("response.metadata", metadata)
  }

  private func refusal(_ id: JSONValue, param: JSONValue = nil, code: JSONValue = "invalid_value") -> JSONValue {
    [
      "type": "error", "event_id": "event_1",
      "error": [
        "type": "invalid_request_error", "code": code, "message": "No.", "param": param, "event_id": id,
      ],
    ]
  }

  // MARK: Temperature

  @Test("R204: temperature is 0.8 until the client asks, then what it asked for, and goes on to the provider")
  func temperature() throws {
    var wire = ClientWire.beta
    #expect(wire.told(created)?["session"]?["temperature"] == 0.8)
    let neutral = try wire.incoming(update(["temperature": 0.65]))
    #expect(neutral["session"] == ["type": "realtime", "temperature": 0.65])
    #expect(wire.told(updated)?["session"]?["temperature"] == 0.65)
    _ = try wire.incoming(update(["voice": "alloy"]))
    #expect(wire.told(updated)?["session"]?["temperature"] == 0.65)
    #expect(wire.told(response("resp_1"))?["response"]?["temperature"] == 0.65)
    // What the provider says it uses counts most.
    #expect(wire.told(updated.setting("session.temperature", 1))?["session"]?["temperature"] == 1)
    _ = try wire.incoming(update(["temperature": nil]))
    #expect(wire.told(updated)?["session"]?["temperature"] == 0.8)
  }

  @Test("A refused update leaves no trace, whether or not the client numbers its events")
  func refused() throws {
    for id in ["e1", nil] as [JSONValue] {
      var wire = ClientWire.beta
      _ = try wire.incoming(update(["temperature": 0.7, "modalities": ["audio"], "speed": 9], id: id))
      _ = wire.told(refusal(id, param: "session.audio.output.speed"))
      _ = try wire.incoming(update([:], id: "e2"))
      let session = wire.told(updated)?["session"]
      #expect(session?["temperature"] == 0.8 && session?["modalities"] == ["text", "audio"])
    }
  }

  @Test("R204: a response has its own temperature and modalities, from its creation to its end")
  func responses() throws {
    var wire = ClientWire.beta
    _ = try wire.incoming(["type": "response.create", "event_id": "a", "response": ["temperature": 0.6]])
    _ = try wire.incoming([
      "type": "response.create",
      "response": ["temperature": 1.1, "metadata": ["k": "v"], "modalities": ["audio", "text"]],
    ])
    // The one with metadata overtakes, and a response that nobody asked for has the session's.
    let second = wire.told(response("resp_2", metadata: ["k": "v"]))?["response"]
    #expect(second?["temperature"] == 1.1 && second?["modalities"] == ["audio", "text"])
    let first = wire.told(response("resp_1"))?["response"]
    #expect(first?["temperature"] == 0.6 && first?["modalities"] == ["text", "audio"])
    #expect(wire.told(response("resp_3"))?["response"]?["temperature"] == 0.8)
    #expect(wire.told(response("resp_1", done: true))?["response"]?["temperature"] == 0.6)
    #expect(wire.told(response("resp_2", done: true, metadata: ["k": "v"]))?["response"]?["temperature"] == 1.1)
  }

  @Test("A response that was refused lends its wishes to no other", arguments: ["a", nil] as [JSONValue])
  func refusedResponse(id: JSONValue) throws {
    var wire = ClientWire.beta
    _ = try wire.incoming(["type": "response.create", "event_id": id, "response": ["temperature": 0.6]])
    _ = wire.told(refusal(id, code: "conversation_already_has_active_response"))
    #expect(wire.told(response("resp_1"))?["response"]?["temperature"] == 0.8)
  }

  @Test("A provider that confirms nothing does not make memory grow, and the last wishes count")
  func bounded() throws {
    var wire = ClientWire.beta
    for number in 0..<500 {
      _ = try wire.incoming(update(["temperature": .number(JSONNumber(0.6 + Double(number) / 1_000))]))
    }
    var last: JSONValue?
    for _ in 0..<64 { last = wire.told(updated)?["session"]?["temperature"] }
    #expect(last == 1.099)
  }

  // MARK: Modalities

  @Test(
    "R195: modalities in any order become GA's, and are told as they were asked for",
    arguments: [
      (["text", "audio"], ["audio"], ["text", "audio"]), (["audio", "text"], ["audio"], ["audio", "text"]),
      (["audio"], ["audio"], ["audio"]), (["text"], ["text"], ["text"]),
    ] as [(JSONValue, JSONValue, JSONValue)])
  func modalities(asked: JSONValue, ga: JSONValue, told: JSONValue) throws {
    var wire = ClientWire.beta
    #expect(try wire.incoming(update(["modalities": asked]))["session"]?["output_modalities"] == ga)
    #expect(wire.told(updated.setting("session.output_modalities", ga))?["session"]?["modalities"] == told)
    // What really happens counts, not what was asked for.
    #expect(wire.told(updated.setting("session.output_modalities", ["text"]))?["session"]?["modalities"] == ["text"])
  }

  // MARK: Values

  @Test(
    "R198, R199: formats",
    arguments: [
      ("pcm16", ["type": "audio/pcm", "rate": 24000]), ("g711_ulaw", ["type": "audio/pcmu"]),
      ("g711_alaw", ["type": "audio/pcma"]),
    ] as [(String, JSONValue)])
  func formats(beta: String, ga: JSONValue) throws {
    var wire = ClientWire.beta
    let neutral = try wire.incoming(
      update(["input_audio_format": .string(beta), "output_audio_format": .string(beta)]))["session"]?["audio"]
    #expect(neutral == ["input": ["format": ga], "output": ["format": ga]])
    let session = wire.told(updated.setting("session.audio", neutral ?? nil))?["session"]
    #expect(session?["input_audio_format"]?.string == beta && session?["output_audio_format"]?.string == beta)
  }

  @Test("R200, R201: null and absent are two things, in both directions")
  func nulls() throws {
    var wire = ClientWire.beta
    let names = ["turn_detection", "input_audio_transcription", "input_audio_noise_reduction"]
    for mask in 0..<27 {
      var flat = JSONObject()
      for (place, name) in names.enumerated() {
        switch mask / [1, 3, 9][place] % 3 {
        case 0: break
        case 1: flat[name] = JSONValue.null
        default: flat[name] = name == "input_audio_transcription" ? ["model": "m"] : ["type": "semantic_vad"]
        }
      }
      let neutral = try #require(try wire.incoming(update(.object(flat)))["session"]?.object)
      #expect(BetaWire.session(fromGA: neutral) == flat)
    }
  }

  @Test("R200: the switch of old clients inside input_audio_transcription")
  func enabled() throws {
    var wire = ClientWire.beta
    func transcription(_ value: JSONValue) throws -> JSONValue? {
      try wire.incoming(update(["input_audio_transcription": value]))["session"]?["audio"]?["input"]?["transcription"]
    }
    #expect(try transcription(["model": "whisper-1", "enabled": true]) == ["model": "whisper-1"])
    #expect(try transcription(["model": "whisper-1", "enabled": false]) == .some(.null))
  }

  @Test("R203, Q10: a tool may be chosen by its bare name, in both dialects and for one response")
  func toolChoice() throws {
    var wire = ClientWire.beta
    let byName: JSONValue = ["type": "function", "name": "get_weather"]
    for choice in ["auto", "none", "required", byName] as [JSONValue] {
      #expect(try wire.incoming(update(["tool_choice": choice]))["session"]?["tool_choice"] == choice)
    }
    #expect(try wire.incoming(update(["tool_choice": "get_weather"]))["session"]?["tool_choice"] == byName)
    let create: JSONValue = ["type": "response.create", "response": ["tool_choice": "get_weather"]]
    #expect(try wire.incoming(create)["response"]?["tool_choice"] == byName)
    guard case .responseCreate(let options) = try ClientEvent.decode(create).body else {
      Issue.record("no response.create")
      return
    }
    #expect(options?.toolChoice == .function(name: "get_weather"))
    let session = try SessionPatch(["tool_choice": "get_weather"]).applied(
      to: .defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 1))
    #expect(session.toolChoice == .function(name: "get_weather"))
  }

  @Test("What the assistant said goes by both names, also for GA clients; what others said is judged as GA")
  func content() throws {
    func create(_ role: JSONValue, _ type: JSONValue) -> JSONValue {
      [
        "type": "conversation.item.create",
        "item": ["type": "message", "role": role, "content": [["type": type, "text": "a"]]],
      ]
    }
    for wire in [ClientWire.beta, ClientWire(.fixed(.ga), deltaFields: .delta)] {
      var wire = wire
      for type in ["text", "output_text"] as [JSONValue] {
        guard
          case .conversationItemCreate(let item, _) =
            try ClientEvent.decode(try wire.incoming(create("assistant", type))).body
        else {
          Issue.record("no item")
          return
        }
        #expect(item.content == [.outputText("a")])
      }
      let event = try wire.incoming(create("user", "text"))
      #expect(
        thrownFault { () throws(EventFault) in _ = try ClientEvent.decode(event) }?.param == "item.content[0].type")
    }
  }

  @Test("A client that mixes: GA names win over beta names, and what is in no table stays")
  func mixed() throws {
    var wire = ClientWire.beta
    let neutral = try wire.incoming(
      update([
        "model": "m", "voice": "alloy", "audio": ["output": ["voice": "marin"], "x": 1], "speed": 1.5,
        "max_response_output_tokens": 5, "max_output_tokens": 6, "x": ["modalities": 1],
        "client_secret": ["value": "s"],
      ]))
    #expect(
      neutral["session"] == [
        "type": "realtime", "model": "m", "audio": ["output": ["voice": "marin", "speed": 1.5], "x": 1],
        "max_output_tokens": 6, "x": ["modalities": 1],
      ])
  }

  @Test("A transcription session has its own events and fields")
  func transcription() throws {
    var wire = ClientWire.beta
    let neutral = try wire.incoming([
      "type": "transcription_session.update",
      "session": ["input_audio_transcription": ["model": "m"], "modalities": ["text"], "client_secret": nil],
    ])
    #expect(
      neutral == [
        "type": "session.update",
        "session": ["type": "transcription", "audio": ["input": ["transcription": ["model": "m"]]]],
      ])
    var session = RealtimeSession.defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 1)
    session.type = .transcription
    session.object = SessionType.transcription.object
    let told = wire.told(ServerEvent(eventID: "event_1", .sessionUpdated(session)).encoded())
    #expect(told?["type"] == "transcription_session.updated")
    #expect(
      told?["session"]?.object?.keys.sorted() == [
        "client_secret", "expires_at", "id", "include", "input_audio_format", "input_audio_noise_reduction",
        "input_audio_transcription", "object", "turn_detection",
      ])
  }
}
