import Audio
import LocalVoiceProvider
import Logging
import Synchronization

@testable import VoiceEngine

/// Something did not happen in time.
struct Overdue: Error, CustomStringConvertible {
  var description: String
}

/// What `operation` gives, or `Overdue` after a time in which even a busy machine gets there.
func within<Value: Sendable>(
  _ what: String, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask { try await operation() }
    group.addTask {
      try await Task.sleep(for: .seconds(30))
      throw Overdue(description: what)
    }
    defer { group.cancelAll() }
    guard let value = try await group.next() else { throw Overdue(description: what) }
    return value
  }
}

/// Opens once, for all who wait at it.
final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [AsyncStream<Never>.Continuation] = []
  }

  private let state = Mutex(State())

  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.finish() }
  }

  /// Returns when the latch is open, or when the task is cancelled.
  func pass() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    let isOpen = state.withLock { state in
      if !state.isOpen { state.waiting.append(continuation) }
      return state.isOpen
    }
    if isOpen { continuation.finish() }
    for await _ in stream {}
  }
}

/// What happened, in order, to be waited for.
final class Chronicle<Entry: Sendable>: Sendable {
  private struct State {
    var entries: [Entry] = []
    var waiting: [(count: Int, latch: Latch)] = []
  }

  private let state = Mutex(State())

  var entries: [Entry] { state.withLock { $0.entries } }

  func append(_ entry: Entry) {
    state.withLock { state in
      state.entries.append(entry)
      state.waiting.removeAll { count, latch in
        guard state.entries.count >= count else { return false }
        latch.open()
        return true
      }
    }
  }

  /// The first `count` entries, as soon as there are so many.
  @discardableResult
  func first(_ count: Int) async throws -> [Entry] {
    let latch = Latch()
    state.withLock { state in
      if state.entries.count >= count { latch.open() } else { state.waiting.append((count, latch)) }
    }
    try await within("\(count) entries of \(Entry.self)") { await latch.pass() }
    return Array(entries.prefix(count))
  }
}

/// Takes what is loud for speech; the frames are Silero's. Loudness is the mean of the magnitudes.
struct LoudnessDetector: VoiceActivityDetector {
  let frameSampleCount = 512

  func probability(of frame: UnsafeBufferPointer<Float>) -> Float {
    min(1, frame.reduce(0) { $0 + abs($1) } / Float(frame.count) * 4)
  }

  func reset() {}
}

/// Gives the texts that the test has for the turns.
final class ScriptedTranscriber: Transcriber {
  typealias Answer = @Sendable (ScriptedTranscription) async throws -> String

  let description = StageDescription(.stt, "scripted", model: "ear")
  let begun = Chronicle<ScriptedTranscription>()
  private let answer: Answer

  init(_ answer: @escaping Answer = { "heard \($0.samples.count)" }) {
    self.answer = answer
  }

  func begin(_ options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void) -> any Transcription {
    let transcription = ScriptedTranscription(options, answer)
    begun.append(transcription)
    return transcription
  }
}

final class ScriptedTranscription: Transcription {
  let options: TranscriptionOptions
  let finishes = Chronicle<Void>()
  let cancels = Chronicle<Void>()
  private let answer: ScriptedTranscriber.Answer
  private let taken = Mutex<[Int16]>([])

  init(_ options: TranscriptionOptions, _ answer: @escaping ScriptedTranscriber.Answer) {
    self.options = options
    self.answer = answer
  }

  var samples: [Int16] { taken.withLock { $0 } }

  func append(_ samples: [Int16]) { taken.withLock { $0 += samples } }

  func finish() async throws -> String {
    finishes.append(())
    return try await answer(self)
  }

  func cancel() { cancels.append(()) }
}

/// Plays what the test has for the request.
final class ScriptedResponder: Responder {
  enum Step: Sendable {
    case event(ResponderEvent)
    case wait(Latch)
    case fail(any Error)

    static func text(_ text: String) -> Step { .event(.text(text)) }
  }

  typealias Script = @Sendable (ResponderRequest) -> [Step]

  let description = StageDescription(.llm, "scripted", model: "mind")
  let speakers: [String]
  let takesSpeech: Bool
  let requests = Chronicle<ResponderRequest>()
  /// Whether each stream that has ended was cancelled.
  let endings = Chronicle<Bool>()
  private let script: Script

  init(speakers: [String] = [], takesSpeech: Bool = false, _ script: @escaping Script) {
    self.speakers = speakers
    self.takesSpeech = takesSpeech
    self.script = script
  }

  convenience init(_ steps: Step...) {
    self.init { _ in steps }
  }

  func respond(to request: ResponderRequest) -> AsyncThrowingStream<ResponderEvent, any Error> {
    requests.append(request)
    let (steps, endings) = (script(request), endings)
    return AsyncThrowingStream { continuation in
      let task = Task {
        for step in steps {
          switch step {
          case .event(let event): continuation.yield(event)
          case .wait(let latch): await latch.pass()
          case .fail(let error): continuation.finish(throwing: error)
          }
        }
        continuation.finish()
      }
      continuation.onTermination = { termination in
        task.cancel()
        if case .cancelled = termination { endings.append(true) } else { endings.append(false) }
      }
    }
  }
}

/// Speaks tones.
final class ToneSynthesizer: Synthesizer {
  enum Step: Sendable {
    /// So many samples.
    case tone(Int)
    case wait(Latch)
    case fail(any Error)
  }

  struct Spoken: Sendable, Hashable {
    var text: String
    var voice: String
    var speed: Double
  }

  let description = StageDescription(.tts, "tones", model: "mouth")
  let voices = ["low", "high"]
  let rate: Int
  let spoken = Chronicle<Spoken>()
  /// Whether each stream that has ended was cancelled.
  let endings = Chronicle<Bool>()
  private let script: @Sendable (String) -> [Step]

  init(rate: Int = 24_000, _ script: @escaping @Sendable (String) -> [Step] = { _ in [.tone(2_400)] }) {
    self.rate = rate
    self.script = script
  }

  func speak(_ text: String, voice: String, speed: Double) -> AsyncThrowingStream<SpeechChunk, any Error> {
    spoken.append(Spoken(text: text, voice: voice, speed: speed))
    let (steps, rate, endings) = (script(text), rate, endings)
    return AsyncThrowingStream { continuation in
      let task = Task {
        for step in steps {
          switch step {
          case .tone(let count): continuation.yield(SpeechChunk(samples: Sound.loud(count), rate: rate))
          case .wait(let latch): await latch.pass()
          case .fail(let error): continuation.finish(throwing: error)
          }
        }
        continuation.finish()
      }
      continuation.onTermination = { termination in
        task.cancel()
        if case .cancelled = termination { endings.append(true) } else { endings.append(false) }
      }
    }
  }
}

/// Sounds that the detector tells apart, with samples that can be recognised again.
enum Sound {
  static func loud(_ count: Int) -> [Int16] {
    (0..<count).map { Int16(($0.isMultiple(of: 2) ? 16_000 : -16_000) + $0 % 97) }
  }

  static func quiet(_ count: Int) -> [Int16] { (0..<count).map { Int16($0 % 13) } }

  /// A tone that comes through a change of the rate as loud as it was.
  static func tone(ms: Int, rate: Int) -> [Int16] {
    // A square wave of 200 Hz.
    (0..<ms * rate / 1_000).map { $0 * 400 / rate % 2 == 0 ? 12_000 : -12_000 }
  }
}

extension EngineParts {
  /// An engine of scripted stages.
  static func scripted(
    transcriber: (any Transcriber)? = ScriptedTranscriber(), responder: any Responder = ScriptedResponder(),
    synthesizer: (any Synthesizer)? = ToneSynthesizer(), longestTurnMs: Int = 25_000,
    absent: [StageName: StageDescription] = [:],
    makeDetector: @escaping @Sendable () -> any VoiceActivityDetector = { LoudnessDetector() }
  ) -> EngineParts {
    EngineParts(
      vad: StageDescription(.vad, "loudness"), makeDetector: makeDetector, transcriber: transcriber,
      responder: responder, synthesizer: synthesizer, longestTurnMs: longestTurnMs, absent: absent,
      logger: Logger(label: "engine") { _ in SwiftLogNoOpLogHandler() })
  }
}
