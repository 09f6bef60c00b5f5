import ParleyTesting
import Envelope
import Metering
import Testing

@Suite struct UsageRecordTests {
  static func random(_ generator: inout SplitMix64) -> UsageRecord {
    func count() -> Int { .random(in: 0...1_000_000, using: &generator) }
    func maybe(_ text: String) -> String? { Bool.random(using: &generator) ? text : nil }
    func tally() -> AudioTally {
      AudioTally(
        MeterTests.formats.filter { _ in Bool.random(using: &generator) }
          .map { AudioTally.Part(format: $0, bytes: count()) })
    }
    var tokens = TokenTally()
    tokens.inputText = count()
    tokens.inputAudio = count()
    tokens.inputImage = count()
    tokens.inputCached = count()
    tokens.outputText = count()
    tokens.outputAudio = count()
    tokens.total = count()
    tokens.transcriptionInput = count()
    tokens.transcriptionOutput = count()
    tokens.transcriptionSeconds = .random(in: 0...100, using: &generator)
    tokens.isEstimated = Bool.random(using: &generator)
    let began = Timestamp(milliseconds: 1_767_000_000_000 + count() * 200)
    let isEnded = Bool.random(using: &generator)
    let identity = UsageIdentity(
      sessionID: "sess_\(count())", provider: maybe("gemini"), kind: maybe("gemini-live"),
      mode: UsageMode.allCases.randomElement(using: &generator) ?? .local, key: maybe("acme 钥匙"), keyID: maybe("key_1"),
      app: "shop-\(count() % 3)", tokenID: maybe("jti"), startedAt: began, instance: maybe("host-1"),
      metadata: ["team": .array([.number(JSONNumber(count())), "\u{1F600}\"\\"])])
    return UsageRecord(
      identity, sequence: count(), modality: ["voice_realtime", "text"].randomElement(using: &generator) ?? "text",
      state: isEnded ? .ended : .live, model: maybe("gemini-3.8-live"),
      updatedAt: Timestamp(milliseconds: began.milliseconds + 1_234), endedAt: isEnded ? began : nil,
      end: isEnded ? "client_closed" : nil, seconds: .random(in: 0...10_000, using: &generator),
      meter: Meter(heard: tally(), spoken: tally(), takenBack: tally(), tokens: tokens, responses: count()))
  }

  @Test("a record is the same after JSON", arguments: 0..<100 as Range<UInt64>)
  func coding(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let record = Self.random(&generator)
    let text = JSONValue.object(record.json).text
    let read = try JSONValue(parsing: text)
    #expect(try UsageRecord(json: read.object ?? [:]) == record)
    #expect(UsageRecord(copying: record, sequence: record.sequence).map { $0.json == record.json } == true)
  }

  @Test("R285: the JSON has minutes, seconds of audio and tokens beside the names")
  func shape() {
    var meter = Meter()
    meter.heard(bytes: 48_000, .standard)
    meter.spoke(bytes: 4_000, .pcmu)
    meter.tookBack(bytes: 2_000)
    meter.count(
      Usage(
        totalTokens: 7, inputTokens: 3, outputTokens: 4, inputTokenDetails: InputTokenDetails(audioTokens: 3),
        outputTokenDetails: OutputTokenDetails(audioTokens: 4)))
    meter.responseBegan()
    let record = UsageRecord(
      UsageIdentity(
        sessionID: "sess_1", provider: "gemini", kind: "gemini-live", mode: .managedInference, key: "acme",
        startedAt: Timestamp(milliseconds: 1_767_229_435_123)),
      sequence: 3, state: .ended, model: "gemini-3.8-live", updatedAt: Timestamp(milliseconds: 1_767_229_525_123),
      endedAt: Timestamp(milliseconds: 1_767_229_525_123), end: "completed", seconds: 90, meter: meter)
    let json = JSONValue.object(record.json)
    #expect(json["id"] == "sess_1")
    #expect(json["object"] == "usage.event")
    #expect(json["modality"] == "voice_realtime")
    #expect(json["mode"] == "managed_inference")
    #expect(json["state"] == "ended")
    #expect(json["minutes"] == 1.5)
    #expect(json["started_at"] == "2026-01-01T01:03:55.123Z")
    #expect(json["audio_input"]?["seconds"] == 1)
    #expect(json["audio_output"]?["seconds"] == 0.5)
    #expect(json["audio_output"]?["taken_back_seconds"] == 0.25)
    #expect(json["audio_output"]?["formats"] == [["type": "audio/pcmu", "rate": 8_000, "bytes": 4_000]])
    #expect(json["tokens"]?["input"]?["audio"] == 3)
    #expect(json["tokens"]?["total"] == 7)
    #expect(json["tokens"]?["estimated"] == false)
    #expect(json["responses"] == 1)
    #expect(json["key_id"] == .null)
    #expect(json["app"] == "default")
  }

  @Test("a member of the wrong form is a fault that names it")
  func faults() throws {
    var generator = SplitMix64(seed: 7)
    let whole = Self.random(&generator).json
    let wrong: [(String, JSONValue)] = [
      ("id", 5), ("mode", "free"), ("state", "done"), ("provider", 1), ("started_at", "yesterday"), ("sequence", -1),
      ("sequence", 1.5), ("seconds", -0.5), ("seconds", "3"), ("responses", []), ("app", .null), ("ended_at", "now"),
    ]
    for (name, value) in wrong {
      var json = whole
      json[name] = value
      #expect(throws: UsageRecordFault(field: name)) { try UsageRecord(json: json) }
    }
    var json = whole
    json["audio_input"] = ["formats": [["type": "audio/opus", "bytes": 1]]]
    #expect(throws: UsageRecordFault(field: "audio_input.formats")) { try UsageRecord(json: json) }
    json = whole
    json["tokens"] = ["input": ["text": -1]]
    #expect(throws: UsageRecordFault(field: "tokens.input.text")) { try UsageRecord(json: json) }
    json = whole
    json.removeValue(forKey: "id")
    #expect(throws: UsageRecordFault(field: "id")) { try UsageRecord(json: json) }
  }

  @Test("the newest sequence wins in any order", arguments: 0..<24)
  func newest(order: Int) {
    var generator = SplitMix64(seed: 1)
    let record = Self.random(&generator)
    var rest = (0..<4).compactMap { UsageRecord(copying: record, sequence: $0) }
    var choice = order
    var kept: UsageRecord?
    for remaining in (1...4).reversed() {
      let next = rest.remove(at: choice % remaining)
      choice /= remaining
      if kept.map(next.isNewer) ?? true { kept = next }
    }
    #expect(kept?.sequence == 3)
  }

  @Test("a live record that was not updated for half a minute is lost, an ended one never")
  func lost() {
    var generator = SplitMix64(seed: 3)
    var record = Self.random(&generator)
    record.state = .live
    let at = { Timestamp(milliseconds: record.updatedAt.milliseconds + $0) }
    #expect(record.read(at: at(30_000)).state == .live)
    #expect(record.read(at: at(30_001)).state == .lost)
    #expect(record.read(at: at(-5)).state == .live)
    record.state = .ended
    #expect(record.read(at: at(1_000_000)).state == .ended)
  }
}

extension UsageRecord {
  fileprivate init?(copying record: UsageRecord, sequence: Int) {
    self = record
    self.sequence = sequence
  }
}
