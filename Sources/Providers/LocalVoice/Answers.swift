import Audio
import Envelope
import Translation

// When the engine is asked for an answer, and for which.

extension LocalVoiceTranslator {
  func form(of options: ResponseOptions?) -> ResponseTimeline.Form {
    let modalities = options?.outputModalities ?? session.outputModalities
    return modalities == [.text] || configuration.voices.isEmpty ? .text : .audio
  }

  /// The options with what will really be done in place of what was asked for.
  func effective(_ options: ResponseOptions?) -> ResponseOptions? {
    guard var options else { return nil }
    if let voice = options.audio?.output?.voice {
      options.audio?.output?.voice = .named(configuration.voice(named: voice.name))
    }
    return options
  }

  /// Opens a response of the conversation. Its words come when all that was said is recognised.
  mutating func begin(_ options: ResponseOptions?, at now: Instant, port: inout Port) {
    owesAnswer = false
    idleAt = nil
    awaitsUser = false
    timeline.begin(
      form: form(of: options), session: session, options: effective(options), conversation: conversation, port: &port)
    guard let live = timeline.live else { return }
    answer = Answer(id: live.id, options: options, isWaiting: true)
    sendWaitingAnswer(port: &port)
  }

  mutating func sendWaitingAnswer(port: inout Port) {
    guard pending.isEmpty else { return }
    for index in side.indices where side[index].answer.isWaiting {
      side[index].answer.isWaiting = false
      send(.answer(request(for: side[index].answer)), port: &port)
    }
    guard var answer, answer.isWaiting else { return }
    answer.isWaiting = false
    // All that was said is part of this answer.
    owesAnswer = false
    answer.inputAudioMs = unansweredAudioMs
    unansweredAudioMs = 0
    self.answer = answer
    send(.answer(request(for: answer)), port: &port)
    // The model has heard them now; from here on the words stand for them.
    for turn in heard.values.sorted() { send(.forget(turn: turn), port: &port) }
    heard.removeAll()
    heardOrder.removeAll()
  }

  /// Answers what the user said, as soon as nobody speaks and all of it is recognised.
  mutating func answerIfPossible(at now: Instant, port: inout Port) {
    guard owesAnswer, !timeline.isLive, listening == nil, pending.isEmpty else { return }
    begin(nil, at: now, port: &port)
  }

  /// Ends the conversation's response from this side: the engine is told to stop.
  mutating func end(_ ending: ResponseTimeline.Ending, at now: Instant, port: inout Port) {
    guard let live = timeline.live else { return }
    send(.cancel(response: live.id), port: &port)
    finish(ending, usage: usage(of: nil), at: now, port: &port)
  }

  mutating func finish(
    _ ending: ResponseTimeline.Ending, usage: Usage?, at now: Instant, port: inout Port
  ) {
    let unheardMs = answer.map { unheard(of: $0, at: now) } ?? 0
    closeItem { $0.timeline.finish(ending, usage: usage, isEstimated: true, &$0.conversation, port: &port) }
    answer = nil
    truncations.removeAll()
    if spokenMs.count > Conversation.maximumItems {
      spokenMs = spokenMs.filter { conversation.item($0.key) != nil }
    }
    armIdleTimeout(afterMs: unheardMs, at: now)
  }

  /// Remembers how much speech the open item of the answer has, when that ends it.
  mutating func closeItem(_ end: (inout Self) -> Void) {
    let (itemID, milliseconds) = (timeline.openItemID, openAudioMs)
    end(&self)
    guard let itemID else { return }
    if let answer { self.answer?.closedAudioBytes = answer.audioBytes }
    spokenMs[itemID] = milliseconds
    if let end = truncations.removeValue(forKey: itemID) { cut(itemID, toMs: end) }
  }

  /// The length of the speech of the open item.
  var openAudioMs: Int {
    answer.map { milliseconds(ofBytes: $0.audioBytes - $0.closedAudioBytes, of: $0) } ?? 0
  }

  func audioMs(_ answer: Answer) -> Int { milliseconds(ofBytes: answer.audioBytes, of: answer) }

  private func milliseconds(ofBytes count: Int, of answer: Answer) -> Int {
    let format = answer.options?.audio?.output?.format ?? session.audio.output.format
    let bytesPerSample = if case .pcm = format { PCM16.bytesPerSample } else { 1 }
    return count / max(1, format.rate * bytesPerSample / 1_000)
  }

  /// The milliseconds of an answer that the user has still to hear: it plays from its first sound on, and is sent faster.
  private func unheard(of answer: Answer, at now: Instant) -> Int {
    guard let begin = answer.spokenFrom else { return 0 }
    return max(0, audioMs(answer) - (now - begin).wholeMilliseconds)
  }

  /// Words are counted by the model or estimated by the engine; speech by its length.
  func usage(of end: AnswerEnd?, _ answer: Answer? = nil) -> Usage {
    let answer = answer ?? self.answer
    let inputAudio = (answer?.inputAudioMs ?? 0) / Limits.inputMsPerToken
    let outputAudio = (answer.map(audioMs) ?? 0) / Limits.outputMsPerToken
    // A service may count what no service can mean.
    let inputText = min(max(0, end?.inputTokens ?? 0), Limits.mostTokens)
    let outputText = min(max(0, end?.outputTokens ?? 0), Limits.mostTokens)
    return Usage(
      totalTokens: inputText + inputAudio + outputText + outputAudio, inputTokens: inputText + inputAudio,
      outputTokens: outputText + outputAudio,
      inputTokenDetails: InputTokenDetails(textTokens: inputText, audioTokens: inputAudio),
      outputTokenDetails: OutputTokenDetails(textTokens: outputText, audioTokens: outputAudio))
  }

  // MARK: The request

  func request(for answer: Answer) -> AnswerRequest {
    let options = answer.options
    let output = options?.audio?.output
    let tokens: Int? =
      if case .count(let count) = options?.maxOutputTokens ?? session.maxOutputTokens { count } else { nil }
    let tools = (options?.tools ?? session.tools).compactMap { tool in
      if case .function(let function) = tool { function } else { nil }
    }
    return AnswerRequest(
      id: answer.id, instructions: options?.instructions ?? session.instructions,
      messages: messages(of: options), tools: tools, toolChoice: options?.toolChoice ?? session.toolChoice,
      maximumTokens: tokens, modality: form(of: options) == .audio ? .audio : .text,
      voice: configuration.voice(named: (output?.voice ?? session.audio.output.voice).name),
      speed: session.audio.output.speed, format: output?.format ?? session.audio.output.format)
  }

  /// The conversation, or what the client gives in its place.
  private func messages(of options: ResponseOptions?) -> [AnswerRequest.Message] {
    let items: [Item] =
      (options?.input).map { input in
        input.compactMap { item in
          item.type == .itemReference ? item.id.flatMap { conversation.item($0) } : item
        }
      } ?? conversation.items
    var messages: [AnswerRequest.Message] = []
    for item in items where item.id == nil || item.id != timeline.openItemID { append(item, to: &messages) }
    return messages
  }

  private func append(_ item: Item, to messages: inout [AnswerRequest.Message]) {
    switch item.type {
    case .message:
      let role: AnswerRequest.Message.Role =
        switch item.role {
        case .system: .system
        case .assistant: .assistant
        case .user, nil: .user
        }
      var message = AnswerRequest.Message(role, (item.content ?? []).compactMap(\.text).joined(separator: "\n"))
      message.turn = item.id.flatMap { heard[$0] }
      if !message.text.isEmpty || message.turn != nil { messages.append(message) }
    case .functionCall:
      let call = AnswerRequest.Message.Call(
        id: item.callID ?? "", name: item.name ?? "", arguments: item.arguments ?? "{}")
      // Calls of one answer belong to one message.
      if messages.last?.role == .assistant, messages.last?.calls != nil {
        messages[messages.count - 1].calls?.append(call)
      } else {
        var message = AnswerRequest.Message(.assistant, "")
        message.calls = [call]
        messages.append(message)
      }
    case .functionCallOutput:
      var message = AnswerRequest.Message(.tool, item.output ?? "")
      message.callID = item.callID
      messages.append(message)
    default: break
    }
  }
}
