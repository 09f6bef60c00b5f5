import Envelope

/// What the service does with what the user says.
extension GeminiLiveStandIn {
  /// A turn of the user that is complete.
  struct UserTurn: Sendable {
    var text: String
    /// Frames of its transcript that come with the answer or after it.
    var transcript: [JSONValue] = []
  }

  // MARK: Text

  mutating func clientContent(_ content: JSONValue) -> [StandInFrame] {
    let given = content["turns"]?.array ?? []
    guard let turns = turns(given) else { return refuse() }
    let isComplete = content["turnComplete"]?.bool ?? false
    if isSeeding {
      isSeeding = !isComplete
      take(turns)
      conversation.images += Self.images(in: given)
      return []
    }
    // This family takes history before its first turn only, and only if the set-up announced it.
    guard rules.family != .v31 else { return refuse() }
    if isComplete, options.refusesTextDuringSpeech, !isManual, detector.isSpeaking { return refuse() }
    let frames = interrupt()
    conversation.images += Self.images(in: given)
    accumulated += turns
    // 2.5 models do not know a turn before it is complete.
    if rules.family != .v25 { take(turns) }
    isTurnOpen = !isComplete
    guard isComplete else { return frames }
    if rules.family == .v25 {
      guard let last = accumulated.last else { return close(1007, "No turn to complete") }
      guard last.isUser else { return refuse() }
      take(accumulated)
    }
    let last = accumulated.last
    accumulated = []
    respond(to: UserTurn(text: last?.isUser == true ? last?.text ?? "" : ""))
    return frames
  }

  private mutating func take(_ turns: [GeminiConversation.Turn]) {
    for turn in turns { conversation.append(turn.text, isUser: turn.isUser) }
  }

  /// The turns as text, nil if one is one that the service refuses. A system turn changes the instruction.
  private mutating func turns(_ contents: [JSONValue]) -> [GeminiConversation.Turn]? {
    let takesSystem = options.platform == .vertex && rules.family == .v25
    var turns: [GeminiConversation.Turn] = []
    for content in contents {
      let parts = content["parts"]?.array ?? []
      guard let role = content["role"]?.string, !parts.isEmpty, parts.allSatisfy(Self.isInputPart) else { return nil }
      switch role {
      case "user", "model": turns.append(.init(isUser: role == "user", text: Self.text(of: content)))
      case "system" where takesSystem: instruction = Self.text(of: content)
      default: return nil
      }
    }
    return turns
  }

  /// Text or an image; calls and their results are not accepted in turns, and audio is unproven.
  private static func isInputPart(_ part: JSONValue) -> Bool {
    guard part.object?.count == 1 else { return false }
    return part["text"] != nil || part["fileData"] != nil || isImage(part["inlineData"])
  }

  private static func isImage(_ blob: JSONValue?) -> Bool {
    guard let mime = blob?["mimeType"]?.string, let data = blob?["data"]?.string else { return false }
    return (mime == "image/jpeg" || mime == "image/png") && !data.isEmpty
  }

  private static func images(in contents: [JSONValue]) -> Int {
    contents.reduce(0) { $0 + ($1["parts"]?.array ?? []).count { $0["inlineData"] != nil } }
  }

  static func text(of content: JSONValue?) -> String {
    (content?["parts"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
  }

  // MARK: Realtime input

  var isManual: Bool {
    setUp["realtimeInputConfig"]?["automaticActivityDetection"]?["disabled"]?.bool == true
  }

  private var mayInterrupt: Bool {
    setUp["realtimeInputConfig"]?["activityHandling"]?.string != "NO_INTERRUPTION"
  }

  mutating func realtimeInput(_ input: JSONValue) -> [StandInFrame] {
    // Announced history has to come first.
    guard let member = input.object?.keys.first, input.object?.count == 1, !isSeeding else { return refuse() }
    switch member {
    case "audio":
      return audio(input["audio"] ?? .null)
    case "text":
      let text = input["text"]?.string ?? ""
      let frames = rules.isStoppedByText ? interrupt() : []
      if rules.family == .v25 { take(accumulated) }
      accumulated = []
      conversation.append(text, isUser: true)
      respond(to: UserTurn(text: text))
      return frames
    case "video":
      guard Self.isImage(input["video"]) else { return refuse() }
      conversation.images += 1
      return []
    case "activityStart":
      return activityStart()
    case "activityEnd":
      return activityEnd()
    case "audioStreamEnd":
      guard !isManual, input["audioStreamEnd"]?.bool == true else { return refuse() }
      return detector.flush().map { heard($0) } ?? []
    default:
      // `mediaChunks` is deprecated; nothing should still send it.
      return refuse()
    }
  }

  private mutating func activityStart() -> [StandInFrame] {
    guard isManual, windowBytes == nil else { return refuse() }
    windowBytes = 0
    windows += 1
    alarms.append(StandInAlarm("window \(windows)", after: options.windowLimit))
    let signal = voiceActivity(started: true, Int(tally.audioMilliseconds))
    let interruption = mayInterrupt ? interrupt() : []
    guard interruption.isEmpty, options.sendsSpuriousInterruptions else { return signal + interruption }
    return signal + [
      frame(["serverContent": ["interrupted": true]]), frame(["serverContent": ["turnComplete": true]]),
    ]
  }

  private mutating func activityEnd() -> [StandInFrame] {
    guard isManual, let bytes = windowBytes else { return refuse() }
    windowBytes = nil
    let frames = voiceActivity(started: false, Int(tally.audioMilliseconds))
    // 3.1 loses the audio of manual turns unless the set-up says which input is part of a turn.
    let isLost = rules.family == .v31 && setUp["realtimeInputConfig"]?["turnCoverage"] == nil
    let spoken = bytes > 0 && !isLost ? spokenTurn() : []
    goOn()
    return frames + spoken
  }

  private mutating func audio(_ blob: JSONValue) -> [StandInFrame] {
    guard let rate = Self.rate(ofMimeType: blob["mimeType"]?.string ?? ""),
      let bytes = StandInBase64.decoded(blob["data"]?.string ?? ""),
      let samples = StandInSound.samples(littleEndian: bytes)
    else { return refuse() }
    memory.heard(audioBytes: bytes.count)
    tally.audioBytes += bytes.count
    tally.audioMilliseconds += Double(samples.count) * 1_000 / Double(rate)
    guard !isManual else {
      // Audio outside of a window is discarded.
      if let count = windowBytes {
        windowBytes = count + bytes.count
      } else {
        tally.discardedAudioBytes += bytes.count
      }
      return []
    }
    return detector.feed(samples, rate: rate).flatMap { heard($0) }
  }

  /// The rate in `audio/pcm;rate=N`, nil for any other type and for rates outside of 8,000 to 48,000.
  static func rate(ofMimeType type: String) -> Int? {
    let prefix = "audio/pcm;rate="
    guard type.hasPrefix(prefix), let rate = Int(type.dropFirst(prefix.count)) else { return nil }
    return (8_000...48_000).contains(rate) ? rate : nil
  }

  private mutating func heard(_ event: SpeechDetector.Event) -> [StandInFrame] {
    switch event {
    case .started(let position):
      return voiceActivity(started: true, position) + (mayInterrupt ? interrupt() : [])
    case .stopped(let position):
      return voiceActivity(started: false, position) + spokenTurn()
    }
  }

  private func voiceActivity(started: Bool, _ milliseconds: Int) -> [StandInFrame] {
    if setUp["explicitVadSignal"]?.bool == true {
      let signal: JSONValue = .string("VAD_SIGNAL_TYPE_\(started ? "S" : "E")OS")
      return [frame(["voiceActivityDetectionSignal": ["vadSignalType": signal]])]
    }
    guard options.announcesVoiceActivity else { return [] }
    let type: JSONValue = started ? "ACTIVITY_START" : "ACTIVITY_END"
    let offset: JSONValue = .string(Self.duration(milliseconds: milliseconds))
    return [frame(["serverContent": [:], "voiceActivity": ["type": type, "audioOffset": offset]])]
  }

  private mutating func spokenTurn() -> [StandInFrame] {
    // About 25 tokens a second; this service hears every turn as two seconds.
    conversation.audioTokens += 50
    let phrase = conversation.phrase ?? phrases[conversation.spokenTurns % phrases.count]
    conversation.spokenTurns += 1
    conversation.turns.append(.init(isUser: true, text: phrase))
    let frames = transcript(of: phrase)
    if options.holdsSpeechForOpenTurn, isTurnOpen { return frames.map(frame) }
    switch options.transcriptTime {
    case .before:
      respond(to: UserTurn(text: phrase))
      return frames.map(frame)
    case .during, .after:
      respond(to: UserTurn(text: phrase, transcript: frames))
      return []
    }
  }

  private var phrases: [String] {
    let phrases = options.transcription.split(separator: "|").map { String($0).trimmingWhitespace }
    return phrases.isEmpty ? [""] : phrases
  }

  private func transcript(of phrase: String) -> [JSONValue] {
    let isGiven = options.isUnsolicited && rules.family != .v25
    guard setUp["inputAudioTranscription"] != nil || isGiven || rules.transcribes else { return [] }
    let chunks = StandInWords.chunks(phrase, leadingSpace: true)
    var frames: [JSONValue] = []
    if options.sendsInterimTranscripts {
      frames = chunks.indices.map { last in
        let text = chunks[...last].joined().trimmingWhitespace
        return ["serverContent": ["interimInputTranscription": ["text": .string(text)]]]
      }
    }
    return frames + chunks.map { ["serverContent": ["inputTranscription": ["text": .string($0)]]] }
  }
}
