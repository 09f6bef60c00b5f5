/// How a connection's dialect is settled: `auto`, `ga` or `beta` in the configuration and in `?dialect=`.
public enum DialectChoice: Sendable, Hashable {
  /// The first event of the client decides.
  case auto
  case fixed(DialectName)

  /// Nil for any other word.
  public init?(_ name: String) {
    if name == "auto" {
      self = .auto
    } else if let dialect = DialectName(rawValue: name) {
      self = .fixed(dialect)
    } else {
      return nil
    }
  }
}

extension DialectName {
  /// The dialect of a client whose first event is this one.
  ///
  /// Beta are `transcription_session.update` and a `session.update` that has a flat field of the beta and none of the
  /// fields that only GA has. `instructions`, `model`, `tools` and the like are in both and say nothing; what says
  /// nothing is GA.
  init(ofFirst event: JSONValue) {
    switch event["type"]?.string {
    case "transcription_session.update":
      self = .beta
    case "session.update":
      let keys = event["session"]?.object?.keys ?? []
      let isFlat = keys.contains(where: BetaTable.tellingFields.contains)
      self = isFlat && !keys.contains(where: Self.gaFields.contains) ? .beta : .ga
    default:
      self = .ga
    }
  }

  private static let gaFields: Set<String> = ["type", "audio", "output_modalities"]
}
