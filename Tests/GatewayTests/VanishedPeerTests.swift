import NIOCore
import ParleyTesting
import Testing
import WebSocketWire

@testable import Gateway

@Suite("Peers that vanish, live", .timeLimit(.minutes(2)))
struct VanishedPeerTests {
  @Test("fault row 34: a client whose cable is pulled is found by ping, and its provider's connection closed")
  func vanishes() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let gateway = try await LimitedGateway.start(
      #""pingIntervalSeconds": 0.3, "pongTimeoutSeconds": 4, "upstreamPongTimeoutSeconds": 60"#,
      upstream: upstream.port)
    let link = try await FaultyLink.open(port: gateway.port)
    let client = try await RawClient.connect(port: link.port)
    try await client.upgrade(LimitedGateway.path)
    #expect(try await client.nextMessage()?.contains("session.created") ?? false)
    // It answers pings, and lives.
    for _ in 0..<2 {
      guard case .ping = try await client.next() else {
        Issue.record("something else than a ping")
        break
      }
    }
    #expect(gateway.running.connectionCount == 1)
    let clock = ContinuousClock()
    let began = clock.now
    await link.strike(.vanish)
    var ends = upstream.ends.makeAsyncIterator()
    #expect(await ends.next() != nil)
    #expect(clock.now - began > .seconds(3))
    #expect(await gateway.log.line(with: "session ended").contains("fault=peer_silent"))
    // Others are served as before.
    let other = try await gateway.session()
    try? await other.channel.close()
    await client.drop()
    await link.shutDown()
    await gateway.stop()
    await upstream.stop()
  }
}
