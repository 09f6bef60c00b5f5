import Access
import Envelope
import HTTPTypes
import Routing

/// Where clients get ephemeral tokens.
enum TokenOperations {
  static let all: [Operation] =
    TokenRoutes.bases.flatMap { base in
      pair(
        "\(base)/client_secrets", "ClientSecret", "A token, as OpenAI makes client secrets",
        body: .named("ClientSecretOrder"), answer: .named("ClientSecret"),
        example: ["session": ["type": "realtime", "instructions": "Be brief."]])
        + pair(
          "\(base)/sessions", "BetaSession", "A token, as OpenAI's beta and vowel's engine make it",
          body: .named("BetaSessionOrder"), answer: .named("BetaSession"), example: ["instructions": "Be brief."])
        + pair(
          "\(base)/transcription_sessions", "TranscriptionSession",
          "A token for transcription, as OpenAI's beta makes it",
          body: .named("TranscriptionSessionOrder"), answer: .named("TranscriptionSession"), example: [:])
    }
    + pair(
      "/vowel/api/generateToken", "VowelToken", "A token for a page of vowel's client library",
      body: TokenSchemas.vowelOrder, answer: TokenSchemas.vowelToken, example: ["appId": "default"],
      isVowel: true)

  /// What a page may read of an answer, whatever it is.
  private static let crossOrigin: [(name: String, schema: Schema)] = [
    ("Access-Control-Allow-Origin", .text("The page's own.")), ("Vary", .constant("Origin")),
  ]

  private static func pair(
    _ path: String, _ name: String, _ summary: String, body: Schema, answer: Schema, example: JSONObject,
    isVowel: Bool = false
  ) -> [Operation] {
    // Each base has the same three; an id names one operation.
    let place = TokenRoutes.bases.firstIndex { path.hasPrefix($0 + "/") } ?? 0
    let suffix = place == 0 ? "" : String(place + 1)
    var made = Operation.Answer.json("The token. Nothing on the way may keep it.", answer)
    made.headers = [("Cache-Control", .constant("no-store"))] + crossOrigin
    let query = [
      Operation.Parameter(
        name: "provider", schema: .text(), description: "The same as `provider` of the body, which wins.")
    ]
    return [
      Operation(
        method: .post, path: path, id: "create\(name)\(suffix)", part: .tokens, summary: summary,
        description: "Which providers, models and settings there are is told by `GET /v1/models` and "
          + "`GET /v1/capabilities`; others are refused as the session itself would refuse them.",
        guardian: .minter(alsoInBody: isVowel), parameters: isVowel ? [] : query,
        body: Operation.Body(schema: body, isRequired: isVowel, most: TokenRoutes.longestBody, example: example),
        answers: [(200, made)],
        refusals: [
          (400, "`unknown_parameter`, `invalid_value`, `invalid_type`, `session_too_large` and others of a session's"),
          (403, "`app_not_allowed`, `provider_not_allowed`, `model_not_allowed`"),
          (404, "`app_not_found`, `route_not_found`"), (415, "`unsupported_media_type`"), (501, "`no_signing_key`"),
          (503, "`provider_unavailable`"),
        ]),
      Operation(
        method: .options, path: path, id: "preflight\(name)\(suffix)", part: .tokens,
        summary: "What a page of another site may send", guardian: .nobody,
        answers: [
          (
            204,
            Operation.Answer(
              description: "Any page may ask; whether it gets a token is decided by its key and its origin.",
              content: [],
              headers: crossOrigin + [
                ("Access-Control-Allow-Methods", .constant("POST, OPTIONS")),
                ("Access-Control-Allow-Headers", .text()), ("Access-Control-Max-Age", .constant("600")),
              ])
          )
        ]),
    ]
  }
}

/// Bodies and answers of the token routes.
enum TokenSchemas {
  static let all: [(String, Schema)] = [
    ("ClientSecretOrder", clientSecretOrder), ("ClientSecret", clientSecret), ("BetaSessionOrder", betaOrder),
    ("BetaSession", betaSession), ("TranscriptionSessionOrder", transcriptionOrder),
    ("TranscriptionSession", transcriptionSession),
  ]

  private static let model = Schema.text(1...256, pattern: "^[!-~]+$", "One of `GET /v1/models`.").orNull

  /// What all have beside the session: which provider, for which app, from where, and how much.
  private static let own: [(String, Schema)] = [
    ("provider", .line(256, "Its name in the configuration, or an alias.").orNull),
    ("app", .line(256, "The app that the token counts for.").orNull),
    ("route", .line(256, "The only path that it opens.").orNull),
    ("origins", .list(of: KeyOperations.origin, 1...64, "The only pages that may use it.").orNull),
    ("max_sessions", .integer(1...1_000_000, "How many it may start in its life.").orNull),
    (
      "limits",
      Schema.object(
        "Of its sessions.", isClosed: true,
        [
          "maxSessions": .integer(1...1_000_000).orNull, "maxMinutesPerSession": .decimal(0.01...525_600).orNull,
          "idleSeconds": .decimal(1...31_536_000).orNull,
        ]
      ).orNull
    ),
  ]

  private static func expiry(_ usual: Int) -> Schema {
    Schema.object(
      "How long it lives, by default \(usual) s; the configuration may allow less.",
      [
        "anchor": .choice(["created_at"]).orNull,
        "seconds": .integer(ClientSecret.lifetimes).orNull,
      ]
    ).orNull
  }

  private static func order(_ members: KeyValuePairs<String, Schema>) -> Schema {
    var schema = Schema.object(members)
    var properties = schema.fields["properties"]?.object ?? [:]
    for (name, member) in own { properties[name] = member.json }
    schema.fields["properties"] = .object(properties)
    return schema
  }

  private static let realtime = Schema.object([
    "type": .choice(["realtime"]).orNull, "model": model, "instructions": .text(),
    "output_modalities": Schema.list(of: .choice(["text", "audio"])).with("minItems", 1),
    "max_output_tokens": .any(of: [.integer(1...4096), .constant("inf")]),
    "tools": .list(of: .object(required: ["type"], ["type": .text()])),
    "audio": .object(["input": .object([:]), "output": .object([:])]),
  ])

  /// What it has of a conversation says nothing.
  private static let transcription = Schema.object(
    required: ["type"],
    ["type": .constant("transcription"), "model": model, "audio": .object(["input": .object([:])])])

  private static let clientSecretOrder = order([
    "expires_after": expiry(ClientSecret.usualLifetime),
    "session": Schema.any(
      of: [realtime, transcription, Schema(["type": "null"])],
      "How its sessions begin: a part of the session that `session.update` has. What the provider cannot have is refused."
    ),
  ])

  /// OpenAI has called it both ways.
  private static let betaSecret = Schema.object([
    "expires_after": expiry(BetaSession.usualLifetime), "expires_at": expiry(BetaSession.usualLifetime),
  ]).orNull

  private static let transcriptionOrder = order([
    "client_secret": betaSecret,
    "input_audio_transcription": Schema.object("The model, the language and the prompt of the transcription.", [:])
      .orNull,
  ])

  private static let betaOrder = order([
    "client_secret": betaSecret,
    "model": model, "temperature": .decimal(0...2, "It has no effect.").orNull, "instructions": .text(),
    "voice": .any(of: [Schema.text().with("minLength", 1), .object(required: ["id"], ["id": .text()])]),
    "modalities": Schema.list(of: .choice(["text", "audio"])).with("minItems", 1),
    "max_response_output_tokens": .any(of: [.integer(1...4096), .constant("inf")]),
    "tools": .list(of: .object(required: ["type"], ["type": .text()])),
    "speakingRate": .decimal("Of vowel's engine, as the words of `generateToken`.").orNull,
  ])

  static let vowelOrder = Schema.object(
    required: ["appId"],
    [
      "appId": .line(AccessKey.longestKeyBytes, "The app, or a key that may stand in pages (`vkey_…`)."),
      "apiKey": .anything("A key, where no other place of the request has one."),
      "origin": KeyOperations.origin.described("The only page that may use the token.").orNull,
      "provider": .line(256, "Its name in the configuration, or an alias such as `vowel-prime`.").orNull,
      "config": Schema.object(
        ["provider": .line().orNull, "voiceConfig": .object(words).orNull]
      ).orNull,
    ])

  private static let words: KeyValuePairs<String, Schema> = [
    "model": model, "voice": .text(1...256).orNull,
    "speakingRate": Schema.decimal().with("exclusiveMinimum", 0).orNull, "language": .text(1...256).orNull,
    "instructions": Schema.text().with("minLength", 1).orNull,
    "maxCallDurationMs": Schema.decimal().with("exclusiveMinimum", 0).orNull,
    "maxIdleDurationMs": Schema.decimal().with("exclusiveMinimum", 0).orNull,
  ]

  // MARK: Answers

  private static let clientSecret = Schema.answer(
    nil,
    [
      "value": .text("The token: `ek_…`."), "expires_at": .unixTime("When it ends."),
      "session": .answer(
        "The session that it begins, as `session.created` would tell it.",
        [
          "id": .text(), "object": .choice(["realtime.session", "realtime.transcription_session"]),
          "type": .choice(["realtime", "transcription"]), "expires_at": .constant(0),
          "audio": .object([:]),
        ], sometimes: ["model": .text()]),
    ])

  private static let secret = Schema.answer(
    nil, ["value": .text("The token: `ek_…`."), "expires_at": .unixTime("When it ends.")])

  private static let betaSession = Schema.answer(
    "A flat session, with the words of vowel's engine beside it.",
    [
      "id": .text(), "object": .constant("realtime.session"), "expires_at": .constant(0), "client_secret": secret,
      "value": .text("The token."), "token": .text("The token."), "expires_in": .count("Seconds."), "model": .text(),
      "temperature": .decimal(),
    ])

  private static let transcriptionSession = Schema.answer(
    nil,
    [
      "id": .text(), "object": .constant("realtime.transcription_session"), "expires_at": .constant(0),
      "client_secret": secret,
    ])

  static let vowelToken = Schema.answer(
    nil,
    [
      "token": .text(), "expiresAt": .time(), "wsUrl": .text("Where sessions are served."),
      "tokenName": .text("Its name in the usage API."), "model": .text(), "provider": .text(),
      "metadata": .answer(
        nil,
        [
          "baseUrl": .text(), "voice": .anything(), "audioFormat": .constant("pcm16"), "sampleRate": .constant(24_000),
          "sessionConfigDeliveredViaClient": .boolean(),
        ]),
      "systemInstructions": .text(),
    ])
}
