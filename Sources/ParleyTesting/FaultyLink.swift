public import NIOCore
public import NIOPosix

/// A relay in user space between one listening port and one target, each direction with its own behaviour.
///
/// Everything random comes from the seed: connection n draws the same jitter for its reads in every run. The link reads
/// no further ahead of what it passes on than a behaviour's `queueBytes` (and one read), and its sockets have small
/// buffers, so that a slow direction is felt at the other end. What ends at one side ends at the other in the same way:
/// a FIN behind what was said before it, a reset at once.
public final class FaultyLink: Sendable {
  public enum Direction: Sendable, Hashable, CaseIterable {
    case toTarget
    case toClient

    var opposite: Self { self == .toTarget ? .toClient : .toTarget }
  }

  /// How one direction passes on what it is told.
  public struct Behaviour: Sendable, Hashable {
    public var delay: Duration = .zero
    /// From nothing to this much more delay, drawn for each read; the order is kept.
    public var jitter: Duration = .zero
    /// Nil for as fast as can be.
    public var bytesPerSecond: Int?
    /// The most that goes out in one write; 1 drips.
    public var segmentBytes: Int?
    /// Nothing is read while this much waits in the link.
    public var queueBytes: Int = 65_536

    public init() {}
  }

  public enum Fault: Sendable, Hashable {
    /// Nothing passes for this long, either way.
    case stall(Duration)
    /// Both sides are reset; what waits in the link is lost.
    case cut
    /// Nothing passes any more and nobody is told: a cable is pulled.
    case vanish
    /// The receiver of the direction gets a FIN; what waits in the link, and what still comes, is lost.
    case halfClose(Direction)
    /// Both sides get a FIN; what waits in the link is lost.
    case close
    /// Every WebSocket close frame that comes from now on is passed on twice.
    case duplicateClose
  }

  /// A fault that has struck a connection.
  public struct Strike: Sendable, Hashable {
    public let fault: Fault
    public let at: NIODeadline
  }

  private let listener: any Channel
  private let relay: NIOLoopBound<FaultyLinkRelay>

  private init(listener: any Channel, relay: NIOLoopBound<FaultyLinkRelay>) {
    self.listener = listener
    self.relay = relay
  }

  /// Listens on a free port of the loopback, and dials the target once for every connection that comes.
  ///
  /// All of the link lives on one event loop of the group.
  ///
  /// - Parameter socketBytes: the send and receive buffers of the link's sockets, so that the system's own buffers hide
  ///   little of what the link does. The system may take twice as much.
  public static func open(
    to host: String = "127.0.0.1", port: Int, seed: UInt64 = 1, socketBytes: Int = 65_536,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) async throws -> FaultyLink {
    let loop = group.next()
    let relay = try await loop.submit {
      NIOLoopBound(
        FaultyLinkRelay(loop: loop, host: host, port: port, seed: seed, socketBytes: socketBytes), eventLoop: loop)
    }.get()
    let listener = try await ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_rcvbuf), value: SocketOptionValue(socketBytes))
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.recvAllocator, value: FaultyLinkRelay.readSize)
      .childChannelOption(.socketOption(.so_sndbuf), value: SocketOptionValue(socketBytes))
      .childChannelInitializer { client in
        client.eventLoop.makeCompletedFuture { try relay.value.accept(client) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return FaultyLink(listener: listener, relay: relay)
  }

  public var port: Int { listener.localAddress?.port ?? 0 }

  /// Changes how all connections, present and later, pass on what comes from now on.
  public func behave(_ behaviour: Behaviour, _ direction: Direction) async {
    await onLoop { $0.behave(behaviour, direction) }
  }

  /// Strikes one connection, or all that are open. Connections count from 0 in the order of accept.
  public func strike(_ fault: Fault, connection: Int? = nil) async {
    await onLoop { $0.strike(fault, connection: connection) }
  }

  /// Strikes when exactly this many bytes of a direction were passed on: the next one is the first that the fault
  /// touches. At once if there were more already; the connection may be one that is yet to come.
  public func strike(_ fault: Fault, connection: Int, afterBytes: Int, _ direction: Direction) async {
    await onLoop { $0.strike(fault, connection: connection, afterBytes: afterBytes, direction) }
  }

  /// Connections of which either side is open.
  public var openConnections: Int {
    get async { await onLoop { $0.openConnections } }
  }

  public var acceptedConnections: Int {
    get async { await onLoop { $0.acceptedConnections } }
  }

  /// The ports of the clients of whose end nothing has come here, whatever became of their other side.
  ///
  /// A client that has left one that vanished may be among them: its end waits behind what is not read any more.
  public var openClients: [Int] {
    get async { await onLoop { $0.openClients } }
  }

  /// The faults that struck a connection, in their order; a doubled close for each close frame that came twice.
  public var strikes: [Strike] {
    get async { await onLoop { $0.strikes } }
  }

  /// How often each fault struck a connection.
  public var struckFaults: [Fault: Int] {
    get async { await strikes.reduce(into: [:]) { $0[$1.fault, default: 0] += 1 } }
  }

  /// What the receiver's side of the system has taken of a direction, for connections that are over too.
  public func passedBytes(_ direction: Direction, connection: Int) async -> Int {
    await onLoop { $0.passedBytes(direction, connection: connection) }
  }

  /// Listens no more and resets what is open.
  public func shutDown() async {
    try? await listener.close().get()
    let ends = await onLoop { relay in
      relay.strike(.cut, connection: nil)
      return relay.ends
    }
    for end in ends { try? await end.get() }
  }

  private func onLoop<Answer: Sendable>(
    _ ask: @escaping @Sendable (FaultyLinkRelay) -> Answer
  ) async -> Answer {
    await withCheckedContinuation { continuation in
      listener.eventLoop.execute { continuation.resume(returning: ask(self.relay.value)) }
    }
  }
}
