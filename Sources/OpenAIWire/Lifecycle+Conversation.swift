import Envelope

// The conversation's items and the user's turns.

extension Lifecycle {
  // MARK: Items

  /// `conversation.item.added`.
  mutating func itemAdded(_ event: JSONObject) {
    guard let item = event["item"]?.object, let id = item["id"]?.string, !input.isKnown(id) else { return }
    if let place = place(ofItem: id) { return announce(place, with: event) }
    // What is being said is no item until it is committed.
    if isSpeech(item), item["status"] == "in_progress", !input.isCommitted(id) {
      return input.hold(added: event, of: id)
    }
    if isOfResponse(item) {
      guard item["status"] != "in_progress" else {
        // Its response makes it known.
        guard let live, let place = output(item, in: live) else { return }
        return announce(place, with: event)
      }
    }
    tellItem(event, item, id)
    if item["status"] != "in_progress" { tellDone(id) }
  }

  /// Ends the item that was told last.
  private mutating func tellDone(_ id: String) {
    guard var done = told.last else { return }
    done["type"] = "conversation.item.done"
    done.removeValue(forKey: "event_id")
    input.done(id)
    told.append(done)
  }

  private func isSpeech(_ item: JSONObject) -> Bool {
    item["role"] == "user" && item["content"]?.array?.contains { $0["type"] == "input_audio" } == true
  }

  private func isOfResponse(_ item: JSONObject) -> Bool {
    item["role"] == "assistant" || item["type"] == "function_call" || item["type"] == "mcp_call"
  }

  /// Tells of an item that is no response's.
  private mutating func tellItem(_ event: JSONObject, _ item: JSONObject, _ id: String) {
    let content = item["content"]?.array ?? []
    // The client may have created it: then it was never in the buffer.
    if content.contains(where: { $0["type"] == "input_audio" }), input.maySpeak(id) {
      // This is its last form, and comes after the commit.
      let words = input.takeEarly(id).words
      commit(id)
      if let words { told.append(words) }
    }
    var event = event
    event["type"] = "conversation.item.added"
    // The result of a call follows the call.
    let isPlausible =
      event["previous_item_id"]?.string.map(input.isKnown) ?? (item["type"] != "function_call_output")
    if !isPlausible, let last = input.lastItemID { event["previous_item_id"] = .string(last) }
    input.added(id)
    let words = content.compactMap { $0["text"]?.string } + [item["output"]?.string ?? ""]
    for text in words { estimate.read(text) }
    told.append(event)
  }

  /// `conversation.item.done`.
  mutating func itemDone(_ event: JSONObject) {
    guard let item = event["item"]?.object, let id = item["id"]?.string, !input.isDone(id) else { return }
    if let place = place(ofItem: id) { return itemDone(place, item, with: event) }
    if !input.isKnown(id) {
      if isOfResponse(item), let live, let place = output(item, in: live) {
        return itemDone(place, item, with: event)
      }
      var added = event
      added.removeValue(forKey: "event_id")
      tellItem(added, item, id)
    }
    input.done(id)
    told.append(event)
  }

  mutating func itemDeleted(_ event: JSONObject) {
    guard let id = event["item_id"]?.string else { return }
    input.deleted(id)
    told.append(event)
  }

  // MARK: Turns

  mutating func speechStarted(_ event: JSONObject) {
    guard let id = event["item_id"]?.string, input.started(id, atMs: event["audio_start_ms"]?.milliseconds ?? 0) else {
      return
    }
    told.append(event)
  }

  mutating func speechStopped(_ event: JSONObject) {
    guard let id = event["item_id"]?.string, input.stopped(id, atMs: event["audio_end_ms"]?.milliseconds ?? 0) else {
      return
    }
    told.append(event)
  }

  /// The item's audio is committed, if it is not yet.
  ///
  /// - Parameter committed: the provider's event.
  mutating func commit(_ id: String, with committed: JSONObject? = nil) {
    guard input.committed(id) else { return }
    var event = committed ?? ["type": "input_audio_buffer.committed", "item_id": .string(id)]
    // It follows what there is, also where the provider says nothing or null.
    if event["previous_item_id"]?.string.map(input.isKnown) != true {
      event["previous_item_id"] = input.lastItemID.flatMap { $0 == id ? nil : .string($0) } ?? .null
    }
    told.append(event)
    let early = input.takeEarly(id)
    if var added = early.added, var item = added["item"]?.object {
      item["status"] = "completed"
      item["content"] = [["type": "input_audio", "transcript": .null]]
      added["item"] = .object(item)
      added["previous_item_id"] = event["previous_item_id"]
      tellItem(added, item, id)
      tellDone(id)
    }
    if let words = early.words { told.append(words) }
  }

  /// `input_audio_buffer.cleared`: what was being said is not said.
  mutating func bufferCleared(_ event: JSONObject) {
    if let id = input.speakingItemID { _ = input.takeEarly(id) }
    told.append(event)
  }

  // MARK: Transcripts

  mutating func transcriptDelta(_ event: JSONObject) {
    guard let id = event["item_id"]?.string, !input.isTranscribed(id) else { return }
    speechWasHeard(id)
    input.transcribed(event["delta"]?.string ?? "", of: id)
    tellWords(event, of: id)
  }

  /// Some services hear the words before the turn is over; the client learns them when its audio is committed.
  private mutating func tellWords(_ delta: JSONObject, of id: String) {
    guard input.isCommitted(id) || input.isKnown(id) else { return input.hold(words: delta, of: id) }
    commit(id)
    told.append(delta)
  }

  /// A transcript as far as it goes.
  mutating func transcriptSoFar(_ event: JSONObject) {
    guard let id = event["item_id"]?.string, !input.isTranscribed(id) else { return }
    speechWasHeard(id)
    guard let transcript = (event["transcript"] ?? event["text"] ?? event["delta"])?.string,
      let growth = input.growth(of: id, to: transcript)
    else { return }
    var delta: JSONObject = [
      "type": "conversation.item.input_audio_transcription.delta", "item_id": .string(id),
      "content_index": event["content_index"]?.int.map { .number(JSONNumber($0)) } ?? 0, "delta": .string(growth),
    ]
    delta["event_id"] = event["event_id"]?.string.map(JSONValue.string)
    tellWords(delta, of: id)
  }

  /// Who interrupts an answer has begun to speak, whether the service says so yet or not.
  private mutating func speechWasHeard(_ id: String) {
    guard rules.announcesSpeechLate, live != nil, session?.audio.input.turnDetection != nil, !input.isKnown(id),
      !input.isCommitted(id)
    else { return }
    speechStarted([
      "type": "input_audio_buffer.speech_started", "audio_start_ms": .number(JSONNumber(input.heardMs)),
      "item_id": .string(id),
    ])
  }

  var awaitsTranscript: Bool { input.growing.contains { input.isCommitted($0) || input.isKnown($0) } }

  /// Tells the final transcripts that may have grown; what is not committed has time.
  mutating func endTranscripts(but open: String? = nil) {
    for id in input.growing where id != open && (input.isCommitted(id) || input.isKnown(id)) {
      guard let event = input.final(of: id) else { continue }
      commit(id)
      input.transcribed(id)
      told.append(event)
    }
  }

  /// The first final one of an item is told.
  mutating func transcriptDone(_ event: JSONObject, isFinal: Bool) {
    guard let id = event["item_id"]?.string, !input.isTranscribed(id) else { return }
    guard isFinal else { return transcriptSoFar(event) }
    guard !rules.repeatsTranscripts else {
      var words = event
      words.removeValue(forKey: "event_id")
      transcriptSoFar(words)
      return input.hold(final: event, of: id)
    }
    commit(id)
    input.transcribed(id)
    told.append(event)
  }

  mutating func transcriptFailed(_ event: JSONObject) {
    guard let id = event["item_id"]?.string, !input.isTranscribed(id) else { return }
    commit(id)
    input.transcribed(id)
    told.append(event)
  }
}
