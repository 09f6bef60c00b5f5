import Dispatch
import NIOCore
import NIOPosix
import Routing
import Testing
import Translation
import VoiceEngine

@testable import Gateway

@Suite("Addresses that are dialled", .timeLimit(.minutes(2))) struct OutgoingAddressTests {
  private static func endpoint(_ host: String, _ port: Int, allowsPrivate: Bool = false) -> UpstreamEndpoint {
    UpstreamEndpoint(isSecure: false, host: host, port: port, allowsPrivateAddresses: allowsPrivate)
  }

  @Test("fault row 61: a name that leads to this machine is refused, unless its provider may")
  func loopback() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let names = TestNames.always("127.0.0.1", port: upstream.port)
    let outgoing = Outgoing(addresses: names.lookup)
    let refused = try await OutgoingDial.to(Self.endpoint("provider.test", upstream.port), outgoing)
    #expect(refused.end == .addressRefused)
    let allowed = try await OutgoingDial.to(
      Self.endpoint("provider.test", upstream.port, allowsPrivate: true), outgoing)
    #expect(allowed.end == nil)
    #expect(allowed.remote?.ipAddress == "127.0.0.1")
    await upstream.stop()
  }

  @Test("fault row 61: link-local addresses of a name are refused although private ones are allowed")
  func linkLocal() async throws {
    for address in ["169.254.169.254", "fe80::1", "0.0.0.0", "::ffff:169.254.169.254"] {
      let outgoing = Outgoing(addresses: TestNames.always(address, port: 80).lookup)
      let dial = try await OutgoingDial.to(Self.endpoint("provider.test", 80, allowsPrivate: true), outgoing)
      #expect(dial.end == .addressRefused, "\(address)")
    }
  }

  @Test("fault row 61: an address, or localhost, in the configuration is the operator's own choice and asks nobody")
  func writtenOut() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let names = TestNames.always("127.0.0.1", port: upstream.port)
    let outgoing = Outgoing(addresses: names.lookup)
    #expect(try await OutgoingDial.to(Self.endpoint("127.0.0.1", upstream.port), outgoing).end == nil)
    #expect(names.questions.isEmpty)
    #expect(try await OutgoingDial.to(Self.endpoint("LocalHost", upstream.port), outgoing).end == nil)
    await upstream.stop()
  }

  @Test("fault row 61: of a name's addresses only those that may be are tried")
  func mixed() async throws {
    let answers = ["10.0.0.1", "192.0.2.1", "127.0.0.1", "169.254.169.254"]
    let names = TestNames { _, family, _ in
      try family == .inet ? answers.map { try SocketAddress(ipAddress: $0, port: 443) } : []
    }
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let resolver = CheckedResolver(names.lookup, on: loop, for: Self.endpoint("provider.test", 443))
    let (four, six) = (
      try await resolver.initiateAQuery(host: "provider.test", port: 443).get(),
      try await resolver.initiateAAAAQuery(host: "provider.test", port: 443).get()
    )
    #expect(four.map(\.ipAddress) == ["192.0.2.1"])
    #expect(six.isEmpty)
    #expect(try await loop.submit { resolver.hasRefused }.get())
  }

  @Test("fault row 61: what is connected is what was checked, though the name leads elsewhere a moment later")
  func rebinding() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let port = upstream.port
    // The checked answer is public and answers nobody; every later one is this machine.
    let names = TestNames { _, family, count in
      guard family == .inet else { throw LookupFault(code: 0) }
      return [try SocketAddress(ipAddress: count == 0 ? "192.0.2.1" : "127.0.0.1", port: port)]
    }
    let outgoing = Outgoing(addresses: names.lookup)
    let dial = try await OutgoingDial.to(Self.endpoint("provider.test", port), outgoing) {
      $0.upstreamConnect = .milliseconds(700)
    }
    #expect(dial.end == .timedOut(.connect) || dial.end == .unreachable, "\(dial)")
    #expect(names.questions == ["provider.test A", "provider.test AAAA"])
    // And the other way about: a good address is not asked for again.
    let turned = TestNames { _, family, count in
      guard family == .inet else { throw LookupFault(code: 0) }
      return [try SocketAddress(ipAddress: count == 0 ? "127.0.0.1" : "192.0.2.1", port: port)]
    }
    let opened = try await OutgoingDial.to(
      Self.endpoint("provider.test", port, allowsPrivate: true), Outgoing(addresses: turned.lookup))
    #expect(opened.remote?.ipAddress == "127.0.0.1")
    #expect(turned.questions == ["provider.test A", "provider.test AAAA"])
    await upstream.stop()
  }

  @Test("all that ask for a name at once share one question")
  func shared() async throws {
    let gate = DispatchSemaphore(value: 0)
    let names = TestNames { _, _, _ in
      gate.wait()
      return [try SocketAddress(ipAddress: "127.0.0.1", port: 1)]
    }
    let lookup = names.lookup
    let loops = MultiThreadedEventLoopGroup.singleton
    let answers = (0..<50).map { _ in lookup.addresses(of: "n.test", port: 1, .inet, on: loops.next()) }
    gate.signal()
    for answer in answers { #expect(try await answer.get().count == 1) }
    #expect(names.questions == ["n.test A"])
    gate.signal()
    #expect(try await lookup.addresses(of: "n.test", port: 1, .inet, on: loops.next()).get().count == 1)
    #expect(names.questions == ["n.test A", "n.test A"], "an answer is not kept")
  }

  // MARK: One family down

  enum Trouble: Sendable, CaseIterable {
    case refuses, swallows, isNeverLookedUp, hasNoAddress
  }

  @Test("one family of addresses that is down does not keep the other waiting", arguments: Trouble.allCases)
  func oneFamilyDown(_ trouble: Trouble) async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let hole = try await BlackHole.open()
    let closed = try await ScriptedUpstream.start(.silence)
    let closedPort = closed.port
    await closed.stop()
    let gate = DispatchSemaphore(value: 0)
    let (port, holePort) = (upstream.port, hole.port)
    let names = TestNames { _, family, _ in
      guard family == .inet6 else { return [try SocketAddress(ipAddress: "127.0.0.1", port: port)] }
      // The first family is asked first and tried first. Its addresses are of the other here, so that the machine needs
      // no IPv6 for this.
      switch trouble {
      case .refuses: return [try SocketAddress(ipAddress: "127.0.0.1", port: closedPort)]
      case .swallows: return [try SocketAddress(ipAddress: "127.0.0.1", port: holePort)]
      case .isNeverLookedUp:
        gate.wait()
        return []
      case .hasNoAddress: throw LookupFault(code: 0)
      }
    }
    let began = ContinuousClock.now
    let dial = try await OutgoingDial.to(
      Self.endpoint("provider.test", port, allowsPrivate: true), Outgoing(addresses: names.lookup))
    #expect(dial.remote?.port == port, "\(dial)")
    // The limit for connecting is 20 s; the other family is tried after 250 ms.
    #expect(ContinuousClock.now - began < .seconds(10))
    gate.signal()
    await hole.close()
    await upstream.stop()
  }

  @Test("the hole swallows: alone it takes all the time there is")
  func hole() async throws {
    let hole = try await BlackHole.open()
    let dial = try await OutgoingDial.to(Self.endpoint("127.0.0.1", hole.port), Outgoing()) {
      $0.upstreamConnect = .milliseconds(500)
    }
    #expect(dial.end == .timedOut(.connect))
    await hole.close()
  }

  // MARK: The certificate

  @Test("fault row 42: a certificate of the address does not do for a name that leads there")
  func certificateOfAddress() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []), certificate: "good")
    let outgoing = Outgoing(addresses: TestNames.always("127.0.0.1", port: upstream.port).lookup)
    var endpoint = UpstreamEndpoint(
      isSecure: true, host: "provider.test", port: upstream.port,
      authorityFile: ScriptedUpstream.certificatePath("authority"), allowsPrivateAddresses: true)
    #expect(try await OutgoingDial.to(endpoint, outgoing).end == .tlsRefused)
    endpoint.host = "localhost"
    #expect(try await OutgoingDial.to(endpoint, outgoing).end == nil)
    endpoint.host = "127.0.0.1"
    #expect(try await OutgoingDial.to(endpoint, outgoing).end == nil)
    await upstream.stop()
  }

  @Test(
    "a name of a certificate covers itself, and with a star the names one label below",
    arguments: [
      ("api.example.com", "api.example.com", true), ("API.example.com", "api.EXAMPLE.com.", true),
      ("api.example.com", "example.com", false), ("*.example.com", "api.example.com", true),
      ("*.example.com", "a.b.example.com", false), ("*.example.com", "example.com", false),
      ("*.example.com", ".example.com", false), ("*.com", "example.com", false), ("*", "example", false),
      ("a*.example.com", "api.example.com", false), ("*.*.com", "api.example.com", false),
      ("api.example.com\0.evil", "api.example.com", false), ("", "", false), ("*.example.com", "*.example.com", true),
    ])
  func names(_ name: String, _ host: String, _ isCovered: Bool) {
    #expect(CertificateNames.covers(name, host) == isCovered)
  }

  // MARK: The socket

  @Test("fault row 49: the kernel takes little from a provider that is not being read")
  func kernelBuffer() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let dial = try await OutgoingDial.to(Self.endpoint("127.0.0.1", upstream.port), Outgoing())
    #if os(Linux)
      // It keeps as much again for its own accounts (socket(7)).
      #expect(dial.kernelBuffer == 2 * 128 * 1024)
    #else
      #expect(dial.kernelBuffer == 128 * 1024)
    #endif
    await upstream.stop()
  }
}

/// A port that takes no more connections and refuses none: what is sent to it is dropped.
private struct BlackHole {
  let channel: any Channel
  let fillers: [any Channel]
  var port: Int { channel.localAddress?.port ?? 0 }

  static func open() async throws -> BlackHole {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1)
      .serverChannelOption(.autoRead, value: false)
      .bind(host: "127.0.0.1", port: 0).get()
    var fillers: [any Channel] = []
    // Until the queue of connections that nobody accepts is full.
    while fillers.count < 64 {
      let filler = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(.milliseconds(300))
        .connect(host: "127.0.0.1", port: channel.localAddress?.port ?? 0).get()
      guard let filler else { break }
      fillers.append(filler)
    }
    return BlackHole(channel: channel, fillers: fillers)
  }

  func close() async {
    for filler in fillers { try? await filler.close() }
    try? await channel.close()
  }
}
