import Metering
public import NIOCore
public import Translation

import Audio
import Envelope

// What the service says.

extension GeminiLiveTranslator {
  public mutating func upstreamMessage(
    _ message: ByteBuffer, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    if let base64 = Downlink.audioOnly(message) {
      guard connection == .ready else { throw .unexpectedMessage("audio before setupComplete") }
      speak(base64, at: now, port: &port)
      return
    }
    let decoded = try ServerMessage(decoding: message)
    if decoded.isUnknown { skippedMessages += 1 }
    try control(decoded, at: now, port: &port)
    renewIfPossible(at: now, port: &port)
  }

  private mutating func control(
    _ message: ServerMessage, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    if let error = message.error { throw .refused(GeminiLiveVerdict.onErrorMessage(error)) }
    if message.setupComplete != nil { try setUpCompleted(at: now, port: &port) }
    if let update = message.sessionResumptionUpdate {
      renewal.took(handle: update.newHandle, isResumable: update.resumable ?? false)
    }
    if let activity = message.voiceActivity { voiceActivity(activity, at: now, port: &port) }
    if let signal = message.voiceActivityDetectionSignal {
      voiceActivity(VoiceActivity(signal), at: now, port: &port)
    }
    if message.serverContent != nil || message.toolCall != nil {
      guard connection == .ready else { throw .unexpectedMessage("content before setupComplete") }
    }
    let content = message.serverContent
    if let content { try output(of: content, at: now, port: &port) }
    let hasCalled = message.toolCall.map { called($0.distinctCalls, at: now, port: &port) } ?? false
    if let ids = message.toolCallCancellation?.ids { callsCancelled(ids, at: now, port: &port) }
    // An end that is owed belongs to an earlier turn than speech that is being answered, or waits to be.
    let isOwed = turn.owesEnd && turn.releaseAt == nil && (timeline.isLive || turn.isCommitted)
    if content?.turnComplete == true, !isOwed, speech?.isCommitted == true {
      finishSpeech(port: &port)
    }
    if let usage = message.usageMetadata?.value { note(usage, port: &port) }
    if hasCalled, timeline.isLive { finishAnswer(.completed, at: now, port: &port) }
    if content?.generationComplete == true { generationComplete(at: now, port: &port) }
    if turn.usage != nil, content?.turnComplete != true { releaseAnswer(at: now, port: &port) }
    if let content, content.turnComplete == true {
      let status = content.interactionStatus ?? message.interactionStatus
      turnComplete(content.turnCompleteReason ?? "", status, at: now, port: &port)
    }
    if let goAway = message.goAway { self.goAway(goAway, at: now, port: &port) }
  }

  /// In the order of meaning, whatever the frame holds: an interruption before output, sound before its words.
  private mutating func output(
    of content: ServerContent, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    if content.interrupted == true { interrupted(at: now, port: &port) }
    if let heard = content.inputTranscription?.text, !heard.isEmpty { hear(heard, at: now, port: &port) }
    if content.inputTranscription?.finished == true, speech?.isCommitted == true { finishSpeech(port: &port) }
    for part in content.modelTurn?.parts ?? [] {
      if let text = part.text, !text.isEmpty, part.thought != true, setUp?.writes == true {
        say(text, at: now, port: &port)
      }
      // Text beside speech is never spoken.
      guard let blob = part.inlineData, let data = blob.data, !data.isEmpty else { continue }
      guard blob.mimeType?.hasPrefix("audio/") ?? true else { continue }
      do {
        speak(try AudioPayload.standard(from: data).base64, at: now, port: &port)
      } catch {
        throw .malformedMessage("inlineData.data: \(error)")
      }
    }
    if let words = content.outputTranscription?.text, !words.isEmpty, setUp?.writes != true {
      say(words, at: now, port: &port)
    }
    if let grounding = content.groundingMetadata?.value { annotate(grounding) }
  }

  // MARK: Output

  /// Whether output may reach the client; prepares the response that it belongs to.
  private mutating func admitOutput(at now: Instant, port: inout Port) -> Bool {
    if turn.discardUntil != nil {
      // Each sign of life extends the wait, unless an answer is awaited that must not be lost with it; a family that
      // cannot be stopped says all of the old one first.
      if request == nil || !traits.contentStopsGeneration { turn.discardUntil = now + Limits.discardTimeout }
      return false
    }
    turn.endsIfSilentAt = nil
    if turn.thinksUntil != nil { turn.thinksUntil = now + Limits.thinkingTimeout }
    releaseAnswer(at: now, port: &port)
    if !timeline.isLive {
      commitSpeech(port: &port)
      openAnswer(port: &port)
    }
    if turn.thinksUntil == nil { turn.stallsAt = now + Limits.stallTimeout }
    return true
  }

  /// The service begins to answer, by itself or because it was asked.
  mutating func openAnswer(port: inout Port) {
    if request == nil, !pending.isEmpty {
      port.note(.info, "created items wait for the next typed turn", ["items": "\(pending.entries.count)"])
    }
    beginAnswer(port: &port)
    turn.hasOpenContext = false
    turn.hasCalled = false
    let isSpoken = !ownsTurns && !turn.isCommitted && !turn.answersText
    let silenceMs = isSpoken ? min(setUpSession.audio.input.turnDetection?.silenceMs ?? 0, heardMs - heardFromMs) : 0
    heardFromMs = heardMs
    silenceBeforeMs = silenceMs
    turn.isCommitted = false
    dropUsage(port: &port)
  }

  private mutating func speak(_ base64: ByteBuffer, at now: Instant, port: inout Port) {
    guard admitOutput(at: now, port: &port) else { return }
    emitSpeech(base64, at: now, port: &port)
  }

  private mutating func say(_ words: String, at now: Instant, port: inout Port) {
    guard admitOutput(at: now, port: &port) else { return }
    timeline.words(words, &conversation, port: &port)
  }

  /// Where the answer comes from, as far as the envelope has room for it.
  private mutating func annotate(_ grounding: GroundingMetadata) {
    for (key, texts) in [
      ("grounding_queries", grounding.webSearchQueries ?? []),
      ("grounding_sources", (grounding.groundingChunks ?? []).compactMap { $0.web?.uri }),
    ] {
      var kept = texts
      // A list that does not fit loses its end.
      while !kept.isEmpty {
        let text = JSONValue.array(kept.map { .string($0) }).text
        guard text.unicodeScalars.count > 512 else {
          timeline.annotate(key, text)
          break
        }
        kept.removeLast()
      }
    }
  }

  // MARK: The user's speech

  private mutating func voiceActivity(_ activity: VoiceActivity, at now: Instant, port: inout Port) {
    guard !ownsTurns else { return }
    request?.cueAt = nil
    let offset = Downlink.milliseconds(activity.audioOffset).map { streamFromMs + $0 } ?? heardMs
    switch activity.type ?? activity.voiceActivityType {
    case "ACTIVITY_START":
      startSpeech(atMs: offset, lagMs: Limits.replayedBeforeSpeechMilliseconds, port: &port)
      releaseAnswer(at: now, port: &port)
    case "ACTIVITY_END":
      guard speech != nil else { return }
      speech?.stop(atMs: offset, port: &port)
      speech?.commit(&conversation, port: &port)
      heardFromMs = heardMs
      turn.isCommitted = true
      turn.committedUntil = now + Limits.answerTimeout
    default: break
    }
  }

  /// What the user said. Fragments trail: they belong to the turn that was committed last until the answer has ended.
  private mutating func hear(_ fragment: String, at now: Instant, port: inout Port) {
    // What trails a turn that is committed says nothing of what comes after it.
    if speech.map({ !$0.isCommitted }) ?? true { request?.cueAt = nil }
    deliverBeforeSpeech(port: &port)
    if speech == nil {
      // Of a turn whose transcript is complete. Where the service does not find the turns, only a commit begins one.
      guard !ownsTurns, !turn.isCommitted else {
        return port.note(.debug, "a late piece of transcript was dropped")
      }
      startSpeech(atMs: heardMs, port: &port)
      releaseAnswer(at: now, port: &port)
    }
    port.marks.add(.speechHeard)
    if session.transcribesInput {
      speech?.transcribe(fragment, port: &port)
    } else {
      // Nobody wants to see it; a session that is told the conversation anew needs it.
      speech?.remember(fragment, in: &conversation)
    }
    if !ownsTurns, !turn.isCommitted, !timeline.isLive { speechEndsAt = now + Limits.speechTimeout }
  }

  // MARK: Ends

  private mutating func note(_ metadata: UsageMetadata, port: inout Port) {
    let usage = Downlink.usage(metadata, writes: setUp?.writes ?? false)
    if timeline.isLive || request != nil {
      turn.usage = usage
    } else if turn.hasCalled {
      if let unshown = turn.usageBeforeResults { port.meter.count(unshown) }
      turn.usageBeforeResults = usage
    } else {
      port.meter.count(usage)
      port.note(.debug, "usage after its answer", ["total_tokens": "\(usage.totalTokens)"])
    }
  }

  private mutating func interrupted(at now: Instant, port: inout Port) {
    if turn.discardUntil != nil { return stopDiscarding() }
    defer { turn.owesEnd = true }
    // The user spoke into a call: the service drops it without a word, and ignores its result.
    if !ownsTurns, tools.isOpen { forgetCalls(at: now, port: &port) }
    // Text that we sent interrupts what the service takes for playback: nobody spoke.
    if request != nil, turn.answersText, !timeline.isLive { return }
    request?.cueAt = nil
    turn.thinksUntil = nil
    // The turn that interrupts may be over already.
    let isKnown = turn.isCommitted && speech?.isCommitted == true
    if !ownsTurns, !isKnown {
      startSpeech(atMs: heardMs, lagMs: Limits.replayedBeforeInterruptionMilliseconds, port: &port)
      speechEndsAt = now + Limits.speechTimeout
    }
    releaseAnswer(at: now, port: &port)
    if timeline.isLive { finishAnswer(.interrupted, at: now, port: &port) }
  }

  private mutating func generationComplete(at now: Instant, port: inout Port) {
    if turn.discardUntil != nil { return stopDiscarding() }
    guard timeline.isLive else { return }
    closeItem({ $0.timeline.closeItem(.completed, &$0.conversation, port: &$1) }, port: &port)
    // A model that thinks on says when it has finished.
    if !traits.endsWhenIdle { turn.releaseAt = now + Limits.usageTimeout }
  }

  private mutating func turnComplete(_ reason: String, _ status: String?, at now: Instant, port: inout Port) {
    if turn.discardUntil != nil {
      if traits.endsWhenIdle, status == "IN_PROGRESS" {
        turn.discardUntil = now + Limits.thinkingTimeout
        return
      }
      stopDiscarding()
      turn.owesEnd = false
      dropUsage(port: &port)
      return
    }
    if traits.endsWhenIdle, status == "IN_PROGRESS" {
      closeItem({ $0.timeline.closeItem(.completed, &$0.conversation, port: &$1) }, port: &port)
      turn.thinksUntil = timeline.isLive ? now + Limits.thinkingTimeout : nil
      turn.stallsAt = nil
      if request?.deadline != nil { request?.deadline = now + Limits.thinkingTimeout }
      return
    }
    // An answer that is complete is ended by the next end there is; before that, an owed one is an earlier turn's.
    if turn.owesEnd, turn.releaseAt == nil {
      turn.owesEnd = false
      dropUsage(port: &port)
      if timeline.isLive { turn.endsIfSilentAt = now + Limits.discardTimeout }
      return
    }
    turn.owesEnd = false
    if !timeline.isLive, turn.hasCalled {
      // The end of the turn that called: the answer to the results is another. Its usage is kept for that.
      turn.hasCalled = tools.isOpen
      if request != nil, !tools.isOpen { turn.endsIfSilentAt = now + Limits.discardTimeout }
      return
    }
    if !timeline.isLive, request != nil, request?.awaitsResults == false { beginAnswer(port: &port) }
    guard timeline.isLive else {
      // An empty turn that nobody asked for: the service heard nothing to answer.
      if turn.isCommitted { renewal.conversationMovedOn() }
      turn.isCommitted = false
      return
    }
    switch Downlink.ending(reason) {
    case nil: finishAnswer(.completed, at: now, port: &port)
    case (true, _)?: finishAnswer(.incomplete(.contentFilter), at: now, port: &port)
    case (false, let code)?:
      finishAnswer(
        .failed(code: code, message: "The provider could not complete the answer."), at: now, port: &port)
    }
  }

  // MARK: The connection

  /// The connection has little time left: another takes its place, at the next end of a turn or just before it is over.
  private mutating func goAway(_ goAway: GoAway, at now: Instant, port: inout Port) {
    let milliseconds = Downlink.milliseconds(goAway.timeLeft) ?? 0
    port.note(.info, "the provider will close the connection", ["time_left_ms": "\(milliseconds)"])
    renewal.goAway(in: .milliseconds(max(0, milliseconds)), at: now)
  }
}

extension ServerMessage {
  init(decoding message: ByteBuffer) throws(TranslationFault) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: message.readableBytesView)
    } catch {
      throw .malformedMessage("not JSON: \(error)")
    }
    do {
      self = try JSONCoding.decode(ServerMessage.self, from: value)
    } catch {
      throw .malformedMessage("\(error.path)")
    }
  }
}

extension VoiceActivity {
  init(_ signal: VoiceActivityDetectionSignal) {
    switch signal.vadSignalType {
    case "VAD_SIGNAL_TYPE_SOS": type = "ACTIVITY_START"
    case "VAD_SIGNAL_TYPE_EOS": type = "ACTIVITY_END"
    default: type = nil
    }
  }
}
