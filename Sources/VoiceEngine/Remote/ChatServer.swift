public import Envelope
public import Translation

/// An OpenAI-compatible chat server.
public struct ChatServer: Sendable {
  /// The implementation's name in descriptions: `openai-compatible`, `groq`, `openrouter`, `ollama`.
  public var name: String
  /// With or without `/v1`; a URL without any path gets it, any other path is used as it is.
  public var baseURL: String
  public var model: String
  /// Nil sends no `Authorization` header.
  public var key: Redacted<String>?
  public var headers: [(name: String, value: Redacted<String>)] = []
  /// 0…2; nil leaves it to the server.
  public var temperature: Double?
  /// `max_tokens` of a spoken answer for which the client named none; a long answer is tiring to hear.
  public var spokenTokens = 200
  /// What the conversation may cost per request.
  public var historyTokens = 6_000
  /// More fields for the request, such as `reasoning_effort`. They win over the ones made here.
  public var extraFields: JSONObject = [:]

  public init(name: String = "openai-compatible", baseURL: String, model: String, key: Redacted<String>? = nil) {
    self.name = name
    self.baseURL = baseURL
    self.model = model
    self.key = key
  }

  /// Groq. Its `gpt-oss` models think before they answer, and their thoughts count as tokens of the answer.
  public static func groq(key: Redacted<String>, model: String = "openai/gpt-oss-20b") -> ChatServer {
    var server = ChatServer(name: "groq", baseURL: "https://api.groq.com/openai/v1", model: model, key: key)
    if model.contains("gpt-oss") {
      server.spokenTokens = 600
      server.extraFields["reasoning_effort"] = "low"
    }
    return server
  }

  /// OpenRouter. `referer` and `title` name the application in its statistics.
  public static func openRouter(
    key: Redacted<String>, model: String, referer: String? = nil, title: String? = nil
  ) -> ChatServer {
    var server = ChatServer(name: "openrouter", baseURL: "https://openrouter.ai/api/v1", model: model, key: key)
    if let referer { server.headers.append(("HTTP-Referer", Redacted(referer))) }
    if let title { server.headers.append(("X-Title", Redacted(title))) }
    return server
  }

  /// The body of the request.
  func body(for request: ResponderRequest) -> JSONValue {
    var body: JSONObject = ["model": .string(model)]
    var messages: [JSONValue] = []
    if !request.instructions.isEmpty {
      messages.append(["role": "system", "content": .string(request.instructions)])
    }
    let history = HistoryBudget(tokens: historyTokens).trimmed(request.messages, instructions: request.instructions)
    // Some servers refuse a message without words; speech that was not understood leaves one.
    messages += history.filter { !$0.text.isEmpty || !$0.calls.isEmpty || $0.role == .tool }.map(Self.message)
    body["messages"] = .array(messages)
    body["stream"] = true
    body["stream_options"] = ["include_usage": true]
    if let temperature { body["temperature"] = .number(JSONNumber(temperature)) }
    if let limit = request.maximumTokens ?? (request.isSpoken ? spokenTokens : nil) {
      body["max_tokens"] = .number(JSONNumber(limit))
    }
    if !request.tools.isEmpty {
      body["tools"] = .array(request.tools.map(Self.tool))
      body["tool_choice"] = Self.choice(request.toolChoice)
    }
    for (name, value) in extraFields { body[name] = value }
    return .object(body)
  }

  static func message(_ message: ChatMessage) -> JSONValue {
    var object: JSONObject = ["role": .string(message.role.rawValue), "content": .string(message.text)]
    if !message.calls.isEmpty {
      if message.text.isEmpty { object["content"] = .null }
      object["tool_calls"] = .array(
        message.calls.map { call in
          // Servers refuse a conversation with arguments that they cannot read, so one bad call of the model's would
          // fail every turn that follows.
          let arguments = ChatAssembly.isObject(call.arguments) ? call.arguments : "{}"
          return [
            "id": .string(call.id), "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(arguments)],
          ]
        })
    }
    if let id = message.callID { object["tool_call_id"] = .string(id) }
    return .object(object)
  }

  static func tool(_ tool: ChatTool) -> JSONValue {
    var function: JSONObject = ["name": .string(tool.name)]
    if !tool.summary.isEmpty { function["description"] = .string(tool.summary) }
    let parameters = tool.parameters.flatMap { try? JSONValue(parsing: $0) }
    function["parameters"] = parameters ?? ["type": "object", "properties": [:]]
    return ["type": "function", "function": .object(function)]
  }

  static func choice(_ choice: ChatToolChoice) -> JSONValue {
    switch choice {
    case .auto: "auto"
    case .none: "none"
    case .required: "required"
    case .function(let name): ["type": "function", "function": ["name": .string(name)]]
    }
  }
}
