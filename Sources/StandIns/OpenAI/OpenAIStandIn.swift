import Envelope

/// A strict OpenAI Realtime service, GA shape: one value per connection.
///
/// Every frame that the service is known to refuse is answered by its one `error` event, and nothing of it is applied.
/// Every turn is answered by a tone and the words "You said: …".
public struct OpenAIStandIn: StandInScript {
  public struct Options: Sendable {
    /// The key to ask for; nil accepts any client, also one without a credential.
    public var key: String?
    /// The models that exist; nil for any.
    public var models: [String]?
    /// The time between two events of an answer; zero sends an answer in one go.
    public var answerInterval = Duration.zero
    /// `silence_duration_ms` of a new session.
    public var silenceMilliseconds = 200
    /// What every spoken turn is heard as.
    public var transcription = "what time is it"
    /// The end of the session, in seconds since 1970; `StandInService` sets it to an hour from the connection.
    public var expiresAt = 4_102_444_800
    /// The seed of all ids; nil for a different one in each session.
    public var seed: UInt64?

    public init() {}
  }

  let options: Options
  var ids: StandInIDs
  var session: JSONValue = .null
  /// Sent instead of `session.created`, with the close that follows it.
  private var fatal: (fault: OpenAIFault, code: UInt16, reason: String)?
  private var isClosed = false

  var conversationID = ""
  var items: [JSONObject] = []
  /// PCM of the items that have sound, by id, in the format of their time.
  var sounds: [String: Sound] = [:]
  var buffer = Sound()
  var detector: SpeechDetector
  /// The id of the item that the speech in progress will become.
  var speechItemID: String?
  var responses: [RunningResponse] = []
  var hasSpoken = false

  public init(options: Options = Options()) {
    self.options = options
    ids = StandInIDs(seed: options.seed)
    detector = SpeechDetector(silenceMilliseconds: options.silenceMilliseconds)
  }

  // MARK: Connection

  public mutating func judge(_ request: StandInRequest) -> StandInVerdict {
    guard request.path == "/v1/realtime" else { return .refuse(status: 404, reason: "Not Found") }
    let offered = (request.header("sec-websocket-protocol") ?? "").split(separator: ",").map {
      String($0).trimmingWhitespace
    }
    fatal = refusal(of: request, offered: offered)
    session = Self.newSession(
      id: ids.next("sess"), model: request.query("model") ?? "", options: options)
    conversationID = ids.next("conv")
    let harmless = offered.first { !$0.hasPrefix("openai-insecure-api-key.") }
    return .upgrade(subprotocol: offered.contains("realtime") ? "realtime" : harmless ?? offered.first)
  }

  /// The service upgrades even those whom it refuses; the error and the close follow.
  private func refusal(
    of request: StandInRequest, offered: [String]
  ) -> (fault: OpenAIFault, code: UInt16, reason: String)? {
    let prefix = "openai-insecure-api-key."
    let inProtocol = offered.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    let header = request.header("authorization")
    let bearer = header.flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
    let name = "invalid_request_error"
    if let key = options.key {
      guard let given = bearer ?? inProtocol else {
        return (OpenAIFault(code: nil, "Missing bearer or basic authentication in header"), 3_000, name)
      }
      guard given == key else {
        return (OpenAIFault(code: "invalid_api_key", "Incorrect API key provided."), 3_000, name + ".invalid_api_key")
      }
    }
    let isBeta =
      request.header("openai-beta")?.contains("realtime=v1") == true || offered.contains("openai-beta.realtime-v1")
    if isBeta {
      let fault = OpenAIFault(
        code: "beta_api_shape_disabled",
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.")
      return (fault, 4_000, name + ".beta_api_shape_disabled")
    }
    guard let model = request.query("model"), !model.isEmpty else {
      return (OpenAIFault(code: "missing_model", "You must provide a model."), 4_000, name + ".missing_model")
    }
    if let models = options.models, !models.contains(model) {
      let fault = OpenAIFault(code: "invalid_model", "Model \"\(model)\" is not supported in realtime mode.")
      return (fault, 4_000, name + ".invalid_model")
    }
    return nil
  }

  public mutating func begin() -> [StandInFrame] {
    guard let fatal else { return [event("session.created", ["session": session])] }
    isClosed = true
    return [error(fatal.fault, eventID: nil), .close(code: fatal.code, reason: fatal.reason)]
  }

  public var pause: Duration? {
    isClosed || responses.isEmpty ? nil : options.answerInterval
  }

  public mutating func advance() -> [StandInFrame] {
    advanceResponses()
  }

  public mutating func receive(_ message: StandInMessage) -> [StandInFrame] {
    guard !isClosed else { return [] }
    guard case .text(let text) = message else {
      return [error(OpenAIFault(code: "invalid_event", "Binary messages are not supported."), eventID: nil)]
    }
    guard let value = try? JSONValue(parsing: text), value.object != nil else {
      return [error(OpenAIFault(code: "invalid_json", "The message is not valid JSON."), eventID: nil)]
    }
    do throws(OpenAIFault) {
      return try dispatch(value)
    } catch {
      return [self.error(error, eventID: value["event_id"]?.string)]
    }
  }

  private mutating func dispatch(_ value: JSONValue) throws(OpenAIFault) -> [StandInFrame] {
    guard let type = value["type"]?.string else {
      throw OpenAIFault(code: "invalid_event", "The 'type' field is missing.", param: "type")
    }
    guard OpenAIFields.eventTypes.contains(type) else {
      throw OpenAIFault(
        FieldFault(kind: .notInEnumeration(value: type, allowed: OpenAIFields.eventTypes), path: [.key("type")]))
    }
    try check(value, type)
    switch type {
    case "session.update": return try updateSession(value["session"] ?? .null)
    case "input_audio_buffer.append": return try append(value["audio"]?.string ?? "")
    case "input_audio_buffer.commit": return try commit()
    case "input_audio_buffer.clear": return clearBuffer()
    case "conversation.item.create": return try createItem(value)
    case "conversation.item.truncate": return try truncateItem(value)
    case "conversation.item.delete": return try deleteItem(value["item_id"]?.string ?? "")
    case "conversation.item.retrieve": return try retrieveItem(value["item_id"]?.string ?? "")
    case "response.create": return try createResponse(value["response"] ?? .null)
    default: return try cancelResponse(value["response_id"]?.string)
    }
  }

  private func check(_ value: JSONValue, _ type: String) throws(OpenAIFault) {
    do throws(FieldFault) {
      _ = try OpenAIFields.client.canonical(value, as: type)
    } catch {
      throw OpenAIFault(error)
    }
  }

  // MARK: Events

  mutating func event(_ type: String, _ fields: JSONObject) -> StandInFrame {
    var event: JSONObject = ["type": .string(type), "event_id": .string(ids.next("event"))]
    for (key, value) in fields { event[key] = value }
    return .text(JSONValue.object(event).text)
  }

  mutating func error(_ fault: OpenAIFault, eventID: String?) -> StandInFrame {
    event("error", ["error": fault.object(eventID: eventID)])
  }
}

/// A refusal of the service: what goes into its `error` event.
struct OpenAIFault: Error, Sendable, Hashable {
  var code: String?
  var message: String
  var param: String?

  init(code: String?, _ message: String, param: String? = nil) {
    self.code = code
    self.message = message
    self.param = param
  }

  /// The service's code and words for a message that its fields do not allow.
  init(_ fault: FieldFault) {
    let path = fault.dottedPath
    switch fault.kind {
    case .unknown(let name), .repeated(let name):
      let param = FieldFault.dotted(fault.path + [.key(name)])
      self.init(code: "unknown_parameter", "Unknown parameter: '\(param)'.", param: param)
    case .missing(let name):
      let param = FieldFault.dotted(fault.path + [.key(name)])
      self.init(code: "missing_required_parameter", "Missing required parameter: '\(param)'.", param: param)
    case .wrongType(let expected, let found):
      self.init(
        code: "invalid_type", "Invalid type for '\(path)': expected \(expected), but got \(found) instead.",
        param: path)
    case .notInEnumeration(let value, let allowed):
      let names = allowed.map { "'\($0)'" }.joined(separator: ", ")
      self.init(code: "invalid_value", "Invalid value: '\(value)'. Supported values are: \(names).", param: path)
    case .belowMinimum(let value, let minimum, let isInteger):
      let kind = isInteger ? "integer" : "decimal"
      self.init(
        code: "\(kind)_below_min_value",
        "Invalid '\(path)': \(kind) below minimum value. Expected a value >= \(minimum), but got \(value) instead.",
        param: path)
    case .aboveMaximum(let value, let maximum, let isInteger):
      let kind = isInteger ? "integer" : "decimal"
      self.init(
        code: "\(kind)_above_max_value",
        "Invalid '\(path)': \(kind) above maximum value. Expected a value <= \(maximum), but got \(value) instead.",
        param: path)
    case .tooLong(let maximum):
      self.init(
        code: "string_above_max_length",
        "Invalid '\(path)': string too long. Expected a string with maximum length \(maximum).", param: path)
    case .notBase64:
      self.init(code: "invalid_value", "Invalid '\(path)'. Expected base64-encoded audio bytes.", param: path)
    }
  }

  func object(eventID: String?) -> JSONValue {
    let nullable = { (text: String?) -> JSONValue in text.map { .string($0) } ?? .null }
    return [
      "type": "invalid_request_error", "code": nullable(code), "message": .string(message),
      "param": nullable(param), "event_id": nullable(eventID),
    ]
  }
}
