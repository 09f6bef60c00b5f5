import Envelope
import Testing

@Suite("Beta: errors name what the client wrote")
struct BetaErrorTests {
  struct Row: Sendable, CustomTestStringConvertible {
    /// The path of a flat session that gets `value`.
    let path: String
    let value: JSONValue
    let code: String
    /// The `param` of the error, without `session.`.
    let param: String

    var testDescription: String { "\(path) \(value.text)" }

    init(_ path: String, _ value: JSONValue, _ code: String, at param: String? = nil) {
      self.path = path
      self.value = value
      self.code = code
      self.param = param ?? path
    }
  }

  static let rows: [Row] = [
    Row("modalities", ["video"], "invalid_value", at: "modalities[0]"),
    Row("modalities", ["audio", "video"], "invalid_value", at: "modalities[1]"),
    Row("modalities", "audio", "invalid_type"),
    Row("modalities", [], "invalid_value"),
    Row("voice", 7, "invalid_type"),
    Row("speed", 9, "decimal_above_max_value"),
    Row("turn_detection.threshold", 2, "invalid_value"),
    Row("turn_detection.type", "none", "invalid_value"),
    Row("turn_detection", "server_vad", "invalid_type"),
    Row("input_audio_format", "mp3", "invalid_value"),
    Row("input_audio_format", nil, "invalid_type"),
    Row("output_audio_format", 16, "invalid_type"),
    Row("output_audio_format", ["type": "audio/opus"], "invalid_value"),
    Row("input_audio_transcription.model", 5, "invalid_type"),
    Row("input_audio_noise_reduction.type", "near", "invalid_value"),
    Row("max_response_output_tokens", 0, "integer_below_min_value"),
    Row("max_response_output_tokens", "all", "invalid_value"),
    Row("temperature", "hot", "invalid_type"),
    Row("temperature", 3, "decimal_above_max_value"),
    Row("tool_choice", "no tool", "invalid_value"),
    Row("tools", [["type": "function"]], "missing_required_parameter", at: "tools[0].name"),
    Row("instructions", 1, "invalid_type"),
  ]

  @Test("R098, R193: a refused field is named by the path that the client wrote", arguments: rows)
  func sessionFault(row: Row) throws {
    var wire = ClientWire.beta
    let event = JSONValue.object(["type": "session.update"]).setting("session." + row.path, row.value)
    let fault = thrownFault { () throws(EventFault) in
      guard case .sessionUpdate(let patch) = try ClientEvent.decode(try wire.incoming(event)).body else { return }
      _ = try patch.applied(to: .defaults(id: "sess_1", model: "m", voice: "marin", expiresAt: 1))
    }
    let object = try #require(fault).errorObject(eventID: "e")
    let told = wire.told(ServerEvent(eventID: "event_1", .error(object)).encoded())?["error"]
    #expect(told?["code"]?.string == row.code && told?["param"]?.string == "session." + row.param)
    #expect(told?["message"]?.string?.contains("'session.audio") == false, "\(told?["message"]?.string ?? "")")
  }

  /// GA path, beta path, and what the beta path is read as.
  static let paths: [(ga: String, beta: String, back: String?)] = [
    ("session.audio.input.turn_detection.threshold", "session.turn_detection.threshold", nil),
    ("session.audio.input.turn_detection", "session.turn_detection", nil),
    ("session.audio.input.transcription.keywords[1]", "session.input_audio_transcription.keywords[1]", nil),
    ("session.audio.input.format.rate", "session.input_audio_format", "session.audio.input.format"),
    ("session.audio.output.voice.id", "session.voice.id", nil),
    ("session.output_modalities[1]", "session.modalities[1]", nil),
    ("session.max_output_tokens", "session.max_response_output_tokens", nil),
    ("response.audio.output.voice", "response.voice", nil),
    ("response.audio.output.format.type", "response.output_audio_format", "response.audio.output.format"),
    ("response.max_output_tokens", "response.max_response_output_tokens", nil),
    ("response.output_modalities", "response.modalities", nil),
    // The same in both.
    ("session.tools[0].name", "session.tools[0].name", nil),
    ("session.audio", "session.audio", nil),
    ("session.audio.input.formats", "session.audio.input.formats", nil),
    ("session.output_modalities_x", "session.output_modalities_x", nil),
    ("item.content[0].type", "item.content[0].type", nil),
    ("response.input[0].audio.output.voice", "response.input[0].audio.output.voice", nil),
    ("type", "type", nil), ("", "", nil),
  ]

  @Test("Paths of errors in both directions, also inside the message", arguments: paths)
  func param(_ ga: String, _ beta: String, _ back: String?) throws {
    func event(_ path: String) -> JSONValue {
      [
        "type": "error", "event_id": "event_1",
        "error": [
          "type": "invalid_request_error", "code": "invalid_value", "message": .string("Invalid '\(path)': no."),
          "param": .string(path), "event_id": nil,
        ],
      ]
    }
    var wire = ClientWire.beta
    #expect(wire.told(event(ga)) == event(beta))
    #expect(wire.told(event(beta)) == event(beta), "what the dialect itself refused has the client's path already")
    #expect(.object(BetaWire.serverEvent(toGA: try #require(event(beta).object))) == event(back ?? ga))
  }
}
