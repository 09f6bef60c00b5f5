import AsyncHTTPClient
import NIOCore
import NIOPosix
import Routing
import Testing
import Translation
import VoiceEngine

@testable import Gateway

@Suite("Connections through a proxy", .timeLimit(.minutes(2))) struct OutgoingProxyTests {
  /// Nobody may ask for the provider's name: the proxy does.
  private static let noNames = TestNames { _, _, _ in throw LookupFault(code: 0) }

  private static func outgoing(_ proxy: ConnectProxy, _ user: String = "") throws -> Outgoing {
    Outgoing(proxies: try proxy.settings(user), addresses: noNames.lookup)
  }

  private static func endpoint(
    _ host: String, port: Int = 443, secure: Bool = true, authority: String = "authority"
  ) -> UpstreamEndpoint {
    UpstreamEndpoint(
      isSecure: secure, host: host, port: port,
      authorityFile: secure ? ScriptedUpstream.certificatePath(authority) : nil)
  }

  @Test(
    "a tunnel is asked for with the provider's name and port, and the provider sees nothing of the proxy",
    arguments: ["HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n"])
  func tunnel(head: String) async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []), certificate: "wrong-name")
    let proxy = try await ConnectProxy.start(.tunnel(port: upstream.port, head: head))
    let dial = try await OutgoingDial.to(
      Self.endpoint("other.example"), try Self.outgoing(proxy, "user:p%40ss@"))
    #expect(dial.end == nil)
    #expect(dial.remote?.port == proxy.port)
    #expect(
      proxy.requests == [
        "CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n"
          + "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"
      ])
    var requests = upstream.requests.makeAsyncIterator()
    let request = try #require(await requests.next())
    #expect(request.hasPrefix("GET /ws HTTP/1.1\r\nHost: other.example\r\n"))
    #expect(!request.lowercased().contains("proxy"))
    await proxy.stop()
    await upstream.stop()
  }

  @Test("ws goes through the proxy too, by CONNECT, and without credentials where there are none")
  func plain() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let proxy = try await ConnectProxy.start(.tunnel(port: upstream.port))
    let dial = try await OutgoingDial.to(
      Self.endpoint("2001:db8::7", port: 8080, secure: false), try Self.outgoing(proxy))
    #expect(dial.end == nil)
    #expect(proxy.requests == ["CONNECT [2001:db8::7]:8080 HTTP/1.1\r\nHost: [2001:db8::7]:8080\r\n\r\n"])
    await proxy.stop()
    await upstream.stop()
  }

  @Test(
    "fault row 42: through a proxy the certificate has to be the provider's, by name or by address",
    arguments: [
      ("wrong-name", "provider.test", "authority", UpstreamEnd?.some(.tlsRefused)),
      // Both bear the proxy's own address.
      ("good", "provider.test", "authority", .tlsRefused), ("good", "192.0.2.7", "authority", .tlsRefused),
      ("wrong-name", "192.0.2.7", "authority", .tlsRefused), ("address", "192.0.2.7", "authority", .tlsRefused),
      ("address", "192.0.2.8", "address", .tlsRefused), ("address", "192.0.2.7", "address", nil),
    ])
  func certificate(_ name: String, host: String, authority: String, end: UpstreamEnd?) async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []), certificate: name)
    let proxy = try await ConnectProxy.start(.tunnel(port: upstream.port))
    let dial = try await OutgoingDial.to(Self.endpoint(host, authority: authority), try Self.outgoing(proxy))
    #expect(dial.end == end)
    #expect(proxy.requests.count == 1)
    await proxy.stop()
    await upstream.stop()
  }

  @Test(
    "fault row 42: a proxy that refuses is told with its status, and one that does not speak HTTP without",
    arguments: [
      (ConnectProxy.Script.answer("HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n"), Int?.some(407)),
      (.answer("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), 403), (.answer("HTTP/1.1 502 No\r\n\r\n"), 502),
      (.answer("HTTP/1.1 301 Elsewhere\r\nLocation: http://evil/\r\n\r\n"), 301), (.hangUp, nil),
      (.answer("SSH-2.0-OpenSSH_9.6\r\n"), nil), (.answer("HTTP/2 200\r\n\r\n"), nil),
      (.answer("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 17_000) + "\r\n\r\n"), nil),
    ])
  func refusal(_ script: ConnectProxy.Script, status: Int?) async throws {
    let proxy = try await ConnectProxy.start(script)
    let dial = try await OutgoingDial.to(Self.endpoint("provider.test"), try Self.outgoing(proxy))
    #expect(dial.end == .proxyFailed(status: status))
    await proxy.stop()
  }

  @Test("fault row 43: a proxy that never answers takes no longer than a connection may")
  func silence() async throws {
    let proxy = try await ConnectProxy.start(.silence)
    let dial = try await OutgoingDial.to(Self.endpoint("provider.test"), try Self.outgoing(proxy)) {
      $0.upstreamConnect = .milliseconds(300)
    }
    #expect(dial.end == .timedOut(.connect))
    await proxy.stop()
  }

  @Test("fault row 42: a proxy where nobody listens, and one whose name nobody knows")
  func absent() async throws {
    let proxy = try await ConnectProxy.start(.silence)
    let outgoing = try Self.outgoing(proxy)
    await proxy.stop()
    #expect(try await OutgoingDial.to(Self.endpoint("provider.test"), outgoing).end == .proxyFailed(status: nil))
    let nameless = Outgoing(
      proxies: try ProxySettings(environment: ["ALL_PROXY": "proxy.test:3128"]), addresses: Self.noNames.lookup)
    #expect(try await OutgoingDial.to(Self.endpoint("provider.test"), nameless).end == .proxyFailed(status: nil))
  }

  @Test("what follows the proxy's answer in the same segment belongs to the provider")
  func rest() async throws {
    let proxy = try await ConnectProxy.start(.answer("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 503 No\r\n\r\n"))
    let dial = try await OutgoingDial.to(Self.endpoint("provider.test", secure: false), try Self.outgoing(proxy))
    #expect(dial.end == .refused(status: 503, retryAfterSeconds: nil))
    await proxy.stop()
  }

  @Test("fault row 61: only the proxy's name is asked for, and it may lead to a private network; the provider's is not")
  func names() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let proxy = try await ConnectProxy.start(.tunnel(port: upstream.port))
    let names = TestNames.always("127.0.0.1", port: proxy.port)
    let settings = try ProxySettings(environment: ["ALL_PROXY": "proxy.test:\(proxy.port)"])
    let outgoing = Outgoing(proxies: settings, addresses: names.lookup)
    let dial = try await OutgoingDial.to(Self.endpoint("provider.test", secure: false), outgoing)
    #expect(dial.end == nil)
    #expect(names.questions == ["proxy.test A", "proxy.test AAAA"])
    await proxy.stop()
    await upstream.stop()
  }

  @Test("a host that NO_PROXY names is dialled itself")
  func exception() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: []))
    let proxy = try await ConnectProxy.start(.tunnel(port: upstream.port))
    let outgoing = Outgoing(
      proxies: try proxy.settings("", ["NO_PROXY": ".test"]),
      addresses: TestNames.always("127.0.0.1", port: upstream.port).lookup)
    let endpoint = UpstreamEndpoint(
      isSecure: false, host: "provider.test", port: upstream.port, allowsPrivateAddresses: true)
    let dial = try await OutgoingDial.to(endpoint, outgoing)
    #expect(dial.end == nil)
    #expect(dial.remote?.port == upstream.port)
    #expect(proxy.requests.isEmpty)
    await proxy.stop()
    await upstream.stop()
  }

  @Test("sockets of services go through the proxy as sessions do")
  func socketOfService() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: ["hello"]))
    let proxy = try await ConnectProxy.start(.tunnel(port: upstream.port))
    let connector = SocketConnector(
      group: MultiThreadedEventLoopGroup.singleton, outgoing: try Self.outgoing(proxy))
    let socket = try await connector.open("ws://service.test/listen", headers: [])
    var messages = socket.messages.makeAsyncIterator()
    #expect(try await messages.next() == .text("hello"))
    #expect(proxy.requests.first?.hasPrefix("CONNECT service.test:80 HTTP/1.1\r\n") ?? false)
    socket.close()
    await proxy.stop()
    await upstream.stop()
  }

  @Test("access tokens are fetched through the proxy, and what it refuses is told as of the session's own connection")
  func tokens() async throws {
    let proxy = try await ConnectProxy.start(
      .answer("HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"))
    let outgoing = try Self.outgoing(proxy, "user:p%40ss@")
    let request = TokenRequest(
      url: "https://tokens.test/token", headers: [], body: Redacted("{}"), contentType: "application/json",
      tokenPath: ["token"], lifetimePath: nil)
    let result = await outgoing.tokens.token(for: .minted(request))
    #expect(throws: TokenFault.proxyFailed(status: 407)) { try result.get() }
    let head = try #require(proxy.requests.first)
    #expect(head.hasPrefix("CONNECT tokens.test:443 HTTP/1.1\r\n"))
    #expect(head.lowercased().contains("\r\nproxy-authorization: basic dxnlcjpwqhnz\r\n"))
    #expect(TokenFault.proxyFailed(status: 407).end == .proxyFailed(status: 407))
    await proxy.stop()
  }

  @Test("stages of the engine are asked through the proxy, those of this machine directly")
  func stages() async throws {
    let proxy = try await ConnectProxy.start(.answer("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
    let here = try await ScriptedUpstream.start(.answer("HTTP/1.1 204 No Content\r\n\r\n"))
    let outgoing = try Self.outgoing(proxy)
    func ask(_ url: String) async throws -> String {
      let response = try await outgoing.stageClient(for: url).execute(
        HTTPClientRequest(url: url), timeout: .seconds(20))
      return "\(response.status)"
    }
    await #expect(throws: HTTPClientError.invalidProxyResponse) { try await ask("https://api.test/v1") }
    #expect(proxy.requests.first?.hasPrefix("CONNECT api.test:443 HTTP/1.1\r\n") ?? false)
    #expect(try await ask("http://127.0.0.1:\(here.port)/v1").hasPrefix("204 "))
    #expect(proxy.requests.count == 1)
    await here.stop()
    await proxy.stop()
  }
}
