import CoreMetrics
import Envelope
import Hummingbird
public import Logging
public import NIOCore
public import NIOPosix
import Operator
public import Routing
public import VoiceEngine

/// The listening server: every connection begins at a ``RequestGate`` and becomes a session or goes to the HTTP surface.
public final class GatewayServer: Sendable {
  private let listeners: [Listener]
  private let generations: Generations
  private let logger: Logger
  private let group: any EventLoopGroup
  private let registry = ConnectionRegistry()
  /// A reading of the memory that the process has taken.
  private let takenBytes: @Sendable () -> Int?
  /// What generations are made of; nil of a server without a configuration.
  private let workshop: GenerationWorkshop?
  /// The watch over the memory; nil where there is none.
  private let overload: Overload?

  /// The gateway of a configuration.
  ///
  /// `limits` replaces the limits of the edge that the configuration gives, and `takenBytes` the readings of the memory
  /// that the process has taken: for tests.
  public convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), books: Bookkeeping = .none,
    desks: OperatorDesks = OperatorDesks(), limits: EdgeLimits? = nil, takenBytes: (@Sendable () -> Int?)? = nil,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
  ) {
    self.init(
      table: table, engine: engine, outgoing: outgoing, books: books, operators: desks, limits: limits,
      takenBytes: takenBytes, clock: WallClock(), metrics: MetricsSystem.factory, group: group, logger: logger)
  }

  /// With a time of day and counters of a test's own.
  convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), books: Bookkeeping,
    operators: OperatorDesks = OperatorDesks(), limits: EdgeLimits?, takenBytes: (@Sendable () -> Int?)? = nil,
    clock: WallClock, metrics: any MetricsFactory,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
  ) {
    let workshop = GenerationWorkshop(
      table, outgoing: outgoing, books: books, operators: operators, limits: limits, clock: clock, metrics: metrics,
      logger: logger)
    self.init(
      listeners: table.listeners, first: workshop.generation(table, engine: engine, replacing: nil),
      overload: workshop.overload, takenBytes: takenBytes ?? ProcessMemory.takenBytes, workshop: workshop,
      group: group, logger: logger)
  }

  /// The same at all addresses, whatever is asked.
  convenience init(
    listeners: [Listener], limits: EdgeLimits, admission: any UpgradeAdmission, group: any EventLoopGroup,
    logger: Logger
  ) {
    let faces = listeners.map { _ in ListenerFace(admission: admission) }
    self.init(
      listeners: listeners, first: Generation(limits: limits, faces: faces), overload: nil,
      takenBytes: ProcessMemory.takenBytes, workshop: nil, group: group, logger: logger)
  }

  private init(
    listeners: [Listener], first: Generation, overload: Overload?, takenBytes: @escaping @Sendable () -> Int?,
    workshop: GenerationWorkshop?, group: any EventLoopGroup, logger: Logger
  ) {
    self.listeners = listeners
    generations = Generations(first)
    self.overload = overload
    self.takenBytes = takenBytes
    self.workshop = workshop
    self.group = group
    self.logger = logger
  }

  /// From here on new sessions and requests get what this configuration says; running sessions keep what they have (R112).
  /// Listeners and the ledger stay as they were at the start.
  public func apply(_ table: RouteTable, engine: VoiceEngine) {
    guard let workshop else { return }
    generations.replace(with: workshop.generation(table, engine: engine, replacing: generations.current))
  }

  /// Binds all listeners. A loopback address that the machine does not have is left out with a warning as long as
  /// another is bound.
  public func start() async throws(StartFault) -> RunningGateway {
    await workshop?.desks.open()
    let surfaces = generations.current.faces.indices.map { surface(at: $0) }
    let binder = PortBinder(group: group, limits: generations.current.limits, logger: logger) { [self] channel, index in
      guard registry.insert(channel) else {
        channel.close(promise: nil)
        return
      }
      try channel.pipeline.syncOperations.addHandler(
        RequestGate(
          limits: generations.current.limits, admission: CurrentAdmission(generations: generations, index: index),
          surface: surfaces[index], logger: logger))
    }
    let channels = try await binder.bind(listeners.map { ListenAddress(host: $0.host, port: $0.port) })
    let running = RunningGateway(channels: channels, registry: registry, generations: generations, chores: chores())
    for address in running.addresses {
      logger.info(
        "listening", metadata: ["address": "\(ListenAddress(host: address.ipAddress ?? "", port: address.port ?? 0))"])
    }
    return running
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
  private func chores() -> [Task<Void, Never>] {
    var chores = watchMemory().map { [$0] } ?? []
    if let desks = workshop?.desks {
      let loop = group.next()
      chores.append(Task { await desks.seats.run(loop: loop) })
      if desks.books.keys != nil { chores.append(Task { await desks.access.run() }) }
    }
    return chores
  }

  /// Reads at intervals how much memory is taken, and does what that asks for, until it is cancelled.
  private func watchMemory() -> Task<Void, Never>? {
    guard let overload else { return nil }
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
  private let chores: [Task<Void, Never>]

  init(
    channels: [any Channel], registry: ConnectionRegistry, generations: Generations, chores: [Task<Void, Never>]
  ) {
    self.channels = channels
    self.registry = registry
    self.generations = generations
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

  /// Stops accepting, waits the grace, closes sessions with 1012 and other connections when their answer is out, and
  /// returns when all are gone; at the latest after the grace and the waits of a close handshake.
  public func stop() async {
    let limits = generations.current.limits
    for chore in chores { chore.cancel() }
    for channel in channels { try? await channel.close() }
    await wait(limits.drainGrace)
    registry.stop()
    await wait(limits.closeTimeout + limits.lingerTimeout)
    registry.closeAll()
    await registry.waitUntilEmpty()
  }

  /// Until all connections are gone or the time is up.
  private func wait(_ duration: Duration) async {
    guard duration > .zero else { return }
    let registry = self.registry
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await registry.waitUntilEmpty() }
      group.addTask {
        try? await Task.sleep(for: duration)
        registry.releaseWaiters()
      }
      await group.next()
      group.cancelAll()
    }
  }
}
