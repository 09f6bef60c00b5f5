public import Envelope
public import Translation

import Audio
import NIOCore

extension GeminiLiveTranslator {
  public mutating func clientEvent(
    _ event: IncomingEvent, at now: Instant, port: inout Port
  ) throws(EventFault) {
    let decoded = try ClientEvent.decode(event.value)
    switch decoded.body {
    case .sessionUpdate(let patch):
      try update(patch, port: &port)
    case .inputAudioBufferAppend:
      break  // The audio lane's; the session never passes one on as a control event.
    case .inputAudioBufferCommit:
      try commit(port: &port)
    case .inputAudioBufferClear:
      buffered = ManualAudio()
      turn.heardByteCount = 0
      port.emit(.inputAudioBufferCleared)
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
      guard conversation.remove(itemID) else { throw .deleteOfUnknownItem(itemID) }
      if let index = pending.firstIndex(where: { $0.id == itemID }) {
        pendingByteCount -= pending.remove(at: index).encodedByteCount
      }
      port.emit(.conversationItemDeleted(itemID: itemID))
    case .responseCreate(let options):
      try createResponse(options, at: now, port: &port)
    case .responseCancel(let responseID):
      try cancelResponse(responseID, at: now, port: &port)
    }
  }

  // MARK: Configuration

  /// Applies a partial update. What the service was set up with cannot change afterwards.
  private mutating func update(_ patch: SessionPatch, port: inout Port) throws(EventFault) {
    var updated = try patch.applied(to: session)
    try ModelName.check(updated.model)
    updated.model = Self.knownModel(updated.model, configuration)
    try Self.check(updated)
    note(ignored: Self.makeEffective(&updated), port: &port)
    if isSettled { try refuseLateChange(from: session, to: updated) }
    session = updated
    port.emit(.sessionUpdated(session))
  }

  /// Compares what the set-up would be: a change that does not show there is free.
  private func refuseLateChange(
    from old: RealtimeSession, to new: RealtimeSession
  ) throws(EventFault) {
    if old.model != new.model { throw .cannotUpdate("session.model") }
    let before = Uplink.setup(old, model: model, traits: traits)
    let after = Uplink.setup(new, model: model, traits: traits)
    guard before != after else { return }
    if before.systemInstruction != after.systemInstruction { throw .cannotUpdate("session.instructions") }
    if before.generationConfig.speechConfig != after.generationConfig.speechConfig {
      throw .cannotUpdate("session.audio.output.voice")
    }
    if before.generationConfig != after.generationConfig { throw .cannotUpdate("session.max_output_tokens") }
    if before.realtimeInputConfig != after.realtimeInputConfig {
      throw .cannotUpdate("session.audio.input.turn_detection")
    }
    if before.inputAudioTranscription != after.inputAudioTranscription {
      throw .cannotUpdate("session.audio.input.transcription")
    }
    throw .cannotUpdate("session.truncation")
  }

  // MARK: Audio

  public mutating func clientAudio(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault) {
    if isManual {
      guard buffered.byteCount + committed.byteCount + chunk.decodedByteCount <= Limits.bufferedBytes else {
        throw .tooMuchHeld("The input audio buffer holds ten minutes of audio, which is all it can.", param: "audio")
      }
      clock.append(bytes: chunk.decodedByteCount)
      buffered.append(chunk.base64)
      return
    }
    clock.append(bytes: chunk.decodedByteCount)
    if !pending.isEmpty, traits.takesContextAnytime, !timeline.isLive, request == nil { sendContext(port: &port) }
    turn.heardByteCount += chunk.decodedByteCount
    if chunk.base64.readableBytes <= Limits.audioPieceCharacters {
      port.send(.audio) { Uplink.writeAudio(chunk.base64, into: &$0) }
    } else {
      var rest = chunk.base64
      while let piece = rest.readSlice(length: min(Limits.audioPieceCharacters, rest.readableBytes)),
        piece.readableBytes > 0
      {
        port.send(.audio) { Uplink.writeAudio(piece, into: &$0) }
      }
    }
  }

  private mutating func commit(port: inout Port) throws(EventFault) {
    let milliseconds = isManual ? buffered.milliseconds : turn.heardMilliseconds
    guard milliseconds >= Limits.shortestCommitMilliseconds else {
      throw .bufferTooSmall(milliseconds: Double(milliseconds))
    }
    if isManual {
      committed.append(buffered)
      buffered = ManualAudio()
      finishSpeech(port: &port)
      speech = SpeechTurn(committedByClient: milliseconds, port: &port)
    } else {
      turn.isCommitted = true
      turn.heardByteCount = 0
      send(Uplink.audioStreamEnd, port: &port)
      if speech == nil || speech?.isCommitted == true {
        finishSpeech(port: &port)
        speech = SpeechTurn(committedByClient: milliseconds, port: &port)
      }
      speech?.stop(atMs: clock.milliseconds, port: &port)
    }
    speech?.commit(&conversation, port: &port)
  }

  // MARK: Items

  private mutating func create(
    _ item: Item, after position: Patch<String>, port: inout Port
  ) throws(EventFault) {
    guard item.type == .message, let role = item.role else {
      throw .unsupported("Only message items are supported with this provider.", param: "item.type")
    }
    for (index, part) in (item.content ?? []).enumerated() {
      switch part {
      case .inputText, .outputText: continue
      default:
        throw .unsupported(
          "Only text is supported in items with this provider.", param: "item.content[\(index)].type")
      }
    }
    if case .value(let previous) = position, previous != conversation.lastItemID {
      guard previous == "root", conversation.items.isEmpty else {
        throw .unsupported("This provider can only append items.", param: "previous_item_id")
      }
    }
    var item = item
    item.id = item.id ?? port.ids.next(.item)
    item.role = role
    item.status = .completed
    item.object = "realtime.item"
    let byteCount = item.encodedByteCount
    guard pendingByteCount + byteCount <= Limits.pendingBytes else {
      throw .tooMuchHeld("The items that wait for a response hold more than the provider can take.", param: "item")
    }
    let previous = try conversation.insert(item, after: position)
    pending.append(item)
    pendingByteCount += byteCount
    port.emit(.conversationItemAdded(item: item, previousItemID: previous))
    port.emit(.conversationItemDone(item: item, previousItemID: previous))
  }

  /// The service keeps believing that all it sent was heard; the mirror forgets the words, as the service of the
  /// envelope does.
  private mutating func truncate(
    _ itemID: String, contentIndex: Int, audioEndMs: Int, port: inout Port
  ) throws(EventFault) {
    guard var item = conversation.item(itemID) else { throw .truncateOfUnknownItem(itemID) }
    guard item.role == .assistant,
      case .outputAudio? = item.content?.first ?? .outputAudio(audio: nil, transcript: nil),
      contentIndex == 0
    else { throw .truncateOfOtherContent() }
    if item.status != .inProgress {
      item.content = [.outputAudio(audio: nil, transcript: "")]
      conversation.replace(item)
    }
    port.emit(
      .conversationItemTruncated(itemID: itemID, contentIndex: contentIndex, audioEndMs: audioEndMs))
  }

  // MARK: Responses

  private mutating func createResponse(
    _ options: ResponseOptions?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    releaseAnswer(port: &port)
    if timeline.isLive || request != nil {
      throw .activeResponse(timeline.live?.id ?? "(about to begin)")
    }
    try Self.check(options)
    let options = effective(options, port: &port)
    var request = Request(options: options, deadline: now + Limits.answerTimeout)
    let heardAudio = turn.isCommitted || turn.heardMilliseconds >= Limits.shortestCommitMilliseconds
    if isManual, buffered.milliseconds >= Limits.shortestCommitMilliseconds { try commit(port: &port) }
    if isManual, !committed.isEmpty {
      sendContext(instructions: options?.instructions, port: &port)
      send(Uplink.activityStart, port: &port)
      committed.drain { base64 in port.send(.audio) { Uplink.writeAudio(base64, into: &$0) } }
      send(Uplink.activityEnd, port: &port)
      turn.isCommitted = true
    } else if pending.isEmpty, !turn.hasOpenContext, !isManual, heardAudio, options?.instructions == nil {
      // The service answers the audio by itself, if there is speech in it.
      if !turn.isCommitted { send(Uplink.audioStreamEnd, port: &port) }
      request.dependsOnAudio = true
      if connection == .ready { request.cueAt = now + Limits.answerToAudioTimeout }
    } else {
      for message in Uplink.turn(pending, instructions: options?.instructions, traits: traits) {
        send(message, port: &port)
      }
      noteUnsentRoles(port: &port)
      turn.answersText = true
      pending.removeAll()
      pendingByteCount = 0
    }
    // Nothing was said of what is discarded: whatever comes now answers this.
    if turn.discardsUnbegun { turn.discardUntil = nil }
    turn.discardsUnbegun = false
    self.request = request
  }

  private mutating func cancelResponse(
    _ responseID: String?, at now: Instant, port: inout Port
  ) throws(EventFault) {
    if let responseID, responseID != timeline.live?.id { throw .noActiveResponse() }
    guard timeline.isLive || request != nil else { throw .noActiveResponse() }
    guard turn.releaseAt == nil else { return releaseAnswer(port: &port) }  // All of it was said.
    turn.discardsUnbegun = !timeline.isLive
    if request != nil { beginAnswer(port: &port) }
    finishAnswer(.cancelledByClient, port: &port)
    turn.discardUntil = now + Limits.discardTimeout
    if traits.contentStopsGeneration { send(Uplink.stopGenerating, port: &port) }
  }
}
