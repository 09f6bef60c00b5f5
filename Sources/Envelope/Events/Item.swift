/// The kind of an item of a conversation.
public enum ItemType: Sendable, Hashable {
  case message
  case functionCall
  case functionCallOutput
  case mcpListTools
  case mcpCall
  case mcpApprovalRequest
  case mcpApprovalResponse
  /// Names an item of the conversation; only inside the `input` of `response.create`.
  case itemReference
  /// A vendor's own kind.
  case other(String)
}

extension ItemType: RawRepresentable, Codable {
  public init(rawValue: String) {
    switch rawValue {
    case "message": self = .message
    case "function_call": self = .functionCall
    case "function_call_output": self = .functionCallOutput
    case "mcp_list_tools": self = .mcpListTools
    case "mcp_call": self = .mcpCall
    case "mcp_approval_request": self = .mcpApprovalRequest
    case "mcp_approval_response": self = .mcpApprovalResponse
    case "item_reference": self = .itemReference
    default: self = .other(rawValue)
    }
  }

  public var rawValue: String {
    switch self {
    case .message: "message"
    case .functionCall: "function_call"
    case .functionCallOutput: "function_call_output"
    case .mcpListTools: "mcp_list_tools"
    case .mcpCall: "mcp_call"
    case .mcpApprovalRequest: "mcp_approval_request"
    case .mcpApprovalResponse: "mcp_approval_response"
    case .itemReference: "item_reference"
    case .other(let name): name
    }
  }
}

public enum ItemStatus: String, Codable, Sendable, CaseIterable {
  case inProgress = "in_progress"
  case completed
  case incomplete
}

public enum Role: String, Codable, Sendable, CaseIterable {
  case system, user, assistant
}

/// An item of a conversation. Which of the optional fields an item has follows from its `type`; those of the MCP kinds
/// stay in `unknown`, because the proxy never looks at them.
public struct Item: Codable, Sendable, Equatable {
  public var id: String?
  /// `realtime.item`; optional on the wire.
  public var object: String?
  public var type: ItemType
  public var status: ItemStatus?
  /// Messages only.
  public var role: Role?
  /// Messages only.
  public var content: [ContentPart]?
  public var name: String?
  public var callID: String?
  /// JSON text; empty while it still streams.
  public var arguments: String?
  public var output: String?
  public var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case id
    case object
    case type
    case status
    case role
    case content
    case name
    case callID = "call_id"
    case arguments
    case output
    case unknown = "*"
  }

  init(id: String?, type: ItemType, status: ItemStatus?) {
    self.id = id
    object = "realtime.item"
    self.type = type
    self.status = status
    unknown = UnknownFields()
  }

  public static func message(
    id: String?, role: Role, status: ItemStatus? = .completed, content: [ContentPart]
  ) -> Item {
    var item = Item(id: id, type: .message, status: status)
    item.role = role
    item.content = content
    return item
  }

  public static func functionCall(
    id: String?, status: ItemStatus? = .completed, callID: String, name: String, arguments: String
  ) -> Item {
    var item = Item(id: id, type: .functionCall, status: status)
    item.callID = callID
    item.name = name
    item.arguments = arguments
    return item
  }

  public static func functionCallOutput(
    id: String?, status: ItemStatus? = .completed, callID: String, output: String
  ) -> Item {
    var item = Item(id: id, type: .functionCallOutput, status: status)
    item.callID = callID
    item.output = output
    return item
  }
}
