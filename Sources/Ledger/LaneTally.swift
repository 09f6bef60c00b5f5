import CoreMetrics
import Logging
import Synchronization

/// What a lane counts, and what it says of losses: one line in ten seconds at most, with the number.
final class LaneTally: Sendable {
  private struct State {
    var dropped = 0
    var cause = ""
    var complaint: SpoolFault?
    var reportedAt: ContinuousClock.Instant?
  }

  static let reportInterval = Duration.seconds(10)

  private let lane: String
  private let logger: Logger
  private let state = Mutex(State())
  private let writtenCounter: Counter
  private let spooledCounter: Counter
  private let droppedCounter: Counter

  init(lane: String, logger: Logger, factory: any MetricsFactory = MetricsSystem.factory) {
    self.lane = lane
    self.logger = logger
    let label = [("lane", lane)]
    writtenCounter = Counter(label: "parley_usage_written_total", dimensions: label, factory: factory)
    spooledCounter = Counter(label: "parley_usage_spooled_total", dimensions: label, factory: factory)
    droppedCounter = Counter(label: "parley_usage_dropped_total", dimensions: label, factory: factory)
  }

  func written(_ count: Int) { writtenCounter.increment(by: Int64(count)) }
  func spooled(_ count: Int) { spooledCounter.increment(by: Int64(count)) }

  /// They are gone, and somebody should know.
  func dropped(_ count: Int, because cause: String) {
    droppedCounter.increment(by: Int64(count))
    state.withLock {
      $0.dropped += count
      $0.cause = cause
    }
  }

  func complain(of fault: SpoolFault) { state.withLock { $0.complaint = fault } }

  /// Logs what was lost since, if it is time.
  func report(atOnce: Bool = false) {
    let now = ContinuousClock.now
    let found: State? = state.withLock { state in
      guard state.dropped > 0 || state.complaint != nil,
        atOnce || state.reportedAt.map({ $0.duration(to: now) >= Self.reportInterval }) ?? true
      else { return nil }
      defer { state = State(reportedAt: now) }
      return state
    }
    guard let found else { return }
    if found.dropped > 0 {
      logger.error(
        "usage records are lost",
        metadata: ["ledger": "\(lane)", "records": "\(found.dropped)", "cause": "\(found.cause)"])
    }
    if let complaint = found.complaint {
      logger.error("the spool cannot be used", metadata: ["ledger": "\(lane)", "fault": "\(complaint)"])
    }
  }
}
