import Logging
public import ServiceLifecycle

/// The gateway as a service: runs until its task group asks for a graceful shutdown (SIGTERM, SIGINT).
public struct GatewayService: Service {
  private let server: GatewayServer

  public init(server: GatewayServer) {
    self.server = server
  }

  public func run() async throws {
    let running = try await server.start()
    try? await gracefulShutdown()
    await running.stop()
  }
}
