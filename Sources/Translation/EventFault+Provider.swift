public import Envelope

// Faults of what a provider cannot do: the client's event is sound, and has no effect.

extension EventFault {
  /// The provider has nothing that this field could become.
  ///
  /// - Parameters:
  ///   - reason: one sentence.
  ///   - param: the dotted path of the field.
  public static func unsupported(_ reason: String, param: String) -> EventFault {
    EventFault(code: "unsupported_value", message: reason, param: param)
  }

  /// What a session may hold for its provider is bounded.
  ///
  /// - Parameter reason: one sentence.
  public static func tooMuchHeld(_ reason: String, param: String) -> EventFault {
    EventFault(code: tooMuchHeldCode, message: reason, param: param)
  }

  public static let tooMuchHeldCode = "too_much_held"

  /// The field was fixed when the provider was set up.
  public static func cannotUpdate(_ param: String) -> EventFault {
    let field = param.split(separator: ".").last.map(String.init) ?? param
    return EventFault(
      code: "cannot_update_\(field)",
      message: "'\(param)' cannot be changed once the conversation with this provider has begun.", param: param)
  }
}
