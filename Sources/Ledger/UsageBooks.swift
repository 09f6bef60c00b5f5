import NativeCode
import Logging
public import Metering
public import ServiceLifecycle

/// Takes the records of sessions and sees to it that every sink gets them. Noting a record neither blocks nor fails: a sink
/// that is down touches no call.
public final class UsageBooks: UsageSink, Service {
  /// How long the last records may take when the process stops.
  static let finishLimit = Duration.seconds(5)

  private let lanes: [SinkLane]
  private let losses: LossWatch?
  private let close: @Sendable () async -> Void

  /// - Parameters:
  ///   - losses: looks for sessions whose end nobody has told.
  ///   - close: called when nothing more is written.
  init(lanes: [SinkLane], losses: LossWatch? = nil, close: @escaping @Sendable () async -> Void) {
    self.lanes = lanes
    self.losses = losses
    self.close = close
  }

  public func note(_ record: UsageRecord) {
    for lane in lanes { lane.note(record) }
  }

  /// Writes until a graceful shutdown, and then what is left.
  public func run() async throws {
    for lane in lanes { await lane.start() }
    let watch = Task { [losses] in await losses?.run() }
    try? await gracefulShutdown()
    watch.cancel()
    _ = await firstWithin(.seconds(1)) { await watch.value }
    await withDiscardingTaskGroup { group in
      for lane in lanes { group.addTask { await lane.finish(within: Self.finishLimit) } }
    }
    await close()
  }
}
