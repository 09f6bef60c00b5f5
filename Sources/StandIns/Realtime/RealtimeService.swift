import Envelope

/// The services that a `RealtimeStandIn` can play.
public enum RealtimeService: String, Sendable, Hashable, CaseIterable {
  case openAI = "openai"
  case azure, inworld, vowel
  case xAI = "xai"
}

/// What a service makes of an upgrade request.
struct RealtimeAdmission: Sendable {
  enum Verdict: Sendable {
    case admitted(RealtimeAdmission)
    /// An HTTP answer.
    case refused(status: Int, reason: String)
    /// 101, the error, the close.
    case fatal(RealtimeFault)
  }

  var accent: any RealtimeAccent
  var model: String
  var isTranscription = false
  /// The conversation that the client resumes.
  var conversationID: String?
  /// Of the client's token.
  var claims: JSONObject = [:]

  static let keyPrefix = "openai-insecure-api-key."

  static func offered(_ request: StandInRequest) -> [String] {
    (request.header("sec-websocket-protocol") ?? "").split(separator: ",").map {
      String($0).trimmingWhitespace
    }
  }

  /// `realtime`, or else the first that carries no key, or else the first.
  static func subprotocol(_ request: StandInRequest) -> String? {
    let offered = offered(request)
    let harmless = offered.first { !$0.hasPrefix(keyPrefix) && !$0.hasPrefix("ek_") }
    return offered.contains("realtime") ? "realtime" : harmless ?? offered.first
  }

  static func bearer(_ request: StandInRequest) -> String? {
    request.header("authorization").flatMap {
      $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil
    }
  }

  static func keyInProtocol(_ request: StandInRequest) -> String? {
    offered(request).first { $0.hasPrefix(keyPrefix) }.map { String($0.dropFirst(keyPrefix.count)) }
  }

  static func isBeta(_ request: StandInRequest) -> Bool {
    request.header("openai-beta")?.contains("realtime=v1") == true
      || offered(request).contains("openai-beta.realtime-v1")
  }
}

extension RealtimeService {
  func admit(
    _ request: StandInRequest, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> RealtimeAdmission.Verdict {
    switch self {
    case .openAI: admitToOpenAI(request, options)
    case .azure: admitToAzure(request, options, memory)
    case .xAI: admitToXAI(request, options, memory)
    case .inworld: admitToInworld(request, options, memory)
    case .vowel: admitToVowel(request, options, memory)
    }
  }

  // MARK: OpenAI

  /// The service upgrades even those whom it refuses; the error and the close follow.
  private func admitToOpenAI(
    _ request: StandInRequest, _ options: RealtimeStandIn.Options
  ) -> RealtimeAdmission.Verdict {
    guard request.path == "/v1/realtime" else { return .refused(status: 404, reason: "Not Found") }
    if let key = options.key {
      guard
        let given = RealtimeAdmission.bearer(request) ?? RealtimeAdmission.keyInProtocol(request)
      else {
        return fatal(nil, "Missing bearer or basic authentication in header", 3_000)
      }
      guard given == key else {
        return fatal("invalid_api_key", "Incorrect API key provided.", 3_000)
      }
    }
    if RealtimeAdmission.isBeta(request) {
      return fatal(
        "beta_api_shape_disabled",
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
        4_000)
    }
    let model = request.query("model") ?? ""
    let transcribes = request.query("intent") == "transcription"
    if transcribes, !model.isEmpty {
      return fatal(nil, "You must not provide a model parameter for transcription sessions.", 4_000)
    }
    guard transcribes || !model.isEmpty else {
      return fatal("missing_model", "You must provide a model.", 4_000)
    }
    if !transcribes, let models = options.models, !models.contains(model) {
      return fatal("invalid_model", "Model \"\(model)\" is not supported in realtime mode.", 4_000)
    }
    return .admitted(
      RealtimeAdmission(
        accent: OpenAIAccent(isAzure: false), model: model, isTranscription: transcribes))
  }

  private func fatal(_ code: String?, _ message: String, _ close: UInt16)
    -> RealtimeAdmission.Verdict
  {
    var fault = RealtimeFault.violation(code: code, message)
    fault.close = .init(code: close, reason: fault.type + (code.map { ".\($0)" } ?? ""))
    return .fatal(fault)
  }

  // MARK: Azure

  /// Three forms of the address, each with its own shape of events; what is wrong is told by HTTP.
  private func admitToAzure(
    _ request: StandInRequest, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> RealtimeAdmission.Verdict {
    let version = request.query("api-version")
    let isTranscription = request.query("intent") == "transcription"
    let admission: RealtimeAdmission
    switch request.path {
    case "/openai/v1/realtime":
      let model = request.query("model") ?? ""
      guard version == nil, model.isEmpty == isTranscription else {
        return .refused(status: 400, reason: "Bad Request")
      }
      admission = RealtimeAdmission(
        accent: OpenAIAccent(isAzure: true), model: model, isTranscription: isTranscription)
    case "/openai/realtime":
      guard version != nil, let deployment = request.query("deployment"), !deployment.isEmpty else {
        return .refused(status: 400, reason: "Bad Request")
      }
      admission = RealtimeAdmission(accent: BetaAccent(isVoiceLive: false), model: deployment)
    case "/voice-live/realtime":
      guard version != nil, let model = request.query("model"), !model.isEmpty else {
        return .refused(status: 400, reason: "Bad Request")
      }
      admission = RealtimeAdmission(accent: BetaAccent(isVoiceLive: true), model: model)
    default: return .refused(status: 404, reason: "Not Found")
    }
    guard isKnown(to: .azure, request, options, memory) else {
      return .refused(status: 401, reason: "Unauthorized")
    }
    guard request.header("openai-beta") == nil else {
      return .refused(status: 400, reason: "Bad Request")
    }
    if !isTranscription, let models = options.models, !models.contains(admission.model) {
      return .refused(status: 400, reason: "OpperationNotSupported")
    }
    return .admitted(admission)
  }

  /// By the key, or by an Entra token that was configured or issued here.
  private func isKnown(
    to service: Self, _ request: StandInRequest, _ options: RealtimeStandIn.Options,
    _ memory: RealtimeMemory
  ) -> Bool {
    guard let key = options.key else { return true }
    if request.header("api-key") == key { return true }
    if request.path.hasPrefix("/voice-live"), request.query("api-key") == key { return true }
    guard let token = RealtimeAdmission.bearer(request) else { return false }
    return options.bearers.contains(token) || memory.redeem(token, limit: options.tokenUses) != nil
  }

  // MARK: xAI

  private func admitToXAI(
    _ request: StandInRequest, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> RealtimeAdmission.Verdict {
    guard request.path == "/v1/realtime" else { return .refused(status: 404, reason: "Not Found") }
    let prefix = "xai-client-secret."
    let secret = RealtimeAdmission.offered(request).first { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
    if let key = options.key, RealtimeAdmission.bearer(request) ?? secret != key {
      return .refused(status: 401, reason: "Unauthorized")
    }
    let model = request.query("model") ?? "grok-voice-latest"
    if let models = options.models, !models.contains(model) {
      return .refused(status: 404, reason: "Not Found")
    }
    let conversation = request.query("conversation_id").flatMap { memory.isKnown($0) ? $0 : nil }
    return .admitted(
      RealtimeAdmission(
        accent: XAIAccent(time: options.expiresAt * 1_000, abandons: options.abandonsResponses),
        model: model,
        conversationID: conversation))
  }

  // MARK: Inworld

  private func admitToInworld(
    _ request: StandInRequest, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> RealtimeAdmission.Verdict {
    guard request.path == "/api/v1/realtime/session" else {
      return .refused(status: 404, reason: "Not Found")
    }
    // The key names the session and is used once; the model has no place in the address.
    guard let sessionKey = request.query("key"), !sessionKey.isEmpty,
      request.query("protocol") == "realtime",
      request.query("model") == nil, memory.takeSessionKey(sessionKey)
    else { return .refused(status: 400, reason: "Bad Request") }
    if let key = options.key {
      let isKnown =
        request.header("authorization") == "Basic \(key)"
        || RealtimeAdmission.bearer(request).map(options.bearers.contains) ?? false
      guard isKnown else { return .refused(status: 401, reason: "Unauthorized") }
    }
    return .admitted(RealtimeAdmission(accent: InworldAccent(quirks: options.quirks), model: ""))
  }

  // MARK: vowel

  private func admitToVowel(
    _ request: StandInRequest, _ options: RealtimeStandIn.Options, _ memory: RealtimeMemory
  ) -> RealtimeAdmission.Verdict {
    guard request.path == "/v1/realtime" else { return .refused(status: 404, reason: "Not Found") }
    let offered = RealtimeAdmission.offered(request)
    let token =
      RealtimeAdmission.bearer(request) ?? RealtimeAdmission.keyInProtocol(request)
      ?? offered.first { $0.hasPrefix("ek_") }
    guard let token, let claims = memory.redeem(token, limit: options.tokenUses) else {
      return .refused(status: 401, reason: "Unauthorized")
    }
    return .admitted(RealtimeAdmission(accent: VowelAccent(), model: "", claims: claims))
  }
}
