import CoreMetrics
import Envelope
import HTTPWire
import Logging
import Metering
import NIOCore
import Operator
import Synchronization
import Translation

/// How a gateway goes out of service without a dropped call (fault row 57): no more sessions; those between turns end at
/// once and those in a turn when it is over; the rest at the end of the grace.
///
/// Where some listener serves no sessions, those that do close at once; where none does, they stay for the sake of health
/// checks, and refuse upgrades, until the sessions are gone.
final class Drain: Sendable {
  static let metric = "parley_draining"
  /// For the close handshakes of those who are ended with the grace.
  static let farewell = Duration.milliseconds(800)

  private struct State {
    var isUnderWay = false
    var hasEnded = false
    var exits = false
    var startedAt: Timestamp?
    var end = ContinuousClock.now
    var endsAt: Timestamp?
    /// Those that serve sessions where another listener does not.
    var early: [any Channel] = []
    var ports: [any Channel] = []
    var waitingForExit: [CheckedContinuation<Void, Never>] = []
    var waitingForEnd: [CheckedContinuation<Void, Never>] = []
  }

  private let directory: SessionDirectory
  private let connections: ConnectionRegistry
  private let grace: @Sendable () -> Duration
  private let clock: WallClock
  private let metrics: any MetricsFactory
  private let logger: Logger
  private let state = Mutex(State())

  /// - Parameter grace: the configured one, as it is when the drain begins.
  init(
    directory: SessionDirectory, connections: ConnectionRegistry, grace: @escaping @Sendable () -> Duration,
    clock: WallClock = WallClock(), metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) {
    self.directory = directory
    self.connections = connections
    self.grace = grace
    self.clock = clock
    self.metrics = metrics
    self.logger = logger
    Meter(label: Self.metric, factory: metrics).set(0)
  }

  /// Whether sessions are refused and readiness is false.
  var isUnderWay: Bool { state.withLock { $0.isUnderWay } }

  /// What there is to be closed; told once, when it listens.
  func watch(_ ports: [(channel: any Channel, servesSessions: Bool)]) {
    state.withLock { state in
      state.ports = ports.map(\.channel)
      guard ports.contains(where: { !$0.servesSessions }) else { return }
      state.early = ports.filter(\.servesSessions).map(\.channel)
    }
  }

  /// Returns when somebody has asked for the end of the process, or when its task is cancelled.
  func untilExitIsAsked() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isAsked = state.withLock { state in
          // Whoever is cancelled by now has looked for waiters already.
          if state.exits || Task.isCancelled { return true }
          state.waitingForExit.append(continuation)
          return false
        }
        if isAsked { continuation.resume() }
      }
    } onCancel: {
      for waiter in takeExitWaiters() { waiter.resume() }
    }
  }

  /// The process is told to end: a drain that goes on ends with the configured grace at the latest.
  func hasten() { begin(grace: grace(), exits: true) }

  /// Drains, closes all that listens and all connections, and returns when they are gone: at the latest two seconds after
  /// the grace.
  func finish() async {
    // Whoever has asked for the exit over HTTP has said how long sessions have.
    begin(grace: state.withLock(\.exits) ? nil : grace(), exits: true)
    await untilEnded()
    for port in state.withLock({ $0.ports }) { port.close(promise: nil) }
    connections.stop()
    await connections.waitUntilEmpty(atMost: Self.farewell)
    connections.closeAll()
    await connections.waitUntilEmpty(atMost: .milliseconds(100))
  }

  // MARK: The course of it

  private func takeExitWaiters() -> [CheckedContinuation<Void, Never>] {
    state.withLock { state in
      defer { state.waitingForExit = [] }
      return state.waitingForExit
    }
  }

  private func untilEnded() async {
    await withCheckedContinuation { continuation in
      let hasEnded = state.withLock { state in
        if state.hasEnded { return true }
        state.waitingForEnd.append(continuation)
        return false
      }
      if hasEnded { continuation.resume() }
    }
  }

  private func run() async {
    directory.drain()
    var left = timeLeft
    while directory.count > 0, left > .zero {
      // Somebody may bring the end nearer meanwhile.
      await directory.waitUntilEmpty(atMost: min(left, .milliseconds(250)))
      left = timeLeft
    }
    let rest = directory.count
    if rest > 0 {
      directory.stop()
      await directory.waitUntilEmpty(atMost: Self.farewell)
    }
    logger.notice(
      "drained", metadata: ["ended": "\(directory.endedWhileDraining)", "cut_short": "\(rest)"])
    let waiters = state.withLock { state in
      state.hasEnded = true
      defer { state.waitingForEnd = [] }
      return state.waitingForEnd
    }
    for waiter in waiters { waiter.resume() }
  }

  private var timeLeft: Duration { state.withLock { ContinuousClock.now.duration(to: $0.end) } }
}

extension Drain: DrainDesk {
  func begin(grace given: Duration?, exits: Bool) {
    let (now, configured) = (clock.now(), grace())
    let (isNew, early) = state.withLock { state -> (Bool, [any Channel]) in
      let isNew = !state.isUnderWay
      state.isUnderWay = true
      if exits { state.exits = true }
      if isNew { state.startedAt = now }
      if let grace = given ?? (isNew ? configured : nil) {
        let end = ContinuousClock.now + grace
        if isNew || end < state.end {
          state.end = end
          state.endsAt = Timestamp(milliseconds: now.milliseconds + grace.wholeMilliseconds)
        }
      }
      defer { state.early = [] }
      return (isNew, state.early)
    }
    for port in early { port.close(promise: nil) }
    if exits { for waiter in takeExitWaiters() { waiter.resume() } }
    guard isNew else { return }
    Meter(label: Self.metric, factory: metrics).set(1)
    logger.notice(
      "draining",
      metadata: [
        "sessions": "\(directory.count)", "grace_ms": "\((given ?? configured).wholeMilliseconds)",
      ])
    Task { await run() }
  }

  func standing() async -> JSONObject {
    let (isUnderWay, startedAt, endsAt) = state.withLock { ($0.isUnderWay, $0.startedAt, $0.endsAt) }
    guard isUnderWay else { return ["draining": .bool(false), "sessions": .number(JSONNumber(directory.count))] }
    let sessions = await directory.list()
    func text(_ time: Timestamp?) -> JSONValue { time.map { .string($0.exact) } ?? .null }
    return [
      "draining": .bool(true), "startedAt": text(startedAt), "deadline": text(endsAt),
      "sessions": .number(JSONNumber(sessions.count)),
      "midTurn": .number(JSONNumber(sessions.count { $0.isInTurn })),
      "ended": .number(JSONNumber(directory.endedWhileDraining)),
    ]
  }
}

/// In front of the admission of a listener: nobody begins a session with a gateway that drains.
struct DrainingAdmission: UpgradeAdmission {
  let base: any UpgradeAdmission
  let drain: Drain
  let counters: AdmissionCounters

  init(_ base: any UpgradeAdmission, drain: Drain, counters: AdmissionCounters = AdmissionCounters()) {
    self.base = base
    self.drain = drain
    self.counters = counters
  }

  func owns(path: String) -> Bool { base.owns(path: path) }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    drain.isUnderWay ? refuse() : later(base.admit(head, from: peer))
  }

  /// What only a store tells may be told when the drain has begun.
  private func later(_ admission: Admission) -> Admission {
    guard case .later(let grant, let then) = admission else { return admission }
    return .later(grant) { grant in
      drain.isUnderWay ? refuse() : later(then(grant))
    }
  }

  private func refuse() -> Admission {
    counters.refused(FaultResponse.draining.code ?? "none")
    return .refuse(FaultResponse.draining)
  }

  func gaveUp(_ refusal: Refusal) { base.gaveUp(refusal) }
}
