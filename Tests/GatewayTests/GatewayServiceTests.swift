import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing
import WebSocketWire

@testable import Gateway

@Suite("The gateway as a service")
struct GatewayServiceTests {
  @Test("fault row 57: a graceful shutdown ends the listener and the service")
  func shutdown() async throws {
    let log = LogCapture()
    let server = EchoConformance.server(
      listeners: [ListenAddress(host: "127.0.0.1", port: 0)], group: MultiThreadedEventLoopGroup.singleton,
      logger: log.logger)
    let group = ServiceGroup(services: [GatewayService(server: server)], logger: log.logger)
    async let running: Void = group.run()
    let line = await log.line(with: "listening")
    let port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
    let socket = try await TestSocket.connect(port: port)
    #expect(try await socket.upgrade())
    await group.triggerGracefulShutdown()
    guard case .closed(let close) = await socket.event() else {
      Issue.record("no close frame")
      return
    }
    #expect(close.code == .serviceRestart)
    try await socket.channel.close()
    try await running
    await #expect(throws: (any Error).self) { try await TestSocket.connect(port: port) }
  }

  @Test("a port in use ends the service with that fault")
  func portInUse() async throws {
    let first = try await TestGateway.echo()
    let log = LogCapture()
    let server = EchoConformance.server(
      listeners: [ListenAddress(host: "127.0.0.1", port: first.port)], group: MultiThreadedEventLoopGroup.singleton,
      logger: log.logger)
    await #expect(throws: StartFault.portInUse(address: "127.0.0.1:\(first.port)")) {
      try await GatewayService(server: server).run()
    }
    await first.stop()
  }
}
