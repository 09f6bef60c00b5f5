import Translation

/// How much speech the answer in progress has, and the ones before it: for truncation and for the silence after it.
struct SpokenAnswer: Sendable {
  /// Of the open item.
  private(set) var openMs = 0
  private var openBytes = 0
  /// Of the answer, and since when it is heard.
  private var answerMs = 0
  private var from: Instant?
  /// Of the items that have ended.
  private var lengths: [String: Int] = [:]
  /// Where the client cut an item that was still being spoken.
  private var cuts: [String: Int] = [:]

  mutating func begin() {
    openBytes = 0
    openMs = 0
    answerMs = 0
    from = nil
  }

  /// - Parameter base64Count: characters of PCM16 at 24 kHz.
  @inline(__always)
  mutating func add(base64Count: Int, at now: Instant) {
    openBytes &+= base64Count / 4 &* 3
    openMs = openBytes / Limits.outputBytesPerMillisecond
    if from == nil { from = now }
  }

  /// The open item is complete. Gives where it was cut, if it was.
  mutating func close(_ itemID: String) -> Int? {
    lengths[itemID] = openMs
    answerMs += openMs
    openBytes = 0
    openMs = 0
    return cuts.removeValue(forKey: itemID)
  }

  /// Nil for an item that nothing is known of.
  func length(of itemID: String) -> Int? { lengths[itemID] }

  mutating func cut(open itemID: String, toMs: Int) { cuts[itemID] = toMs }
  mutating func cut(_ itemID: String, toMs: Int) { lengths[itemID] = toMs }

  mutating func forget(_ itemID: String) {
    lengths[itemID] = nil
    cuts[itemID] = nil
  }

  /// Forgets items that the conversation has forgotten.
  mutating func keep(_ isKnown: (String) -> Bool) {
    guard lengths.count > Conversation.maximumItems else { return }
    lengths = lengths.filter { isKnown($0.key) }
  }

  /// What of the answer has not been heard yet: it plays from its first sound on, and is sent faster.
  func unheardMs(at now: Instant) -> Int {
    guard let from else { return 0 }
    return max(0, answerMs + openMs - (now - from).wholeMilliseconds)
  }
}
