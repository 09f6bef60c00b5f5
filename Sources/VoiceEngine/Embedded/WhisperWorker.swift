import NativeCode
import CSpeech
import Synchronization

/// The one that computes: a model and the thread it runs on.
actor WhisperWorker {
  nonisolated let executor = NativeExecutor(label: "whisper")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  nonisolated let library: WhisperLibrary
  private let queue: WhisperQueue
  private let threads: Int
  private var model: WhisperModel?

  init(library: WhisperLibrary, queue: WhisperQueue, threads: Int) {
    self.library = library
    self.queue = queue
    self.threads = threads
  }

  /// - Returns: whether the model knows languages other than English.
  func load(_ file: ModelFile) throws(StageFault) -> Bool {
    try file.checkWhisper()
    guard let loaded = WhisperModel(library: library, path: file.path) else {
      throw StageFault(
        .stt, code: "model_file_invalid",
        message: "the model file \(file.path) is refused by whisper \(library.version)")
    }
    model = loaded
    return library.isMultilingual(loaded.context) != 0
  }

  /// Transcribes one window of the turn that is next. To be called once for each turn that was admitted.
  func transcribeNext() {
    guard let job = queue.takeNext() else { return }
    let outcome = result(of: job)
    let hasMore = outcome == nil && job.nextWindow != nil
    // Before anybody hears of the end, so that whoever does finds the place free.
    queue.release(job, hasMore: hasMore)
    if let outcome { job.end(outcome) }
    if hasMore { Task { self.transcribeNext() } }
  }

  /// Transcribes the next window; nil if more are left or nobody waits any more.
  private func result(of job: WhisperJob) -> Result<String, any Error>? {
    guard let model, let window = job.nextWindow, !job.isAborted.load(ordering: .relaxed) else { return nil }
    queue.countBeginning()
    do throws(StageFault) {
      let text = try model.transcribe(job, window, threads: threads)
      guard let text, !job.isAborted.load(ordering: .relaxed) else {
        if text == nil { queue.countAbortion() }
        return nil
      }
      let soFar = job.note(text)
      guard job.nextWindow != nil else { return .success(soFar) }
      job.partial(soFar)
      return nil
    } catch {
      return .failure(error)
    }
  }
}

/// A loaded model. Not to be shared: the library computes one turn at a time with it.
private final class WhisperModel {
  let library: WhisperLibrary
  let context: WhisperLibrary.Context
  /// Positions of the encoder, 50 a second.
  private let positions: Int

  init?(library: WhisperLibrary, path: String) {
    var parameters = library.defaultContextParameters()
    parameters.use_gpu = false
    guard let context = library.open(path, parameters) else { return nil }
    self.library = library
    self.context = context
    positions = Int(library.audioContext(context))
  }

  deinit {
    library.free(context)
  }

  /// The text of a window; nil if the computation was aborted.
  func transcribe(_ job: WhisperJob, _ window: Range<Int>, threads: Int) throws(StageFault) -> String? {
    let samples = Dither.softened(job.samples[window])
    var parameters = library.defaultParameters(WhisperLibrary.greedy)
    parameters.n_threads = CInt(threads)
    parameters.no_context = true
    parameters.single_segment = true
    parameters.no_timestamps = true
    parameters.suppress_nst = true
    // Nothing is tried twice; what ends a loop of repetitions is the limit of tokens.
    parameters.temperature_inc = 0
    parameters.max_tokens = 96
    parameters.print_special = false
    parameters.print_progress = false
    parameters.print_realtime = false
    parameters.print_timestamps = false
    parameters.audio_ctx = CInt(min(positions, max(768, samples.count * 50 / 16_000 + 128)))
    parameters.abort_callback = { job in
      guard let job else { return false }
      return Unmanaged<WhisperJob>.fromOpaque(job).takeUnretainedValue().isAborted.load(ordering: .relaxed)
    }
    parameters.abort_user_data = Unmanaged.passUnretained(job).toOpaque()
    // The pointers must outlive the call, and so must the job.
    let status = withExtendedLifetime(job) {
      job.language.withCString { language in
        (job.prompt ?? "").withCString { prompt in
          parameters.language = language
          parameters.initial_prompt = job.prompt == nil ? nil : prompt
          return samples.withUnsafeBufferPointer { samples -> CInt in
            guard let first = samples.baseAddress else { return 0 }
            return library.transcribe(context, parameters, first, CInt(samples.count))
          }
        }
      }
    }
    guard status == 0 else {
      if job.isAborted.load(ordering: .relaxed) { return nil }
      throw StageFault(.stt, code: "stt_unavailable", message: "whisper failed with status \(status)")
    }
    return SpeechText.words(of: segments())
  }

  private func segments() -> String {
    var text = ""
    for segment in 0..<library.segmentCount(context)
    where library.noSpeechProbability(context, segment) <= SpeechText.noSpeechLimit {
      if let words = library.segmentText(context, segment) { text += String(cString: words) }
    }
    return text
  }
}
