public import Envelope

/// What a request says about the session that it asks for, beside the provider and the model.
public struct RequestSigns: Sendable, Hashable {
  /// `OpenAI-Beta: realtime=v1`, `openai-beta.realtime-v1` among the subprotocols, `?dialect=` and `?delta_field=`.
  public let preference: WirePreference
  /// `?intent=transcription`
  public let purpose: SessionType
  /// `?vendor_events=`; nil if it says nothing.
  public let passesVendorEvents: Bool?

  /// The header and the subprotocol stand before the query: a client that sends them speaks so, whatever address it was
  /// given.
  ///
  /// - Parameters:
  ///   - openAIBeta: the comma-separated members of all fields `OpenAI-Beta`.
  ///   - subprotocols: the members of `Sec-WebSocket-Protocol`.
  /// - Throws: `ambiguousParameter` and `malformedParameter`.
  public init(
    _ target: RequestTarget, openAIBeta: [String] = [], subprotocols: [String] = []
  ) throws(RouteRefusal) {
    var preference = WirePreference(
      dialect: try Self.value(of: "dialect", in: target) { DialectChoice($0) },
      deltaFields: try Self.value(of: "delta_field", in: target) { AudioDeltaWriter.Fields(name: $0) })
    let isMarked =
      openAIBeta.contains { $0.lowercased() == "realtime=v1" }
      || subprotocols.contains { $0.lowercased() == "openai-beta.realtime-v1" }
    if isMarked { preference.dialect = .fixed(.beta) }
    self.preference = preference
    purpose = try Self.value(of: "intent", in: target) { SessionType(rawValue: $0) } ?? .realtime
    passesVendorEvents = try Self.value(of: "vendor_events", in: target) { Bool($0) }
  }

  /// A parameter's value; nil if it is absent or empty.
  private static func value<Value>(
    of name: String, in target: RequestTarget, _ read: (String) -> Value?
  ) throws(RouteRefusal) -> Value? {
    guard let text = try target.single(name), !text.isEmpty else { return nil }
    guard let value = read(text) else { throw .malformedParameter(name) }
    return value
  }
}

extension RequestTarget {
  /// The value of a parameter, which may come several times if it says the same.
  public func single(_ name: String) throws(RouteRefusal) -> String? {
    let values = values(of: name)
    guard let first = values.first else { return nil }
    guard let first else { throw .malformedParameter(name) }
    guard values.allSatisfy({ $0 == first }) else { throw .ambiguousParameter(name) }
    return first
  }
}
