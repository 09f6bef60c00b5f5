/// What a session is for.
public enum SessionType: String, Codable, Sendable, CaseIterable {
  /// A conversation.
  case realtime
  /// Transcription only; no responses are ever created.
  case transcription

  /// The `object` of such a session.
  public var object: String {
    switch self {
    case .realtime: "realtime.session"
    case .transcription: "realtime.transcription_session"
    }
  }
}

/// What a response consists of. Audio always brings its transcript.
public enum Modality: String, Codable, Sendable, CaseIterable {
  case text, audio
}

/// The bound on the tokens of one response: 1…4096 or none.
public enum MaxOutputTokens: Sendable, Hashable {
  case inf
  case count(Int)
}

extension MaxOutputTokens: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try JSONValue(from: decoder).string {
      guard text == "inf" else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "The only text allowed is 'inf'.")
      }
      self = .inf
    } else {
      self = .count(try container.decode(Int.self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .inf: try container.encode("inf")
    case .count(let count): try container.encode(count)
    }
  }
}

/// How much a reasoning model thinks before it answers.
public struct Reasoning: Codable, Sendable, Equatable {
  public enum Effort: String, Codable, Sendable, CaseIterable {
    case minimal, low, medium, high, xhigh
  }

  public var effort: Effort?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case effort
    case unknown = "*"
  }

  public init(effort: Effort?) {
    self.effort = effort
    unknown = UnknownFields()
  }
}

/// The effective configuration of a session, as `session.created` and `session.updated` show it.
///
/// A realtime session is written with every key present; a transcription session (`type` is `.transcription`) with
/// its own keys only. Fields that a peer leaves out take the defaults of the service.
public struct RealtimeSession: Sendable, Equatable {
  public var type: SessionType
  public var object: String
  /// `sess_…`. Empty where a peer sent none; then it is not written.
  public var id: String
  /// Unix time in seconds.
  public var expiresAt: Int?
  public var model: String
  public var outputModalities: [Modality]
  public var instructions: String
  public var tools: [Tool]
  public var toolChoice: ToolChoice
  /// Reasoning models only; not written while `nil`.
  public var parallelToolCalls: Bool?
  /// Reasoning models only; not written while `nil`.
  public var reasoning: Reasoning?
  public var maxOutputTokens: MaxOutputTokens
  /// `"auto"`, or an object with `workflow_name`, `group_id`, `metadata`.
  public var tracing: JSONValue?
  /// `"auto"`, `"disabled"`, or an object of type `retention_ratio`.
  public var truncation: JSONValue
  /// A stored prompt: `{id, version?, variables?}`.
  public var prompt: JSONValue?
  public var include: [String]?
  public var audio: SessionAudio
  public var unknown: UnknownFields

  /// A fresh session as the service starts it: audio out, PCM at 24 kHz both ways, `server_vad` with 0.5, 300 ms and
  /// 500 ms.
  /// - Parameter expiresAt: Unix time in seconds.
  public static func defaults(id: String, model: String, voice: String, expiresAt: Int) -> RealtimeSession {
    RealtimeSession(id: id, model: model, voice: .named(voice), expiresAt: expiresAt)
  }

  /// Makes it a session of another kind, as none of its client's updates can.
  public mutating func become(_ type: SessionType) {
    self.type = type
    object = type.object
  }

  private init(type: SessionType = .realtime, id: String, model: String, voice: Voice, expiresAt: Int?) {
    self.type = type
    object = type.object
    self.id = id
    self.expiresAt = expiresAt
    self.model = model
    outputModalities = [.audio]
    instructions = ""
    tools = []
    toolChoice = .auto
    maxOutputTokens = .inf
    truncation = .string("auto")
    audio = SessionAudio(output: AudioOutput(voice: voice))
    unknown = UnknownFields()
  }
}

extension RealtimeSession: Codable {
  enum CodingKeys: String, CodingKey {
    case type
    case object
    case id
    case expiresAt = "expires_at"
    case model
    case outputModalities = "output_modalities"
    case instructions
    case tools
    case toolChoice = "tool_choice"
    case parallelToolCalls = "parallel_tool_calls"
    case reasoning
    case maxOutputTokens = "max_output_tokens"
    case tracing
    case truncation
    case prompt
    case include
    case audio
    case unknown = "*"
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let type: SessionType = try container.decode(.type, or: .realtime)
    self.init(
      type: type,
      id: try container.decode(.id, or: ""),
      model: try container.decode(.model, or: ""),
      voice: "alloy",
      expiresAt: try container.decodeIfPresent(Int.self, forKey: .expiresAt))
    object = try container.decode(.object, or: type.object)
    outputModalities = try container.decode(.outputModalities, or: outputModalities)
    instructions = try container.decode(.instructions, or: instructions)
    tools = try container.decode(.tools, or: tools)
    toolChoice = try container.decode(.toolChoice, or: toolChoice)
    parallelToolCalls = try container.decodeIfPresent(Bool.self, forKey: .parallelToolCalls)
    reasoning = try container.decodeIfPresent(Reasoning.self, forKey: .reasoning)
    maxOutputTokens = try container.decode(.maxOutputTokens, or: maxOutputTokens)
    tracing = try container.decodeIfPresent(JSONValue.self, forKey: .tracing)
    truncation = try container.decode(.truncation, or: truncation)
    prompt = try container.decodeIfPresent(JSONValue.self, forKey: .prompt)
    include = try container.decodeIfPresent([String].self, forKey: .include)
    audio = try container.decode(.audio, or: audio)
    unknown = try container.decode(UnknownFields.self, forKey: .unknown)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(type, forKey: .type)
    try container.encode(object, forKey: .object)
    if !id.isEmpty {
      try container.encode(id, forKey: .id)
    }
    try container.encodeIfPresent(expiresAt, forKey: .expiresAt)
    switch type {
    case .realtime:
      try encodeConversation(into: &container)
      try container.encode(audio, forKey: .audio)
    case .transcription:
      try container.encode(transcriptionAudio, forKey: .audio)
    }
    try container.encode(Nullable(wrappedValue: include), forKey: .include)
    try container.encode(unknown, forKey: .unknown)
  }

  private func encodeConversation(into container: inout KeyedEncodingContainer<CodingKeys>) throws {
    try container.encode(model, forKey: .model)
    try container.encode(outputModalities, forKey: .outputModalities)
    try container.encode(instructions, forKey: .instructions)
    try container.encode(tools, forKey: .tools)
    try container.encode(toolChoice, forKey: .toolChoice)
    try container.encodeIfPresent(parallelToolCalls, forKey: .parallelToolCalls)
    try container.encodeIfPresent(reasoning, forKey: .reasoning)
    try container.encode(maxOutputTokens, forKey: .maxOutputTokens)
    try container.encode(Nullable(wrappedValue: tracing), forKey: .tracing)
    try container.encode(truncation, forKey: .truncation)
    try container.encode(Nullable(wrappedValue: prompt), forKey: .prompt)
  }

  /// The audio of a transcription session: it has no output, and its turn detection cannot create or interrupt
  /// responses.
  private var transcriptionAudio: JSONValue {
    var input = JSONCoding.encode(audio.input).object ?? JSONObject()
    if case .object(var detection)? = input["turn_detection"] {
      detection.removeValue(forKey: "create_response")
      detection.removeValue(forKey: "interrupt_response")
      if detection["idle_timeout_ms"]?.isNull == true {
        detection.removeValue(forKey: "idle_timeout_ms")
      }
      input["turn_detection"] = .object(detection)
    }
    var fields = audio.unknown.fields
    fields["input"] = .object(input)
    return .object(fields)
  }
}
