public import Envelope

/// A member of a record's JSON is missing or has another form.
public struct UsageRecordFault: Error, Sendable, Hashable {
  /// Its path, such as `tokens.input.text`.
  public let field: String

  public init(field: String) {
    self.field = field
  }
}

extension UsageRecord {
  /// The record as it is stored, sent to a webhook and shown by `GET /api/v1/usage/events`.
  public var json: JSONObject {
    [
      "id": .string(id), "object": "usage.event", "modality": .string(modality),
      "mode": .string(identity.mode.rawValue), "state": .string(state.rawValue), "provider": .text(identity.provider),
      "kind": .text(identity.kind), "model": .text(model), "key": .text(identity.key), "key_id": .text(identity.keyID),
      "app": .string(identity.app), "token_id": .text(identity.tokenID),
      "started_at": .string(identity.startedAt.exact), "updated_at": .string(updatedAt.exact),
      "ended_at": .text(endedAt?.exact), "end": .text(end), "seconds": .number(JSONNumber(seconds)),
      "minutes": .number(JSONNumber(minutes)), "audio_input": .object(meter.heard.json),
      "audio_output": .object(spokenJSON), "tokens": .object(meter.tokens.json),
      "responses": .number(JSONNumber(meter.responses)), "sequence": .number(JSONNumber(sequence)),
      "instance": .text(identity.instance), "metadata": .object(identity.metadata),
    ]
  }

  private var spokenJSON: JSONObject {
    var spoken = meter.spoken.json
    spoken["taken_back_seconds"] = .number(JSONNumber(meter.takenBack.seconds))
    spoken["taken_back_formats"] = meter.takenBack.json["formats"]
    return spoken
  }

  /// The inverse of `json`. Unknown members are ignored; figures that follow from others are not read.
  public init(json: JSONObject) throws(UsageRecordFault) {
    let fields = RecordFields(json)
    guard let mode = UsageMode(rawValue: try fields.string("mode")) else { throw UsageRecordFault(field: "mode") }
    guard let state = State(rawValue: try fields.string("state")) else { throw UsageRecordFault(field: "state") }
    let identity = UsageIdentity(
      sessionID: try fields.string("id"), provider: try fields.text("provider"), kind: try fields.text("kind"),
      mode: mode, key: try fields.text("key"), keyID: try fields.text("key_id"), app: try fields.string("app"),
      tokenID: try fields.text("token_id"), startedAt: try fields.time("started_at"),
      instance: try fields.text("instance"), metadata: json["metadata"]?.object ?? [:])
    let spoken = json["audio_output"]?.object ?? [:]
    let meter = Meter(
      heard: try AudioTally(json: json["audio_input"]?["formats"], field: "audio_input.formats"),
      spoken: try AudioTally(json: spoken["formats"], field: "audio_output.formats"),
      takenBack: try AudioTally(json: spoken["taken_back_formats"], field: "audio_output.taken_back_formats"),
      tokens: try TokenTally(json: json["tokens"]?.object ?? [:]), responses: try fields.count("responses"))
    self.init(
      identity, sequence: try fields.count("sequence"), modality: try fields.string("modality"), state: state,
      model: try fields.text("model"), updatedAt: try fields.time("updated_at"),
      endedAt: json["ended_at"]?.string == nil ? nil : try fields.time("ended_at"), end: try fields.text("end"),
      seconds: try fields.amount("seconds"), meter: meter)
  }
}

extension AudioTally {
  /// `{"seconds", "bytes", "formats": [{"type", "rate", "bytes"}]}`.
  var json: JSONObject {
    [
      "seconds": .number(JSONNumber(seconds)), "bytes": .number(JSONNumber(bytes)),
      "formats": .array(
        parts.map { part in
          [
            "type": .string(part.format.type), "rate": .number(JSONNumber(part.format.rate)),
            "bytes": .number(JSONNumber(part.bytes)),
          ]
        }),
    ]
  }

  /// - Parameter json: `formats` of the above; nil counts as none.
  init(json: JSONValue?, field: String) throws(UsageRecordFault) {
    self.init()
    guard let json, !json.isNull else { return }
    guard let entries = json.array else { throw UsageRecordFault(field: field) }
    for entry in entries {
      guard let bytes = entry["bytes"]?.int, bytes >= 0, let format = Self.format(entry) else {
        throw UsageRecordFault(field: field)
      }
      add(bytes: bytes, format)
    }
  }

  private static func format(_ entry: JSONValue) -> AudioFormat? {
    switch entry["type"]?.string {
    case "audio/pcmu": .pcmu
    case "audio/pcma": .pcma
    case "audio/pcm": entry["rate"]?.int.flatMap { AudioFormat.rates.contains($0) ? .pcm(rate: $0) : nil }
    default: nil
    }
  }
}

extension TokenTally {
  public var json: JSONObject {
    [
      "input": [
        "text": .number(JSONNumber(inputText)), "audio": .number(JSONNumber(inputAudio)),
        "image": .number(JSONNumber(inputImage)), "cached": .number(JSONNumber(inputCached)),
      ],
      "output": ["text": .number(JSONNumber(outputText)), "audio": .number(JSONNumber(outputAudio))],
      "total": .number(JSONNumber(total)),
      "transcription": [
        "input": .number(JSONNumber(transcriptionInput)), "output": .number(JSONNumber(transcriptionOutput)),
        "seconds": .number(JSONNumber(transcriptionSeconds)),
      ],
      "estimated": .bool(isEstimated),
    ]
  }

  /// The inverse of `json`; what is left out is 0.
  public init(json: JSONObject) throws(UsageRecordFault) {
    self.init()
    let input = RecordFields(json["input"]?.object ?? [:], in: "tokens.input.")
    inputText = try input.count("text")
    inputAudio = try input.count("audio")
    inputImage = try input.count("image")
    inputCached = try input.count("cached")
    let output = RecordFields(json["output"]?.object ?? [:], in: "tokens.output.")
    outputText = try output.count("text")
    outputAudio = try output.count("audio")
    total = try RecordFields(json, in: "tokens.").count("total")
    let transcription = RecordFields(json["transcription"]?.object ?? [:], in: "tokens.transcription.")
    transcriptionInput = try transcription.count("input")
    transcriptionOutput = try transcription.count("output")
    transcriptionSeconds = try transcription.amount("seconds")
    isEstimated = json["estimated"]?.bool ?? false
  }
}

extension JSONValue {
  static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}

/// Reads members of a record; a member of the wrong form is a fault, never "absent".
private struct RecordFields {
  private let fields: JSONObject
  private let path: String

  init(_ fields: JSONObject, in path: String = "") {
    self.fields = fields
    self.path = path
  }

  func string(_ name: String) throws(UsageRecordFault) -> String {
    guard let text = fields[name]?.string else { throw fault(name) }
    return text
  }

  func text(_ name: String) throws(UsageRecordFault) -> String? {
    guard let value = fields[name], !value.isNull else { return nil }
    guard let text = value.string else { throw fault(name) }
    return text
  }

  func count(_ name: String) throws(UsageRecordFault) -> Int {
    guard let value = fields[name], !value.isNull else { return 0 }
    guard let count = value.int, count >= 0 else { throw fault(name) }
    return count
  }

  func amount(_ name: String) throws(UsageRecordFault) -> Double {
    guard let value = fields[name], !value.isNull else { return 0 }
    guard let amount = value.double, amount >= 0 else { throw fault(name) }
    return amount
  }

  func time(_ name: String) throws(UsageRecordFault) -> Timestamp {
    guard let time = Timestamp(try string(name)) else { throw fault(name) }
    return time
  }

  private func fault(_ name: String) -> UsageRecordFault { UsageRecordFault(field: path + name) }
}
