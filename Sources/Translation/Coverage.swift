public import Envelope

/// What a provider makes of one thing that a client can say: a row of `GET /v1/capabilities`.
///
/// A subject has one row without a condition, and any number of rows for conditions under which something else happens.
public struct CoverageRow: Sendable, Equatable {
  public enum Support: String, Codable, Sendable, CaseIterable {
    /// The provider has it, and gets it.
    case mapped
    /// The provider has nothing of the kind; it happens all the same.
    case emulated
    /// It changes nothing, and no `error` says so.
    case ignored
    /// An `error` event names the field, and nothing else of the event happens either.
    case refused
  }

  /// From when on a change holds.
  public enum Moment: String, Codable, Sendable, CaseIterable {
    case atOnce = "at_once"
    /// For the audio that comes after it.
    case nextChunk = "next_chunk"
    /// Before the next response at the latest.
    case nextResponse = "next_response"
    /// Only until the provider is set up: the first content, or a moment after the first update.
    case atSetUp = "at_set_up"
  }

  /// The type of a client event, such as `response.cancel`, or the path of a field in one: `session.tools` in
  /// `session.update`, `response.tools` in `response.create`, `previous_item_id`. `session.*` is every field without a
  /// row of its own.
  public var subject: String
  /// The row holds where these fields have these values; nil: everywhere else. `[]` in a path is any element.
  public var condition: JSONObject?
  public var support: Support
  /// Nil where it says nothing: what cannot be changed, or not by this field.
  public var takesEffect: Moment?
  /// One sentence for people.
  public var note: String

  public init(
    _ subject: String, when condition: JSONObject? = nil, _ support: Support, from takesEffect: Moment? = nil,
    _ note: String
  ) {
    self.subject = subject
    self.condition = condition
    self.support = support
    self.takesEffect = takesEffect
    self.note = note
  }
}

extension CoverageRow {
  /// What a provider has no counterpart for: replaced by what really happens, or refused where it is strict (Q23).
  ///
  /// - Parameter shown: what the session shows in its place; nil where that is nothing to be told.
  public static func counterless(
    _ subject: String, when condition: JSONObject? = nil, isLenient: Bool, _ note: String, shown: String? = nil
  ) -> CoverageRow {
    guard isLenient else { return CoverageRow(subject, when: condition, .refused, note) }
    return CoverageRow(subject, when: condition, .ignored, note + (shown.map { " The session shows \($0)." } ?? ""))
  }
}

extension CoverageRow: Codable {
  enum CodingKeys: String, CodingKey {
    case subject
    case condition = "when"
    case support
    case takesEffect = "takes_effect"
    case note
  }
}

/// What there is to be covered.
public enum Coverage {
  /// The type of every client event.
  public static let events = ClientEventType.allCases.map(\.rawValue)

  /// Every field of a session: the ones that a client can set, and the server's own.
  ///
  /// An object counts as one field, unless its own fields are told apart here; it is here beside them if it can be null.
  public static let sessionFields =
    [
      "type", "id", "object", "expires_at", "model", "output_modalities", "instructions", "tools", "tool_choice",
      "parallel_tool_calls", "reasoning.effort", "max_output_tokens", "tracing", "truncation", "prompt", "include",
    ].map { "session." + $0 } + inputFields.map { "session.audio.input." + $0 }
    + ["format", "voice", "speed"].map { "session.audio.output." + $0 }

  private static let inputFields =
    ["format"]
    + ["", ".model", ".language", ".prompt", ".languages", ".keywords", ".delay"].map { "transcription" + $0 }
    + ["", ".type", ".strength"].map { "noise_reduction" + $0 }
    + [
      "", ".type", ".threshold", ".prefix_padding_ms", ".silence_duration_ms", ".idle_timeout_ms", ".eagerness",
      ".create_response", ".interrupt_response",
    ].map { "turn_detection" + $0 }

  /// Fields of a session that are not the vocabulary's own: other names and places of some of it, what clients of one
  /// service or another send, and the rest.
  public static let otherSessionFields = [
    "modelId", "voice", "turn_detection", "temperature", "audio.output.model", "providerData", "*",
  ].map { "session." + $0 }

  /// Every option of a response.
  public static let responseFields = [
    "conversation", "metadata", "output_modalities", "instructions", "audio.output.format", "audio.output.voice",
    "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "reasoning.effort", "prompt", "input", "*",
  ].map { "response." + $0 }

  /// Everything that each provider has a row for.
  public static let subjects =
    events + ["previous_item_id"] + sessionFields + otherSessionFields + responseFields

  /// The rows of a provider whose sessions Parley keeps itself, for fields that are the server's.
  public static let serverFields: [CoverageRow] = [
    CoverageRow("session.type", .mapped, "Every session is a conversation, `realtime`."),
    CoverageRow(
      "session.type", when: ["session.type": "transcription"], .refused, "A session cannot become another kind."),
    CoverageRow("session.id", .ignored, "The server gives it."),
    CoverageRow("session.object", .ignored, "The server gives it."),
    CoverageRow("session.expires_at", .ignored, "The server gives it."),
  ]
}
