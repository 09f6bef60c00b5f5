/// `session.audio`: how audio travels in both directions.
public struct SessionAudio: Codable, Sendable, Equatable {
  public var input: AudioInput
  public var output: AudioOutput
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case input
    case output
    case unknown = "*"
  }

  public init(input: AudioInput = AudioInput(), output: AudioOutput = AudioOutput()) {
    self.input = input
    self.output = output
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    input = try container.decode(.input, or: AudioInput())
    output = try container.decode(.output, or: AudioOutput())
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// `session.audio.input`.
public struct AudioInput: Codable, Sendable, Equatable {
  var formatFields: FormatFields
  /// `nil`: user audio is not transcribed.
  @Nullable public var transcription: InputTranscription?
  @Nullable public var noiseReduction: NoiseReduction?
  /// `nil`: push-to-talk, the client commits and asks for responses itself.
  @Nullable public var turnDetection: TurnDetection?
  public var unknown: UnknownFields

  public var format: AudioFormat {
    get { formatFields.format }
    set { formatFields.format = newValue }
  }

  enum CodingKeys: String, CodingKey {
    case formatFields = "format"
    case transcription
    case noiseReduction = "noise_reduction"
    case turnDetection = "turn_detection"
    case unknown = "*"
  }

  public init(
    format: AudioFormat = .standard, transcription: InputTranscription? = nil, noiseReduction: NoiseReduction? = nil,
    turnDetection: TurnDetection? = .serverVAD(ServerVAD())
  ) {
    formatFields = FormatFields(format)
    self.transcription = transcription
    self.noiseReduction = noiseReduction
    self.turnDetection = turnDetection
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    formatFields = try container.decode(.formatFields, or: FormatFields(.standard))
    transcription = try container.decodeIfPresent(InputTranscription.self, forKey: .transcription)
    noiseReduction = try container.decodeIfPresent(NoiseReduction.self, forKey: .noiseReduction)
    turnDetection = try container.decodeIfPresent(TurnDetection.self, forKey: .turnDetection)
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// `session.audio.output`.
public struct AudioOutput: Codable, Sendable, Equatable {
  var formatFields: FormatFields
  public var voice: Voice
  /// Relative to normal speech, 0.25…1.5.
  public var speed: Double
  public var unknown: UnknownFields

  public var format: AudioFormat {
    get { formatFields.format }
    set { formatFields.format = newValue }
  }

  enum CodingKeys: String, CodingKey {
    case formatFields = "format"
    case voice
    case speed
    case unknown = "*"
  }

  public init(format: AudioFormat = .standard, voice: Voice = "alloy", speed: Double = 1) {
    formatFields = FormatFields(format)
    self.voice = voice
    self.speed = speed
    unknown = UnknownFields()
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    formatFields = try container.decode(.formatFields, or: FormatFields(.standard))
    voice = try container.decode(.voice, or: "alloy")
    speed = try container.decode(.speed, or: 1)
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }
}

/// Transcription of user audio. Written with exactly the keys `model`, `language` and `prompt` unless more was set:
/// some clients reject any further key.
public struct InputTranscription: Codable, Sendable, Equatable {
  /// How long the transcriber may wait for more context.
  public enum Delay: String, Codable, Sendable, CaseIterable {
    case minimal, low, medium, high, xhigh
  }

  @Nullable public var model: String?
  @Nullable public var language: String?
  @Nullable public var prompt: String?
  public var languages: [String]?
  public var keywords: [String]?
  public var delay: Delay?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case model
    case language
    case prompt
    case languages
    case keywords
    case delay
    case unknown = "*"
  }

  public init(model: String? = nil, language: String? = nil, prompt: String? = nil) {
    self.model = model
    self.language = language
    self.prompt = prompt
    unknown = UnknownFields()
  }
}

/// Noise reduction ahead of turn detection and transcription.
public struct NoiseReduction: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case nearField = "near_field"
    case farField = "far_field"
  }

  public var type: Kind
  /// 1 where it is not sent.
  public var strength: Double?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case strength
    case unknown = "*"
  }

  public init(type: Kind, strength: Double? = nil) {
    self.type = type
    self.strength = strength
    unknown = UnknownFields()
  }
}
