/// Bounds and deadlines of the gateway, section `limits` of the file. The JSON key is the property's name, for durations
/// with its unit behind it: `headTimeout` is `headTimeoutSeconds`. The defaults are those of fault table section 3.
public struct GatewayLimits: Sendable, Hashable {
  /// Bytes of one message from either peer, the sum of its fragments; beyond: close 1009. Default 25,165,824 (24 MiB).
  public internal(set) var maxMessageBytes = 25_165_824
  /// Bytes of one frame's payload; beyond: close 1009. Default 25,165,824 (24 MiB).
  public internal(set) var maxFrameBytes = 25_165_824
  /// Fragments of one message; beyond: close 1008. Default 131,072.
  public internal(set) var maxFragments = 131_072
  /// Fragments of 0 or 1 byte in one message; beyond: close 1008. Default 1,024.
  public internal(set) var maxTinyFragments = 1_024
  /// Bytes of the HTTP request line; beyond: 414. Default 8,192.
  public internal(set) var requestLineBytes = 8_192
  /// Bytes of one header field, name and value; beyond: 431. Default 16,384.
  public internal(set) var headerFieldBytes = 16_384
  /// Bytes of all header fields; beyond: 431. Default 65,536.
  public internal(set) var headerBlockBytes = 65_536
  /// Number of header fields; beyond: 431. Default 100.
  public internal(set) var headerFields = 100
  /// From accept to the end of the TLS handshake, where an address has TLS; then closed. Default 10 s.
  public internal(set) var tlsHandshake = Duration.seconds(10)
  /// From accept to the complete request head; then 408. Default 10 s.
  public internal(set) var headTimeout = Duration.seconds(10)
  /// Without a byte while the request head is incomplete; then 408. Default 5 s.
  public internal(set) var headIdle = Duration.seconds(5)
  /// Name lookup and TCP connection to a provider. Default 5 s.
  public internal(set) var upstreamConnect = Duration.seconds(5)
  /// TLS handshake with a provider. Default 5 s.
  public internal(set) var upstreamTLS = Duration.seconds(5)
  /// From the upgrade request to the provider's 101. Default 5 s.
  public internal(set) var upstreamUpgrade = Duration.seconds(5)
  /// From the provider's 101 to its first event. Default 10 s.
  public internal(set) var upstreamFirstEvent = Duration.seconds(10)
  /// Between two pings, on both legs. Default 20 s.
  public internal(set) var pingInterval = Duration.seconds(20)
  /// Client silent after a ping; then it is dropped. Default 20 s.
  public internal(set) var pongTimeout = Duration.seconds(20)
  /// Provider silent after a ping; then it is given up. Longer, because Gemini's pongs come 8 to 30 s late. Default 60 s.
  public internal(set) var upstreamPongTimeout = Duration.seconds(60)
  /// For the peer's close frame after ours; then the connection is cut. Default 5 s.
  public internal(set) var closeTimeout = Duration.seconds(5)
  /// Bytes held for a provider that is not connected yet, beyond the message in hand; then the client is not read.
  /// Default 1,048,576 (1 MiB).
  public internal(set) var heldBytes = 1_048_576
  /// Bytes waiting for one side at which the other is no longer read, nor a client itself. Default 262,144 (256 KiB).
  public internal(set) var writeHighWaterBytes = 262_144
  /// Bytes waiting for one side below which reading goes on. Default 65,536 (64 KiB).
  public internal(set) var writeLowWaterBytes = 65_536
  /// A client above high water that took not one byte; then it is dropped. Default 10 s.
  public internal(set) var peerStall = Duration.seconds(10)
  /// From the first `session.update` to the dial, where the model was not known before. Default 300 ms.
  public internal(set) var dialGrace = Duration.milliseconds(300)
  /// From the 101 to the dial at the latest. Default 5 s.
  public internal(set) var dialLatest = Duration.seconds(5)
  /// Reading and discarding after our side has said its last; then the connection is closed. Default 1 s.
  public internal(set) var linger = Duration.seconds(1)
  /// Control events of one client, that is all but audio, at once and in each second; beyond: an error event. Default 200.
  public internal(set) var controlEventsPerSecond = 200
  /// Events of one client that were refused, at once and in each minute; beyond: close 1008. Default 100.
  public internal(set) var badEventsPerMinute = 100
  /// Without an event of the client; then an error event and close 1000. Default: none.
  public internal(set) var sessionIdle: Duration?
  /// From the 101 to the end; then an error event and close 1000. Default: none.
  public internal(set) var sessionLength: Duration?
  /// Sessions of the gateway at a time; one more is refused with 503. Default: none, memory bounds them.
  public internal(set) var maxSessions: Int?
  /// Sessions from one address at a time; one more is refused with 429. Default: none.
  public internal(set) var maxSessionsPerAddress: Int?
  /// Sessions that may begin in a second, in the whole gateway; one more is refused with 503. Default: none.
  public internal(set) var maxConnectsPerSecond: Int?
  /// Before a session ends for want of minutes its client is warned. Default 60 s.
  public internal(set) var limitWarning = Duration.seconds(60)
  /// What the store of keys and a shared ledger may take to say whether a client may connect; then 503. Default 5 s.
  public internal(set) var admissionTimeout = Duration.seconds(5)
  /// What a gateway that is killed may lose of the usage of a live session. Default 5 s.
  public internal(set) var usageUpdate = Duration.seconds(5)
  /// From the request to stop until sessions in a turn are ended with 1012. Default 30 s.
  public internal(set) var drainGrace = Duration.seconds(30)
  /// Bytes of memory that the gateway may take: from 85 % on new sessions are refused with 503, from 95 % on sessions whose
  /// client is silent are ended with 1013. Default: the limit of its control group, or the machine's memory.
  public internal(set) var memoryBudgetBytes: Int?

  /// The defaults.
  public init() {}
}

/// One limit: its JSON key, unit and range. For `parley check`, the documentation and the decoder.
public struct LimitDefinition: Sendable {
  /// Bytes and counts are whole numbers; times may have fractions.
  public enum Unit: String, Sendable { case bytes, count, seconds, milliseconds }

  enum Field: Sendable {
    case whole(any WritableKeyPath<GatewayLimits, Int> & Sendable)
    case time(any WritableKeyPath<GatewayLimits, Duration> & Sendable)
    /// Absent by default.
    case wholeOrNone(any WritableKeyPath<GatewayLimits, Int?> & Sendable)
    case timeOrNone(any WritableKeyPath<GatewayLimits, Duration?> & Sendable)
  }

  /// The key in `limits`.
  public let name: String
  public let unit: Unit
  public let lowest: Double
  public let highest: Double
  let field: Field
  /// What it bounds, and what happens beyond, in Markdown.
  public let meaning: String
  /// What holds without a default, in Markdown.
  public let absence: String

  private init(
    _ name: String, _ unit: Unit, _ range: ClosedRange<Double>, _ field: Field, _ meaning: String,
    absence: String = "none"
  ) {
    self.name = name
    self.meaning = meaning
    self.absence = absence
    self.unit = unit
    lowest = range.lowerBound
    highest = range.upperBound
    self.field = field
  }

  var isWhole: Bool {
    switch field {
    case .whole, .wholeOrNone: true
    case .time, .timeOrNone: false
    }
  }

  /// `0.01 to 3600 seconds`
  public var rangeText: String {
    let range = "\(Self.plain(lowest)) to \(Self.plain(highest))"
    return unit == .count ? range : "\(range) \(unit.rawValue)"
  }

  /// The value in the unit of the key; nil for none.
  public func value(in limits: GatewayLimits) -> Double? {
    switch field {
    case .whole(let keyPath): Double(limits[keyPath: keyPath])
    case .time(let keyPath): value(of: limits[keyPath: keyPath])
    case .wholeOrNone(let keyPath): limits[keyPath: keyPath].map(Double.init)
    case .timeOrNone(let keyPath): limits[keyPath: keyPath].map(value(of:))
    }
  }

  private func value(of duration: Duration) -> Double {
    let parts = duration.components
    let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    return unit == .milliseconds ? seconds * 1_000 : seconds
  }

  private func duration(of value: Double) -> Duration {
    .nanoseconds(Int64((value * (unit == .milliseconds ? 1e6 : 1e9)).rounded()))
  }

  /// Writes a value that is in range, and whole where it has to be.
  func set(_ value: Double, in limits: inout GatewayLimits) {
    switch field {
    case .whole(let keyPath): limits[keyPath: keyPath] = Int(value)
    case .time(let keyPath): limits[keyPath: keyPath] = duration(of: value)
    case .wholeOrNone(let keyPath): limits[keyPath: keyPath] = Int(value)
    case .timeOrNone(let keyPath): limits[keyPath: keyPath] = duration(of: value)
    }
  }

  /// A number as people write it: `30`, `0.5`; `none` for none.
  public static func plain(_ value: Double?) -> String {
    guard let value else { return "none" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }

  /// All limits, in the order of the documentation. The highest values are beyond any use and below any overflow.
  public static let all: [LimitDefinition] = [
    .init(
      "maxMessageBytes", .bytes, 1_024...1_073_741_824, .whole(\.maxMessageBytes),
      "Bytes of one message from either peer, the sum of its fragments; beyond: close 1009."),
    .init(
      "maxFrameBytes", .bytes, 1_024...1_073_741_824, .whole(\.maxFrameBytes),
      "Bytes of one frame's payload; beyond: close 1009."),
    .init(
      "maxFragments", .count, 1...16_777_216, .whole(\.maxFragments),
      "Fragments of one message; beyond: close 1008."),
    .init(
      "maxTinyFragments", .count, 0...16_777_216, .whole(\.maxTinyFragments),
      "Fragments of 0 or 1 byte in one message; beyond: close 1008."),
    .init(
      "requestLineBytes", .bytes, 256...1_048_576, .whole(\.requestLineBytes),
      "Bytes of the HTTP request line; beyond: 414."),
    .init(
      "headerFieldBytes", .bytes, 256...1_048_576, .whole(\.headerFieldBytes),
      "Bytes of one header field, name and value; beyond: 431."),
    .init(
      "headerBlockBytes", .bytes, 1_024...16_777_216, .whole(\.headerBlockBytes),
      "Bytes of all header fields; beyond: 431."),
    .init(
      "headerFields", .count, 8...10_000, .whole(\.headerFields),
      "Number of header fields; beyond: 431."),
    .init(
      "tlsHandshakeSeconds", .seconds, 0.01...3_600, .time(\.tlsHandshake),
      "From accept to the end of the TLS handshake, where an address has TLS; then closed."),
    .init(
      "headTimeoutSeconds", .seconds, 0.01...3_600, .time(\.headTimeout),
      "From accept to the complete request head; then 408."),
    .init(
      "headIdleSeconds", .seconds, 0.01...3_600, .time(\.headIdle),
      "Without a byte while the request head is incomplete; then 408."),
    .init(
      "upstreamConnectSeconds", .seconds, 0.01...3_600, .time(\.upstreamConnect),
      "Name lookup and TCP connection to a provider."),
    .init(
      "upstreamTLSSeconds", .seconds, 0.01...3_600, .time(\.upstreamTLS),
      "TLS handshake with a provider."),
    .init(
      "upstreamUpgradeSeconds", .seconds, 0.01...3_600, .time(\.upstreamUpgrade),
      "From the upgrade request to the provider's 101."),
    .init(
      "upstreamFirstEventSeconds", .seconds, 0.01...3_600, .time(\.upstreamFirstEvent),
      "From the provider's 101 to its first event."),
    .init(
      "pingIntervalSeconds", .seconds, 0.01...86_400, .time(\.pingInterval),
      "Between two pings, on both legs."),
    .init(
      "pongTimeoutSeconds", .seconds, 0.01...86_400, .time(\.pongTimeout),
      "Client silent after a ping; then it is dropped."),
    .init(
      "upstreamPongTimeoutSeconds", .seconds, 0.01...86_400, .time(\.upstreamPongTimeout),
      "Provider silent after a ping; then it is given up. Longer, because Gemini's pongs come 8 to 30 s late."),
    .init(
      "closeTimeoutSeconds", .seconds, 0.01...3_600, .time(\.closeTimeout),
      "For the peer's close frame after ours; then the connection is cut."),
    .init(
      "heldBytes", .bytes, 0...1_073_741_824, .whole(\.heldBytes),
      "Bytes held for a provider that is not connected yet, beyond the message in hand; then the client is not read."),
    .init(
      "writeHighWaterBytes", .bytes, 2_048...1_073_741_824, .whole(\.writeHighWaterBytes),
      "Bytes waiting for the client at which the provider is no longer read."),
    .init(
      "writeLowWaterBytes", .bytes, 1_024...1_073_741_824, .whole(\.writeLowWaterBytes),
      "Bytes waiting for the client below which the provider is read again."),
    .init(
      "peerStallSeconds", .seconds, 0.01...86_400, .time(\.peerStall),
      "A client above high water that took not one byte; then it is dropped."),
    .init(
      "dialGraceMilliseconds", .milliseconds, 0...60_000, .time(\.dialGrace),
      "From the first `session.update` to the dial, where the model was not known before."),
    .init(
      "dialLatestSeconds", .seconds, 0.01...3_600, .time(\.dialLatest),
      "From the 101 to the dial at the latest."),
    .init(
      "lingerSeconds", .seconds, 0.01...3_600, .time(\.linger),
      "Reading and discarding after our side has said its last; then the connection is closed."),
    .init(
      "controlEventsPerSecond", .count, 1...1_000_000, .whole(\.controlEventsPerSecond),
      """
      Events of one client, audio not counted, at once and in each second; beyond: an `error` event with \
      `rate_limit_exceeded`, and the session goes on.
      """),
    .init(
      "badEventsPerMinute", .count, 1...1_000_000, .whole(\.badEventsPerMinute),
      """
      Events of one client that had to be refused (other than with `too_much_held`), at once and in each minute; \
      beyond: close 1008.
      """),
    .init(
      "sessionIdleSeconds", .seconds, 0.01...31_536_000, .timeOrNone(\.sessionIdle),
      "Without an event of the client while it was read; then an `error` event with `session_idle`, and close 1000."),
    .init(
      "sessionLengthSeconds", .seconds, 0.01...31_536_000, .timeOrNone(\.sessionLength),
      "From the 101 to the end; then an `error` event with `session_expired`, and close 1000."),
    .init(
      "maxSessions", .count, 1...1_000_000, .wholeOrNone(\.maxSessions),
      """
      Sessions of the gateway at a time; one more is refused before the upgrade with 503, `gateway_overloaded` and \
      `Retry-After`.
      """),
    .init(
      "maxSessionsPerAddress", .count, 1...1_000_000, .wholeOrNone(\.maxSessionsPerAddress),
      """
      Sessions of one client's address (of IPv6: its first 64 bits) at a time; one more is refused before the \
      upgrade with 429, `rate_limit_exceeded` and `Retry-After`. Behind a reverse proxy all clients have its \
      address, unless [`proxies`](#access) names it.
      """),
    .init(
      "maxConnectsPerSecond", .count, 1...100_000, .wholeOrNone(\.maxConnectsPerSecond),
      "Sessions that may begin in a second, in the whole gateway; one more is refused with 503 and `Retry-After: 1`."),
    .init(
      "limitWarningSeconds", .seconds, 0...3_600, .time(\.limitWarning),
      """
      Before a session ends for want of minutes, or with `sessionLengthSeconds`, its client is warned by \
      `rate_limits.updated`.
      """),
    .init(
      "admissionTimeoutSeconds", .seconds, 0.01...60, .time(\.admissionTimeout),
      """
      What the store of keys and a shared ledger may take to say whether a client may connect; then 503 \
      `admission_timeout`.
      """),
    .init(
      "usageUpdateSeconds", .seconds, 0.5...60, .time(\.usageUpdate),
      "What a gateway that is killed may lose of the usage of a live session."),
    .init(
      "drainGraceSeconds", .seconds, 0...3_600, .time(\.drainGrace),
      """
      From the request to stop until sessions that are in the middle of a turn are ended with 1012; the others are \
      ended at once.
      """),
    .init(
      "memoryBudgetBytes", .bytes, 1_048_576...562_949_953_421_312, .wholeOrNone(\.memoryBudgetBytes),
      """
      Memory that the process may take, files that it maps not counted; read once a second. From 85 % on new \
      sessions are refused as with `maxSessions`; from 95 % on sessions whose client has said nothing are ended with \
      `gateway_overloaded` and 1013: those of 32 minutes first, a second later those of 16, and so on down to 30 \
      seconds.
      """,
      absence: "the least limit of the process's control groups, or the machine's memory"),
  ]
}
