/// A client's event that cannot be carried out; the typed throw of the pure core. It becomes one `error` event and
/// never ends the session by itself.
///
/// Codes and the beginnings of messages are those of the OpenAI service: clients match on both.
public struct EventFault: Error, Sendable, Hashable {
  public var type: String
  public var code: String?
  public var message: String
  /// A dotted path into the client's event, such as `session.tools[0].name`.
  public var param: String?

  public init(type: String = "invalid_request_error", code: String?, message: String, param: String? = nil) {
    self.type = type
    self.code = code
    self.message = message
    self.param = param
  }

  /// - Parameter eventID: the `event_id` of the client's event, see `ClientEvent.eventID(of:)`.
  public func errorObject(eventID: String?) -> ErrorObject {
    ErrorObject(type: type, code: code, message: message, param: param, eventID: eventID)
  }
}

// MARK: - Form of an event

extension EventFault {
  /// - Parameter reason: one sentence, such as `JSONFault.message`.
  public static func invalidJSON(_ reason: String) -> EventFault {
    EventFault(code: "invalid_json", message: reason)
  }

  /// A message that can be no event at all: binary, or JSON but not an object.
  public static func invalidEvent(_ reason: String) -> EventFault {
    EventFault(code: "invalid_event", message: reason)
  }

  /// The `type` of an event is missing.
  public static func missingEventType() -> EventFault {
    EventFault(
      code: "invalid_value", message: "The event has no 'type'. Supported values are: \(acceptedTypes).", param: "type")
  }

  public static func unknownEventType(_ type: String) -> EventFault {
    invalidValue(type, param: "type", supported: ClientEventType.allCases.map(\.rawValue))
  }

  private static var acceptedTypes: String {
    enumeration(of: ClientEventType.allCases.map(\.rawValue))
  }

  /// - Parameter supported: what would have been accepted; empty where it cannot be listed.
  public static func invalidValue(_ value: String, param: String, supported: [String] = []) -> EventFault {
    let hint = supported.isEmpty ? "" : " Supported values are: \(enumeration(of: supported))."
    return EventFault(code: "invalid_value", message: "Invalid value: '\(excerpt(value))'.\(hint)", param: param)
  }

  /// - Parameter reason: one sentence.
  public static func invalidValue(param: String, because reason: String) -> EventFault {
    EventFault(code: "invalid_value", message: "Invalid '\(param)': \(reason)", param: param)
  }

  public static func missingRequiredParameter(_ param: String) -> EventFault {
    EventFault(code: "missing_required_parameter", message: "Missing required parameter: '\(param)'.", param: param)
  }

  /// - Parameters:
  ///   - expected: a noun with its article, such as `an object`.
  ///   - found: likewise.
  public static func invalidType(param: String, expected: String, found: String) -> EventFault {
    EventFault(
      code: "invalid_type",
      message: "Invalid type for '\(param)': expected \(expected), but got \(found) instead.",
      param: param)
  }

  public static func invalidParameter(_ message: String, param: String?) -> EventFault {
    EventFault(code: "invalid_parameter", message: message, param: param)
  }

  /// The session of an update is of the other type than the one of the connection.
  public static func sessionTypeMismatch(update: SessionType, session: SessionType) -> EventFault {
    invalidParameter(
      "Passing a \(update.rawValue) session update event to a \(session.rawValue) session is not allowed.",
      param: "session.type")
  }
}

// MARK: - Bounds

extension EventFault {
  public static func integerBelowMinimum(param: String, minimum: Int, found: String) -> EventFault {
    EventFault(
      code: "integer_below_min_value",
      message:
        "Invalid '\(param)': integer below minimum value. "
        + "Expected a value >= \(minimum), but got \(excerpt(found)) instead.",
      param: param)
  }

  public static func integerAboveMaximum(param: String, maximum: Int, found: String) -> EventFault {
    EventFault(
      code: "integer_above_max_value",
      message:
        "Invalid '\(param)': integer above maximum value. "
        + "Expected a value <= \(maximum), but got \(excerpt(found)) instead.",
      param: param)
  }

  public static func decimalBelowMinimum(param: String, minimum: Double, found: String) -> EventFault {
    EventFault(
      code: "decimal_below_min_value",
      message:
        "Invalid '\(param)': decimal below minimum value. "
        + "Expected a value >= \(minimum), but got \(excerpt(found)) instead.",
      param: param)
  }

  public static func decimalAboveMaximum(param: String, maximum: Double, found: String) -> EventFault {
    EventFault(
      code: "decimal_above_max_value",
      message:
        "Invalid '\(param)': decimal above maximum value. "
        + "Expected a value <= \(maximum), but got \(excerpt(found)) instead.",
      param: param)
  }

  /// Lengths are in Unicode scalars.
  public static func stringAboveMaximumLength(param: String, maximum: Int, found: Int) -> EventFault {
    EventFault(
      code: "string_above_max_length",
      message:
        "Invalid '\(param)': string too long. "
        + "Expected a string with maximum length \(maximum), but got a string with length \(found) instead.",
      param: param)
  }
}

// MARK: - From a failed decoding

extension EventFault {
  /// - Parameter fault: its path is taken as the path into the event.
  init(_ fault: DecodingFault) {
    switch fault.kind {
    case .missing:
      self = .missingRequiredParameter(fault.path)
    case .wrongType(let expected, let found):
      self = .invalidType(param: fault.path, expected: expected.phrase, found: found.phrase)
    case .invalidValue(let message):
      self = .invalidValue(param: fault.path, because: message)
    }
  }

  /// At most 64 characters of what a client sent.
  static func excerpt(_ text: String) -> String {
    let start = text.prefix(64)
    return start.endIndex == text.endIndex ? text : start + "…"
  }

  /// `'a', 'b', and 'c'`.
  static func enumeration(of values: [String]) -> String {
    let quoted = values.map { "'\($0)'" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
    let conjunction = quoted.count > 2 ? ", and " : " and "
    return quoted.dropLast().joined(separator: ", ") + conjunction + last
  }
}
