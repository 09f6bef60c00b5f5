import Envelope

/// What the service does with a user's turn.
extension GeminiLiveStandIn {
  // MARK: Text

  mutating func clientContent(_ content: JSONValue) -> [StandInFrame] {
    guard let texts = texts(of: content["turns"]?.array ?? []) else { return refuse() }
    let isComplete = content["turnComplete"]?.bool ?? false
    if isSeeding {
      isSeeding = !isComplete
      promptTokens += texts.reduce(0) { $0 + Self.tokens(in: $1) }
      return []
    }
    // This family takes history before its first turn only, and only if the set-up announced it.
    guard rules.family != .v31 else { return refuse() }
    let frames = interrupt()
    accumulated += texts
    guard isComplete else { return frames }
    guard !accumulated.isEmpty || rules.family != .v25 else {
      return close(1007, "No turn to complete")
    }
    let text = accumulated.last ?? ""
    promptTokens += accumulated.reduce(0) { $0 + Self.tokens(in: $1) }
    accumulated = []
    answer(text)
    return frames
  }

  /// The text of each turn, nil if a turn is one that the service refuses.
  private func texts(of turns: [JSONValue]) -> [String]? {
    let roles: Set<String> = options.platform == .vertex ? ["user", "model", "system"] : ["user", "model"]
    var texts: [String] = []
    for turn in turns {
      let parts = turn["parts"]?.array ?? []
      let hasFunctionPart = parts.contains { $0["functionCall"] != nil || $0["functionResponse"] != nil }
      guard let role = turn["role"]?.string, roles.contains(role), !hasFunctionPart else { return nil }
      texts.append(Self.text(of: turn))
    }
    return texts
  }

  static func text(of content: JSONValue?) -> String {
    (content?["parts"]?.array ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
  }

  /// Words, as a stand-in for tokens.
  static func tokens(in text: String) -> Int {
    text.split(separator: " ").count
  }

  // MARK: Realtime input

  private var isManual: Bool {
    setUp["realtimeInputConfig"]?["automaticActivityDetection"]?["disabled"]?.bool == true
  }

  private var mayInterrupt: Bool {
    setUp["realtimeInputConfig"]?["activityHandling"]?.string != "NO_INTERRUPTION"
  }

  mutating func realtimeInput(_ input: JSONValue) -> [StandInFrame] {
    guard let member = input.object?.keys.first, input.object?.count == 1 else { return refuse() }
    switch member {
    case "audio":
      return audio(input["audio"] ?? .null)
    case "text":
      let text = input["text"]?.string ?? ""
      // 2.5 models answer in turn instead of breaking off.
      let frames = rules.family == .v25 ? [] : interrupt()
      promptTokens += Self.tokens(in: text)
      answer(text)
      return frames
    case "video":
      let mime = input["video"]?["mimeType"]?.string
      return mime == "image/jpeg" || mime == "image/png" ? [] : refuse()
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
    return mayInterrupt ? interrupt() : []
  }

  private mutating func activityEnd() -> [StandInFrame] {
    guard isManual, let bytes = windowBytes else { return refuse() }
    windowBytes = nil
    return bytes > 0 ? spokenTurn() : []
  }

  private mutating func audio(_ blob: JSONValue) -> [StandInFrame] {
    guard let rate = Self.rate(ofMimeType: blob["mimeType"]?.string ?? ""),
      let bytes = StandInBase64.decoded(blob["data"]?.string ?? ""),
      let samples = StandInSound.samples(littleEndian: bytes)
    else { return refuse() }
    guard !isManual else {
      // Audio outside of a window is discarded.
      if let count = windowBytes { windowBytes = count + bytes.count }
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
      return voiceActivity("ACTIVITY_START", position) + (mayInterrupt ? interrupt() : [])
    case .stopped(let position):
      return voiceActivity("ACTIVITY_END", position) + spokenTurn()
    }
  }

  private func voiceActivity(_ type: String, _ milliseconds: Int) -> [StandInFrame] {
    guard options.announcesVoiceActivity else { return [] }
    let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
    let offset = "\(milliseconds / 1_000).\(fraction)s"
    return [
      frame(["serverContent": [:], "voiceActivity": ["type": .string(type), "audioOffset": .string(offset)]])
    ]
  }

  private mutating func spokenTurn() -> [StandInFrame] {
    // About 25 tokens a second; this service hears every turn as two seconds.
    promptTokens += 50
    var frames: [StandInFrame] = []
    if setUp["inputAudioTranscription"] != nil {
      frames = StandInWords.chunks(options.transcription, leadingSpace: true).map {
        frame(["serverContent": ["inputTranscription": ["text": .string($0)]]])
      }
    }
    answer(options.transcription)
    return frames
  }

  // MARK: Answers

  /// Drops what has not been sent of the answer in progress and says so. Nothing if no answer is in progress.
  mutating func interrupt() -> [StandInFrame] {
    guard pending.contains(where: \.isInterruptible) else { return [] }
    pending = []
    return [
      frame(["serverContent": ["interrupted": true]]),
      frame(turnComplete(outputTokens: 4)),
    ]
  }

  /// Queues the answer to a user's turn.
  mutating func answer(_ text: String) {
    hasModelTurn = true
    var frames = answerContent(StandInWords.answer(to: text))
    frames.append(["serverContent": ["generationComplete": true]])
    frames.append(turnComplete(outputTokens: 10))
    pending += frames.map { Step(frame: $0) }
    if setUp["sessionResumption"] != nil {
      pending.append(Step(frame: nextHandle(), isInterruptible: false))
    }
  }

  private func answerContent(_ words: String) -> [JSONValue] {
    var frames: [JSONValue] = []
    if options.showsThoughts {
      let thought: JSONValue = ["text": "**Answering**\n\nThe words of the user come first.\n", "thought": true]
      frames.append(content([thought], transcript: nil))
    }
    let chunks = StandInWords.chunks(words, leadingSpace: false)
    guard setUp["generationConfig"]?["responseModalities"]?[0]?.string != "TEXT" else {
      return frames + [[:]] + chunks.map { content([["text": .string($0)]], transcript: nil) }
    }
    var transcripts = setUp["outputAudioTranscription"] == nil ? [] : chunks
    var sound = StandInSound.parts.map(Self.audioPart)
    if rules.hasRichFrames {
      // Two parts and the first words in one frame.
      frames.append(content(Array(sound.prefix(2)), transcript: transcripts.first))
      sound.removeFirst(2)
      transcripts = Array(transcripts.dropFirst())
    }
    frames.append([:])
    while !sound.isEmpty || !transcripts.isEmpty {
      if !transcripts.isEmpty { frames.append(content([], transcript: transcripts.removeFirst())) }
      if !sound.isEmpty { frames.append(content([sound.removeFirst()], transcript: nil)) }
    }
    return frames
  }

  private func content(_ parts: [JSONValue], transcript: String?) -> JSONValue {
    var content = JSONObject()
    if !parts.isEmpty { content["modelTurn"] = ["role": "model", "parts": .array(parts)] }
    if let transcript { content["outputTranscription"] = ["text": .string(transcript)] }
    return ["serverContent": .object(content)]
  }

  private static func audioPart(_ bytes: [UInt8]) -> JSONValue {
    ["inlineData": ["mimeType": "audio/pcm;rate=24000", "data": .string(StandInBase64.encoded(bytes))]]
  }

  private func turnComplete(outputTokens: Int) -> JSONValue {
    let prefix = options.platform == .vertex ? "candidates" : "response"
    let detail = { (modality: JSONValue, count: Int) -> JSONValue in
      [["modality": modality, "tokenCount": .number(JSONNumber(count))]]
    }
    let thoughts = options.showsThoughts ? 6 : 0
    var usage: JSONObject = [
      "promptTokenCount": .number(JSONNumber(promptTokens)),
      "\(prefix)TokenCount": .number(JSONNumber(outputTokens)),
      "totalTokenCount": .number(JSONNumber(promptTokens + outputTokens + thoughts)),
      "promptTokensDetails": detail("TEXT", promptTokens),
      "\(prefix)TokensDetails": detail("AUDIO", outputTokens),
    ]
    if thoughts > 0 { usage["thoughtsTokenCount"] = .number(JSONNumber(thoughts)) }
    return ["serverContent": ["turnComplete": true], "usageMetadata": .object(usage)]
  }

  mutating func nextHandle() -> JSONValue {
    handles += 1
    let number = String(10_000 + handles).dropFirst()
    return [
      "sessionResumptionUpdate": ["newHandle": .string("5f0c1c5e-\(number)"), "resumable": true]
    ]
  }
}
