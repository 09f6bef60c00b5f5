extension BetaTable.Form {
  /// A GA value as beta has it. A value that is none of this form stays as it is, as does `null` everywhere.
  func beta(_ value: JSONValue) -> JSONValue {
    switch self {
    case .same, .toolChoice:
      value
    case .format:
      BetaTable.formats.first { $0.ga["type"] == value["type"] && value["type"] != nil }.map { .string($0.beta) }
        ?? value
    case .modalities:
      value.array.map { $0.contains("audio") ? BetaTable.audioModalities : .array($0) } ?? value
    case .transcription:
      value.without { key, field in field.isNull && (key == "language" || key == "prompt") }
    case .noiseReduction:
      value.without { key, _ in key == "strength" }
    case .turnDetection:
      value.without { key, field in field.isNull && key == "idle_timeout_ms" }
    }
  }

  /// A beta value as GA has it, likewise.
  func ga(_ value: JSONValue) -> JSONValue {
    switch self {
    case .same, .noiseReduction, .turnDetection:
      return value
    case .format:
      return BetaTable.formats.first { .string($0.beta) == value }?.ga ?? value
    case .modalities:
      // What is no modality must stay, to be refused.
      guard let array = value.array, array.contains("audio"), array.allSatisfy({ $0 == "audio" || $0 == "text" })
      else { return value }
      return ["audio"]
    case .transcription:
      // An old switch: the object itself switches transcription on.
      return value["enabled"] == false ? .null : value.without { key, _ in key == "enabled" }
    case .toolChoice:
      guard let name = value.string, let choice = ToolChoice(name: name) else { return value }
      return JSONCoding.encode(choice)
    }
  }
}

extension JSONValue {
  /// An object without some of its members; any other value as it is.
  fileprivate func without(_ isDropped: (String, JSONValue) -> Bool) -> JSONValue {
    guard let object else { return self }
    var rest = JSONObject()
    for (key, value) in object where !isDropped(key, value) { rest[key] = value }
    return .object(rest)
  }
}
