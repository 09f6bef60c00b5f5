import CoreMetrics
import Envelope
import Hummingbird
public import Logging
public import NIOCore
public import NIOPosix
import Operator
public import Routing
public import VoiceEngine

/// What is behind an address.
struct ListenerFace: Sendable {
  var admission: any UpgradeAdmission
  /// Nil where there is nothing but WebSockets.
  var surface: HTTPSurface?
}

/// The listening server: every connection begins at a ``RequestGate`` and becomes a session or goes to the HTTP surface.
public final class GatewayServer: Sendable {
  private let listeners: [ListenAddress]
  private let limits: EdgeLimits
  /// Of each listener, in their order.
  private let faces: [ListenerFace]
  private let logger: Logger
  private let group: any EventLoopGroup
  private let registry = ConnectionRegistry()
  /// Nil where memory is not watched.
  private let overload: Overload?
  /// A reading of the memory that the process has taken.
  private let takenBytes: @Sendable () -> Int?
  /// What has to be done before the first connection, and at intervals as long as the server lives.
  private let desks: Desks?

  /// The gateway of a configuration.
  ///
  /// `limits` replaces the limits of the edge that the configuration gives, and `takenBytes` the readings of the memory
  /// that the process has taken: for tests.
  public convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), books: Bookkeeping = .none,
    limits: EdgeLimits? = nil, takenBytes: (@Sendable () -> Int?)? = nil,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
  ) {
    self.init(
      table: table, engine: engine, outgoing: outgoing, books: books, limits: limits, takenBytes: takenBytes,
      clock: WallClock(), metrics: MetricsSystem.factory, group: group, logger: logger)
  }

  /// With a time of day and counters of a test's own.
  convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), books: Bookkeeping,
    limits: EdgeLimits?, takenBytes: (@Sendable () -> Int?)? = nil, clock: WallClock, metrics: any MetricsFactory,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
  ) {
    let limits = limits ?? EdgeLimits(table.limits)
    let memory = (limits.memoryBudgetBytes ?? ProcessMemory.budgetBytes()).map {
      MemoryWatch(budgetBytes: $0, shortestIdle: limits.idleWhenMemoryIsShort)
    }
    let overload = Overload(
      maxSessions: limits.maxSessions, memory: memory, maxConnectsPerSecond: limits.maxConnectsPerSecond, logger: logger
    )
    let desks = Desks(
      access: AccessDesk(table.access, storage: books.keys, clock: clock, logger: logger),
      seats: SeatDesk(shared: books.shared, clock: clock, factory: metrics, logger: logger), books: books)
    let admission = RealtimeAdmission(
      table: table, desk: desks.access, seats: desks.seats, books: books, limits: limits, outgoing: outgoing,
      engine: engine, overload: overload, counters: AdmissionCounters(factory: metrics), logger: logger)
    let surfaces = Surfaces(table: table, engine: engine, outgoing: outgoing, desks: desks, logger: logger)
    let faces = table.listeners.map { listener in
      ListenerFace(
        admission: listener.serves.contains(.sessions) ? admission : NoSessions(),
        surface: surfaces.surface(serving: listener.serves))
    }
    self.init(
      listeners: table.listeners.map { ListenAddress(host: $0.host, port: $0.port) }, limits: limits,
      faces: faces, overload: overload,
      takenBytes: takenBytes ?? ProcessMemory.takenBytes, desks: desks, group: group, logger: logger)
  }

  /// The same at all addresses.
  convenience init(
    listeners: [ListenAddress], limits: EdgeLimits, admission: any UpgradeAdmission, surface: HTTPSurface?,
    overload: Overload? = nil, takenBytes: @escaping @Sendable () -> Int? = ProcessMemory.takenBytes,
    group: any EventLoopGroup, logger: Logger
  ) {
    self.init(
      listeners: listeners, limits: limits,
      faces: listeners.map { _ in ListenerFace(admission: admission, surface: surface) },
      overload: overload, takenBytes: takenBytes, desks: nil, group: group, logger: logger)
  }

  private init(
    listeners: [ListenAddress], limits: EdgeLimits, faces: [ListenerFace],
    overload: Overload?, takenBytes: @escaping @Sendable () -> Int?, desks: Desks?, group: any EventLoopGroup,
    logger: Logger
  ) {
    self.listeners = listeners
    self.limits = limits
    self.faces = faces
    self.overload = overload
    self.takenBytes = takenBytes
    self.desks = desks
    self.group = group
    self.logger = logger
  }

  /// Binds all listeners. A loopback address that the machine does not have is left out with a warning as long as
  /// another is bound.
  public func start() async throws(StartFault) -> RunningGateway {
    await desks?.open()
    let binder = PortBinder(group: group, limits: limits, logger: logger) { [self] channel, index in
      guard registry.insert(channel) else {
        channel.close(promise: nil)
        return
      }
      let face = faces[index]
      try channel.pipeline.syncOperations.addHandler(
        RequestGate(limits: limits, admission: face.admission, surface: face.surface, logger: logger))
    }
    let channels = try await binder.bind(listeners)
    let running = RunningGateway(channels: channels, registry: registry, limits: limits, chores: chores())
    for address in running.addresses {
      logger.info(
        "listening", metadata: ["address": "\(ListenAddress(host: address.ipAddress ?? "", port: address.port ?? 0))"])
    }
    return running
  }

  /// What is done beside the connections, until it is cancelled.
  private func chores() -> [Task<Void, Never>] {
    var chores = watchMemory().map { [$0] } ?? []
    if let desks {
      let loop = group.next()
      chores.append(Task { await desks.seats.run(loop: loop) })
      if desks.books.keys != nil { chores.append(Task { await desks.access.run() }) }
    }
    return chores
  }

  /// Reads at intervals how much memory is taken, and does what that asks for, until it is cancelled.
  private func watchMemory() -> Task<Void, Never>? {
    guard let overload else { return nil }
    return Task { [limits, registry, takenBytes] in
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
        try? await Task.sleep(for: limits.memoryReadingInterval)
      } while !Task.isCancelled
    }
  }
}

/// A server that listens.
public struct RunningGateway: Sendable {
  private let channels: [any Channel]
  private let registry: ConnectionRegistry
  private let limits: EdgeLimits
  private let chores: [Task<Void, Never>]

  init(
    channels: [any Channel], registry: ConnectionRegistry, limits: EdgeLimits, chores: [Task<Void, Never>]
  ) {
    self.channels = channels
    self.registry = registry
    self.limits = limits
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
