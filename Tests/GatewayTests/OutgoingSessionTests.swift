import NIOCore
import Routing
import Testing
import WebSocketWire

@testable import Gateway

@Suite("Sessions whose provider is not reached", .timeLimit(.minutes(2))) struct OutgoingSessionTests {
  /// What the client gets last, the close code, and the last line of the log.
  private static func end(
    of gateway: TestGateway, _ log: LogCapture
  ) async throws -> (error: String, close: CloseCode?, line: String) {
    let socket = try await gateway.connect()
    #expect(try await socket.upgrade(path: "/v1/realtime?model=gpt-realtime"))
    var last = ""
    var close: CloseCode?
    while close == nil, let event = await socket.event() {
      switch event {
      case .text(let text): last = String(buffer: text)
      case .closed(let event): close = event.code
      case .binary, .ping, .pong: continue
      }
    }
    return (last, close, await log.line(with: "session ended"))
  }

  @Test("fault row 42: a name that cannot be resolved is told, with its reason class in the log")
  func nameNotFound() async throws {
    let log = LogCapture()
    let names = TestNames { _, _, _ in throw LookupFault(code: 0) }
    let gateway = try await TestGateway.upstream(
      port: 443, host: "provider.test", outgoing: Outgoing(addresses: names.lookup), log: log)
    let (error, close, line) = try await Self.end(of: gateway, log)
    #expect(error.contains(#""code":"upstream_unreachable""#))
    #expect(close == .tryAgainLater)
    #expect(line.contains("fault=upstream_name_not_found") && line.contains("source=upstream"))
    await gateway.stop()
  }

  @Test("fault row 42: a connection that is refused has its reason class in the log")
  func refused() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let port = upstream.port
    await upstream.stop()
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(port: port, log: log)
    let (error, close, line) = try await Self.end(of: gateway, log)
    #expect(error.contains(#""code":"upstream_unreachable""#))
    #expect(close == .tryAgainLater)
    #expect(line.contains("fault=upstream_unreachable") && line.contains("source=upstream"))
    await gateway.stop()
  }

  @Test("fault row 61: an address that is refused looks to the client like one that is not reached, and is final")
  func addressRefused() async throws {
    let log = LogCapture()
    let names = TestNames.always("10.1.2.3", port: 443)
    let gateway = try await TestGateway.upstream(
      port: 443, host: "provider.test", outgoing: Outgoing(addresses: names.lookup), log: log)
    let (error, close, line) = try await Self.end(of: gateway, log)
    #expect(error.contains(#""code":"upstream_unreachable""#))
    #expect(!error.contains("10.1.2.3") && !error.contains("provider.test"))
    #expect(close == .badGateway)
    #expect(line.contains("fault=upstream_address_refused") && line.contains("source=upstream"))
    #expect(!log.text.contains("10.1.2.3"))
    #expect(names.questions == ["provider.test A", "provider.test AAAA"], "it is not tried again")
    await gateway.stop()
  }

  @Test(
    "fault row 42: a proxy that refuses is told as a provider that is not reached; its password is in no log",
    arguments: [(407, 1014), (403, 1014), (502, 1013), (503, 1013)])
  func proxyRefuses(status: Int, code: Int) async throws {
    let proxy = try await ConnectProxy.start(.answer("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n"))
    let log = LogCapture()
    let gateway = try await TestGateway.upstream(
      port: 443, host: "provider.test", outgoing: Outgoing(proxies: try proxy.settings("user:s3cret@")), log: log)
    let (error, close, line) = try await Self.end(of: gateway, log)
    #expect(error.contains(#""code":"upstream_unreachable""#))
    #expect(close.map { Int($0.rawValue) } == code)
    #expect(line.contains("fault=upstream_proxy_failed") && line.contains("source=upstream"))
    #expect(log.text.contains("status \(status)"))
    #expect(!log.text.contains("s3cret") && !error.contains("s3cret"))
    await gateway.stop()
    await proxy.stop()
  }
}
