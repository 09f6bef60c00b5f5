import Audio
import Envelope
import NIOCore

extension FuzzTarget {
  /// A message of a client, or of a service that speaks the same vocabulary.
  static let clientEvents = FuzzTarget("client-events") { bytes in
    var findings = Findings()
    let value = try? bytes.withUnsafeBytes { try JSONValue(parsing: $0) }
    let passes = (try? bytes.withUnsafeBytes { try JSONCheck.check($0) }) != nil
    findings.expectEqual(passes, value != nil, "the check and the parser disagree")
    findings.add(LaneReading.violations(of: bytes, value))
    findings.add(dialects(bytes, value))
    guard let value else { return findings.violations }
    findings.expectEqual(try? JSONValue(parsing: value.text), value, "JSON, written and read again")
    findings.add(event(value))
    return findings.violations
  }

  private static func event(_ value: JSONValue) -> [String] {
    var findings = Findings()
    guard let event = try? ClientEvent.decode(value) else { return [] }
    findings.expectEqual(try? ClientEvent.decode(event.encoded()), event, "an event, written and read again")
    findings.expectEqual(event.eventID, ClientEvent.eventID(of: value), "the id that an error would name")
    guard case .sessionUpdate(let patch) = event.body else { return findings.violations }
    let session = RealtimeSession.defaults(id: "sess_1", model: "m", voice: "v", expiresAt: 0)
    guard let changed = try? patch.applied(to: session) else { return findings.violations }
    let shown = JSONCoding.encode(changed)
    findings.expectEqual(
      try? JSONCoding.decode(RealtimeSession.self, from: shown), changed, "a session, written and read again")
    findings.expectEqual(try? patch.applied(to: changed), changed, "an update that is made twice")
    return findings.violations
  }

  private static func dialects(_ bytes: [UInt8], _ value: JSONValue?) -> [String] {
    var findings = Findings()
    let choices: [DialectChoice] = [.auto, .fixed(.ga), .fixed(.beta)]
    for wire in choices.flatMap({ [ClientWire($0, deltaFields: .delta), ClientWire($0, deltaFields: .deltaAndAudio)] })
    {
      var wire = wire
      if let value, let neutral = try? wire.incoming(value) {
        _ = try? ClientEvent.decode(neutral)
        findings.expectEqual(neutral.kind, value.kind, "a kind in another dialect")
        if wire.name == .ga { findings.expectEqual(neutral, value, "GA in GA") }
      }
      for lane in [AudioLane.control, .audio] {
        wire.outgoing(ByteBuffer(bytes: bytes).readableBytesView, lane) { told in
          findings.expectEqual((try? JSONValue(parsing: told)) != nil, value != nil, "what is told is JSON")
        }
      }
    }
    guard let object = value?.object else { return findings.violations }
    let mended = BetaWire.serverEvent(toGA: object)
    findings.expectEqual(BetaWire.serverEvent(toGA: mended), mended, "what is GA already stays")
    _ = BetaWire.clientEvent(fromGA: object)
    return findings.violations
  }
}

/// What the audio lane takes from bytes must be what the full parser finds there.
private struct LaneReading {
  private let bytes: [UInt8]
  private let value: JSONValue?
  private var findings = Findings()

  static func violations(of bytes: [UInt8], _ value: JSONValue?) -> [String] {
    var reading = Self(bytes: bytes, value: value)
    bytes.withUnsafeBytes { message in
      if case .append(let frame) = EventReader.read(message) { reading.append(frame) }
      switch EventReader.readServer(message) {
      case .audioDelta(let frame): reading.delta(frame)
      case .control(let type?): reading.hint(type)
      case .control: break
      }
    }
    return reading.findings.violations
  }

  private init(bytes: [UInt8], value: JSONValue?) {
    self.bytes = bytes
    self.value = value
  }

  private mutating func append(_ frame: AppendFrame) {
    findings.expectEqual(value?["type"]?.string, "input_audio_buffer.append", "type")
    findings.expectEqual(value?["audio"]?.string, text(frame.audio), "audio")
    findings.expectEqual(value?["event_id"]?.string, frame.eventID.map(text), "event_id")
    findings.expectEqual(value?.object?.count, frame.eventID == nil ? 2 : 3, "members")
    findings.expectEqual(PlainBase64.decoded(bytes[frame.audio])?.count, frame.decodedBytes, "audio bytes")
    let decoded = value.flatMap { try? ClientEvent.decode($0) }
    findings.expect(decoded != nil, "an append that is no event")
  }

  private mutating func delta(_ frame: DeltaFrame) {
    findings.expectEqual(value?["type"]?.string, "response.output_audio.delta", "type")
    findings.expectEqual(value?["delta"]?.string, text(frame.delta), "delta")
    findings.expectEqual(value?["response_id"]?.string, text(frame.responseID), "response_id")
    findings.expectEqual(value?["item_id"]?.string, text(frame.itemID), "item_id")
    findings.expectEqual(value?["output_index"]?.int, frame.outputIndex, "output_index")
    findings.expectEqual(value?["content_index"]?.int, frame.contentIndex, "content_index")
    findings.expectEqual(value?["event_id"]?.string, frame.eventID.map(text), "event_id")
    findings.expectEqual(PlainBase64.decoded(bytes[frame.delta])?.count, frame.decodedBytes, "delta bytes")
  }

  /// A hint on the type says something only of a valid message.
  private mutating func hint(_ range: Range<Int>) {
    if let value { findings.expectEqual(value["type"]?.string, text(range), "the hint on the type") }
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }
}
