import Envelope
import HTTPTypes

/// `GET /openapi.json`: the whole HTTP side as OpenAPI 3.1 tells it, of a listener the part that it serves.
enum OpenAPIDocument {
  /// All that there are anywhere.
  static let operations =
    HealthOperations.all + SessionOperations.all + TokenOperations.all + KeyOperations.all + UsageOperations.all
    + ConfigurationOperations.all + RunningOperations.all

  private static let about = """
    Realtime voice behind one address. Sessions are WebSockets, which OpenAPI has no words for: `GET /v1/realtime` with \
    `Upgrade: websocket`, and the other paths of the configuration's `routes`. A WebSocket that cannot be had is refused \
    with the same error object as everything else.

    Every error is `{"error": {"message", "type", "param", "code"}}`. Beside those that stand with an operation, any \
    request may be answered with 400 `malformed_request`, 404 `not_found`, 405 `method_not_allowed` (with `Allow`), 408 \
    `request_timeout`, 414, 431, 501 `method_not_implemented` and 505. Where a GET is, there is a HEAD.

    Without a key in the configuration, clients of the same machine need none.
    """

  /// - Parameter isServed: whether a listener has an operation.
  static func document(of isServed: (Operation) -> Bool) -> JSONObject {
    let served = operations.filter(isServed)
    var paths = JSONObject()
    for operation in served {
      var methods = paths[operation.path]?.object ?? JSONObject()
      methods[operation.method.rawValue.lowercased()] = .object(operation.json)
      paths[operation.path] = .object(methods)
    }
    let parts = Operation.Part.allCases.filter { part in served.contains { $0.part == part } }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Parley", "version": "1", "summary": "Realtime voice behind one address.",
        "description": .string(about), "license": ["name": "MIT", "identifier": "MIT"],
      ],
      "servers": [["url": "/"]],
      "tags": .array(parts.map { ["name": .string($0.rawValue), "description": .string($0.description)] }),
      "paths": .object(paths),
      "components": [
        "schemas": .object(schemas), "securitySchemes": .object(Operation.Guard.schemes),
      ],
    ]
  }

  /// What several operations have in common.
  private static let schemas: JSONObject = {
    var schemas = JSONObject()
    for part in [
      CommonSchemas.all, SessionSchemas.all, TokenSchemas.all, KeyOperations.schemas, UsageOperations.schemas,
      ConfigurationOperations.schemas,
    ] {
      for (name, schema) in part { schemas[name] = schema.json }
    }
    return schemas
  }()
}

/// Shapes that are not one part's.
enum CommonSchemas {
  static let all: [(String, Schema)] = [("Refusal", refusal), ("Metadata", metadata), ("MetadataValue", metadataValue)]

  /// The one shape of all errors.
  private static let refusal = Schema.answer(
    "Why a request is not served. Never holds a secret.",
    [
      "error": .answer(
        nil,
        [
          "message": .text("For people."),
          "type": .choice(
            ["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"], "For programs."),
          "param": .text("A dotted path into the body, or the name of a parameter.").orNull,
          "code": .text("A short fixed name, for programs.").orNull,
        ])
    ])

  private static let metadata = Schema.map(
    of: .named("MetadataValue"), "The operator's own: at most 4096 bytes as JSON, without the character U+0000."
  ).with("propertyNames", ["pattern": "^[^\\u0000]*$"])

  private static let metadataValue = Schema.any(of: [
    Schema(["type": ["null", "boolean", "number"]]), .text().with("pattern", "^[^\\u0000]*$"),
    .list(of: .named("MetadataValue")), .named("Metadata"),
  ])

  /// `{"object": "list", "data": […]}`
  static func list(of element: Schema) -> Schema {
    .answer(nil, ["object": .constant("list"), "data": .list(of: element)])
  }
}
