import Audio
import Envelope
import LocalVoiceProvider
import Logging
import NIOCore

/// One answer on its way: words stream from the responder, are cut into clauses, and each clause is told and then spoken
/// while the next is still being thought of. Cancelling the task stops all of it.
struct AnswerRun: Sendable {
  /// No answer is longer; it ends there as if the model's own limit had been reached.
  private static let mostCharacters = 20_000

  let request: AnswerRequest
  let chat: ResponderRequest
  let parts: EngineParts
  let gate: OutputGate
  let playback: Playback
  let deliver: @Sendable (ByteBuffer) -> Void

  /// What comes out of the responder, in the order in which the client is to have it.
  private enum Piece: Sendable {
    case clause(String)
    case speech([Int16], rate: Int)
    case call(ChatMessage.Call)
  }

  private struct Tally: Sendable {
    var inputTokens = 0
    var outputTokens = 0
    var ending = ResponderEnding.complete
  }

  func run() async {
    let started = ContinuousClock.now
    do {
      let (tally, audioMs) = try await produce(started)
      let reason: AnswerEnd.Reason =
        switch tally.ending {
        case .complete: .complete
        case .maximumTokens: .maximumTokens
        case .contentFilter: .contentFilter
        }
      try await say(
        .finished(
          AnswerEnd(
            response: request.id, reason: reason, inputTokens: tally.inputTokens, outputTokens: tally.outputTokens,
            audioMs: audioMs)))
    } catch {
      guard !Task.isCancelled else { return playback.stop() }
      let fault = error as? StageFault ?? StageFault(.llm, code: "engine_failed", message: "The answer failed.")
      parts.logger.warning(
        "stage failed",
        metadata: ["stage": "\(fault.stage.rawValue)", "fault": "\(fault.code)", "reason": "\(fault.message)"])
      do {
        try await say(.failed(response: request.id, code: fault.code, message: fault.message))
      } catch {
        playback.stop()
      }
    }
  }

  /// Says it as soon as the client takes it. Throws if the answer was cancelled before.
  private func say(_ event: EngineEvent) async throws {
    var message = ByteBuffer()
    event.encoded().write(into: &message)
    await gate.pass()
    try Task.checkCancellation()
    deliver(message)
  }

  /// Thinking and speaking at once: the speaker is behind the thinker, never the other way round.
  private func produce(_ started: ContinuousClock.Instant) async throws -> (Tally, audioMs: Int) {
    let (pieces, queue) = AsyncStream.makeStream(of: Piece.self)
    async let tally = think(into: queue, started)
    // If nothing can be spoken, the thinker is cancelled on the way out.
    let audioMs = try await speak(pieces, started)
    return (try await tally, audioMs)
  }

  // MARK: Thinking

  private func think(
    into queue: AsyncStream<Piece>.Continuation, _ started: ContinuousClock.Instant
  ) async throws -> Tally {
    defer { queue.finish() }
    var tally = Tally()
    var clauses = ClauseSplitter()
    var characters = 0
    var isFirst = true
    let isSpoken = request.modality == .audio

    func take(_ text: String) {
      guard !text.isEmpty else { return }
      if isSpoken {
        for clause in clauses.add(text) { queue.yield(.clause(clause)) }
      } else {
        queue.yield(.clause(text))
      }
    }
    func flush() {
      if let rest = clauses.finish() { queue.yield(.clause(rest)) }
    }

    reading: for try await event in parts.responder.respond(to: chat) {
      if isFirst {
        isFirst = false
        log("first words", stage: .llm, started)
      }
      switch event {
      case .text(let text):
        let room = Self.mostCharacters - characters
        characters += text.count
        take(String(text.prefix(room)))
        guard text.count <= room else {
          tally.ending = .maximumTokens
          break reading
        }
      case .call(let call):
        flush()
        queue.yield(.call(call))
      case .audio(let samples, let rate):
        guard isSpoken else { continue }
        flush()
        queue.yield(.speech(samples, rate: rate))
      case .usage(let input, let output):
        (tally.inputTokens, tally.outputTokens) = (input, output)
      case .finished(let ending):
        tally.ending = ending
      }
    }
    flush()
    return tally
  }

  // MARK: Speaking

  private func speak(_ pieces: AsyncStream<Piece>, _ started: ContinuousClock.Instant) async throws -> Int {
    var output = OutputEncoder(request.format)
    var unspoken = ""
    for await piece in pieces {
      switch piece {
      case .call(let call):
        // The last of the speech before it belongs before it: a call ends the item that is spoken.
        try await send(output.finish(), output.millisecondsPerPiece)
        try await say(.call(response: request.id, .init(id: call.id, name: call.name, arguments: call.arguments)))
      case .clause(let clause) where request.modality == .text:
        try await say(.text(response: request.id, delta: clause))
      case .clause(let clause):
        try await tell(clause)
        // A model that speaks itself says the same words in a moment.
        if parts.responder.speakers.isEmpty {
          try await pronounce(clause, &output, started)
        } else {
          unspoken += clause
        }
      case .speech(let samples, let rate):
        unspoken = ""
        if output.sentMs == 0 { log("first speech", stage: .llm, started) }
        try await send(output.encode(samples, rate: rate), output.millisecondsPerPiece)
      }
    }
    try Task.checkCancellation()
    // It did not: some releases of such servers send no speech.
    if !unspoken.isEmpty, output.sentMs == 0 { try await pronounce(unspoken, &output, started) }
    try await send(output.finish(), output.millisecondsPerPiece)
    return output.sentMs
  }

  /// Speaks what is fit to be spoken of a clause.
  private func pronounce(
    _ clause: String, _ output: inout OutputEncoder, _ started: ContinuousClock.Instant
  ) async throws {
    let text = SpokenText.of(clause)
    guard !text.isEmpty else { return }
    guard let synthesizer = parts.synthesizer else {
      throw StageFault(.tts, code: "tts_unavailable", message: parts.absence(of: .tts))
    }
    // The voice of a model that speaks itself is none of the synthesizer's.
    let voice = synthesizer.voices.contains(request.voice) ? request.voice : synthesizer.voices.first ?? request.voice
    for try await chunk in synthesizer.speak(text, voice: voice, speed: request.speed) {
      if output.sentMs == 0 { log("first speech", stage: .tts, started) }
      try await send(output.encode(chunk.samples, rate: chunk.rate), output.millisecondsPerPiece)
    }
  }

  /// The words of a clause before its speech, a few at a time as a stream of words comes.
  private func tell(_ clause: String) async throws {
    var rest = Substring(clause)
    while !rest.isEmpty {
      var end = rest.startIndex
      for _ in 0..<3 {
        guard end < rest.endIndex else { break }
        let next = rest.index(after: end)
        end = rest[next...].firstIndex(of: " ") ?? rest.endIndex
      }
      try await say(.text(response: request.id, delta: String(rest[..<end])))
      rest = rest[end...]
    }
  }

  private func send(_ pieces: [ByteBuffer], _ milliseconds: Int) async throws {
    for base64 in pieces {
      await gate.pass()
      try Task.checkCancellation()
      var message = ByteBuffer()
      EngineEvent.writeAudio(base64, response: request.id, into: &message)
      deliver(message)
      let ahead = playback.extend(byMs: milliseconds)
      if ahead > Playback.lead { try await Task.sleep(for: ahead - Playback.lead) }
    }
  }

  private func log(_ what: Logger.Message, stage: StageName, _ started: ContinuousClock.Instant) {
    parts.logger.debug(
      what, metadata: ["stage": "\(stage.rawValue)", "ms": "\(started.duration(to: .now).milliseconds)"])
  }
}

/// Speech of any rate to base64 in the client's format, in pieces of 100 ms.
struct OutputEncoder {
  let millisecondsPerPiece = 100
  private let format: AudioFormat
  private var speech: SpeechRecording
  private var pending: [Int16] = []
  private(set) var sentMs = 0

  init(_ format: AudioFormat) {
    self.format = format
    speech = SpeechRecording(rate: format.rate)
  }

  private var samplesPerPiece: Int { format.rate * millisecondsPerPiece / 1_000 }

  mutating func encode(_ samples: [Int16], rate: Int) -> [ByteBuffer] {
    speech.add(SpeechChunk(samples: samples, rate: rate))
    pending += speech.drain()
    var pieces: [ByteBuffer] = []
    var taken = 0
    while pending.count - taken >= samplesPerPiece {
      pieces.append(base64(pending[taken..<(taken + samplesPerPiece)]))
      taken += samplesPerPiece
    }
    pending.removeFirst(taken)
    return pieces
  }

  /// What is left, shorter than a piece.
  mutating func finish() -> [ByteBuffer] {
    pending += speech.finish()
    defer { pending.removeAll() }
    return pending.isEmpty ? [] : [base64(pending[...])]
  }

  private mutating func base64(_ samples: ArraySlice<Int16>) -> ByteBuffer {
    sentMs += samples.count * 1_000 / format.rate
    var bytes = ByteBuffer()
    samples.withUnsafeBufferPointer { samples in
      switch format {
      case .pcm: PCM16.encode(samples, into: &bytes)
      case .pcmu: G711.encode(samples, .muLaw, into: &bytes)
      case .pcma: G711.encode(samples, .aLaw, into: &bytes)
      }
    }
    var text = ByteBuffer()
    bytes.withUnsafeReadableBytes { Base64.encode($0, into: &text) }
    return text
  }
}
