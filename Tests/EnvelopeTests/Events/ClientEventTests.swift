import Envelope
import Testing

@Suite("Client events: checks")
struct ClientEventTests {
  private static func decodingFault(_ value: JSONValue) -> EventFault? {
    thrownFault { () throws(EventFault) in _ = try ClientEvent.decode(value) }
  }

  @Test("R098, fault row 39: a type that is missing, of the wrong kind, unknown")
  func types() throws {
    for (value, code) in [
      ([:], "invalid_value"), (["type": nil], "invalid_type"), (["type": 7], "invalid_type"),
      (["type": "no.such"], "invalid_value"), (["type": "transcription_session.update"], "invalid_value"),
    ] as [(JSONValue, String)] {
      let fault = try #require(Self.decodingFault(value), "\(value)")
      #expect(fault.code == code)
      #expect(fault.param == "type")
      #expect(fault.type == "invalid_request_error")
    }
    let unknown = try #require(Self.decodingFault(["type": "no.such"]))
    #expect(unknown.message.hasPrefix("Invalid value: 'no.such'. Supported values are: 'session.update', "))
    for type in ClientEventType.allCases {
      #expect(unknown.message.contains("'\(type.rawValue)'"))
    }
  }

  @Test("Fault row 35: JSON that is no object", arguments: [[], "text", 7, nil, true] as [JSONValue])
  func noObject(value: JSONValue) throws {
    let fault = try #require(Self.decodingFault(value))
    #expect(fault.code == "invalid_event")
  }

  @Test("Fault row 39: the event_id is bounded and can be read from an invalid event")
  func eventIDs() throws {
    let longest = String(repeating: "é", count: 512)
    let commit: JSONValue = ["type": "input_audio_buffer.commit"]
    #expect(try ClientEvent.decode(commit.setting("event_id", .string(longest))).eventID == longest)
    #expect(try ClientEvent.decode(commit.setting("event_id", nil)).eventID == nil)

    let tooLong = commit.setting("event_id", .string(longest + "x"))
    let fault = try #require(Self.decodingFault(tooLong))
    #expect(fault.code == "string_above_max_length")
    #expect(fault.param == "event_id")
    #expect(ClientEvent.eventID(of: tooLong) == nil)
    #expect(Self.decodingFault(commit.setting("event_id", 7))?.code == "invalid_type")

    #expect(ClientEvent.eventID(of: ["type": "no.such", "event_id": "mine"]) == "mine")
    #expect(ClientEvent.eventID(of: ["event_id": 7]) == nil)
    #expect(ClientEvent.eventID(of: []) == nil)
  }

  @Test("Nulls that SDKs write for absent fields are tolerated")
  func nulls() throws {
    let create: JSONValue = ["type": "response.create", "response": nil]
    #expect(try ClientEvent.decode(create).body == .responseCreate(nil))
    #expect(try ClientEvent.decode(create).encoded() == create)
    let cancel: JSONValue = ["type": "response.cancel", "response_id": nil]
    #expect(try ClientEvent.decode(cancel).body == .responseCancel(responseID: nil))
    let item: JSONValue = ["type": "message", "role": "user", "content": [["type": "input_text", "text": "a"]]]
    let add: JSONValue = ["type": "conversation.item.create", "item": item]
    guard case .conversationItemCreate(_, .absent) = try ClientEvent.decode(add).body,
      case .conversationItemCreate(_, .null) = try ClientEvent.decode(add.setting("previous_item_id", nil)).body
    else {
      Issue.record("absent and null are not told apart")
      return
    }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let type: String
    /// Nil removes the field.
    let path: String
    let value: JSONValue?
    let code: String
    let param: String

    var testDescription: String { "\(type) \(path)" }

    init(_ type: String, _ path: String, _ value: JSONValue?, _ code: String, _ param: String? = nil) {
      self.type = type
      self.path = path
      self.value = value
      self.code = code
      self.param = param ?? path
    }
  }

  static let rows: [Row] = [
    Row("session.update", "session", nil, "missing_required_parameter"),
    Row("session.update", "session", "x", "invalid_type"),
    Row("input_audio_buffer.append", "audio", nil, "missing_required_parameter"),
    Row("input_audio_buffer.append", "audio", 7, "invalid_type"),
    Row("conversation.item.create", "item", nil, "missing_required_parameter"),
    Row("conversation.item.create", "item", [], "invalid_type"),
    Row("conversation.item.create", "item.type", 1, "invalid_type"),
    Row("conversation.item.create", "item.role", "developer", "invalid_value"),
    Row(
      "conversation.item.create", "item", ["type": "message", "role": "user"], "missing_required_parameter",
      "item.content"),
    Row(
      "conversation.item.create", "item.content", [["type": "text", "text": "a"]], "invalid_value",
      "item.content[0].type"),
    Row(
      "conversation.item.create", "item.content", [["type": "input_text"]], "missing_required_parameter",
      "item.content[0].text"),
    Row("conversation.item.create", "item.id", 3, "invalid_type"),
    Row(
      "conversation.item.create", "item", ["type": "function_call_output", "output": "x"], "missing_required_parameter",
      "item.call_id"),
    Row(
      "conversation.item.create", "item", ["type": "function_call", "name": "f"], "missing_required_parameter",
      "item.arguments"),
    Row("conversation.item.create", "item", ["type": "item_reference", "id": "i"], "invalid_value", "item.type"),
    Row("conversation.item.create", "previous_item_id", 3, "invalid_type"),
    Row("conversation.item.retrieve", "item_id", nil, "missing_required_parameter"),
    Row("conversation.item.delete", "item_id", true, "invalid_type"),
    Row("conversation.item.truncate", "audio_end_ms", -1, "integer_below_min_value"),
    Row("conversation.item.truncate", "audio_end_ms", 1.5, "invalid_type"),
    Row("conversation.item.truncate", "content_index", "0", "invalid_type"),
    Row("response.create", "response", "x", "invalid_type"),
    Row("response.create", "response.output_modalities", ["video"], "invalid_value", "response.output_modalities[0]"),
    Row("response.create", "response.max_output_tokens", 0, "integer_below_min_value"),
    Row("response.create", "response.metadata", ["a": 1], "invalid_type", "response.metadata.a"),
    Row("response.create", "response.tool_choice", "any tool", "invalid_value"),
    Row(
      "response.create", "response.tools", [["type": "function"]], "missing_required_parameter",
      "response.tools[0].name"),
    Row("response.create", "response.audio.output.format", "pcm16", "invalid_type"),
    Row(
      "response.create", "response.input", [["type": "item_reference"]], "missing_required_parameter",
      "response.input[0].id"),
    Row("response.cancel", "response_id", 7, "invalid_type"),
  ]

  @Test("Fault row 39: a field that is missing, of the wrong kind or out of bounds", arguments: rows)
  func fields(row: Row) throws {
    let fixture = try #require(EventFixtures.client[row.type])
    var value = fixture
    if let replacement = row.value {
      value = fixture.setting(row.path, replacement)
    } else if var object = fixture.object {
      object.removeValue(forKey: row.path)
      value = .object(object)
    }
    let fault = try #require(Self.decodingFault(value))
    #expect(fault.code == row.code)
    #expect(fault.param == row.param)
    #expect(ClientEvent.eventID(of: value) == fixture["event_id"]?.string)
  }

  @Test(
    "A wrong kind anywhere gives a value that is stable or a fault with a param", arguments: EventFixtures.clientTypes)
  func replacements(type: String) throws {
    let fixture = try #require(EventFixtures.client[type])
    for replacement in [nil, true, -1, 1.5, "text", [], [:], [[:]], 1e300] as [JSONValue] {
      for value in fixture.replacements(by: replacement) {
        do throws(EventFault) {
          let event = try ClientEvent.decode(value)
          let again = try ClientEvent.decode(event.encoded())
          #expect(again == event)
          if case .sessionUpdate(let patch) = event.body {
            Self.expectStable(patch)
          }
        } catch {
          #expect(error.param != nil && error.code != nil, "\(error)")
        }
      }
    }
  }

  private static func expectStable(_ patch: SessionPatch) {
    let start = RealtimeSession.defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 1)
    do {
      let session = try patch.applied(to: start)
      let written = JSONCoding.encode(session)
      #expect(try JSONCoding.decode(RealtimeSession.self, from: written) == session)
    } catch let fault as EventFault {
      #expect(fault.param?.hasPrefix("session.") == true, "\(fault)")
    } catch {
      Issue.record("a session that was accepted cannot be read again: \(error)")
    }
  }

  @Test("Messages that clients match on")
  func messages() {
    #expect(EventFault.noActiveResponse().message == "Cancellation failed: no active response found")
    #expect(EventFault.noActiveResponse().code == "response_cancel_not_active")
    #expect(
      EventFault.activeResponse("resp_1").message
        == "Conversation already has an active response in progress: resp_1. "
        + "Wait until the response is finished before creating a new one."
    )
    #expect(
      EventFault.bufferTooSmall(milliseconds: 0).message
        == "Error committing input audio buffer: buffer too small. "
        + "Expected at least 100ms of audio, but buffer only has 0.00ms of audio."
    )
    #expect(EventFault.bufferTooSmall(milliseconds: 20.05).message.hasSuffix("only has 20.05ms of audio."))
    #expect(EventFault.duplicateItem("i").message == "Error adding item: an item with id 'i' already exists.")
    #expect(
      EventFault.deleteOfUnknownItem("i").message == "Error deleting item: the item with id 'i' does not exist.")
    let long = EventFault.unknownEventType(String(repeating: "x", count: 100_000))
    #expect(long.message.count < 600)
  }

  @Test("Options of a response: both modalities, metadata kept, voice object")
  func options() throws {
    let event = try ClientEvent.decode(
      [
        "type": "response.create",
        "response": [
          "output_modalities": ["text", "audio"], "metadata": ["client_event_id": "e1"],
          "audio": ["output": ["voice": ["id": "voice_1"]]], "conversation": "none",
        ],
      ])
    guard case .responseCreate(let options?) = event.body else {
      Issue.record("no options")
      return
    }
    #expect(options.outputModalities == [.audio])
    #expect(options.metadata == ["client_event_id": "e1"])
    #expect(options.audio?.output?.voice == .custom(id: "voice_1"))
    #expect(options.isOutOfBand)
  }
}
