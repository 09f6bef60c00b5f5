import Envelope
import Metering

/// The body of `POST /api/v1/usage/events`: records of what other services did, such as text completions, to be billed
/// with the sessions of this one (R004).
enum PostedUsage {
  static let longestBody = 1_048_576
  static let mostRecords = 1_000
  /// Bytes of `metadata`, as of a key's.
  static let longestMetadata = 4_096

  private static let names = [
    "id", "modality", "provider", "model", "mode", "key", "app", "timestamp", "seconds", "tokens", "metadata",
  ]
  private static let counts = 0...1_000_000_000_000

  /// All of them, or the first fault; `param` begins with `[INDEX].` in a list.
  ///
  /// - Parameters:
  ///   - body: a record or a list of 1 to 1,000.
  ///   - moment: the time of those that name none.
  static func records(_ body: JSONValue, at moment: Timestamp) throws(HTTPFault) -> [UsageRecord] {
    guard let list = body.array else { return [try record(body, path: "", at: moment)] }
    guard (1...mostRecords).contains(list.count) else {
      throw HTTPFault(
        status: 400, code: "invalid_value",
        message: "A list has 1 to \(mostRecords) events; this one has \(list.count).")
    }
    var records: [UsageRecord] = []
    for (index, element) in list.enumerated() {
      records.append(try record(element, path: "[\(index)]", at: moment))
    }
    return records
  }

  private static func record(_ value: JSONValue, path: String, at moment: Timestamp) throws(HTTPFault) -> UsageRecord {
    guard let object = value.object else {
      throw HTTPFault(
        .invalidType(
          param: path.isEmpty ? "body" : path, expected: "an object", found: value.kind.phrase))
    }
    let fields = try BodyFields(object, at: path, known: names)
    let modality = try fields.requiredString("modality", most: 64)
    guard modality != UsageRecord.voice else {
      throw fields.invalid(fields.path("modality"), "sessions of this server are metered by itself.")
    }
    var mode = UsageMode.managedInference
    if let name = try fields.string("mode") {
      guard let named = UsageMode(rawValue: name) else {
        throw HTTPFault(
          .invalidValue(name, param: fields.path("mode"), supported: UsageMode.allCases.map(\.rawValue)))
      }
      mode = named
    }
    let metadata = try fields.object("metadata") ?? [:]
    // A database of text keeps no such character, and one record must not hold up the others.
    guard !holdsZero(.object(metadata)) else {
      throw fields.invalid(fields.path("metadata"), "the character U+0000 is not allowed.")
    }
    guard JSONValue.object(metadata).text.utf8.count <= longestMetadata else {
      throw fields.invalid(fields.path("metadata"), "at most \(longestMetadata) bytes are allowed.")
    }
    let startedAt = try timestamp(fields) ?? moment
    let identity = UsageIdentity(
      sessionID: try fields.string("id", most: 128) ?? newID(), provider: try fields.string("provider"), kind: nil,
      mode: mode, key: try fields.string("key"), app: try fields.string("app") ?? "default", startedAt: startedAt,
      metadata: metadata)
    return UsageRecord(
      identity, sequence: 1, modality: modality, state: .ended, model: try fields.string("model"), updatedAt: moment,
      endedAt: startedAt, seconds: try fields.decimal("seconds", 0...31_622_400) ?? 0,
      meter: Meter(
        heard: AudioTally(), spoken: AudioTally(), takenBack: AudioTally(), tokens: try tokens(fields), responses: 0))
  }

  private static func timestamp(_ fields: BodyFields) throws(HTTPFault) -> Timestamp? {
    guard let text = try fields.string("timestamp") else { return nil }
    guard let time = Timestamp(text), time.milliseconds >= 0 else {
      throw fields.invalid(fields.path("timestamp"), "expected a time such as 2026-01-31T08:00:00Z.")
    }
    return time
  }

  /// `{"input", "output", "total"}`: numbers, or objects by modality.
  private static func tokens(_ fields: BodyFields) throws(HTTPFault) -> TokenTally {
    var tally = TokenTally()
    guard let tokens = try fields.fields("tokens", known: ["input", "output", "total"]) else { return tally }
    if tokens["input"]?.object == nil {
      tally.inputText = try tokens.integer("input", counts) ?? 0
    } else if let input = try tokens.fields("input", known: ["text", "audio", "image", "cached"]) {
      tally.inputText = try input.integer("text", counts) ?? 0
      tally.inputAudio = try input.integer("audio", counts) ?? 0
      tally.inputImage = try input.integer("image", counts) ?? 0
      tally.inputCached = try input.integer("cached", counts) ?? 0
    }
    if tokens["output"]?.object == nil {
      tally.outputText = try tokens.integer("output", counts) ?? 0
    } else if let output = try tokens.fields("output", known: ["text", "audio"]) {
      tally.outputText = try output.integer("text", counts) ?? 0
      tally.outputAudio = try output.integer("audio", counts) ?? 0
    }
    tally.total = try tokens.integer("total", counts) ?? tally.input + tally.output
    return tally
  }

  private static func holdsZero(_ value: JSONValue) -> Bool {
    switch value {
    case .string(let text): text.unicodeScalars.contains("\0")
    case .array(let elements): elements.contains(where: holdsZero)
    case .object(let object): object.contains { $0.key.unicodeScalars.contains("\0") || holdsZero($0.value) }
    case .null, .bool, .number: false
    }
  }

  private static func newID() -> String {
    var text = ""
    for _ in 0..<2 {
      let digits = String(UInt64.random(in: .min ... .max), radix: 16)
      text += String(repeating: "0", count: 16 - digits.count) + digits
    }
    return "evt_" + text
  }
}
