import Audio
import Envelope
import Metering
import NIOCore
public import Translation

// The connection: its set-up, and its replacement by another while the call goes on.

extension GeminiLiveTranslator {
  // MARK: Set-up

  public mutating func configurationSettled(at now: Instant, port: inout Port) {
    isSettled = true
    // What settled it may belong into the set-up, and is told next.
    settledAt = now
  }

  /// Nothing more belongs into the first set-up.
  mutating func endConfiguration(at now: Instant, port: inout Port) {
    guard settledAt != nil else { return }
    settledAt = nil
    sendSetUp(at: now, port: &port)
  }

  public mutating func upstreamOpened(at now: Instant, port: inout Port) {
    connection = .open
    sendSetUp(at: now, port: &port)
  }

  private mutating func sendSetUp(at now: Instant, port: inout Port) {
    guard isSettled, settledAt == nil, connection == .open else { return }
    connection = .settingUp
    setUpSession = session
    if port.heldByteCount > 0, let heldDetection { setUpSession.audio.input.turnDetection = heldDetection }
    let setUp = makeSetUp(setUpSession)
    self.setUp = setUp
    renewal.setUpBegan()
    let handle = renewal.isUnderWay && renewal.usesHandle ? renewal.handle : nil
    // What is deleted from here on is not in the handle's session either, so it makes this one stale.
    told = renewal.isUnderWay ? (handle == nil ? history : []) : earlierHistory()
    seed = traits.seeding == .instruction ? [] : Uplink.contents(told, instructions: nil, traits: traits)
    let message = setUp.message(
      handle: handle, history: traits.seeding == .instruction ? Uplink.story(told, traits: traits) : nil,
      announcesHistory: traits.seeding == .announcedHistory && !seed.isEmpty)
    port.sendSetUp { message.write(into: &$0) }
  }

  /// History that the client brings along before the first set-up, where it must be announced there: all but the user's last
  /// words, which are to be answered.
  private mutating func earlierHistory() -> [Item] {
    guard traits.seeding == .announcedHistory else { return [] }
    let words = pending.entries.reversed().prefix { $0.item.role == .user }.count
    guard !pending.entries.dropLast(words).contains(where: { $0.audio != nil }) else { return [] }
    pending.keep(last: words)
    return history
  }

  /// What the service would be set up with. The tools were checked when they came.
  func makeSetUp(_ session: RealtimeSession) -> SetUp {
    SetUp(
      session, configuration, ownsTurns: session.ownsTurns,
      systemNotes: systemNotes.map(\.text),
      tools: (try? Self.tools(of: session, configuration.traits(of: session.model))) ?? [])
  }

  /// The first message of the service: content may go up from here on.
  mutating func setUpCompleted(at now: Instant, port: inout Port) throws(TranslationFault) {
    guard connection == .settingUp else { throw .unexpectedMessage("setupComplete") }
    connection = .ready
    hasBegun = true
    heldDetection = nil
    workingSession = setUpSession
    if renewal.isUnderWay {
      beTold(at: now, port: &port)
    } else {
      tellSeed(port: &port)
      renewal.connectionBegan(at: now)
      if makeSetUp(session) == setUp { renewal.updateEventID = nil }
    }
    // What changed between the set-up and its answer.
    if makeSetUp(session) != setUp { wantUpdate(eventID: nil, at: now) }
    if port.heldByteCount > 0 { sendContextIfPossible(aheadOfHeld: true, port: &port) }
    port.upstreamBecameReady()
    if request?.dependsOnAudio == true { request?.cueAt = now + Limits.answerToAudioTimeout }
    askAgain(at: now, port: &port)
  }

  // MARK: Wishes

  /// The session is to be another than the connection was set up for.
  mutating func wantUpdate(eventID: String?, at now: Instant) {
    renewal.updateAt = now + Limits.updateGathering
    if let eventID { renewal.updateEventID = eventID }
  }

  /// The service remembers what it must not: it is told the conversation anew, unless it has been told nothing yet.
  mutating func contextIsStale() {
    guard isSettled else { return }
    renewal.isStale = true
    renewal.forgetHandle()
  }

  /// The next time at which the connection asks for something.
  var renewalDeadline: Instant? {
    guard let now = lastNow else { return nil }
    var earliest = renewal.deadline(after: now)
    if let at = handleBy, connection == .ready, !renewal.isHandleCurrent, renewal.isWanted(at: now), isIdle {
      if at > now { earliest = earliest.map { min($0, at) } ?? at }
    }
    return earliest
  }

  /// Until when a handle is awaited that knows of the last turn: it comes after the service's own end of that turn, and
  /// that when playback would have ended.
  private var handleBy: Instant? {
    quietSince.map { quiet in
      quiet + Limits.handleTimeout + (turn.owesEnd ? .milliseconds(spoken.unheardMs(at: quiet)) : .zero)
    }
  }

  /// Nothing is under way that another connection would cut.
  var isIdle: Bool {
    !timeline.isLive && request == nil && !tools.isOpen && !turn.isCommitted && turn.discardUntil == nil
      && !isUserSpeaking
  }

  var isUserSpeaking: Bool { speech.map { !$0.isCommitted } ?? false }

  /// How much of the client's audio another connection would have to hear again. Of a connection that was lost nobody
  /// knows what the service had, so all goes up that no answer has been given to.
  private func replayedMs(afterLoss: Bool) -> Int {
    guard !ownsTurns else { return 0 }  // What was not committed has not been sent.
    guard speech != nil, isUserSpeaking || turn.isCommitted else {
      guard !afterLoss else { return heardMs - heardFromMs + silenceBeforeMs }
      // What came faster than it was spoken is as fresh.
      return min(max(Limits.replayedMilliseconds, heardMs - freshFromMs), heardMs - heardFromMs)
    }
    let speechMs = heardMs - speechFromMs + (speechLagMs ?? Limits.replayedBeforeInterruptionMilliseconds)
    // Nothing of the turn before, which has been answered.
    return turn.isCommitted ? speechMs : min(speechMs, heardMs - heardFromMs)
  }

  /// Whether another connection would hear all of what the user says now, and nothing of it has been told yet: words that
  /// were told cannot be taken back. Otherwise the turn is answered first; the user's words go before everything else.
  private var canBeHeardAgain: Bool {
    guard let speech else { return false }
    return speechLagMs != nil && !speech.hasWords
      && recentAudio.milliseconds >= min(heardMs, replayedMs(afterLoss: false))
  }

  // MARK: Replacing

  /// Replaces the connection if something asks for it and nothing speaks against it.
  mutating func renewIfPossible(at now: Instant, port: inout Port) {
    lastNow = now
    guard connection == .ready, !renewal.isUnderWay, renewal.isWanted(at: now) else { return }
    if renewal.isForced(at: now) { return renew(at: now, port: &port) }
    if isIdle {
      let waitsForHandle =
        !renewal.isStale && !renewal.isHandleCurrent && handleBy.map { now < $0 } ?? false
      if !waitsForHandle { updateOrRenew(at: now, port: &port) }
    } else if renewal.isStale || waitsForDetection, isUserSpeaking || turn.isCommitted, !timeline.isLive,
      request == nil, !tools.isOpen, waitsForDetection || canBeHeardAgain
    {
      // The user speaks already, or has: the fresh session hears it from the beginning.
      renew(at: now, port: &port)
    }
  }

  /// Before a request: what was changed holds for its answer (R224).
  mutating func renewBeforeAnswer(at now: Instant, port: inout Port) {
    guard connection == .ready, !renewal.isUnderWay, renewal.isStale || renewal.updateAt != nil else { return }
    updateOrRenew(at: now, port: &port)
  }

  private mutating func updateOrRenew(at now: Instant, port: inout Port) {
    let wanted = makeSetUp(session)
    guard !renewal.isStale, !renewal.isRotationDue(at: now), renewal.updateAt != nil, let setUp else {
      return renew(at: now, port: &port)
    }
    if wanted == setUp {
      // It was changed and changed back.
      renewal.updateAt = nil
    } else if traits.takesContextUpdate, wanted.differsInContextOnly(from: setUp) {
      send(ClientMessage(contextUpdate: wanted.contextUpdate), port: &port)
      applied(wanted)
    } else if traits.takesSystemTurns, let turn = wanted.systemTurn(from: setUp) {
      send(ClientMessage(clientContent: ClientContent(turns: [turn], turnComplete: false)), port: &port)
      applied(wanted)
    } else {
      renew(at: now, port: &port)
    }
  }

  private mutating func applied(_ wanted: SetUp) {
    setUp = wanted
    setUpSession = session
    renewal.updateAt = nil
    renewal.updateEventID = nil
  }

  /// Closes the connection and asks for the next one.
  private mutating func renew(at now: Instant, port: inout Port) {
    beginRenewal(followsLoss: false, at: now, port: &port)
    port.note(.info, "the connection to the provider is replaced", ["resumes": "\(renewal.usesHandle)"])
    port.redial(upstream(), closing: true)
  }

  /// What the old connection was in the middle of is brought to an end, or kept to be asked again.
  mutating func beginRenewal(followsLoss: Bool, at now: Instant, port: inout Port) {
    connection = .closed
    port.upstreamIsAway()
    request?.cueAt = nil
    releaseAnswer(at: now, port: &port)
    if timeline.isLive {
      finishAnswer(
        .failed(code: "upstream_lost", message: "The connection to the provider was lost in this response."), at: now,
        port: &port)
    }
    for call in tools.abandon() {
      // The next connection has not made the call: its result can only be told.
      tell(resultOf: call)
    }
    if followsLoss, let asked = request, !asked.awaitsResults {
      request?.losses += 1
      if asked.losses >= Limits.requestLosses {
        failRequest(
          code: "upstream_lost", message: "The connection to the provider was lost over this response.", at: now,
          port: &port)
      }
    }
    if let asked = request, !asked.entries.isEmpty {
      pending.putBack(asked.entries)
      request?.entries = []
    }
    // Nothing more is said about a turn that was answered.
    if let speech, speech.isCommitted, !turn.isCommitted, !pending.contains(speech.itemID) { finishSpeech(port: &port) }
    let model = configuration.wireName(of: session.model)
    let canResume = !renewal.isStale && renewal.handle != nil && setUp?.model == model
    let isComplete = renewal.isHandleCurrent || !isMirrorComplete
    renewal.begin(withHandle: canResume && isComplete, followsLoss: followsLoss)
    let isCommitted = turn.isCommitted
    // What it cost until now is told in no response any more.
    for unshown in [turn.usageBeforeResults, turn.usage].compactMap(\.self) { port.meter.count(unshown) }
    turn = Turn()
    turn.isCommitted = isCommitted
    hearAgain(afterLoss: followsLoss, port: &port)
  }

  /// The next connection hears the end of what this one heard: ahead of all that comes from here on.
  private mutating func hearAgain(afterLoss: Bool, port: inout Port) {
    let replayMs = min(replayedMs(afterLoss: afterLoss), recentAudio.milliseconds)
    streamFromMs = heardMs - bufferedMs - replayMs
    guard replayMs > 0 else { return sendBuffered(port: &port) }
    let rate = uplinkAudio.rate
    recentAudio.replay(lastMs: replayMs) { piece in
      port.send(.audio) { Uplink.writeAudio(piece, rate: rate, into: &$0) }
    }
    if turn.isCommitted { send(Uplink.audioStreamEnd, port: &port) }
    sendBuffered(port: &port)
  }

  /// Whether the mirror has in words all that was said.
  private var isMirrorComplete: Bool {
    history.allSatisfy { item in
      item.content?.allSatisfy { if case .inputAudio(_, let words, _) = $0 { !(words ?? "").isEmpty } else { true } }
        ?? true
    }
  }

  /// What a fresh session is told: the conversation but for what is still to be sent.
  var history: [Item] {
    var names: [String: String] = [:]
    var items: [Item] = []
    for var item in conversation.items where !pending.contains(item.id) {
      if item.id != nil, item.id == speech?.itemID || systemNotes.contains(where: { $0.itemID == item.id }) { continue }
      if item.type == .functionCall, let id = item.callID { names[id] = item.name }
      if item.type == .functionCallOutput, let id = item.callID { item.name = names[id] }
      items.append(item)
    }
    var byteCount = items.reduce(0) { $0 + $1.encodedByteCount }
    while byteCount > Limits.seedBytes, items.count > 1 { byteCount -= items.removeFirst().encodedByteCount }
    return items
  }

  /// The new connection is set up: it is told what it has to know, ahead of what was held back.
  private mutating func beTold(at now: Instant, port: inout Port) {
    if !renewal.usesHandle, renewal.followsLoss, !isMirrorComplete {
      port.emit(
        EventFault(
          type: "server_error", code: "context_lost",
          message: "The connection to the provider was lost and begun anew; what was spoken without a transcript is "
            + "lost to the model."), eventID: nil)
    }
    tellSeed(port: &port)
    renewal.succeeded(at: now)
  }

  private mutating func tellSeed(port: inout Port) {
    tellAsItIsNow()
    if !seed.isEmpty {
      let isHistory = traits.seeding == .announcedHistory
      let message = ClientMessage(clientContent: ClientContent(turns: seed, turnComplete: isHistory))
      port.sendSetUp { message.write(into: &$0) }
    }
    if !told.isEmpty { renewal.conversationMovedOn() }
    told = []
    seed = []
  }

  /// What changed since the set-up: a family that is told in messages is told as the conversation is now.
  private mutating func tellAsItIsNow() {
    guard !renewal.usesHandle else { return }
    switch traits.seeding {
    case .context:
      guard renewal.isUnderWay else { return }
      told = history
      seed = Uplink.contents(told, instructions: nil, traits: traits)
      renewal.isStale = false
    case .announcedHistory:
      // Something must come, because it was announced.
      let kept = told.filter { item in item.id.flatMap { conversation.item($0) } != nil }
      let left = Uplink.contents(kept, instructions: nil, traits: traits)
      if !left.isEmpty { seed = left }
    case .instruction: break
    }
  }

  /// What was asked for while there was no connection, and what the last one did not answer.
  private mutating func askAgain(at now: Instant, port: inout Port) {
    guard let asked = request, !asked.dependsOnAudio, !asked.awaitsResults || !tools.isOwed else { return }
    request?.awaitsResults = false
    ask(at: now, port: &port)
  }
}
