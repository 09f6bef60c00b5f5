import Access
import Envelope
import Foundation
import Hummingbird
import Logging
import Metering
public import Operator
import Routing
import VoiceEngine

/// What the connections of a server have in common beside their limits.
struct Desks: Sendable {
  let access: AccessDesk
  let seats: SeatDesk
  let books: Bookkeeping

  /// Before the first connection.
  func open() async {
    await access.refresh()
    let day = access.clock.now().day
    seats.restore(await books.secondsUsed(day), day: day)
  }
}

/// What the operator's routes talk to that is not the gateway's own.
public struct OperatorDesks: Sendable {
  /// Nil where the configuration cannot be changed.
  public var configuration: (any ConfigurationDesk)?
  /// The text of `GET /metrics`; nil where there is none.
  public var metricsText: (@Sendable () -> String)?

  public init(configuration: (any ConfigurationDesk)? = nil, metricsText: (@Sendable () -> String)? = nil) {
    self.configuration = configuration
    self.metricsText = metricsText
  }
}

/// All that the operator's routes talk to.
struct OperatorTools: Sendable {
  let given: OperatorDesks
  let health: any HealthDesk
  let sessions: any SessionDesk
  let drain: any DrainDesk
}

/// Makes the HTTP side of each listener from what that one serves (R290).
struct Surfaces {
  private let engine: VoiceEngine
  private let sessions: SessionSurface
  private let tokens: TokenDesk
  private let admin: AdminSurface
  private let clock: WallClock
  private let health: any HealthDesk
  private let metricsText: (@Sendable () -> String)?

  init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing, desks: Desks, operators: OperatorTools, logger: Logger
  ) {
    self.engine = engine
    health = operators.health
    metricsText = operators.given.metricsText
    clock = desks.access.clock
    let gate = HTTPGate(desk: desks.access, table: table)
    sessions = SessionSurface(
      capabilities: JSONCoding.encode(Capabilities(of: table, engine: engine)),
      catalogue: Catalogue(of: table, engine: engine, outgoing: outgoing, logger: logger), gate: gate.fault)
    tokens = TokenDesk(table: table, desk: desks.access, gate: gate, engine: engine)
    let access = desks.access
    admin = AdminSurface(
      gate: AdminGate(key: table.access.admin, contact: table.contact),
      keys: KeyDirectory(
        configuredKeys: access.policy.configuredKeys, configuredApps: access.policy.configuredApps,
        store: desks.books.keys, changed: { await access.refresh() }), usage: desks.books.store,
      configuration: operators.given.configuration, sessions: operators.sessions, drain: operators.drain)
  }

  /// The answers of a listener, from what it serves.
  func answers(at listener: Listener) -> HTTPSurface.Answer {
    let services = listener.serves
    let responder = OperatorSurface.router(
      engine: engine, sessions: services.contains(.sessions) ? sessions : nil,
      tokens: services.contains(.tokens) ? tokens.asked(at: listener) : nil,
      admin: services.contains(.admin) ? admin : nil,
      health: health, metrics: services.isDisjoint(with: [.metrics, .admin]) ? nil : metricsText,
      // What clients can reach shows nobody but this machine how the gateway fares.
      metricsGate: services.contains(.sessions) || services.contains(.tokens) ? admin.gate : nil,
      now: { [clock] in Date(timeIntervalSince1970: Double(clock.now().milliseconds) / 1_000) }
    ).buildResponder()
    return { request, context in try await responder.respond(to: request, context: context) }
  }
}
