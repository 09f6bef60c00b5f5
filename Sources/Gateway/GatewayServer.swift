import CoreMetrics
import Envelope
import Hummingbird
public import Logging
public import NIOCore
public import NIOPosix
import Operator
public import Routing
public import Tracing
public import VoiceEngine

/// The listening server: every connection begins at a ``RequestGate`` and becomes a session or goes to the HTTP surface.
public final class GatewayServer: Sendable {
  private let listeners: [Listener]
  private let generations: Generations
  private let logger: Logger
  private let group: any EventLoopGroup
  private let registry: ConnectionRegistry
  /// A reading of the memory that the process has taken.
  private let takenBytes: @Sendable () -> Int?
  /// What generations are made of; nil of a server without a configuration.
  private let workshop: GenerationWorkshop?

  /// The gateway of a configuration.
  ///
  /// `limits` replaces the limits of the edge that the configuration gives, and `takenBytes` the readings of the memory
  /// that the process has taken: for tests.
  public convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), books: Bookkeeping = .none,
    desks: OperatorDesks = OperatorDesks(), tracer: (any Tracer)? = nil, limits: EdgeLimits? = nil,
    takenBytes: (@Sendable () -> Int?)? = nil,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
  ) {
    self.init(
      table: table, engine: engine, outgoing: outgoing, books: books, operators: desks, limits: limits,
      takenBytes: takenBytes, clock: WallClock(), metrics: MetricsSystem.factory, tracer: tracer, group: group,
      logger: logger)
  }

  /// With a time of day and counters of a test's own.
  convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), books: Bookkeeping,
    operators: OperatorDesks = OperatorDesks(), limits: EdgeLimits?, takenBytes: (@Sendable () -> Int?)? = nil,
    clock: WallClock, metrics: any MetricsFactory, tracer: (any Tracer)? = nil,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
  ) {
    let registry = ConnectionRegistry()
    let workshop = GenerationWorkshop(
      table, engine: engine, outgoing: outgoing, books: books, operators: operators, limits: limits,
      connections: registry, clock: clock, metrics: metrics, tracer: tracer, logger: logger)
    self.init(
      listeners: table.listeners, generations: workshop.generations, registry: registry,
      takenBytes: takenBytes ?? ProcessMemory.takenBytes, workshop: workshop, group: group, logger: logger)
  }

  /// The same at all addresses, whatever is asked.
  convenience init(
    listeners: [Listener], limits: EdgeLimits, admission: any UpgradeAdmission, group: any EventLoopGroup,
    logger: Logger
  ) {
    let faces = listeners.map { _ in ListenerFace(admission: admission) }
    self.init(
      listeners: listeners, generations: Generations(Generation(limits: limits, faces: faces)),
      registry: ConnectionRegistry(), takenBytes: ProcessMemory.takenBytes, workshop: nil, group: group, logger: logger)
  }

  private init(
    listeners: [Listener], generations: Generations, registry: ConnectionRegistry,
    takenBytes: @escaping @Sendable () -> Int?, workshop: GenerationWorkshop?, group: any EventLoopGroup,
    logger: Logger
  ) {
    self.listeners = listeners
    self.generations = generations
    self.registry = registry
    self.takenBytes = takenBytes
    self.workshop = workshop
    self.group = group
    self.logger = logger
  }

  /// From here on new sessions and requests get what this configuration says; running sessions keep what they have (R112).
  /// Listeners and the ledger stay as they were at the start.
  public func apply(_ table: RouteTable, engine: VoiceEngine) {
    workshop?.apply(table, engine: engine)
  }

  /// Binds all listeners. A loopback address that the machine does not have is left out with a warning as long as
  /// another is bound.
  public func start() async throws(StartFault) -> RunningGateway {
    await workshop?.desks.open()
    let certificates = try certificates()
    let surfaces = generations.current.faces.indices.map { surface(at: $0) }
    var binder = PortBinder(group: group, limits: generations.current.limits, logger: logger) { [self] channel, index in
      guard registry.insert(channel) else {
        channel.close(promise: nil)
        return
      }
      try channel.pipeline.syncOperations.addHandler(
        RequestGate(
          limits: generations.current.limits, admission: CurrentAdmission(generations: generations, index: index),
          surface: surfaces[index], logger: logger))
    }
    binder.certificates = certificates
    binder.tlsHandshake = { [generations] in generations.current.limits.tlsHandshake }
    let ports = try await binder.ports(listeners.map { ListenAddress(host: $0.host, port: $0.port) })
    workshop?.drain.watch(
      ports.map { (channel: $0.channel, servesSessions: listeners[$0.index].serves.contains(.sessions)) })
    let running = RunningGateway(
      channels: ports.map(\.channel), registry: registry, generations: generations, drain: workshop?.drain,
      certificates: Array(certificates.values), chores: chores(certificates.values))
    for address in running.addresses {
      logger.info(
        "listening", metadata: ["address": "\(ListenAddress(host: address.ipAddress ?? "", port: address.port ?? 0))"])
    }
    return running
  }

  private func certificates() throws(StartFault) -> [Int: ServerCertificate] {
    guard let workshop else { return [:] }
    return try PortBinder.certificates(
      of: listeners, clock: workshop.clock, metrics: workshop.metrics, logger: logger)
  }

  /// The HTTP side of a listener; nil where there is nothing but WebSockets.
  private func surface(at index: Int) -> HTTPSurface? {
    guard generations.current.faces[index].answer != nil else { return nil }
    return HTTPSurface(logger: logger) { [generations] request, context in
      guard let answer = generations.current.faces[index].answer else { return Response(status: .notFound) }
      return try await answer(request, context)
    }
  }

  /// What is done beside the connections, until it is cancelled.
  private func chores(_ certificates: some Collection<ServerCertificate>) -> [Task<Void, Never>] {
    var chores = watchMemory().map { [$0] } ?? []
    for certificate in certificates { chores.append(Task { await certificate.watch() }) }
    if let desks = workshop?.desks {
      let loop = group.next()
      chores.append(Task { await desks.seats.run(loop: loop) })
      if desks.books.keys != nil { chores.append(Task { await desks.access.run() }) }
    }
    return chores
  }

  /// Reads at intervals how much memory is taken, and does what that asks for, until it is cancelled.
  private func watchMemory() -> Task<Void, Never>? {
    guard let overload = workshop?.overload else { return nil }
    return Task { [generations, registry, takenBytes] in
      var releasedAt: ContinuousClock.Instant?
      repeat {
        // Nil while there is no descriptor to read it with.
        if var taken = takenBytes() {
          // Not at each reading: it takes its time, and what is free now will soon be used again.
          if !overload.hasRoom(with: taken), releasedAt.map({ $0.duration(to: .now) > .seconds(10) }) ?? true {
            releasedAt = .now
            ProcessMemory.releaseFree()
            taken = takenBytes() ?? taken
          }
          if let idle = overload.read(taken) { registry.fire(ShedIdleEvent(idle: idle)) }
        }
        try? await Task.sleep(for: generations.current.limits.memoryReadingInterval)
      } while !Task.isCancelled
    }
  }
}

/// A server that listens.
public struct RunningGateway: Sendable {
  private let channels: [any Channel]
  private let registry: ConnectionRegistry
  private let generations: Generations
  /// Nil of a server without sessions.
  private let drain: Drain?
  private let certificates: [ServerCertificate]
  private let chores: [Task<Void, Never>]

  init(
    channels: [any Channel], registry: ConnectionRegistry, generations: Generations, drain: Drain?,
    certificates: [ServerCertificate], chores: [Task<Void, Never>]
  ) {
    self.channels = channels
    self.registry = registry
    self.generations = generations
    self.drain = drain
    self.certificates = certificates
    self.chores = chores
  }

  /// The addresses that are really bound, in the order of the configuration.
  public var addresses: [SocketAddress] { channels.compactMap(\.localAddress) }

  /// The number of open connections.
  public var connectionCount: Int { registry.count }

  /// Returns when the server no longer listens.
  public func waitUntilClosed() async {
    for channel in channels { try? await channel.closeFuture.get() }
  }

  /// Reads the certificates of the listeners anew (SIGHUP).
  public func reloadCertificates() {
    for certificate in certificates { certificate.reload() }
  }

  /// Returns when the operator has asked for the end of the process (`POST /drain` with `exit`), or when its task is
  /// cancelled.
  public func untilExitIsAsked() async {
    if let drain { return await drain.untilExitIsAsked() }
    while (try? await Task.sleep(for: .seconds(3_600))) != nil {}
  }

  /// A stop that is under way ends with the configured grace at the latest, however long an operator has given it.
  public func hasten() { drain?.hasten() }

  /// Takes no more sessions, lets those that run end their turns within the grace, and returns when all connections are
  /// gone; at the latest two seconds after the grace (fault row 57).
  public func stop() async {
    if let drain {
      await drain.finish()
    } else {
      let limits = generations.current.limits
      for channel in channels { try? await channel.close() }
      registry.stop()
      await registry.waitUntilEmpty(atMost: limits.closeTimeout + limits.lingerTimeout)
      registry.closeAll()
      await registry.waitUntilEmpty()
    }
    for chore in chores { chore.cancel() }
  }
}
