import Audio
import Envelope
public import NIOCore
public import Translation

// What the service says.

extension WireTranslator {
  public mutating func upstreamMessage(
    _ message: ByteBuffer, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    let frame = message.withUnsafeReadableBytes { bytes in
      traits.vocabulary == .ga
        ? EventReader.readServer(bytes) : EventReader.readServer(bytes, audioType: "response.audio.delta")
    }
    if case .audioDelta(let delta) = frame, deliver(delta, message, at: now, port: &port) { return }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: message)
    } catch {
      throw .malformedMessage("not JSON: \(error)")
    }
    guard var event = value.object else { throw .malformedMessage("no JSON object") }
    if traits.vocabulary == .beta { event = BetaWire.serverEvent(toGA: event) }
    guard let type = event["type"]?.string else {
      guard event["errorType"] != nil else { throw .malformedMessage("an event without a type") }
      if connection == .settingUp, traits.awaitsUpdated {
        // A call that is to be saved waits for a place: the old connection may still have it.
        if hasWorked, tryAgain(at: now, port: &port) { return }
        throw .refused(Self.verdict(EventMender.error(from: event)))
      }
      return refused(event, at: now, port: &port)
    }
    if type != "error" { isGreeted = true }
    if type != "error", connection == .ready { hasWorked = true }
    switch type {
    case "session.created", "transcription_session.created": greeted(event["session"])
    case "session.updated", "transcription_session.updated": confirmed(event, at: now, port: &port)
    case "error": refused(event, at: now, port: &port)
    case "conversation.created" where !traits.isNative: conversationBegan(event["conversation"]?["id"]?.string)
    default: told(event, message, isUntouched: traits.vocabulary == .ga, at: now, port: &port)
    }
  }

  // MARK: Everything else

  private mutating func told(
    _ event: JSONObject, _ message: ByteBuffer, isUntouched: Bool, at now: Instant, port: inout Port
  ) {
    var event = event
    var isUntouched = isUntouched
    if !traits.isNative {
      if isOfThePast(event) { return }
      isUntouched = !nameDeletion(&event) && isUntouched
    }
    if !awaited.isEmpty || !keptTurns.isEmpty { learnTurn(from: event) }
    if !traits.isNative, !awaited.isEmpty || !toldAgain.isEmpty { learnID(from: event) }
    if !itemIDs.isEmpty { isUntouched = !rename(&event) && isUntouched }
    if hearing.connectionStartMs != 0 { isUntouched = !shift(&event) && isUntouched }
    let hasUsage = Self.hasUsage(event)
    switch mender.mend(event, session: session, ids: &port.ids) {
    case .untouched:
      guard observe(event, hasUsage: hasUsage, port: &port) else { break }
      if isUntouched, download == nil {
        meterTold(event, port: &port)
        port.outbox.downstream.append(Self.lane(of: event)) { $0.writeImmutableBuffer(message) }
      } else {
        show(event, port: &port)
      }
    case .events(let events):
      for event in events where observe(event, hasUsage: hasUsage, port: &port) { show(event, port: &port) }
    }
    if hasUsage { meterLate(event, port: &port) }
    awaitTranscript(event["type"]?.string, at: now)
    turnsEnded(at: now, port: &port)
  }

  /// A transcript that may grow is final when nothing more comes of it.
  private mutating func awaitTranscript(_ type: String?, at now: Instant) {
    guard mender.awaitsTranscript else { return transcriptAt = nil }
    let isOfTranscript = type?.hasPrefix("conversation.item.input_audio_transcription.") == true
    if isOfTranscript || transcriptAt == nil { transcriptAt = now + Limits.transcriptTimeout }
  }

  mutating func transcriptTimeout(port: inout Port) {
    transcriptAt = nil
    for event in mender.endTranscripts() where observe(event, port: &port) { tell(event, port: &port) }
  }

  private mutating func show(_ event: JSONObject, port: inout Port) {
    guard download != nil else { return tell(event, port: &port) }
    switch event["type"]?.string {
    case "response.output_audio.delta":
      if let recoded = recoded(event) { tell(recoded, port: &port) }
    case "response.output_audio.done", "response.output_audio_transcript.done":
      // Some services end the words first: then the sound is whole, too.
      if let rest = codingRest() {
        var delta: JSONObject = ["type": "response.output_audio.delta", "delta": .string(rest)]
        for key in ["response_id", "item_id", "output_index", "content_index"] { delta[key] = event[key] }
        tell(delta, port: &port)
      }
      tell(event, port: &port)
    default:
      tell(event, port: &port)
    }
  }

  /// Positions in the connection's audio as positions in the client's.
  private func shift(_ event: inout JSONObject) -> Bool {
    var isChanged = false
    for key in ["audio_start_ms", "audio_end_ms"] where event["type"]?.string != "conversation.item.truncated" {
      guard let position = event[key]?.milliseconds else { continue }
      event[key] = .number(JSONNumber(position + hearing.connectionStartMs))
      isChanged = true
    }
    return isChanged
  }

  // MARK: The mirror

  /// Learns from an event what the mirror needs, and what it costs. False where the client is not to see it.
  ///
  /// - Parameter hasUsage: the usage in it is the service's own word.
  mutating func observe(_ event: JSONObject, hasUsage: Bool = false, port: inout Port) -> Bool {
    guard let type = event["type"]?.string.flatMap(ServerEventType.init(rawValue:)) else { return true }
    meterEvent(type, event, hasUsage: hasUsage, port: &port)
    observeInterruption(type, event, port: &port)
    switch type {
    case .conversationItemAdded, .conversationItemCreated, .conversationItemDone:
      return observeItem(event, isDone: type == .conversationItemDone)
    case .conversationItemDeleted:
      if let id = event["item_id"]?.string { wasDeleted(id) }
    case .conversationItemTruncated:
      guard let id = event["item_id"]?.string else { return true }
      // What is carried out here too was acknowledged here.
      if traits.truncation == .both { return false }
      let bytes = spokenFormat.bytesPerMillisecond
      let endMs = event["audio_end_ms"]?.milliseconds ?? 0
      conversation.truncate(id, toMs: endMs, ofMs: speech.length(of: id, bytesPerMillisecond: bytes))
      speech.cut(id, toMs: endMs)
    case .inputAudioTranscriptionCompleted, .inputAudioTranscriptionDelta, .inputAudioTranscriptionFailed:
      guard let id = event["item_id"]?.string else { return true }
      if id == hearing.heardAgainItemID, conversation.item(id)?.spokenWords != nil { return false }
      if let text = event["transcript"]?.string { remember(text, of: id) }
      return recordedItems[id] == nil
    case .inputAudioBufferSpeechStarted:
      guard observeUntold(event["item_id"]?.string, isStart: true), observeSpeech(event, port: &port) else {
        return false
      }
      port.interrupted(.speech)
    case .inputAudioBufferSpeechStopped:
      let stopMs = event["audio_end_ms"]?.milliseconds
      guard observeUntold(event["item_id"]?.string, isStart: false), hearing.speechStopped(atMs: stopMs) else {
        return false
      }
    case .inputAudioBufferCommitted, .inputAudioBufferTimeoutTriggered:
      return observeCommit()
    case .responseCreated:
      hearing.answerBegan()
      idleAt = nil
      if let index = awaited.firstIndex(where: { $0.kind == .response && $0.isSent }) { awaited.remove(at: index) }
    case .responseContentPartAdded:
      if let id = event["item_id"]?.string {
        speech.close(bytesPerMillisecond: spokenFormat.bytesPerMillisecond)
        speech.began(id)
      }
    case .responseOutputAudioDelta:
      // The audio lane's are counted there.
      return observeSound(event)
    case .responseDone:
      idlePlaybackMs = speech.openMilliseconds(
        bytesPerMillisecond: spokenFormat.bytesPerMillisecond)
      speech.close(bytesPerMillisecond: spokenFormat.bytesPerMillisecond)
      if event["response"]?["status"]?.string != "failed" { schedule.succeeded() }
    default:
      break
    }
    return true
  }

  private mutating func observeItem(_ event: JSONObject, isDone: Bool) -> Bool {
    guard let value = event["item"], let id = value["id"]?.string,
      var item = try? JSONCoding.decode(Item.self, from: value)
    else { return true }
    if let index = awaited.firstIndex(where: { $0.kind == .item(id: id) || $0.kind == .item(id: nil) && $0.isSent }),
      item.role != .assistant
    {
      awaited.remove(at: index)
    }
    if hiddenItems.contains(id) {
      if isDone { hiddenItems.remove(id) }
      return false
    }
    item.content = item.content?.map(\.withoutAudio)
    if let known = conversation.item(id) {
      // The words came before the item's last form.
      if item.spokenWords == nil, let words = known.spokenWords { item = item.saying(words) }
      conversation.replace(item)
    } else {
      _ = try? conversation.insert(item, after: event["previous_item_id"]?.string.map { .value($0) } ?? .absent)
    }
    return true
  }

  /// Some services do not say which item they have deleted: the one that was to be deleted first.
  private func nameDeletion(_ event: inout JSONObject) -> Bool {
    guard event["type"] == "conversation.item.deleted", event["item_id"]?.string?.isEmpty ?? true else { return false }
    for entry in awaited where entry.isSent {
      guard case .deletion(let id) = entry.kind else { continue }
      event["item_id"] = .string(id)
      return true
    }
    return false
  }

  private mutating func wasDeleted(_ id: String) {
    _ = conversation.remove(id)
    itemIDs.removeAll { $0 == id }
    if let index = awaited.firstIndex(where: { $0.kind == .deletion(id: id) }) { awaited.remove(at: index) }
  }

  private mutating func remember(_ transcript: String, of id: String) {
    guard let item = conversation.item(id) else { return }
    conversation.replace(item.saying(transcript))
  }
}

extension Item {
  /// What the user said in it, where that is known.
  fileprivate var spokenWords: String? {
    for case .inputAudio(_, let transcript?, _) in content ?? [] { return transcript }
    return nil
  }

  fileprivate func saying(_ words: String) -> Item {
    var item = self
    item.content = content?.map { part in
      guard case .inputAudio(let audio, _, let unknown) = part else { return part }
      return .inputAudio(audio: audio, transcript: words, unknown: unknown)
    }
    return item
  }
}

extension ContentPart {
  fileprivate var withoutAudio: ContentPart {
    switch self {
    case .inputAudio(_, let transcript, let unknown): .inputAudio(audio: nil, transcript: transcript, unknown: unknown)
    case .outputAudio(_, let transcript, let unknown):
      .outputAudio(audio: nil, transcript: transcript, unknown: unknown)
    case .inputText, .inputImage, .outputText, .unknown: self
    }
  }
}
