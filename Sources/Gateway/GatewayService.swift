import Logging
public import ServiceLifecycle

/// The gateway as a service: runs until its task group asks for a graceful shutdown (SIGTERM, SIGINT), or an operator for
/// the end of the process.
public struct GatewayService: Service {
  private let server: GatewayServer
  private let started: @Sendable (RunningGateway) -> Void

  /// - Parameter started: is told when it listens.
  public init(server: GatewayServer, started: @escaping @Sendable (RunningGateway) -> Void = { _ in }) {
    self.server = server
    self.started = started
  }

  public func run() async throws {
    let running = try await server.start()
    started(running)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await gracefulShutdown() }
      group.addTask { await running.untilExitIsAsked() }
      await group.next()
      group.cancelAll()
    }
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await running.stop()
        return true
      }
      group.addTask {
        if (try? await gracefulShutdown()) != nil { running.hasten() }
        return false
      }
      while let isOver = await group.next(), !isOver {}
      group.cancelAll()
    }
  }
}
