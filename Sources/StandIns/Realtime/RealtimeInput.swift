import Envelope

/// The input audio buffer and the service's voice detection.
extension RealtimeStandIn {
  static let maximumAppendBytes = 15 * 1_048_576

  var inputFormat: SoundFormat { SoundFormat(session["audio"]?["input"]?["format"]) }

  /// What the silence that ends a turn lasts.
  var silence: Int {
    turnDetection?["silence_duration_ms"]?.int ?? options.silenceMilliseconds
      ?? manners.silenceMilliseconds
  }

  mutating func append(_ audio: String) throws(RealtimeFault) -> [StandInFrame] {
    guard !audio.isEmpty else { return [] }
    let format = inputFormat
    guard let bytes = StandInBase64.strictlyDecoded(audio), let samples = format.samples(bytes)
    else {
      throw .violation(
        code: "invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.",
        param: "audio")
    }
    guard bytes.count <= Self.maximumAppendBytes else {
      throw .violation(
        code: "string_above_max_length", "Invalid 'audio': more than 15 MiB.", param: "audio")
    }
    guard bytes.count >= manners.leastAppendBytes else {
      var fault = RealtimeFault.violation(
        code: nil,
        "Audio chunk of \(bytes.count) bytes is too small; at least \(manners.leastAppendBytes) are needed."
      )
      fault.type = "invalid_audio_chunk"
      fault.close = .init(code: 1_003, reason: "Invalid audio chunk")
      throw fault
    }
    if buffer.format != format { buffer = Sound(format: format) }
    buffer.bytes += bytes
    let events = detector.feed(samples, rate: format.rate)
    let frames = events.flatMap { heard($0) }
    forgetSilence()
    return frames
  }

  /// Keeps what is said next from dragging minutes of silence along.
  private mutating func forgetSilence() {
    guard turnDetection != nil, !detector.isSpeaking, buffer.milliseconds > 4_000 else { return }
    buffer.bytes.removeFirst(buffer.bytes.count - buffer.format.bytesPerSecond)
  }

  private mutating func heard(_ speech: SpeechDetector.Event) -> [StandInFrame] {
    if case .started = speech { heardSpeech = true }
    guard turnDetection != nil || manners.alwaysDetects else { return [] }
    switch speech {
    case .started(let position): return speechStarted(position)
    case .stopped(let position): return speechStopped(position)
    }
  }

  private mutating func speechStarted(_ position: Int) -> [StandInFrame] {
    activity += 1
    let id = ids.next("item")
    speechItemID = id
    let padding = turnDetection?["prefix_padding_ms"]?.int ?? 300
    let start = max(position - padding, 0)
    let isLate =
      manners.announcesSpeechLate && wantsTranscription
      && turnDetection?["type"]?.string == "semantic_vad"
      && responses.contains(where: \.isInConversation)
    guard isLate else { return announceSpeech(id, at: start) }
    lateSpeech = (id, start)
    return Array(transcriptionDeltas(id).prefix(1))
  }

  private mutating func announceSpeech(_ id: String, at position: Int) -> [StandInFrame] {
    let started = tell(
      "input_audio_buffer.speech_started",
      ["audio_start_ms": .number(JSONNumber(position)), "item_id": .string(id)])
    guard turnDetection != nil, turnDetection?["interrupt_response"]?.bool ?? true else {
      return started
    }
    return started + endActiveResponse(reason: "turn_detected")
  }

  private mutating func speechStopped(_ position: Int) -> [StandInFrame] {
    // Speech whose start was not announced (push-to-talk at that time, or committed by hand) has no end either.
    guard let id = speechItemID else { return [] }
    var frames: [StandInFrame] = []
    var words = transcriptionDeltas(id)
    if let late = lateSpeech {
      frames += announceSpeech(late.id, at: late.position)
      words.removeFirst()
      lateSpeech = nil
    }
    if manners.alwaysDetects { frames += words }
    frames += tell(
      "input_audio_buffer.speech_stopped",
      ["audio_end_ms": .number(JSONNumber(position)), "item_id": .string(id)])
    guard turnDetection != nil else { return frames }
    speechItemID = nil
    frames += commitBuffer(id: id)
    frames += (manners.alwaysDetects ? [] : words) + transcriptionEnd(id)
    guard turnDetection?["create_response"]?.bool ?? true || manners.answersAllSpeech,
      !isTranscription
    else {
      return frames
    }
    return frames + startResponse()
  }

  /// The response that the service starts by itself.
  mutating func startResponse() -> [StandInFrame] {
    do throws(RealtimeFault) {
      return try beginResponse([:])
    } catch {
      return refusal(error, eventID: nil, type: nil)
    }
  }

  mutating func commit() throws(RealtimeFault) -> [StandInFrame] {
    guard buffer.milliseconds >= 100 else {
      guard manners.refusesShortCommits else { return [] }
      let hundredths = String(Int((buffer.milliseconds * 100).rounded()) + 100)
      let length = "\((Int(hundredths) ?? 100) / 100 - 1).\(hundredths.suffix(2))"
      throw RealtimeFault(
        code: "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: buffer too small. "
          + "Expected at least 100ms of audio, but buffer only has \(length)ms of audio.")
    }
    activity += 1
    let id = speechItemID ?? ids.next("item")
    let wasSpeech = heardSpeech
    var frames: [StandInFrame] = []
    if manners.marksCommits {
      frames += tell(
        "input_audio_buffer.speech_started", ["audio_start_ms": 0, "item_id": .string(id)])
      frames += tell(
        "input_audio_buffer.speech_stopped", ["audio_end_ms": 0, "item_id": .string(id)])
    }
    if let event = detector.flush() { frames += flushed(event, id) }
    speechItemID = nil
    frames += commitBuffer(id: id)
    frames += manners.alwaysDetects && wasSpeech ? [] : transcriptionDeltas(id)
    frames += transcriptionEnd(id)
    let answers =
      switch manners.answersCommits {
      case .never: false
      case .toSpeech: wasSpeech && turnDetection == nil
      case .unlessTold: turnDetection?["create_response"]?.bool ?? true
      }
    guard answers else { return frames }
    isSoundAnswered = true
    return frames + startResponse()
  }

  /// The end of announced speech that a commit has cut.
  private mutating func flushed(_ event: SpeechDetector.Event, _ id: String) -> [StandInFrame] {
    guard manners.alwaysDetects, case .stopped(let position) = event else { return [] }
    return transcriptionDeltas(id)
      + tell(
        "input_audio_buffer.speech_stopped",
        ["audio_end_ms": .number(JSONNumber(position)), "item_id": .string(id)])
  }

  private mutating func commitBuffer(id: String) -> [StandInFrame] {
    sounds[id] = buffer
    buffer = Sound(format: buffer.format)
    heardSpeech = false
    let previous: JSONValue = items.last?["id"] ?? nil
    let committed = tell(
      "input_audio_buffer.committed", ["previous_item_id": previous, "item_id": .string(id)])
    let item: JSONObject = [
      "id": .string(id), "object": "realtime.item", "type": "message", "status": "completed",
      "role": "user",
      "content": [["type": "input_audio", "transcript": nil]],
    ]
    return committed + add(item, at: items.count)
  }

  mutating func clearBuffer() -> [StandInFrame] {
    buffer = Sound(format: buffer.format)
    _ = detector.flush()
    speechItemID = nil
    lateSpeech = nil
    heardSpeech = false
    isSoundAnswered = false
    return tell("input_audio_buffer.cleared")
  }

  // MARK: Transcription

  var spokenWords: String { phrase ?? options.transcription }

  private static let transcription = "conversation.item.input_audio_transcription"

  private mutating func transcriptionDeltas(_ id: String) -> [StandInFrame] {
    guard wantsTranscription else { return [] }
    return StandInWords.chunks(spokenWords, leadingSpace: true).flatMap { chunk in
      tell(
        Self.transcription + ".delta",
        [
          "item_id": .string(id), "content_index": 0, "delta": .string(chunk),
          "obfuscation": .string(ids.obfuscation(for: chunk)),
        ])
    }
  }

  private mutating func transcriptionEnd(_ id: String) -> [StandInFrame] {
    guard wantsTranscription else { return [] }
    let seconds = ((sounds[id]?.milliseconds ?? 0) / 1_000).rounded(.up)
    return tell(
      Self.transcription + ".completed",
      [
        "item_id": .string(id), "content_index": 0, "transcript": .string(spokenWords),
        "usage": ["type": "duration", "seconds": .number(JSONNumber(Int(seconds)))],
      ])
  }

  // MARK: Silence

  /// Waits for the user's silence where the session says so; called when a response has ended.
  mutating func awaitSilence() {
    guard let limit = turnDetection?["idle_timeout_ms"]?.int, limit > 0 else { return }
    if case .unknown = manners.idleTimeout { return }
    activity += 1
    setAlarm("idle \(activity)", after: limit)
  }

  /// The silence has lasted, unless something has happened meanwhile.
  mutating func idle(_ name: String) -> [StandInFrame] {
    guard name == "idle \(activity)", responses.isEmpty, !detector.isSpeaking else { return [] }
    let id = ids.next("item")
    let end = detector.milliseconds
    let start = max(end - (turnDetection?["idle_timeout_ms"]?.int ?? 0), 0)
    let event = tell(
      "input_audio_buffer.timeout_triggered",
      [
        "audio_start_ms": .number(JSONNumber(start)), "audio_end_ms": .number(JSONNumber(end)),
        "item_id": .string(id),
      ])
    guard case .turn = manners.idleTimeout else { return event }
    return event + commitBuffer(id: id) + startResponse()
  }
}
