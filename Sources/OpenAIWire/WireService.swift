public import Envelope
public import Translation

/// A service that speaks the OpenAI wire, or nearly: what differs from OpenAI itself, as data and as pure functions over
/// JSON objects. Everything that they share is ``WireTranslator``'s.
public protocol WireService: Sendable {
  /// Of sessions whose client names none.
  var model: String { get }
  var traits: WireTraits { get }
  var coverage: [CoverageRow] { get }

  /// Where and how to connect.
  ///
  /// - Parameter conversationID: the service's own, of a conversation that a lost connection is taken up again with.
  func target(_ session: RealtimeSession, resuming conversationID: String?) -> UpstreamTarget

  /// The same, for a service that wants to know which of the call's connections it is.
  ///
  /// - Parameter count: the connections that the call has had before.
  func target(_ session: RealtimeSession, resuming conversationID: String?, opened count: Int) -> UpstreamTarget

  /// Puts the service's defaults into a fresh session, before anything is known of the service itself.
  func begin(_ session: inout RealtimeSession)

  /// Puts what will really happen in the place of what was asked for.
  ///
  /// - Returns: the fields without a counterpart, such as `session.audio.output.model`.
  /// - Throws: what is refused whatever the mode.
  func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String]

  /// The `session` of a `session.update` in the service's form.
  ///
  /// - Parameters:
  ///   - fields: of the vocabulary, nested, with effective values; at set-up all of them, later those that were changed.
  ///     `turn_detection`, `transcription` and `format` objects are whole.
  ///   - session: as it is after the update.
  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject

  /// Any other control event of the client in the service's form; empty for what does not go up.
  func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject]

  /// The options of a `response.create` that ``wireEvent(_:of:)`` leaves out and nothing here stands in for.
  ///
  /// - Parameter response: as the client gave it.
  /// - Returns: paths such as `response.tool_choice`.
  func ignoredOptions(_ response: JSONObject) -> [String]

  /// The session's client asks for what is the service's own beside the vocabulary (Q19).
  mutating func passVendorEvents()

  /// What the service's way of ending means to the client, where it says more than the protocol does.
  func verdict(on end: UpstreamEnd) -> UpstreamVerdict?
}

extension WireService {
  public func target(
    _ session: RealtimeSession, resuming conversationID: String?, opened count: Int
  ) -> UpstreamTarget {
    target(session, resuming: conversationID)
  }

  public func begin(_ session: inout RealtimeSession) {}

  public func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject] {
    [event]
  }

  public func ignoredOptions(_ response: JSONObject) -> [String] { [] }

  public mutating func passVendorEvents() {}

  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? { NativeVerdict.on(end) }
}
