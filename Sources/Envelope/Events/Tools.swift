/// A tool that the model may call.
public enum Tool: Sendable, Equatable {
  case function(FunctionTool)
  /// A server of the Model Context Protocol, which the service calls itself; kept as the client wrote it.
  case mcp(JSONObject)
  /// A vendor's own tool, such as a web search.
  case other(JSONObject)
}

extension Tool: Codable {
  private enum CodingKeys: String, CodingKey {
    case type
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let type = try container.decode(String.self, forKey: .type)
    if type == "function" {
      self = .function(try FunctionTool(from: decoder))
    } else {
      let fields = try JSONObject(from: decoder)
      self = type == "mcp" ? .mcp(fields) : .other(fields)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .function(let tool):
      try tool.encode(to: encoder)
    case .mcp(let fields), .other(let fields):
      try JSONValue.object(fields).encode(to: encoder)
    }
  }
}

/// A function of the client. The name stands at the top level, not in a nested `function` object.
public struct FunctionTool: Codable, Sendable, Equatable {
  private var type = "function"
  public var name: String
  public var description: String?
  /// A JSON Schema object.
  public var parameters: JSONValue?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case type
    case name
    case description
    case parameters
    case unknown = "*"
  }

  public init(name: String, description: String? = nil, parameters: JSONValue? = nil) {
    self.name = name
    self.description = description
    self.parameters = parameters
    unknown = UnknownFields()
  }
}

/// Whether and which tool the model calls.
public enum ToolChoice: Sendable, Equatable {
  case auto
  /// The model calls no tool.
  case none
  /// The model must call a tool.
  case required
  case function(name: String, unknown: UnknownFields = UnknownFields())
  case mcp(serverLabel: String, name: String? = nil, unknown: UnknownFields = UnknownFields())

  static let modes = ["none", "auto", "required"]

  init?(mode: String) {
    switch mode {
    case "auto": self = .auto
    case "none": self = .none
    case "required": self = .required
    default: return nil
    }
  }

  /// What a text stands for that a client wrote: a mode, or the bare name of a function (R203). Nil where it can be
  /// neither.
  public init?(name: String) {
    if let mode = ToolChoice(mode: name) {
      self = mode
    } else if (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isPartOfName) {
      self = .function(name: name)
    } else {
      return nil
    }
  }

  private static func isPartOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default:
      false
    }
  }
}

extension ToolChoice: Codable {
  public init(from decoder: any Decoder) throws {
    if let mode = try JSONValue(from: decoder).string {
      guard let choice = ToolChoice(mode: mode) else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "The tool choice is none of none, auto, required."))
      }
      self = choice
      return
    }
    var fields = try ObjectFields(from: decoder)
    switch try fields.take("type", as: String.self) {
    case "function":
      self = .function(name: try fields.take("name"), unknown: UnknownFields(fields.rest))
    case "mcp":
      self = .mcp(
        serverLabel: try fields.take("server_label"), name: try fields.takeIfPresent("name"),
        unknown: UnknownFields(fields.rest))
    default:
      throw fields.invalidValue("type", "The chosen tool is neither a function nor of type mcp.")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    try encoded.encode(to: encoder)
  }

  private var encoded: JSONValue {
    var object = JSONObject()
    switch self {
    case .auto: return .string("auto")
    case .none: return .string("none")
    case .required: return .string("required")
    case .function(let name, let unknown):
      object.set("type", "function")
      object.set("name", name)
      object.merge(unknown.fields)
    case .mcp(let serverLabel, let name, let unknown):
      object.set("type", "mcp")
      object.set("server_label", serverLabel)
      object.set("name", ifPresent: name)
      object.merge(unknown.fields)
    }
    return .object(object)
  }
}
