import Envelope
import HTTPTypes
import VoiceEngine

/// What belongs to sessions.
enum SessionOperations {
  static let all: [Operation] = [
    Operation(
      method: .get, path: "/v1/capabilities", id: "getCapabilities", part: .sessions,
      summary: "What each provider makes of what a client can say", guardian: .client,
      answers: [(200, .json("The providers, in the order of the configuration.", CommonSchemas.list(of: provider)))]),
    Operation(
      method: .get, path: "/v1/models", id: "listModels", part: .sessions, summary: "The models of all providers",
      guardian: .client,
      answers: [(200, .json("In the order of the configuration.", CommonSchemas.list(of: .named("Model"))))]),
    Operation(
      method: .get, path: "/v1/models/{model}", id: "getModel", part: .sessions, summary: "One model",
      guardian: .client,
      parameters: [
        Operation.Parameter(
          name: "model", place: .path, schema: .text(1...256), description: "Its id, slashes in it as they are.")
      ],
      answers: [(200, .json("It.", .named("Model")))], refusals: [(404, "`model_not_found`")]),
    Operation(
      method: .get, path: "/v1/voices", id: "listVoices", part: .sessions, summary: "The voices of a provider",
      guardian: .client,
      parameters: [
        Operation.Parameter(
          name: "provider", schema: .text(), description: "Its name in the configuration; without one, the default's.")
      ],
      answers: [(200, .json("They.", voices))], refusals: [(404, "`provider_not_found`")]),
    Operation(
      method: .post, path: "/v1/audio/speech", id: "createSpeech", part: .sessions, summary: "The engine speaks a text",
      description: "Speeches beyond \(SpeechRoute.mostAtOnce) at once, and longer ones than "
        + "\(SpeechRoute.longestSpeech) s, are refused.",
      guardian: .client,
      body: Operation.Body(
        schema: speech, most: SpeechRoute.longestBody, example: ["input": "Good morning.", "response_format": "wav"]),
      answers: [
        (
          200,
          Operation.Answer(
            description: "16-bit samples, one channel, \(SpeechRequest.rate) Hz.",
            content: [
              Operation.Content(mediaType: "audio/wav", schema: .text().with("contentMediaType", "audio/wav")),
              Operation.Content(mediaType: "audio/pcm", schema: .text().with("contentMediaType", "audio/pcm")),
            ])
        )
      ],
      refusals: [
        (400, "`invalid_value`, `missing_required_parameter`"), (429, "`rate_limit_exceeded`"),
        (501, "`tts_unavailable`"), (502, "what the engine says"),
      ]),
    Operation(
      method: .post, path: "/v1/realtime/calls", id: "createCall", part: .sessions,
      summary: "WebRTC calls, which are not served", guardian: .nobody,
      refusals: [(501, "`transport_not_supported`")]),
  ]

  private static let speech = Schema.object(
    required: ["input"],
    [
      "input": .text(1...SpeechRoute.longestInput, "What is said."),
      "model": .anything("Says nothing: there is one engine."),
      "voice": .any(
        of: [Schema.text().orNull, .object(required: ["id"], ["id": .text()])], "One that the engine has, or its own."),
      "response_format": .choice(["wav", "pcm"], "A WAV file by default.").orNull,
      "speed": .decimal(0.25...4, "1 by default.").orNull,
      "stream_format": .choice(["audio"]).orNull,
    ])

  private static let provider = Schema.answer(
    nil,
    [
      "provider": .text("Its name in the configuration."), "kind": .text("Its `kind` there."),
      "available": .boolean("False where its secret is absent."),
      "default": .boolean("It serves sessions that name none."), "model": .text("Of sessions that name none."),
      "coverage": .list(
        of: .answer(
          nil,
          [
            "subject": .text("The type of a client's event, or the path of a field in one."),
            "support": .choice(["mapped", "emulated", "ignored", "refused"]), "note": .text(),
          ],
          sometimes: [
            "when": .object("The row holds where these fields have these values.", [:]),
            "takes_effect": .choice(["at_once", "next_chunk", "next_response", "at_set_up"]),
          ])),
    ])

  private static let voices = Schema.answer(
    nil,
    [
      "object": .constant("list"), "provider": .text(),
      "source": .choice(["service", "table"], "Whether the service was asked."),
      "data": .list(
        of: .answer(
          nil, ["id": .text(), "provider": .text(), "default": .boolean()],
          sometimes: ["name": .text(), "language": .text("BCP 47."), "gender": .text()])),
    ])
}

/// Shapes of the parts that sessions and tokens have in common.
enum SessionSchemas {
  static let all: [(String, Schema)] = [("Model", model)]

  private static let model = Schema.answer(
    nil,
    [
      "id": .text(), "object": .constant("model"), "created": .count("0: no service tells."), "owned_by": .text(),
      "provider": .text("Its name in the configuration, for `?provider=`."),
      "available": .boolean("False where the provider's secret is absent."),
      "default": .boolean("Sessions of the provider that name none have it."),
    ],
    sometimes: ["note": .text("What else may be named, for people.")])
}
