import HTTPWire
import NIOCore
import NIOPosix
import Routing
import SessionCore
import Synchronization
import Testing
import Translation
import VoiceEngine
import WebSocketWire

@testable import Gateway

/// Sessions whose drivers a test can reach.
private final class OpenDoors: UpgradeAdmission {
  let drivers = Mutex<[NIOLoopBound<SessionDriver>]>([])
  private let parameters: SessionParameters
  private let log: LogCapture

  init(provider port: Int, log: LogCapture) throws {
    let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: port)
    let service = try #require(ProviderKind.openAI.service(at: endpoint, key: nil, model: "m"))
    parameters = SessionParameters(
      provider: ProviderConfiguration(name: "main", service: service), requestedModel: "m", unixTime: 0, seed: 1)
    self.log = log
  }

  func owns(path: String) -> Bool { true }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    .accept(subprotocol: nil) { [self] leg in
      var parameters = parameters
      parameters.seed = UInt128(drivers.withLock { $0.count }) + 1
      var limits = EdgeLimits()
      limits.upstreamUpgrade = .seconds(3_600)
      let driver = SessionDriver(
        parameters: parameters, downstream: leg, loop: peer.loop, limits: limits, outgoing: Outgoing(),
        engine: .absent, logger: log.logger)
      leg.setOwner(driver)
      drivers.withLock { $0.append(NIOLoopBound(driver, eventLoop: peer.loop)) }
      driver.begin()
    }
  }
}

@Suite("A mistake of the gateway's own", .timeLimit(.minutes(1)))
struct InvariantTests {
  @Test("fault row 65: the session that meets one ends with 1011 and an error id; the others do not notice")
  func planted() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let log = LogCapture()
    let doors = try OpenDoors(provider: upstream.port, log: log)
    let server = GatewayServer(
      listeners: [Listener(host: "127.0.0.1", port: 0)], limits: EdgeLimits(), admission: doors,
      group: MultiThreadedEventLoopGroup.singleton, logger: log.logger)
    let running = try await server.start()
    let port = try #require(running.addresses.first?.port)
    var sockets: [TestSocket] = []
    for _ in 0..<3 {
      let socket = try await TestSocket.connect(port: port)
      #expect(try await socket.upgrade())
      #expect(await socket.message()?.contains("session.created") == true)
      sockets.append(socket)
    }
    // What no session does: another connection to the provider beside the one that is being made.
    let broken = try #require(doors.drivers.withLock { $0.first })
    try await broken.eventLoop.submit {
      let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: upstream.port)
      broken.value.session.outbox.actions.append(
        .dial(.socket(UpstreamTarget(endpoint: endpoint, pathAndQuery: "/", headers: []))))
      broken.value.step { _, _ in }
    }.get()
    let told = try #require(await sockets[0].message())
    #expect(told.contains(#""code":"internal_error""#))
    guard case .closed(let close) = await sockets[0].event() else {
      Issue.record("no close frame")
      return
    }
    #expect(close.code == .internalError)
    try await sockets[0].channel.close()
    let line = await log.line(with: "an invariant does not hold")
    let id = try #require(line.split(separator: " ").first { $0.hasPrefix("error_id=") }?.dropFirst("error_id=".count))
    #expect(line.hasPrefix("error ") && line.contains("session=") && told.contains(id))
    #expect(await log.line(with: "session ended").contains("fault=internal_error"))
    for socket in sockets.dropFirst() {
      try await socket.sendFrames { $0.send(.text, ByteBuffer(string: "{").readableBytesView) }
      #expect(await socket.message()?.contains(#""code":"invalid_json""#) == true)
      try await socket.channel.close()
    }
    await running.stop()
    await upstream.stop()
  }
}
