public import NIOCore
public import Translation

import Audio
import Envelope

extension GeminiLiveTranslator {
  public mutating func upstreamMessage(
    _ message: ByteBuffer, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    if let base64 = Downlink.audioOnly(message) {
      guard connection == .ready else { throw .unexpectedMessage("audio before setupComplete") }
      speak(base64, at: now, port: &port)
      return
    }
    try control(message, at: now, port: &port)
  }

  private mutating func control(
    _ message: ByteBuffer, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    let value: JSONValue
    let decoded: ServerMessage
    do {
      value = try JSONValue(parsing: message.readableBytesView)
    } catch {
      throw .malformedMessage("not JSON: \(error)")
    }
    do {
      decoded = try JSONCoding.decode(ServerMessage.self, from: value)
    } catch {
      throw .malformedMessage("\(error.path)")
    }
    if let error = decoded.error { throw .refused(GeminiLiveVerdict.onErrorMessage(error)) }
    if decoded.setupComplete != nil {
      guard connection == .settingUp else { throw .unexpectedMessage("setupComplete") }
      connection = .ready
      port.upstreamBecameReady()
      if request?.dependsOnAudio == true { request?.cueAt = now + Limits.answerToAudioTimeout }
    }
    if let activity = decoded.voiceActivity { voiceActivity(activity, port: &port) }
    if let content = decoded.serverContent {
      guard connection == .ready else { throw .unexpectedMessage("serverContent before setupComplete") }
      try serverContent(content, usage: decoded.usageMetadata, at: now, port: &port)
    } else if let usage = decoded.usageMetadata {
      note(usage, port: &port)
      releaseAnswer(port: &port)
    }
    if decoded.toolCall != nil { port.note(.warning, "a tool call without declared tools was ignored") }
    if let goAway = decoded.goAway {
      port.note(.warning, "the provider will close the connection", ["timeLeft": goAway.timeLeft ?? ""])
    }
  }

  /// In the order of meaning, whatever the frame holds: an interruption before output, words before the end of the turn.
  private mutating func serverContent(
    _ content: ServerContent, usage: UsageMetadata?, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    if content.interrupted == true { interrupted(port: &port) }
    if let heard = content.inputTranscription?.text, !heard.isEmpty { hear(heard, port: &port) }
    for part in content.modelTurn?.parts ?? [] {
      // Text beside speech is never spoken.
      guard let blob = part.inlineData, let data = blob.data, !data.isEmpty else { continue }
      guard blob.mimeType?.hasPrefix("audio/") ?? true else { continue }
      do {
        speak(try AudioPayload.standard(from: data).base64, at: now, port: &port)
      } catch {
        throw .malformedMessage("inlineData.data: \(error)")
      }
    }
    if let words = content.outputTranscription?.text, !words.isEmpty { say(words, at: now, port: &port) }
    // An end that is owed belongs to an earlier turn than the speech that is committed now.
    if content.turnComplete == true, !turn.owesEnd || turn.releaseAt != nil { finishSpeechIfAnswered(port: &port) }
    if let usage { note(usage, port: &port) }
    if content.generationComplete == true { generationComplete(at: now, port: &port) }
    if turn.usage != nil, content.turnComplete != true { releaseAnswer(port: &port) }
    if content.turnComplete == true { turnComplete(content.turnCompleteReason ?? "", at: now, port: &port) }
  }

  // MARK: Output

  /// Whether output may reach the client; prepares the response that it belongs to.
  private mutating func admitOutput(at now: Instant, port: inout Port) -> Bool {
    if turn.discardUntil != nil {
      // Each sign of life extends the wait, unless an answer is awaited that must not be lost with it.
      if request == nil { turn.discardUntil = now + Limits.discardTimeout }
      return false
    }
    turn.endsIfSilentAt = nil
    releaseAnswer(port: &port)
    guard !timeline.isLive else { return true }
    commitSpeech(port: &port)
    beginAnswer(port: &port)
    turn.hasOpenContext = false
    turn.heardByteCount = 0
    turn.isCommitted = false
    turn.usage = nil
    return true
  }

  private mutating func speak(_ base64: ByteBuffer, at now: Instant, port: inout Port) {
    guard admitOutput(at: now, port: &port) else { return }
    timeline.audio(base64, &conversation, port: &port)
  }

  private mutating func say(_ words: String, at now: Instant, port: inout Port) {
    guard admitOutput(at: now, port: &port) else { return }
    timeline.words(words, &conversation, port: &port)
  }

  // MARK: The user's speech

  private mutating func voiceActivity(_ activity: VoiceActivity, port: inout Port) {
    guard !isManual else { return }
    request?.cueAt = nil
    let offset = Downlink.milliseconds(activity.audioOffset) ?? clock.milliseconds
    switch activity.type ?? activity.voiceActivityType {
    case "ACTIVITY_START": startSpeech(atMs: offset, port: &port)
    case "ACTIVITY_END":
      guard speech != nil else { return }
      speech?.stop(atMs: offset, port: &port)
      speech?.commit(&conversation, port: &port)
      turn.heardByteCount = 0
      turn.isCommitted = true
    default: break
    }
  }

  /// A new turn of the user, unless one is being heard already.
  private mutating func startSpeech(atMs milliseconds: Int, port: inout Port) {
    if let speech, !speech.isCommitted { return }
    finishSpeech(port: &port)
    speech = SpeechTurn(startedAtMs: milliseconds, port: &port)
  }

  /// What the user said. Fragments trail: they belong to the turn that was committed last until the answer has ended.
  private mutating func hear(_ fragment: String, port: inout Port) {
    request?.cueAt = nil
    guard session.transcribesInput else { return }
    if speech == nil {
      // Without voice detection only a commit begins a turn: this trails one whose transcript is complete.
      guard !isManual else { return port.note(.debug, "a late piece of transcript was dropped") }
      startSpeech(atMs: clock.milliseconds, port: &port)
    }
    speech?.transcribe(fragment, port: &port)
  }

  /// The service answers a spoken turn: what it has not said about the turn's end is said now.
  private mutating func commitSpeech(port: inout Port) {
    if speech == nil, !turn.answersText, !isManual, turn.heardByteCount > 0 {
      startSpeech(atMs: max(0, clock.milliseconds - turn.heardMilliseconds), port: &port)
    }
    speech?.stop(atMs: clock.milliseconds, port: &port)
    speech?.commit(&conversation, port: &port)
  }

  /// The user's turn is over for good: its transcript is complete.
  mutating func finishSpeech(port: inout Port) {
    if let speech, speech.isCommitted, session.transcribesInput {
      speech.finishTranscript(&conversation, port: &port)
    }
    speech = nil
  }

  // MARK: Ends

  private mutating func note(_ metadata: UsageMetadata, port: inout Port) {
    guard timeline.isLive || request != nil else {
      return port.note(.debug, "usage after its answer", ["total_tokens": "\(Downlink.usage(metadata).totalTokens)"])
    }
    turn.usage = Downlink.usage(metadata)
  }

  private mutating func interrupted(port: inout Port) {
    if turn.discardUntil != nil { return stopDiscarding() }
    defer { turn.owesEnd = true }
    // Text that we sent interrupts what the service takes for playback: nobody spoke.
    if request != nil, turn.answersText, !timeline.isLive { return }
    request?.cueAt = nil
    if !isManual { startSpeech(atMs: clock.milliseconds, port: &port) }
    releaseAnswer(port: &port)
    if timeline.isLive { finishAnswer(.interrupted, port: &port) }
  }

  private mutating func generationComplete(at now: Instant, port: inout Port) {
    if turn.discardUntil != nil { return stopDiscarding() }
    guard timeline.isLive else { return }
    timeline.closeItem(.completed, &conversation, port: &port)
    turn.releaseAt = now + Limits.usageTimeout
  }

  private mutating func turnComplete(_ reason: String, at now: Instant, port: inout Port) {
    if turn.discardUntil != nil {
      stopDiscarding()
      turn.owesEnd = false
      turn.usage = nil
      return
    }
    // An answer that is complete is ended by the next end there is; before that, an owed one is an earlier turn's.
    if turn.owesEnd, turn.releaseAt == nil {
      turn.owesEnd = false
      turn.usage = nil
      if timeline.isLive { turn.endsIfSilentAt = now + Limits.discardTimeout }
      return
    }
    turn.owesEnd = false
    if !timeline.isLive, request != nil { beginAnswer(port: &port) }  // An empty turn is an empty answer.
    guard timeline.isLive else { return }
    switch Downlink.ending(reason) {
    case nil: finishAnswer(.completed, port: &port)
    case (true, _)?: finishAnswer(.incomplete(.contentFilter), port: &port)
    case (false, let code)?:
      finishAnswer(.failed(code: code, message: "The provider could not complete the answer."), port: &port)
    }
  }

  private mutating func finishSpeechIfAnswered(port: inout Port) {
    if speech?.isCommitted == true { finishSpeech(port: &port) }
  }
}
