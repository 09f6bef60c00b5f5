/// The object in an `error` event. `code`, `param` and `event_id` are always written, null where there is none.
public struct ErrorObject: Codable, Sendable, Equatable {
  public var type: String
  @Nullable public var code: String?
  public var message: String
  /// A dotted path into the client's event, such as `session.audio.input.format.rate`.
  @Nullable public var param: String?
  /// The `event_id` of the client's event, if it bore one.
  @Nullable public var eventID: String?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case code
    case message
    case param
    case eventID = "event_id"
    case unknown = "*"
  }

  public init(type: String, code: String?, message: String, param: String? = nil, eventID: String? = nil) {
    self.type = type
    self.code = code
    self.message = message
    self.param = param
    self.eventID = eventID
    unknown = UnknownFields()
  }

  /// `type` and `message` must be strings for clients; a peer that leaves them out gets `server_error` and no text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      type: try container.decode(.type, or: "server_error"),
      code: try container.decodeIfPresent(String.self, forKey: .code),
      message: try container.decode(.message, or: ""),
      param: try container.decodeIfPresent(String.self, forKey: .param),
      eventID: try container.decodeIfPresent(String.self, forKey: .eventID))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}
