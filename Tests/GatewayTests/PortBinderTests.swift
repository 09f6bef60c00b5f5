import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Gateway

@Suite("Listening")
struct PortBinderTests {
  private func binder() -> PortBinder {
    PortBinder(
      group: MultiThreadedEventLoopGroup.singleton, limits: EdgeLimits(), logger: LogCapture().logger,
      prepare: { _, _ in }
    )
  }

  @Test("port 0 gives a free port on each address")
  func free() async throws {
    let channels = try await binder().bind([
      ListenAddress(host: "127.0.0.1", port: 0), ListenAddress(host: "127.0.0.1", port: 0),
    ])
    let ports = channels.compactMap(\.localAddress?.port)
    #expect(Set(ports).count == 2)
    #expect(!ports.contains(0))
    for channel in channels { try await channel.close() }
  }

  @Test("a port in use is a fault with the address, and nothing stays bound")
  func inUse() async throws {
    let first = try await binder().bind([ListenAddress(host: "127.0.0.1", port: 0)])
    let port = try #require(first.first?.localAddress?.port)
    let other = ListenAddress(host: "127.0.0.2", port: port)
    await #expect(throws: StartFault.portInUse(address: "127.0.0.1:\(port)")) {
      try await binder().bind([other, ListenAddress(host: "127.0.0.1", port: port)])
    }
    for channel in try await binder().bind([other]) { try await channel.close() }
    for channel in first { try await channel.close() }
  }

  @Test("an address of another machine is a fault")
  func foreign() async {
    await #expect(throws: StartFault.self) {
      try await binder().bind([ListenAddress(host: "192.0.2.1", port: 0)])
    }
  }
}
