import Metering

/// Where a lane writes records: a database, a webhook.
protocol RecordSink: Sendable {
  /// The most records that it takes at once.
  var mostRecords: Int { get }

  /// Writes all of them. A record that it has in the same or a newer version is left as it is, so that writing again does
  /// no harm.
  func write(_ records: [UsageRecord], within limit: Duration) async throws(SinkFault)
}

/// Why a sink did not take records.
enum SinkFault: Error, Sendable, Hashable {
  /// It is not to be had now. All of them are to be written again, not before `retryAfter` where it names a time.
  case unavailable(String, retryAfter: Duration? = nil)
  /// It will never take them as they are, at least not all of them.
  case rejected(String)
}
