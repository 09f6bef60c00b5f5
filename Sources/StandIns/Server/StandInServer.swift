public import NIOCore
public import NIOPosix
import NIOSSL

/// A WebSocket server that plays a service: one script per connection.
public struct StandInServer: Sendable {
  /// What the server does besides the script.
  public struct Behaviour: Sendable {
    /// Sends a ping that often.
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
  /// Everything received and sent.
  public let record: StandInRecord
  /// The port, also when 0 was asked for.
  public let port: Int

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - port: 0 for any free one.
  ///   - script: makes the script of each connection.
  /// - Throws: NIO's error if the address cannot be bound, NIOSSL's if the certificate cannot be read.
  public static func start(
    host: String = "127.0.0.1", port: Int = 0, behaviour: Behaviour = Behaviour(),
    record: StandInRecord = StandInRecord(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    script: @escaping @Sendable () -> any StandInScript
  ) async throws -> StandInServer {
    let tls = try behaviour.tls.map(context)
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { child in
        child.eventLoop.makeCompletedFuture {
          if let tls {
            try child.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          try child.pipeline.syncOperations.addHandler(
            StandInHandler(script: script(), behaviour: behaviour, record: record))
        }
      }
      .bind(host: host, port: port).get()
    return StandInServer(channel: channel, record: record, port: channel.localAddress?.port ?? port)
  }

  private static func context(certificateFile: String, keyFile: String) throws -> NIOSSLContext {
    let chain = try NIOSSLCertificate.fromPEMFile(certificateFile).map(NIOSSLCertificateSource.certificate)
    let key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
    return try NIOSSLContext(
      configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
  }

  /// Stops listening. Connections that are open stay so until their clients leave.
  public func stop() async throws {
    try await channel.close().get()
  }

  /// Returns when the server has stopped.
  public func waitUntilStopped() async throws {
    try await channel.closeFuture.get()
  }
}
