import Envelope

/// What the service says.
extension GeminiLiveStandIn {
  /// Queues the answer to a complete turn; it waits while a call or a window is open.
  mutating func respond(to turn: UserTurn) {
    isTurnOpen = false
    guard !isBlocked, windowBytes == nil else {
      waiting.append(turn)
      return
    }
    var steps = rules.transcribes ? [] : answer(to: turn.text)
    let transcript = turn.transcript.map { Step($0, isInterruptible: false) }
    switch options.transcriptTime {
    case .before: break
    case .during: steps.insert(contentsOf: transcript, at: min(2, steps.count))
    case .after: steps += transcript
    }
    pending += steps
  }

  /// Answers what had to wait.
  mutating func goOn() {
    let turns = waiting
    waiting = []
    for turn in turns { respond(to: turn) }
  }

  private mutating func answer(to text: String) -> [Step] {
    let isPlaceholder = text.trimmingWhitespace == "." && rules.family != .v25
    switch isPlaceholder ? .nothing : StandInTrigger(text, declared: declaredFunctions) {
    case nil, .abortTimes, .fail, .extras, .exhaust: return reply(StandInWords.answer(to: text))
    case .call(let functions): return callSteps(functions)
    case .callNothing: return [Step(["toolCall": [:]])] + reply(StandInWords.answer(to: text))
    case .story: return story()
    case .nothing: return opening + ending(TurnUsage(output: 0), saysAnything: false)
    case .stall: return []
    case .end(let reason): return opening + ending(TurnUsage(output: 0), reason: reason, saysAnything: false)
    case .speakAndEnd(let reason): return reply("I begin to say", reason: reason)
    case .thinkHard: return thinkHard()
    case .phantom: return phantom()
    case .recall: return reply(recall(text))
    case .recallAll: return reply(recallAll(text))
    case .instructions:
      return reply(instruction.isEmpty ? "I have no instructions." : "My instructions are: \(instruction)")
    case .tools: return reply(toolNames())
    case .voice: return reply("My voice is \(voice ?? "the usual one").")
    case .images: return reply("I have seen \(conversation.images) image\(conversation.images == 1 ? "" : "s").")
    case .hear(let phrase):
      conversation.phrase = phrase
      return reply(StandInWords.answer(to: text))
    case .close(let code, let reason): return [Step(.close(code, reason))]
    case .closeMidway(let code):
      return Array(reply("This is the last that you hear.").prefix(3))
        + [Step(.close(code, StandInTrigger.reason(for: code)))]
    case .abort: return [Step(.abort)]
    case .abortMidway: return Array(reply("This is the last that you hear.").prefix(3)) + [Step(.abort)]
    case .goAway: return reply("Goodbye.") + [Step(.goAway, isInterruptible: false)]
    case .forgetHandles:
      memory.forgetHandles(of: conversation.session)
      return reply("Forgotten.").filter { if case .handle = $0.content { false } else { true } }
    case .failResumption:
      memory.breakNextResumption(of: conversation.session)
      return reply("It will fail.")
    }
  }

  // MARK: Special answers

  private func recall(_ question: String) -> String {
    var texts = conversation.userTexts
    if let last = texts.lastIndex(of: question) { texts.remove(at: last) }
    return texts.isEmpty ? "I heard nothing." : "I heard: \(texts.joined(separator: "; "))."
  }

  private func recallAll(_ question: String) -> String {
    var turns = conversation.turns
    if let last = turns.lastIndex(of: .init(isUser: true, text: question)) { turns.remove(at: last) }
    let texts = turns.map { "\($0.isUser ? "user" : "model"): \($0.text)" }
    return texts.isEmpty ? "Nothing was said." : "So far: \(texts.joined(separator: "; "))"
  }

  private func toolNames() -> String {
    let names = declaredFunctions.sorted()
    return names.isEmpty ? "I have no tools." : "My tools are: \(names.joined(separator: ", "))."
  }

  private var voice: String? {
    setUp["generationConfig"]?["speechConfig"]?["voiceConfig"]?["prebuiltVoiceConfig"]?["voiceName"]?.string
  }

  /// `Once upon a time: 1, 2, …`: a number for each 100 ms of sound, so that a listener knows where it was cut.
  private func story() -> [Step] {
    let parts = silenced(StandInSound.parts)
    var steps = opening
    for number in 1...max(options.storyFrames, 1) {
      let words = (number == 1 ? "Once upon a time: " : ", ") + String(number)
      let sound = audioPart(parts[number % parts.count])
      if rules.hasRichFrames || !isTranscribed {
        let frame = content([sound], transcript: isTranscribed ? words : nil)
        steps.append(Step(frame, pause: options.storyInterval, words: words))
      } else {
        steps.append(Step(content([], transcript: words), pause: options.storyInterval, words: words))
        steps.append(Step(content([sound], transcript: nil), pause: .zero))
      }
    }
    return steps + ending(TurnUsage(output: options.storyFrames), after: steps)
  }

  private func thinkHard() -> [Step] {
    var steps = opening + [thought] + contentSteps("Let me think.", Array(StandInSound.parts.prefix(1)))
    if rules.hasInteractionStatus { steps.append(Step(turnComplete(nil, isIdle: false))) }
    steps += contentSteps(" It is done.", StandInSound.parts)
    return steps + ending(TurnUsage(output: 14, thoughts: 6), after: steps)
  }

  private func phantom() -> [Step] {
    Array((opening + contentSteps("I begin to say", StandInSound.parts)).prefix(3))
      + interruption.map { Step($0) } + handleSteps
  }

  // MARK: Ordinary answers

  /// A whole answer.
  func reply(_ words: String, usage: TurnUsage = TurnUsage(), reason: String? = nil, isIdle: Bool = true) -> [Step] {
    var usage = usage
    var steps = opening
    if thinksAloud {
      steps.append(thought)
      usage.thoughts = 6
    }
    steps += contentSteps(words, StandInSound.parts)
    steps += groundingSteps
    return steps + ending(usage, reason: reason, isIdle: isIdle, after: steps)
  }

  var thinksAloud: Bool {
    options.showsThoughts || setUp["generationConfig"]?["thinkingConfig"]?["includeThoughts"]?.bool == true
  }

  /// What tells that the session cannot be resumed as it is now.
  var opening: [Step] {
    setUp["sessionResumption"] == nil ? [] : [Step(Self.notResumable, pause: .zero)]
  }

  static let notResumable: JSONValue = ["sessionResumptionUpdate": ["resumable": false]]

  var handleSteps: [Step] {
    givesHandles ? [Step(.handle, isInterruptible: false)] : []
  }

  private var isTranscribed: Bool {
    let isGiven = options.isUnsolicited && (rules.family == .v38 || rules.hasInteractionStatus)
    return setUp["outputAudioTranscription"] != nil || isGiven
  }

  /// Models that translate say nothing without a target language.
  private func silenced(_ parts: [[UInt8]]) -> [[UInt8]] {
    guard rules.translates, setUp["generationConfig"]?["translationConfig"] == nil else { return parts }
    return parts.map { [UInt8](repeating: 0, count: $0.count) }
  }

  /// Words and sound in the frames of the platform and the family.
  func contentSteps(_ words: String, _ sound: [[UInt8]]) -> [Step] {
    let leads = words.first == " "
    let chunks = StandInWords.chunks(leads ? String(words.dropFirst()) : words, leadingSpace: leads)
    guard setUp["generationConfig"]?["responseModalities"]?[0]?.string != "TEXT" else {
      return [Step([:])] + chunks.map { Step(content([["text": .string($0)]], transcript: nil), words: $0) }
    }
    let transcripts = chunks.map { Step(content([], transcript: $0), words: $0) }
    let parts = silenced(sound).map(audioPart)
    guard isTranscribed else {
      var steps = parts.map { Step(content([$0], transcript: nil)) }
      if rules.hasRichFrames, parts.count > 1 {
        steps.replaceSubrange(..<2, with: [Step(content(Array(parts[..<2]), transcript: nil)), Step([:])])
      }
      if !steps.isEmpty { steps[0].words = words }
      return steps
    }
    if options.platform == .vertex {
      let opened = Step(["serverContent": ["outputTranscription": [:]]])
      let finished = Step(["serverContent": ["outputTranscription": ["finished": true]]])
      return [opened] + transcripts + [finished] + parts.map { Step(content([$0], transcript: nil)) }
    }
    return interleaved(transcripts[...], parts[...], first: chunks.first ?? "")
  }

  private func interleaved(
    _ transcripts: ArraySlice<Step>, _ parts: ArraySlice<JSONValue>, first: String
  ) -> [Step] {
    var transcripts = transcripts
    var parts = parts
    var steps: [Step] = []
    if rules.hasRichFrames {
      // Two parts and the first words in one frame.
      steps.append(Step(content(Array(parts.prefix(2)), transcript: first), words: first))
      parts = parts.dropFirst(2)
      transcripts = transcripts.dropFirst()
    }
    steps.append(Step([:]))
    while !parts.isEmpty || !transcripts.isEmpty {
      if let transcript = transcripts.popFirst() { steps.append(transcript) }
      if let part = parts.popFirst() { steps.append(Step(content([part], transcript: nil))) }
    }
    return steps
  }

  /// Both ends of a turn, its usage, and the handle of what comes after it.
  ///
  /// - Parameter steps: what was said, for the playback time.
  func ending(
    _ usage: TurnUsage, reason: String? = nil, isIdle: Bool = true, saysAnything: Bool = true, after steps: [Step] = []
  ) -> [Step] {
    let told = Step(["usageMetadata": usageMetadata(usage)])
    var ending: [Step] = options.usageTime == .early ? [told] : []
    if options.usageTime == .twice {
      let part = TurnUsage(output: usage.output / 2, results: usage.results, thoughts: usage.thoughts)
      ending = [Step(["usageMetadata": usageMetadata(part)])]
    }
    if saysAnything, !rules.hasInteractionStatus, reason == nil { ending.append(Step(Self.generationComplete)) }
    if options.usageTime == .alone { ending.append(told) }
    let onFrame = options.usageTime == .withTurn || options.usageTime == .twice ? usage : nil
    ending.append(Step(turnComplete(onFrame, reason: reason, isIdle: isIdle), pause: playback(of: steps)))
    if options.usageTime == .late { ending.append(Step(told.content, isInterruptible: false)) }
    return ending + handleSteps
  }

  /// What is left of the time that playing the sound takes, nil without playback.
  private func playback(of steps: [Step]) -> Duration? {
    guard let speed = options.playbackSpeed, speed >= 0.01, !steps.isEmpty else { return nil }
    var sound = 0
    var elapsed = Duration.zero
    for step in steps {
      elapsed += step.pause ?? options.answerInterval
      guard case .frame(let value) = step.content else { continue }
      sound += (value["serverContent"]?["modelTurn"]?["parts"]?.array ?? []).count { $0["inlineData"] != nil }
    }
    return max(.milliseconds(Double(sound) * 100 / speed) - elapsed, .zero)
  }

  // MARK: Interruption

  /// Drops what has not been sent of the answer in progress, and the calls in progress, and says so. Nothing if there
  /// is neither.
  mutating func interrupt() -> [StandInFrame] {
    let isGenerating = pending.contains(where: \.isInterruptible)
    let cancelled = calls.filter(\.isBlocking)
    guard isGenerating || !cancelled.isEmpty else { return [] }
    pending.removeAll(where: \.isInterruptible)
    waiting = []
    let frames = cancel(cancelled) + interruption
    endModelTurn()
    if !pending.contains(where: { if case .handle = $0.content { true } else { false } }) { pending += handleSteps }
    return frames.map(frame)
  }

  private var interruption: [JSONValue] {
    let usage = options.usageTime == .none ? nil : TurnUsage(output: 4)
    let interrupted: JSONValue = ["serverContent": ["interrupted": true]]
    return switch options.interruption {
    case .separate: [interrupted, turnComplete(usage)]
    case .completeFirst: [turnComplete(usage), interrupted]
    case .together: [turnComplete(usage, isInterrupted: true)]
    }
  }

  mutating func endModelTurn() {
    tally.turns += 1
    guard !spoken.isEmpty else { return }
    conversation.append(spoken, isUser: false)
    spoken = ""
  }
}
