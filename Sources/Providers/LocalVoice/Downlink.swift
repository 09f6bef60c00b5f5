import Envelope
public import NIOCore
public import Translation

// What the engine says.

extension LocalVoiceTranslator {
  public mutating func upstreamMessage(
    _ message: ByteBuffer, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    if let (response, base64) = EngineEvent.audio(in: message) {
      return audio(base64, of: response, at: now, port: &port)
    }
    let event: EngineEvent
    do {
      event = try EngineEvent(try JSONValue(parsing: message.readableBytesView))
    } catch {
      throw .malformedMessage("\(error)")
    }
    switch event {
    case .ready:
      port.upstreamBecameReady()
    case .speechStarted, .speechStopped, .transcribed, .notTranscribed:
      heard(event, at: now, port: &port)
    case .audio(let response, let base64):
      audio(ByteBuffer(string: base64), of: response, at: now, port: &port)
    case .text, .call, .finished, .failed:
      answered(event, at: now, port: &port)
    }
  }

  // MARK: The user's turns

  private mutating func heard(_ event: EngineEvent, at now: Instant, port: inout Port) {
    switch event {
    case .speechStarted(let turn, let atMs):
      idleAt = nil
      listening = (turn, SpeechTurn(startedAtMs: atMs, port: &port))
      if timeline.isLive, session.audio.input.turnDetection?.interruptResponse ?? false {
        end(.interrupted, at: now, port: &port)
        idleAt = nil
      }
    case .speechStopped(let turn, let atMs, let isSpeech, let wasCut):
      guard let current = listening, current.turn == turn else {
        // A turn that the client has committed or cleared meanwhile.
        return send(.forget(turn: turn), port: &port)
      }
      var speech = current.speech
      listening = nil
      let startMs = turnsEndMs
      turnsEndMs = max(turnsEndMs, atMs)
      speech.stop(atMs: atMs, port: &port)
      if wasCut {
        port.emit(
          EventFault(
            code: "input_audio_too_long",
            message:
              "The turn was ended after \(speech.lengthMs) ms, the longest that is taken; what follows is a new one.",
            param: "audio"), eventID: nil)
      }
      take(
        speech, as: turn, durationMs: max(0, min(speech.lengthMs, atMs - startMs)), wantsAnswer: createsResponses,
        port: &port)
      if isSpeech {
        recognise(turn, port: &port)
      } else {
        understood(turn, "", at: now, port: &port)
      }
    case .transcribed(let turn, let text):
      understood(turn, text, at: now, port: &port)
    case .notTranscribed(let turn, let code, let message):
      notUnderstood(turn, code: code, message: message, at: now, port: &port)
    default: break
    }
  }

  /// The turn becomes an item of the conversation, and its words are awaited.
  mutating func take(
    _ speech: SpeechTurn, as turn: String, durationMs: Int, wantsAnswer: Bool, port: inout Port
  ) {
    var speech = speech
    speech.commit(&conversation, port: &port)
    pending[turn] = Turn(
      speech: speech, itemID: speech.itemID, durationMs: durationMs, wantsAnswer: wantsAnswer)
  }

  mutating func recognise(_ turn: String, port: inout Port) {
    send(.transcribe(turn: turn), port: &port)
  }

  private var reportsTranscripts: Bool { session.audio.input.transcription != nil }

  private mutating func understood(_ name: String, _ text: String, at now: Instant, port: inout Port) {
    guard let turn = pending.removeValue(forKey: name) else { return }
    if var speech = turn.speech {
      speech.finish(transcript: text, isReported: reportsTranscripts, &conversation, port: &port)
    } else {
      fillIn(text, of: turn)
    }
    unansweredAudioMs += turn.durationMs
    if text.isEmpty {
      send(.forget(turn: name), port: &port)
      if awaitsUser, idleAt == nil, listening == nil, !timeline.isLive { armIdleTimeout(afterMs: 0, at: now) }
    } else {
      awaitsUser = false
      keepSpeech(name, of: turn.itemID, port: &port)
      if turn.wantsAnswer { owesAnswer = true }
    }
    proceed(at: now, port: &port)
  }

  private mutating func notUnderstood(
    _ name: String, code: String, message: String, at now: Instant, port: inout Port
  ) {
    guard let turn = pending.removeValue(forKey: name) else { return }
    if let speech = turn.speech {
      speech.fail(code: code, message: message, isReported: reportsTranscripts, port: &port)
    }
    // A model that hears needs no words.
    if configuration.answersSpeech, code != "audio_format_unsupported" {
      keepSpeech(name, of: turn.itemID, port: &port)
      if turn.wantsAnswer { owesAnswer = true }
      return proceed(at: now, port: &port)
    }
    send(.forget(turn: name), port: &port)
    if turn.speech == nil {
      port.emit(EventFault(code: code, message: message, param: "item.content"), eventID: nil)
    } else if code == "rate_limit_exceeded" {
      port.emit(EventFault(type: "rate_limit_error", code: code, message: message, param: nil), eventID: nil)
    }
    if answer?.isWaiting == true {
      // What it was to answer is not known.
      finish(.failed(code: code, message: message), usage: nil, at: now, port: &port)
    } else if turn.wantsAnswer, !timeline.isLive {
      timeline.begin(
        form: form(of: nil), session: session, options: nil, conversation: conversation, port: &port)
      finish(.failed(code: code, message: message), usage: nil, at: now, port: &port)
    }
    proceed(at: now, port: &port)
  }

  mutating func proceed(at now: Instant, port: inout Port) {
    sendWaitingAnswer(port: &port)
    answerIfPossible(at: now, port: &port)
  }

  /// The audio behind an item is kept for a model that hears, until it has answered.
  private mutating func keepSpeech(_ turn: String, of itemID: String, port: inout Port) {
    if configuration.answersSpeech, conversation.item(itemID) != nil {
      if let earlier = heard.updateValue(turn, forKey: itemID) { send(.forget(turn: earlier), port: &port) }
      heardOrder.removeAll { $0 == itemID }
      heardOrder.append(itemID)
      while heardOrder.count > Limits.heardTurns {
        if let oldest = heard.removeValue(forKey: heardOrder.removeFirst()) { send(.forget(turn: oldest), port: &port) }
      }
    } else {
      send(.forget(turn: turn), port: &port)
    }
  }

  /// The item is gone: nobody waits for its words or its audio any more.
  mutating func forgetTurns(of itemID: String, port: inout Port) {
    for (turn, _) in pending.filter({ $0.value.itemID == itemID }).sorted(by: { $0.key < $1.key }) {
      pending[turn] = nil
      send(.forget(turn: turn), port: &port)
    }
    if let turn = heard.removeValue(forKey: itemID) {
      heardOrder.removeAll { $0 == itemID }
      send(.forget(turn: turn), port: &port)
    }
  }

  /// Puts the words of a recording into its part; the recordings of an item may be recognised in any order.
  private mutating func fillIn(_ text: String, of turn: Turn) {
    guard var item = conversation.item(turn.itemID), let content = item.content,
      content.indices.contains(turn.contentIndex),
      case .inputAudio(let audio, nil, let unknown) = content[turn.contentIndex]
    else { return }
    item.content?[turn.contentIndex] = .inputAudio(audio: audio, transcript: text, unknown: unknown)
    conversation.replace(item)
  }

  // MARK: Answers

  private mutating func audio(_ base64: ByteBuffer, of response: String, at now: Instant, port: inout Port) {
    let padding = base64.readableBytesView.suffix(2).count { $0 == UInt8(ascii: "=") }
    let byteCount = max(0, base64.readableBytes / 4 * 3 - padding)
    if answer?.id == response {
      answer?.audioBytes += byteCount
      if answer?.spokenFrom == nil { answer?.spokenFrom = now }
      timeline.audio(base64, &conversation, port: &port)
    } else if let index = side.firstIndex(where: { $0.answer.id == response }) {
      side[index].answer.audioBytes += byteCount
      side[index].timeline.audio(base64, &conversation, port: &port)
    }
  }

  /// What belongs to a response that has been cancelled is dropped.
  private mutating func answered(_ event: EngineEvent, at now: Instant, port: inout Port) {
    guard let response = event.response else { return }
    if answer?.id == response {
      switch event {
      case .text(_, let delta): timeline.words(delta, &conversation, port: &port)
      case .call(_, let call):
        closeItem {
          $0.timeline.call(call.id, name: call.name, arguments: call.arguments, &$0.conversation, port: &port)
        }
      case .finished(let end):
        finish(end.ending, usage: usage(of: end), at: now, port: &port)
        answerIfPossible(at: now, port: &port)
      case .failed(_, let code, let message):
        finish(.failed(code: code, message: message), usage: usage(of: nil), at: now, port: &port)
        answerIfPossible(at: now, port: &port)
      default: break
      }
    } else if let index = side.firstIndex(where: { $0.answer.id == response }) {
      switch event {
      case .text(_, let delta): side[index].timeline.words(delta, &conversation, port: &port)
      case .call(_, let call):
        side[index].timeline.call(call.id, name: call.name, arguments: call.arguments, &conversation, port: &port)
      case .finished(let end):
        side[index].timeline.finish(
          end.ending, usage: usage(of: end, side[index].answer), isEstimated: true, &conversation, port: &port)
        side.remove(at: index)
      case .failed(_, let code, let message):
        side[index].timeline.finish(
          .failed(code: code, message: message), usage: nil, &conversation, port: &port)
        side.remove(at: index)
      default: break
      }
    }
  }
}

extension EngineEvent {
  /// The response that the event belongs to.
  fileprivate var response: String? {
    switch self {
    case .text(let response, _), .audio(let response, _), .call(let response, _), .failed(let response, _, _): response
    case .finished(let end): end.response
    case .ready, .speechStarted, .speechStopped, .transcribed, .notTranscribed: nil
    }
  }
}

extension AnswerEnd {
  fileprivate var ending: ResponseTimeline.Ending {
    switch reason {
    case .complete: .completed
    case .maximumTokens: .incomplete(.maxOutputTokens)
    case .contentFilter: .incomplete(.contentFilter)
    }
  }
}
