import Envelope

/// A refusal of the service: what goes into its `error` event.
struct RealtimeFault: Error, Sendable, Hashable {
  var type = "invalid_request_error"
  var code: String?
  var message: String
  /// The path of the field at fault, as the client wrote it.
  var param: String?
  /// The client broke a rule that it could have known: goes into the record. Conflicts with the session's state, such
  /// as a second response while one runs, are none.
  var isViolation = false
  /// The service closes the connection after the error.
  var close: Close?

  struct Close: Sendable, Hashable {
    var code: UInt16
    var reason: String
  }

  init(code: String?, _ message: String, param: String? = nil) {
    self.code = code
    self.message = message
    self.param = param
  }

  /// A rule that the client broke.
  static func violation(code: String?, _ message: String, param: String? = nil) -> Self {
    var fault = Self(code: code, message, param: param)
    fault.isViolation = true
    return fault
  }

  /// The service's code and words for a message that its fields do not allow.
  init(_ fault: FieldFault) {
    let path = fault.dottedPath
    switch fault.kind {
    case .unknown(let name), .repeated(let name):
      let param = FieldFault.dotted(fault.path + [.key(name)])
      self.init(code: "unknown_parameter", "Unknown parameter: '\(param)'.", param: param)
    case .missing(let name):
      let param = FieldFault.dotted(fault.path + [.key(name)])
      self.init(
        code: "missing_required_parameter", "Missing required parameter: '\(param)'.", param: param)
    case .wrongType(let expected, let found):
      self.init(
        code: "invalid_type",
        "Invalid type for '\(path)': expected \(expected), but got \(found) instead.",
        param: path)
    case .notInEnumeration(let value, let allowed):
      let names = allowed.map { "'\($0)'" }.joined(separator: ", ")
      self.init(
        code: "invalid_value", "Invalid value: '\(value)'. Supported values are: \(names).",
        param: path)
    case .belowMinimum(let value, let minimum, let isInteger):
      let kind = isInteger ? "integer" : "decimal"
      self.init(
        code: "\(kind)_below_min_value",
        "Invalid '\(path)': \(kind) below minimum value. Expected a value >= \(minimum), but got \(value) instead.",
        param: path)
    case .aboveMaximum(let value, let maximum, let isInteger):
      let kind = isInteger ? "integer" : "decimal"
      self.init(
        code: "\(kind)_above_max_value",
        "Invalid '\(path)': \(kind) above maximum value. Expected a value <= \(maximum), but got \(value) instead.",
        param: path)
    case .tooLong(let maximum):
      self.init(
        code: "string_above_max_length",
        "Invalid '\(path)': string too long. Expected a string with maximum length \(maximum).",
        param: path)
    case .notBase64:
      self.init(
        code: "invalid_value", "Invalid '\(path)'. Expected base64-encoded audio bytes.",
        param: path)
    }
    isViolation = true
  }

  func object(eventID: String?) -> JSONObject {
    let nullable = { (text: String?) -> JSONValue in text.map { .string($0) } ?? .null }
    return [
      "type": .string(type), "code": nullable(code), "message": .string(message),
      "param": nullable(param),
      "event_id": nullable(eventID),
    ]
  }

  /// The line of the record.
  func violation(by eventType: String?) -> StandInFrame {
    var note = object(eventID: nil)
    note["event_id"] = nil
    note["type"] = eventType.map { .string($0) } ?? .null
    return .violation(.object(note))
  }
}
