import Translation

/// How long the turns of a session took: marks and the time of each step in, measures out.
///
/// A turn begins with the end of the user's speech, where an answer to it follows by itself, or with the client's request.
/// Nothing is measured where that is not known: an answer of the provider's own accord has no first-audio time, and neither
/// has one whose provider says only with its first output that the user had stopped, unless it transcribed the speech as
/// it went: then the last word of it is taken for the end.
struct TurnClock: Sendable {
  /// An answer that has not begun.
  private struct Owed: Sendable {
    var since: Instant
    /// Since when the provider has had all that it needs; nil while anything is held here.
    var handedAt: Instant?
    /// By the end of the user's speech, and not by the client's request.
    var isSpoken: Bool
    /// It was told in this very step.
    var isNews = true
    /// The client's request has not left for the provider.
    var waitsToLeave = false
    /// The beginning was told.
    var isTold = false
  }

  private struct Live: Sendable {
    var id: String
    var owed: Owed?
    var hasSpoken = false
  }

  /// The user has spoken into a speaking answer, or the client has cancelled it.
  private struct Interruption: Sendable {
    var at: Instant
    var lastAudioAt: Instant
  }

  /// What a step's marks mean depends on the session and on its connection.
  struct Circumstances {
    /// The end of the user's speech asks for an answer.
    var answersSpeech: Bool
    /// The user's speech cuts answers short.
    var interrupts: Bool
    var isUpstreamReady: Bool
  }

  private(set) var isUserSpeaking = false
  private var heardAt: Instant?
  private var owed: Owed?
  private var live: Live?
  private var interruption: Interruption?
  /// Somebody interrupted while no answer was live; one that has ended may still wait for the client.
  private var interruptsRest = false
  private(set) var measures: [TurnMeasure] = []

  /// Whether each chunk of speech is to be marked.
  var watchesSpeech: Bool { live.map { !$0.hasSpoken } ?? false || interruption != nil }

  /// Whether an answer is owed to the user or is going on.
  var isOpen: Bool { owed != nil || live != nil }

  mutating func takeMeasures() -> [TurnMeasure] {
    defer { measures = [] }
    return measures
  }

  // MARK: Steps

  mutating func take(_ marks: [TurnMark], _ circumstances: Circumstances, at now: Instant) {
    interruptsRest = false
    for mark in marks { take(mark, circumstances, at: now) }
    owed?.isNews = false
  }

  private mutating func take(_ mark: TurnMark, _ circumstances: Circumstances, at now: Instant) {
    switch mark {
    case .speechStarted:
      isUserSpeaking = true
      heardAt = nil
      // The user goes on; what was asked for in so many words is owed all the same.
      if owed?.isSpoken == true { owed = nil }
      if circumstances.interrupts { interrupt(at: now) }
    case .speechHeard:
      if isUserSpeaking { heardAt = now }
    case .speechStopped:
      isUserSpeaking = false
      if circumstances.answersSpeech { owe(isSpoken: true, circumstances, at: now) }
    case .speechCleared:
      isUserSpeaking = false
    case .asked:
      owe(isSpoken: false, circumstances, at: now)
    case .askedInFull:
      owed?.since = now
      owed?.handedAt = circumstances.isUpstreamReady ? now : nil
    case .unanswered:
      unanswered(.failed)
    case .refused:
      unanswered(.cancelled)
    case .handedOver:
      if owed != nil { owed?.handedAt = now } else { live?.owed?.handedAt = now }
    case .began(let id):
      begin(id, at: now)
    case .spoke(let id):
      spoke(id, at: now)
    case .cancelled(let id):
      if id == nil || live == nil || id == live?.id { interrupt(at: now) }
    case .ended(let outcome, let id, let inputTokens, let outputTokens):
      end(outcome, id, inputTokens, outputTokens)
    }
  }

  /// What the client said in the step of this time has not left.
  mutating func requestWaits(at now: Instant) {
    guard let owed, !owed.isSpoken, owed.since == now else { return }
    self.owed?.waitsToLeave = true
  }

  mutating func requestLeft(at now: Instant) {
    guard owed?.waitsToLeave == true else { return }
    owed?.waitsToLeave = false
    owed?.handedAt = now
  }

  /// Audio that waited for the client was dropped; also of an answer that is over.
  mutating func droppedAudio() {
    guard interruptsRest else { return }
    interruptsRest = false
    measures.append(.silenced(after: .zero))
  }

  // MARK: A turn

  private mutating func owe(isSpoken: Bool, _ circumstances: Circumstances, at now: Instant) {
    guard owed?.since != now else {
      // A commit is the end of the speech as well.
      if !isSpoken { owed?.isSpoken = false }
      return
    }
    owed = Owed(since: now, handedAt: circumstances.isUpstreamReady ? now : nil, isSpoken: isSpoken)
    if live == nil { tellBeginning() }
  }

  private mutating func tellBeginning() {
    owed?.isTold = true
    measures.append(.began)
  }

  private mutating func unanswered(_ outcome: TurnOutcome) {
    defer { owed = nil }
    guard live == nil, owed?.isTold == true else { return }
    measures.append(.ended(outcome, responseID: nil, inputTokens: nil, outputTokens: nil))
  }

  private mutating func begin(_ id: String, at now: Instant) {
    if let live { end(.incomplete, live.id, nil, nil) }
    if owed == nil { measures.append(.began) }
    if owed?.isTold == false { tellBeginning() }
    if var known = owed, known.isNews, known.isSpoken {
      // The last word is the best that is known of the end.
      known.since = heardAt ?? now
      known.handedAt = known.since
      owed = known.since < now ? known : nil
    }
    isUserSpeaking = isUserSpeaking && owed == nil
    live = Live(id: id, owed: owed)
    owed = nil
  }

  private mutating func spoke(_ id: String?, at now: Instant) {
    guard var speaking = live, id == nil || id == speaking.id else { return }
    interruption?.lastAudioAt = now
    guard !speaking.hasSpoken else { return }
    speaking.hasSpoken = true
    live = speaking
    guard let owed = speaking.owed else { return }
    let handedAt = max(owed.since, min(owed.handedAt ?? owed.since, now))
    measures.append(.firstAudio(sinceBegan: now - owed.since, upstream: now - handedAt))
  }

  private mutating func interrupt(at now: Instant) {
    guard let live else {
      interruptsRest = true
      return
    }
    guard live.hasSpoken, interruption == nil else { return }
    interruption = Interruption(at: now, lastAudioAt: now)
  }

  private mutating func end(_ outcome: TurnOutcome, _ id: String, _ inputTokens: Int?, _ outputTokens: Int?) {
    guard live?.id == id else { return }
    if let interruption { measures.append(.silenced(after: interruption.lastAudioAt - interruption.at)) }
    interruption = nil
    live = nil
    measures.append(.ended(outcome, responseID: id, inputTokens: inputTokens, outputTokens: outputTokens))
    if owed?.isTold == false { tellBeginning() }
  }
}
