import Envelope
import HTTPTypes

/// The sessions that run, and the end of the service.
enum RunningOperations {
  static let all: [Operation] = [
    Operation(
      method: .get, path: "/sessions", id: "listSessions", part: .running, summary: "The sessions that run",
      guardian: .admin,
      answers: [
        (
          200,
          .json(
            "Those that began first at the front.",
            .answer(nil, ["sessions": .list(of: session), "count": .count()]))
        )
      ], refusals: [(400, "`unknown_parameter`")]),
    Operation(
      method: .get, path: "/sessions/{id}", id: "getSession", part: .running, summary: "One of them",
      guardian: .admin, parameters: [KeyOperations.piece("id", "As `session.created` told it.")],
      answers: [(200, .json("It.", session))],
      refusals: [(400, "`unknown_parameter`"), (404, "`session_not_found`")]),
    Operation(
      method: .delete, path: "/sessions/{id}", id: "endSession", part: .running, summary: "Ends a session",
      description: "Its client gets an `error` event `session_ended_by_operator` and close code 1000.",
      guardian: .admin, parameters: [KeyOperations.piece("id", "As `session.created` told it.")],
      answers: [
        (
          200,
          .json("It ends.", .answer(nil, ["id": .text(), "object": .constant("session"), "ended": .boolean()]))
        )
      ],
      refusals: [(400, "`unknown_parameter`"), (404, "`session_not_found`")]),
    Operation(
      method: .get, path: "/drain", id: "getDrain", part: .running, summary: "How far the drain is",
      guardian: .admin, answers: [(200, .json("So far.", drain))], refusals: [(400, "`unknown_parameter`")]),
    Operation(
      method: .post, path: "/drain", id: "beginDrain", part: .running, summary: "Takes the server out of service",
      description:
        "No new sessions; those that run end with their turn, or with the grace. Asked again, it only brings "
        + "the end nearer.",
      guardian: .admin,
      body: Operation.Body(
        schema: .object(
          isClosed: true,
          [
            "graceSeconds": Schema.decimal(0...3_600, "By default the limit `drainGraceSeconds`.").orNull,
            "exit": Schema.boolean("The process ends when the sessions have.").orNull,
          ]), isRequired: false, most: DrainRoutes.longestBody),
      answers: [(200, .json("It has begun.", drain))],
      refusals: [(400, "`unknown_parameter` and others of a value")]),
  ]

  private static let session = Schema.answer(
    nil,
    [
      "id": .text(), "object": .constant("session"), "provider": Schema.text().orNull, "model": .text(),
      "state": .choice(["in_turn", "idle"]), "startedAt": .time(), "durationSeconds": .amount(), "app": .text(),
      "key": Schema.text("Its name.").orNull, "keyId": Schema.text().orNull, "tokenId": Schema.text().orNull,
      "address": Schema.text("Of the client.").orNull, "mode": .text(),
    ])

  private static let drain = Schema.answer(
    nil, ["draining": .boolean(), "sessions": .count("Those that run.")],
    sometimes: [
      "startedAt": Schema.time().orNull, "deadline": Schema.time("The end of the grace.").orNull,
      "midTurn": .count("Those in a turn."), "ended": .count("Those that have ended since."),
    ])
}
