public import Envelope
public import Translation

import Audio
import NIOCore

// What the client says.

extension LocalVoiceTranslator {
  public mutating func clientEvent(
    _ event: IncomingEvent, at now: Instant, port: inout Port
  ) throws(EventFault) {
    switch try ClientEvent.decode(event.value).body {
    case .sessionUpdate(let patch):
      try update(patch, port: &port)
    case .inputAudioBufferAppend:
      break  // The audio lane's; the session never passes one on as a control event.
    case .inputAudioBufferCommit:
      try commit(port: &port)
    case .inputAudioBufferClear:
      listening = nil
      turnsEndMs = heardMs
      send(.clear, port: &port)
      port.emit(.inputAudioBufferCleared)
      answerIfPossible(at: now, port: &port)
    case .outputAudioBufferClear:
      throw .unsupported("output_audio_buffer.clear is for WebRTC and SIP calls.", param: "type")
    case .conversationItemCreate(let item, let previousItemID):
      try create(item, after: previousItemID, port: &port)
    case .conversationItemRetrieve(let itemID):
      guard let item = conversation.item(itemID) else { throw .retrieveOfUnknownItem(itemID) }
      port.emit(.conversationItemRetrieved(item: item))
    case .conversationItemTruncate(let itemID, let contentIndex, let audioEndMs):
      try truncate(itemID, contentIndex: contentIndex, audioEndMs: audioEndMs, port: &port)
    case .conversationItemDelete(let itemID):
      guard itemID != timeline.openItemID else {
        throw .invalidValue(
          param: "item_id", because: "the item is still being written; cancel its response first.")
      }
      guard conversation.remove(itemID) else { throw .deleteOfUnknownItem(itemID) }
      spokenMs[itemID] = nil
      forgetTurns(of: itemID, port: &port)
      port.emit(.conversationItemDeleted(itemID: itemID))
      proceed(at: now, port: &port)
    case .responseCreate(let options):
      try createResponse(options, at: now, port: &port)
    case .responseCancel(let responseID):
      try cancelResponse(responseID, at: now, port: &port)
    }
  }

  // MARK: Configuration

  private mutating func update(_ patch: SessionPatch, port: inout Port) throws(EventFault) {
    let old = (hearing: hearing, format: session.audio.input.format)
    let updated = try updated(by: patch, port: &port)
    session = updated
    if session.audio.input.format != old.format { resetClock() }
    if hearing != old.hearing { send(.hear(hearing), port: &port) }
    // The engine detects afresh: a turn that went on while nothing was detected has no end of its own.
    if hearing.detection == .automatic, old.hearing.detection == .manual { listening = nil }
    // What was silence to the detector is no part of what is committed from here on.
    if hearing.detection == .manual, old.hearing.detection == .automatic, listening == nil { turnsEndMs = heardMs }
    if session.audio.input.turnDetection?.idleTimeoutMs == nil { idleAt = nil }
    port.emit(.sessionUpdated(session))
  }

  /// The client's audio is read as the session says from here on.
  mutating func resetClock() {
    clockStartMs = heardMs
    clock = AudioClock(
      rate: SampleRate(hertz: session.audio.input.format.rate) ?? .hz24000, bytesPerSample: bytesPerSample)
  }

  // MARK: Audio

  private mutating func commit(port: inout Port) throws(EventFault) {
    let milliseconds = heardMs - turnsEndMs
    guard milliseconds >= Limits.shortestCommitMs else {
      throw .bufferTooSmall(milliseconds: Double(milliseconds))
    }
    turnCount += 1
    let turn = "commit_\(turnCount)"
    send(.commit(turn: turn, absorbing: listening?.turn), port: &port)
    var speech = listening?.speech ?? SpeechTurn(committedByClient: milliseconds, port: &port)
    speech.stop(atMs: heardMs, port: &port)
    listening = nil
    turnsEndMs = heardMs
    take(speech, as: turn, durationMs: milliseconds, wantsAnswer: createsResponses, port: &port)
    recognise(turn, port: &port)
  }

  var createsResponses: Bool { session.audio.input.turnDetection?.createResponse ?? false }

  // MARK: Items

  private mutating func create(
    _ item: Item, after position: Patch<String>, port: inout Port
  ) throws(EventFault) {
    var item = item
    item.id = item.id ?? port.ids.next(.item)
    item.status = .completed
    item.object = "realtime.item"
    switch item.type {
    case .message, .functionCall, .functionCallOutput: break
    default:
      throw .unsupported(
        "Only messages, function calls and their outputs are supported by the local engine.", param: "item.type")
    }
    let recordings = try Self.takeRecordings(&item)
    let previous = try conversation.insert(item, after: position)
    port.emit(.conversationItemAdded(item: item, previousItemID: previous))
    port.emit(.conversationItemDone(item: item, previousItemID: previous))
    guard let id = item.id else { return }
    for (index, base64) in recordings {
      turnCount += 1
      let turn = "item_\(turnCount)"
      send(.recording(turn: turn, base64: base64, format: session.audio.input.format), port: &port)
      pending[turn] = Turn(speech: nil, itemID: id, contentIndex: index, durationMs: 0, wantsAnswer: false)
      recognise(turn, port: &port)
    }
  }

  /// The audio of an item that has no words yet goes to the engine and not into the mirror.
  private static func takeRecordings(_ item: inout Item) throws(EventFault) -> [(index: Int, base64: String)] {
    var recordings: [(index: Int, base64: String)] = []
    for (index, part) in (item.content ?? []).enumerated() {
      let param = "item.content[\(index)]"
      switch part {
      case .inputText, .outputText, .outputAudio: continue
      case .inputAudio(let audio, let transcript, let unknown):
        item.content?[index] = .inputAudio(audio: nil, transcript: transcript, unknown: unknown)
        guard let audio else {
          guard transcript != nil else { throw .missingRequiredParameter(param + ".audio") }
          continue
        }
        do {
          let payload = try AudioPayload.standard(from: audio, bytesPerSample: 1)
          if transcript == nil { recordings.append((index, String(buffer: payload.base64))) }
        } catch {
          throw .invalidValue(param: param + ".audio", because: error.message)
        }
      case .inputImage:
        throw .unsupported("The local engine takes no images.", param: param + ".type")
      case .unknown:
        throw .unsupported("The local engine takes no such content.", param: param + ".type")
      }
    }
    return recordings
  }

  private mutating func truncate(
    _ itemID: String, contentIndex: Int, audioEndMs: Int, port: inout Port
  ) throws(EventFault) {
    guard let item = conversation.item(itemID) else { throw .truncateOfUnknownItem(itemID) }
    let isOpen = itemID == timeline.openItemID
    let isSpoken = if case .outputAudio? = item.content?.first { true } else { isOpen && timeline.live?.form == .audio }
    guard item.role == .assistant, isSpoken, contentIndex == 0 else { throw .truncateOfOtherContent() }
    let length = isOpen ? openAudioMs : spokenMs[itemID] ?? 0
    guard audioEndMs <= length else {
      throw .invalidValue(
        param: "audio_end_ms",
        because: "Audio content of \(length)ms is already shorter than \(audioEndMs)ms.")
    }
    if isOpen {
      truncations[itemID] = audioEndMs
    } else {
      cut(itemID, toMs: audioEndMs)
    }
    port.emit(.conversationItemTruncated(itemID: itemID, contentIndex: contentIndex, audioEndMs: audioEndMs))
  }

  /// Leaves in the mirror, and so in what the model is told, about as many words as were heard.
  mutating func cut(_ itemID: String, toMs endMs: Int) {
    guard let length = spokenMs[itemID] else { return }
    conversation.truncate(itemID, toMs: endMs, ofMs: length)
    spokenMs[itemID] = endMs
  }

  // MARK: Responses

  private mutating func createResponse(
    _ options: ResponseOptions?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    try checkInput(of: options)
    try noteIgnored(options, port: &port)
    guard options?.isOutOfBand == true else {
      if let live = timeline.live { throw .activeResponse(live.id) }
      // Without turn detection, what is not committed is not heard: the client means it to be (R184).
      if session.audio.input.turnDetection == nil, options?.input == nil,
        heardMs - turnsEndMs >= Limits.shortestCommitMs
      {
        try commit(port: &port)
      }
      return begin(options, at: now, port: &port)
    }
    guard side.count < Limits.sideResponses else {
      throw .tooMuchHeld(
        "\(Limits.sideResponses) responses outside of the conversation are open already.", param: "response")
    }
    var timeline = ResponseTimeline(besideConversation: &port)
    timeline.begin(
      form: form(of: options), session: session, options: effective(options), conversation: conversation, port: &port)
    guard let live = timeline.live else { return }
    // Only what is given in full needs none of the words that are still being recognised.
    let needsConversation = options?.input?.contains { $0.type == .itemReference } ?? true
    let answer = Answer(id: live.id, options: options, isWaiting: needsConversation && !pending.isEmpty)
    side.append((timeline, answer))
    if !answer.isWaiting { send(.answer(request(for: answer)), port: &port) }
  }

  /// An item that is named must be there before anything begins, and what only an item can bring along is refused.
  private func checkInput(of options: ResponseOptions?) throws(EventFault) {
    for (index, item) in (options?.input ?? []).enumerated() {
      let param = "response.input[\(index)]"
      if item.type == .itemReference {
        guard let id = item.id, conversation.item(id) != nil else {
          throw .invalidValue(param: param + ".id", because: "the conversation has no item with this id.")
        }
      }
      for (part, content) in (item.content ?? []).enumerated() where content.text == nil {
        throw .unsupported(
          "The local engine takes text and transcripts as the input of one response; recordings as conversation items.",
          param: param + ".content[\(part)].type")
      }
    }
  }

  private mutating func cancelResponse(
    _ responseID: String?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    if let responseID, let index = side.firstIndex(where: { $0.answer.id == responseID }) {
      send(.cancel(response: responseID), port: &port)
      side[index].timeline.finish(.cancelledByClient, usage: nil, &conversation, port: &port)
      side.remove(at: index)
      return
    }
    guard let live = timeline.live, responseID == nil || responseID == live.id else { throw .noActiveResponse() }
    end(.cancelledByClient, at: now, port: &port)
    answerIfPossible(at: now, port: &port)
  }
}
