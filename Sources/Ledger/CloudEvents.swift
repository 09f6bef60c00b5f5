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
  /// The last that is known of a session whose process is gone.
  static let lost = "dev.parley.usage.lost"

  static func batch(_ records: [UsageRecord], source: String) -> String {
    JSONValue.array(records.map { .object(event($0, source: source)) }).text
  }

  /// `id` is the same however often a record is told: receivers that know it leave it out.
  static func event(_ record: UsageRecord, source: String) -> JSONObject {
    let (type, mark) =
      switch record.state {
      case .live: (updated, "")
      case .ended: (ended, "")
      // It has been told already, as that of a live session.
      case .lost: (lost, ":lost")
      }
    return [
      "specversion": "1.0", "id": .string("\(record.id):\(record.sequence)\(mark)"), "source": .string(source),
      "type": .string(type), "subject": .string(record.id), "time": .string(record.updatedAt.exact),
      "datacontenttype": "application/json", "data": .object(record.json),
    ]
  }
}
