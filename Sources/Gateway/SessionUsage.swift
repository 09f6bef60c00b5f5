import Metering
import NIOCore
import SessionCore
import Translation

/// Tells what a session has cost so far: at intervals while it is live, and once at its end. Confined to the session's event
/// loop.
final class SessionUsage {
  /// A session ticks at four fifths of what a kill may lose; the rest is the way of the record to its store.
  private static let share = 0.8

  private let identity: UsageIdentity
  private let sink: any UsageSink
  private let clock: WallClock
  private let loop: any EventLoop
  private let interval: TimeAmount
  private let begunAt: Instant
  private var sequence = 0
  private var tick: Scheduled<Void>?

  /// - Parameter within: what a process that is killed may lose of a session.
  init(
    _ identity: UsageIdentity, sink: any UsageSink, clock: WallClock, loop: any EventLoop, within: Duration
  ) {
    self.identity = identity
    self.sink = sink
    self.clock = clock
    self.loop = loop
    interval = .nanoseconds(Int64(Double(within.wholeNanoseconds) * Self.share))
    begunAt = Instant(loop.now)
  }

  /// - Parameter read: the session's model and meter, whenever they are asked for.
  func begin(read: @escaping () -> (model: String?, meter: Meter)) {
    // Sessions that begin together, as after a restart, are not to write together for ever.
    let first = TimeAmount.nanoseconds(.random(in: interval.nanoseconds / 10...interval.nanoseconds))
    schedule(in: first, read)
  }

  private func schedule(in time: TimeAmount, _ read: @escaping () -> (model: String?, meter: Meter)) {
    tick = loop.assumeIsolated().scheduleTask(in: time) { [self] in
      note(.live, read())
      schedule(in: interval, read)
    }
  }

  /// - Parameter cause: how it ended, as the log has it.
  func end(_ cause: String, model: String?, meter: Meter) {
    tick?.cancel()
    tick = nil
    note(.ended, (model, meter), end: cause)
  }

  private func note(_ state: UsageRecord.State, _ reading: (model: String?, meter: Meter), end: String? = nil) {
    sequence += 1
    let now = clock.now()
    sink.note(
      UsageRecord(
        identity, sequence: sequence, state: state, model: reading.model, updatedAt: now,
        endedAt: state == .ended ? now : nil, end: end,
        seconds: (Instant(loop.now) - begunAt).inSeconds, meter: reading.meter))
  }
}
