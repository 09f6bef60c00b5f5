import Envelope
public import Translation

// How long the turns took.

extension Session {
  /// The client wants an answer no more, which may speak or may be on its way.
  mutating func cancelAsked(responseID: String?) {
    port.interrupted(.cancelled(responseID: responseID))
    port.marks.add(.cancelled(responseID: responseID))
  }

  /// Has the translator carry out an event of the client, which may ask for an answer.
  mutating func carryOut(_ event: IncomingEvent, at now: Instant) throws(EventFault) {
    guard asksForAnswer(event) else { return try translator.clientEvent(event, at: now, port: &port) }
    port.marks.add(.asked)
    do {
      try translator.clientEvent(event, at: now, port: &port)
    } catch {
      port.marks.withdraw(.asked)
      throw error
    }
  }

  private func asksForAnswer(_ event: IncomingEvent) -> Bool {
    switch event.type {
    case .responseCreate: event.value["response"]?["conversation"] != "none"
    case .inputAudioBufferCommit: answersSpeech
    default: false
    }
  }

  /// The end of the user's speech asks for an answer.
  private var answersSpeech: Bool { translator.session.audio.input.turnDetection?.createResponse ?? false }

  /// Stamps what the step has marked with its time.
  mutating func measureTurns(at now: Instant) {
    turns.take(
      port.marks.takeAll(),
      TurnClock.Circumstances(
        answersSpeech: answersSpeech,
        interrupts: translator.session.audio.input.turnDetection?.interruptResponse ?? false,
        isUpstreamReady: port.isUpstreamReady), at: now)
    port.marks.watchesSpeech = turns.watchesSpeech
    tellMeasures()
  }

  private mutating func tellMeasures() {
    for measure in turns.takeMeasures() { port.outbox.actions.append(.turn(measure)) }
  }

  /// Audio that waited for the client was taken back.
  mutating func audioWasDropped() {
    turns.droppedAudio()
    tellMeasures()
  }

  /// The errors that the client was told.
  public var errors: ErrorTally { port.errors }

  // MARK: Pacing

  /// The driver has not sent all of what the step has for the provider, whose account takes no more for now.
  ///
  /// - Parameter now: the time of the step.
  public mutating func upstreamMessagesWait(at now: Instant) {
    turns.requestWaits(at: now)
  }

  /// All that waited for the provider has been sent.
  public mutating func upstreamMessagesLeft(at now: Instant) {
    turns.requestLeft(at: now)
  }
}
