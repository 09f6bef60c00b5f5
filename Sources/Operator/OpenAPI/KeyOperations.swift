import Access
import Envelope
import HTTPTypes
import Routing
import Translation

/// Keys and apps.
enum KeyOperations {
  static let all: [Operation] = [
    Operation(
      method: .get, path: "/api/v1/keys", id: "listKeys", part: .keys, summary: "The keys, without the keys themselves",
      guardian: .admin,
      parameters: [
        Operation.Parameter(
          name: "app", schema: .text().with("maxLength", 256).with("pattern", "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"),
          description: "Only those of an app.")
      ],
      answers: [(200, .json("Those of the configuration first.", CommonSchemas.list(of: .named("Key"))))],
      refusals: [(400, "`unknown_parameter`, `invalid_value`"), (503, "`ledger_unavailable`")]),
    Operation(
      method: .post, path: "/api/v1/keys", id: "createKey", part: .keys, summary: "A new key",
      description: "The key stands in this answer and nowhere else.", guardian: .admin,
      body: Operation.Body(
        schema: keyOrder, most: KeyRoutes.longestBody, example: ["name": "page", "publishable": true]),
      answers: [(201, newKey)],
      refusals: mistakes + [(409, "`name_taken`, `conflict`"), (501, "`no_key_store`"), (503, "`ledger_unavailable`")]),
    Operation(
      method: .delete, path: "/api/v1/keys/{id}", id: "revokeKey", part: .keys, summary: "Revokes a key",
      guardian: .admin, parameters: [piece("id", "Of the key.")],
      answers: [
        (
          200,
          .json(
            "It opens nothing any more.",
            .answer(
              nil, ["id": .text(), "object": .constant("key"), "revoked_at": .unixTime("When it was revoked.")]))
        )
      ],
      refusals: [
        (400, "`unknown_parameter`"), (404, "`key_not_found`"), (409, "`key_is_configured`"),
        (503, "`ledger_unavailable`"),
      ]),
    Operation(
      method: .get, path: "/api/v1/apps", id: "listApps", part: .keys, summary: "The apps", guardian: .admin,
      answers: [(200, .json("They.", CommonSchemas.list(of: .named("App"))))],
      refusals: [(400, "`unknown_parameter`"), (503, "`ledger_unavailable`")]),
    Operation(
      method: .post, path: "/api/v1/apps", id: "putApp", part: .keys, summary: "A new app, or another form of one",
      guardian: .admin,
      body: Operation.Body(
        schema: appOrder, most: KeyRoutes.longestBody, example: ["name": "shop", "limits": ["maxSessions": 20]]),
      answers: [(200, .json("It is changed.", .named("App"))), (201, .json("It is new.", .named("App")))],
      refusals: mistakes + [(409, "`app_is_configured`"), (501, "`no_key_store`"), (503, "`ledger_unavailable`")]),
    Operation(
      method: .delete, path: "/api/v1/apps/{name}", id: "deleteApp", part: .keys, summary: "Removes an app",
      guardian: .admin, parameters: [piece("name", "Of the app.")],
      answers: [
        (
          200,
          .json(
            "It is gone.",
            .answer(nil, ["name": .text(), "object": .constant("app"), "deleted": .boolean()]))
        )
      ],
      refusals: [
        (400, "`unknown_parameter`"), (404, "`app_not_found`"), (409, "`app_is_configured`, `app_has_keys`"),
        (503, "`ledger_unavailable`"),
      ]),
  ]

  private static let mistakes: [(status: Int, codes: String)] = [
    (400, "`unknown_parameter`, `missing_required_parameter`, `invalid_value`, `invalid_type` and others of a value"),
    (415, "`unsupported_media_type`"),
  ]

  static func piece(_ name: String, _ description: String) -> Operation.Parameter {
    Operation.Parameter(name: name, place: .path, schema: .text(1...256), description: description)
  }

  private static let newKey: Operation.Answer = {
    var answer = Operation.Answer.json(
      "The key. Nothing on the way may keep it.",
      Schema([
        "allOf": [
          Schema.named("Key").json,
          Schema.answer(nil, ["key": .text("What clients show.")]).json,
        ]
      ]))
    answer.headers = [("Cache-Control", .constant("no-store"))]
    return answer
  }()

  // MARK: Bodies

  static let origin = Schema.text(
    1...256,
    pattern:
      "^(\\*|[a-z][a-z0-9+.-]*://(\\*\\.)?(\(label)\\.){0,3}[a-z]([a-z0-9-]{0,20}[a-z0-9])?(:[1-9][0-9]{0,3})?)$",
    "A page by its origin: `https://app.example`, `https://*.example.com`, or `*`.")

  /// Of a host's name.
  private static let label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

  private static let name = Schema.text(1...64, pattern: "^[A-Za-z0-9._-]+$")

  /// Of providers or models.
  private static let patterns = Schema.list(
    of: .text(1...256, pattern: "^[!-)+-~]*[!-~]$"), nil, "Names, or their beginnings before a `*`; `null`: all."
  ).with("minItems", 1).orNull

  private static let limits: Schema = {
    var properties = JSONObject()
    for definition in HolderLimitDefinition.all {
      let range = definition.range
      let schema: Schema =
        definition.isWhole
        ? .integer(Int(range.lowerBound)...Int(range.upperBound), definition.meaning)
        : .decimal(range, definition.meaning)
      properties[definition.name] = schema.orNull.json
    }
    return Schema([
      "type": "object", "properties": .object(properties), "additionalProperties": false,
      "description": "What its sessions may use, all together; what is absent is not limited.",
    ])
  }()

  /// What keys and apps have in common.
  private static let shared: [(String, Schema)] = [
    ("providers", patterns), ("models", patterns), ("limits", limits.orNull),
    ("dialect", .choice(DialectChoice.names, "How clients are talked to.").orNull),
    ("deltaField", .choice(AudioDeltaWriter.Fields.names, "In which members they get audio.").orNull),
    ("metadata", .named("Metadata")),
  ]

  private static func order(_ members: KeyValuePairs<String, Schema>) -> Schema {
    var schema = Schema.object(required: ["name"], isClosed: true, members)
    var properties = schema.fields["properties"]?.object ?? [:]
    for (name, member) in shared { properties[name] = name == "metadata" ? member.orNull.json : member.json }
    properties["origins"] = Schema.list(of: origin, nil, "Pages that may use its keys.").orNull.json
    schema.fields["properties"] = .object(properties)
    return schema
  }

  private static let appOrder = order(["name": name])

  private static let keyOrder = order([
    "name": name,
    "prefix": Schema.text(2...16, pattern: "^[A-Za-z0-9]+[_-]$", "`hyb_` by default; `vkey_` may stand in pages.")
      .with("not", ["const": "ek_"]).orNull,
    "app": name.described("`default` by default.").orNull,
    "expires_at": Schema.integer(0...253_402_300_799, "Unix time, in the future; or `expires_in`.").orNull,
    "expires_in": Schema.integer(KeyRoutes.lifetimes, "Seconds from now.").orNull,
    "publishable": Schema.boolean("It may stand in a web page: it makes tokens and opens nothing itself.").orNull,
  ])

  // MARK: Answers

  static let schemas: [(String, Schema)] = [
    (
      "Key",
      shown([
        "id": .text(), "object": .constant("key"), "name": .text(), "prefix": .text("How the key begins."),
        "app": .text(), "publishable": .boolean(), "created_at": Schema.unixTime("When it was made.").orNull,
        "expires_at": Schema.unixTime("From when on it opens nothing.").orNull,
        "revoked_at": Schema.unixTime("When it was revoked.").orNull,
      ])
    ),
    ("App", shown(["object": .constant("app"), "name": .text()])),
  ]

  private static func shown(_ members: KeyValuePairs<String, Schema>) -> Schema {
    var schema = Schema.answer(nil, members)
    var properties = schema.fields["properties"]?.object ?? [:]
    for (name, member) in shared { properties[name] = name == "limits" ? limits.json : member.json }
    properties["origins"] = Schema.list(of: .text()).json
    properties["source"] =
      Schema.choice(
        [KeyRecord.Source.configuration.rawValue, KeyRecord.Source.store.rawValue], "Where it is changed."
      ).json
    schema.fields["properties"] = .object(properties)
    schema.fields["required"] = .array(properties.keys.map(JSONValue.string))
    return schema
  }
}
