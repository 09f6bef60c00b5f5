public enum ResponseStatus: String, Codable, Sendable, CaseIterable {
  case inProgress = "in_progress"
  case completed
  case cancelled
  case incomplete
  case failed
}

/// A response of the model, as `response.created` and `response.done` show it. All keys are written, null where empty.
public struct Response: Codable, Sendable, Equatable {
  public var object: String
  public var id: String
  public var status: ResponseStatus
  @Nullable public var statusDetails: StatusDetails?
  public var output: [Item]
  /// `nil` for a response outside of the conversation.
  @Nullable public var conversationID: String?
  public var outputModalities: [Modality]
  public var maxOutputTokens: MaxOutputTokens
  public var audio: ResponseAudio?
  @Nullable public var usage: Usage?
  /// An object of strings; echoed as the client sent it.
  @Nullable public var metadata: JSONValue?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case object
    case id
    case status
    case statusDetails = "status_details"
    case output
    case conversationID = "conversation_id"
    case outputModalities = "output_modalities"
    case maxOutputTokens = "max_output_tokens"
    case audio
    case usage
    case metadata
    case unknown = "*"
  }

  public init(
    id: String, status: ResponseStatus = .inProgress, statusDetails: StatusDetails? = nil, output: [Item] = [],
    conversationID: String?, outputModalities: [Modality] = [.audio], maxOutputTokens: MaxOutputTokens = .inf,
    audio: ResponseAudio? = nil, usage: Usage? = nil, metadata: JSONValue? = nil
  ) {
    object = "realtime.response"
    self.id = id
    self.status = status
    self.statusDetails = statusDetails
    self.output = output
    self.conversationID = conversationID
    self.outputModalities = outputModalities
    self.maxOutputTokens = maxOutputTokens
    self.audio = audio
    self.usage = usage
    self.metadata = metadata
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      id: try container.decode(String.self, forKey: .id),
      status: try container.decode(ResponseStatus.self, forKey: .status),
      statusDetails: try container.decodeIfPresent(StatusDetails.self, forKey: .statusDetails),
      output: try container.decode(.output, or: []),
      conversationID: try container.decodeIfPresent(String.self, forKey: .conversationID),
      outputModalities: try container.decode(.outputModalities, or: [.audio]),
      maxOutputTokens: try container.decode(.maxOutputTokens, or: .inf),
      audio: try container.decodeIfPresent(ResponseAudio.self, forKey: .audio),
      usage: try container.decodeIfPresent(Usage.self, forKey: .usage),
      metadata: try container.decodeIfPresent(JSONValue.self, forKey: .metadata))
    object = try container.decode(.object, or: object)
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// `response.audio`, in a response and in the options of `response.create`.
public struct ResponseAudio: Codable, Sendable, Equatable {
  public var output: ResponseAudioOutput?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case output
    case unknown = "*"
  }

  public init(output: ResponseAudioOutput? = nil) {
    self.output = output
    unknown = UnknownFields()
  }

  public init(format: AudioFormat?, voice: Voice?) {
    self.init(output: ResponseAudioOutput(format: format, voice: voice))
  }
}

/// `response.audio.output`.
public struct ResponseAudioOutput: Codable, Sendable, Equatable {
  var formatFields: FormatFields?
  public var voice: Voice?
  public var unknown: UnknownFields

  public var format: AudioFormat? {
    get { formatFields?.format }
    set {
      if let newValue, formatFields != nil {
        formatFields?.format = newValue
      } else {
        formatFields = newValue.map(FormatFields.init)
      }
    }
  }

  enum CodingKeys: String, CodingKey {
    case formatFields = "format"
    case voice
    case unknown = "*"
  }

  public init(format: AudioFormat? = nil, voice: Voice? = nil) {
    formatFields = format.map(FormatFields.init)
    self.voice = voice
    unknown = UnknownFields()
  }
}

/// Why a response ended otherwise than completed.
public struct StatusDetails: Codable, Sendable, Equatable {
  /// Clients validate these; a reason that is not listed here must not be sent to them.
  public struct Reason: RawRepresentable, Codable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// The user began to speak.
    public static let turnDetected = Reason(rawValue: "turn_detected")
    public static let clientCancelled = Reason(rawValue: "client_cancelled")
    public static let maxOutputTokens = Reason(rawValue: "max_output_tokens")
    public static let contentFilter = Reason(rawValue: "content_filter")
  }

  /// Repeats the status of the response.
  public var type: String?
  public var reason: Reason?
  public var error: ResponseError?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case reason
    case error
    case unknown = "*"
  }

  public init(status: ResponseStatus, reason: Reason? = nil, error: ResponseError? = nil) {
    type = status.rawValue
    self.reason = reason
    self.error = error
    unknown = UnknownFields()
  }
}

/// `status_details.error` of a failed response.
public struct ResponseError: Codable, Sendable, Equatable {
  public var type: String?
  public var code: String?
  public var message: String?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case code
    case message
    case unknown = "*"
  }

  public init(type: String?, code: String?, message: String? = nil) {
    self.type = type
    self.code = code
    self.message = message
    unknown = UnknownFields()
  }
}
