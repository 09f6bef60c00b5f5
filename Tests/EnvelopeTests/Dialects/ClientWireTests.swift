import Envelope
import NIOCore
import Testing

@Suite("The client's wire: audio")
struct ClientWireAudioTests {
  /// One wire of each kind that changes deltas, with what it calls them.
  static let kinds: [(DialectName, AudioDeltaWriter.Fields)] = [
    (.ga, .deltaAndAudio), (.beta, .delta), (.beta, .deltaAndAudio),
  ]

  private static let added = [
    [("rid", #""r""#), ("latency", "0.5")], [("ts", "[1]"), ("previous_item_id", "null")], [], [("x", #""\u00e9""#)],
  ]

  /// A delta with its fields in random order and white space between the tokens, and its base64.
  private func delta(_ random: inout SeededJSON) -> (message: String, base64: String) {
    let count = 4 * Int.random(in: 1...2_000, using: &random.bits)
    let base64 = String((0..<count).map { _ in "ABCyz019+/".randomElement(using: &random.bits) ?? "A" })
    var fields = [
      ("type", #""response.output_audio.delta""#), ("response_id", #""resp_1""#), ("item_id", #""item_1""#),
      ("output_index", "0"), ("content_index", "1"), ("delta", "\"\(base64)\""),
    ]
    if Bool.random(using: &random.bits) { fields.append(("event_id", #""event_1""#)) }
    fields += Self.added.randomElement(using: &random.bits) ?? []
    var message = random.whitespace() + "{"
    for (index, (key, value)) in fields.shuffled(using: &random.bits).enumerated() {
      if index > 0 { message += "," }
      message += random.whitespace() + "\"\(key)\"" + random.whitespace() + ":" + random.whitespace() + value
    }
    return (message + random.whitespace() + "}" + random.whitespace(), base64)
  }

  @Test(
    "R034, R096, R187: a delta gets its name and its alias, every other byte stays", arguments: 0..<40 as Range<UInt64>)
  func spliced(seed: UInt64) throws {
    for (name, fields) in Self.kinds {
      var random = SeededJSON(seed: seed)
      var wire = ClientWire(.fixed(name), deltaFields: fields)
      for _ in 0..<10 {
        let (message, base64) = delta(&random)
        var expected = message
        if name == .beta {
          expected = expected.replacing("\"response.output_audio.delta\"", with: "\"response.audio.delta\"")
        }
        if fields == .deltaAndAudio {
          expected = expected.replacing("\"\(base64)\"", with: "\"\(base64)\",\"audio\":\"\(base64)\"")
        }
        #expect(wire.told(message, .audio) == [expected])
        #expect((try? JSONValue(parsing: expected)) != nil)
      }
    }
  }

  @Test("R034: the fields of both names hold the same, on the control lane as well")
  func alias() throws {
    for (name, fields) in Self.kinds {
      for delta in ["AAAB", "\\u0041AAB", "__8", ""] {
        var wire = ClientWire(.fixed(name), deltaFields: fields)
        let message =
          #"{"type":"response.output_audio.delta","event_id":"e","response_id":"r","item_id":"i","delta":"\#(delta)"}"#
        let original = try JSONValue(parsing: message)
        for lane in [AudioLane.control, .audio] {
          let told = try JSONValue(parsing: try #require(wire.told(message, lane).first))
          let name = name == .beta ? "response.audio.delta" : "response.output_audio.delta"
          #expect(told["type"]?.string == name && told["delta"] == original["delta"])
          #expect(told["audio"] == (fields == .deltaAndAudio ? told["delta"] : Optional.none))
        }
      }
    }
  }

  @Test("An alias that is there already is not added again")
  func aliasThere() throws {
    let message =
      #"{"type":"response.output_audio.delta","response_id":"r","item_id":"i","output_index":0,"content_index":0,"#
      + #""delta":"AAAB","audio":"AAAB"}"#
    for (name, fields) in Self.kinds {
      var wire = ClientWire(.fixed(name), deltaFields: fields)
      let told = try JSONValue(parsing: try #require(wire.told(message, .audio).first))
      #expect(told["audio"] == "AAAB" && told["delta"] == "AAAB")
    }
  }

  @Test("Steady audio is written into the same storage")
  func storage() {
    for (name, fields) in Self.kinds {
      var wire = ClientWire(.fixed(name), deltaFields: fields)
      var writer = AudioDeltaWriter(ids: IDSource(seed: 1))
      let base64 = ByteBuffer(string: String(repeating: "AAAB", count: 1_600))
      var message = ByteBuffer()
      var addresses: Set<UInt> = []
      for round in 0..<100 {
        message.clear()
        writer.write(base64.readableBytesView, into: &message)
        wire.outgoing(message.readableBytesView, .audio) { told in
          let address = told.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
          if round > 0 { addresses.insert(address) }
        }
      }
      #expect(addresses.count == 1)
    }
  }

  @Test("Where nothing is to be changed, the message itself is sent")
  func transparent() {
    var wire = ClientWire(.fixed(.ga), deltaFields: .delta)
    for message in ["{\"type\":\"response.output_audio.delta\", \"delta\":\"AAAB\"}", "", "no JSON", "{}"] {
      for lane in [AudioLane.audio, .control] {
        let buffer = ByteBuffer(string: message)
        wire.outgoing(buffer.readableBytesView, lane) { #expect($0 == buffer.readableBytesView) }
        #expect(wire.told(message, lane) == [message])
      }
    }
  }

  @Test("Control messages of a GA client with the alias cross as they are")
  func controlInGA() {
    var wire = ClientWire(.fixed(.ga), deltaFields: .deltaAndAudio)
    for event in EventFixtures.server.map(\.value) where event["type"] != "response.output_audio.delta" {
      let message = " " + event.text + "\n"
      #expect(wire.told(message) == [message])
    }
  }
}

@Suite("The client's wire: hello")
struct ClientWireHelloTests {
  private let hello = EventFixtures.server["session.created"] ?? nil

  @Test("Q2: before the decision session.created is GA and has the flat voice; nothing else changes")
  func undecided() throws {
    for fields in [AudioDeltaWriter.Fields.delta, .deltaAndAudio] {
      var wire = ClientWire(.auto, deltaFields: fields)
      #expect(wire.told(hello) == hello.setting("session.voice", "marin"))
      let error = try #require(EventFixtures.server["error"])
      #expect(wire.told(error.text + " ") == [error.text + " "])
    }
  }

  @Test("Q2: after the decision, and where it is fixed, the flat voice is told to beta alone")
  func decided() throws {
    var wire = ClientWire(.auto, deltaFields: .delta)
    wire.heardAudio()
    #expect(wire.told(hello) == hello)
    wire = ClientWire(.fixed(.ga), deltaFields: .delta)
    #expect(wire.told(hello) == hello)
    wire = .beta
    let session = try #require(wire.told(hello)?["session"])
    #expect(session["voice"] == "marin" && session["audio"] == nil && session["type"] == nil)
  }

  @Test("R099: the same session in auto: hello in GA, then beta names only")
  func lateBeta() throws {
    var wire = ClientWire(.auto, deltaFields: .delta)
    #expect(wire.told(hello)?["session"]?["type"] == "realtime")
    _ = try wire.incoming(["type": "session.update", "session": ["voice": "alloy", "modalities": ["audio", "text"]]])
    let updated = wire.told(try #require(EventFixtures.server["session.updated"]))
    #expect(updated?["session"]?["modalities"] == ["audio", "text"] && updated?["session"]?["type"] == nil)
    let added = wire.told(try #require(EventFixtures.server["conversation.item.added"]))
    #expect(added?["type"] == "conversation.item.created")
  }
}
