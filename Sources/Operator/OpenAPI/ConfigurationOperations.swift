import Envelope
import HTTPTypes

/// The configuration of the running server.
enum ConfigurationOperations {
  static let all: [Operation] = [
    Operation(
      method: .get, path: "/config", id: "getConfiguration", part: .configuration,
      summary: "The configuration in force",
      guardian: .admin, answers: [(200, .json("Secrets are masked.", .named("Configuration")))],
      refusals: [(400, "`unknown_parameter`")]),
    Operation(
      method: .put, path: "/config", id: "updateConfiguration", part: .configuration,
      summary: "Lays a JSON merge patch (RFC 7396) over the configuration",
      description: "New sessions have it, running ones keep theirs. Any media type is taken for JSON.",
      guardian: .admin,
      parameters: [
        Operation.Parameter(
          name: "persist", schema: .choice(["true", "false"]),
          description: "`false`: only in memory, until the next reload. `true` by default.")
      ],
      body: Operation.Body(
        schema: .named("ConfigurationPatch"), most: ConfigurationRoutes.longestBody, example: example),
      answers: [
        (200, .json("The configuration from now on.", .named("Configuration"))), invalid, unsaved(500), unsaved(507),
      ]),
    Operation(
      method: .post, path: "/config/validate", id: "validateConfiguration", part: .configuration,
      summary: "What `PUT /config` would say, with nothing changed", guardian: .admin,
      body: Operation.Body(
        schema: .named("ConfigurationPatch"), most: ConfigurationRoutes.longestBody, example: example),
      answers: [(200, .json("It would be taken.", .answer(nil, ["ok": .boolean()]))), invalid]),
    Operation(
      method: .post, path: "/config/reload", id: "reloadConfiguration", part: .configuration,
      summary: "Reads the files again, and drops what stands in memory only", guardian: .admin,
      answers: [(200, .json("The configuration from now on.", .named("Configuration"))), invalid]),
    Operation(
      method: .get, path: "/presets", id: "listPresets", part: .configuration,
      summary: "Patches for common arrangements", guardian: .admin,
      answers: [
        (
          200,
          .json(
            "Each `config` can be put as it is.",
            .answer(
              nil,
              [
                "presets": .list(
                  of: .answer(
                    nil,
                    [
                      "name": .text(), "description": .text(), "config": .object([:]),
                      "available": .boolean("Nothing is missing."),
                      "missing": .list(of: .text(), nil, "Variables of the environment."),
                    ]))
              ]))
        )
      ], refusals: [(400, "`unknown_parameter`")]),
  ]

  static let schemas: [(String, Schema)] = [
    ("Configuration", configuration), ("ConfigurationPatch", patch), ("ConfigurationRefusal", refusal),
  ]

  private static let example: JSONObject = ["vad": ["threshold": 0.6, "minSilenceMs": 700]]

  /// The sections of a document; their members are told by `parley reference`.
  private static let sections = ["llm", "stt", "tts", "vad", "turnDetection", "limits", "gateway"]

  private static let patch: Schema = {
    var properties: JSONObject = [
      "config": Schema.object(
        "The patch, where it does not stand in the body itself: then nothing may stand beside it.", [:]
      )
      .json,
      "realtimeModel": Schema.text().orNull.json,
    ]
    for section in sections { properties[section] = ["type": ["object", "null"]] }
    return Schema(["type": "object", "properties": .object(properties), "additionalProperties": false])
  }()

  private static let configuration = Schema.answer(
    nil,
    [
      "config": .object("The document with its defaults; secrets as references or as a mask.", [:]),
      "sources": .map(of: .text(), "Where each value comes from."),
      "effective": .anything("What the engine made of it."), "gateway": .object("The `routes.json` in force.", [:]),
      "file": .text("That the document is kept in."), "revision": .count("It grows with each change."),
      "loadedAt": .time(),
    ])

  private static let refusal = Schema.answer(
    "The error object of all answers, with every mistake in it.",
    [
      "error": .object(
        required: ["message", "type", "param", "code"],
        [
          "message": .text(), "type": .text(), "param": Schema.text("The first path.").orNull, "code": .text(),
          "faults": .list(of: .answer(nil, ["path": .text(), "message": .text()])),
        ])
    ])

  private static let invalid = (
    400,
    Operation.Answer.json(
      "Codes: `invalid_configuration`, `invalid_json`, `unknown_parameter`.", .named("ConfigurationRefusal"))
  )

  private static func unsaved(_ status: Int) -> (Int, Operation.Answer) {
    (status, .json("Codes: `configuration_not_saved`. Nothing has changed.", .named("ConfigurationRefusal")))
  }
}
