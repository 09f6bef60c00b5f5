public import Envelope
public import Translation

import Audio
import NIOCore

// What the client says.

extension GeminiLiveTranslator {
  public mutating func clientEvent(
    _ event: IncomingEvent, at now: Instant, port: inout Port
  ) throws(EventFault) {
    try perform(event, at: now, port: &port)
    renewIfPossible(at: now, port: &port)
  }

  private mutating func perform(_ event: IncomingEvent, at now: Instant, port: inout Port) throws(EventFault) {
    switch try ClientEvent.decode(event.value).body {
    case .sessionUpdate(let patch):
      try update(patch, eventID: event.header.eventID, at: now, port: &port)
    case .inputAudioBufferAppend:
      break  // The audio lane's; the session never passes one on as a control event.
    case .inputAudioBufferCommit:
      try commit(at: now, port: &port)
    case .inputAudioBufferClear:
      clearInput(port: &port)
    case .outputAudioBufferClear:
      try clearOutput(at: now, port: &port)
    case .conversationItemCreate(let item, let previousItemID):
      try create(item, after: previousItemID, at: now, port: &port)
    case .conversationItemRetrieve(let itemID):
      guard let item = conversation.item(itemID) else { throw .retrieveOfUnknownItem(itemID) }
      port.emit(.conversationItemRetrieved(item: item))
    case .conversationItemTruncate(let itemID, let contentIndex, let audioEndMs):
      try truncate(itemID, contentIndex: contentIndex, audioEndMs: audioEndMs, port: &port)
    case .conversationItemDelete(let itemID):
      try delete(itemID, at: now, port: &port)
    case .responseCreate(let options):
      try createResponse(options, at: now, port: &port)
    case .responseCancel(let responseID):
      try cancelResponse(responseID, at: now, port: &port)
    }
  }

  /// For WebRTC and SIP calls; whoever sends it here wants silence.
  private mutating func clearOutput(at now: Instant, port: inout Port) throws(EventFault) {
    guard let id = timeline.live?.id else {
      throw .unsupported("No response is being spoken.", param: "type")
    }
    try cancelResponse(nil, at: now, port: &port)
    port.emit(.outputAudioBufferCleared(responseID: id))
  }

  // MARK: Items

  mutating func create(
    _ item: Item, after position: Patch<String>, at now: Instant, port: inout Port
  ) throws(EventFault) {
    var item = item
    item.id = item.id ?? port.ids.next(.item)
    item.status = .completed
    item.object = "realtime.item"
    let audio = try checkContent(of: &item)
    try checkCall(of: item)
    try pending.checkRoom(for: item)
    guard buffered.byteCount + pending.audioByteCount + (audio?.byteCount ?? 0) <= Limits.bufferedBytes else {
      throw .tooMuchHeld("The recordings that wait for a response hold more than ten minutes.", param: "item")
    }
    if item.role != .system { endConfiguration(at: now, port: &port) }
    let isAtEnd = isAtEnd(position)
    let previous = try conversation.insert(item, after: position)
    releaseAnswer(at: now, port: &port)
    let answered = item.type == .functionCallOutput ? tools.answer(item.callID ?? "", item.output ?? "") : nil
    if item.role == .system, setUp == nil, let id = item.id {
      systemNotes.append((id, (item.content ?? []).compactMap(\.text).joined(separator: "\n")))
    } else if !isAtEnd {
      // The service can only append: it is told the conversation anew.
      if hasBegun { contextIsStale() } else { placeInPending(item, audio, after: previous) }
    } else {
      switch answered {
      case .recorded?, .dropped?, .again?: break
      case .told(let name)?:
        var told = item
        told.name = name
        pending.append(told)
      case .unknown?, nil:
        pending.append(item, audio: audio)
      }
    }
    port.emit(.conversationItemAdded(item: item, previousItemID: previous))
    port.emit(.conversationItemDone(item: item, previousItemID: previous))
    if case .recorded? = answered, request?.awaitsResults == true { tools.resultsSinceRequest += 1 }
    if answered != nil { resultsMayBeComplete(at: now, port: &port) }
  }

  /// A result must have a call, of the service or of the history that the client brought along.
  private func checkCall(of item: Item) throws(EventFault) {
    guard item.type == .functionCallOutput else { return }
    let id = item.callID ?? ""
    let isKnown = tools.knows(id) || conversation.items.contains { $0.type == .functionCall && $0.callID == id }
    guard isKnown else {
      throw EventFault(
        code: "invalid_call_id", message: "No function call of this conversation has this id.", param: "item.call_id")
    }
  }

  private func isAtEnd(_ position: Patch<String>) -> Bool {
    guard case .value(let previous) = position else { return true }
    return previous == conversation.lastItemID || (previous == "root" && conversation.items.isEmpty)
  }

  /// Nothing has been sent yet: the order is that of the conversation.
  private mutating func placeInPending(_ item: Item, _ audio: ManualAudio?, after previous: String?) {
    var entries = pending.take()
    let index = entries.firstIndex { $0.item.id == previous }.map { $0 + 1 } ?? 0
    entries.insert(.init(item: item, audio: audio), at: index)
    pending.putBack(entries)
  }

  /// Refuses what cannot be sent, and takes the sound of a recording out of the item: the mirror keeps words.
  private func checkContent(of item: inout Item) throws(EventFault) -> ManualAudio? {
    switch item.type {
    case .message, .functionCall, .functionCallOutput: break
    default:
      throw .unsupported(
        "Only messages, function calls and their outputs are supported with this provider.", param: "item.type")
    }
    var recording: ManualAudio?
    for (index, part) in (item.content ?? []).enumerated() {
      let param = "item.content[\(index)]"
      switch part {
      case .inputText, .outputText, .outputAudio: continue
      case .inputImage(let url, _, _):
        guard let image = DataURL(url) else {
          throw .unsupported("An image must be a data URL of base64 here.", param: param + ".image_url")
        }
        guard ["image/jpeg", "image/png"].contains(image.mimeType) else {
          throw .unsupported("Only JPEG and PNG images are supported with this provider.", param: param + ".image_url")
        }
        guard (try? AudioPayload.standard(from: image.base64, bytesPerSample: 1)) != nil else {
          throw .invalidValue(param: param + ".image_url", because: "the data is not base64.")
        }
      case .inputAudio(let audio, let transcript, let unknown):
        item.content?[index] = .inputAudio(audio: nil, transcript: transcript, unknown: unknown)
        guard let audio, transcript == nil else {
          if transcript == nil { throw .missingRequiredParameter(param + ".audio") }
          continue
        }
        let sound = try sound(of: audio, param: param + ".audio")
        recording?.append(sound)
        if recording == nil { recording = sound }
      case .unknown:
        throw .unsupported("This provider takes no such content.", param: param + ".type")
      }
    }
    return recording
  }

  /// All sound of an item has the rate of the session's input.
  private func sound(of audio: String, param: String) throws(EventFault) -> ManualAudio {
    let format = session.audio.input.format
    if let samples = try RecordingFile.samples(
      of: audio, rate: format.rate, param: param, decodingBy: configuration.decodeRecording)
    {
      let count = samples.withUnsafeReadableBytes { Base64.standardPayload($0) } ?? 0
      return Self.sound(of: samples, decodedByteCount: count, .pcm(rate: format.rate))
    }
    do {
      let payload = try AudioPayload.standard(from: audio, bytesPerSample: bytesPerSample)
      return Self.sound(of: payload.base64, decodedByteCount: payload.decodedBytes, format)
    } catch {
      throw .invalidValue(param: param, because: error.message)
    }
  }

  private static func sound(of base64: ByteBuffer, decodedByteCount: Int, _ format: AudioFormat) -> ManualAudio {
    var lane = UplinkAudio(format)
    var sound = ManualAudio(rate: lane.rate)
    lane.append(base64, decodedByteCount: decodedByteCount) { sound.append($0) }
    lane.flush { sound.append($0) }
    return sound
  }

  private mutating func delete(_ itemID: String, at now: Instant, port: inout Port) throws(EventFault) {
    guard itemID != timeline.openItemID else {
      throw .invalidValue(param: "item_id", because: "the item is still being spoken; cancel its response first.")
    }
    let item = conversation.item(itemID)
    guard conversation.remove(itemID) else { throw .deleteOfUnknownItem(itemID) }
    spoken.forget(itemID)
    // Nobody will answer a call that is gone.
    if item?.type == .functionCall, let callID = item?.callID { _ = tools.answer(callID, "withdrawn") }
    if let index = systemNotes.firstIndex(where: { $0.itemID == itemID }) {
      systemNotes.remove(at: index)
      if isSettled { wantUpdate(eventID: nil, at: now) }
    } else if !pending.remove(itemID) {
      if speech?.itemID == itemID { forgetSpeech() }
      request?.entries.removeAll { $0.item.id == itemID }
      contextIsStale()
    }
    port.emit(.conversationItemDeleted(itemID: itemID))
    if item?.type == .functionCall { resultsMayBeComplete(at: now, port: &port) }
  }

  /// The service believes that all it sent was heard: it is told the conversation anew, with what was.
  private mutating func truncate(
    _ itemID: String, contentIndex: Int, audioEndMs: Int, port: inout Port
  ) throws(EventFault) {
    guard let item = conversation.item(itemID) else { throw .truncateOfUnknownItem(itemID) }
    let isOpen = itemID == timeline.openItemID
    let isSpoken = if case .outputAudio? = item.content?.first { true } else { isOpen && timeline.live?.form == .audio }
    guard item.role == .assistant, isSpoken, contentIndex == 0 else { throw .truncateOfOtherContent() }
    let length = isOpen ? spoken.openMs : spoken.length(of: itemID)
    if let length, audioEndMs > length {
      throw .invalidValue(
        param: "audio_end_ms", because: "Audio content of \(length)ms is already shorter than \(audioEndMs)ms.")
    }
    if isOpen {
      spoken.cut(open: itemID, toMs: audioEndMs)
      contextIsStale()
    } else if let length, audioEndMs < length {
      conversation.truncate(itemID, toMs: audioEndMs, ofMs: length)
      spoken.cut(itemID, toMs: audioEndMs)
      contextIsStale()
    }
    port.emit(.conversationItemTruncated(itemID: itemID, contentIndex: contentIndex, audioEndMs: audioEndMs))
  }
}
