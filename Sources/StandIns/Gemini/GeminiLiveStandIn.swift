import Envelope

/// A strict Gemini Live service (BidiGenerateContent): one value per connection.
///
/// It refuses whatever the service is known to refuse, with the service's close codes and wording, and answers every
/// user turn with a tone and with the words "You said: …". Its frames are binary and pretty-printed as the service's.
public struct GeminiLiveStandIn: StandInScript {
  public struct Options: Sendable {
    /// The API key to ask for; nil accepts any client.
    public var key: String?
    public var platform = GeminiFields.Platform.aiStudio
    /// The time between two frames of an answer; zero sends an answer in one go.
    public var answerInterval = Duration.zero
    /// The time from `setup` to `setupComplete`; nothing may be sent in between.
    public var setUpDelay = Duration.zero
    /// The silence that ends a turn unless the set-up says otherwise.
    public var silenceMilliseconds = 800
    /// What every spoken turn is heard as.
    public var transcription = "what time is it"
    /// Puts a thought part in front of every answer.
    public var showsThoughts = false
    /// Accepts the output modality TEXT and answers in text parts, as half-cascade models do.
    public var speaksText = false
    /// Sends `voiceActivity` frames, as 3.1 models do.
    public var announcesVoiceActivity = false
    /// Closes on every resumption handle as on a stale one.
    public var refusesHandles = false
    /// The models that exist, without their prefix; nil for any.
    public var models: [String]?

    public init() {}
  }

  enum Phase: Sendable {
    case awaitingSetUp
    case settingUp
    case open
    case closed
  }

  /// One frame of an answer that waits for its time.
  struct Step: Sendable {
    var frame: JSONValue
    /// Whether client activity throws it away.
    var isInterruptible = true
  }

  let options: Options
  var phase = Phase.awaitingSetUp
  var version = "v1beta"
  var setUp: JSONValue = .null
  var rules = GeminiModelRules(model: "")
  var detector: SpeechDetector
  var pending: [Step] = []
  /// Text of `clientContent` that waits for its `turnComplete`.
  var accumulated: [String] = []
  /// Whether `clientContent` is still the announced history.
  var isSeeding = false
  var hasModelTurn = false
  /// Whether a manual activity window is open, and the bytes it has had.
  var windowBytes: Int?
  var promptTokens = 0
  var handles = 0
  private var wrongKey = false

  public init(options: Options = Options()) {
    self.options = options
    detector = SpeechDetector(silenceMilliseconds: options.silenceMilliseconds)
  }

  // MARK: Connection

  public mutating func judge(_ request: StandInRequest) -> StandInVerdict {
    guard let version = Self.version(of: request.path, platform: options.platform) else {
      return .refuse(status: 404, reason: "Not Found")
    }
    self.version = version
    guard let key = options.key else { return .upgrade(subprotocol: nil) }
    let bearer = request.header("authorization").flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
    let given = request.header("x-goog-api-key") ?? request.query("key") ?? bearer
    guard let given else { return .refuse(status: 403, reason: "Forbidden") }
    wrongKey = given != key
    return .upgrade(subprotocol: nil)
  }

  /// The API version that the path names, nil for a path that the service does not have.
  static func version(of path: String, platform: GeminiFields.Platform) -> String? {
    let (prefix, suffix, versions) =
      switch platform {
      case .aiStudio:
        (
          "/ws/google.ai.generativelanguage.", ".GenerativeService.BidiGenerateContent",
          ["v1", "v1beta", "v1alpha"]
        )
      case .vertex:
        ("/ws/google.cloud.aiplatform.", ".LlmBidiService/BidiGenerateContent", ["v1", "v1beta1"])
      }
    return versions.first { path == prefix + $0 + suffix }
  }

  public mutating func begin() -> [StandInFrame] {
    wrongKey ? close(1007, "API key not valid. Please pass a valid API key.") : []
  }

  public var pause: Duration? {
    switch phase {
    case .settingUp: options.setUpDelay
    case .open: pending.isEmpty ? nil : options.answerInterval
    case .awaitingSetUp, .closed: nil
    }
  }

  public mutating func advance() -> [StandInFrame] {
    if case .settingUp = phase {
      phase = .open
      let complete: JSONValue = options.platform == .vertex ? ["sessionId": "standin-session"] : [:]
      return [frame(["setupComplete": complete])] + (setUp["sessionResumption"] == nil ? [] : [frame(nextHandle())])
    }
    guard case .open = phase, !pending.isEmpty else { return [] }
    return [frame(pending.removeFirst().frame)]
  }

  public mutating func receive(_ message: StandInMessage) -> [StandInFrame] {
    if case .closed = phase { return [] }
    guard case .text(let text) = message, let value = Self.parse(text) else {
      return close(1007, "Invalid JSON payload received.")
    }
    do throws(FieldFault) {
      return dispatch(try canonical(value))
    } catch {
      return close(1007, Self.wording(error))
    }
  }

  private static func parse(_ text: String) -> JSONValue? {
    try? JSONValue(parsing: text)
  }

  private func canonical(_ value: JSONValue) throws(FieldFault) -> JSONValue {
    var table = GeminiFields.client(version: version, platform: options.platform)
    if case .open = phase, !rules.takesContextUpdate {
      table = table.removing(["contextUpdate"], from: "ClientMessage")
    }
    return try table.canonical(value, as: "ClientMessage")
  }

  // MARK: Messages

  private mutating func dispatch(_ message: JSONValue) -> [StandInFrame] {
    let keys = message.object?.keys ?? []
    if keys.count > 1 {
      return close(
        1007,
        "Invalid value (oneof), oneof field 'message_type' is already set. Cannot set '\(keys[1])'")
    }
    switch (phase, keys.first) {
    case (.awaitingSetUp, "setup"?):
      return begin(message["setup"] ?? .null)
    case (.open, "clientContent"?):
      return clientContent(message["clientContent"] ?? .null)
    case (.open, "realtimeInput"?):
      return realtimeInput(message["realtimeInput"] ?? .null)
    case (.open, "toolResponse"?):
      return toolResponse(message["toolResponse"] ?? .null)
    case (.open, "contextUpdate"?):
      let tools = message["contextUpdate"]?["tools"]?["tools"]
      return rules.acceptsTools(tools) ? [] : refuse()
    default:
      // No set-up first, a second set-up, content before setupComplete, or nothing at all.
      return refuse()
    }
  }

  private mutating func begin(_ setUp: JSONValue) -> [StandInFrame] {
    guard let model = setUp["model"]?.string,
      GeminiModelRules.isModelName(model, platform: options.platform)
    else { return refuse() }
    if let models = options.models, !models.contains(where: { model.hasSuffix("/" + $0) }) {
      return close(
        1008, "\(model) is not found for API version \(version), or is not supported for bidiGenerateContent.")
    }
    rules = GeminiModelRules(model: model)
    if let reason = rules.refusal(of: setUp, platform: options.platform, speaksText: options.speaksText) {
      return close(1007, reason)
    }
    if options.refusesHandles, setUp["sessionResumption"]?["handle"] != nil {
      return close(1008, "Requested entity was not found.")
    }
    self.setUp = setUp
    isSeeding = setUp["historyConfig"]?["initialHistoryInClientContent"]?.bool == true
    let silence = setUp["realtimeInputConfig"]?["automaticActivityDetection"]?["silenceDurationMs"]?.int
    detector.silenceMilliseconds = silence ?? options.silenceMilliseconds
    promptTokens = Self.tokens(in: Self.text(of: setUp["systemInstruction"]))
    phase = .settingUp
    return []
  }

  /// The results of calls. This service makes none, and ignores results for calls it did not make, as the real one does.
  private mutating func toolResponse(_ response: JSONValue) -> [StandInFrame] {
    let responses = response["functionResponses"]?.array ?? []
    let areNamed = responses.allSatisfy { $0["name"]?.string?.isEmpty == false && $0["response"]?.object != nil }
    return responses.isEmpty || !areNamed ? refuse() : []
  }

  // MARK: Closing

  mutating func refuse() -> [StandInFrame] {
    close(1007, GeminiModelRules.invalidArgument)
  }

  mutating func close(_ code: UInt16, _ reason: String) -> [StandInFrame] {
    phase = .closed
    pending = []
    return [.close(code: code, reason: reason)]
  }

  func frame(_ value: JSONValue) -> StandInFrame {
    .binary(PrettyJSON.text(value))
  }

  /// The service's words for a message that its fields do not allow. Paths are in the original snake_case.
  static func wording(_ fault: FieldFault) -> String {
    let path = FieldTable.snakeCase(fault.dottedPath)
    switch fault.kind {
    case .unknown(let name):
      let place = path.isEmpty ? "" : " at '\(path)'"
      return "Invalid JSON payload received. Unknown name \"\(name)\"\(place): Cannot find field."
    case .notBase64:
      return "Invalid value at '\(path)' (TYPE_BYTES), Base64 decoding failed."
    case .notInEnumeration(let value, _):
      return "Invalid value at '\(path)', \"\(value)\""
    case .repeated(let name):
      return "Invalid JSON payload received. Repeated name \"\(name)\" at '\(path)'."
    default:
      return "Invalid value at '\(path)'"
    }
  }
}
