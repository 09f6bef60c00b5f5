import CoreMetrics
import Logging
import Routing
import VoiceEngine

/// Makes generations, and keeps what they have in common: who is in, what was used, what is known of keys.
struct GenerationWorkshop: Sendable {
  let desks: Desks
  let overload: Overload
  private let listeners: [Listener]
  private let outgoing: Outgoing
  private let books: Bookkeeping
  private let operators: OperatorDesks
  /// In place of those of the configuration: a test's.
  private let limits: EdgeLimits?
  private let counters: AdmissionCounters
  private let logger: Logger

  /// - Parameter table: of the start: its listeners stay.
  init(
    _ table: RouteTable, outgoing: Outgoing, books: Bookkeeping, operators: OperatorDesks, limits: EdgeLimits?,
    clock: WallClock, metrics: any MetricsFactory, logger: Logger
  ) {
    listeners = table.listeners
    self.outgoing = outgoing
    self.books = books
    self.operators = operators
    self.limits = limits
    self.logger = logger
    counters = AdmissionCounters(factory: metrics)
    overload = Overload(Self.bounds(limits ?? EdgeLimits(table.limits)), logger: logger)
    desks = Desks(
      access: AccessDesk(table.access, storage: books.keys, clock: clock, logger: logger),
      seats: SeatDesk(shared: books.shared, clock: clock, factory: metrics, logger: logger), books: books)
  }

  /// What a configuration means; who comes from here on is judged by it.
  func generation(_ table: RouteTable, engine: VoiceEngine, replacing previous: Generation?) -> Generation {
    let limits = self.limits ?? EdgeLimits(table.limits)
    if previous != nil {
      overload.apply(Self.bounds(limits))
      desks.access.apply(table.access)
    }
    let admission = RealtimeAdmission(
      table: table, desk: desks.access, seats: desks.seats, books: books, limits: limits, outgoing: outgoing,
      engine: engine, overload: overload, counters: counters, replacing: previous?.sessions, logger: logger)
    let surfaces = Surfaces(
      table: table, engine: engine, outgoing: outgoing, desks: desks, operators: operators, logger: logger)
    let faces = listeners.map { listener in
      ListenerFace(
        admission: listener.serves.contains(.sessions) ? admission : NoSessions(),
        answer: surfaces.answers(serving: listener.serves))
    }
    return Generation(limits: limits, faces: faces, sessions: admission)
  }

  private static func bounds(_ limits: EdgeLimits) -> Overload.Bounds {
    let budget = limits.memoryBudgetBytes ?? ProcessMemory.budgetBytes()
    return Overload.Bounds(
      maxSessions: limits.maxSessions, maxConnectsPerSecond: limits.maxConnectsPerSecond,
      memory: budget.map { MemoryWatch(budgetBytes: $0, shortestIdle: limits.idleWhenMemoryIsShort) })
  }
}
