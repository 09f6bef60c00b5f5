import CoreMetrics
import Logging
import Routing
import Tracing
import VoiceEngine

/// Makes generations, and keeps what they have in common: who is in, what was used, what is known of keys.
struct GenerationWorkshop: Sendable {
  let generations: Generations
  let desks: Desks
  let overload: Overload
  let drain: Drain
  let clock: WallClock
  let metrics: any MetricsFactory
  private let listeners: [Listener]
  private let outgoing: Outgoing
  private let books: Bookkeeping
  private let operators: OperatorDesks
  private let directory = SessionDirectory()
  private let telemetry: TelemetryDesk
  /// In place of those of the configuration: a test's.
  private let limits: EdgeLimits?
  private let counters: AdmissionCounters
  private let logger: Logger

  /// - Parameters:
  ///   - table: of the start: its listeners stay.
  ///   - connections: all that are open, whatever they are used for.
  init(
    _ table: RouteTable, engine: VoiceEngine, outgoing: Outgoing, books: Bookkeeping, operators: OperatorDesks,
    limits: EdgeLimits?, connections: ConnectionRegistry, clock: WallClock, metrics: any MetricsFactory,
    tracer: (any Tracer)?, logger: Logger
  ) {
    listeners = table.listeners
    self.outgoing = outgoing
    self.books = books
    self.operators = operators
    self.limits = limits
    self.clock = clock
    self.metrics = metrics
    self.logger = logger
    let edge = limits ?? EdgeLimits(table.limits)
    let generations = Generations(Generation(limits: edge, faces: []))
    self.generations = generations
    telemetry = TelemetryDesk(metrics: metrics, tracer: tracer)
    counters = AdmissionCounters(factory: metrics)
    overload = Overload(Self.bounds(edge), logger: logger)
    drain = Drain(
      directory: directory, connections: connections, grace: { generations.current.limits.drainGrace }, clock: clock,
      metrics: metrics, logger: logger)
    desks = Desks(
      access: AccessDesk(table.access, storage: books.keys, clock: clock, logger: logger),
      seats: SeatDesk(shared: books.shared, clock: clock, factory: metrics, logger: logger), books: books)
    apply(table, engine: engine)
  }

  /// Whoever comes from here on is judged by this configuration.
  func apply(_ table: RouteTable, engine: VoiceEngine) {
    let limits = self.limits ?? EdgeLimits(table.limits)
    overload.apply(Self.bounds(limits))
    desks.access.apply(table.access)
    let admission = RealtimeAdmission(
      table: table, desk: desks.access, seats: desks.seats, books: books, limits: limits, outgoing: outgoing,
      engine: engine, overload: overload, counters: counters, telemetry: telemetry, directory: directory,
      replacing: generations.current.sessions, logger: logger)
    let health = GatewayHealth(
      table: table, engine: engine, overload: overload, directory: directory, telemetry: telemetry, drain: drain)
    let surfaces = Surfaces(
      table: table, engine: engine, outgoing: outgoing, desks: desks,
      operators: OperatorTools(given: operators, health: health, sessions: directory, drain: drain), logger: logger)
    let faces = listeners.map { listener in
      ListenerFace(
        admission: listener.serves.contains(.sessions)
          ? DrainingAdmission(admission, drain: drain, counters: counters) : NoSessions(),
        answer: surfaces.answers(at: listener))
    }
    generations.replace(with: Generation(limits: limits, faces: faces, sessions: admission))
  }

  private static func bounds(_ limits: EdgeLimits) -> Overload.Bounds {
    let budget = limits.memoryBudgetBytes ?? ProcessMemory.budgetBytes()
    return Overload.Bounds(
      maxSessions: limits.maxSessions, maxConnectsPerSecond: limits.maxConnectsPerSecond,
      memory: budget.map { MemoryWatch(budgetBytes: $0, shortestIdle: limits.idleWhenMemoryIsShort) })
  }
}
