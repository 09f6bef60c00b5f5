import NativeCode
import AsyncHTTPClient
import Metering
import NIOCore
import NIOHTTP1
import Translation

/// Tells records to a receiver by HTTP.
struct Webhook: RecordSink {
  /// `source` of the events (CloudEvents 1.0: a URI reference).
  static let source = "/parley/usage"
  /// The longest wait that a receiver may ask for.
  static let longestRetryAfter = 3_600

  let url: String
  let key: Redacted<String>?
  /// Follows no redirects: what is sent is for the configured address.
  let client: HTTPClient

  var mostRecords: Int { 100 }

  func write(_ records: [UsageRecord], within limit: Duration) async throws(SinkFault) {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "content-type", value: CloudEvents.contentType)
    request.headers.add(name: "user-agent", value: "parley")
    if let key { request.headers.add(name: "authorization", value: "Bearer \(key.reveal())") }
    request.body = .bytes(ByteBuffer(string: CloudEvents.batch(records, source: Self.source)))
    let order = request
    let client = client
    let answer = await firstWithin(limit) { () async -> HTTPClientResponse? in
      let response = try? await client.execute(order, timeout: TimeAmount(limit))
      // Its content is of no interest, but the connection is used again only when it was read.
      if let response { _ = try? await response.body.collect(upTo: 65_536) }
      return response
    }
    guard let response = answer ?? nil else { throw .unavailable("it does not answer") }
    try Self.judge(status: Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"))
  }

  /// What an answer means for the records. What another try, or another setting, may change is tried again; what the
  /// receiver says of the records themselves is final.
  static func judge(status: Int, retryAfter: String?) throws(SinkFault) {
    switch status {
    case 200..<300: return
    case 400, 406, 409, 411..<417, 422, 431: throw .rejected("the webhook answers \(status)")
    default:
      let seconds = retryAfter.flatMap { Int($0) }.map { min(max(0, $0), longestRetryAfter) }
      throw .unavailable("the webhook answers \(status)", retryAfter: seconds.map { .seconds($0) })
    }
  }
}
