import Access
import Envelope
import Hummingbird
import Logging
import Translation

/// `POST …/sessions` and `POST …/transcription_sessions`: what OpenAI had before client secrets, and what vowel's
/// engine has at the first of the two. The session is flat; vowel's words are understood beside it.
struct BetaSession {
  /// Seconds.
  static let usualLifetime = 60

  /// vowel's words that are no fields of a flat session (`voice`, `instructions` and `model` are both).
  private static let vowelWords: Set<String> = [
    "speakingRate", "language", "turnDetection", "turnDetectionPreset", "maxCallDurationMs", "maxIdleDurationMs",
    "systemInstructionOverride", "initialGreetingPrompt", "languageDetection", "languageVoiceMap", "preset", "testMode",
    "sessionKey", "sessionId", "llmProvider", "openrouterProvider", "openrouterSiteUrl", "openrouterAppName",
    "openrouterOptions", "providerConfig", "stt", "tts",
  ]
  /// What is not of the session.
  private static let ownWords: Set<String> = [
    "client_secret", "provider", "app", "route", "origins", "max_sessions", "limits",
  ]
  /// GA paths under their flat names, for what is wrong with one.
  private static let flatNames: [(ga: String, beta: String)] = [
    ("audio.input.format", "input_audio_format"), ("audio.input.transcription", "input_audio_transcription"),
    ("audio.input.noise_reduction", "input_audio_noise_reduction"), ("audio.input.turn_detection", "turn_detection"),
    ("audio.output.format", "output_audio_format"), ("audio.output.voice", "voice"), ("audio.output.speed", "speed"),
    ("output_modalities", "modalities"), ("max_output_tokens", "max_response_output_tokens"),
  ]

  private let tokens: any TokenIssuing
  private let purpose: SessionType

  init(_ tokens: any TokenIssuing, _ purpose: SessionType) {
    self.tokens = tokens
    self.purpose = purpose
  }

  func answer(_ request: Request, _ asker: TokenAsker, _ logger: Logger) async throws -> Response {
    let admittance = try await tokens.admit(asker)
    let body = try await JSONBody.objectOrNothing(request, most: TokenRoutes.longestBody)
    let order = try order(body, QueryFields(request, known: nil))
    let issued: IssuedToken
    do {
      issued = try await tokens.issue(order, to: admittance, askedBy: asker)
    } catch {
      throw Self.flat(error)
    }
    VowelToken.logIdleWords(of: body, logger)
    return .secret(shown(issued, temperature: body["temperature"]))
  }

  func order(_ body: JSONObject, _ query: QueryFields) throws(HTTPFault) -> MintOrder {
    let fields = try BodyFields(body, known: nil)
    // OpenAI has called it both ways.
    let secret = try fields.fields("client_secret", known: nil)
    var lifetime: Int?
    for name in ["expires_after", "expires_at"] where lifetime == nil {
      if let secret { lifetime = try ClientSecret.lifetime(secret, name) }
    }
    var order = MintOrder(purpose: purpose, lifetimeSeconds: lifetime ?? Self.usualLifetime)
    try order.read(fields, query)
    _ = try fields.decimal("temperature", 0...2)
    var flat = JSONObject()
    var words = JSONObject()
    for (key, value) in body where !Self.ownWords.contains(key) {
      if Self.vowelWords.contains(key) { words[key] = value } else { flat[key] = value }
    }
    if purpose == .transcription {
      // They stand there too, and a transcription has no output.
      flat.removeValue(forKey: "modalities")
    } else {
      order.model = try fields.string(["model", "modelId"])
    }
    order.session = SessionOrder.start(BetaWire.session(toGA: flat))
    try order.read(vowel: words)
    return order
  }

  /// `session.audio.output.voice` is `voice` in a flat session.
  private static func flat(_ fault: HTTPFault) -> HTTPFault {
    guard let param = fault.param, param.hasPrefix("session.") else { return fault }
    var path = String(param.dropFirst("session.".count))
    for name in flatNames where path == name.ga || path.hasPrefix(name.ga + ".") {
      path = name.beta + path.dropFirst(name.ga.count)
      break
    }
    var flat = fault
    flat.param = path
    flat.message = fault.message.replacing("'\(param)'", with: "'\(path)'")
    return flat
  }

  private func shown(_ issued: IssuedToken, temperature: JSONValue?) -> JSONObject {
    let secret = JSONValue.string(issued.value.reveal())
    var session = BetaWire.session(fromGA: issued.session)
    session["object"] = .string(purpose.object)
    session["expires_at"] = 0
    if purpose == .realtime { session["temperature"] = temperature?.number.map(JSONValue.number) ?? 0.8 }
    session["client_secret"] = ["value": secret, "expires_at": .number(JSONNumber(issued.expiresAt))]
    guard purpose == .realtime else { return session }
    // As vowel's engine answers.
    session["value"] = secret
    session["token"] = secret
    session["expires_in"] = .number(JSONNumber(issued.expiresAt - issued.issuedAt))
    return session
  }
}
