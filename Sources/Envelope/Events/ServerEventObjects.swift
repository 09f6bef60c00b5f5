/// `conversation` of `conversation.created`.
public struct ConversationObject: Codable, Sendable, Equatable {
  public var id: String
  public var object: String?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case id
    case object
    case unknown = "*"
  }

  public init(id: String) {
    self.id = id
    object = "realtime.conversation"
    unknown = UnknownFields()
  }
}

/// One limit in `rate_limits.updated`.
public struct RateLimit: Codable, Sendable, Equatable {
  /// `requests` or `tokens`; clients accept nothing else.
  public var name: String
  public var limit: Int
  public var remaining: Int
  public var resetSeconds: Double
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case name
    case limit
    case remaining
    case resetSeconds = "reset_seconds"
    case unknown = "*"
  }

  public init(name: String, limit: Int, remaining: Int, resetSeconds: Double) {
    self.name = name
    self.limit = limit
    self.remaining = remaining
    self.resetSeconds = resetSeconds
    unknown = UnknownFields()
  }
}

/// Why user audio has no transcript. Fields are left out where there is nothing to say: some clients reject null here.
public struct TranscriptionError: Codable, Sendable, Equatable {
  public var type: String?
  public var code: String?
  public var message: String?
  public var param: String?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case code
    case message
    case param
    case unknown = "*"
  }

  public init(type: String? = nil, code: String? = nil, message: String? = nil, param: String? = nil) {
    self.type = type
    self.code = code
    self.message = message
    self.param = param
    unknown = UnknownFields()
  }
}

/// What one speaker said, from a transcriber that tells speakers apart. Its fields lie in the event itself.
public struct TranscriptionSegment: Sendable, Equatable {
  public var itemID: String
  public var contentIndex: Int
  public var id: String
  public var text: String
  public var speaker: String
  /// Seconds into the audio of the item.
  public var start: Double
  /// Seconds into the audio of the item.
  public var end: Double

  public init(
    itemID: String, contentIndex: Int = 0, id: String, text: String, speaker: String, start: Double, end: Double
  ) {
    self.itemID = itemID
    self.contentIndex = contentIndex
    self.id = id
    self.text = text
    self.speaker = speaker
    self.start = start
    self.end = end
  }
}
