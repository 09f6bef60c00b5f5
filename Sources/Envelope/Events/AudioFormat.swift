/// The encoding of audio in one direction, as in `{"type":"audio/pcm","rate":24000}`.
public enum AudioFormat: Sendable, Hashable {
  /// 16-bit signed little-endian mono. `rate` is in Hz; the service knows 24000 only, other vendors more.
  case pcm(rate: Int)
  /// G.711 µ-law, 8 kHz.
  case pcmu
  /// G.711 A-law, 8 kHz.
  case pcma

  /// What a session starts with: `audio/pcm` at 24 kHz.
  public static let standard = AudioFormat.pcm(rate: 24_000)

  /// Of PCM, in Hz; others are refused.
  public static let rates = 8_000...192_000

  /// Samples per second.
  public var rate: Int {
    switch self {
    case .pcm(let rate): rate
    case .pcmu, .pcma: 8_000
    }
  }

  /// The wire's `type`.
  public var type: String {
    switch self {
    case .pcm: "audio/pcm"
    case .pcmu: "audio/pcmu"
    case .pcma: "audio/pcma"
    }
  }

  static let types = ["audio/pcm", "audio/pcmu", "audio/pcma"]
}

extension AudioFormat: Codable {
  public init(from decoder: any Decoder) throws {
    self = try FormatFields(from: decoder).format
  }

  public func encode(to encoder: any Encoder) throws {
    try FormatFields(self).encode(to: encoder)
  }
}

/// A format object with the fields this vocabulary does not know, kept beside `AudioFormat` so that formats stay
/// comparable with `==`.
struct FormatFields: Codable, Sendable, Equatable {
  var format: AudioFormat
  var unknown = UnknownFields()

  private enum CodingKeys: String, CodingKey {
    case type
    case rate
    case unknown = "*"
  }

  init(_ format: AudioFormat) {
    self.format = format
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(String.self, forKey: .type) {
    case "audio/pcm":
      let rate: Int = try container.decode(.rate, or: 24_000)
      guard AudioFormat.rates.contains(rate) else {
        throw DecodingError.dataCorruptedError(
          forKey: .rate, in: container, debugDescription: "The rate is not between 8,000 and 192,000 Hz.")
      }
      format = .pcm(rate: rate)
    case "audio/pcmu": format = .pcmu
    case "audio/pcma": format = .pcma
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .type, in: container,
        debugDescription: "The audio format is not one of audio/pcm, audio/pcmu, audio/pcma.")
    }
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
    if case .pcm = format { return }
    // A rate beside a G.711 type means nothing; some servers send it.
    unknown.fields["rate"] = try container.decodeIfPresent(JSONValue.self, forKey: .rate)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(format.type, forKey: .type)
    if case .pcm(let rate) = format {
      try container.encode(rate, forKey: .rate)
    }
    try container.encode(unknown, forKey: .unknown)
  }
}

/// A voice: a name such as `marin`, or the object `{"id":"voice_…"}` of a custom one.
public enum Voice: Sendable, Equatable {
  case named(String)
  case custom(id: String, unknown: UnknownFields = UnknownFields())

  /// The name or the id, whichever this voice has.
  public var name: String {
    switch self {
    case .named(let name): name
    case .custom(let id, _): id
    }
  }
}

extension Voice: ExpressibleByStringLiteral {
  public init(stringLiteral name: String) {
    self = .named(name)
  }
}

extension Voice: Codable {
  private struct Custom: Codable {
    var id: String
    var unknown: UnknownFields

    enum CodingKeys: String, CodingKey {
      case id
      case unknown = "*"
    }
  }

  public init(from decoder: any Decoder) throws {
    if let name = try JSONValue(from: decoder).string {
      self = .named(name)
    } else {
      let custom = try Custom(from: decoder)
      self = .custom(id: custom.id, unknown: custom.unknown)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .named(let name):
      var container = encoder.singleValueContainer()
      try container.encode(name)
    case .custom(let id, let unknown):
      try Custom(id: id, unknown: unknown).encode(to: encoder)
    }
  }
}
