import Audio
public import Envelope
import NIOCore
public import Translation

// What the client says, audio aside.

extension WireTranslator {
  public mutating func clientEvent(
    _ event: IncomingEvent, at now: Instant, port: inout Port
  ) throws(EventFault) {
    guard let object = event.value.object else { return }
    if event.type == .sessionUpdate { return try update(object, eventID: event.header.eventID, at: now, port: &port) }
    // A native service judges by itself what it is asked.
    let body = traits.isNative ? nil : try ClientEvent.decode(event.value).body
    switch event.type {
    case .sessionUpdate, .inputAudioBufferAppend:
      break  // Handled above; the audio lane's.
    case .inputAudioBufferCommit:
      try commit(event, object, body, port: &port)
    case .inputAudioBufferClear:
      upload.removeAll()
      flushAt = nil
      hearing.committed()
      try forward(event, object, port: &port)
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
      try cancel(event, object, port: &port)
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
      updates.add(.init(patch: nil, frameID: frameID, eventID: eventID, isHeld: connection != .ready))
      return sendUpdate(patch.fields, frameID: frameID, port: &port)
    }
    let (effective, ignored) = try effective(updated)
    try note(ignored: ignored, port: &port)
    let old = session
    session = effective
    sessionChanged(from: old)
    // Before anything was said, the first of them goes up with what the service must be told in any case.
    let waits = connection != .ready && port.heldByteCount == 0
    updates.add(.init(patch: patch, frameID: frameID, eventID: eventID, isHeld: !waits && connection != .ready))
    if !waits { sendUpdate(SessionFields.of(session, at: patch.fields), frameID: frameID, port: &port) }
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
    if isStrict, let first = fields.first {
      throw .unsupported("This provider has no counterpart for the field.", param: first)
    }
    port.note(ignored: fields)
  }

  func sendUpdate(_ fields: JSONObject, frameID: String, port: inout Port) {
    let event: JSONObject = [
      "type": "session.update", "event_id": .string(frameID),
      "session": .object(service.wireSession(fields, of: session)),
    ]
    port.send(.control) { event.write(into: &$0) }
  }

  /// Audio is read as the session says from here on.
  mutating func sessionChanged(from old: RealtimeSession) {
    let format = session.audio.input.format
    if format != old.audio.input.format {
      hearing.formatChanged(format)
      upload = WireUpload(traits.pieces, format: format, takesG711: traits.takesG711)
      flushAt = nil
    }
    let output = session.audio.output.format
    if output != old.audio.output.format || download == nil, !traits.takesG711 {
      download = output.law.map { AudioTranscoder(from: .pcm16(rate: SampleRate.hz24000.hertz), to: .g711($0)) }
    }
    if session.audio.input.turnDetection?.idleTimeoutMs == nil { idleAt = nil }
  }

  // MARK: The buffer

  private mutating func commit(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, port: inout Port
  ) throws(EventFault) {
    if !traits.isNative, hearing.buffered < Limits.shortestCommitMs, hearing.speechItemID == nil {
      throw .bufferTooSmall(milliseconds: Double(hearing.buffered))
    }
    try forward(event, object, port: &port)
    hearing.committed()
  }

  /// Without turn detection, what is not committed is not heard: the client means it to be (R184).
  private mutating func commitOpenAudio(_ options: JSONValue?, port: inout Port) {
    guard traits.commitsOpenAudio, session.audio.input.turnDetection == nil, options?["input"]?.array == nil,
      options?["conversation"]?.string != "none", hearing.buffered >= Limits.shortestCommitMs
    else { return }
    flushUpload(port: &port)
    send(["type": "input_audio_buffer.commit"], port: &port)
    hearing.committed()
  }

  // MARK: Items

  private mutating func create(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, port: inout Port
  ) throws(EventFault) {
    var event = event
    var object = object
    if !traits.takesOpusItems, let item = object["item"], let decoded = try recording(in: item) {
      object["item"] = decoded
      event.message = ByteBuffer()
      object.write(into: &event.message)
    }
    if case .conversationItemCreate(let item, let previous)? = body {
      if let id = item.id, conversation.item(id) != nil { throw .duplicateItem(id) }
      if case .value(let id) = previous, id != "root", conversation.item(id) == nil { throw .unknownPreviousItem(id) }
      if item.id == nil {
        // The acknowledgement must be told from others.
        var named = object["item"]?.object ?? JSONObject()
        named["id"] = .string(port.ids.next(.item))
        object["item"] = .object(named)
        event.message = ByteBuffer()
        object.write(into: &event.message)
      }
      if traits.answersItems, item.type == .message {
        // What the service cannot take is refused before it is shown.
        _ = try service.wireEvent(object, of: session)
        return keep(item, object, previous, port: &port)
      }
    }
    try forward(event, object, port: &port)
    remember(.item(id: object["item"]?["id"]?.string), event)
  }

  /// A message that would draw an answer at once is acknowledged here, and goes up when an answer is asked for.
  private mutating func keep(_ item: Item, _ object: JSONObject, _ previous: Patch<String>, port: inout Port) {
    guard var told = object["item"]?.object, let id = told["id"]?.string else { return }
    told["status"] = "completed"
    told["object"] = "realtime.item"
    let shown = (try? JSONCoding.decode(Item.self, from: .object(told))) ?? item
    let before = (try? conversation.insert(shown, after: previous)) ?? conversation.lastItemID
    port.emit(.conversationItemAdded(item: shown, previousItemID: before))
    port.emit(.conversationItemDone(item: shown, previousItemID: before))
    keptItems.append(object["item"]?.object ?? told)
    hiddenItems.insert(id)
  }

  /// The kept messages as one, since each would draw an answer.
  private mutating func takeKeptItems() -> JSONObject? {
    guard var item = keptItems.last else { return nil }
    var content: [JSONValue] = []
    for kept in keptItems {
      for part in kept["content"]?.array ?? [] {
        // Who said it is lost in one message of the user's, and is told in words.
        guard let role = kept["role"]?.string, role != "user", var part = part.object, let text = part["text"]?.string
        else {
          content.append(part)
          continue
        }
        part["type"] = "input_text"
        part["text"] = .string("[\(role)] \(text)")
        content.append(.object(part))
      }
    }
    item["role"] = "user"
    item["content"] = .array(content)
    keptItems = []
    return item
  }

  private mutating func truncate(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, port: inout Port
  ) throws(EventFault) {
    guard traits.truncation != .native,
      case .conversationItemTruncate(let id, let contentIndex, let endMs)? = body
    else { return try forward(event, object, port: &port) }
    let bytes = updates.confirmed.audio.output.format.bytesPerMillisecond
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
    guard traits.deletesLocally, let id = object["item_id"]?.string else {
      return try forward(event, object, port: &port)
    }
    guard conversation.remove(id) else { throw .deleteOfUnknownItem(id) }
    if let index = keptItems.firstIndex(where: { $0["id"]?.string == id }) {
      keptItems.remove(at: index)
    } else {
      isStale = true
    }
    port.emit(.conversationItemDeleted(itemID: id))
  }

  // MARK: Responses

  private mutating func createResponse(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    // A refusal leaves no trace.
    _ = try service.wireEvent(object, of: session)
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
    commitOpenAudio(object["response"], port: &port)
    if traits.answersItems, let item = takeKeptItems() {
      // The item itself asks for the answer.
      let create: JSONObject = ["type": "conversation.item.create", "item": .object(item)]
      var message = ByteBuffer()
      create.write(into: &message)
      send(create, port: &port)
      return remember(.response, IncomingEvent(header: event.header, value: .object(create), message: message))
    }
    try forward(event, object, port: &port)
    remember(.response, event)
  }

  private mutating func cancel(
    _ event: IncomingEvent, _ object: JSONObject, port: inout Port
  ) throws(EventFault) {
    mender.cancelAsked(responseID: object["response_id"]?.string)
    guard !traits.isNative else { return try forward(event, object, port: &port) }
    var told = object
    told["event_id"] = .string(
      own(.cancel(eventID: event.header.eventID, wasOpen: mender.isMidTurn), port: &port))
    for event in try service.wireEvent(told, of: session) { send(event, port: &port) }
  }

  // MARK: What is under way

  /// Remembers what the service has to acknowledge.
  private mutating func remember(_ kind: Awaited.Kind, _ event: IncomingEvent) {
    awaited.append(
      Awaited(
        kind: kind, eventID: event.header.eventID, message: event.message, isSent: connection == .ready))
    if awaited.count > Limits.rememberedItems { awaited.removeFirst() }
  }

  /// Names a frame that the client did not send.
  mutating func own(_ frame: OwnFrame, port: inout Port) -> String {
    let id = port.ids.next(.event)
    if ownFrames.count > Limits.rememberedItems { ownFrames = [:] }
    ownFrames[id] = frame
    return id
  }

  /// The service's id of an item.
  func wireID(of itemID: String) -> String {
    itemIDs.first { $0.value == itemID }?.key ?? itemID
  }

  private func renamed(_ object: JSONObject) -> JSONObject {
    guard !itemIDs.isEmpty, let id = object["item_id"]?.string else { return object }
    var object = object
    object["item_id"] = .string(wireID(of: id))
    return object
  }
}
