import Audio
import Envelope
import NIOCore

/// Where the client's audio stands, and what of it a new connection must hear again.
struct WireHearing: Sendable {
  private var clock = AudioClock()
  /// The time in `clock` when the format last changed was this.
  private var clockStartMs = 0
  private var bytesPerMillisecond = AudioFormat.standard.bytesPerMillisecond
  /// In the client's audio, where the connection's begins.
  private(set) var connectionStartMs = 0
  /// In milliseconds, since the client's last commit or clear.
  private(set) var buffered = 0
  /// Where the turn ended that is being committed, in the client's audio.
  private var turnEndMs: Int?
  /// `buffered` begins where the last turn ended, not where it became known here.
  private var isExact = true
  /// Lengths of what the client has committed and the service has not, the oldest first. Without turn detection only.
  private var owed: [Int] = []
  /// The user's turn that goes on.
  private(set) var speechItemID: String?
  private var speechStartMs = 0
  /// A turn of the user's that the client is not told of: it ends its turns itself.
  var untoldSpeechItemID: String?
  /// The turn began on a connection that is gone: the next one that the service announces is it.
  private(set) var resumesSpeech = false
  /// The client knows that the turn's speech has ended; the next connection says it once more.
  private var stopWasTold = false
  /// So it is with the turn's commit and its item.
  private var commitWasTold = false
  /// The turn that is heard again though the client knows its item, until it is answered.
  private(set) var heardAgainItemID: String?
  /// A turn that the service has ended, and has not begun to answer.
  private var unanswered: (itemID: String, startMs: Int)?
  private var recent = RecentAudio(milliseconds: Limits.recentAudioMs)
  private var isManual = false
  /// The next connection does not hear all of a turn.
  private(set) var isTorn = false
  /// For the next connection: the audio of each turn that the service owes, and behind it what is not committed.
  private var replayed: [[ByteBuffer]] = []

  /// The position in the client's audio, in milliseconds.
  var heardMs: Int { clockStartMs + clock.milliseconds }

  mutating func formatChanged(_ format: AudioFormat) {
    clockStartMs = heardMs
    clock = AudioClock(
      rate: SampleRate(hertz: format.rate) ?? .hz24000, bytesPerSample: format.bytesPerSample)
    bytesPerMillisecond = format.bytesPerMillisecond
    recent.removeAll()
  }

  mutating func append(_ chunk: ByteBuffer, decodedByteCount count: Int, _ format: AudioFormat) {
    let before = heardMs
    clock.append(bytes: count)
    buffered += heardMs - before
    // The ring takes pieces of that length; eight letters of base64 are whole samples and groups.
    let isLong = heardMs - before > 200
    let longest = isLong ? format.bytesPerMillisecond * 100 / 6 * 8 : chunk.readableBytes
    var rest = chunk
    while let piece = rest.readSlice(length: min(longest, rest.readableBytes)), piece.readableBytes > 0 {
      recent.append(piece, rate: format.rate, bytesPerSample: format.bytesPerSample)
    }
  }

  /// Whether the client ends its turns itself: a turn of its may be long, and is heard again whole.
  mutating func setManual(_ isManual: Bool) {
    guard isManual != self.isManual else { return }
    self.isManual = isManual
    recent = RecentAudio(milliseconds: isManual ? Limits.manualAudioMs : Limits.recentAudioMs)
  }

  /// The service has ended a turn, or is told at once that the client has.
  ///
  /// - Parameters:
  ///   - byService: what came on the way of its word is not of the turn.
  ///   - isToBeAnswered: by the service, of itself.
  /// - Returns: whether the client is to be told, which it is once.
  @discardableResult
  mutating func committed(byService: Bool = false, isToBeAnswered: Bool = false) -> Bool {
    defer { commitWasTold = false }
    stopWasTold = false
    unanswered = isToBeAnswered ? speechItemID.map { ($0, speechStartMs) } : nil
    isExact = !byService || turnEndMs != nil
    buffered = byService ? turnEndMs.map { max(0, heardMs - $0) } ?? 0 : 0
    // A commit of the client's own is acknowledged by the service.
    turnEndMs = byService ? nil : heardMs
    speechItemID = nil
    resumesSpeech = false
    return !commitWasTold
  }

  var isUnanswered: Bool { unanswered != nil }

  mutating func answerBegan() {
    unanswered = nil
    heardAgainItemID = nil
  }

  mutating func cleared() {
    committed()
    if !replayed.isEmpty { replayed[replayed.count - 1] = [] }
  }

  // MARK: Turns that the client ends

  /// - Parameter isMore: of the turn that it ended last, which the service has not been told of.
  mutating func turnEnded(isMore: Bool = false) {
    if isMore, let last = owed.indices.last { owed[last] += buffered } else { owed.append(buffered) }
    buffered = 0
  }

  /// The service has committed the oldest of them, or will not.
  mutating func turnWasTaken() {
    if !owed.isEmpty { owed.removeFirst() }
    untoldSpeechItemID = nil
  }

  /// The client has taken back the one that the service was not told of.
  mutating func turnWasDropped() {
    _ = owed.popLast()
  }

  // MARK: Turns that the service finds

  mutating func speechStarted(_ itemID: String, atMs startMs: Int) {
    stopWasTold = false
    commitWasTold = false
    heardAgainItemID = nil
    unanswered = nil
    turnEndMs = nil
    speechItemID = itemID
    speechStartMs = startMs
  }

  /// - Parameter endMs: in the client's audio; some services say 0, or nothing.
  /// - Returns: whether the client is to be told, which it is once.
  mutating func speechStopped(atMs endMs: Int?) -> Bool {
    if speechItemID != nil, let endMs, endMs > speechStartMs, endMs <= heardMs { turnEndMs = endMs }
    resumesSpeech = false
    defer { stopWasTold = speechItemID != nil }
    return !stopWasTold
  }

  /// The turn is not announced a second time.
  mutating func speechWasResumed() {
    resumesSpeech = false
  }

  // MARK: Loss

  /// The connection has ended: takes out what the next one hears first.
  ///
  /// - Parameters:
  ///   - isManual: the client ends its turns itself.
  ///   - isLoss: nobody knows what the service had of it. What it had heard it would answer twice.
  ///   - isForgotten: the next one knows nothing of this one's turns.
  mutating func connectionEnded(isManual: Bool, isLoss: Bool, isForgotten: Bool = true) {
    if isLoss, isForgotten, !isManual, speechItemID == nil, let turn = unanswered,
      min(heardMs - turn.startMs + Limits.replayedBeforeSpeechMs, heardMs) <= recent.milliseconds
    {
      // Nobody would answer it: it is spoken once more.
      (speechItemID, speechStartMs) = turn
      (stopWasTold, commitWasTold) = (true, true)
    }
    unanswered = nil
    heardAgainItemID = commitWasTold ? speechItemID : nil
    let open: Int
    if isManual {
      open = buffered
    } else if speechItemID != nil {
      open = heardMs - speechStartMs + Limits.replayedBeforeSpeechMs
    } else {
      let least = isExact ? 0 : Limits.replayedMs
      open = isLoss ? max(buffered, least) : max(min(buffered, Limits.replayedMs), least)
    }
    resumesSpeech = !isManual && speechItemID != nil
    untoldSpeechItemID = nil
    let lengths = owed + [max(open, 0)]
    let heard = min(lengths.reduce(0, +), recent.milliseconds)
    isTorn =
      (isManual || resumesSpeech || !owed.isEmpty) && recent.milliseconds < min(lengths.reduce(0, +), heardMs) - 100
    var pieces: [ByteBuffer] = []
    if heard > 0 {
      recent.replay(lastMs: heard) { piece in
        // A copy: the ring goes on being written.
        pieces.append(ByteBuffer(bytes: piece.readableBytesView))
      }
    }
    replayed = split(pieces, lengths)
    connectionStartMs = max(0, heardMs - heard)
  }

  /// Deals out pieces from the newest on, each length in milliseconds.
  private func split(_ pieces: [ByteBuffer], _ lengths: [Int]) -> [[ByteBuffer]] {
    var result = [[ByteBuffer]](repeating: [], count: lengths.count)
    var part = lengths.count - 1
    var bytes = 0
    for piece in pieces.reversed() {
      while part > 0, bytes >= lengths[part] * bytesPerMillisecond {
        part -= 1
        bytes = 0
      }
      result[part].insert(piece, at: 0)
      bytes += Base64.decodedByteCount(of: piece.readableBytesView)
    }
    return result
  }

  /// What the new connection is told next: the audio of a turn that is owed, at last what is open.
  mutating func takeReplayed() -> [ByteBuffer]? {
    replayed.isEmpty ? nil : replayed.removeFirst()
  }
}

/// How much of each item was spoken, for truncation.
struct SpokenLengths: Sendable {
  private var milliseconds: [String: Int] = [:]
  private var order: [String] = []
  /// The item that is being spoken.
  private var openID: String?
  private var openBytes = 0

  mutating func began(_ itemID: String) {
    close(bytesPerMillisecond: 48)
    openID = itemID
  }

  @inline(__always)
  mutating func append(bytes: Int) {
    openBytes &+= bytes
  }

  mutating func close(bytesPerMillisecond: Int) {
    defer { openBytes = 0 }
    guard let id = openID, openBytes > 0 else { return }
    if milliseconds[id] == nil { order.append(id) }
    milliseconds[id, default: 0] += openBytes / bytesPerMillisecond
    if order.count > Limits.rememberedItems { milliseconds[order.removeFirst()] = nil }
  }

  func length(of itemID: String, bytesPerMillisecond: Int) -> Int {
    (milliseconds[itemID] ?? 0) + (openID == itemID ? openBytes / bytesPerMillisecond : 0)
  }

  /// Of the item that is being spoken, or was last.
  func openMilliseconds(bytesPerMillisecond: Int) -> Int {
    openID.map { length(of: $0, bytesPerMillisecond: bytesPerMillisecond) } ?? 0
  }

  mutating func cut(_ itemID: String, toMs milliseconds: Int) {
    if let length = self.milliseconds[itemID] { self.milliseconds[itemID] = min(length, max(0, milliseconds)) }
  }
}

extension AudioFormat {
  var bytesPerSample: Int { law == nil ? PCM16.bytesPerSample : G711.bytesPerSample }
  var bytesPerMillisecond: Int { max(1, rate * bytesPerSample / 1000) }
}
