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
  private let listeners: [ListenAddress]
  private let limits: EdgeLimits
  private let admission: any UpgradeAdmission
  private let surface: HTTPSurface?
  private let logger: Logger
  private let group: any EventLoopGroup
  private let registry = ConnectionRegistry()
  /// Nil where memory is not watched.
  private let overload: Overload?
  /// A reading of the memory that the process has taken.
  private let takenBytes: @Sendable () -> Int?

  /// The gateway of a configuration.
  ///
  /// `limits` replaces the limits of the edge that the configuration gives, and `takenBytes` the readings of the memory
  /// that the process has taken: for tests.
  public convenience init(
    table: RouteTable, engine: VoiceEngine, outgoing: Outgoing = Outgoing(), limits: EdgeLimits? = nil,
    takenBytes: (@Sendable () -> Int?)? = nil, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger
  ) {
    let limits = limits ?? EdgeLimits(table.limits)
    let memory = (limits.memoryBudgetBytes ?? ProcessMemory.budgetBytes()).map {
      MemoryWatch(budgetBytes: $0, shortestIdle: limits.idleWhenMemoryIsShort)
    }
    let overload = Overload(maxSessions: limits.maxSessions, memory: memory, logger: logger)
    self.init(
      listeners: table.listeners.map { ListenAddress(host: $0.host, port: $0.port) }, limits: limits,
      admission: RealtimeAdmission(
        table: table, limits: limits, outgoing: outgoing, engine: engine, overload: overload, logger: logger),
      surface: HTTPSurface(
        responder: OperatorSurface.router(
          engine: engine, capabilities: JSONCoding.encode(Capabilities(of: table, engine: engine)),
          catalogue: Catalogue(of: table, engine: engine, outgoing: outgoing, logger: logger),
          refusal: HTTPAdmission(table: table).refusal
        ).buildResponder(), logger: logger),
      overload: overload, takenBytes: takenBytes ?? ProcessMemory.takenBytes, group: group, logger: logger)
  }

  init(
    listeners: [ListenAddress], limits: EdgeLimits, admission: any UpgradeAdmission, surface: HTTPSurface?,
    overload: Overload? = nil, takenBytes: @escaping @Sendable () -> Int? = ProcessMemory.takenBytes,
    group: any EventLoopGroup, logger: Logger
  ) {
    self.listeners = listeners
    self.limits = limits
    self.admission = admission
    self.surface = surface
    self.overload = overload
    self.takenBytes = takenBytes
    self.group = group
    self.logger = logger
  }

  /// Binds all listeners. A loopback address that the machine does not have is left out with a warning as long as
  /// another is bound.
  public func start() async throws(StartFault) -> RunningGateway {
    let binder = PortBinder(group: group, limits: limits, logger: logger) { [self] channel in
      guard registry.insert(channel) else {
        channel.close(promise: nil)
        return
      }
      try channel.pipeline.syncOperations.addHandler(
        RequestGate(limits: limits, admission: admission, surface: surface, logger: logger))
    }
    let channels = try await binder.bind(listeners)
    let running = RunningGateway(channels: channels, registry: registry, limits: limits, memoryWatch: watchMemory())
    for address in running.addresses {
      logger.info(
        "listening", metadata: ["address": "\(ListenAddress(host: address.ipAddress ?? "", port: address.port ?? 0))"])
    }
    return running
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
  private let memoryWatch: Task<Void, Never>?

  init(
    channels: [any Channel], registry: ConnectionRegistry, limits: EdgeLimits, memoryWatch: Task<Void, Never>?
  ) {
    self.channels = channels
    self.registry = registry
    self.limits = limits
    self.memoryWatch = memoryWatch
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
    memoryWatch?.cancel()
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
