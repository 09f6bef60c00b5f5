/// What is known of the user's turns and of the conversation's items.
struct UserInput: Sendable {
  private struct Turn: Sendable {
    var startMs: Int?
    var endMs: Int?
    var isCommitted = false
    /// As far as it was told.
    var transcript = ""
    var isTranscribed = false
  }

  /// Turns by the id of their item.
  private var turns: [String: Turn] = [:]
  /// Items that were added, and whether they are done.
  private var items: [String: Bool] = [:]
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

  mutating func heard() { hasHeard = true }

  /// Whether an item may be what the user says: its turn was announced, or audio went up that no turn has.
  func maySpeak(_ id: String) -> Bool { hasHeard || turns[id] != nil }

  /// False where the turn is known.
  mutating func started(_ id: String, atMs: Int) -> Bool {
    guard turns[id]?.startMs == nil else { return false }
    turns[id, default: Turn()].startMs = atMs
    speakingItemID = id
    return true
  }

  /// False where it never started, or stopped before.
  mutating func stopped(_ id: String, atMs: Int) -> Bool {
    guard let turn = turns[id], turn.startMs != nil, turn.endMs == nil else { return false }
    turns[id]?.endMs = atMs
    return true
  }

  /// False where it was committed before.
  mutating func committed(_ id: String) -> Bool {
    guard turns[id]?.isCommitted != true else { return false }
    turns[id, default: Turn()].isCommitted = true
    hasHeard = false
    if speakingItemID == id { speakingItemID = nil }
    return true
  }

  /// How long the user spoke, in seconds; 0 where that is not known.
  func seconds(of id: String) -> Double {
    guard let turn = turns[id], let start = turn.startMs, let end = turn.endMs, end > start else { return 0 }
    return Double(end - start) / 1000
  }

  // MARK: Transcripts

  func isTranscribed(_ id: String) -> Bool { turns[id]?.isTranscribed == true }

  /// What a transcript so far has beyond what was told; nil where nothing, or where it takes words back.
  mutating func growth(of id: String, to transcript: String) -> String? {
    let before = turns[id]?.transcript ?? ""
    guard transcript.count > before.count, transcript.hasPrefix(before) else { return nil }
    turns[id, default: Turn()].transcript = transcript
    return String(transcript.dropFirst(before.count))
  }

  mutating func transcribed(_ delta: String, of id: String) {
    turns[id, default: Turn()].transcript += delta
  }

  mutating func transcribed(_ id: String) {
    turns[id, default: Turn()].isTranscribed = true
    turns[id]?.transcript = ""
  }
}
