import Audio
import Envelope
import NIOCore
public import Translation

// The life of a connection, and the call's beyond it.

extension WireTranslator {
  public mutating func configurationSettled(at now: Instant, port: inout Port) {
    hasDialled = true
  }

  public mutating func upstreamOpened(at now: Instant, port: inout Port) {
    hasDialled = true
    openedCount += 1
    connection = .settingUp
    isGreeted = false
    tellSession(port: &port)
    // What is taken up again is told before the session is confirmed, and is not to be mixed with what is new.
    if !traits.awaitsUpdated, !isResuming { becomeReady(at: now, port: &port) }
  }

  /// Tells a connection what the session is: what the service must be told in any case goes up with the client's first
  /// update, or by itself.
  mutating func tellSession(port: inout Port) {
    let own = SessionUpdates.Update(patch: nil, frameID: port.ids.next(.event), eventID: nil, isSetUp: true)
    var told = updates.confirmed
    for (index, update) in updates.takeForSetUp(orElse: own).enumerated() {
      if let patch = update.patch { told = applying(patch, to: told) ?? told }
      var paths = index == 0 ? updates.touched(with: update) : update.patch?.fields ?? JSONObject()
      if index == 0 { for path in traits.setUpFields.sorted() { paths = SessionFields.adding(path, to: paths) } }
      let event: JSONObject = [
        "type": "session.update", "event_id": .string(update.frameID),
        "session": .object(service.wireSession(SessionFields.of(told, at: paths), of: told)),
      ]
      port.sendSetUp { event.write(into: &$0) }
    }
  }

  /// The service takes content: a new connection is told the conversation, and then what was held.
  mutating func becomeReady(at now: Instant, port: inout Port) {
    guard connection == .settingUp else { return }
    if hasWorked { tellConversation(port: &port) }
    connection = .ready
    isResuming = false
    isStale = false
    for index in awaited.indices {
      awaited[index].isSent = true
      if awaited[index].since != nil { awaited[index].since = now }
    }
    updates.heldWasSent()
    schedule.connectionBegan(at: now)
    renewAt = traits.lifetime.map { now + $0 }
    port.upstreamBecameReady()
  }

  private mutating func tellConversation(port: inout Port) {
    var isComplete = !hearing.isTorn
    if !isResuming {
      itemIDs.removeAll { conversation.item($0) != nil }
      toldAgain = []
      tellOfDeletions(port: &port)
      let kept = waitingItemIDs.union(untakenTurns).union([hearing.heardAgainItemID].compactMap { $0 })
      let replay = Replay(conversation) { kept.contains($0) }
      // Each item of the user's would be answered.
      for item in traits.answersItems ? [replay.asOneMessage].compactMap({ $0 }) : replay.items {
        var item = item
        let id = item["id"]?.string ?? port.ids.next(.item)
        item["id"] = .string(id)
        hiddenItems.insert(id)
        if !traits.isNative { toldAgain.append(ToldAgain(id: id, .object(item))) }
        let event: JSONObject = [
          "type": "conversation.item.create", "event_id": .string(own(.replay, port: &port)), "item": .object(item),
        ]
        for told in (try? service.wireEvent(event, of: session)) ?? [event] { tellSetUp(told, port: &port) }
      }
      isComplete = isComplete && replay.isComplete
    }
    if !isComplete {
      port.emit(
        EventFault(
          type: "server_error", code: "context_lost",
          message: "The connection to the provider was replaced; what was said without a transcript is lost to the "
            + "model."), eventID: nil)
    }
    // Turns that the lost connection has not taken are told before their commits.
    if !awaited.contains(where: \.isSentTurn) { tellAudio(port: &port) }
    repeatAwaited(port: &port)
    while tellAudio(port: &port) {}
  }

  /// A service has a conversation to take up again, or begins another.
  mutating func conversationBegan(_ id: String?) {
    guard let id else { return }
    if isResuming {
      isResuming = id == conversationID
      // It names the items anew.
      itemIDs.removeAll()
      toldAgain = conversation.items.compactMap { item in
        item.id.map { ToldAgain(id: $0, JSONCoding.encode(item)) }
      }
    }
    conversationID = id
  }

  /// Items of turns that the client has been told of and the service has not taken.
  private var untakenTurns: [String] {
    keptTurns + keptRecordings.map(\.id)
      + awaited.compactMap { entry in
        if case .turn(let id?) = entry.kind { id } else { nil }
      }
  }

  /// The new connection is not told of what was to be deleted.
  private mutating func tellOfDeletions(port: inout Port) {
    for entry in awaited where entry.isSent {
      guard case .deletion(let id) = entry.kind else { continue }
      _ = conversation.remove(id)
      mender.forgot(id)
      port.emit(.conversationItemDeleted(itemID: id))
    }
    awaited.removeAll { entry in
      if case .deletion = entry.kind { entry.isSent } else { false }
    }
  }

  /// What the lost connection had not acknowledged, in its order.
  private mutating func repeatAwaited(port: inout Port) {
    var rest: [Awaited] = []
    for var entry in awaited {
      guard entry.isSent else {
        rest.append(entry)
        continue
      }
      if entry.isRepeated {
        port.emit(
          EventFault(
            type: "server_error", code: "upstream_lost",
            message: "The connection to the provider was lost twice before it answered this event."),
          eventID: entry.eventID)
        continue
      }
      entry.isRepeated = true
      if entry.isSentTurn { tellAudio(port: &port) }
      // The commit asks for it, if that is to be said again, too.
      entry.isDrawn = entry.isDrawn && rest.contains(where: \.isSentTurn)
      if !entry.isDrawn, let event = (try? JSONValue(parsing: entry.message))?.object,
        let told = try? service.wireEvent(renamed(event), of: session)
      {
        for event in told { tellSetUp(event, port: &port) }
      }
      rest.append(entry)
    }
    awaited = rest
  }

  private func tellSetUp(_ event: JSONObject, port: inout Port) {
    let event = traits.vocabulary == .beta ? BetaWire.clientEvent(fromGA: event) : event
    port.sendSetUp { event.write(into: &$0) }
  }

  // MARK: Loss

  public mutating func survives(_ end: UpstreamEnd, at now: Instant, port: inout Port) -> Bool {
    // The first connection tells the client what is wrong.
    guard hasWorked, Self.isTransient(end) else { return false }
    let wasReady = connection == .ready
    leaveConnection()
    if wasReady {
      port.note(.warning, "the connection to the provider was lost", ["end": end.label])
      closeOpenResponses(Self.lost, port: &port)
      isResuming = traits.resumesConversations && conversationID != nil
      hearing.connectionEnded(
        isManual: session.audio.input.turnDetection == nil, isLoss: true, isForgotten: !isResuming)
      if let id = hearing.heardAgainItemID { hiddenItems.insert(id) }
    } else {
      port.note(.warning, "the provider could not be reached again", ["end": end.label])
      if isResuming, case .closed = end { isResuming = false }
    }
    guard let due = schedule.retry(at: now, jitter: port.ids.fraction()) else { return false }
    redialAt = due
    return true
  }

  /// Gives a new connection up for the one after it. False when the time for that is over.
  mutating func tryAgain(at now: Instant, port: inout Port) -> Bool {
    guard let due = schedule.retry(at: now, jitter: port.ids.fraction()) else { return false }
    leaveConnection()
    port.outbox.actions.append(.closeUpstream(code: 1000))
    port.upstreamIsAway()
    redialAt = due
    return true
  }

  /// What was said over the connection is no longer awaited from it.
  private mutating func leaveConnection() {
    connection = .lost
    renewAt = nil
    updates.connectionLost()
    // The others wait for the next one.
    ownFrames = ownFrames.filter { $0.value != .replay }
    hiddenItems = waitingItemIDs
  }

  /// The responses that the connection took with it.
  private static let lost = UpstreamVerdict(
    code: "upstream_lost", message: "The connection to the provider was lost in the middle of the response.",
    outlook: .mayRecover)

  /// Whether the same may go well a moment later, without a change of what is said.
  private static func isTransient(_ end: UpstreamEnd) -> Bool {
    switch end {
    case .closed(let code, _): [1001, 1005, 1006, 1011, 1012, 1013, 1014].contains(code)
    case .refused(let status, _): status >= 500 || status == 408 || status == 429
    case .unreachable, .nameNotFound, .timedOut, .lost: true
    case .proxyFailed: !end.isFinal
    case .addressRefused, .tlsRefused, .badHandshake, .framingBroken: false
    }
  }

  // MARK: Renewal

  /// Nothing is going on that another connection would not know of.
  var isQuiet: Bool {
    !isMidTurn && !hearing.isUnanswered && hearing.speechItemID == nil && awaited.isEmpty && updates.pending.isEmpty
      && keptTurns.isEmpty && (session.audio.input.turnDetection != nil || hearing.buffered == 0)
  }

  mutating func renewIfDue(at now: Instant, port: inout Port) {
    guard let due = renewAt, now >= due, connection == .ready, isQuiet else { return }
    renew(at: now, port: &port)
  }

  /// Replaces the connection by one that is told the conversation as it is now.
  mutating func renew(at now: Instant, port: inout Port) {
    guard connection == .ready else { return }
    leaveConnection()
    hearing.connectionEnded(isManual: session.audio.input.turnDetection == nil, isLoss: false)
    isResuming = false
    port.redial(upstream(), closing: true)
  }

  /// After each event of the service: what was put off until now.
  mutating func turnsEnded(at now: Instant, port: inout Port) {
    watchResponses(at: now)
    armIdleTimeout(at: now)
    renewIfDue(at: now, port: &port)
  }
}

extension WireTranslator.Awaited {
  fileprivate var isSentTurn: Bool {
    if case .turn = kind { isSent } else { false }
  }
}
