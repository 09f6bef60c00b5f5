import NIOCore
import NIOPosix

/// The state of a `FaultyLink`, on its event loop.
final class FaultyLinkRelay {
  static let readSize = FixedSizeRecvByteBufferAllocator(capacity: 16_384)

  private let loop: any EventLoop
  private let host: String
  private let port: Int
  private let seed: UInt64
  private let socketBytes: Int
  private var behaviours: [FaultyLink.Direction: FaultyLink.Behaviour] = [:]
  private var connections: [Int: FaultyLinkConnection] = [:]
  private var waitingStrikes: [Int: [FaultyLinkStrike]] = [:]
  private var passed: [Int: [FaultyLink.Direction: Int]] = [:]
  private(set) var acceptedConnections = 0
  private(set) var strikes: [FaultyLink.Strike] = []

  init(loop: any EventLoop, host: String, port: Int, seed: UInt64, socketBytes: Int) {
    self.loop = loop
    self.host = host
    self.port = port
    self.seed = seed
    self.socketBytes = socketBytes
  }

  var openConnections: Int { connections.count }
  var openClients: [Int] { connections.values.compactMap(\.clientPort) }
  var ends: [EventLoopFuture<Void>] { connections.values.flatMap(\.ends) }

  func accept(_ client: any Channel) throws {
    let number = acceptedConnections
    acceptedConnections += 1
    let connection = FaultyLinkConnection(
      number: number, client: client, seed: seed, behaviours: behaviours,
      strikes: waitingStrikes.removeValue(forKey: number) ?? [], relay: self)
    connections[number] = connection
    connection.follow(client)
    try client.pipeline.syncOperations.addHandler(FaultyLinkEnd(connection: connection, heard: .toTarget))
    let bound = NIOLoopBound(connection, eventLoop: loop)
    ClientBootstrap(group: loop)
      .channelOption(.autoRead, value: false)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelOption(.recvAllocator, value: Self.readSize)
      .channelOption(.socketOption(.so_rcvbuf), value: SocketOptionValue(socketBytes))
      .channelOption(.socketOption(.so_sndbuf), value: SocketOptionValue(socketBytes))
      .channelInitializer { target in
        target.eventLoop.makeCompletedFuture {
          try target.pipeline.syncOperations.addHandler(FaultyLinkEnd(connection: bound.value, heard: .toClient))
        }
      }
      .connect(host: host, port: port)
      .assumeIsolated().whenComplete { outcome in
        switch outcome {
        case .success(let target): connection.begin(target)
        case .failure: connection.reset()
        }
      }
  }

  func behave(_ behaviour: FaultyLink.Behaviour, _ direction: FaultyLink.Direction) {
    behaviours[direction] = behaviour
    for connection in connections.values { connection.behave(behaviour, direction) }
  }

  func strike(_ fault: FaultyLink.Fault, connection: Int?) {
    let struck = connection.map { number in connections[number].map { [$0] } ?? [] } ?? Array(connections.values)
    for connection in struck { connection.strike(fault) }
  }

  func strike(
    _ fault: FaultyLink.Fault, connection: Int, afterBytes: Int, _ direction: FaultyLink.Direction
  ) {
    let strike = FaultyLinkStrike(fault: fault, afterBytes: afterBytes, direction: direction)
    if let open = connections[connection] {
      open.arm(strike)
    } else if connection >= acceptedConnections {
      waitingStrikes[connection, default: []].append(strike)
    }
  }

  func passedBytes(_ direction: FaultyLink.Direction, connection: Int) -> Int {
    connections[connection]?.passedBytes(direction) ?? passed[connection]?[direction] ?? 0
  }

  func count(_ fault: FaultyLink.Fault) {
    strikes.append(.init(fault: fault, at: .now()))
  }

  /// Both sides of a connection are closed.
  func forget(_ connection: FaultyLinkConnection) {
    passed[connection.number] = connection.passed
    connections[connection.number] = nil
  }
}

/// A fault that waits for its byte.
struct FaultyLinkStrike {
  let fault: FaultyLink.Fault
  let afterBytes: Int
  let direction: FaultyLink.Direction
}

/// Tells a connection what one of its two channels hears.
final class FaultyLinkEnd: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: FaultyLinkConnection
  /// The direction of what this channel hears.
  private let heard: FaultyLink.Direction
  private var wasReset = false

  init(connection: FaultyLinkConnection, heard: FaultyLink.Direction) {
    self.connection = connection
    self.heard = heard
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.hear(unwrapInboundIn(data), heard)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { connection.hearEnd(heard) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection.lose(heard, byReset: wasReset)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    wasReset = true
    context.close(promise: nil)
  }
}
