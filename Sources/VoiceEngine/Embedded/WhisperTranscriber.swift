import NativeCode
import Synchronization

/// What a Whisper recogniser is started with.
public struct WhisperSettings: Sendable, Hashable {
  /// ISO 639-1; for turns whose options name none.
  public var language = "en"
  /// Threads of one computation. They spin while they wait for each other: more than the idle cores is many times slower
  /// than one.
  public var threads = 1
  /// Turns that may wait or run at once; at least 1. One more is refused.
  public var capacity = 4

  public init() {}
}

/// Whisper through whisper.cpp, in the process: one model, one turn at a time.
public final class WhisperTranscriber: Transcriber {
  /// The model that setup installs.
  public static let standardModel = "ggml-tiny.en.bin"

  public let description: StageDescription
  /// Whether the model knows languages other than English.
  public let isMultilingual: Bool
  let settings: WhisperSettings
  let queue: WhisperQueue
  let worker: WhisperWorker

  private init(
    description: StageDescription, isMultilingual: Bool, settings: WhisperSettings, worker: WhisperWorker,
    queue: WhisperQueue
  ) {
    self.description = description
    self.isMultilingual = isMultilingual
    self.settings = settings
    self.worker = worker
    self.queue = queue
  }

  /// Opens the library and loads the model: some tenths of a second, on a thread of its own.
  ///
  /// - Parameters:
  ///   - folder: of the installed parts.
  ///   - model: the path of any ggml model of Whisper; nil for the installed one.
  /// - Throws: `stt_unavailable` without the library, `model_file_invalid` naming the model.
  public static func load(
    folder: EngineFolder, model: String? = nil, settings: WhisperSettings = .init()
  ) async throws(StageFault) -> WhisperTranscriber {
    let library: WhisperLibrary
    do {
      library = try WhisperLibrary(path: folder.library(WhisperLibrary.fileName))
    } catch {
      throw StageFault(.stt, code: "stt_unavailable", message: error.description)
    }
    let language = Self.tag(settings.language)
    guard library.languageID(language) >= 0 else {
      throw StageFault(.stt, code: "stt_refused", message: "whisper knows no language “\(settings.language)”")
    }
    let file = ModelFile(path: model ?? folder.model(standardModel), stage: .stt)
    let queue = WhisperQueue(capacity: settings.capacity)
    let worker = WhisperWorker(library: library, queue: queue, threads: max(1, settings.threads))
    let isMultilingual = try await worker.load(file)
    guard isMultilingual || language == "en" else { throw Self.englishOnly(file.modelName, language: language) }
    return WhisperTranscriber(
      description: StageDescription(.stt, "whisper", model: file.modelName, version: library.version),
      isMultilingual: isMultilingual, settings: settings, worker: worker, queue: queue)
  }

  /// Turns that wait or run.
  public var queueLength: Int { queue.length }
  /// Turns that may wait or run.
  public var capacity: Int { queue.capacity }

  /// The turn is transcribed by `finish`, which throws
  /// * `rate_limit_exceeded` if `capacity` turns wait or run already,
  /// * `stt_refused` for a language that the model does not know,
  /// * `stt_unavailable` if the library fails,
  /// * `CancellationError` if it or its task was cancelled, at once.
  ///
  /// `partial` is called after each window of a turn but the last (`SpeechWindows`).
  public func begin(
    _ options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void
  ) -> any Transcription {
    WhisperTranscription(transcriber: self, options: options, partial: partial)
  }

  /// The language as whisper names it.
  func language(_ asked: String?) throws(StageFault) -> String {
    let language = Self.tag(asked ?? settings.language)
    guard isMultilingual || language == "en" else {
      throw Self.englishOnly(description.model, language: language)
    }
    guard worker.library.languageID(language) >= 0 else {
      throw StageFault(.stt, code: "stt_refused", message: "whisper knows no language “\(language)”")
    }
    return language
  }

  /// `en` of `en-US`.
  private static func tag(_ language: String) -> String {
    String(language.prefix { $0 != "-" && $0 != "_" }).lowercased()
  }

  private static func englishOnly(_ model: String, language: String) -> StageFault {
    StageFault(
      .stt, code: "stt_refused",
      message: "the model \(model) knows English only, not “\(language)”: let STT_MODEL_PATH name a multilingual one")
  }
}

/// One turn.
private final class WhisperTranscription: Transcription {
  private struct State {
    var samples: [Int16] = []
    var job: WhisperJob?
    /// Begun while the user was silent.
    var early: WhisperJob?
    /// Cancelled, or finished before.
    var isOver = false
  }

  private let transcriber: WhisperTranscriber
  private let options: TranscriptionOptions
  private let partial: @Sendable (String) -> Void
  private let state = Mutex(State())

  init(
    transcriber: WhisperTranscriber, options: TranscriptionOptions, partial: @escaping @Sendable (String) -> Void
  ) {
    self.transcriber = transcriber
    self.options = options
    self.partial = partial
  }

  func append(_ samples: [Int16]) {
    state.withLock { if !$0.isOver { $0.samples += samples } }
  }

  func anticipateEnd() {
    guard let language = try? transcriber.language(options.language) else { return }
    let early = state.withLock { state -> WhisperJob? in
      guard !state.isOver, state.early == nil, SpeechText.isWorthTranscribing(state.samples) else { return nil }
      let job = WhisperJob(
        samples: state.samples, language: language, prompt: options.prompt, isEarly: true, partial: { _ in })
      guard transcriber.queue.admitIfIdle(job) else { return nil }
      state.early = job
      return job
    }
    guard early != nil else { return }
    let worker = transcriber.worker
    Task { await worker.transcribeNext() }
  }

  func goOn() {
    let early = state.withLock { state in
      defer { state.early = nil }
      return state.early
    }
    if let early { transcriber.queue.cancel(early) }
  }

  func cancel() {
    let jobs = state.withLock { state in
      defer { state = State(isOver: true) }
      return [state.job, state.early].compactMap(\.self)
    }
    for job in jobs { transcriber.queue.cancel(job) }
  }

  func finish() async throws -> String {
    let language = try transcriber.language(options.language)
    if let text = try await earlyText() { return text }
    let begun = state.withLock { state -> WhisperJob? in
      guard !state.isOver else { return nil }
      let job = WhisperJob(samples: state.samples, language: language, prompt: options.prompt, partial: partial)
      state = State(job: job, isOver: true)
      return job
    }
    guard let job = begun else { throw CancellationError() }
    guard SpeechText.isWorthTranscribing(job.samples) else { return "" }
    guard transcriber.queue.admit(job) else {
      throw StageFault(
        .stt, code: "rate_limit_exceeded",
        message: "\(transcriber.capacity) turns wait for speech recognition already; try again in a moment")
    }
    let worker = transcriber.worker
    return try await outcome(of: job) { Task { await worker.transcribeNext() } }
  }

  private func outcome(of job: WhisperJob, starting start: () -> Void) async throws -> String {
    let queue = transcriber.queue
    return try await withTaskCancellationHandler {
      try await job.outcome(starting: start)
    } onCancel: {
      queue.cancel(job)
    }
  }

  /// What was begun while the user was silent, if it still holds; nil if all is to be done now.
  private func earlyText() async throws -> String? {
    let claimed = state.withLock { state -> WhisperJob? in
      guard !state.isOver, let early = state.early, transcriber.queue.claim(early) else { return nil }
      state = State(job: early, isOver: true)
      return early
    }
    guard let claimed else { return nil }
    return try await outcome(of: claimed) {}
  }
}
