import Envelope
import Translation

// Calls of the client's functions, and what becomes of their results.

extension GeminiLiveTranslator {
  /// The tools as the service declares them; none where the client wants none called.
  static func tools(of session: RealtimeSession, _ traits: ModelTraits) throws(EventFault) -> [JSONValue] {
    guard session.toolChoice != ToolChoice.none else { return [] }
    return try tools(session.tools, traits, path: "session.tools")
  }

  static func tools(_ tools: [Tool], _ traits: ModelTraits, path: String) throws(EventFault) -> [JSONValue] {
    let declarations = try Schema.declarations(tools, traits: traits, path: path)
    var result: [JSONValue] = declarations.isEmpty ? [] : [["functionDeclarations": .array(declarations)]]
    if tools.contains(where: \.isSearch) {
      guard declarations.isEmpty || traits.combinesSearchWithFunctions else {
        throw .unsupported("This model cannot search and call functions in one session.", param: path)
      }
      result.append(["googleSearch": [:]])
    }
    return result
  }

  // MARK: The service calls

  /// - Returns: whether the client was told of a call.
  mutating func called(_ calls: [ToolCall.FunctionCall], at now: Instant, port: inout Port) -> Bool {
    let calls = calls.filter { !($0.name ?? "").isEmpty && !tools.hasMade($0.id) }
    guard !calls.isEmpty else { return false }
    guard turn.discardUntil == nil else {
      // Of an answer that the client does not want: the service must not wait for it.
      refuse(calls, because: "The answer was cancelled.", port: &port)
      return false
    }
    if turn.refusesCalls || request?.options?.toolChoice == ToolChoice.none, tools.refusals < Limits.callRefusals {
      tools.refusals += 1
      // The turn that called may end before the answer to the refusal.
      turn.hasCalled = true
      refuse(calls, because: "Tool calls are disabled for this turn, reply directly.", port: &port)
      return false
    }
    turn.endsIfSilentAt = nil
    releaseAnswer(at: now, port: &port)
    if !timeline.isLive {
      commitSpeech(port: &port)
      openAnswer(port: &port)
    }
    closeItem({ $0.timeline.closeItem(.completed, &$0.conversation, port: &$1) }, port: &port)
    for call in calls {
      let name = call.name ?? ""
      let wireID = (call.id ?? "").isEmpty ? nil : call.id
      let id = wireID ?? port.ids.next(.call)
      tools.add(ToolRound.Call(id: id, wireID: wireID, name: name))
      let arguments = (call.args ?? [:]).text
      timeline.call(id, name: name, arguments: arguments, &conversation, port: &port)
    }
    turn.thinksUntil = nil
    turn.hasCalled = true
    turn.refusesCalls = false
    return true
  }

  /// Nobody waits for the results of the open calls any more: what is there of them is told, and what comes.
  mutating func forgetCalls(at now: Instant, port: inout Port) {
    for call in tools.abandon() { tell(resultOf: call) }
    resultsMayBeComplete(at: now, port: &port)
  }

  private mutating func refuse(_ calls: [ToolCall.FunctionCall], because reason: String, port: inout Port) {
    for call in calls { tools.refused(call.id) }
    let responses = calls.map {
      FunctionResponse(id: $0.id, name: $0.name ?? "", response: ["error": .string(reason)])
    }
    send(ClientMessage(toolResponse: ToolResponse(functionResponses: responses)), port: &port)
  }

  mutating func callsCancelled(_ ids: [String], at now: Instant, port: inout Port) {
    tools.cancel(ids)
    port.note(.info, "the provider cancelled function calls", ["calls": "\(ids.count)"])
    // What waited for their results is asked without them.
    if !tools.isOpen, request?.awaitsResults == true {
      request?.awaitsResults = false
      port.marks.add(.askedInFull)
      ask(at: now, port: &port)
    } else {
      resultsMayBeComplete(at: now, port: &port)
    }
  }

  // MARK: The client answers

  /// One message with all results, when all are there and somebody wants the answer to them.
  mutating func resultsMayBeComplete(at now: Instant, port: inout Port) {
    if !tools.isOpen, request?.awaitsResults == true, !tools.isOwed, !renewal.isUnderWay {
      // They belonged to an earlier connection, and are told.
      request?.awaitsResults = false
      port.marks.add(.askedInFull)
      return ask(at: now, port: &port)
    }
    guard tools.isOpen, tools.isAnswered else { return }
    if request?.awaitsResults == true {
      sendResults(at: now, port: &port)
    } else if tools.deliverAt == nil {
      tools.deliverAt = now + Limits.resultsTimeout
    }
  }

  mutating func sendResults(at now: Instant, port: inout Port) {
    if request?.awaitsResults == true { port.marks.add(.askedInFull) }
    request?.awaitsResults = false
    request?.deadline = now + Limits.answerTimeout
    renewBeforeAnswer(at: now, port: &port)
    // The results of an earlier connection's calls are told to this one, or to the next.
    guard connection == .ready, tools.isOpen else { return ask(at: now, port: &port) }
    tools.answeredRequests = tools.resultsSinceRequest
    port.marks.add(.handedOver)
    deliver(port: &port)
    turn.answersText = true
  }

  /// The user goes on speaking, or the client never asks: the service is wedged until it has the results.
  mutating func deliver(silently isSilent: Bool = false, port: inout Port) {
    let told = toldResults
    request?.entries = told
    var responses = tools.take(otherwise: "The function returned nothing in time.")
    addNotes(to: &responses, port: &port)
    if isSilent {
      for index in responses.indices {
        responses[index].scheduling = "SILENT"
        if !configuration.platform.isVertex { responses[index].willContinue = false }
      }
    }
    renewal.conversationMovedOn()
    send(ClientMessage(toolResponse: ToolResponse(functionResponses: responses)), port: &port)
  }

  /// Text that the client created beside the results: a turn of its own would cancel the calls, so it goes with the last
  /// result.
  private mutating func addNotes(to responses: inout [FunctionResponse], port: inout Port) {
    guard request != nil, !pending.hasAudio, var object = responses.last?.response.object else { return }
    let turns = Uplink.contents(
      pending.entries.map(\.item), instructions: request?.options?.instructions, traits: traits)
    let text = turns.flatMap(\.parts).compactMap(\.text).joined(separator: "\n")
    guard !text.isEmpty, object["note"] == nil else { return }
    object["note"] = .string(text)
    responses[responses.count - 1].response = .object(object)
    let noted = pending.take()
    request?.entries += noted
  }

  /// The results of the batch as text, for a connection that has not made the calls.
  private var toldResults: [Pending.Entry] {
    tools.calls.compactMap { call in
      guard
        var item = conversation.items.last(where: { $0.type == .functionCallOutput && $0.callID == call.id })
      else { return nil }
      item.name = call.name
      return Pending.Entry(item: item)
    }
  }

  /// Nobody asked for an answer to the results: the service gets them, to keep in silence where it can, or else its answer
  /// is not heard.
  mutating func deliverUnasked(at now: Instant, port: inout Port) {
    tools.deliverAt = nil
    guard tools.isOpen, tools.isAnswered, connection == .ready else { return }
    // An answer that goes on takes the results in.
    guard !timeline.isLive else { return deliver(port: &port) }
    let isSilent = traits.toolBehavior == .nonBlocking && traits.schedulesToolResults
    deliver(silently: isSilent, port: &port)
    guard !isSilent else { return }
    turn.discardUntil = now + Limits.discardTimeout
    turn.discardsUnbegun = true
    turn.answersResults = true
  }

  /// Something of the user came while results are held back: the service needs them to answer it.
  mutating func deliverBeforeSpeech(port: inout Port) {
    guard tools.isOpen, tools.isAnswered, request == nil, connection == .ready else { return }
    deliver(port: &port)
  }

  /// The connection that made the call is gone.
  mutating func tell(resultOf call: ToolRound.Call) {
    guard var item = conversation.items.last(where: { $0.type == .functionCallOutput && $0.callID == call.id }) else {
      return
    }
    item.name = call.name
    pending.append(item)
  }
}

extension Tool {
  /// The service's search; also by the name that it has elsewhere.
  var isSearch: Bool {
    guard case .other(let fields) = self, let type = fields["type"]?.string else { return false }
    return ["google_search", "web_search", "web_search_preview"].contains(type)
  }
}
