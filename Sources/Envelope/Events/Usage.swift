/// The tokens of one response. Counts that a peer leaves out are read as 0 and written.
public struct Usage: Codable, Sendable, Equatable {
  public var totalTokens: Int
  public var inputTokens: Int
  public var outputTokens: Int
  public var inputTokenDetails: InputTokenDetails
  public var outputTokenDetails: OutputTokenDetails
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case totalTokens = "total_tokens"
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    case inputTokenDetails = "input_token_details"
    case outputTokenDetails = "output_token_details"
    case unknown = "*"
  }

  public init(
    totalTokens: Int, inputTokens: Int, outputTokens: Int,
    inputTokenDetails: InputTokenDetails = InputTokenDetails(),
    outputTokenDetails: OutputTokenDetails = OutputTokenDetails()
  ) {
    self.totalTokens = totalTokens
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.inputTokenDetails = inputTokenDetails
    self.outputTokenDetails = outputTokenDetails
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let input = try container.decode(.inputTokens, or: 0)
    let output = try container.decode(.outputTokens, or: 0)
    self.init(
      totalTokens: try container.decode(.totalTokens, or: input &+ output),
      inputTokens: input,
      outputTokens: output,
      inputTokenDetails: try container.decode(.inputTokenDetails, or: InputTokenDetails()),
      outputTokenDetails: try container.decode(.outputTokenDetails, or: OutputTokenDetails()))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// `usage.input_token_details`.
public struct InputTokenDetails: Codable, Sendable, Equatable {
  public var textTokens: Int
  public var audioTokens: Int
  public var imageTokens: Int
  public var cachedTokens: Int
  public var cachedTokensDetails: CachedTokenDetails?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case textTokens = "text_tokens"
    case audioTokens = "audio_tokens"
    case imageTokens = "image_tokens"
    case cachedTokens = "cached_tokens"
    case cachedTokensDetails = "cached_tokens_details"
    case unknown = "*"
  }

  public init(
    textTokens: Int = 0, audioTokens: Int = 0, imageTokens: Int = 0, cachedTokens: Int = 0,
    cachedTokensDetails: CachedTokenDetails? = CachedTokenDetails()
  ) {
    self.textTokens = textTokens
    self.audioTokens = audioTokens
    self.imageTokens = imageTokens
    self.cachedTokens = cachedTokens
    self.cachedTokensDetails = cachedTokensDetails
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      textTokens: try container.decode(.textTokens, or: 0),
      audioTokens: try container.decode(.audioTokens, or: 0),
      imageTokens: try container.decode(.imageTokens, or: 0),
      cachedTokens: try container.decode(.cachedTokens, or: 0),
      cachedTokensDetails: try container.decodeIfPresent(CachedTokenDetails.self, forKey: .cachedTokensDetails))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// `usage.input_token_details.cached_tokens_details`.
public struct CachedTokenDetails: Codable, Sendable, Equatable {
  public var textTokens: Int
  public var audioTokens: Int
  public var imageTokens: Int
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case textTokens = "text_tokens"
    case audioTokens = "audio_tokens"
    case imageTokens = "image_tokens"
    case unknown = "*"
  }

  public init(textTokens: Int = 0, audioTokens: Int = 0, imageTokens: Int = 0) {
    self.textTokens = textTokens
    self.audioTokens = audioTokens
    self.imageTokens = imageTokens
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      textTokens: try container.decode(.textTokens, or: 0),
      audioTokens: try container.decode(.audioTokens, or: 0),
      imageTokens: try container.decode(.imageTokens, or: 0))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// `usage.output_token_details`.
public struct OutputTokenDetails: Codable, Sendable, Equatable {
  public var textTokens: Int
  public var audioTokens: Int
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case textTokens = "text_tokens"
    case audioTokens = "audio_tokens"
    case unknown = "*"
  }

  public init(textTokens: Int = 0, audioTokens: Int = 0) {
    self.textTokens = textTokens
    self.audioTokens = audioTokens
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      textTokens: try container.decode(.textTokens, or: 0),
      audioTokens: try container.decode(.audioTokens, or: 0))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// What a transcription cost: by token, or by the length of the audio.
public enum TranscriptionUsage: Sendable, Equatable {
  case tokens(TranscriptionTokens)
  case duration(seconds: Double, unknown: UnknownFields = UnknownFields())
}

/// `usage` of a transcription that is metered by token.
public struct TranscriptionTokens: Codable, Sendable, Equatable {
  private var type = "tokens"
  public var totalTokens: Int
  public var inputTokens: Int
  public var outputTokens: Int
  public var inputTokenDetails: TranscriptionTokenDetails?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case totalTokens = "total_tokens"
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    case inputTokenDetails = "input_token_details"
    case unknown = "*"
  }

  public init(
    totalTokens: Int, inputTokens: Int, outputTokens: Int, inputTokenDetails: TranscriptionTokenDetails? = nil
  ) {
    self.totalTokens = totalTokens
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.inputTokenDetails = inputTokenDetails
    unknown = UnknownFields()
  }
}

/// `usage.input_token_details` of a transcription.
public struct TranscriptionTokenDetails: Codable, Sendable, Equatable {
  public var textTokens: Int
  public var audioTokens: Int
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case textTokens = "text_tokens"
    case audioTokens = "audio_tokens"
    case unknown = "*"
  }

  public init(textTokens: Int, audioTokens: Int) {
    self.textTokens = textTokens
    self.audioTokens = audioTokens
    unknown = UnknownFields()
  }
}

extension TranscriptionUsage: Codable {
  private enum CodingKeys: String, CodingKey {
    case type
    case seconds
    case unknown = "*"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(String.self, forKey: .type) {
    case "tokens":
      self = .tokens(try TranscriptionTokens(from: decoder))
    case "duration":
      self = .duration(
        seconds: try container.decode(Double.self, forKey: .seconds),
        unknown: try container.decode(UnknownFields.self, forKey: .unknown))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .type, in: container, debugDescription: "The usage is neither of type tokens nor of type duration.")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .tokens(let tokens):
      try tokens.encode(to: encoder)
    case .duration(let seconds, let unknown):
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode("duration", forKey: .type)
      try container.encode(seconds, forKey: .seconds)
      try container.encode(unknown, forKey: .unknown)
    }
  }
}
