public import Envelope

/// A strict Gemini Live service (BidiGenerateContent): one value per connection.
///
/// It refuses whatever the service is known to refuse, with the service's close codes and wording, and answers every
/// user turn with a tone and with the words "You said: …". Some texts make it do something else; see `StandInTrigger`.
/// Its frames are binary and pretty-printed as the service's.
public struct GeminiLiveStandIn: StandInScript {
  enum Phase: Sendable {
    case awaitingSetUp
    case settingUp
    case open
    case closed
  }

  /// Something that waits for its time.
  struct Step: Sendable {
    enum Content: Sendable {
      case frame(JSONValue)
      /// The handle of the moment.
      case handle
      case call([StandInTrigger.Call])
      case close(UInt16, String)
      case goAway
      case abort
    }

    var content: Content
    /// After the step before; nil for the interval of answers.
    var pause: Duration?
    /// Whether client activity throws it away.
    var isInterruptible = true
    /// What the model has said with this step.
    var words = ""

    init(_ content: Content, pause: Duration? = nil, isInterruptible: Bool = true, words: String = "") {
      self.content = content
      self.pause = pause
      self.isInterruptible = isInterruptible
      self.words = words
    }

    init(_ frame: JSONValue, pause: Duration? = nil, isInterruptible: Bool = true, words: String = "") {
      self.init(.frame(frame), pause: pause, isInterruptible: isInterruptible, words: words)
    }
  }

  let options: Options
  let memory: GeminiMemory
  var phase = Phase.awaitingSetUp
  var version = "v1beta"
  var setUp: JSONValue = .null
  var rules = GeminiModelRules(model: "")
  var instruction = ""
  var tools: JSONValue?
  var conversation = GeminiConversation()
  var detector: SpeechDetector
  var pending: [Step] = []
  /// What the model has said since its turn began.
  var spoken = ""
  /// Turns of `clientContent` that wait for its `turnComplete`.
  var accumulated: [GeminiConversation.Turn] = []
  var isTurnOpen = false
  /// Whether `clientContent` is still the announced history.
  var isSeeding = false
  /// Whether a manual activity window is open, and the bytes it has had.
  var windowBytes: Int?
  var windows = 0
  /// The calls that wait for their results.
  var calls: [GeminiToolCall] = []
  var finishedCalls: Set<String> = []
  /// Calls that were interrupted and will be made again.
  var repeated: [StandInTrigger.Call] = []
  /// User turns that wait for the end of a call or of a window.
  var waiting: [UserTurn] = []
  var alarms: [StandInAlarm] = []
  var isSilent = false
  var credentials = Credentials()
  var tally = Tally()

  /// - Parameter memory: shared by the scripts of one server; a script without one cannot be resumed by another.
  public init(options: Options = Options(), memory: GeminiMemory = GeminiMemory()) {
    self.options = options
    self.memory = memory
    detector = SpeechDetector(silenceMilliseconds: options.silenceMilliseconds)
  }

  // MARK: Connection

  public mutating func judge(_ request: StandInRequest) -> StandInVerdict {
    guard let (version, isConstrained) = Self.version(of: request.path, platform: options.platform) else {
      return .refuse(status: 404, reason: "Not Found")
    }
    self.version = version
    return judgeCredentials(of: request, isConstrained: isConstrained)
  }

  public mutating func begin() -> [StandInFrame] {
    credentials.isWrongKey ? close(1007, "API key not valid. Please pass a valid API key.") : []
  }

  public var pause: Duration? {
    switch phase {
    case .settingUp: options.setUpDelay
    case .open where !isSilent: pending.first.map { $0.pause ?? options.answerInterval }
    case .open, .awaitingSetUp, .closed: nil
    }
  }

  public mutating func advance() -> [StandInFrame] {
    if case .settingUp = phase { return open() }
    guard case .open = phase, !isSilent, !pending.isEmpty else { return [] }
    let step = pending.removeFirst()
    spoken += step.words
    return perform(step.content)
  }

  private mutating func perform(_ content: Step.Content) -> [StandInFrame] {
    switch content {
    case .frame(let value):
      if value["serverContent"]?["turnComplete"]?.bool == true { endModelTurn() }
      return [frame(value)]
    case .handle:
      // A session cannot be resumed in the middle of a call.
      return [frame(calls.isEmpty ? nextHandle() : Self.notResumable)]
    case .call(let functions):
      return make(functions)
    case .close(let code, let reason):
      return close(code, reason)
    case .goAway:
      return goAway()
    case .abort:
      return abort()
    }
  }

  public mutating func receive(_ message: StandInMessage) -> [StandInFrame] {
    guard phaseTakesMessages else { return [] }
    guard case .text(let text) = message, let value = try? JSONValue(parsing: text) else {
      return close(1007, "Invalid JSON payload received.")
    }
    tally.messages += 1
    do throws(FieldFault) {
      return dispatch(try canonical(value))
    } catch {
      return close(1007, Self.wording(error))
    }
  }

  private var phaseTakesMessages: Bool {
    if case .closed = phase { return false }
    return !isSilent
  }

  private func canonical(_ value: JSONValue) throws(FieldFault) -> JSONValue {
    var table = GeminiFields.client(version: version, platform: options.platform)
    if !options.takesContextUpdate || rules.family == .v25 || rules.family == .v31 {
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
      return contextUpdate(message["contextUpdate"] ?? .null)
    default:
      // No set-up first, a second set-up, content before setupComplete, or nothing at all.
      return refuse()
    }
  }

  private mutating func contextUpdate(_ update: JSONValue) -> [StandInFrame] {
    if let list = update["tools"] {
      let tools: JSONValue = list["tools"] ?? []
      guard rules.acceptsTools(tools) else { return refuse() }
      self.tools = tools
    }
    if let instruction = update["systemInstruction"] { self.instruction = Self.text(of: instruction) }
    return []
  }

  // MARK: Closing

  mutating func refuse() -> [StandInFrame] {
    close(1007, GeminiModelRules.invalidArgument)
  }

  mutating func close(_ code: UInt16, _ reason: String) -> [StandInFrame] {
    end()
    return [.close(code: code, reason: reason)]
  }

  /// The end of the connection without a close frame.
  mutating func abort() -> [StandInFrame] {
    end()
    return [.abort]
  }

  private mutating func end() {
    phase = .closed
    pending = []
    waiting = []
    memory.disconnect(conversation)
  }

  public mutating func connectionEnded() {
    end()
  }

  func frame(_ value: JSONValue) -> StandInFrame {
    .binary(PrettyJSON.text(value))
  }

  /// The service's words for a message that its fields do not allow. Paths are in the original snake_case.
  static func wording(_ fault: FieldFault) -> String {
    let path = FieldTable.snakeCase(fault.dottedPath)
    switch fault.kind {
    case .unknown(let name):
      return GeminiModelRules.unknown(name, at: path)
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

/// What a connection heard and did, for the record.
struct Tally: Sendable {
  var messages = 0
  var audioBytes = 0
  var audioMilliseconds = 0.0
  /// Of `audioBytes`, what came outside of a manual window.
  var discardedAudioBytes = 0
  var turns = 0
}

extension GeminiLiveStandIn {
  public var summary: JSONValue? {
    [
      "session": .number(JSONNumber(conversation.session)),
      "messages": .number(JSONNumber(tally.messages)),
      "audioBytes": .number(JSONNumber(tally.audioBytes)),
      "audioMilliseconds": .number(JSONNumber(Int(tally.audioMilliseconds))),
      "discardedAudioBytes": .number(JSONNumber(tally.discardedAudioBytes)),
      "audioBytesOfAll": .number(JSONNumber(memory.audioBytes)),
      "turns": .number(JSONNumber(tally.turns)),
    ]
  }
}
