import Logging
import NIOCore
import NIOPosix
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

  public var description: String {
    switch self {
    case .portInUse(let address): "\(address) is in use by another process; choose another port with --port"
    case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
    case .noAddress: "none of the configured addresses exists on this machine"
    }
  }
}

/// Binds the listeners of a configuration.
struct PortBinder {
  let group: any EventLoopGroup
  let limits: EdgeLimits
  let logger: Logger
  /// Prepares a connection, on its event loop; with the position of the listener that accepted it.
  let prepare: @Sendable (any Channel, Int) throws -> Void

  /// All listening channels; when one fails none stays open.
  func bind(_ listeners: [ListenAddress]) async throws(StartFault) -> [any Channel] {
    var channels: [any Channel] = []
    do throws(StartFault) {
      for (index, listener) in listeners.enumerated() {
        if let channel = try await bind(listener, at: index) { channels.append(channel) }
      }
      guard !channels.isEmpty else { throw StartFault.noAddress }
    } catch {
      for channel in channels { try? await channel.close() }
      throw error
    }
    return channels
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
    let (prepare, logger) = (self.prepare, self.logger)
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
        channel.eventLoop.makeCompletedFuture { try prepare(channel, index) }
      }
  }
}
