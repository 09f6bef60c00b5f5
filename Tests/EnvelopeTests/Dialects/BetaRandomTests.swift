import Envelope
import NIOCore
import Testing

/// Random sessions, as either vocabulary writes them.
private struct RandomSessions {
  var json: SeededJSON

  init(seed: UInt64) {
    json = SeededJSON(seed: seed)
  }

  private mutating func pick<Element>(_ elements: [Element], or fallback: Element) -> Element {
    elements.randomElement(using: &json.bits) ?? fallback
  }

  /// A value for a field under its GA and its beta name.
  private mutating func field(_ name: String) -> (ga: JSONValue, beta: JSONValue) {
    switch name {
    case "modalities":
      return pick([(["audio"], ["text", "audio"]), (["text"], ["text"])], or: (nil, nil))
    case "input_audio_format", "output_audio_format":
      return pick(
        [
          (["type": "audio/pcm", "rate": 24000], "pcm16"), (["type": "audio/pcmu"], "g711_ulaw"),
          (["type": "audio/pcma"], "g711_alaw"),
        ], or: (nil, nil))
    case "turn_detection":
      return same([nil, ["type": "server_vad", "threshold": 0.25], ["type": "semantic_vad", "eagerness": "low"]])
    case "input_audio_transcription": return same([nil, ["model": "whisper-1"], ["model": "m", "language": "en"]])
    case "input_audio_noise_reduction": return same([nil, ["type": "far_field"]])
    case "max_response_output_tokens": return same(["inf", 1, 4096])
    case "tool_choice": return same(["auto", "none", ["type": "function", "name": "f"]])
    case "speed": return same([0.25, 1, 1.5])
    case "voice": return same(["alloy", ["id": "voice_1"]])
    default: return same([json.value(depth: 2), json.value(depth: 3)])
    }
  }

  private mutating func same(_ values: [JSONValue]) -> (ga: JSONValue, beta: JSONValue) {
    let value = pick(values, or: nil)
    return (value, value)
  }

  private static let names: [(beta: String, ga: String)] = [
    ("modalities", "output_modalities"), ("input_audio_format", "audio.input.format"),
    ("output_audio_format", "audio.output.format"), ("turn_detection", "audio.input.turn_detection"),
    ("input_audio_transcription", "audio.input.transcription"),
    ("input_audio_noise_reduction", "audio.input.noise_reduction"), ("voice", "audio.output.voice"),
    ("speed", "audio.output.speed"), ("max_response_output_tokens", "max_output_tokens"),
    ("tool_choice", "tool_choice"), ("instructions", "instructions"), ("tools", "tools"), ("model", "model"),
    ("temperature", "temperature"), ("tracing", "tracing"), ("vendor", "vendor"),
  ]

  /// Some fields in random order.
  mutating func next() -> (ga: JSONObject, beta: JSONObject) {
    var ga: JSONValue = ["type": "realtime"]
    var beta = JSONObject()
    for (betaName, gaName) in Self.names.shuffled(using: &json.bits).prefix(Int.random(in: 0...16, using: &json.bits)) {
      let value = field(betaName)
      ga = ga.setting(gaName, value.ga)
      beta[betaName] = value.beta
    }
    return (ga.object ?? [:], beta)
  }
}

@Suite("Beta: random sessions and random JSON")
struct BetaRandomTests {
  @Test("Random sessions say the same in both vocabularies, there and back", arguments: 0..<20 as Range<UInt64>)
  func sessions(seed: UInt64) {
    var random = RandomSessions(seed: seed)
    for _ in 0..<25 {
      let (ga, beta) = random.next()
      #expect(BetaWire.session(toGA: beta) == ga)
      var bare = ga
      bare.removeValue(forKey: "type")
      #expect(BetaWire.session(fromGA: ga) == beta && BetaWire.session(fromGA: bare) == beta)
    }
  }

  @Test("Events without a field of either vocabulary cross as they are", arguments: 0..<20 as Range<UInt64>)
  func foreign(seed: UInt64) throws {
    var random = SeededJSON(seed: seed)
    for _ in 0..<10 {
      var event = random.object(depth: 1)
      event["type"] = .string("vendor." + random.text())
      event["event_id"] = "event_1"
      var wire = ClientWire.beta
      #expect(try wire.incoming(.object(event)) == .object(event))
      #expect(wire.told(.object(event)) == .object(event))
      #expect(BetaWire.serverEvent(toGA: event) == event && BetaWire.clientEvent(fromGA: event) == event)
    }
  }

  @Test("Any JSON at all: as a whole and in every place of every event", arguments: 0..<6 as Range<UInt64>)
  func fuzz(seed: UInt64) throws {
    var random = SeededJSON(seed: seed &+ 900)
    var wires = [ClientWire.beta, ClientWire(.auto, deltaFields: .deltaAndAudio)]
    let fixtures = [
      EventFixtures.client, EventFixtures.server, EventFixtures.betaClient, EventFixtures.betaServer,
    ].flatMap { $0.map(\.value) }
    for event in fixtures {
      let replacements = event.replacements(by: random.value(depth: 2))
      for odd in replacements.shuffled(using: &random.bits).prefix(4) + [random.value(depth: 2)] {
        for index in wires.indices {
          if let neutral = try? wires[index].incoming(odd) {
            _ = try? ClientEvent.decode(neutral)
            #expect(neutral.kind == odd.kind)
          }
          for message in wires[index].told(odd.text) { #expect((try? JSONValue(parsing: message)) != nil) }
          for message in wires[index].told(odd.text, .audio) { #expect((try? JSONValue(parsing: message)) != nil) }
        }
        guard let object = odd.object else { continue }
        let mended = BetaWire.serverEvent(toGA: object)
        #expect(BetaWire.serverEvent(toGA: mended) == mended, "what is GA already stays")
        _ = BetaWire.clientEvent(fromGA: object)
      }
    }
  }

  @Test(
    "Mutated deltas on the audio lane: what comes out is valid where what went in was",
    arguments: 0..<10 as Range<UInt64>)
  func mutatedDeltas(seed: UInt64) throws {
    var random = SeededJSON(seed: seed &+ 77)
    let delta = Array(try #require(EventFixtures.server["response.output_audio.delta"]).text.prefix(400).utf8)
    let message = delta + Array("\"}".utf8)
    var wire = ClientWire(.fixed(.beta), deltaFields: .deltaAndAudio)
    for _ in 0..<100 {
      let bytes = random.mutated(message)
      let before = try? parsed(bytes).get()
      wire.outgoing(ByteBuffer(bytes: bytes).readableBytesView, .audio) { told in
        let after = try? JSONValue(parsing: told)
        #expect((after == nil) == (before == nil))
        guard let after, before?["type"] == "response.output_audio.delta" else { return }
        #expect(after["type"] == "response.audio.delta" && after["delta"] == before?["delta"])
      }
    }
  }
}
