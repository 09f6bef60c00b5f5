import Envelope
import NIOCore
import Translation

// Turns that the client ends itself. Some services answer a commit at once: they are told of it with the `response.create`
// that asks for the answer (Q8).

extension WireTranslator {
  private var isManual: Bool { session.audio.input.turnDetection == nil }

  // MARK: The client

  mutating func commit(
    _ event: IncomingEvent, _ object: JSONObject, _ body: ClientEvent.Body?, port: inout Port
  ) throws(EventFault) {
    if !traits.isNative, hearing.buffered < Limits.shortestCommitMs, hearing.speechItemID == nil {
      throw .bufferTooSmall(milliseconds: Double(hearing.buffered))
    }
    guard isManual else {
      try forward(event, object, port: &port)
      hearing.committed()
      return
    }
    guard traits.answersCommits == .nothing else { return keepTurn(port: &port) }
    try forward(event, object, port: &port)
    hearing.turnEnded()
    remember(.turn(itemID: nil), event, as: event.header.eventID)
  }

  /// Acknowledges a commit here.
  private mutating func keepTurn(port: inout Port) {
    let id = port.ids.next(.item)
    hearing.turnEnded(isMore: !keptTurns.isEmpty)
    keptTurns.append(id)
    mender.tookTurn(id)
    let item = Item.message(id: id, role: .user, content: [.inputAudio(transcript: nil)])
    let before = conversation.append(item)
    port.emit(.inputAudioBufferCommitted(itemID: id, previousItemID: before))
    port.emit(.conversationItemAdded(item: item, previousItemID: before))
    port.emit(.conversationItemDone(item: item, previousItemID: before))
  }

  mutating func clear(_ event: IncomingEvent, _ object: JSONObject, port: inout Port) throws(EventFault) {
    guard keptTurns.isEmpty else {
      // The service's buffer holds what is committed here.
      hearing.cleared()
      return port.emit(.inputAudioBufferCleared)
    }
    upload.removeAll()
    flushAt = nil
    hearing.cleared()
    try forward(event, object, port: &port)
  }

  /// Whether a `response.create` is to answer a turn that the service has not been told of.
  func hasTurn(for options: JSONValue?) -> Bool {
    !keptTurns.isEmpty || !keptRecordings.isEmpty || hasOpenTurn(for: options)
  }

  private func hasOpenTurn(for options: JSONValue?) -> Bool {
    traits.commitsOpenAudio && isManual && hearing.buffered >= Limits.shortestCommitMs
      && options?["input"]?.array == nil && options?["conversation"]?.string != "none"
  }

  /// An answer is asked for: the service is told of what the client has committed and, without turn detection, of what it
  /// has not, for that would not be heard (R184).
  ///
  /// - Returns: whether the answer comes by itself.
  mutating func commitTurns(_ options: JSONValue?, port: inout Port) -> Bool {
    guard hasTurn(for: options) else { return false }
    flushUpload(port: &port)
    let isOpen = hasOpenTurn(for: options) || !keptRecordings.isEmpty
    let recordingID = tellRecordings(port: &port)
    if isOpen { hearing.turnEnded(isMore: !keptTurns.isEmpty) }
    send(["type": "input_audio_buffer.commit"], port: &port)
    remember(
      .turn(itemID: recordingID ?? keptTurns.last), ByteBuffer(string: #"{"type":"input_audio_buffer.commit"}"#),
      eventID: nil)
    keptTurns = []
    return switch traits.answersCommits {
    case .nothing: false
    case .responseToSpeech: hearing.untoldSpeechItemID != nil
    case .response: session.audio.input.turnDetection?.createResponse ?? true
    }
  }

  // MARK: The service

  /// The service takes the oldest turn that it was told of. The client may know its item by another id already.
  mutating func learnTurn(from event: JSONObject) {
    let item = event["item"]
    guard let type = event["type"]?.string, let id = event["item_id"]?.string ?? item?["id"]?.string, !id.isEmpty else {
      return
    }
    let isTaken: Bool
    switch type {
    case "input_audio_buffer.committed": isTaken = true
    case "conversation.item.added", "conversation.item.created":
      guard let item, item["role"] == "user", Self.isSpoken(item) else { return }
      isTaken = item["status"] != "in_progress"
    case _ where type.hasPrefix("conversation.item.input_audio_transcription."): isTaken = false
    default: return
    }
    guard let index = awaited.firstIndex(where: \.isTurn) else {
      // The service has found the end of the turn itself, since it was told to.
      if type == "input_audio_buffer.committed", let ours = keptTurns.last {
        itemIDs[id] = ours
        keptTurns = []
        hearing.turnWasTaken()
      }
      return
    }
    // An item of the client's may be spoken, too: what was created before is acknowledged before.
    guard awaited[index].isSent, !awaited[..<index].contains(where: \.isItem),
      case .turn(let ours) = awaited[index].kind,
      itemIDs[id].map({ $0 == ours }) ?? (conversation.item(id) == nil)
    else { return }
    if let ours { itemIDs[id] = ours }
    guard isTaken else { return }
    awaited.remove(at: index)
    hearing.turnWasTaken()
  }

  /// A turn that began on a lost connection is announced again by the new one; the client knows it already.
  mutating func observeSpeech(_ event: JSONObject, port: inout Port) -> Bool {
    idleAt = nil
    guard let id = event["item_id"]?.string else { return true }
    if hearing.resumesSpeech, let known = hearing.speechItemID {
      hearing.speechWasResumed()
      if known != id { itemIDs[id] = known }
      return false
    }
    hearing.speechStarted(id, atMs: event["audio_start_ms"]?.milliseconds ?? hearing.heardMs)
    return true
  }

  /// - Returns: whether the client is to be told.
  mutating func observeCommit() -> Bool {
    guard let detection = session.audio.input.turnDetection else { return true }
    return hearing.committed(byService: true, isToBeAnswered: detection.createResponse)
  }

  /// What ends the worth of audio that the client has not taken yet.
  func observeInterruption(_ type: ServerEventType, _ event: JSONObject, port: inout Port) {
    if type == .responseDone, let response = event["response"], response["status"]?.string == "cancelled" {
      port.interrupted(.cancelled(responseID: response["id"]?.string))
    }
  }

  static func isSpoken(_ item: JSONValue) -> Bool {
    item["content"]?.array?.contains { $0["type"]?.string == "input_audio" } ?? false
  }

  /// Where the client ends its turns, or a recording is one, it is told of no others. What began before it did ends as well.
  ///
  /// - Returns: whether it is told of the event.
  mutating func observeUntold(_ itemID: String?, isStart: Bool) -> Bool {
    guard !traits.isNative else { return true }
    if isStart, isManual || awaited.contains(where: \.isTurn) {
      hearing.untoldSpeechItemID = itemID
      return false
    }
    return itemID != hearing.untoldSpeechItemID
  }
}

extension WireTranslator.Awaited {
  fileprivate var isTurn: Bool { if case .turn = kind { true } else { false } }
  fileprivate var isItem: Bool { if case .item = kind { true } else { false } }
}
