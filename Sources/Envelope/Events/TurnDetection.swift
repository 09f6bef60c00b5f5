/// Who decides where a turn of the user ends. Absent (`null`) means push-to-talk.
public enum TurnDetection: Sendable, Equatable {
  case serverVAD(ServerVAD)
  case semanticVAD(SemanticVAD)

  static let types = ["server_vad", "semantic_vad"]

  /// Whether the end of a turn starts a response.
  public var createResponse: Bool {
    switch self {
    case .serverVAD(let vad): vad.createResponse
    case .semanticVAD(let vad): vad.createResponse
    }
  }

  /// Whether speech of the user cancels the running response.
  public var interruptResponse: Bool {
    switch self {
    case .serverVAD(let vad): vad.interruptResponse
    case .semanticVAD(let vad): vad.interruptResponse
    }
  }
}

extension TurnDetection {
  /// After how much silence the client wants to be told of it, in milliseconds; nil where it does not: 0 means so too.
  public var idleTimeoutMs: Int? {
    guard case .serverVAD(let vad) = self, let idle = vad.idleTimeoutMs, idle > 0 else { return nil }
    return idle
  }
}

extension TurnDetection: Codable {
  private enum CodingKeys: String, CodingKey {
    case type
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(String.self, forKey: .type) {
    case "server_vad": self = .serverVAD(try ServerVAD(from: decoder))
    case "semantic_vad": self = .semanticVAD(try SemanticVAD(from: decoder))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .type, in: container, debugDescription: "The turn detection is neither server_vad nor semantic_vad.")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .serverVAD(let vad): try vad.encode(to: encoder)
    case .semanticVAD(let vad): try vad.encode(to: encoder)
    }
  }
}

/// Turn detection by silence. Fields that a peer leaves out take the documented defaults.
public struct ServerVAD: Codable, Sendable, Equatable {
  private var type = "server_vad"
  /// Activation threshold, 0…1.
  public var threshold: Double
  /// Audio kept from before the detected start of speech, in milliseconds.
  public var prefixPaddingMs: Int
  /// Silence that ends a turn, in milliseconds.
  public var silenceDurationMs: Int
  /// Silence after a response until `input_audio_buffer.timeout_triggered`, in milliseconds; `nil` and 0 disable it.
  @Nullable public var idleTimeoutMs: Int?
  public var createResponse: Bool
  public var interruptResponse: Bool
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey, CaseIterable {
    case type
    case threshold
    case prefixPaddingMs = "prefix_padding_ms"
    case silenceDurationMs = "silence_duration_ms"
    case idleTimeoutMs = "idle_timeout_ms"
    case createResponse = "create_response"
    case interruptResponse = "interrupt_response"
    case unknown = "*"
  }

  public init(
    threshold: Double = 0.5, prefixPaddingMs: Int = 300, silenceDurationMs: Int = 500, idleTimeoutMs: Int? = nil,
    createResponse: Bool = true, interruptResponse: Bool = true
  ) {
    self.threshold = threshold
    self.prefixPaddingMs = prefixPaddingMs
    self.silenceDurationMs = silenceDurationMs
    self.idleTimeoutMs = idleTimeoutMs
    self.createResponse = createResponse
    self.interruptResponse = interruptResponse
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      threshold: try container.decode(.threshold, or: 0.5),
      prefixPaddingMs: try container.decode(.prefixPaddingMs, or: 300),
      silenceDurationMs: try container.decode(.silenceDurationMs, or: 500),
      idleTimeoutMs: try container.decodeIfPresent(Int.self, forKey: .idleTimeoutMs),
      createResponse: try container.decode(.createResponse, or: true),
      interruptResponse: try container.decode(.interruptResponse, or: true))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// Turn detection by the meaning of what was said.
public struct SemanticVAD: Codable, Sendable, Equatable {
  /// How soon the model answers: `high` waits at most 2 s, `medium` and `auto` 4 s, `low` 8 s.
  public enum Eagerness: String, Codable, Sendable, CaseIterable {
    case low, medium, high, auto
  }

  private var type = "semantic_vad"
  public var eagerness: Eagerness
  public var createResponse: Bool
  public var interruptResponse: Bool
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey, CaseIterable {
    case type
    case eagerness
    case createResponse = "create_response"
    case interruptResponse = "interrupt_response"
    case unknown = "*"
  }

  public init(eagerness: Eagerness = .auto, createResponse: Bool = true, interruptResponse: Bool = true) {
    self.eagerness = eagerness
    self.createResponse = createResponse
    self.interruptResponse = interruptResponse
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      eagerness: try container.decode(.eagerness, or: .auto),
      createResponse: try container.decode(.createResponse, or: true),
      interruptResponse: try container.decode(.interruptResponse, or: true))
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}
