import Envelope

/// The requests for tokens that services answer at the port of their sockets.
extension RealtimeService {
  func answer(
    _ call: StandInCall, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> StandInAnswer? {
    guard call.method == "POST" else { return nil }
    switch (self, call.request.path) {
    case (.vowel, "/v1/realtime/sessions"): return engineToken(call, options, memory)
    case (.vowel, "/vowel/api/generateToken"): return coreToken(call, options, memory)
    case (.azure, let path) where path.hasSuffix("/oauth2/v2.0/token"):
      return entraToken(call, memory)
    default: return nil
    }
  }

  private static let lifetime = 300

  /// A token in the engine's form; its claims are what the session begins with.
  private func issue(_ claims: JSONObject, _ memory: RealtimeMemory) -> String {
    var ids = StandInIDs(seed: nil)
    let token = "ek_" + [36, 80, 43].map { ids.text(count: $0) }.joined(separator: ".")
    memory.issue(token, claims: claims)
    return token
  }

  private func expiry(_ options: RealtimeStandIn.Options) -> Int {
    options.expiresAt - 3_600 + Self.lifetime
  }

  // MARK: vowel

  private func engineToken(
    _ call: StandInCall, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> StandInAnswer {
    let given = RealtimeAdmission.bearer(call.request)
    guard let given, options.key.map({ $0 == given }) ?? true else {
      return StandInAnswer(401, ["error": ["message": "Invalid API key"]])
    }
    guard let claims = call.body.isEmpty ? [:] : (try? JSONValue(parsing: call.body))?.object else {
      return StandInAnswer(500, ["error": ["message": "The body is not a JSON object"]])
    }
    let token = JSONValue.string(issue(claims, memory))
    return StandInAnswer(
      200,
      [
        "client_secret": ["value": token, "expires_at": .number(JSONNumber(expiry(options)))],
        "value": token,
        "token": token, "expires_in": .number(JSONNumber(Self.lifetime)),
      ])
  }

  /// The application's key in the header or the body; `X-API-Key` is not read.
  private func coreToken(
    _ call: StandInCall, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> StandInAnswer {
    guard let body = (try? JSONValue(parsing: call.body))?.object else {
      return StandInAnswer(400, ["message": "Invalid JSON"])
    }
    let inApp = body["appId"]?.string.flatMap { $0.hasPrefix("vkey_") ? $0 : nil }
    let given = RealtimeAdmission.bearer(call.request) ?? body["apiKey"]?.string ?? inApp
    guard let given, options.key.map({ $0 == given }) ?? true else {
      return StandInAnswer(401, ["message": "Invalid API key"])
    }
    let config = body["config"]
    let voice = config?["voiceConfig"]
    var claims: JSONObject = [:]
    claims["model"] = voice?["model"]
    claims["voice"] = voice?["voice"]
    claims["language"] = voice?["language"]
    claims["speakingRate"] = voice?["speakingRate"]
    claims["initialGreetingPrompt"] = voice?["initialGreetingPrompt"]
    claims["instructions"] = config?["systemInstructionOverride"]
    let token = issue(claims, memory)
    let address = call.request.header("host") ?? "localhost"
    return StandInAnswer(
      200,
      [
        "tokenName": "ephemeral", "token": .string(token),
        "model": claims["model"] ?? "openai/gpt-oss-20b",
        "provider": "vowel-core", "expiresAt": .string("2100-01-01T00:00:00.000Z"),
        "metadata": [
          "baseUrl": .string("ws://\(address)/v1/realtime"),
          "voice": claims["voice"] ?? "aura-2-thalia-en",
          "audioFormat": "pcm16", "sampleRate": 24_000, "sessionConfigDeliveredViaClient": true,
        ],
        "systemInstructions": claims["instructions"] ?? "",
      ])
  }

  // MARK: Entra

  /// The client credentials grant of the OAuth endpoint: a form with an id, a secret and a scope.
  private func entraToken(_ call: StandInCall, _ memory: RealtimeMemory) -> StandInAnswer {
    let fields = call.body.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
    let names = Set(fields.filter { $0.count == 2 }.map { String($0[0]) })
    guard names.isSuperset(of: ["client_id", "client_secret", "scope"]),
      call.body.contains("grant_type=client_credentials")
    else {
      return StandInAnswer(
        400, ["error": "invalid_request", "error_description": "A field of the grant is missing."])
    }
    var ids = StandInIDs(seed: nil)
    let token = "entra." + ids.text(count: 64)
    memory.issue(token, claims: [:])
    return StandInAnswer(
      200,
      [
        "token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599,
        "access_token": .string(token),
      ])
  }
}
