import Envelope
import HTTPTypes
import Metering

/// What was used.
enum UsageOperations {
  static let all: [Operation] = [
    Operation(
      method: .get, path: "/api/v1/usage/summary", id: "getUsageSummary", part: .usage, summary: "Sums over a span",
      guardian: .admin,
      parameters: [
        Operation.Parameter(
          name: "group_by", schema: .choice(UsageGrouping.allCases.map(\.rawValue)),
          description: "`modality` by default.")
      ] + span,
      answers: [
        (
          200,
          .json(
            "The sums.",
            .answer(
              nil,
              [
                "object": .constant("usage.summary"), "group_by": .text(), "from": Schema.text().orNull,
                "to": Schema.text().orNull, "groups": .list(of: group), "total": .named("UsageTotals"),
              ]))
        )
      ],
      refusals: [
        (400, "`unknown_parameter`, `invalid_value`"), (501, "`no_ledger`"), (503, "`ledger_unavailable`"),
      ]),
    Operation(
      method: .get, path: "/api/v1/usage/events", id: "listUsageEvents", part: .usage,
      summary: "Records, a page of them, the newest last", guardian: .admin,
      parameters: [
        Operation.Parameter(
          name: "limit", schema: .integer(EventQuery.limits), description: "How many at most; 100 by default."),
        Operation.Parameter(
          name: "cursor", schema: Schema.text().with("pattern", "^[0-9]{1,15}\\.([0-9a-f]{2})*$"),
          description: "Of `X-Next-Cursor`: the page of older ones."),
      ] + span
        + ["modality", "key", "app", "provider"].map {
          Operation.Parameter(
            name: $0, schema: Schema.text().with("minLength", 1).with("pattern", "^[^\\u0000]+$"),
            description: "Only those with this \($0).")
        },
      answers: [(200, events)],
      refusals: [
        (400, "`unknown_parameter`, `invalid_value`"), (501, "`no_ledger`"), (503, "`ledger_unavailable`"),
      ]),
    Operation(
      method: .post, path: "/api/v1/usage/events", id: "postUsageEvents", part: .usage,
      summary: "Records of other services, to be counted with the sessions of this one",
      description: "A list is taken whole or not at all. A record whose `id` is known counts once.", guardian: .admin,
      body: Operation.Body(
        schema: .any(of: [.named("UsageOrder"), .list(of: .named("UsageOrder"), 1...PostedUsage.mostRecords)]),
        most: PostedUsage.longestBody,
        example: ["modality": "text", "provider": "openai", "tokens": ["input": 1200, "output": 300]]),
      answers: [
        (
          201,
          .json(
            "They are kept.",
            .answer(
              nil,
              [
                "object": .constant("list"), "accepted": .count(), "duplicates": .count("Those that were there."),
                "ids": .list(of: .text()),
              ]))
        )
      ],
      refusals: [
        (
          400,
          "`unknown_parameter`, `missing_required_parameter`, `invalid_value`, `invalid_type` and others of a value"
        ), (415, "`unsupported_media_type`"), (501, "`no_ledger`"), (503, "`ledger_unavailable`"),
      ]),
  ]

  private static let span = [
    Operation.Parameter(
      name: "from", schema: moment,
      description: "What began then or later: a time, or a day, which means its beginning."
    ),
    Operation.Parameter(name: "to", schema: moment, description: "What began before; not before `from`."),
  ]

  private static let moment = Schema.any(of: [.time(), Schema.text().with("format", "date")])

  private static let events: Operation.Answer = {
    var answer = Operation.Answer.json("They.", .list(of: .named("UsageEvent")))
    answer.headers = [
      ("X-Next-Cursor", .text("Leads to older ones; absent where there are none.")),
      ("Link", .text("The same, as an address with `rel=\"next\"`.")),
    ]
    return answer
  }()

  private static let group = Schema([
    "allOf": [
      Schema.named("UsageTotals").json,
      Schema.answer(nil, ["key": Schema.text("`null` for those without one.").orNull]).json,
    ]
  ])

  // MARK: Shapes

  static let schemas: [(String, Schema)] = [
    ("UsageTotals", totals), ("UsageEvent", event), ("UsageOrder", order), ("AudioAmount", audio),
  ]

  private static let input = Schema.answer(
    nil, ["text": .count(), "audio": .count(), "image": .count(), "cached": .count()])
  private static let output = Schema.answer(nil, ["text": .count(), "audio": .count()])

  private static let totals = Schema.answer(
    nil,
    [
      "sessions": .count("Voice sessions."), "events": .count("Records of any kind, sessions among them."),
      "seconds": .amount(), "minutes": .amount(), "audio_input_seconds": .amount(), "audio_output_seconds": .amount(),
      "tokens": .answer(nil, ["input": input, "output": output, "total": .count()]),
    ])

  private static let formats = Schema.list(
    of: .answer(
      nil, ["type": .choice(["audio/pcm", "audio/pcmu", "audio/pcma"]), "rate": .count("Hz."), "bytes": .count()]))

  private static let audio = Schema.answer(
    nil, ["seconds": .amount(), "bytes": .count(), "formats": formats],
    sometimes: ["taken_back_seconds": .amount("Said and never heard."), "taken_back_formats": formats])

  private static let event = Schema.answer(
    nil,
    [
      "id": .text(), "object": .constant("usage.event"), "modality": .text(),
      "mode": .choice(UsageMode.allCases.map(\.rawValue)), "state": .text(), "provider": Schema.text().orNull,
      "kind": Schema.text().orNull, "model": Schema.text().orNull, "key": Schema.text().orNull,
      "key_id": Schema.text().orNull, "app": .text(), "token_id": Schema.text().orNull, "started_at": .time(),
      "updated_at": .time(), "ended_at": Schema.time().orNull, "end": Schema.text("How it ended.").orNull,
      "seconds": .amount(), "minutes": .amount(), "audio_input": .named("AudioAmount"),
      "audio_output": .named("AudioAmount"),
      "tokens": .answer(
        nil,
        [
          "input": input, "output": output, "total": .count(),
          "transcription": .answer(nil, ["input": .count(), "output": .count(), "seconds": .amount()]),
          "estimated": .boolean(),
        ]),
      "responses": .count(), "sequence": .count(), "instance": Schema.text().orNull, "metadata": .object([:]),
    ])

  private static let counts = 0...1_000_000_000_000

  private static let order = Schema.object(
    required: ["modality"], isClosed: true,
    [
      "id": Schema.line(128, "One is made where it is absent.").orNull,
      "modality": Schema.line(64, "`text`, for instance; voice is metered by the server itself.")
        .with("not", ["const": .string(UsageRecord.voice)]),
      "provider": Schema.line().orNull, "model": Schema.line().orNull,
      "mode": Schema.choice(UsageMode.allCases.map(\.rawValue), "`managed_inference` by default.").orNull,
      "key": Schema.line().orNull, "app": Schema.line(256, "`default` by default.").orNull,
      "timestamp": Schema.time("From 1970 on; now by default.").with("pattern", "^(19[7-9]|[2-9][0-9])").orNull,
      "seconds": Schema.decimal(0...31_622_400).orNull,
      "tokens": Schema.object(
        isClosed: true,
        [
          "input": .any(
            of: [
              Schema.integer(counts).orNull,
              .object(
                isClosed: true,
                [
                  "text": Schema.integer(counts).orNull, "audio": Schema.integer(counts).orNull,
                  "image": Schema.integer(counts).orNull, "cached": Schema.integer(counts).orNull,
                ]),
            ]),
          "output": .any(
            of: [
              Schema.integer(counts).orNull,
              .object(
                isClosed: true,
                ["text": Schema.integer(counts).orNull, "audio": Schema.integer(counts).orNull]),
            ]),
          "total": Schema.integer(counts, "The sum of both by default.").orNull,
        ]
      ).orNull,
      "metadata": Schema.named("Metadata").orNull,
    ])
}
