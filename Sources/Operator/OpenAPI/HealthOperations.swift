import Envelope
import HTTPTypes

/// What a health check and a monitor ask.
enum HealthOperations {
  static let all: [Operation] = [
    health("/health", "getHealth", "Whether sessions can be had"),
    health("/health/ready", "getReadiness", "The same, under the name that orchestrators use"),
    Operation(
      method: .get, path: "/health/live", id: "getLiveness", part: .health, summary: "Whether the process answers",
      guardian: .nobody,
      answers: [(200, .json("It does.", .answer(nil, ["status": .constant("ok"), "timestamp": .time()])))]),
    Operation(
      method: .get, path: "/metrics", id: "getMetrics", part: .health, summary: "Metrics for Prometheus",
      description: "Open to the machine itself and at a listener that serves no clients.", guardian: .adminOrLocal,
      answers: [
        (
          200,
          Operation.Answer(
            description: "The text exposition format, version 0.0.4.",
            content: [Operation.Content(mediaType: "text/plain", schema: .text())])
        )
      ]),
    Operation(
      method: .get, path: "/openapi.json", id: "getOpenAPI", part: .health, summary: "This document",
      guardian: .nobody,
      answers: [
        (
          200,
          .json(
            "OpenAPI 3.1, of what this listener serves.",
            .object(
              required: ["openapi", "info", "paths"],
              [
                "openapi": .constant("3.1.0"), "info": .object([:]), "paths": .map(of: .object([:])),
                "components": .object([:]),
              ]))
        )
      ]),
  ]

  private static func health(_ path: String, _ id: String, _ summary: String) -> Operation {
    Operation(
      method: .get, path: path, id: id, part: .health, summary: summary, guardian: .nobody,
      answers: [
        (200, .json("They can.", standing(.ok))),
        (503, .json("They cannot: `status` says why.", standing(.draining, .full, .unavailable))),
      ])
  }

  private static func standing(_ status: HealthStanding.Status...) -> Schema {
    .answer(
      nil,
      [
        "status": .choice(status.map(\.rawValue)), "timestamp": .time(),
        "providers": .map(
          of: .answer(nil, ["state": .choice(HealthStanding.ProviderState.allCases.map(\.rawValue))]),
          "By their names in the configuration."),
        "sessions": .count("Those that run."),
      ],
      sometimes: ["engine": .object("The stages of the voice engine; absent where there is none.", [:])])
  }
}
