import Envelope
import Testing

@Suite("Which dialect a client speaks")
struct DialectChoiceTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let event: JSONValue
    let dialect: DialectName

    var testDescription: String { "\(dialect.rawValue): \(event.text.prefix(90))" }

    init(_ dialect: DialectName, _ event: JSONValue) {
      self.dialect = dialect
      self.event = event
    }

    /// A `session.update`.
    init(_ dialect: DialectName, session: JSONValue) {
      self.init(dialect, ["type": "session.update", "session": session])
    }
  }

  static let rows: [Row] = [
    // One flat field is enough.
    Row(.beta, session: ["modalities": ["text", "audio"]]),
    Row(.beta, session: ["voice": "alloy"]),
    Row(.beta, session: ["turn_detection": nil]),
    Row(.beta, session: ["turn_detection": ["type": "server_vad", "threshold": 0.5, "silence_duration_ms": 550]]),
    Row(.beta, session: ["input_audio_format": "pcm16"]),
    Row(.beta, session: ["output_audio_format": "g711_ulaw"]),
    Row(.beta, session: ["input_audio_transcription": ["model": "whisper-1", "enabled": true]]),
    Row(.beta, session: ["input_audio_noise_reduction": nil]),
    Row(.beta, session: ["max_response_output_tokens": "inf"]),
    Row(.beta, session: ["temperature": 0.7]),
    Row(.beta, session: ["speed": 1.1]),
    // LiveKit against a preview server: the model as well.
    Row(.beta, session: ["model": "gpt-4o-realtime-preview", "instructions": "Hi.", "voice": "verse"]),
    Row(.beta, ["type": "transcription_session.update", "session": [:]]),
    // What is in both says nothing.
    Row(.ga, session: [:]),
    Row(.ga, session: ["instructions": "Be brief."]),
    Row(.ga, session: ["model": "gpt-realtime", "tools": [], "tool_choice": "auto", "tracing": "auto"]),
    // What only GA has outweighs flat fields.
    Row(.ga, session: ["type": "realtime"]),
    Row(.ga, session: ["type": "realtime", "voice": "Ara", "turn_detection": ["type": "server_vad"]]),
    Row(.ga, session: ["voice": "Ara", "turn_detection": nil, "audio": ["input": [:]]]),
    Row(.ga, session: ["voice": "Ara", "output_modalities": ["audio"]]),
    Row(.ga, session: ["audio": ["output": ["voice": "marin"]]]),
    // Another first event, and what is no event.
    Row(.ga, ["type": "response.create", "response": ["modalities": ["text"]]]),
    Row(.ga, ["type": "conversation.item.create", "item": ["type": "message"]]),
    Row(.ga, ["type": "input_audio_buffer.commit"]),
    Row(.ga, ["type": "session.update"]),
    Row(.ga, session: "voice"),
    Row(.ga, ["session": ["voice": "alloy"]]),
    Row(.ga, [1, 2]),
    Row(.ga, nil),
  ]

  @Test("R099: the first event decides, Q2's table", arguments: rows)
  func firstEvent(row: Row) {
    var wire = ClientWire(.auto, deltaFields: .delta)
    #expect(wire.name == nil && !wire.isTransparent)
    _ = try? wire.incoming(row.event)
    #expect(wire.name == row.dialect && wire.isTransparent == (row.dialect == .ga))
  }

  @Test("R099: the decision stands, whatever comes later", arguments: rows)
  func decidedOnce(row: Row) {
    for name in DialectName.allCases {
      var wire = ClientWire(.fixed(name), deltaFields: .delta)
      _ = try? wire.incoming(row.event)
      wire.heardAudio()
      #expect(wire.name == name && wire.isTransparent == (name == .ga))
    }
  }

  @Test("Audio before anything else is GA")
  func audioFirst() {
    var wire = ClientWire(.auto, deltaFields: .delta)
    wire.heardAudio()
    #expect(wire.name == .ga && wire.isTransparent)
  }

  @Test("An event that cannot be said in GA decides all the same")
  func refusedFirst() {
    var wire = ClientWire(.auto, deltaFields: .delta)
    let fault = thrownFault { () throws(EventFault) in
      _ = try wire.incoming(["type": "session.update", "session": ["input_audio_format": "mp3"]])
    }
    #expect(fault?.param == "session.input_audio_format" && wire.name == .beta)
  }

  @Test("The words of the configuration")
  func words() {
    #expect(DialectChoice("auto") == .auto && DialectChoice("ga") == .fixed(.ga))
    #expect(DialectChoice("beta") == .fixed(.beta) && DialectChoice("Beta") == nil && DialectChoice("") == nil)
  }
}
