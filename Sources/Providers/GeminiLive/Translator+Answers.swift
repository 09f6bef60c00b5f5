import Audio
import Envelope
import Metering
import NIOCore
import Translation

// The life of an answer, from the request or the service's own accord to `response.done`.

extension GeminiLiveTranslator {
  /// Opens the response that output belongs to: the one that was asked for, or one of the service's own accord.
  mutating func beginAnswer(port: inout Port) {
    let options = request?.options
    request = nil
    idleAt = nil
    renewal.conversationMovedOn()
    let isText = (options?.outputModalities ?? session.outputModalities) == [.text]
    timeline.begin(
      form: isText ? .text : .audio, session: session, options: options, conversation: conversation, port: &port)
    // The service says nothing of its limits.
    port.emitRateLimits()
    spoken.begin()
    transcoder = Self.transcoder(to: options?.audio?.output?.format ?? session.audio.output.format)
  }

  /// From what the service sends, PCM16 at 24 kHz; nil where nothing is to be done.
  static func transcoder(to format: AudioFormat) -> AudioTranscoder? {
    switch format {
    case .pcm(rate: 24_000): nil
    case .pcm(let rate): AudioTranscoder(from: .pcm16(rate: 24_000), to: .pcm16(rate: rate))
    case .pcmu: AudioTranscoder(from: .pcm16(rate: 24_000), to: .g711(.muLaw))
    case .pcma: AudioTranscoder(from: .pcm16(rate: 24_000), to: .g711(.aLaw))
    }
  }

  /// A chunk of speech of the service, as standard base64 of PCM16 at 24 kHz.
  mutating func emitSpeech(_ base64: ByteBuffer, at now: Instant, port: inout Port) {
    guard timeline.live?.form == .audio else { return }
    spoken.add(base64Count: base64.readableBytes, at: now)
    guard transcoder != nil else { return timeline.audio(base64, &conversation, port: &port) }
    var converted = ByteBuffer()
    transcoder?.convert(base64, into: &converted)
    if converted.readableBytes > 0 { timeline.audio(converted, &conversation, port: &port) }
  }

  /// Nothing more belongs to the open item.
  mutating func closeItem(_ end: (inout Self, inout Port) -> Void, port: inout Port) {
    let itemID = timeline.openItemID
    if itemID != nil, transcoder != nil {
      var rest = ByteBuffer()
      transcoder?.flush(into: &rest)
      if rest.readableBytes > 0 { timeline.audio(rest, &conversation, port: &port) }
    }
    let length = spoken.openMs
    end(&self, &port)
    guard let itemID, timeline.openItemID != itemID else { return }
    if let cut = spoken.close(itemID) {
      conversation.truncate(itemID, toMs: cut, ofMs: length)
      spoken.cut(itemID, toMs: cut)
    }
  }

  /// Ends the live response with the usage that is known.
  mutating func finishAnswer(_ ending: ResponseTimeline.Ending, at now: Instant, port: inout Port) {
    if timeline.isLive {
      let ending = isCutShort(ending) ? .incomplete(.maxOutputTokens) : ending
      let usage = turn.usage ?? turn.usageBeforeResults
      if turn.usage != nil, let unshown = turn.usageBeforeResults { port.meter.count(unshown) }
      turn.usageBeforeResults = nil
      closeItem({ $0.timeline.finish(ending, usage: usage, &$0.conversation, port: &$1) }, port: &port)
      spoken.keep { conversation.item($0) != nil }
      armIdleTimeout(at: now)
    }
    quietSince = now
    turn.releaseAt = nil
    turn.endsIfSilentAt = nil
    turn.thinksUntil = nil
    turn.stallsAt = nil
    turn.usage = nil
    turn.answersText = false
    turn.refusesCalls = false
    if tools.answeredRequests > 0, tools.answeredUntil == nil { tools.answeredUntil = now + Limits.answeredTimeout }
    if ending == .completed { renewal.turnSucceeded() }
  }

  /// No response shows these tokens; they are paid for all the same.
  mutating func dropUsage(port: inout Port) {
    if let usage = turn.usage { port.meter.count(usage) }
    turn.usage = nil
  }

  /// The service does not say that a limit ended the answer; its count does.
  private func isCutShort(_ ending: ResponseTimeline.Ending) -> Bool {
    guard ending == .completed, case .count(let limit) = setUpSession.maxOutputTokens, let usage = turn.usage else {
      return false
    }
    return usage.outputTokens >= limit
  }

  /// Ends a response that is complete but for the service's `turnComplete`, which comes when playback would have ended.
  mutating func releaseAnswer(at now: Instant, port: inout Port) {
    guard turn.releaseAt != nil else { return }
    finishAnswer(.completed, at: now, port: &port)
    turn.owesEnd = true
  }

  /// Nothing more came of an answer that had begun. What may come yet is not another answer.
  mutating func stalled(at now: Instant, port: inout Port) {
    let isSpoken = traits.endsWhenIdle && timeline.hasOutput && timeline.openItemID == nil
    finishAnswer(
      isSpoken
        ? .completed
        : .failed(code: "upstream_timeout", message: "The provider did not go on with its answer in time."),
      at: now, port: &port)
    turn.discardUntil = now + Limits.discardTimeout
  }

  /// What was cancelled is over; its `turnComplete` may still come.
  mutating func stopDiscarding() {
    turn.discardUntil = nil
    turn.discardsUnbegun = false
    turn.answersResults = false
    turn.owesEnd = true
  }

  // MARK: Silence of the user (R248)

  /// Silence counts from the end of what the user hears.
  private mutating func armIdleTimeout(at now: Instant) {
    idleAt = nil
    guard let idle = session.audio.input.turnDetection?.idleTimeoutMs, speech?.isCommitted != false else { return }
    let unheardMs = spoken.unheardMs(at: now)
    idleAt = now + .milliseconds(unheardMs + idle)
    idleFromMs = heardMs + unheardMs
  }

  /// The user said nothing for as long as the client wanted to wait: the model is asked to speak.
  mutating func idled(at now: Instant, port: inout Port) {
    idleAt = nil
    guard speech.map(\.isCommitted) ?? true, !timeline.isLive, request == nil, !tools.isOpen else { return }
    finishSpeech(port: &port)
    let startMs = min(idleFromMs, heardMs)
    var silence = SpeechTurn(committedByClient: heardMs - startMs, port: &port)
    port.emit(.inputAudioBufferTimeoutTriggered(audioStartMs: startMs, audioEndMs: heardMs, itemID: silence.itemID))
    silence.commit(&conversation, port: &port)
    silence.finish(transcript: "", isReported: false, &conversation, port: &port)
    heardFromMs = heardMs
    request = Request(deadline: now + Limits.answerTimeout)
    turn.answersText = true
    // While there is no connection, the request is what the next one is asked.
    if connection == .ready { send(Uplink.cue(traits), port: &port) }
  }
}
