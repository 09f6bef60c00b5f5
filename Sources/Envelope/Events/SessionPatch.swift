/// The `session` of `session.update`: a partial session, kept as the client wrote it.
///
/// Only the fields that are present change, object by object; `null` clears a nullable field; arrays replace. Fields
/// that this vocabulary does not know are kept, not refused. `id`, `object` and `expires_at` are the server's and
/// ignored.
public struct SessionPatch: Sendable, Equatable {
  public var fields: JSONObject

  public init(_ fields: JSONObject) {
    self.fields = fields
  }

  /// The model that the client names, if any; `modelId` is an alias (R156), `model` wins.
  public var model: String? {
    fields["model"]?.string ?? fields["modelId"]?.string
  }

  /// The session after this update.
  ///
  /// The model becomes the one that the client names, which the service would ignore: a caller whose route fixes the
  /// model puts its own back.
  /// - Throws: the first fault found, `param` beginning with `session.`; then nothing is applied.
  public func applied(to session: RealtimeSession) throws(EventFault) -> RealtimeSession {
    let root = CheckedField(value: .object(fields), path: "session")
    var next = session
    for (key, field) in try root.members() {
      try next.apply(key, field)
    }
    if let model = try root.member("model") {
      next.model = try model.string()
    }
    return next
  }
}

extension SessionPatch: Codable {
  public init(from decoder: any Decoder) throws {
    fields = try JSONObject(from: decoder)
  }

  public func encode(to encoder: any Encoder) throws {
    try fields.encode(to: encoder)
  }
}

extension RealtimeSession {
  fileprivate mutating func apply(_ key: String, _ field: CheckedField) throws(EventFault) {
    guard let known = CodingKeys(stringValue: key), known != .unknown else {
      if key == "modelId" {
        model = try field.string()
      } else {
        unknown.fields[key] = field.value
      }
      return
    }
    switch known {
    case .type:
      let given: SessionType = try field.choice()
      guard given == type else { throw .sessionTypeMismatch(update: given, session: type) }
    case .model: model = try field.string()
    case .outputModalities: outputModalities = try field.modalities()
    case .instructions: instructions = try field.string()
    case .tools: tools = try field.tools()
    case .toolChoice: toolChoice = try field.toolChoice()
    case .parallelToolCalls:
      parallelToolCalls = try field.nullable { (field) throws(EventFault) -> Bool in try field.bool() }
    case .reasoning:
      reasoning = try field.nullable { (field) throws(EventFault) -> Reasoning in try field.reasoning() }
    case .maxOutputTokens: maxOutputTokens = try field.maxOutputTokens()
    case .tracing: tracing = try field.nullable { (field) throws(EventFault) -> JSONValue in try field.tracing() }
    case .truncation: truncation = try field.truncation()
    case .prompt: prompt = try field.nullable { (field) throws(EventFault) -> JSONValue in try field.prompt() }
    case .include: include = try field.nullable { (field) throws(EventFault) -> [String] in try field.include() }
    case .audio: try audio.apply(field)
    case .object, .id, .expiresAt, .unknown: break
    }
  }
}

extension SessionAudio {
  fileprivate mutating func apply(_ audio: CheckedField) throws(EventFault) {
    for (key, field) in try audio.members() {
      switch key {
      case "input": try input.apply(field)
      case "output": try output.apply(field)
      default: unknown.fields[key] = field.value
      }
    }
  }
}

extension AudioInput {
  fileprivate mutating func apply(_ input: CheckedField) throws(EventFault) {
    for (key, field) in try input.members() {
      switch key {
      case "format":
        formatFields = try field.format(over: formatFields)
      case "transcription":
        let current = transcription ?? InputTranscription()
        transcription = try field.nullable { (field) throws(EventFault) -> InputTranscription in
          try current.merging(field)
        }
      case "noise_reduction":
        let current = noiseReduction
        noiseReduction = try field.nullable { (field) throws(EventFault) -> NoiseReduction in
          try field.noiseReduction(over: current)
        }
      case "turn_detection":
        let current = turnDetection
        turnDetection = try field.nullable { (field) throws(EventFault) -> TurnDetection in
          try field.turnDetection(over: current)
        }
      default:
        unknown.fields[key] = field.value
      }
    }
  }
}

extension AudioOutput {
  fileprivate mutating func apply(_ output: CheckedField) throws(EventFault) {
    for (key, field) in try output.members() {
      switch key {
      case "format": formatFields = try field.format(over: formatFields)
      case "voice": voice = try field.voice()
      case "speed": speed = try field.decimal(0.25...1.5)
      default: unknown.fields[key] = field.value
      }
    }
  }
}

extension InputTranscription {
  /// A missing `model` keeps the current one (R276).
  fileprivate func merging(_ patch: CheckedField) throws(EventFault) -> InputTranscription {
    func text(_ field: CheckedField) throws(EventFault) -> String { try field.string() }
    func texts(_ field: CheckedField) throws(EventFault) -> [String] { try field.each(text) }
    var next = self
    for (key, field) in try patch.members() {
      switch key {
      case "model": next.model = try field.nullable(text)
      case "language": next.language = try field.nullable(text)
      case "prompt": next.prompt = try field.nullable(text)
      case "languages": next.languages = try field.nullable(texts)
      case "keywords": next.keywords = try field.nullable(texts)
      case "delay": next.delay = try field.nullable { (field) throws(EventFault) -> Delay in try field.choice() }
      default: next.unknown.fields[key] = field.value
      }
    }
    return next
  }
}

extension CheckedField {
  fileprivate func noiseReduction(over current: NoiseReduction?) throws(EventFault) -> NoiseReduction {
    let type: NoiseReduction.Kind
    if let current, try member("type") == nil {
      type = current.type
    } else {
      type = try requiredMember("type").choice()
    }
    var next = NoiseReduction(type: type, strength: current?.strength)
    next.unknown = current?.unknown ?? UnknownFields()
    for (key, field) in try members() where key != "type" {
      if key == "strength" {
        next.strength = try field.nullable { (field) throws(EventFault) -> Double in
          try field.decimal(0...Double.greatestFiniteMagnitude)
        }
      } else {
        next.unknown.fields[key] = field.value
      }
    }
    return next
  }

  fileprivate func tracing() throws(EventFault) -> JSONValue {
    switch value {
    case .string("auto"), .object: return value
    case .string(let text): throw .invalidValue(text, param: path, supported: ["auto"])
    default: throw mismatch("an object or 'auto'")
    }
  }

  fileprivate func truncation() throws(EventFault) -> JSONValue {
    switch value {
    case .string("auto"), .string("disabled"):
      return value
    case .string(let text):
      throw .invalidValue(text, param: path, supported: ["auto", "disabled"])
    case .object:
      let type = try requiredMember("type")
      let name = try type.string()
      guard name == "retention_ratio" else {
        throw .invalidValue(name, param: type.path, supported: ["retention_ratio"])
      }
      _ = try requiredMember("retention_ratio").decimal(0...1)
      if let limits = try member("token_limits"), !limits.value.isNull {
        _ = try limits.member("post_instructions")?.integer(0...Int.max)
      }
      return value
    default:
      throw mismatch("a string or an object")
    }
  }

  fileprivate func include() throws(EventFault) -> [String] {
    let supported = ["item.input_audio_transcription.logprobs"]
    return try each { (element) throws(EventFault) -> String in
      let name = try element.string()
      guard supported.contains(name) else { throw .invalidValue(name, param: element.path, supported: supported) }
      return name
    }
  }
}
