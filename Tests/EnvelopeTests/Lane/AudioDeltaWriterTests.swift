import Audio
import Envelope
import NIOCore
import Testing

@Suite("Audio lane: writing")
struct AudioDeltaWriterTests {
  private let base64 = "AAECAwQF"

  private func write(_ writer: inout AudioDeltaWriter, into buffer: inout ByteBuffer) {
    writer.write(ByteBuffer(string: base64).readableBytesView, into: &buffer)
  }

  @Test("R180: a delta is one JSON object with its type, a fresh id and the text")
  func delta() throws {
    var writer = AudioDeltaWriter(ids: IDSource(seed: 1))
    writer.begin(responseID: "resp_x", itemID: "item_\"y\n", outputIndex: 2, contentIndex: 1)
    var ids: Set<String> = []
    for _ in 0..<50 {
      var buffer = ByteBuffer()
      write(&writer, into: &buffer)
      var object = try #require(try JSONValue(parsing: buffer).object)
      let id = try #require(object["event_id"]?.string)
      #expect(id.hasPrefix("event_") && id.utf8.count == 27)
      ids.insert(id)
      object["event_id"] = nil
      #expect(
        object == [
          "type": "response.output_audio.delta", "response_id": "resp_x", "item_id": "item_\"y\n", "output_index": 2,
          "content_index": 1, "delta": .string(base64),
        ])
    }
    #expect(ids.count == 50)
  }

  @Test("Both fields carry the text where both are asked for, under the name asked for")
  func bothFields() throws {
    var writer = AudioDeltaWriter(ids: IDSource(seed: 1), fields: .deltaAndAudio, type: "response.audio.delta")
    writer.begin(responseID: "r", itemID: "i", outputIndex: 0, contentIndex: 0)
    var buffer = ByteBuffer()
    write(&writer, into: &buffer)
    let value = try JSONValue(parsing: buffer)
    #expect(value["delta"]?.string == base64 && value["audio"]?.string == base64)
    #expect(value["type"] == "response.audio.delta")
  }

  @Test("What the writer writes, the reader recognises")
  func readable() {
    var writer = AudioDeltaWriter(ids: IDSource(seed: 1))
    writer.begin(responseID: "resp_1", itemID: "item_1", outputIndex: 0, contentIndex: 0)
    var buffer = ByteBuffer()
    write(&writer, into: &buffer)
    guard case .audioDelta(let frame) = buffer.withUnsafeReadableBytes({ EventReader.readServer($0) }) else {
      Issue.record("not recognised")
      return
    }
    #expect(buffer.getString(at: frame.delta.lowerBound, length: frame.delta.count) == base64)
  }

  @Test("Deltas are appended behind each other, and the buffer's storage is kept")
  func appends() {
    var writer = AudioDeltaWriter(ids: IDSource(seed: 3))
    var buffer = ByteBuffer()
    write(&writer, into: &buffer)
    let length = buffer.readableBytes
    write(&writer, into: &buffer)
    #expect(buffer.readableBytes == 2 * length)
    let storage = buffer.storageCapacity
    for _ in 0..<100 {
      buffer.clear()
      write(&writer, into: &buffer)
    }
    #expect(buffer.storageCapacity == storage && buffer.readableBytes == length)
  }
}

@Suite("Ids")
struct IDSourceTests {
  @Test("An id is its prefix and 21 characters of base62, 32 at most")
  func form() {
    var ids = IDSource(seed: 0)
    let base62 = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    for prefix in IDSource.Prefix.allCases {
      let id = ids.next(prefix)
      #expect(id.hasPrefix(prefix.rawValue) && id.count == prefix.rawValue.count + 21 && id.count <= 32)
      #expect(id.dropFirst(prefix.rawValue.count).allSatisfy(base62.contains))
    }
  }

  @Test("Ids differ within a source, between sources and after a fork; a seed repeats them")
  func unique() {
    var first = IDSource(seed: 7)
    var second = IDSource(seed: 8)
    var again = IDSource(seed: 7)
    var fork = first.fork()
    _ = again.fork()
    var seen: Set<String> = []
    for _ in 0..<5_000 {
      let id = first.next(.item)
      #expect(again.next(.item) == id)
      seen.insert(id)
      seen.insert(second.next(.item))
      seen.insert(fork.next(.item))
    }
    #expect(seen.count == 15_000)
  }

  @Test("All 62 characters occur at every place but the eleventh of the second word")
  func spread() {
    var ids = IDSource(seed: 9)
    var seen = [Set<Character>](repeating: [], count: 21)
    for _ in 0..<3_000 {
      for (place, character) in ids.next(.item).dropFirst(5).enumerated() { seen[place].insert(character) }
    }
    #expect(seen.dropLast().allSatisfy { $0.count == 62 })
    #expect(seen[20].count == 22, "2^64 / 62^10 is just below 22")
  }
}

@Suite("Audio of the slow path")
struct AudioPayloadTests {
  @Test(
    "Other forms of base64 become the standard one",
    arguments: [
      ("AAABAAA=", "AAABAAA=", 5), ("__8", "//8=", 2), ("-_-_-_-_", "+/+/+/+/", 6), ("AAB=", "AAA=", 2),
    ])
  func standard(text: String, standard: String, count: Int) throws {
    let bytesPerSample = count.isMultiple(of: 2) ? 2 : 1
    let payload = try AudioPayload.standard(from: text, bytesPerSample: bytesPerSample)
    #expect(String(buffer: payload.base64) == standard && payload.decodedBytes == count)
  }

  @Test(
    "R086, R102, fault row 40: what is not audio is a fault",
    arguments: [
      ("!!", .notBase64), ("AAA", nil), ("A", .notBase64), ("AAAA", .oddByteCount), ("AA==", .oddByteCount),
      ("", .empty),
      ("AA A", .notBase64), ("é", .notBase64), ("AAA=AAA=", .notBase64), ("====", .notBase64),
    ] as [(String, AudioFault?)])
  func faults(text: String, fault: AudioFault?) {
    #expect(AudioFault.code == "invalid_value" && AudioFault.param == "audio")
    #expect(Result { () throws(AudioFault) in try AudioPayload.standard(from: text) }.failure == fault)
  }

  @Test("G.711 has whole samples at any byte count")
  func g711() throws {
    #expect(try AudioPayload.standard(from: "AA==", bytesPerSample: G711.bytesPerSample).decodedBytes == 1)
  }

  @Test("Fault row 40: the limit itself passes, one sample more does not")
  func limit() throws {
    #expect(try AudioPayload.standard(from: "AAAAAAAA", limit: 6).decodedBytes == 6)
    #expect(throws: AudioFault.tooLarge) { try AudioPayload.standard(from: "AAAAAAAA", limit: 4) }
    #expect(throws: AudioFault.tooLarge) { try AudioPayload.standard(from: "AAAAAAAAAAAA", limit: 6) }
    let largest = String(repeating: "AAAA", count: PCM16.maxAppendBytes / 3)
    #expect(try AudioPayload.standard(from: largest).decodedBytes == 15 * 1024 * 1024)
    #expect(throws: AudioFault.tooLarge) { try AudioPayload.standard(from: largest + "AAA") }
  }
}
