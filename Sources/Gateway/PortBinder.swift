import CoreMetrics
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Routing

/// An address to listen on.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// An IP address without brackets, or a name.
  public let host: String
  /// 0 lets the system choose.
  public let port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  public var description: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// Why the server cannot start.
public enum StartFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Another process listens there.
  case portInUse(address: String)
  /// The system refused; the text is its own.
  case cannotListen(address: String, reason: String)
  /// None of the addresses exists on this machine.
  case noAddress
  /// The address cannot have TLS; the text names the file and what is wrong with it.
  case noCertificate(address: String, reason: String)

  public var description: String {
    switch self {
    case .portInUse(let address): "\(address) is in use by another process; choose another port with --port"
    case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
    case .noAddress: "none of the configured addresses exists on this machine"
    case .noCertificate(let address, let reason): "no TLS at \(address): \(reason)"
    }
  }
}

/// A listener that listens.
struct BoundPort: Sendable {
  let channel: any Channel
  /// Its position in the configuration.
  let index: Int
}

/// Binds the listeners of a configuration.
struct PortBinder {
  let group: any EventLoopGroup
  let limits: EdgeLimits
  let logger: Logger
  /// The limit of a handshake that begins now.
  var tlsHandshake: @Sendable () -> Duration = { EdgeLimits().tlsHandshake }
  /// By the positions of the listeners; the others have no TLS.
  var certificates: [Int: ServerCertificate] = [:]
  /// Prepares a connection, on its event loop, with the position of the listener that accepted it; where that has TLS, when
  /// the handshake is over.
  let prepare: @Sendable (any Channel, Int) throws -> Void

  /// The certificates of the listeners that have one, by their positions.
  static func certificates(
    of listeners: [Listener], clock: WallClock, metrics: any MetricsFactory, logger: Logger
  ) throws(StartFault) -> [Int: ServerCertificate] {
    var certificates: [Int: ServerCertificate] = [:]
    for (index, listener) in listeners.enumerated() {
      guard let tls = listener.tls else { continue }
      do {
        certificates[index] = try ServerCertificate(
          tls, listener: listener.description, clock: clock, metrics: metrics, logger: logger)
      } catch {
        throw .noCertificate(address: listener.description, reason: error.description)
      }
    }
    return certificates
  }

  /// All listening channels; when one fails none stays open.
  func bind(_ listeners: [ListenAddress]) async throws(StartFault) -> [any Channel] {
    try await ports(listeners).map(\.channel)
  }

  /// The same, with the position of each.
  func ports(_ listeners: [ListenAddress]) async throws(StartFault) -> [BoundPort] {
    var ports: [BoundPort] = []
    do throws(StartFault) {
      for (index, listener) in listeners.enumerated() {
        if let channel = try await bind(listener, at: index) {
          ports.append(BoundPort(channel: channel, index: index))
        }
      }
      guard !ports.isEmpty else { throw StartFault.noAddress }
    } catch {
      for port in ports { try? await port.channel.close() }
      throw error
    }
    return ports
  }

  /// Nil for an address that this machine does not have, as `::1` where IPv6 is off.
  private func bind(_ listener: ListenAddress, at index: Int) async throws(StartFault) -> (any Channel)? {
    do {
      return try await bootstrap(index).bind(host: listener.host, port: listener.port).get()
    } catch let error as IOError {
      switch error.errnoCode {
      case EADDRINUSE:
        throw .portInUse(address: "\(listener)")
      case EADDRNOTAVAIL, EAFNOSUPPORT:
        guard NetworkAddress.isLoopback(listener.host) else { break }
        logger.warning("address not available on this machine", metadata: ["address": "\(listener)"])
        return nil
      default:
        break
      }
      throw .cannotListen(address: "\(listener)", reason: String(cString: strerror(error.errnoCode)))
    } catch {
      throw .cannotListen(address: "\(listener)", reason: "the host name cannot be resolved")
    }
  }

  private func bootstrap(_ index: Int) -> ServerBootstrap {
    let (prepare, logger, handshake, certificate) = (self.prepare, self.logger, tlsHandshake, certificates[index])
    return ServerBootstrap(group: group)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
        }
      }
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(UnsentBytes.option, value: UnsentBytes.most)
      .childChannelOption(.recvAllocator, value: ReceiveBuffers.allocator)
      .childChannelOption(
        .writeBufferWaterMark, value: .init(low: ChannelRoom(limits).low, high: ChannelRoom(limits).high)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let certificate else { return try prepare(channel, index) }
          try channel.pipeline.syncOperations.addHandlers([
            NIOSSLServerHandler(context: certificate.context),
            TLSGate(timeout: TimeAmount(handshake()), logger: logger) { try prepare($0, index) },
          ])
        }
      }
  }
}
