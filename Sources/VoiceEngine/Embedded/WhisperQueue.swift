import Synchronization

/// A turn that waits for the recogniser or is in it. It ends exactly once: with its text, with a fault, or cancelled.
final class WhisperJob: Sendable {
  let samples: [Int16]
  let windows: [Range<Int>]
  let language: String
  let prompt: String?
  let partial: @Sendable (String) -> Void
  /// Read by the library from within its computation.
  let isAborted = Atomic(false)
  /// Begun before the turn was over; gives way to turns that are.
  let isEarly: Atomic<Bool>

  /// In characters. The model takes some 220 tokens; the library splits a prompt by recursion, which must end.
  static let longestPrompt = 1_000

  private struct State {
    var texts: [String] = []
    var windowsDone = 0
    var waiter: CheckedContinuation<String, any Error>?
    var outcome: Result<String, any Error>?
  }
  private let state = Mutex(State())

  init(
    samples: [Int16], language: String, prompt: String?, isEarly: Bool = false,
    partial: @escaping @Sendable (String) -> Void
  ) {
    self.isEarly = Atomic(isEarly)
    self.samples = samples
    self.windows = SpeechWindows.ranges(of: samples)
    self.language = language
    self.prompt = prompt.map { String($0.unicodeScalars.prefix(Self.longestPrompt)) }
    self.partial = partial
  }

  /// What is to be transcribed next; nil when nothing is left.
  var nextWindow: Range<Int>? {
    state.withLock { $0.windowsDone < windows.count ? windows[$0.windowsDone] : nil }
  }

  /// Notes the text of the next window.
  ///
  /// - Returns: the text so far.
  func note(_ text: String) -> String {
    state.withLock { state in
      state.windowsDone += 1
      if !text.isEmpty { state.texts.append(text) }
      return state.texts.joined(separator: " ")
    }
  }

  /// Waits for the end. One caller only.
  func outcome(starting start: () -> Void) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      let outcome = state.withLock { state in
        if state.outcome == nil { state.waiter = continuation }
        return state.outcome
      }
      if let outcome { continuation.resume(with: outcome) } else { start() }
    }
  }

  /// The first call counts.
  func end(_ outcome: Result<String, any Error>) {
    let waiter = state.withLock { state in
      guard state.outcome == nil else { return nil as CheckedContinuation<String, any Error>? }
      state.outcome = outcome
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(with: outcome)
  }
}

/// The turns before one recogniser, first come, first served, never more than `capacity`.
final class WhisperQueue: Sendable {
  let capacity: Int

  private struct State {
    var waiting: [WhisperJob] = []
    var running: WhisperJob?
    /// Windows that were given to the recogniser.
    var windowsBegun = 0
    /// Of these, the ones whose computation the library gave up because it was told to.
    var windowsAborted = 0
    var jobs: [WhisperJob] { waiting + (running.map { [$0] } ?? []) }
    /// Of turns that are over.
    var length: Int { jobs.count { !$0.isEarly.load(ordering: .relaxed) } }
  }
  private let state = Mutex(State())

  init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  /// Turns that wait or run.
  var length: Int { state.withLock { $0.length } }
  var windowsBegun: Int { state.withLock { $0.windowsBegun } }
  var windowsAborted: Int { state.withLock { $0.windowsAborted } }

  /// False if the queue is full.
  func admit(_ job: WhisperJob) -> Bool {
    state.withLock { state in
      guard state.length < capacity else { return false }
      for early in state.jobs where early.isEarly.load(ordering: .relaxed) {
        early.isAborted.store(true, ordering: .relaxed)
        state.waiting.removeAll { $0 === early }
      }
      state.waiting.append(job)
      return true
    }
  }

  /// False if there is anything to do for anybody: what may be in vain is done in idle time only.
  func admitIfIdle(_ job: WhisperJob) -> Bool {
    state.withLock { state in
      guard state.jobs.isEmpty else { return false }
      state.waiting.append(job)
      return true
    }
  }

  /// The turn of an early job is over, and somebody waits for it. False if it has been given up meanwhile.
  func claim(_ job: WhisperJob) -> Bool {
    state.withLock { _ in
      job.isEarly.store(false, ordering: .relaxed)
      return !job.isAborted.load(ordering: .relaxed)
    }
  }

  /// The turn whose next window is to be transcribed now.
  func takeNext() -> WhisperJob? {
    state.withLock { state in
      guard state.running == nil, !state.waiting.isEmpty else { return nil }
      state.running = state.waiting.removeFirst()
      return state.running
    }
  }

  /// The window is done. A long turn goes to the end of the queue, so that short ones do not wait for all of it.
  func release(_ job: WhisperJob, hasMore: Bool) {
    state.withLock { state in
      state.running = nil
      if hasMore, !job.isAborted.load(ordering: .relaxed) { state.waiting.append(job) }
    }
  }

  func countBeginning() {
    state.withLock { $0.windowsBegun += 1 }
  }

  func countAbortion() {
    state.withLock { $0.windowsAborted += 1 }
  }

  /// The turn ends now for whoever waits for it; if it is being computed, the computation
  /// ends when the library looks next: between the encoder and the decoder, and after each token.
  func cancel(_ job: WhisperJob) {
    state.withLock { state in
      job.isAborted.store(true, ordering: .relaxed)
      state.waiting.removeAll { $0 === job }
    }
    job.end(.failure(CancellationError()))
  }
}
