public import Envelope
public import Translation

/// Turns what a provider says into valid events of the GA vocabulary; what is valid already is left as it is.
public struct EventMender: Sendable {
  private let rules: MendingRules

  public init(_ rules: MendingRules) {
    self.rules = rules
  }

  /// What became of an event.
  public enum Mended: Sendable, Equatable {
    /// The event satisfies its shape and comes in its place: its very bytes may go on.
    case untouched
    /// What is told instead, in order; nothing where it is empty. Events without `event_id` need one.
    case events([JSONObject])
  }

  /// `session` is the effective one: it has what a response object lacks.
  public mutating func mend(_ event: JSONObject, session: RealtimeSession, ids: inout IDSource) -> Mended {
    .untouched
  }

  /// The audio lane: whether this delta may go as it is. Where it may not, `mend` decides.
  public mutating func admits(_ delta: DeltaFrame, in message: UnsafeRawBufferPointer) -> Bool {
    true
  }

  /// A `response.create` of the client is on its way: what its `response.created` and `response.done` must show, in order
  /// of asking.
  public mutating func asked(metadata: JSONValue?, modalities: [Modality]?) {}

  /// A `response.cancel` of the client is on its way. What the response still says is dropped until its `response.done`.
  public mutating func cancelAsked(responseID: String?) {}

  /// Audio of the client went up; for the usage estimate where the provider gives none.
  public mutating func heardAudio(milliseconds: Int) {}

  /// Whether a response is open.
  public var isMidTurn: Bool { false }

  /// Of the conversation and beside it, in the order in which they began.
  public var openResponseIDs: [String] { [] }

  /// Ends what is open, failed, in legal order.
  public mutating func closeAll(_ verdict: UpstreamVerdict) -> [JSONObject] { [] }

  /// An error object from whatever a provider sends as one.
  public static func error(from event: JSONObject) -> ErrorObject {
    ErrorObject(type: "server_error", code: nil, message: event["error"]?["message"]?.string ?? "")
  }
}
