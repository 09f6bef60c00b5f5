import NIOCore

/// Whether a peer still lives: any frame after a ping counts, not only its pong.
struct PeerPulse {
  private let timeout: TimeAmount
  private var unansweredSince: NIODeadline?
  private var takenBytes: UInt64 = 0

  init(timeout: Duration) {
    self.timeout = TimeAmount(timeout)
  }

  mutating func heard() {
    unansweredSince = nil
  }

  /// A ping stands behind all that waits for the peer: what it takes of that is a sign of life too (fault rows 49, 56).
  ///
  /// - Parameter bytes: taken in all, while more is on its way.
  mutating func took(_ bytes: UInt64) {
    guard bytes != takenBytes else { return }
    takenBytes = bytes
    heard()
  }

  /// Notes that a ping goes out now. False when the pings have stayed unanswered for the whole timeout.
  mutating func beat(at now: NIODeadline) -> Bool {
    guard let since = unansweredSince else {
      unansweredSince = now
      return true
    }
    return now - since < timeout
  }
}

/// Tells a slow peer from one that takes nothing at all.
struct StallWatch {
  private let timeout: TimeAmount
  /// All bytes ever queued; wraps around, only differences matter.
  private var queuedBytes = 0
  private var takenBytes = 0
  private var lastProgress = NIODeadline.uptimeNanoseconds(0)

  init(timeout: Duration) {
    self.timeout = TimeAmount(timeout)
  }

  mutating func queued(_ count: Int) {
    queuedBytes &+= count
  }

  /// `waiting` is what the channel still holds. False when the peer has taken not one byte for the whole timeout.
  mutating func check(waiting: Int, at now: NIODeadline, isFirst: Bool) -> Bool {
    let taken = queuedBytes &- waiting
    if isFirst || taken != takenBytes {
      takenBytes = taken
      lastProgress = now
      return true
    }
    return now - lastProgress < timeout
  }
}
