import Envelope
import Metering

/// Records of usage as CloudEvents 1.0, in a batch of the structured JSON form
/// (https://github.com/cloudevents/spec, "JSON Event Format", sections 3 and 4).
enum CloudEvents {
  static let contentType = "application/cloudevents-batch+json; charset=utf-8"
  /// A session goes on; the next record of it replaces this one.
  static let updated = "dev.parley.usage.updated"
  /// The last record of a session, or the one of another service.
  static let ended = "dev.parley.usage.ended"

  static func batch(_ records: [UsageRecord], source: String) -> String {
    JSONValue.array(records.map { .object(event($0, source: source)) }).text
  }

  /// `id` is the same however often a record is told: receivers that know it leave it out.
  static func event(_ record: UsageRecord, source: String) -> JSONObject {
    [
      "specversion": "1.0", "id": .string("\(record.id):\(record.sequence)"), "source": .string(source),
      "type": .string(record.state == .live ? updated : ended), "subject": .string(record.id),
      "time": .string(record.updatedAt.exact), "datacontenttype": "application/json",
      "data": .object(record.json),
    ]
  }
}
