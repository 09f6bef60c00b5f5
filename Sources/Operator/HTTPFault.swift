public import Envelope
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer other than the one that was asked for. It is written as OpenAI's error object, the one shape that all
/// errors of the HTTP side have: `{"error":{"message":…,"type":…,"param":…,"code":…}}`.
public struct HTTPFault: Error, Sendable, Hashable {
  /// A field of the answer beside its `Content-Type`.
  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// HTTP status, 400 to 599.
  public var status: Int
  /// `invalid_request_error`, `authentication_error`, `rate_limit_error`, `server_error`.
  public var type: String
  /// A short fixed name for programs; nil becomes `null`.
  public var code: String?
  /// For people; holds nothing secret.
  public var message: String
  /// A dotted path into the body, or the name of a query parameter.
  public var param: String?
  public var fields: [Field]

  public init(
    status: Int, type: String = "invalid_request_error", code: String?, message: String, param: String? = nil,
    fields: [Field] = []
  ) {
    self.status = status
    self.type = type
    self.code = code
    self.message = message
    self.param = param
    self.fields = fields
  }

  /// What is wrong with a body, in the words that an event with the same mistake would meet.
  public init(_ fault: EventFault, status: Int = 400) {
    self.init(status: status, type: fault.type, code: fault.code, message: fault.message, param: fault.param)
  }

  var response: Response {
    var response = OperatorSurface.errorResponse(
      .init(code: status), type: type, code: code, message: message, param: param)
    for field in fields {
      if let name = HTTPField.Name(field.name) { response.headers[name] = field.value }
    }
    return response
  }
}

extension HTTPFault {
  static func unknownParameter(_ name: String) -> HTTPFault {
    HTTPFault(
      status: 400, code: "unknown_parameter", message: "Unknown parameter: '\(name.prefix(64))'.",
      param: String(name.prefix(64)))
  }

  static func notFound(_ message: String, code: String = "not_found", param: String? = nil) -> HTTPFault {
    HTTPFault(status: 404, code: code, message: message, param: param)
  }

  static func conflict(_ code: String, _ message: String, param: String? = nil) -> HTTPFault {
    HTTPFault(status: 409, code: code, message: message, param: param)
  }

  /// The store does not answer; what is in it is as it was.
  static let ledgerUnavailable = HTTPFault(
    status: 503, type: "server_error", code: "ledger_unavailable",
    message: "The ledger does not answer at the moment. Try again.", fields: [Field(name: "Retry-After", value: "5")])
}
