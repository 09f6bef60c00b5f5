import Audio
import Envelope
import NIOCore
import Testing

private func read(_ text: String) -> UplinkFrame { read(Array(text.utf8)) }

private func read(_ bytes: [UInt8]) -> UplinkFrame {
  bytes.withUnsafeBytes { EventReader.read($0) }
}

/// What the full parser makes of the message: the audio of an append whose every field the lane knows.
private func audio(ofControl bytes: [UInt8]) -> String? {
  guard let object = try? parsed(bytes).get().object, object["type"] == "input_audio_buffer.append",
    object.keys.allSatisfy({ ["type", "audio", "event_id"].contains($0) })
  else { return nil }
  if let eventID = object["event_id"], eventID.string == nil { return nil }
  return object["audio"]?.string
}

private func text(_ range: Range<Int>, of bytes: [UInt8]) -> String {
  String(decoding: bytes[range], as: UTF8.self)
}

/// Base64 of `count` random bytes.
private func base64(_ count: Int, _ random: inout SeededJSON) -> String {
  var buffer = ByteBuffer()
  let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random.bits) }
  bytes.withUnsafeBytes { Base64.encode($0, into: &buffer) }
  return String(buffer: buffer)
}

/// A valid object of the fields in random order, with random white space between the tokens.
private func spread(_ fields: [(String, String)], _ random: inout SeededJSON) -> String {
  var text = random.whitespace() + "{"
  for (index, (key, value)) in fields.shuffled(using: &random.bits).enumerated() {
    if index > 0 { text += "," }
    text +=
      random.whitespace() + "\"\(key)\"" + random.whitespace() + ":" + random.whitespace() + value + random.whitespace()
  }
  return text + "}" + random.whitespace()
}

@Suite("Audio lane: reading")
struct EventReaderTests {
  @Test(
    "R030: an append is recognised in any layout",
    arguments: [
      (#"{"type":"input_audio_buffer.append","audio":"AAABAAECAwQFBg=="}"# + " ", "AAABAAECAwQFBg==", 10),
      (#"{"audio":"AAABAA==","type":"input_audio_buffer.append"}"#, "AAABAA==", 4),
      (#"{"event_id":"event_1","type":"input_audio_buffer.append","audio":"AAABAAEC"}"#, "AAABAAEC", 6),
      (
        "{\n  \"type\": \"input_audio_buffer.append\",\n\t\"event_id\" : \"\",\r\n  \"audio\": \"AAA=\"\n}\n", "AAA=", 2
      ),
    ])
  func append(message: String, expected: String, count: Int) {
    let bytes = Array(message.utf8)
    guard case .append(let frame) = read(bytes) else {
      Issue.record("not recognised")
      return
    }
    #expect(text(frame.audio, of: bytes) == expected && audio(ofControl: bytes) == expected)
    #expect(frame.decodedBytes == count)
  }

  @Test(
    "Anything odd is left to the full parser",
    arguments: [
      // Fault rows 35 and 37: not JSON
      "", "{", "{}", "[]", "1", "null", "\u{FEFF}{\"type\":\"input_audio_buffer.append\",\"audio\":\"AAA=\"}",
      #"{"type":"input_audio_buffer.append","audio":"AAA="} x"#,
      #"{"type":"input_audio_buffer.append","audio":"AAA=",}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAA="#, #"{"type":"input_audio_buffer.append","audio":"AAA=""#,
      #"{"type":"input_audio_buffer.append" "audio":"AAA="}"#, #"{,"type":"input_audio_buffer.append","audio":"AAA="}"#,
      "{\"type\":\"input_audio_buffer.append\",\"audio\":\"AAA=\"}\u{0}",
      // Fault row 38: duplicate keys
      #"{"type":"input_audio_buffer.append","audio":"AAA=","audio":"AAA="}"#,
      #"{"type":"input_audio_buffer.append","type":"input_audio_buffer.append","audio":"AAA="}"#,
      #"{"event_id":"a","event_id":"a","type":"input_audio_buffer.append","audio":"AAA="}"#,
      // Escapes, unknown fields, other types
      #"{"\u0074ype":"input_audio_buffer.append","audio":"AAA="}"#,
      #"{"type":"input_audio_buffer\u002eappend","audio":"AAA="}"#,
      #"{"type":"input_audio_buffer.append","audio":"\/AA="}"#,
      #"{"type":"input_audio_buffer.append","audio":"\u0041AA="}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAA=","x":1}"#,
      #"{"type":"input_audio_buffer.append","Audio":"AAA="}"#,
      #"{"type":"input_audio_buffer.commit"}"#, #"{"type":"input_audio_buffer.appendx","audio":"AAA="}"#,
      #"{"audio":"AAA="}"#, #"{"type":"input_audio_buffer.append"}"#, #"{"type":"session.update","audio":"AAA="}"#,
      #"{"event_id":"é","type":"input_audio_buffer.append","audio":"AAA="}"#,
      #"{"event_id":"a\"b","type":"input_audio_buffer.append","audio":"AAA="}"#,
      // Fault row 40: wrong kinds, not base64, odd byte count, another alphabet, no padding, empty
      #"{"type":"input_audio_buffer.append","audio":1}"#, #"{"type":"input_audio_buffer.append","audio":null}"#,
      #"{"type":"input_audio_buffer.append","audio":["AAA="]}"#, #"{"type":1,"audio":"AAA="}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAA=","event_id":1}"#,
      #"{"type":"input_audio_buffer.append","audio":"!!"}"#, #"{"type":"input_audio_buffer.append","audio":"AAAA"}"#,
      #"{"type":"input_audio_buffer.append","audio":"AA=="}"#, #"{"type":"input_audio_buffer.append","audio":"__8="}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAA"}"#, #"{"type":"input_audio_buffer.append","audio":"AAB="}"#,
      #"{"type":"input_audio_buffer.append","audio":""}"#, #"{"type":"input_audio_buffer.append","audio":"===="}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAA=AAA="}"#,
      #"{"type":"input_audio_buffer.append","audio":"AAAAAA====== "}"#,
    ])
  func control(message: String) {
    #expect(read(message) == .control)
  }

  @Test("An event_id beyond 512 bytes is left to the full parser", arguments: [(512, true), (513, false)])
  func eventIDLength(_ length: Int, _ isRecognised: Bool) {
    let id = String(repeating: "i", count: length)
    let frame = read(#"{"type":"input_audio_buffer.append","event_id":"\#(id)","audio":"AAA="}"#)
    #expect((frame != .control) == isRecognised)
  }

  @Test("Fault row 40: exactly 15 MiB of audio pass, more is left to the slow path")
  func largest() {
    func message(_ audio: String) -> String { "{\"type\":\"input_audio_buffer.append\",\"audio\":\"\(audio)\"}" }
    let groups = String(repeating: "AAAA", count: PCM16.maxAppendBytes / 3)
    guard case .append(let frame) = read(message(groups)) else {
      Issue.record("15 MiB were refused")
      return
    }
    #expect(frame.decodedBytes == 15_728_640)
    #expect(read(message(groups + "AAA=")) == .control)
  }

  @Test("Random appends: the lane says what the full parser says", arguments: 0..<60 as Range<UInt64>)
  func agreesOnValid(seed: UInt64) {
    var random = SeededJSON(seed: seed &+ 30_000)
    let count = 2 * Int.random(in: 1...300, using: &random.bits)
    var fields = [("type", "\"input_audio_buffer.append\""), ("audio", "\"\(base64(count, &random))\"")]
    if Bool.random(using: &random.bits) { fields.append(("event_id", "\"event_\(seed)\"")) }
    let bytes = Array(spread(fields, &random).utf8)
    guard case .append(let frame) = read(bytes) else {
      Issue.record("not recognised")
      return
    }
    #expect(text(frame.audio, of: bytes) == audio(ofControl: bytes))
    #expect(frame.decodedBytes == count)
    #expect(frame.eventID.map { text($0, of: bytes) } == (fields.count == 3 ? "event_\(seed)" : nil))
  }

  @Test(
    "Mutated appends: what the lane takes, the full parser takes with the same audio",
    arguments: 0..<60 as Range<UInt64>)
  func agreesOnMutated(seed: UInt64) {
    var random = SeededJSON(seed: seed &+ 60_000)
    let count = 2 * Int.random(in: 1...40, using: &random.bits)
    let fields = [
      ("type", "\"input_audio_buffer.append\""), ("audio", "\"\(base64(count, &random))\""), ("event_id", "\"e1\""),
    ]
    let bytes = Array(spread(fields, &random).utf8)
    var taken = 0
    for _ in 0..<200 {
      let mutated = random.mutated(bytes)
      guard case .append(let frame) = read(mutated) else { continue }
      taken += 1
      #expect(text(frame.audio, of: mutated) == audio(ofControl: mutated))
      #expect(frame.decodedBytes == mutated[frame.audio].withUnsafeBytes { Base64.standardPayload($0) })
      #expect(frame.decodedBytes.isMultiple(of: 2) && frame.decodedBytes > 0)
    }
    #expect((1..<200).contains(taken), "Some mutations are harmless and some are not")
  }

  @Test("Every prefix of an append is left to the full parser")
  func everyPrefix() {
    let bytes = Array(#"{"type":"input_audio_buffer.append","event_id":"e","audio":"AAABAA=="}"#.utf8)
    for end in 0..<bytes.count { #expect(read(Array(bytes[..<end])) == .control) }
    #expect(read(bytes) != .control)
  }
}

@Suite("Audio lane: reading deltas")
struct DeltaReaderTests {
  private static let fields = [
    ("type", #""response.output_audio.delta""#), ("response_id", #""resp_1""#), ("item_id", #""item_1""#),
    ("output_index", "1"), ("content_index", "0"), ("event_id", #""event_1""#), ("delta", #""AAAB""#),
  ]

  private func readServer(_ text: String) -> DownlinkFrame {
    Array(text.utf8).withUnsafeBytes { EventReader.readServer($0) }
  }

  private func object(_ fields: [(String, String)]) -> String {
    "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  @Test("A delta is recognised in any layout, with the ranges of its fields", arguments: 0..<30 as Range<UInt64>)
  func delta(seed: UInt64) {
    var random = SeededJSON(seed: seed)
    let message = spread(Self.fields, &random)
    let bytes = Array(message.utf8)
    guard case .audioDelta(let frame) = readServer(message) else {
      Issue.record("not recognised")
      return
    }
    #expect(text(frame.delta, of: bytes) == "AAAB" && frame.decodedBytes == 3)
    #expect(text(frame.responseID, of: bytes) == "resp_1" && text(frame.itemID, of: bytes) == "item_1")
    #expect(frame.outputIndex == 1 && frame.contentIndex == 0)
    #expect(frame.eventID.map { text($0, of: bytes) } == "event_1")
  }

  @Test("A field missing, doubled or of another kind makes it a control message")
  func oddDeltas() {
    let type = DownlinkFrame.control(type: 9..<36)
    for index in Self.fields.indices.dropFirst() {
      var fields = Self.fields
      fields.remove(at: index)
      if Self.fields[index].0 != "event_id" { #expect(readServer(object(fields)) == type) }
      fields = Self.fields
      fields.append(fields[index])
      #expect(readServer(object(fields)) == type)
      for odd in ["null", "[]", "-1", "1.5", "1e2", "1000000", #""\u0041""#, #""é""#] {
        fields = Self.fields
        fields[index].1 = odd
        #expect(readServer(object(fields)) == type)
      }
    }
    #expect(readServer(object(Self.fields) + "x") == type)
  }

  @Test(
    "Fields that a vendor adds do not make it a control message",
    arguments: [
      [("rid", #""r_1""#), ("latency", "0.25"), ("ts", "1767233035123"), ("previous_item_id", "null")],
      [("ok", "true"), ("no", "false"), ("n", "-12.50e1"), ("text", #""é \u00e9 \\ \"""#)],
      [("nested", #"{"a":[1,{"b":null}],"delta":"AAAB","type":"x"}"#), ("list", "[[],{}]")],
      (0..<8).map { ("k\($0)", "0") },
    ])
  func vendorFields(_ added: [(String, String)]) {
    for seed in 0..<8 as Range<UInt64> {
      var random = SeededJSON(seed: seed)
      let message = spread(Self.fields + added, &random)
      let bytes = Array(message.utf8)
      #expect((try? parsed(bytes).get()) != nil)
      guard case .audioDelta(let frame) = readServer(message) else {
        Issue.record("not recognised: \(message)")
        continue
      }
      #expect(text(frame.delta, of: bytes) == "AAAB" && text(frame.responseID, of: bytes) == "resp_1")
      #expect(text(frame.type, of: bytes) == "response.output_audio.delta")
    }
  }

  @Test(
    "Added fields that the full parser refuses, that occur twice or are too many, and the alias of the delta, do",
    arguments: [
      [("x", "1"), ("x", "1")], [("x", "01")], [("x", "nul")], [("x", "1e999")], [("x", "")], [("x", #""\ud800""#)],
      [("x", "[1,]")], [("x", #"{"a":1,"a":2}"#)], [("x", #"{"a":1e400}"#)], [(#"\u0078"#, "1")], [("é", "1")],
      [("x", String(repeating: "[", count: 64) + String(repeating: "]", count: 64))],
      [("x", String(repeating: "1", count: 65))], [("x", "\"a\u{1}\"")], [("audio", #""AAAB""#)], [("audio", "null")],
      (0..<9).map { ("k\($0)", "0") },
    ])
  func oddVendorFields(_ added: [(String, String)]) {
    #expect(readServer(object(Self.fields + added)) == .control(type: 9..<36))
  }

  @Test("The type of any other message is found behind whatever stands before it")
  func controlType() {
    let message = #" {"event_id":"a\"b","x":[{"type":"inner"},1e2],"type":"response.done","rest":"#
    guard case .control(let range?) = readServer(message) else {
      Issue.record("no type")
      return
    }
    #expect(text(range, of: Array(message.utf8)) == "response.done")
    for message in ["", "[]", "{}", #"{"a":1}"#, #"{"a":tru,"type":"x"}"#, #"{"type":1}"#, #"{"type":"\u0041"}"#] {
      #expect(readServer(message) == .control(type: nil))
    }
  }

  @Test("An upstream's own name of the event can be given")
  func otherName() {
    var fields = Self.fields
    fields[0].1 = #""response.audio.delta""#
    let bytes = Array(object(fields).utf8)
    let frame = bytes.withUnsafeBytes { EventReader.readServer($0, audioType: "response.audio.delta") }
    guard case .audioDelta = frame else {
      Issue.record("not recognised")
      return
    }
    #expect(readServer(object(fields)) == .control(type: 9..<29))
  }
}
