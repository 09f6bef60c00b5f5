import Envelope

/// One call that waits for its result.
struct GeminiToolCall: Sendable {
  /// Nil where the platform gives none.
  var id: String?
  var function: StandInTrigger.Call
  var isBlocking: Bool
  /// The result, while the others of a blocking batch are waited for.
  var result: JSONValue?
}

/// Function calls and their results.
extension GeminiLiveStandIn {
  private var declarations: [JSONValue] {
    (tools?.array ?? []).flatMap { $0["functionDeclarations"]?.array ?? [] }
  }

  var declaredFunctions: Set<String> { Set(declarations.compactMap { $0["name"]?.string }) }

  private func isBlocking(_ name: String) -> Bool {
    let declaration = declarations.first { $0["name"]?.string == name }
    return rules.isBlocking(declaration?["behavior"]?.string)
  }

  /// Whether the model says nothing until it has the results of its calls, or is about to make such a call.
  var isBlocked: Bool {
    calls.contains(where: \.isBlocking)
      || pending.contains { step in
        guard case .call(let functions) = step.content else { return false }
        return functions.contains { isBlocking($0.name) }
      }
  }

  // MARK: Calls

  func callSteps(_ functions: [StandInTrigger.Call]) -> [Step] {
    var steps = opening
    if thinksAloud { steps.append(thought) }
    if rules.leadsIntoCalls { steps += contentSteps("One moment.", Array(StandInSound.parts.prefix(1))) }
    if rules.hasInteractionStatus { return steps + [Step(turnComplete(nil, isIdle: false)), Step(.call(functions))] }
    steps.append(Step(.call(functions)))
    let usage = TurnUsage(output: 5)
    guard functions.contains(where: { isBlocking($0.name) }) else { return steps + ending(usage) }
    if options.sendsBareEnds ?? (rules.family == .v31) {
      steps += [Step(Self.generationComplete), Step(turnComplete(options.usageTime == .none ? nil : usage))]
    } else if rules.family == .v38, options.platform == .aiStudio {
      steps.append(Step(Self.generationComplete))
    }
    return steps
  }

  /// Makes the calls of one batch.
  mutating func make(_ functions: [StandInTrigger.Call]) -> [StandInFrame] {
    let givesIDs = options.givesCallIDs ?? (options.platform == .aiStudio)
    var list: [JSONValue] = []
    for function in functions {
      let id = givesIDs ? callID() : nil
      if let id { memory.remember(call: id, of: conversation.session) }
      calls.append(GeminiToolCall(id: id, function: function, isBlocking: isBlocking(function.name)))
      var call = JSONObject()
      if let id { call["id"] = .string(id) }
      call["name"] = .string(function.name)
      // An empty object is a default, which the service leaves out.
      if function.arguments.object?.isEmpty == false { call["args"] = function.arguments }
      list.append(.object(call))
    }
    var message: JSONObject = ["toolCall": ["functionCalls": .array(list)]]
    if rules.family == .v38, options.usageTime == .withTurn {
      message["usageMetadata"] = usageMetadata(TurnUsage(output: 5))
    }
    return [frame(.object(message))]
  }

  /// The forms of ids differ.
  private func callID() -> String {
    let number = memory.nextCall()
    return switch (options.platform, rules.family) {
    case (.vertex, _): "4d456feb-1704-40b6-a692-\(5_130_000_000 + number)"
    case (.aiStudio, .v25): "function-call-\(3_225_422_447_732_000_000 + number)"
    case (.aiStudio, .v38ExtendedThinking): "call_\(number)"
    case (.aiStudio, .v31), (.aiStudio, .v38): "fc_\(1_000 + number)"
    }
  }

  /// Ends calls without their results; the frames that tell of it.
  mutating func cancel(_ cancelled: [GeminiToolCall]) -> [JSONValue] {
    guard !cancelled.isEmpty else { return [] }
    calls.removeAll(where: \.isBlocking)
    if options.repeatsInterruptedCalls {
      repeated = cancelled.map(\.function)
      alarms.append(StandInAlarm("repeat", after: .milliseconds(2_600)))
    }
    let ids = cancelled.compactMap(\.id)
    guard rules.announcesCancelledCalls, !ids.isEmpty else { return [] }
    return [["toolCallCancellation": ["ids": .array(ids.map { .string($0) })]]]
  }

  /// Makes interrupted calls again.
  mutating func repeatCalls() {
    guard !repeated.isEmpty else { return }
    pending.append(Step(.call(repeated)))
    repeated = []
  }

  // MARK: Results

  mutating func toolResponse(_ response: JSONValue) -> [StandInFrame] {
    let responses = response["functionResponses"]?.array ?? []
    let areNamed = responses.allSatisfy { $0["name"]?.string?.isEmpty == false && $0["response"]?.object != nil }
    guard !responses.isEmpty, areNamed else { return refuse() }
    var frames: [StandInFrame] = []
    for response in responses {
      if let reason = refusal(of: response) { return close(1007, reason) }
      switch match(response) {
      case .call(let index): frames += take(response, for: index)
      case .ignored: continue
      case .unknown: return close(1008, "Requested entity was not found.")
      case .invalid: return refuse()
      }
    }
    return frames + endBatch()
  }

  private func refusal(of response: JSONValue) -> String? {
    if options.platform == .vertex, response["willContinue"] != nil {
      return GeminiModelRules.unknown("willContinue", at: "tool_response.function_responses[0]")
    }
    return response["scheduling"] != nil && !rules.takesScheduling ? GeminiModelRules.invalidArgument : nil
  }

  private enum Match {
    case call(Int)
    /// A call that an interruption or a reconnect ended, and where results without ids are lost.
    case ignored
    case unknown
    case invalid
  }

  private func match(_ response: JSONValue) -> Match {
    let name = response["name"]?.string
    let isOpen = { (call: GeminiToolCall) in call.function.name == name && call.result == nil }
    guard let id = response["id"]?.string, !id.isEmpty else {
      guard options.platform == .vertex else { return .invalid }
      if let index = calls.firstIndex(where: { $0.id == nil && isOpen($0) }) { return .call(index) }
      // 2.5 goes by the name; later models lose a result that does not repeat the id.
      guard let index = calls.firstIndex(where: isOpen) else {
        return options.ignoresUnknownCalls ? .ignored : .unknown
      }
      return rules.family == .v25 ? .call(index) : .ignored
    }
    if let index = calls.firstIndex(where: { $0.id == id }) {
      return isOpen(calls[index]) ? .call(index) : .invalid
    }
    if finishedCalls.contains(id) { return .unknown }
    if memory.hasMade(call: id, in: conversation.session) || options.ignoresUnknownCalls { return .ignored }
    return options.platform == .vertex && calls.contains { $0.id == nil } ? .invalid : .unknown
  }

  private mutating func take(_ response: JSONValue, for index: Int) -> [StandInFrame] {
    guard !calls[index].isBlocking else {
      calls[index].result = response["response"]
      return []
    }
    let call = calls[index]
    if response["willContinue"]?.bool != true { finish(calls.remove(at: index)) }
    let words = Self.words(for: call, response["response"] ?? [:])
    let scheduling = response["scheduling"]?.string
    guard scheduling != "SILENT" else {
      conversation.textTokens += StandInWords.count(words)
      return []
    }
    let frames = scheduling == "INTERRUPT" ? interrupt() : []
    pending += reply(words, usage: TurnUsage(results: StandInWords.count(words)), isIdle: calls.isEmpty)
    return frames
  }

  private mutating func finish(_ call: GeminiToolCall) {
    if let id = call.id { finishedCalls.insert(id) }
  }

  /// Answers a blocking batch when it is whole.
  private mutating func endBatch() -> [StandInFrame] {
    let batch = calls.filter(\.isBlocking)
    guard !batch.isEmpty, batch.allSatisfy({ $0.result != nil }) else { return [] }
    calls.removeAll(where: \.isBlocking)
    for call in batch { finish(call) }
    let words = batch.map { Self.words(for: $0, $0.result ?? [:]) }.joined(separator: " ")
    let usage = TurnUsage(output: 10, results: StandInWords.count(words))
    if options.platform == .vertex { pending += bareTurn }
    pending += options.isSilentAfterResults ? opening + ending(usage, saysAnything: false) : reply(words, usage: usage)
    goOn()
    return []
  }

  /// Vertex ends the turn of the call when it has the result.
  private var bareTurn: [Step] {
    [
      Step(["serverContent": ["outputTranscription": ["finished": true]]]), Step(Self.generationComplete),
      Step(turnComplete(options.usageTime == .none ? nil : TurnUsage(output: 5))),
    ]
  }

  /// `The result of NAME is …`: the member `output` if there is one, the whole object otherwise.
  private static func words(for call: GeminiToolCall, _ result: JSONValue) -> String {
    let text = { (value: JSONValue) in value.string ?? value.text }
    if let error = result["error"] { return "\(call.function.name) failed: \(text(error))." }
    return "The result of \(call.function.name) is \(text(result["output"] ?? result))."
  }
}
