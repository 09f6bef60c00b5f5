import Audio
public import Envelope
import NIOCore
public import Translation

// What the client says, audio aside.

extension WireTranslator {
  public mutating func clientEvent(
    _ event: IncomingEvent, at now: Instant, port: inout Port
  ) throws(EventFault) {
    guard var object = event.value.object else { return }
    var event = event
    if event.type == .sessionUpdate { return try update(object, eventID: event.header.eventID, at: now, port: &port) }
    // A native service judges by itself what it is asked.
    let body = traits.isNative ? nil : try ClientEvent.decode(event.value).body
    if event.header.eventID == nil, event.type.isAwaited {
      // What is refused must be told from what is not; the client does not get to see the id.
      object["event_id"] = .string(port.ids.next(.event))
      event.message = Self.message(object)
    }
    switch event.type {
    case .sessionUpdate, .inputAudioBufferAppend:
      break  // Handled above; the audio lane's.
    case .inputAudioBufferCommit:
      try commit(event, object, body, port: &port)
    case .inputAudioBufferClear:
      try clear(event, object, port: &port)
    case .outputAudioBufferClear:
      try forward(event, object, port: &port)
    case .conversationItemCreate:
      try create(event, object, body, port: &port)
    case .conversationItemRetrieve:
      if traits.retrievesLocally, let id = object["item_id"]?.string {
        guard let item = conversation.item(id) else { throw .retrieveOfUnknownItem(id) }
        return port.emit(.conversationItemRetrieved(item: item))
      }
      try forward(event, object, port: &port)
    case .conversationItemTruncate:
      try truncate(event, object, body, port: &port)
    case .conversationItemDelete:
      try delete(event, object, port: &port)
    case .responseCreate:
      try createResponse(event, object, body, at: now, port: &port)
    case .responseCancel:
      try cancel(event, object, at: now, port: &port)
    }
  }

  /// Passes an event on: as bytes where the service takes it as it is.
  mutating func forward(_ event: IncomingEvent, _ object: JSONObject, port: inout Port) throws(EventFault) {
    let object = renamed(object)
    let told = try service.wireEvent(object, of: session)
    flushUpload(port: &port)
    if itemIDs.isEmpty, traits.vocabulary == .ga, told.count == 1, told[0] == object {
      return port.send(.control) { $0.writeImmutableBuffer(event.message) }
    }
    for event in told { send(event, port: &port) }
  }

  // MARK: The session

  private mutating func update(
    _ object: JSONObject, eventID: String?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    guard case .sessionUpdate(let given)? = try? ClientEvent.decode(.object(object)).body else {
      throw .invalidType(param: "session", expected: "an object", found: (object["session"] ?? .null).kind.phrase)
    }
    guard updates.pending.count < Limits.pendingUpdates else {
      throw .tooMuchHeld("Too many updates of the session are unanswered.", param: "session")
    }
    let patch = given.nestingFlatFields()
    let frameID = eventID ?? port.ids.next(.event)
    let updated: RealtimeSession
    do {
      updated = try patch.applied(to: session)
    } catch {
      guard traits.isNative, error.code != "invalid_parameter" else { throw error }
      // What this vocabulary does not know may be a word of the service's.
      updates.add(
        .init(
          patch: nil, frameID: frameID, eventID: eventID, isHeld: connection != .ready, isSent: connection == .ready))
      let event = updateEvent(patch.fields, frameID: frameID)
      return port.send(.control) { event.write(into: &$0) }
    }
    let (effective, ignored) = try effective(updated)
    try note(ignored: ignored, port: &port)
    let old = session
    session = effective
    sessionChanged(from: old)
    // Before anything was said, the first of them goes up with what the service must be told in any case.
    let overtakes = port.heldByteCount == 0
    let waits = overtakes && (connection == .none || connection == .lost)
    updates.add(
      .init(
        patch: patch, frameID: frameID, eventID: eventID, isHeld: !overtakes && connection != .ready,
        isSent: connection == .ready || overtakes && connection == .settingUp))
    guard !waits else { return }
    let event = updateEvent(SessionFields.of(session, at: patch.fields), frameID: frameID)
    if overtakes {
      port.sendSetUp { event.write(into: &$0) }
    } else {
      port.send(.control) { event.write(into: &$0) }
    }
  }

  /// The session as it will really be, and what of it has no counterpart.
  func effective(_ updated: RealtimeSession) throws(EventFault) -> (RealtimeSession, [String]) {
    var updated = updated
    try ModelName.check(updated.model)
    if hasDialled, !traits.changesModel { updated.model = session.model }
    let ignored = try service.makeEffective(&updated)
    return (updated, ignored)
  }

  /// For patches that were judged before.
  func applying(_ patch: SessionPatch, to session: RealtimeSession) -> RealtimeSession? {
    guard let updated = try? patch.applied(to: session), let (effective, _) = try? effective(updated) else {
      return nil
    }
    return effective
  }

  /// Refuses, or tells the operator, what a client asked for in vain (Q23).
  func note(ignored fields: [String], port: inout Port) throws(EventFault) {
    if isStrict, let first = fields.first { throw .withoutCounterpart(first) }
    port.note(ignored: fields)
  }

  /// A `session.update` in the service's form.
  private func updateEvent(_ fields: JSONObject, frameID: String) -> JSONObject {
    [
      "type": "session.update", "event_id": .string(frameID),
      "session": .object(service.wireSession(fields, of: session)),
    ]
  }

  /// Audio is read as the session says from here on.
  mutating func sessionChanged(from old: RealtimeSession) {
    let format = session.audio.input.format
    if format != old.audio.input.format {
      hearing.formatChanged(format)
      upload = WireUpload(traits.pieces, format: format, takesG711: traits.takesG711)
      flushAt = nil
    }
    hearing.setManual(session.audio.input.turnDetection == nil)
    let output = session.audio.output.format
    if output != old.audio.output.format || download == nil, !traits.takesG711 {
      download = output.law.map { AudioTranscoder(from: .pcm16(rate: SampleRate.hz24000.hertz), to: .g711($0)) }
    }
    if session.audio.input.turnDetection?.idleTimeoutMs == nil { idleAt = nil }
  }

  // MARK: Items

  private mutating func create(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, port: inout Port
  ) throws(EventFault) {
    var event = event
    var object = object
    if !traits.takesOpusItems, let item = object["item"], let decoded = try recording(in: item) {
      object["item"] = decoded
      event.message = Self.message(object)
    }
    if case .conversationItemCreate(let item, let previous)? = body {
      if let id = item.id, isKnown(id) { throw .duplicateItem(id) }
      if case .value(let id) = previous, id != "root", !isKnown(id) { throw .unknownPreviousItem(id) }
      if item.id == nil {
        // The acknowledgement must be told from others.
        var named = object["item"]?.object ?? JSONObject()
        named["id"] = .string(port.ids.next(.item))
        object["item"] = .object(named)
        event.message = Self.message(object)
      }
      if !traits.takesRecordings, let recording = KeptRecording(object["item"]) {
        return try keep(recording, after: previous, port: &port)
      }
      try checkAwaited(besideKept: keptBytes)
      if traits.answersItems, item.type == .message {
        // What the service cannot take is refused before it is shown.
        _ = try service.wireEvent(object, of: session)
        return keep(item, object, previous, port: &port)
      }
    }
    try forward(event, object, port: &port)
    remember(.item(id: object["item"]?["id"]?.string), event, as: object["event_id"]?.string)
  }

  /// Whether there is such an item, or the service has been asked for it.
  private func isKnown(_ itemID: String) -> Bool {
    conversation.item(itemID) != nil || awaited.contains { $0.kind == .item(id: itemID) }
  }

  private mutating func truncate(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, port: inout Port
  ) throws(EventFault) {
    guard traits.truncation != .native,
      case .conversationItemTruncate(let id, let contentIndex, let endMs)? = body
    else { return try forward(event, object, port: &port) }
    let bytes = spokenFormat.bytesPerMillisecond
    let length = speech.length(of: id, bytesPerMillisecond: bytes)
    guard let item = conversation.item(id) else { throw .truncateOfUnknownItem(id) }
    guard item.role == .assistant, contentIndex == 0 else { throw .truncateOfOtherContent() }
    // What is longer than was spoken is all of it: clients count by the wall clock.
    let heardMs = min(endMs, length)
    conversation.truncate(id, toMs: heardMs, ofMs: length)
    speech.cut(id, toMs: heardMs)
    if traits.truncation == .both {
      var told = object
      told["event_id"] = .string(own(.shadow, port: &port))
      told["item_id"] = .string(wireID(of: id))
      for event in try service.wireEvent(told, of: session) { send(event, port: &port) }
    } else {
      isStale = true
    }
    port.emit(.conversationItemTruncated(itemID: id, contentIndex: contentIndex, audioEndMs: endMs))
  }

  private mutating func delete(
    _ event: IncomingEvent, _ object: JSONObject, port: inout Port
  ) throws(EventFault) {
    guard let id = object["item_id"]?.string else { return try forward(event, object, port: &port) }
    guard traits.deletesLocally || keptTurns.contains(id) else {
      try forward(event, object, port: &port)
      return remember(.deletion(id: id), event, as: object["event_id"]?.string)
    }
    guard conversation.remove(id) else { throw .deleteOfUnknownItem(id) }
    if let index = keptItems.firstIndex(where: { $0["id"]?.string == id }) {
      keptBytes -= JSONValue.object(keptItems.remove(at: index)).text.utf8.count
    } else if let index = keptRecordings.firstIndex(where: { $0.id == id }) {
      keptRecordings.remove(at: index)
    } else {
      if let index = keptTurns.firstIndex(of: id) {
        keptTurns.remove(at: index)
        if keptTurns.isEmpty { hearing.turnWasDropped() }
      }
      isStale = true
    }
    mender.forgot(id)
    port.emit(.conversationItemDeleted(itemID: id))
  }

  // MARK: Responses

  private mutating func createResponse(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    let (event, object) = traits.isNative ? (event, object) : Self.withoutNulls(event, object)
    // A refusal leaves no trace.
    _ = try service.wireEvent(object, of: session)
    // It takes what is kept along.
    try checkAwaited(besideKept: 0)
    try note(ignored: service.ignoredOptions(object["response"]?.object ?? JSONObject()), port: &port)
    if case .responseCreate(let checked)? = body {
      if !traits.takesOwnInput {
        if checked?.isOutOfBand == true {
          throw .unsupported("This provider has one conversation only.", param: "response.conversation")
        }
        if checked?.input != nil {
          throw .unsupported("This provider answers the conversation only.", param: "response.input")
        }
      }
      if checked?.isOutOfBand != true {
        for event in mender.endCancelled() where observe(event, port: &port) { tell(event, port: &port) }
      }
      if checked?.isOutOfBand != true, let id = mender.openResponseIDs.first { throw .activeResponse(id) }
      mender.asked(metadata: checked?.metadata, modalities: checked?.outputModalities ?? session.outputModalities)
    }
    if isStale { renew(at: now, port: &port) }
    let context = keptItemIDs
    if traits.answersItems, hasTurn(for: object["response"]), let item = takeKeptItems(asContext: true) {
      // The turn asks for the answer.
      send(["type": "conversation.item.create", "item": .object(item)], port: &port)
    }
    let isDrawn = commitTurns(object["response"], port: &port)
    let kept = keptItemIDs
    // What waits for a connection waits with the turn.
    if kept.isEmpty, !context.isEmpty { awaited[awaited.count - 1].itemIDs = context }
    if traits.answersItems, let item = takeKeptItems(instructions: object["response"]?["instructions"]?.string) {
      // The item itself asks for the answer.
      let create: JSONObject = ["type": "conversation.item.create", "item": .object(item)]
      send(create, port: &port)
      remember(.response, Self.message(create), eventID: event.header.eventID, since: now)
      awaited[awaited.count - 1].itemIDs = kept
      return
    }
    if !isDrawn { try forward(event, object, port: &port) }
    remember(
      .response, event.message, eventID: event.header.eventID, as: object["event_id"]?.string, isDrawn: isDrawn,
      since: now)
  }

  /// An option that is null asks for nothing; not every service takes it for that.
  private static func withoutNulls(_ event: IncomingEvent, _ object: JSONObject) -> (IncomingEvent, JSONObject) {
    guard let options = object["response"]?.object, options.contains(where: \.value.isNull) else {
      return (event, object)
    }
    var object = object
    object["response"] = .object(options.withoutNulls)
    var event = event
    event.message = message(object)
    return (event, object)
  }

  private mutating func cancel(
    _ event: IncomingEvent, _ object: JSONObject, at now: Instant, port: inout Port
  ) throws(EventFault) {
    mender.cancelAsked(responseID: object["response_id"]?.string)
    cancelAsked(responseID: object["response_id"]?.string, at: now)
    guard !traits.isNative else { return try forward(event, object, port: &port) }
    let isOpen = object["response_id"]?.string.map { mender.openResponseIDs.contains($0) } ?? mender.isMidTurn
    var told = object
    told["event_id"] = .string(
      own(.cancel(eventID: event.header.eventID, wasOpen: isOpen), port: &port))
    for event in try service.wireEvent(told, of: session) { send(event, port: &port) }
  }

  // MARK: What is under way

  /// Remembers what the service has to acknowledge.
  mutating func remember(
    _ kind: Awaited.Kind, _ message: ByteBuffer, eventID: String?, as frameID: String? = nil, isDrawn: Bool = false,
    since: Instant? = nil
  ) {
    awaited.append(
      Awaited(
        kind: kind, eventID: eventID, frameID: frameID, message: message, isSent: connection == .ready,
        isDrawn: isDrawn, since: since))
    if awaited.count > Limits.rememberedItems { awaited.removeFirst() }
  }

  /// What the service leaves unanswered is held until it answers, and bounded.
  func checkAwaited(besideKept keptBytes: Int) throws(EventFault) {
    guard keptBytes + awaited.reduce(0, { $0 + $1.message.readableBytes }) <= Limits.awaitedBytes else {
      throw .tooMuchHeld("The provider has not answered what was sent before.", param: "type")
    }
  }

  mutating func remember(_ kind: Awaited.Kind, _ event: IncomingEvent, as frameID: String?) {
    remember(kind, event.message, eventID: event.header.eventID, as: frameID)
  }

  private static func message(_ event: JSONObject) -> ByteBuffer {
    var message = ByteBuffer()
    event.write(into: &message)
    return message
  }

  /// When a service that answers some requests with silence is given up on. OpenAI's is no such service.
  var responseDue: Instant? {
    guard !traits.isNative, connection == .ready, !isHeldBack,
      let since = awaited.first(where: { $0.kind == .response && $0.isSent })?.since
    else { return nil }
    return since + Limits.responseTimeout
  }

  mutating func responseTimeout(port: inout Port) {
    guard let index = awaited.firstIndex(where: { $0.kind == .response && $0.isSent }) else { return }
    let entry = awaited.remove(at: index)
    mender.askedInVain()
    port.marks.add(.unanswered)
    port.emit(
      EventFault(
        type: "server_error", code: "upstream_timeout", message: "The provider did not begin a response."),
      eventID: entry.eventID)
  }

  /// Names a frame that the client did not send.
  mutating func own(_ frame: OwnFrame, port: inout Port) -> String {
    let id = port.ids.next(.event)
    if ownFrames.count > Limits.rememberedItems { ownFrames = [:] }
    ownFrames[id] = frame
    return id
  }
}

extension ClientEventType {
  /// Whether the service's acknowledgement, or its refusal, is waited for.
  fileprivate var isAwaited: Bool {
    switch self {
    case .conversationItemCreate, .conversationItemDelete, .responseCreate: true
    case .sessionUpdate, .inputAudioBufferAppend, .inputAudioBufferCommit, .inputAudioBufferClear,
      .outputAudioBufferClear, .conversationItemRetrieve, .conversationItemTruncate, .responseCancel:
      false
    }
  }
}
