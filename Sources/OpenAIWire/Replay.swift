import Envelope
import Translation

/// What a fresh connection must be told of a conversation so that the model goes on as if it had been there.
struct Replay: Sendable {
  /// The most JSON of items that is told; the oldest goes first. The largest context window of the service holds less.
  static let maximumBytes = 524_288

  /// The items, as a client may create them: speech as its transcript, because only text can be created for both sides.
  private(set) var items: [JSONObject] = []
  /// False where something was said that has no words here: the model then knows less than before.
  private(set) var isComplete = true

  init(_ conversation: Conversation, leavingOut hidden: (String) -> Bool = { _ in false }) {
    var byteCount = 0
    for item in conversation.items.reversed() {
      guard item.status != .inProgress, let id = item.id, !hidden(id) else { continue }
      guard let told = told(item) else { continue }
      byteCount += JSONValue.object(told).text.utf8.count
      guard byteCount <= Self.maximumBytes else {
        isComplete = false
        break
      }
      items.append(told)
    }
    items.reverse()
  }

  /// All of it as one message of the role `system`, for a service that answers each item of the user's; nil where there is
  /// nothing to tell.
  var asOneMessage: JSONObject? {
    var lines: [String] = []
    for item in items {
      switch item["type"]?.string {
      case "function_call":
        lines.append("[call \(item["name"]?.string ?? "")] \(item["arguments"]?.string ?? "")")
      case "function_call_output":
        lines.append("[result] \(item["output"]?.string ?? "")")
      default:
        let words = (item["content"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: "\n")
        if !words.isEmpty { lines.append("[\(item["role"]?.string ?? "user")] \(words)") }
      }
    }
    guard !lines.isEmpty else { return nil }
    let text = "The conversation so far:\n" + lines.joined(separator: "\n")
    return [
      "type": "message", "role": "system", "content": [["type": "input_text", "text": .string(text)]],
    ]
  }

  private mutating func told(_ item: Item) -> JSONObject? {
    var result: JSONObject = ["type": .string(item.type.rawValue)]
    if let id = item.id { result["id"] = .string(id) }
    switch item.type {
    case .message:
      let parts = (item.content ?? []).compactMap { told($0) }
      guard let role = item.role, !parts.isEmpty else { return nil }
      result["role"] = .string(role.rawValue)
      result["content"] = .array(parts)
    case .functionCall:
      result["call_id"] = .string(item.callID ?? "")
      result["name"] = .string(item.name ?? "")
      result["arguments"] = .string(item.arguments ?? "{}")
    case .functionCallOutput:
      result["call_id"] = .string(item.callID ?? "")
      result["output"] = .string(item.output ?? "")
    case .mcpListTools, .mcpCall, .mcpApprovalRequest, .mcpApprovalResponse, .itemReference, .other:
      // The service's own; the session's tools are stated anew.
      return nil
    }
    return result
  }

  private mutating func told(_ part: ContentPart) -> JSONValue? {
    switch part {
    case .inputText(let text, _): return ["type": "input_text", "text": .string(text)]
    case .outputText(let text, _): return ["type": "output_text", "text": .string(text)]
    case .inputImage: return JSONCoding.encode(part)
    case .inputAudio(_, let transcript, _):
      guard let transcript, !transcript.isEmpty else {
        if transcript == nil { isComplete = false }
        return nil
      }
      return ["type": "input_text", "text": .string(transcript)]
    case .outputAudio(_, let transcript, _):
      guard let transcript, !transcript.isEmpty else { return nil }
      return ["type": "output_text", "text": .string(transcript)]
    case .unknown:
      isComplete = false
      return nil
    }
  }
}
