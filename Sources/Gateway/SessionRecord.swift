import Logging
import Translation
import WebSocketWire

/// What the log says of a session: one line when it begins, one when it ends, and the session's own notes. No field ever
/// holds a credential, audio or text of a conversation; what a peer wrote is escaped.
struct SessionRecord {
  /// How far the provider's side had come.
  enum Phase: String {
    case waiting, dialling, open
  }

  var phase = Phase.waiting
  /// Messages of the provider that nobody here knows.
  var messagesSkipped = 0
  private let provider: String
  private let client: String?
  private let begunAt: Instant
  private let counters: FieldCounters
  private var logger: Logger
  private var fault = "none"
  private var source = "downstream"
  private var closeCode: UInt16?
  /// How long what the client says had to wait, because the provider took nothing (fault row 50).
  private var uplinkWait = Wait()
  /// How long what the provider says had to wait, because the client took nothing (fault row 49).
  private var downlinkWait = Wait()

  /// - Parameter client: its address, behind a proxy the one that this forwards; nil where it is not known.
  init(
    id: String, provider: String, client: String? = nil, begunAt: Instant, counters: FieldCounters, logger: Logger
  ) {
    self.provider = provider
    self.client = client
    self.begunAt = begunAt
    self.counters = counters
    self.logger = logger
    self.logger[metadataKey: "session"] = "\(id)"
    self.logger[metadataKey: "provider"] = "\(provider)"
  }

  func begin() {
    logger.info("session began", metadata: client.map { ["client": "\(LogText.escaped($0))"] })
  }

  func note(_ note: SessionNote) {
    counters.count(note.fieldsWithoutCounterpart, provider: provider)
    let level: Logger.Level =
      switch note.severity {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
    logger.log(
      level: level, "\(note.message)",
      metadata: note.fields.mapValues { .string(LogText.escaped($0)) })
  }

  /// The end of the provider's side. The first fault of a session is the one that its last line names.
  mutating func upstreamEnded(_ end: UpstreamEnd) {
    set(fault: end.faultName, source: "upstream")
    // Nobody needs to look while the call goes on; if it does not, its end says so.
    logger.notice(
      "upstream ended",
      metadata: [
        "fault": "\(end.faultName)", "source": "upstream", "phase": "\(phase.rawValue)",
        "detail": "\(LogText.escaped(end.detail))",
      ])
  }

  /// Another connection took the place of the one that ended: the call goes on without a fault.
  mutating func upstreamReplaced() {
    guard source == "upstream" else { return }
    fault = "none"
    source = "downstream"
  }

  mutating func downstreamEnded(_ end: LegEnd) {
    switch end {
    case .closed(let event):
      switch event.cause {
      case .peerClosed: if event.code != .normal { set(fault: "client_closed_\(event.code)", source: "downstream") }
      case .handshakeCompleted: break
      case .fault(let wire): set(fault: "\(wire)", source: "downstream")
      case .endOfStream: set(fault: "client_lost", source: "downstream")
      }
    case .silent: set(fault: "peer_silent", source: "downstream")
    case .lost: set(fault: "client_lost", source: "downstream")
    case .stalled: set(fault: "peer_stalled", source: "downstream")
    case .flooding: set(fault: "peer_flooding", source: "downstream")
    case .closeUnanswered: set(fault: "close_unanswered", source: "downstream")
    }
  }

  /// The provider has stopped taking what the client says, or takes it again.
  mutating func provider(takes isTaking: Bool, at now: Instant) {
    guard let waited = uplinkWait.changed(isOver: isTaking, at: now), waited >= Wait.worthALine else { return }
    logger.warning(
      "the provider took late what the client said", metadata: ["waited_ms": "\(waited.wholeMilliseconds)"])
  }

  /// The client has stopped taking what the provider says, or takes it again.
  mutating func client(takes isTaking: Bool, at now: Instant) {
    _ = downlinkWait.changed(isOver: isTaking, at: now)
  }

  mutating func stopped() {
    set(fault: "server_stopping", source: "gateway")
  }

  /// We closed the client's side; also where that is no fault of anybody's, as at the end of its time, the reason says why.
  mutating func closed(code: UInt16, reason: String) {
    closeCode = code
    if !reason.isEmpty { set(fault: reason, source: "gateway") }
  }

  /// How it ended, for the records of usage: `completed`, or the name of the first fault.
  var outcome: String { fault == "none" ? "completed" : fault }

  /// Who caused its end, where it was a bad one.
  var endSource: SessionEndSource {
    fault == "none" || Self.intended.contains(fault) ? .none : SessionEndSource(rawValue: source) ?? .none
  }

  /// Ends that the operator has ordered, or set a limit for.
  private static let intended: Set<String> = [
    "session_idle", "session_expired", "minutes_exhausted", "session_ended_by_operator", "gateway_restarting",
    "server_stopping",
  ]

  mutating func end(_ traffic: SessionTraffic, at now: Instant) {
    _ = uplinkWait.changed(isOver: true, at: now)
    _ = downlinkWait.changed(isOver: true, at: now)
    var metadata: Logger.Metadata = [
      "fault": "\(fault)", "source": "\(source)", "phase": "\(phase.rawValue)",
      "duration_ms": "\((now - begunAt).wholeMilliseconds)", "messages_up": "\(traffic.clientIn.frames)",
      "messages_down": "\(traffic.upstreamIn.frames)",
    ]
    if let closeCode { metadata["close_code"] = "\(closeCode)" }
    if messagesSkipped > 0 { metadata["messages_skipped"] = "\(messagesSkipped)" }
    if uplinkWait.longest > .zero { metadata["uplink_waited_ms"] = "\(uplinkWait.longest.wholeMilliseconds)" }
    if downlinkWait.longest > .zero { metadata["downlink_waited_ms"] = "\(downlinkWait.longest.wholeMilliseconds)" }
    if endSource == .upstream || endSource == .gateway {
      logger.error(
        "session failed", metadata: ["fault": "\(fault)", "source": "\(source)", "phase": "\(phase.rawValue)"])
    }
    logger.info("session ended", metadata: metadata)
  }

  private mutating func set(fault: String, source: String) {
    guard self.fault == "none" else { return }
    self.fault = LogText.escaped(fault)
    self.source = source
  }
}

/// How long one side was kept waiting at most: the age that its audio had when it went on.
private struct Wait {
  static let worthALine = Duration.seconds(1)

  private(set) var longest = Duration.zero
  private var since: Instant?

  /// - Returns: how long it was, when it is over.
  mutating func changed(isOver: Bool, at now: Instant) -> Duration? {
    guard isOver else {
      since = since ?? now
      return nil
    }
    guard let began = since else { return nil }
    since = nil
    longest = max(longest, now - began)
    return now - began
  }
}

extension UpstreamEnd {
  /// A name from a closed set, for logs.
  var faultName: String {
    switch self {
    case .unreachable: "upstream_unreachable"
    case .nameNotFound: "upstream_name_not_found"
    case .addressRefused: "upstream_address_refused"
    case .proxyFailed: "upstream_proxy_failed"
    case .tlsRefused: "upstream_tls_failed"
    case .timedOut(let phase): "upstream_timeout_\(phase.rawValue)"
    case .refused: "upstream_refused"
    case .badHandshake: "upstream_bad_handshake"
    case .closed: "upstream_closed"
    case .lost: "upstream_lost"
    case .framingBroken: "upstream_framing_broken"
    }
  }

  /// What the provider said itself; for the log only.
  var detail: String {
    switch self {
    case .refused(let status, _): "status \(status)"
    case .proxyFailed(let status): status.map { "status \($0)" } ?? ""
    // The reason is the provider's own text, which may quote a key or what was said.
    case .closed(let code, _): "code \(code)"
    case .unreachable, .nameNotFound, .addressRefused, .tlsRefused, .timedOut, .badHandshake, .lost, .framingBroken: ""
    }
  }
}

/// Text from outside on its way into a log line (fault row 62).
enum LogText {
  private static let longestCharacters = 200

  /// The text in one line of visible characters, cut at a length that no log minds.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(longestCharacters) {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case " "..."~": result.unicodeScalars.append(scalar)
      default: result += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return result
  }
}
