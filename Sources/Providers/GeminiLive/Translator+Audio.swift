import Audio
public import Envelope
import NIOCore
public import Translation

// The client's audio, and the turns in it.

extension GeminiLiveTranslator {
  public mutating func clientAudio(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault) {
    endConfiguration(at: now, port: &port)
    guard !ownsTurns, !waitsForDetection else { return try keep(chunk, at: now, port: &port) }
    if freshUntil.map({ now > $0 }) ?? true {
      freshUntil = now + .milliseconds(Limits.replayedMilliseconds)
      freshFromMs = heardMs
    }
    clock.append(bytes: chunk.decodedByteCount)
    if connection == .ready { sendContextIfPossible(aheadOfHeld: false, port: &port) }
    lastAudioAt = now
    Self.pass(chunk, &uplinkAudio, &recentAudio, &port)
    restAt = uplinkAudio.holdsRest ? restAt ?? now + Limits.restTimeout : nil
    if renewal.isStale || renewal.isForced(at: now) { renewIfPossible(at: now, port: &port) }
  }

  /// Disjoint parts of the translator, so that a chunk crosses without a copy of any.
  @inline(__always)
  private static func pass(
    _ chunk: AudioChunk, _ lane: inout UplinkAudio, _ recent: inout RecentAudio, _ port: inout Port
  ) {
    let rate = lane.rate
    lane.append(chunk.base64, decodedByteCount: chunk.decodedByteCount) { piece in
      port.send(.audio) { Uplink.writeAudio(piece, rate: rate, into: &$0) }
      recent.append(piece, rate: rate)
    }
  }

  var bufferedMs: Int { buffered.milliseconds }

  /// The session wants the service to find the turns, and the connection was set up to be told them: what is heard now is
  /// for the next one.
  var waitsForDetection: Bool {
    !ownsTurns && (connection == .ready || connection == .settingUp)
      && setUpSession.ownsTurns
  }

  /// What was kept goes to a connection that finds the turns in it.
  mutating func sendBuffered(port: inout Port) {
    guard !ownsTurns, !waitsForDetection, !buffered.isEmpty else { return }
    var audio = buffered
    let rate = audio.rate
    buffered = ManualAudio(rate: uplinkAudio.rate)
    audio.drain { piece in
      port.send(.audio) { Uplink.writeAudio(piece, rate: rate, into: &$0) }
      recentAudio.append(piece, rate: rate)
    }
    if turn.isCommitted { send(Uplink.audioStreamEnd, port: &port) }
  }

  /// Audio of a turn that the service does not end itself stays here until the turn is asked for.
  private mutating func keep(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault) {
    // Two bytes for each sample, whatever the client's format has.
    let byteCount = chunk.decodedByteCount / bytesPerSample * PCM16.bytesPerSample
    guard buffered.byteCount + pending.audioByteCount + byteCount <= Limits.bufferedBytes else {
      throw .tooMuchHeld("The input audio buffer holds ten minutes of audio, which is all it can.", param: "audio")
    }
    clock.append(bytes: chunk.decodedByteCount)
    var pieces = ManualAudio(rate: uplinkAudio.rate)
    uplinkAudio.append(chunk.base64, decodedByteCount: chunk.decodedByteCount) { pieces.append($0) }
    buffered.append(pieces)
    guard detectsTurns else { return }
    detect(pieces, at: now, port: &port)
  }

  // MARK: Our own detection

  /// Makes, tunes or drops the detector, as the session has it.
  mutating func tuneDetector() {
    guard detectsTurns else {
      detector = nil
      return
    }
    if detector == nil {
      detector = configuration.makeDetector?()
      detectorFromMs = heardMs
    }
    switch session.audio.input.turnDetection {
    case .serverVAD(let vad)?:
      detector?.settings = TurnDetectorSettings(threshold: vad.threshold, silenceMs: vad.silenceDurationMs)
    case .semanticVAD(let vad)?:
      detector?.settings = TurnDetectorSettings(silenceMs: SemanticWindow.silenceMs(vad.eagerness))
    case nil: break
    }
  }

  private mutating func detect(_ pieces: ManualAudio, at now: Instant, port: inout Port) {
    var samples: [Int16] = []
    pieces.pcm16.withUnsafeReadableBytes { PCM16.decode($0, into: &samples) }
    detector?.isAssistantHeard = timeline.isLive || spoken.unheardMs(at: now) > 0
    let events = samples.withUnsafeBufferPointer { detector?.hear($0, rate: pieces.rate) ?? [] }
    for event in events {
      switch event {
      case .started(let atMs): detectedStart(atMs: detectorFromMs + atMs, at: now, port: &port)
      case .stopped(let atMs): detectedEnd(atMs: detectorFromMs + atMs, at: now, port: &port)
      }
    }
    if speech == nil || speech?.isCommitted == true { trimToPreRoll() }
  }

  private var preRollMs: Int {
    guard case .serverVAD(let vad)? = session.audio.input.turnDetection else { return Limits.leastPreRollMilliseconds }
    return max(Limits.leastPreRollMilliseconds, vad.prefixPaddingMs)
  }

  /// What comes before a turn is a moment of it; a detector needs some time to be sure of a beginning.
  private mutating func trimToPreRoll() {
    buffered.keep(lastMs: preRollMs + Limits.detectionLagMilliseconds)
  }

  private mutating func detectedStart(atMs: Int, at now: Instant, port: inout Port) {
    startSpeech(atMs: atMs, lagMs: Limits.replayedBeforeSpeechMilliseconds, port: &port)
    buffered.keep(lastMs: heardMs - atMs + preRollMs)
    guard session.audio.input.turnDetection?.interruptResponse == true, timeline.isLive else { return }
    releaseAnswer(at: now, port: &port)
    guard timeline.isLive else { return }
    finishAnswer(.interrupted, at: now, port: &port)
    turn.discardUntil = now + Limits.discardTimeout
    if traits.contentStopsGeneration { send(Uplink.stopGenerating, port: &port) }
  }

  private mutating func detectedEnd(atMs: Int, at now: Instant, port: inout Port) {
    guard let speech, !speech.isCommitted else { return }
    self.speech?.stop(atMs: atMs, port: &port)
    commitBuffered(port: &port)
  }

  // MARK: Commits

  mutating func commit(at now: Instant, port: inout Port) throws(EventFault) {
    endConfiguration(at: now, port: &port)
    if ownsTurns { flushUplink(port: &port) }
    let milliseconds = ownsTurns ? bufferedMs : heardMs - heardFromMs
    guard milliseconds >= Limits.shortestCommitMilliseconds else {
      throw .bufferTooSmall(milliseconds: Double(milliseconds))
    }
    if !ownsTurns { flushUplink(port: &port) }
    if speech == nil || speech?.isCommitted == true {
      finishSpeech(port: &port)
      speech = SpeechTurn(committedByClient: milliseconds, port: &port)
      speechFromMs = heardMs - milliseconds
      speechLagMs = 0
    }
    let endMs = heardMs
    speech?.stop(atMs: endMs, port: &port)
    if ownsTurns {
      detector?.forgetTurn()
      commitBuffered(port: &port)
    } else {
      turn.isCommitted = true
      turn.committedUntil = now + Limits.answerTimeout
      heardFromMs = heardMs
      if !waitsForDetection { send(Uplink.audioStreamEnd, port: &port) }
      speech?.commit(&conversation, port: &port)
    }
  }

  /// The rest that was too short for a piece of its own.
  mutating func flushUplink(port: inout Port) {
    restAt = nil
    let rate = uplinkAudio.rate
    if ownsTurns || waitsForDetection {
      var rest = ManualAudio(rate: rate)
      uplinkAudio.flush { rest.append($0) }
      buffered.append(rest)
    } else {
      uplinkAudio.flush { piece in
        port.send(.audio) { Uplink.writeAudio(piece, rate: rate, into: &$0) }
        recentAudio.append(piece, rate: rate)
      }
    }
  }

  /// The turn waits for the request that the service is to answer it with.
  private mutating func commitBuffered(port: inout Port) {
    speech?.commit(&conversation, port: &port)
    if let id = speech?.itemID, let item = conversation.item(id) { pending.append(item, audio: buffered) }
    buffered = ManualAudio(rate: uplinkAudio.rate)
    heardFromMs = heardMs
  }

  mutating func clearInput(port: inout Port) {
    buffered = ManualAudio(rate: uplinkAudio.rate)
    uplinkAudio = UplinkAudio(session.audio.input.format)
    detector?.forgetTurn()
    heardFromMs = heardMs
    if ownsTurns, speech?.isCommitted == false { speech = nil }
    port.emit(.inputAudioBufferCleared)
  }

  /// The item of the turn is deleted: what is still said about it goes nowhere.
  mutating func forgetSpeech() {
    speech = nil
  }

  /// The format of the client's audio is another from here on.
  mutating func inputFormatChanged(port: inout Port) {
    flushUplink(port: &port)
    resetClock()
  }

  /// The client's audio is read as the session says from here on.
  mutating func resetClock() {
    clockBaseMs = heardMs
    clock = AudioClock(
      rate: SampleRate(hertz: session.audio.input.format.rate) ?? .hz24000, bytesPerSample: bytesPerSample)
    uplinkAudio = UplinkAudio(session.audio.input.format)
    recentAudio.removeAll()
  }

  // MARK: The user's speech

  /// A new turn of the user, unless one is being heard already.
  ///
  /// - Parameter lagMs: how long before that position it may have begun; nil where nothing is known of it.
  mutating func startSpeech(atMs milliseconds: Int, lagMs: Int? = nil, port: inout Port) {
    if let speech, !speech.isCommitted { return }
    speechLagMs = lagMs
    finishSpeech(port: &port)
    idleAt = nil
    tools.answeredRequests = 0
    // A turn that nobody answered is not heard again, unlike the one that begins.
    if turn.isCommitted { renewal.conversationMovedOn() }
    speechFromMs = max(0, min(milliseconds, heardMs))
    speech = SpeechTurn(startedAtMs: speechFromMs, port: &port)
    deliverBeforeSpeech(port: &port)
  }

  /// The service told of speech and not of its end: a fragment that came late, or an interruption by nothing. It is ended
  /// when nothing follows, and its transcript, when nothing more comes, after the same time again.
  mutating func speechWasSilent(at now: Instant, port: inout Port) {
    speechEndsAt = nil
    guard let heard = speech, !timeline.isLive, !turn.isCommitted else { return }
    guard !heard.isCommitted else { return finishSpeech(port: &port) }
    let endMs = heardMs
    speech?.stop(atMs: endMs, port: &port)
    speech?.commit(&conversation, port: &port)
    speechEndsAt = now + Limits.speechTimeout
  }

  /// The service answers a spoken turn: what it has not said about the turn's end is said now.
  mutating func commitSpeech(port: inout Port) {
    guard !ownsTurns else { return }
    // A model that goes on after a call answers nothing that was said since.
    if speech == nil, !turn.isCommitted, !turn.answersText, !turn.hasCalled, heardMs > heardFromMs {
      startSpeech(atMs: heardFromMs, port: &port)
    }
    let endMs = heardMs
    speech?.stop(atMs: endMs, port: &port)
    speech?.commit(&conversation, port: &port)
  }

  /// The user's turn is over for good: its transcript is complete.
  mutating func finishSpeech(port: inout Port) {
    speechEndsAt = nil
    if let speech, speech.isCommitted, session.transcribesInput {
      speech.finishTranscript(&conversation, port: &port)
    }
    speech = nil
  }
}
