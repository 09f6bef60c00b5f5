public import NIOCore
public import NIOPosix
import NIOSSL
import Synchronization

/// A WebSocket server that plays a service: one script per connection.
public struct StandInServer: Sendable {
  /// What the server does besides the script.
  public struct Behaviour: Sendable {
    /// Sends a ping that often; never for nil or zero.
    public var pingInterval: Duration?
    /// The time between the request and its 101.
    public var upgradeDelay = Duration.zero
    /// Answers every upgrade with that HTTP status.
    public var refusalStatus: Int?
    /// PEM files of the certificate chain and its private key; nil for plain TCP.
    public var tls: (certificateFile: String, keyFile: String)?

    public init() {}
  }

  private let channel: any Channel
  private let connections: OpenConnections
  /// Everything received and sent.
  public let record: StandInRecord
  /// The port, also when 0 was asked for.
  public let port: Int

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - service: the name in the record.
  ///   - port: 0 for any free one.
  ///   - script: makes the script of each connection.
  /// - Throws: NIO's error if the address cannot be bound, NIOSSL's if the certificate cannot be read.
  public static func start(
    _ service: String = "", host: String = "127.0.0.1", port: Int = 0, behaviour: Behaviour = Behaviour(),
    record: StandInRecord = StandInRecord(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    script: @escaping @Sendable () -> any StandInScript
  ) async throws -> StandInServer {
    let tls = try behaviour.tls.map(context)
    let connections = OpenConnections()
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { child in
        connections.insert(child)
        return child.eventLoop.makeCompletedFuture {
          if let tls {
            try child.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          try child.pipeline.syncOperations.addHandler(
            StandInHandler(script: script(), service: service, behaviour: behaviour, record: record)
          )
        }
      }
      .bind(host: host, port: port).get()
    return StandInServer(
      channel: channel, connections: connections, record: record, port: channel.localAddress?.port ?? port)
  }

  private static func context(certificateFile: String, keyFile: String) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMFile(certificateFile).map(NIOSSLCertificateSource.certificate)
    let key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
    return try NIOSSLContext(
      configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
  }

  /// Ends every open connection without a close frame, as a service that has crashed.
  public func dropConnections() {
    connections.closeAll()
  }

  /// Stops listening and ends the open connections.
  public func stop() async throws {
    try await channel.close().get()
    connections.closeAll()
  }

  /// Returns when the server has stopped.
  public func waitUntilStopped() async throws {
    try await channel.closeFuture.get()
  }
}

/// The connections that a server has at the moment.
private final class OpenConnections: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  func insert(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    channels.withLock { $0[id] = channel }
    channel.closeFuture.whenComplete { _ in
      _ = self.channels.withLock { $0.removeValue(forKey: id) }
    }
  }

  func closeAll() {
    let open = channels.withLock { Array($0.values) }
    for channel in open { channel.close(promise: nil) }
  }
}
