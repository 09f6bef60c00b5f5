import Envelope

/// From the upgrade to `setupComplete`, resumption, and the life of a connection.
extension GeminiLiveStandIn {
  /// What the client showed in its upgrade request.
  struct Credentials: Sendable {
    var isWrongKey = false
    /// An ephemeral token.
    var token: String?
  }

  /// The API version that the path names and whether it is the variant for ephemeral tokens, nil for a path that the
  /// service does not have.
  static func version(
    of path: String, platform: GeminiFields.Platform
  ) -> (version: String, isConstrained: Bool)? {
    switch platform {
    case .aiStudio:
      let paths = ["v1", "v1beta", "v1alpha"].map { version in
        (version, "/ws/google.ai.generativelanguage.\(version).GenerativeService.BidiGenerateContent")
      }
      if let known = paths.first(where: { $0.1 == path }) { return (known.0, false) }
      return path == paths[2].1 + "Constrained" ? ("v1alpha", true) : nil
    case .vertex:
      return ["v1", "v1beta1"]
        .first { path == "/ws/google.cloud.aiplatform.\($0).LlmBidiService/BidiGenerateContent" }
        .map { ($0, false) }
    }
  }

  mutating func judgeCredentials(of request: StandInRequest, isConstrained: Bool) -> StandInVerdict {
    let authorization = request.header("authorization")
    let key = request.header("x-goog-api-key") ?? request.query("key")
    if isConstrained {
      let fromHeader = authorization.flatMap { $0.hasPrefix("Token ") ? String($0.dropFirst(6)) : nil }
      credentials.token = request.query("access_token") ?? fromHeader
      let isToken = credentials.token?.hasPrefix("auth_tokens/") ?? false
      return isToken ? .upgrade(subprotocol: nil) : .refuse(status: 401, reason: "Unauthorized")
    }
    switch options.platform {
    case .aiStudio:
      guard let wanted = options.key else { return .upgrade(subprotocol: nil) }
      guard let key else { return .refuse(status: 403, reason: "Forbidden") }
      credentials.isWrongKey = key != wanted
      return .upgrade(subprotocol: nil)
    case .vertex:
      guard options.key != nil || !options.bearers.isEmpty else { return .upgrade(subprotocol: nil) }
      let isBearer = options.bearers.contains { authorization == "Bearer " + $0 }
      let isKey = options.key != nil && request.header("x-goog-api-key") == options.key
      return isBearer || isKey ? .upgrade(subprotocol: nil) : .refuse(status: 401, reason: "Unauthorized")
    }
  }

  // MARK: Set-up

  mutating func begin(_ setUp: JSONValue) -> [StandInFrame] {
    guard let model = setUp["model"]?.string,
      GeminiModelRules.isModelName(model, platform: options.platform)
    else { return refuse() }
    guard GeminiModels.exist(model, on: options.platform, only: options.models) else {
      return close(1008, GeminiModels.notFound(model, on: options.platform, version: version))
    }
    rules = GeminiModelRules(model: model, platform: options.platform)
    if let reason = rules.refusal(of: setUp, speaksText: options.speaksText) {
      return close(1007, reason)
    }
    instruction = Self.text(of: setUp["systemInstruction"])
    if case .close(let code, let reason) = StandInTrigger(instruction, declared: []) { return close(code, reason) }
    if let frames = refusedSession(model: model, handle: setUp["sessionResumption"]?["handle"]?.string) {
      return frames
    }
    self.setUp = setUp
    tools = setUp["tools"]
    isSeeding = setUp["historyConfig"]?["initialHistoryInClientContent"]?.bool == true
    let silence = setUp["realtimeInputConfig"]?["automaticActivityDetection"]?["silenceDurationMs"]?.int
    detector.silenceMilliseconds = silence ?? options.silenceMilliseconds
    phase = .settingUp
    return []
  }

  /// Begins or resumes the session; the frames of a refusal if there is one.
  private mutating func refusedSession(model: String, handle: String?) -> [StandInFrame]? {
    guard let handle, !handle.isEmpty else {
      if let token = credentials.token, let limit = options.tokenUses, !memory.use(token: token, limit: limit) {
        return close(1011, "Token has been used too many times")
      }
      conversation = memory.begin(model: model)
      return nil
    }
    guard !options.refusesHandles else { return close(1008, "Requested entity was not found.") }
    switch memory.resume(handle, model: model) {
    case .conversation(let old):
      conversation = old
      return nil
    case .unknown:
      return close(1008, "Requested entity was not found.")
    case .otherModel:
      return refuse()
    case .connected, .broken:
      return close(1011, "Internal error occurred.")
    }
  }

  mutating func open() -> [StandInFrame] {
    phase = .open
    if let after = options.goAwayAfter { alarms.append(StandInAlarm("goAway", after: after)) }
    if let lifetime = options.connectionLifetime { alarms.append(StandInAlarm("abort", after: lifetime)) }
    let complete: JSONValue = options.platform == .vertex ? ["sessionId": "standin-session"] : [:]
    return [frame(["setupComplete": complete])] + (givesHandles ? [frame(nextHandle())] : [])
  }

  var givesHandles: Bool {
    setUp["sessionResumption"] != nil || (options.isUnsolicited && rules.family == .v38)
  }

  mutating func nextHandle() -> JSONValue {
    var update: JSONObject = ["newHandle": .string(memory.keep(conversation)), "resumable": true]
    if setUp["sessionResumption"]?["transparent"]?.bool == true {
      update["lastConsumedClientMessageIndex"] = .string(String(tally.messages))
    }
    return ["sessionResumptionUpdate": .object(update)]
  }

  // MARK: The end

  public mutating func takeAlarms() -> [StandInAlarm] {
    defer { alarms = [] }
    return alarms
  }

  public mutating func ring(_ alarm: StandInAlarm) -> [StandInFrame] {
    guard case .open = phase else { return [] }
    switch alarm.name {
    case "goAway": return goAway()
    case "abort": return abort()
    case "repeat":
      repeatCalls()
      return []
    case "window \(windows)" where windowBytes != nil:
      return close(1011, "Deadline expired before operation could complete.")
    default: return []
    }
  }

  mutating func goAway() -> [StandInFrame] {
    alarms.append(StandInAlarm("abort", after: options.timeLeft))
    isSilent = options.isSilentAfterGoAway
    let milliseconds = Int(options.timeLeft / .milliseconds(1))
    return [frame(["goAway": ["timeLeft": .string(Self.duration(milliseconds: milliseconds))]])]
  }

  /// protobuf's text of a duration: `0.320s`, `50s`.
  static func duration(milliseconds: Int) -> String {
    let fraction = milliseconds % 1_000
    return fraction == 0
      ? "\(milliseconds / 1_000)s" : "\(milliseconds / 1_000).\(String(fraction + 1_000).dropFirst())s"
  }
}
