import Envelope

/// What is known of the user's turns and of the conversation's items.
struct UserInput: Sendable {
  private struct Turn: Sendable {
    var startMs: Int?
    var endMs: Int?
    var isCommitted = false
    /// As far as it was said.
    var transcript = ""
    var isTranscribed = false
    /// What was said of it before its audio was committed.
    var early = Early()
    /// The provider's newest `…transcription.completed`, while it may grow.
    var final: JSONObject?
  }

  /// What the client is told of a turn no sooner than that it is committed.
  struct Early: Sendable {
    /// The provider's `conversation.item.added`.
    var added: JSONObject?
    /// The words so far, as a delta.
    var words: JSONObject?
  }

  /// Turns by the id of their item.
  private var turns = Remembered<Turn>()
  /// Items that were added, and whether they are done.
  private var items = Remembered<Bool>()
  /// The item that was added last.
  private(set) var lastItemID: String?
  /// Whose turn it is, from the start of the speech to its item.
  private(set) var speakingItemID: String?

  // MARK: Items

  func isKnown(_ id: String) -> Bool { items[id] != nil }
  func isDone(_ id: String) -> Bool { items[id] == true }

  mutating func added(_ id: String) {
    items[id] = false
    lastItemID = id
  }

  mutating func done(_ id: String) {
    items[id] = true
  }

  /// Its id may be given to another.
  mutating func deleted(_ id: String) {
    items[id] = nil
    if lastItemID == id { lastItemID = nil }
  }

  // MARK: Turns

  /// Whether audio went up that no turn has.
  private var hasHeard = false
  /// How long all of it is.
  private(set) var heardMs = 0

  mutating func heard(milliseconds: Int) {
    hasHeard = true
    heardMs += milliseconds
  }

  /// Whether an item may be what the user says: its turn was announced, or audio went up that no turn has.
  func maySpeak(_ id: String) -> Bool { hasHeard || turns[id] != nil }

  /// False where the turn is known.
  mutating func started(_ id: String, atMs: Int) -> Bool {
    guard turns[id]?.startMs == nil else { return false }
    change(id) { $0.startMs = atMs }
    speakingItemID = id
    return true
  }

  /// False where it never started, or stopped before.
  mutating func stopped(_ id: String, atMs: Int) -> Bool {
    guard let turn = turns[id], turn.startMs != nil, turn.endMs == nil else { return false }
    change(id) { $0.endMs = atMs }
    return true
  }

  func isCommitted(_ id: String) -> Bool { turns[id]?.isCommitted == true }

  /// False where it was committed before.
  mutating func committed(_ id: String) -> Bool {
    guard !isCommitted(id) else { return false }
    change(id) { $0.isCommitted = true }
    hasHeard = false
    if speakingItemID == id { speakingItemID = nil }
    return true
  }

  /// The turn and its item were told.
  mutating func tookTurn(_ id: String) {
    _ = committed(id)
    added(id)
    done(id)
  }

  /// How long the user spoke, in seconds; 0 where that is not known.
  func seconds(of id: String) -> Double {
    guard let turn = turns[id], let start = turn.startMs, let end = turn.endMs, end > start else { return 0 }
    return Double(end - start) / 1000
  }

  private mutating func change(_ id: String, _ change: (inout Turn) -> Void) {
    var turn = turns[id] ?? Turn()
    change(&turn)
    turns[id] = turn
  }

  // MARK: What comes too early

  mutating func hold(added: JSONObject, of id: String) {
    change(id) { $0.early.added = added }
  }

  /// - Parameter delta: an event with the newest words; they are told together.
  mutating func hold(words delta: JSONObject, of id: String) {
    change(id) { turn in
      var delta = delta
      delta["delta"] = .string(turn.transcript)
      turn.early.words = delta
    }
  }

  mutating func takeEarly(_ id: String) -> Early {
    guard let early = turns[id]?.early else { return Early() }
    change(id) { $0.early = Early() }
    return early
  }

  // MARK: Transcripts

  func isTranscribed(_ id: String) -> Bool { turns[id]?.isTranscribed == true }

  /// What a transcript so far has beyond what was said before; nil where nothing, or where it takes words back.
  mutating func growth(of id: String, to transcript: String) -> String? {
    var before = turns[id]?.transcript ?? ""
    if !transcript.hasPrefix(before) { before = String(before.drop(while: \.isWhitespace)) }
    guard transcript.count > before.count, transcript.hasPrefix(before) else { return nil }
    change(id) { $0.transcript = transcript }
    return String(transcript.dropFirst(before.count))
  }

  mutating func transcribed(_ delta: String, of id: String) {
    change(id) { $0.transcript += delta }
  }

  mutating func transcribed(_ id: String) {
    growing.removeAll { $0 == id }
    change(id) { turn in
      turn.isTranscribed = true
      turn.transcript = ""
      turn.final = nil
    }
  }

  /// Turns whose final transcript may grow.
  private(set) var growing: [String] = []

  /// The longest is kept.
  mutating func hold(final event: JSONObject, of id: String) {
    let length = turns[id]?.final?["transcript"]?.string?.count ?? 0
    guard event["transcript"]?.string?.count ?? 0 >= length else { return }
    if !growing.contains(id) { growing.append(id) }
    change(id) { $0.final = event }
  }

  func final(of id: String) -> JSONObject? { turns[id]?.final }
}
