import Envelope
import Translation

// What the client asks the model for.

extension GeminiLiveTranslator {
  mutating func createResponse(
    _ options: ResponseOptions?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    try check(options)
    endConfiguration(at: now, port: &port)
    if options?.isOutOfBand == true { return try openSide(options, at: now, port: &port) }
    releaseAnswer(at: now, port: &port)
    if timeline.isLive || request != nil {
      tools.answeredRequests = max(0, tools.answeredRequests - 1)
      throw .activeResponse(timeline.live?.id ?? "(about to begin)")
    }
    let options = effective(options, port: &port)
    if isManual, bufferedMs >= Limits.shortestCommitMilliseconds { try commit(at: now, port: &port) }
    idleAt = nil
    let isAnswered = tools.answeredRequests > 0 && tools.answeredUntil.map { now <= $0 } ?? true
    if isAnswered, pending.isEmpty, !tools.isOpen, !hearsByItself, options?.instructions == nil {
      // Its results were part of the answer that the client has had: there is nothing more to say.
      tools.answeredRequests -= 1
      request = Request(options: options)
      beginAnswer(port: &port)
      return finishAnswer(.completed, at: now, port: &port)
    }
    tools.answeredRequests = 0
    tools.answeredUntil = nil
    tools.resultsSinceRequest = 0
    // Nothing was said of what is discarded: what comes now answers this, but for what is on its way already.
    if turn.discardsUnbegun, !turn.answersResults { turn.discardUntil = now + Limits.flightTime }
    if turn.answersResults { turn.discardUntil = nil }
    turn.discardsUnbegun = false
    request = Request(options: options)
    if turn.answersResults, pending.isEmpty {
      // The service answers the results already; this is who asked.
      turn.answersResults = false
      turn.answersText = true
      request?.deadline = now + Limits.answerTimeout
      return
    }
    turn.answersResults = false
    tools.refusals = 0
    turn.refusesCalls = options?.toolChoice == ToolChoice.none
    if tools.isOpen || tools.isOwed {
      // An answer before the last result would be one without it, and a part of the results draws none.
      request?.awaitsResults = true
      let deadline = now + resultsTimeout
      request?.deadline = deadline
      return resultsMayBeComplete(at: now, port: &port)
    }
    ask(at: now, port: &port)
  }

  /// How long the results of calls are waited for. A client that goes on with something else leaves its calls unanswered,
  /// and so may one whose calls the user spoke into.
  private var resultsTimeout: Duration {
    if tools.hasNoResult, pending.entries.contains(where: { $0.item.role == .user }) {
      return Limits.abandonedResultsTimeout
    }
    return tools.isOpen ? Limits.missingResultsTimeout : Limits.answerTimeout
  }

  /// Sends what the request is about, and what makes the model answer it.
  mutating func ask(at now: Instant, port: inout Port) {
    request?.deadline = now + Limits.answerTimeout
    renewBeforeAnswer(at: now, port: &port)
    // While a connection is made, what was to be sent waits for what that one is told.
    guard connection == .ready else { return }
    port.marks.add(.handedOver)
    let options = request?.options
    if pending.hasAudio {
      askAloud(instructions: instructions(of: options), at: now, port: &port)
    } else if hearsByItself, pending.isEmpty, !turn.hasOpenContext, instructions(of: options) == nil {
      // The service answers the audio by itself, if there is speech in it.
      // Speech that goes on is not cut in two.
      if !turn.isCommitted, !isUserSpeaking { send(Uplink.audioStreamEnd, port: &port) }
      request?.dependsOnAudio = true
      if connection == .ready, !isUserSpeaking { request?.cueAt = now + Limits.answerToAudioTimeout }
    } else {
      askInWriting(instructions: instructions(of: options), at: now, port: &port)
    }
  }

  /// Whether the service has audio of the user that it has not answered.
  private var hearsByItself: Bool {
    !ownsTurns && (turn.isCommitted || heardMs - heardFromMs >= Limits.shortestCommitMilliseconds)
  }

  /// Whether the service is hearing the client at this time.
  private func hearsNow(at now: Instant) -> Bool {
    !ownsTurns && (isUserSpeaking || lastAudioAt.map { now < $0 + Limits.audioTimeout } ?? false)
  }

  /// What can be asked for one reply only in the words of the prompt.
  private func instructions(of options: ResponseOptions?) -> String? {
    var sentences: [String] = []
    if let instructions = options?.instructions, !instructions.isEmpty { sentences.append(instructions) }
    switch options?.toolChoice {
    case .required?: sentences.append("You must call one of your functions.")
    case .function(let name, _)?: sentences.append("You must call the function \(name).")
    case .auto?, .some(.none), .mcp?, nil: break
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: " ")
  }

  private mutating func askInWriting(instructions: String?, at now: Instant, port: inout Port) {
    if traits.textInput == .realtimeText, hasForeignHistory {
      // This family takes the user's words only: the rest is history, for a fresh session.
      let words = pending.entries.reversed().prefix { $0.item.role == .user }.count
      pending.keep(last: words)
      contextIsStale()
      renewBeforeAnswer(at: now, port: &port)
      if renewal.isUnderWay { return }
    }
    let entries = pending.take()
    let messages = Uplink.turn(
      entries.map(\.item), instructions: instructions, isBesideAudio: hearsNow(at: now), traits: traits)
    for message in messages { send(message, port: &port) }
    request?.entries = entries
    turn.answersText = true
    turn.hasOpenContext = false
  }

  private var hasForeignHistory: Bool {
    pending.entries.contains { $0.item.role == .assistant || $0.item.type == .functionCall }
  }

  /// A turn to be heard: what was written beside it is its context.
  private mutating func askAloud(instructions: String?, at now: Instant, port: inout Port) {
    let written = pending.entries.filter { $0.audio == nil }.map(\.item)
    if !written.isEmpty || instructions != nil, !traits.takesContextAnytime {
      if !written.isEmpty {
        // A fresh session is told; it hears the rest.
        let heard = pending.take().filter { $0.audio != nil }
        pending.putBack(heard)
        contextIsStale()
        renewBeforeAnswer(at: now, port: &port)
        if renewal.isUnderWay { return }
      }
      if instructions != nil { port.note(ignored: ["response.instructions"]) }
    }
    let entries = pending.take()
    for image in traits.takesImagesInTurns ? [] : Uplink.images(of: entries.map(\.item)) { send(image, port: &port) }
    if traits.takesContextAnytime,
      let context = Uplink.context(
        entries.filter { $0.audio == nil || $0.item.hasText || $0.item.hasImage }.map(\.item.withoutAudio),
        instructions: instructions, traits: traits)
    {
      send(context, port: &port)
    }
    if ownsTurns { send(Uplink.activityStart, port: &port) }
    for entry in entries {
      guard var audio = entry.audio else { continue }
      let rate = audio.rate
      audio.drain { piece in port.send(.audio) { Uplink.writeAudio(piece, rate: rate, into: &$0) } }
    }
    send(ownsTurns ? Uplink.activityEnd : Uplink.audioStreamEnd, port: &port)
    request?.entries = entries
    turn.isCommitted = true
    turn.hasOpenContext = false
  }

  /// Gives what waits as context of a spoken turn that the service will end by itself.
  ///
  /// - Parameter isAhead: before what is held, because the turn is part of that.
  mutating func sendContextIfPossible(aheadOfHeld isAhead: Bool, port: inout Port) {
    guard !pending.isEmpty, traits.takesContextAnytime, !ownsTurns, !timeline.isLive, request == nil,
      !pending.hasAudio, let context = Uplink.context(pending.entries.map(\.item), instructions: nil, traits: traits)
    else { return }
    if isAhead {
      port.sendSetUp { context.write(into: &$0) }
    } else {
      send(context, port: &port)
    }
    renewal.conversationMovedOn()
    turn.hasOpenContext = true
    _ = pending.take()
  }

  mutating func cancelResponse(
    _ responseID: String?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    if let responseID, let side = sides.first(where: { $0.timeline.live?.id == responseID }) {
      return endSide(side.line, .cancelledByClient, port: &port)
    }
    if let responseID, responseID != timeline.live?.id { throw .noActiveResponse() }
    guard timeline.isLive || request != nil else { throw .noActiveResponse() }
    guard turn.releaseAt == nil else { return releaseAnswer(at: now, port: &port) }  // All of it was said.
    let neverAsked = request?.awaitsResults == true || connection != .ready
    turn.discardsUnbegun = !timeline.isLive
    if request != nil { beginAnswer(port: &port) }
    finishAnswer(.cancelledByClient, at: now, port: &port)
    // The results of a call wait for the next request.
    guard !neverAsked else {
      turn.discardsUnbegun = false
      if tools.isOpen, tools.isAnswered { tools.deliverAt = now + Limits.resultsTimeout }
      return
    }
    turn.discardUntil = now + Limits.discardTimeout
    if traits.contentStopsGeneration { send(Uplink.stopGenerating, port: &port) }
  }
}

extension Item {
  /// The item without the parts that are heard.
  var withoutAudio: Item {
    var item = self
    item.content?.removeAll { if case .inputAudio = $0 { true } else { false } }
    return item
  }
}
