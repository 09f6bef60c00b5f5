import Audio
import Envelope
import NIOCore

/// Where the client's audio stands, and what of it a new connection must hear again.
struct WireHearing: Sendable {
  private var clock = AudioClock()
  /// The time in `clock` when the format last changed was this.
  private var clockStartMs = 0
  /// In the client's audio, where the connection's begins.
  private(set) var connectionStartMs = 0
  /// Since the last commit or clear.
  private(set) var buffered = 0
  /// The user's turn that goes on.
  private(set) var speechItemID: String?
  private var speechStartMs = 0
  /// The turn began on a connection that is gone: the next one that the service announces is it.
  private(set) var resumesSpeech = false
  private var recent = RecentAudio(milliseconds: Limits.recentAudioMs)
  /// For the next connection.
  private(set) var replayed: [ByteBuffer] = []

  /// The position in the client's audio, in milliseconds.
  var heardMs: Int { clockStartMs + clock.milliseconds }

  mutating func formatChanged(_ format: AudioFormat) {
    clockStartMs = heardMs
    clock = AudioClock(
      rate: SampleRate(hertz: format.rate) ?? .hz24000, bytesPerSample: format.bytesPerSample)
    recent.removeAll()
  }

  mutating func append(_ chunk: ByteBuffer, decodedByteCount count: Int, _ format: AudioFormat) {
    let before = heardMs
    clock.append(bytes: count)
    buffered += heardMs - before
    recent.append(chunk, rate: format.rate, bytesPerSample: format.bytesPerSample)
  }

  mutating func committed() {
    buffered = 0
    speechItemID = nil
    resumesSpeech = false
    replayed = []
  }

  mutating func speechStarted(_ itemID: String, atMs startMs: Int) {
    speechItemID = itemID
    speechStartMs = startMs
  }

  mutating func speechStopped() {
    resumesSpeech = false
  }

  /// The turn is not announced a second time.
  mutating func speechWasResumed() {
    resumesSpeech = false
  }

  /// The connection is lost: takes out what the next one hears first.
  ///
  /// - Parameter isManual: the client ends its turns itself.
  mutating func connectionLost(isManual: Bool) {
    let wanted: Int
    if isManual {
      wanted = buffered
    } else if speechItemID != nil {
      wanted = heardMs - speechStartMs + Limits.replayedBeforeSpeechMs
    } else {
      wanted = Limits.replayedMs
    }
    resumesSpeech = !isManual && speechItemID != nil
    var pieces: [ByteBuffer] = []
    let heard = min(max(wanted, 0), recent.milliseconds)
    if heard > 0 {
      recent.replay(lastMs: heard) { piece in
        // A copy: the ring goes on being written.
        pieces.append(ByteBuffer(bytes: piece.readableBytesView))
      }
    }
    replayed += pieces
    recent.removeAll()
    connectionStartMs = max(0, heardMs - heard)
  }

  /// The new connection has been told.
  mutating func replayWasTold() {
    replayed = []
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
    if self.milliseconds[itemID] != nil { self.milliseconds[itemID] = milliseconds }
  }
}

extension AudioFormat {
  var bytesPerSample: Int { law == nil ? PCM16.bytesPerSample : G711.bytesPerSample }
  var bytesPerMillisecond: Int { rate * bytesPerSample / 1000 }
}
