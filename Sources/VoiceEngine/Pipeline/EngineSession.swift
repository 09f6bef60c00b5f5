import NativeCode
import Audio
import Envelope
import LocalVoiceProvider
import Logging
import NIOCore

/// One session inside the engine: hears the client's audio and runs what is asked of it. All sessions are heard on one
/// thread, because the detectors' native calls may block it; everything that takes longer than a frame runs elsewhere.
actor EngineSession {
  /// The audio of a turn that has ended, on its way to text.
  private struct Turn {
    var transcription: (any Transcription)?
    /// Kept for models that hear.
    var speech: [Int16]?
    /// Nothing in it was speech.
    var isSilent: Bool
    var fault: StageFault?
  }

  nonisolated let executor: NativeExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let parts: EngineParts
  private let gate: OutputGate
  private let deliver: @Sendable (ByteBuffer) -> Void
  private var hearing: Hearing?
  private var turns: [String: Turn] = [:]
  private var transcriptions: [String: Task<Void, Never>] = [:]
  private var answers: [String: Task<Void, Never>] = [:]
  /// Of the answers that may still be heard.
  private var playbacks: [String: Playback] = [:]
  /// The last turn that is being recognised: a session has one at a time in the recogniser, whatever it brings along.
  private var lastTranscription: Task<Void, Never>?
  private var hasEnded = false
  private var hasAnswered = false

  init(parts: EngineParts, gate: OutputGate, deliver: @escaping @Sendable (ByteBuffer) -> Void) {
    self.parts = parts
    self.gate = gate
    self.deliver = deliver
    executor = parts.hearingExecutor
  }

  /// A message of the translator, read: not on the thread that hears, because it may be megabytes.
  enum Input: Sendable {
    case audio(ByteBuffer)
    case request(EngineRequest)
    /// The translator is part of this program; it can only be a mistake of ours.
    case malformed(String)

    init(_ message: ByteBuffer) {
      if let base64 = EngineRequest.audio(in: message) {
        self = .audio(base64)
        return
      }
      do {
        self = .request(try EngineRequest(try JSONValue(parsing: message.readableBytesView)))
      } catch {
        self = .malformed("\(error)")
      }
    }
  }

  /// Takes the next message; the one after it is to wait until this returns.
  func receive(_ input: Input) async {
    guard !hasEnded else { return }
    switch input {
    case .audio(let base64): await hear(base64)
    case .request(let request): await perform(request)
    case .malformed(let fault):
      parts.logger.error("engine request not understood", metadata: ["fault": "\(fault)"])
    }
  }

  private func perform(_ request: EngineRequest) async {
    switch request {
    case .hear(let settings): configure(settings)
    case .audio(let base64): await hear(ByteBuffer(string: base64))
    case .commit(let turn, let absorbed): commit(turn, absorbing: absorbed)
    case .clear:
      withdrawAnnouncement(except: nil)
      hearing?.clear().forEach { $0.transcription?.cancel() }
    case .recording(let turn, let base64, let format): await record(turn, base64, format)
    case .transcribe(let turn): transcribe(turn)
    case .forget(let turn):
      turns.removeValue(forKey: turn)?.transcription?.cancel()
      transcriptions[turn]?.cancel()
    case .answer(let request): answer(request)
    case .cancel(let response): answers.removeValue(forKey: response)?.cancel()
    }
  }

  private func say(_ event: EngineEvent) {
    var message = ByteBuffer()
    event.encoded().write(into: &message)
    deliver(message)
  }

  /// The session is over.
  func end() {
    guard !hasEnded else { return }
    hasEnded = true
    for task in answers.values { task.cancel() }
    for task in transcriptions.values { task.cancel() }
    for turn in turns.values { turn.transcription?.cancel() }
    hearing?.clear().forEach { $0.transcription?.cancel() }
    hearing = nil
    turns.removeAll()
  }

  // MARK: Hearing

  private func configure(_ settings: HearingSettings) {
    if hearing == nil {
      hearing = Hearing(settings, parts: parts)
      say(.ready)
    } else {
      // Detection that begins anew drops what was going on.
      if settings.detection == .automatic, hearing?.isDetecting == false { withdrawAnnouncement(except: nil) }
      hearing?.apply(settings)
    }
  }

  private func hear(_ base64: ByteBuffer) async {
    hearing?.take(base64)
    playbacks = playbacks.filter { answers[$0.key] != nil || $0.value.isRunning }
    while let events = hearing?.hear(whileSpeaking: playbacks.values.contains(where: \.isRunning)) {
      for event in events {
        switch event {
        case .started(let turn, let atMs):
          say(.speechStarted(turn: turn, atMs: atMs))
        case .stopped(let audio, let atMs, let wasCut):
          keep(audio)
          say(.speechStopped(turn: audio.name, atMs: atMs, isSpeech: audio.isSpeech, wasCut: wasCut))
        }
      }
      // Whoever waits for the thread goes first.
      await Task.yield()
    }
  }

  private func keep(_ audio: HeardTurn) {
    turns[audio.name] = Turn(
      transcription: audio.transcription, speech: parts.responder.takesSpeech ? audio.samples : nil,
      isSilent: !audio.isSpeech)
  }

  private func commit(_ name: String, absorbing absorbed: String?) {
    if let absorbed, var turn = turns.removeValue(forKey: absorbed) {
      // The engine found the end of the turn before it heard of the commit.
      turn.isSilent = false
      turns[name] = turn
      hearing?.forgetLeftover()
      return
    }
    withdrawAnnouncement(except: absorbed)
    if let audio = hearing?.commit(as: name) {
      keep(audio)
    }
  }

  /// The client's commit or clear crossed the announcement of a turn, whose audio it takes: nothing is left of the turn, and
  /// whoever waits for its end is told so.
  private func withdrawAnnouncement(except absorbed: String?) {
    guard let announced = hearing?.announced, announced.turn != absorbed else { return }
    say(.speechStopped(turn: announced.turn, atMs: announced.atMs, isSpeech: false, wasCut: false))
  }

  /// Audio that the client brought along. Nothing of it is judged by the detector: the client says that it is speech.
  private func record(_ name: String, _ base64: String, _ format: AudioFormat) async {
    do throws(StageFault) {
      let samples = try await parts.decoder.samples(base64: base64, format: format)
      guard !hasEnded else { return }
      let transcription = parts.transcriber?.begin(hearing?.options ?? TranscriptionOptions()) { _ in }
      transcription?.append(samples)
      turns[name] = Turn(
        transcription: transcription, speech: parts.responder.takesSpeech ? samples : nil, isSilent: false)
    } catch {
      turns[name] = Turn(transcription: nil, speech: nil, isSilent: false, fault: error)
    }
  }

  // MARK: Words

  private func transcribe(_ name: String) {
    guard let turn = turns[name] else {
      return say(.notTranscribed(turn: name, code: "stt_failed", message: "The audio of the turn is not there."))
    }
    if let fault = turn.fault {
      return say(.notTranscribed(turn: name, code: fault.code, message: fault.message))
    }
    guard !turn.isSilent else {
      turn.transcription?.cancel()
      return say(.transcribed(turn: name, text: ""))
    }
    guard let transcription = turn.transcription else {
      return say(.notTranscribed(turn: name, code: "stt_unavailable", message: parts.absence(of: .stt)))
    }
    let started = ContinuousClock.now
    let task = Task { [parts, lastTranscription] in
      await lastTranscription?.value
      do {
        let text = try await transcription.finish()
        parts.logger.debug(
          "turn recognised", metadata: ["stage": "stt", "ms": "\(started.duration(to: .now).milliseconds)"])
        self.transcribed(name, .success(text))
      } catch {
        let fault =
          error as? StageFault ?? StageFault(.stt, code: "stt_failed", message: "The turn could not be recognised.")
        self.transcribed(name, .failure(fault))
      }
    }
    transcriptions[name] = task
    lastTranscription = task
  }

  private func transcribed(_ name: String, _ result: Result<String, StageFault>) {
    transcriptions[name] = nil
    guard !hasEnded else { return }
    // Otherwise it was forgotten meanwhile, and nobody asks for its words any more.
    let isAwaited = turns[name] != nil
    turns[name]?.transcription = nil
    if turns[name]?.speech == nil { turns[name] = nil }
    switch result {
    case .success(let text):
      say(.transcribed(turn: name, text: text))
    case .failure(let fault):
      if isAwaited {
        parts.logger.warning(
          "stage failed", metadata: ["stage": "stt", "fault": "\(fault.code)", "reason": "\(fault.message)"])
      }
      say(.notTranscribed(turn: name, code: fault.code, message: fault.message))
    }
  }

  // MARK: Answers

  private func answer(_ request: AnswerRequest) {
    var chat = ResponderRequest(request)
    for (index, message) in request.messages.enumerated() {
      if let turn = message.turn { chat.messages[index].speech = turns[turn]?.speech }
    }
    chat.isFirstAnswer = !hasAnswered
    hasAnswered = true
    let playback = Playback()
    playbacks[request.id] = playback
    let run = AnswerRun(
      request: request, chat: chat, parts: parts, gate: gate, playback: playback, deliver: deliver)
    answers[request.id] = Task {
      await run.run()
      self.answered(request.id)
    }
  }

  private func answered(_ id: String) {
    answers[id] = nil
  }
}

extension ResponderRequest {
  /// What the responder needs of a request of the translator.
  init(_ request: AnswerRequest) {
    self.init()
    instructions = request.instructions
    messages = request.messages.map { message in
      var chat = ChatMessage(role: ChatMessage.Role(message.role), text: message.text)
      chat.calls = (message.calls ?? []).map { ChatMessage.Call(id: $0.id, name: $0.name, arguments: $0.arguments) }
      chat.callID = message.callID
      return chat
    }
    tools = request.tools.map {
      ChatTool(name: $0.name, summary: $0.description ?? "", parameters: $0.parameters?.text)
    }
    toolChoice =
      switch request.toolChoice {
      case .auto, .mcp: .auto
      case .none: .none
      case .required: .required
      case .function(let name, _): .function(name)
      }
    maximumTokens = request.maximumTokens
    isSpoken = request.modality == .audio
    voice = request.voice
  }
}

extension ChatMessage.Role {
  fileprivate init(_ role: AnswerRequest.Message.Role) {
    switch role {
    case .system: self = .system
    case .user: self = .user
    case .assistant: self = .assistant
    case .tool: self = .tool
    }
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int {
    Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
