/// The `response` of `response.create`: what differs from the session for this one response.
public struct ResponseOptions: Codable, Sendable, Equatable {
  /// `auto` for the default conversation (also while `nil`), `none` for a response outside of it.
  public var conversation: String?
  /// An object of strings, to be echoed in `response.created` and `response.done`.
  public var metadata: JSONValue?
  public var outputModalities: [Modality]?
  public var instructions: String?
  public var audio: ResponseAudio?
  public var tools: [Tool]?
  public var toolChoice: ToolChoice?
  public var parallelToolCalls: Bool?
  public var maxOutputTokens: MaxOutputTokens?
  public var reasoning: Reasoning?
  public var prompt: JSONValue?
  /// Replaces the context; empty means no context at all.
  public var input: [Item]?
  public var unknown = UnknownFields()

  enum CodingKeys: String, CodingKey {
    case conversation
    case metadata
    case outputModalities = "output_modalities"
    case instructions
    case audio
    case tools
    case toolChoice = "tool_choice"
    case parallelToolCalls = "parallel_tool_calls"
    case maxOutputTokens = "max_output_tokens"
    case reasoning
    case prompt
    case input
    case unknown = "*"
  }

  public init() {}

  /// Whether the response belongs to no conversation.
  public var isOutOfBand: Bool {
    conversation == "none"
  }
}

extension ResponseOptions {
  /// Reads options with the same checks as a session update. `null` counts as absent.
  init(checking response: CheckedField) throws(EventFault) {
    for (key, field) in try response.members() {
      guard let known = CodingKeys(stringValue: key), known != .unknown, !field.value.isNull else {
        unknown.fields[key] = field.value
        continue
      }
      switch known {
      case .conversation: conversation = try field.string()
      case .metadata: metadata = try field.metadata()
      case .outputModalities: outputModalities = try field.modalities()
      case .instructions: instructions = try field.string()
      case .audio: audio = try ResponseAudio(checking: field)
      case .tools: tools = try field.tools()
      case .toolChoice: toolChoice = try field.toolChoice()
      case .parallelToolCalls: parallelToolCalls = try field.bool()
      case .maxOutputTokens: maxOutputTokens = try field.maxOutputTokens()
      case .reasoning: reasoning = try field.reasoning()
      case .prompt: prompt = try field.prompt()
      case .input: input = try field.each { (element) throws(EventFault) -> Item in try element.item() }
      case .unknown: break
      }
    }
  }
}

extension ResponseAudio {
  fileprivate init(checking audio: CheckedField) throws(EventFault) {
    self = try audio.decoded()
    guard let output = try audio.member("output"), !output.value.isNull else { return }
    if let format = try output.member("format"), !format.value.isNull {
      self.output?.formatFields = try format.format(over: FormatFields(.standard))
    }
    if let voice = try output.member("voice"), !voice.value.isNull {
      self.output?.voice = try voice.voice()
    }
  }
}
