import Envelope

/// Which models a session may have.
public struct ModelRule: Sendable, Hashable {
  /// The only one; nil where there may be others.
  public var pinned: String?
  /// Exact names, and beginnings before a `*` at the end; nil for all.
  public var allowed: [String]?

  public init(pinned: String? = nil, allowed: [String]? = nil) {
    self.pinned = pinned
    self.allowed = allowed
  }

  public func admits(_ model: String) -> Bool {
    if let pinned, pinned != model { return false }
    return allowed?.contains { $0.hasSuffix("*") ? model.hasPrefix($0.dropLast()) : model == $0 } ?? true
  }
}

extension ModelRule {
  /// Holds a `session.update` to the rule.
  ///
  /// - Parameters:
  ///   - update: in the GA vocabulary.
  ///   - present: the session's model.
  /// - Returns: the update with the model that the session has in the place of one that it may not have; nil where it may
  ///   go as it is.
  /// - Throws: the same where fields are refused rather than replaced.
  func judge(_ update: JSONValue, present: String, isStrict: Bool) throws(EventFault) -> JSONValue? {
    guard self != ModelRule(), var event = update.object, var session = event["session"]?.object else { return nil }
    var isChanged = false
    for key in ["model", "modelId"] {
      guard let asked = session[key]?.string, asked != present, !admits(asked) else { continue }
      guard !isStrict else {
        throw EventFault(
          code: "model_not_allowed", message: "This session may not have another model than it has.",
          param: "session.\(key)")
      }
      session[key] = .string(present)
      isChanged = true
    }
    event["session"] = .object(session)
    return isChanged ? .object(event) : nil
  }
}
