import Access
import Envelope
import HTTPWire
import NIOCore
import Routing
import WebSocketWire

/// Everything that a client sees of an error at the edge is decided here: the HTTP answer before the upgrade, and the
/// last event before the close of a client that breaks the WebSocket protocol.
///
/// What it sees after the upgrade, when the provider fails, is decided by the session's verdicts.
enum FaultResponse {
  // MARK: Requests that are not understood

  /// Nil where the peer does not speak HTTP/1 and the connection is closed without an answer.
  static func refusal(for fault: HeadFault) -> Refusal? {
    guard let status = fault.status else { return nil }
    return Refusal(status: status, code: "malformed_request", message: fault.message)
  }

  static let headTimedOut = Refusal(
    status: 408, code: "request_timeout", message: "The request head did not arrive in time.")

  static let admissionTimedOut = Refusal(
    status: 503, type: "server_error", code: "admission_timeout",
    message: "Whether you may connect could not be found out in time; try again.",
    fields: [RequestHead.Field(name: "Retry-After", value: "5")])

  static let stopping = Refusal(
    status: 503, type: "server_error", code: "server_stopping", message: "The server is stopping; try again.",
    fields: [RequestHead.Field(name: "Retry-After", value: "5")])

  /// Another replica, or this one's successor, has a place.
  static let draining = Refusal(
    status: 503, type: "server_error", code: "gateway_restarting",
    message: "The gateway is restarting and takes no more sessions. Connect again.",
    fields: [RequestHead.Field(name: "Retry-After", value: "5")])

  // MARK: Frames that are not understood

  /// The `error` event before the close frame, as a client library shows it more readily than a close reason.
  @Sendable static func lastWords(for fault: WireFault) -> ByteBuffer {
    let code =
      switch fault.closeCode {
      case .messageTooBig: "message_too_big"
      case .invalidPayload: "invalid_utf8"
      case .policyViolation: "too_many_fragments"
      default: "protocol_error"
      }
    let error = ErrorObject(
      type: "invalid_request_error", code: code, message: "The connection is closed: \(fault.reason).")
    let id = String(UInt64.random(in: .min ... .max), radix: 16)
    var message = ByteBuffer()
    ServerEvent(eventID: "event_\(id)", .error(error)).write(into: &message)
    return message
  }

  // MARK: Upgrades that cannot be (RFC 6455 section 4.2)

  static let methodNotAllowed = Refusal(
    status: 405, code: "method_not_allowed", message: "A WebSocket is opened with GET.",
    fields: [RequestHead.Field(name: "Allow", value: "GET")])

  static let unknownMethod = Refusal(
    status: 501, code: "method_not_implemented", message: "This method is not known here.")

  static let upgradeRequired = Refusal(
    status: 426, code: "upgrade_required",
    message: "This address speaks WebSocket: send 'Upgrade: websocket' and 'Connection: Upgrade'.",
    fields: webSocketOffer)

  static let versionNotSupported = Refusal(
    status: 426, code: "websocket_version", message: "Sec-WebSocket-Version must be 13, once.",
    fields: webSocketOffer)

  static let malformedKey = Refusal(
    status: 400, code: "websocket_key", message: "Sec-WebSocket-Key must be 16 bytes in base64, once.")

  static let bodyOnUpgrade = Refusal(
    status: 400, code: "body_on_upgrade", message: "An upgrade request has no body.")

  private static let webSocketOffer = [
    RequestHead.Field(name: "Upgrade", value: "websocket"),
    RequestHead.Field(name: "Sec-WebSocket-Version", value: "13"),
  ]

  // MARK: Credentials and providers

  static func refusal(for refusal: AccessRefusal, contact: String) -> Refusal {
    var fields: [RequestHead.Field] = []
    if let challenge = refusal.challenge {
      fields.append(RequestHead.Field(name: "WWW-Authenticate", value: challenge))
    }
    if let seconds = refusal.retryAfterSeconds {
      fields.append(RequestHead.Field(name: "Retry-After", value: "\(seconds)"))
    }
    return Refusal(
      status: refusal.status, type: refusal.type, code: refusal.code, message: refusal.message(contact: contact),
      param: refusal.parameter, fields: fields)
  }

  static func refusal(for refusal: RouteRefusal, contact: String) -> Refusal {
    Refusal(
      status: refusal.status, type: refusal.status < 500 ? "invalid_request_error" : "server_error",
      code: refusal.code, message: refusal.message(contact: contact), param: refusal.parameter)
  }
}
