import SessionCore

extension ConfigurationReference {
  /// What providers of every kind but `local` have, which has `kind` alone.
  static let provider: ConfigurationSection = [
    .init(
      "kind", value: .choice(ProviderKind.names), usual: "required",
      """
      `local` is the voice engine of the process and has no other key: its settings are in \
      [local-engine.md](local-engine.md)
      """),
    .init(
      "url", value: .url("`wss://host[:port][/path]`"), usual: "required for `openai`, `azure` and `vowel`",
      """
      or `ws://` for a stand-in. Scheme, host and port of every connection come from here. `openai`, `xai`, `inworld` \
      and `vowel` are spoken to at its path, or at their usual one where it has none; `azure` and `gemini-live` append \
      theirs. Without it `xai`, `inworld` and `gemini-live` are at their public addresses
      """),
    .init(
      "key", value: .reference,
      "the secret. May be left out only where the host is a loopback one, or with `serviceAccount`"),
    .init(
      "model", value: .text,
      usual: "required, but for `xai` (`grok-voice-latest`) and `inworld` (`google-ai-studio/gemini-2.5-flash`)",
      "the model of sessions whose client names none"),
    .init(
      "caFile", value: .path, usual: "the system's authorities",
      "PEM of the certificate authorities to trust instead"),
    .init(
      "allowPrivateAddresses", value: .flag, usual: "`false`",
      """
      the name in `url` may lead to this machine or to a private network, see [below](#addresses-and-proxies)
      """),
    .init(
      "maxSessions", value: .whole(1...1_000_000), usual: "none; `inworld` 20",
      """
      sessions at a time. One more is refused before the upgrade with 429, `rate_limit_exceeded`, `Retry-After` and \
      `contact`
      """),
    .init(
      "maxFramesPerSecond", value: .whole(1...1_000_000), usual: "none; `inworld` 1,000",
      """
      messages to the provider in a second, of all sessions together; a tenth of it at once. Messages beyond wait \
      their turn, in order, and their clients are not read meanwhile: none is lost
      """),
    .init(
      "maxConnectsPerSecond", "maxMinutesPerSession", "maxMinutesPerDay", value: .other("number"),
      "as [of a key](#bounds-of-a-key-an-app-a-provider), for all sessions with the provider"),
  ]

  // MARK: The OpenAI wire

  static let azure: ConfigurationSection = [
    .init(
      "api", value: .choice(AzureSettings.API.allCases.map(\.rawValue)), usual: "`realtime`",
      """
      `realtime`: Azure OpenAI, `/openai/v1/realtime`. `preview`: Azure OpenAI before that, `/openai/realtime`. \
      `voice-live`: Azure AI Voice Live, `/voice-live/realtime`
      """),
    .init(
      "apiVersion", value: .text, usual: "`preview` `2025-04-01-preview`; `voice-live` `2026-04-10`",
      "the version in the address; `realtime` has none"),
    .init(
      "keyType", value: .choice(["api-key", "access-token", "client-secret"]), usual: "`api-key`",
      """
      what `key` is: `api-key`, of the resource; `access-token`, of Entra, which something else has to renew; \
      `client-secret`, of an application in Entra, which access tokens are fetched with
      """),
    .init(
      "tenant", "clientID", value: .text, usual: "required with `client-secret`",
      "the directory, and the application in it"),
    .init(
      "tokenURL", value: .url("`https://`"), usual: "the tenant's in the public cloud",
      "with `client-secret`: where access tokens are fetched"),
  ]

  static let inworld: ConfigurationSection = [
    .init("transcriptionModel", value: .text, usual: "Inworld's", "of sessions whose client names none"),
    .init(
      "voiceModel", value: .text, usual: "Inworld's",
      "the model that speaks, where a client names none in `session.audio.output.model`"),
    .init("voice", value: .text, usual: "Inworld's", "of sessions whose client names none"),
  ]

  static let vowel: ConfigurationSection = [
    .init(
      "tokens", value: .choice(["none", "engine", "core"]), usual: "`none`",
      """
      `none`: `key` is such a token, or there is none. `engine`: the engine makes one for each connection, for its API \
      key. `core`: Core does, for a publishable key
      """),
    .init("appID", value: .text, usual: "required with `core`", "the application in Core"),
    .init(
      "tokenURL", value: .url("`https://`"), usual: "with `engine` that of `url` and `/sessions`; required with `core`",
      "where tokens are made, such as `https://core.example/vowel/api/generateToken`"),
    .init("voice", value: .text, usual: "a voice of Deepgram's", "what the voices of other services become"),
  ]

  // MARK: Gemini Live

  static let gemini: ConfigurationSection = [
    .init(
      "platform", value: .choice(["ai-studio", "vertex"]), usual: "`ai-studio`",
      "the Gemini API, or Vertex AI"),
    .init(
      "project", "location", value: .text,
      """
      `vertex` only, both or neither: the project of Google Cloud, and a region such as `us-central1`, or `us`, `eu` \
      or `global`. Without them the key is one of Vertex AI in express mode and stands for its project
      """),
    .init(
      "serviceAccount", value: .reference,
      "`vertex` only, in place of `key`: the JSON of a service account's key"),
    .init(
      "keyType", value: .choice(["api-key", "ephemeral-token", "access-token"]),
      usual: "`api-key`; with a project `access-token`",
      """
      what `key` is: `api-key`, `ephemeral-token` (`auth_tokens/...`, AI Studio only) or `access-token` (OAuth; \
      something else has to renew it)
      """),
    .init(
      "apiVersion", value: .text, usual: "`v1beta`; ephemeral token `v1alpha`; Vertex AI `v1beta1`",
      "version in the address of the service"),
    .init(
      "quotaProject", value: .text, usual: "the credential's own",
      "project that quota is counted for (`x-goog-user-project`)"),
    .init(
      "strict", value: .flag, usual: "`false`",
      """
      `false`: a model or a voice that the service does not know is replaced by a known one, and a field that it has \
      no counterpart for by what really happens, which the client sees in `session.updated`. `true`: each is refused \
      with an `error` that names the field
      """),
    .init(
      "aliases", value: .object("text"),
      "names that clients use for models, and the models' ids: `{\"gpt-realtime\": \"gemini-3.8-live\"}`"),
    .init(
      "voices", value: .object("text"),
      """
      names that clients use for voices, in any case, and Gemini's names: `{"alloy": "Puck"}`. Before the built-in \
      table, which knows the voices of OpenAI, Inworld, xAI and Deepgram Aura (vowel)
      """),
    .init(
      "models", value: .object("cells"), "what differs from the built-in table of models, below"),
  ]

  /// Cells of `models`. What they take is the provider's: `GeminiLiveSettings.modelCells` names the same.
  static let geminiModel: ConfigurationSection = [
    .init(
      "textInput", value: .choice(["clientContent", "realtimeText"]), usual: usualCell, "how a text turn goes up"),
    .init(
      "cue", value: .other("`\"emptyTurn\"`, `{\"userTurn\": TEXT}` or `{\"realtimeText\": TEXT}`"), usual: usualCell,
      "what makes the model speak with nothing new to answer"),
    .init(
      "seeding", value: .choice(["context", "announcedHistory", "instruction"]), usual: usualCell,
      """
      how a new connection is told what was said before: as context, as history that the set-up announces, or in the \
      system instruction
      """),
    .init(
      "thinking", value: .choice(["budget", "level", "requiredLevel", "none"]), usual: usualCell,
      "what `thinkingConfig` may hold"),
    .init(
      "toolBehavior", value: .choice(["BLOCKING", "NON_BLOCKING", "unstated"]), usual: usualCell,
      "`behavior` of a function declaration; `unstated` leaves it out"),
    .init(
      "contentStopsGeneration", value: .flag, usual: usualCell,
      "`clientContent` without a completed turn stops the generation in progress"),
    .init(
      "takesContextAnytime", value: .flag, usual: usualCell, "context may come between spoken turns"),
    .init(
      "takesContextUpdate", value: .flag, usual: usualCell, "`contextUpdate` changes instructions and tools"),
    .init(
      "takesSystemTurns", value: .flag, usual: usualCell, "a turn with role `system` replaces the instruction"),
    .init("takesImagesInTurns", value: .flag, usual: usualCell, "images may stand in turns"),
    .init(
      "endsWhenIdle", value: .flag, usual: usualCell,
      "an answer ends with `interactionStatus` rather than `turnComplete`"),
    .init("speaksText", value: .flag, usual: usualCell, "the model can answer in text"),
    .init(
      "schedulesToolResults", value: .flag, usual: usualCell, "`scheduling` of a function's result is accepted"),
    .init(
      "combinesSearchWithFunctions", value: .flag, usual: usualCell, "Google Search may stand beside functions"),
    .init(
      "transcribesUnasked", value: .flag, usual: usualCell,
      "the user's words are transcribed for the model's memory even if the client does not want to see them"),
    .init(
      "takesJSONSchema", value: .flag, usual: usualCell, "functions may be declared with `parametersJsonSchema`"),
  ]

  private static let usualCell = "the table's"
}
