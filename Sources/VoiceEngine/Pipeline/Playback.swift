import Synchronization

/// What the client of a session presumably hears: answers are sent ahead of what is spoken, and the ear must know when the
/// loudspeaker is on.
final class Playback: Sendable {
  /// How far the speech may be ahead of the listener: enough for any network to be smooth, and little enough for an
  /// interruption to end an answer rather than to come after it.
  static let lead = Duration.seconds(2)

  private let end = Mutex<ContinuousClock.Instant?>(nil)

  var isRunning: Bool {
    end.withLock { $0.map { ContinuousClock.now < $0 } ?? false }
  }

  /// `milliseconds` more have been sent. Gives how far that is ahead.
  func extend(byMs milliseconds: Int) -> Duration {
    end.withLock { end in
      let now = ContinuousClock.now
      let next = max(end ?? now, now) + .milliseconds(milliseconds)
      end = next
      return now.duration(to: next)
    }
  }

  /// The listener has stopped hearing it: the answer was interrupted.
  func stop() {
    end.withLock { $0 = nil }
  }
}
