import Envelope
import NIOCore
import Testing

@Suite("Vocabulary: every fixture")
struct VocabularyTests {
  @Test("The fixtures cover exactly the 46 server and 11 client types")
  func coverage() {
    #expect(Set(EventFixtures.serverTypes) == Set(ServerEventType.allCases.map(\.rawValue)))
    #expect(Set(EventFixtures.clientTypes) == Set(ClientEventType.allCases.map(\.rawValue)))
    #expect(ServerEventType.allCases.count == 46)
    #expect(ClientEventType.allCases.count == 11)
  }

  @Test("A server event comes out as it went in", arguments: EventFixtures.serverTypes)
  func server(type: String) throws {
    let fixture = try #require(EventFixtures.server[type])
    let event = try ServerEvent.decode(fixture)
    #expect(event.encoded() == fixture)
    #expect(event.body.eventType?.rawValue == type)
    #expect(event.body.type == type)
    #expect(event.eventID == fixture["event_id"]?.string)
    #expect(try ServerEvent.decode(event.encoded()) == event)
  }

  @Test("R180: a client event comes out as it went in", arguments: EventFixtures.clientTypes)
  func client(type: String) throws {
    let fixture = try #require(EventFixtures.client[type])
    let event = try ClientEvent.decode(fixture)
    #expect(event.encoded() == fixture)
    #expect(event.body.type.rawValue == type)
    #expect(event.eventID == fixture["event_id"]?.string)
    #expect(event.unknown.isEmpty)
    #expect(try ClientEvent.decode(event.encoded()) == event)
  }

  @Test("Unknown fields at any object level survive in server events", arguments: 0..<40)
  func serverUnknownFields(seed: Int) throws {
    var random = EventRandom(seed: UInt64(seed))
    for (type, fixture) in EventFixtures.server {
      let mutated = fixture.withUnknownFields(using: &random)
      let event = try ServerEvent.decode(mutated)
      #expect(event.encoded() == mutated, "\(type), seed \(seed)")
      #expect(try ServerEvent.decode(event.encoded()) == event)
    }
  }

  @Test("Unknown fields at any object level survive in client events", arguments: 0..<40)
  func clientUnknownFields(seed: Int) throws {
    var random = EventRandom(seed: UInt64(seed))
    for (type, fixture) in EventFixtures.client {
      let mutated = fixture.withUnknownFields(using: &random)
      let event = try ClientEvent.decode(mutated)
      #expect(event.encoded() == mutated, "\(type), seed \(seed)")
    }
  }

  @Test("An unknown server event survives whole")
  func unknownServerEvent() throws {
    let value: JSONValue = ["type": "ping", "timestamp": 17, "event_id": "event_1", "deep": ["a": [nil]]]
    let event = try ServerEvent.decode(value)
    #expect(event.body == .unknown(try #require(value.object)))
    #expect(event.encoded() == value)
    #expect(event.body.eventType == nil)
    #expect(event.body.type == "ping")
  }

  @Test("A server event of the wrong shape is a fault with a path")
  func wrongServerEvents() {
    #expect(throws: DecodingFault(.wrongType(expected: .object, found: .array), path: "")) {
      try ServerEvent.decode([])
    }
    #expect(throws: DecodingFault(.missing, path: "type")) { try ServerEvent.decode([:]) }
    #expect(throws: DecodingFault(.wrongType(expected: .integer, found: .number), path: "audio_start_ms")) {
      try ServerEvent.decode(
        ["type": "input_audio_buffer.speech_started", "audio_start_ms": 1.5, "item_id": "i"])
    }
    #expect(throws: DecodingFault(.missing, path: "response.output[0].content[0].text")) {
      try ServerEvent.decode(
        [
          "type": "response.done",
          "response": [
            "id": "r", "status": "completed",
            "output": [["type": "message", "content": [["type": "output_text"]]]],
          ],
        ])
    }
  }

  @Test("A response that leaves fields out is completed with explicit nulls")
  func sparseResponse() throws {
    let event = try ServerEvent.decode(
      ["type": "response.created", "event_id": "e", "response": ["id": "resp_1", "status": "in_progress"]])
    let response = try #require(event.encoded()["response"])
    for key in ["status_details", "conversation_id", "usage", "metadata"] {
      #expect(response[key]?.isNull == true, "\(key)")
    }
    #expect(response["output"] == [])
    #expect(response["object"] == "realtime.response")
  }

  @Test("R193: an error event has every key, null where there is nothing")
  func errorEvent() throws {
    let fault = EventFault(code: nil, message: "No.")
    let event = ServerEvent(eventID: "event_1", .error(fault.errorObject(eventID: nil)))
    let expected: JSONValue = [
      "type": "error", "event_id": "event_1",
      "error": [
        "type": "invalid_request_error", "code": nil, "message": "No.", "param": nil, "event_id": nil,
      ],
    ]
    #expect(event.encoded() == expected)
    var buffer = ByteBuffer()
    event.write(into: &buffer)
    #expect(try JSONValue(parsing: buffer) == expected)
    #expect(String(buffer: buffer).hasPrefix(#"{"type":"error","event_id":"event_1","#))
  }

  @Test("User audio always has a transcript key; assistant audio only where there is a transcript")
  func transcripts() {
    let user = Item.message(id: "i", role: .user, content: [.inputAudio(transcript: nil)])
    #expect(JSONCoding.encode(user)["content"]?[0] == ["type": "input_audio", "transcript": nil])
    let assistant = Item.message(id: "i", role: .assistant, content: [.outputAudio(transcript: nil)])
    #expect(JSONCoding.encode(assistant)["content"]?[0] == ["type": "output_audio"])
  }

  @Test(
    "Formats and voices come out as they went in",
    arguments: [
      ["format": ["type": "audio/pcm", "rate": 48000], "voice": "marin", "speed": 1],
      ["format": ["type": "audio/pcmu", "rate": 8000], "voice": "marin", "speed": 1.25],
      ["format": ["type": "audio/pcma"], "voice": ["id": "voice_1"], "speed": 0.5],
    ] as [JSONValue])
  func audioOutput(value: JSONValue) throws {
    let output = try JSONCoding.decode(AudioOutput.self, from: value)
    #expect(JSONCoding.encode(output) == value)
    #expect(output.format.rate == (value["format"]?["rate"]?.int ?? 8000))
  }

  @Test(
    "Objects whose shape depends on a type come out as they went in",
    arguments: [
      "required", ["type": "mcp", "server_label": "s", "name": nil], ["type": "mcp", "server_label": "s", "name": "n"],
    ] as [JSONValue])
  func toolChoice(value: JSONValue) throws {
    #expect(JSONCoding.encode(try JSONCoding.decode(ToolChoice.self, from: value)) == value)
  }

  @Test("A transcription metered by duration, a failed response and an item of every kind come out as they went in")
  func otherShapes() throws {
    let completed = try #require(EventFixtures.server["conversation.item.input_audio_transcription.completed"])
    let done = try #require(EventFixtures.server["response.done"])
    let items: JSONValue = [
      ["id": "a", "type": "mcp_list_tools", "server_label": "s", "tools": [["name": "n", "input_schema": [:]]]],
      [
        "id": "b", "type": "mcp_call", "server_label": "s", "name": "n", "arguments": "{}", "output": "o", "error": nil,
      ],
      ["id": "c", "type": "mcp_approval_request", "server_label": "s", "name": "n", "arguments": "{}"],
      ["id": "d", "type": "mcp_approval_response", "approval_request_id": "c", "approve": true],
      ["id": "e", "type": "function_call_output", "call_id": "x", "output": "{}"],
      ["id": "f", "type": "force_message", "content": [["type": "speech", "text": "t"], "bare"]],
      [
        "id": "g", "type": "message", "role": "user", "status": "incomplete",
        "content": [["type": "input_image", "image_url": "data:", "text": "odd"]],
      ],
    ]
    let failed: JSONValue = [
      "type": "failed", "error": ["type": "invalid_request_error", "code": "insufficient_quota", "message": "m"],
    ]
    let cancelled: JSONValue = ["type": "cancelled", "reason": "turn_detected"]
    for value in [
      completed.setting("usage", ["type": "duration", "seconds": 1.5, "x": nil]),
      done.setting("response.output", items),
      done.setting("response.status", "failed").setting("response.status_details", failed),
      done.setting("response.status", "cancelled").setting("response.status_details", cancelled),
    ] {
      #expect(try ServerEvent.decode(value).encoded() == value)
    }
  }

  @Test("A transcription session is read and written with its own keys only")
  func transcriptionSession() throws {
    let session: JSONValue = [
      "type": "transcription", "object": "realtime.transcription_session", "id": "sess_1", "expires_at": 17,
      "audio": [
        "input": [
          "format": ["type": "audio/pcm", "rate": 24000],
          "transcription": ["model": "gpt-4o-transcribe", "language": nil, "prompt": nil],
          "noise_reduction": nil,
          "turn_detection": [
            "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
          ],
        ]
      ],
      "include": nil,
    ]
    let value: JSONValue = ["type": "session.created", "event_id": "e", "session": session]
    let event = try ServerEvent.decode(value)
    #expect(event.encoded() == value)
    guard case .sessionCreated(let decoded) = event.body else {
      Issue.record("not a session")
      return
    }
    #expect(decoded.type == .transcription)
    let patch: JSONObject = ["type": "transcription", "audio": ["input": ["transcription": ["language": "de"]]]]
    let updated = try SessionPatch(patch).applied(to: decoded)
    #expect(updated.audio.input.transcription == InputTranscription(model: "gpt-4o-transcribe", language: "de"))
  }
}
