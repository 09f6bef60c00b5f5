import Envelope
import HTTPTypes

/// A method of a path, as the document tells it.
struct Operation: Sendable {
  /// What it is part of.
  enum Part: String, Sendable, CaseIterable {
    case health, sessions, tokens, keys, usage, configuration, running

    var description: String {
      switch self {
      case .health: "Whether the process can serve, and how it fares. On every listener; metrics where one serves them."
      case .sessions: "What sessions may name, and the voice of the engine."
      case .tokens: "Ephemeral tokens, in the shapes of several APIs."
      case .keys: "Keys and apps."
      case .usage: "What was used."
      case .configuration: "The configuration of the running server."
      case .running: "The sessions that run, and the end of the service."
      }
    }
  }

  /// Who may.
  enum Guard: Sendable {
    case nobody
    /// A client's key, or a token.
    case client
    /// A client's key, or the operator's; the body may show one, too.
    case minter(alsoInBody: Bool)
    case admin
    /// The operator's key, but of who asks from the machine itself.
    case adminOrLocal
  }

  /// What stands in a body, by its media type.
  struct Content: Sendable {
    var mediaType = "application/json"
    var schema: Schema
  }

  struct Answer: Sendable {
    var description: String
    var content: [Content]
    var headers: [(name: String, schema: Schema)] = []

    static func json(_ description: String, _ schema: Schema) -> Answer {
      Answer(description: description, content: [Content(schema: schema)])
    }
  }

  struct Body: Sendable {
    var schema: Schema
    var isRequired = true
    /// Bytes.
    var most: Int
    /// A good one.
    var example: JSONObject?
  }

  struct Parameter: Sendable {
    enum Place: String, Sendable { case query, path }

    var name: String
    var place = Place.query
    var schema: Schema
    var description: String
  }

  var method: HTTPRequest.Method
  /// With its parameters in braces.
  var path: String
  /// A name for programs: `createKey`.
  var id: String
  var part: Part
  var summary: String
  var description: String?
  var guardian: Guard
  var parameters: [Parameter] = []
  var body: Body?
  var answers: [(status: Int, answer: Answer)] = []
  /// Refusals, by status: the codes that each may have.
  var refusals: [(status: Int, codes: String)] = []

  // MARK: As JSON

  var json: JSONObject {
    var object: JSONObject = [
      "operationId": .string(id), "tags": [.string(part.rawValue)], "summary": .string(summary),
      "security": .array(guardian.security),
    ]
    object["description"] = description.map(JSONValue.string)
    if !parameters.isEmpty { object["parameters"] = .array(parameters.map(Self.json)) }
    if let body {
      var content: JSONObject = ["schema": body.schema.json]
      content["example"] = body.example.map(JSONValue.object)
      object["requestBody"] = [
        "required": .bool(body.isRequired), "description": .string("At most \(body.most) bytes."),
        "content": ["application/json": .object(content)],
      ]
    }
    var responses = JSONObject()
    for (status, answer) in answers { responses[String(status)] = Self.json(answer) }
    for (status, codes) in allRefusals where responses[String(status)] == nil {
      responses[String(status)] = Self.refusal(status, codes)
    }
    object["responses"] = .object(responses)
    return object
  }

  /// Those of its own, of its guard's, and of its body's.
  private var allRefusals: [(status: Int, codes: String)] {
    var byStatus: [Int: [String]] = [400: ["`malformed_request`"]]
    if body != nil {
      byStatus[400, default: []].append("`invalid_json`")
      byStatus[413] = ["`request_too_large`"]
    }
    for (status, codes) in refusals + guardian.refusals { byStatus[status, default: []].append(codes) }
    return byStatus.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ", ")) }
  }

  private static func json(_ parameter: Parameter) -> JSONValue {
    [
      "name": .string(parameter.name), "in": .string(parameter.place.rawValue),
      "required": .bool(parameter.place == .path), "description": .string(parameter.description),
      "schema": parameter.schema.json,
    ]
  }

  private static func json(_ answer: Answer) -> JSONValue {
    var object: JSONObject = ["description": .string(answer.description)]
    if !answer.headers.isEmpty {
      var headers = JSONObject()
      for header in answer.headers { headers[header.name] = ["schema": header.schema.json] }
      object["headers"] = .object(headers)
    }
    if !answer.content.isEmpty {
      var content = JSONObject()
      for body in answer.content { content[body.mediaType] = ["schema": body.schema.json] }
      object["content"] = .object(content)
    }
    return .object(object)
  }

  private static func refusal(_ status: Int, _ codes: String) -> JSONValue {
    var object: JSONObject = [
      "description": .string("Codes: \(codes)."),
      "content": ["application/json": ["schema": Schema.named("Refusal").json]],
    ]
    if status == 401 {
      object["headers"] = ["WWW-Authenticate": ["required": true, "schema": ["type": "string"]]]
    }
    return .object(object)
  }
}

extension Operation.Guard {
  private static let clientSchemes = ["clientBearer", "clientApiKey", "clientXApiKey", "clientQuery"]
  private static let adminSchemes = ["operatorBearer", "operatorApiKey", "operatorXApiKey"]

  /// One of them is enough.
  var security: [JSONValue] {
    func either(_ names: [String]) -> [JSONValue] { names.map { [$0: []] } }
    return switch self {
    case .nobody: []
    case .client: either(Self.clientSchemes)
    case .minter(let alsoInBody): either(Self.clientSchemes) + (alsoInBody ? [[:]] : [])
    case .admin: either(Self.adminSchemes)
    case .adminOrLocal: either(Self.adminSchemes) + [[:]]
    }
  }

  var refusals: [(status: Int, codes: String)] {
    let wrong = "`missing_api_key`, `invalid_api_key`"
    let gone = "`api_key_expired`, `api_key_revoked`, `invalid_token`, `token_expired`, `token_not_yet_valid`"
    return switch self {
    case .nobody: []
    case .client, .minter:
      [
        (401, "\(wrong), \(gone), `token_not_for_this`"),
        (403, "`access_denied`, `origin_not_allowed`, `key_not_allowed`"), (503, "`store_unavailable`"),
      ]
    case .admin, .adminOrLocal: [(401, wrong), (403, "`admin_disabled`")]
    }
  }

  /// What is told of the ways to show a key.
  static let schemes: JSONObject = [
    "clientBearer": bearer("A client's key, or an ephemeral token."),
    "clientApiKey": field("api-key", "The same, as Azure's clients send it."),
    "clientXApiKey": field("X-API-Key", "The same, as many other clients send it."),
    "clientQuery": [
      "type": "apiKey", "in": "query", "name": "token",
      "description": "The same, of clients that can set no header. `access_token` and `api_key` are understood, too.",
    ],
    "operatorBearer": bearer("The operator's key: `access.admin`, or `ENGINE_API_KEY`."),
    "operatorApiKey": field("api-key", "The same."),
    "operatorXApiKey": field("X-API-Key", "The same."),
  ]

  private static func bearer(_ description: String) -> JSONValue {
    ["type": "http", "scheme": "bearer", "description": .string(description)]
  }

  private static func field(_ name: String, _ description: String) -> JSONValue {
    ["type": "apiKey", "in": "header", "name": .string(name), "description": .string(description)]
  }
}
