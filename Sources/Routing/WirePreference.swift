public import Envelope

/// How events are written for a client, as far as one place says so: the request, its key, its route. Nil leaves it to the
/// next place.
public struct WirePreference: Sendable, Hashable {
  public var dialect: DialectChoice?
  public var deltaFields: AudioDeltaWriter.Fields?

  public init(dialect: DialectChoice? = nil, deltaFields: AudioDeltaWriter.Fields? = nil) {
    self.dialect = dialect
    self.deltaFields = deltaFields
  }

  /// This, and what it leaves open from `other`.
  public func otherwise(_ other: WirePreference) -> WirePreference {
    WirePreference(dialect: dialect ?? other.dialect, deltaFields: deltaFields ?? other.deltaFields)
  }
}

extension DialectChoice {
  public static let names = ["auto"] + DialectName.allCases.map(\.rawValue)

  public var name: String {
    switch self {
    case .auto: "auto"
    case .fixed(let dialect): dialect.rawValue
    }
  }
}

extension AudioDeltaWriter.Fields {
  public static let names = ["delta", "both"]

  /// By its name in configurations and queries.
  public init?(name: String) {
    switch name {
    case "delta": self = .delta
    case "both": self = .deltaAndAudio
    default: return nil
    }
  }

  public var name: String {
    switch self {
    case .delta: "delta"
    case .deltaAndAudio: "both"
    }
  }
}
