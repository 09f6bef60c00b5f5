import Logging
import NIOCore
import NIOPosix
import Routing
import Synchronization
import VoiceEngine

@testable import Gateway

/// A running server on loopback, on a port of the system's choice.
struct TestGateway {
  let running: RunningGateway
  var port: Int { running.addresses.first?.port ?? 0 }

  /// The echo in place of sessions, at every path.
  static func echo(_ change: (inout EdgeLimits) -> Void = { _ in }) async throws -> TestGateway {
    var limits = hasty(EdgeLimits())
    change(&limits)
    let server = EchoConformance.server(
      listeners: [ListenAddress(host: "127.0.0.1", port: 0)], limits: limits,
      group: MultiThreadedEventLoopGroup.singleton,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    return TestGateway(running: try await server.start())
  }

  /// The whole gateway of a `routes.json`.
  static func routes(
    _ json: String, environment: [String: String] = [:], outgoing: Outgoing = Outgoing(),
    log: LogCapture = LogCapture(),
    _ change: (inout EdgeLimits) -> Void = { _ in }
  ) async throws -> TestGateway {
    let sources = SecretSources(environment: { environment[$0] }, file: SecretSources.process.file)
    let table = try RouteTable.decode(Array(json.utf8), file: "test.json", sources: sources)
    var limits = hasty(EdgeLimits(table.limits))
    change(&limits)
    let server = GatewayServer(
      table: table, engine: .absent, outgoing: outgoing, limits: limits, logger: log.logger)
    return TestGateway(running: try await server.start())
  }

  /// A test that ends with an open connection does not wait long for its peer; one that is not about the clock of the head
  /// never meets it, however busy the machine is.
  private static func hasty(_ limits: EdgeLimits) -> EdgeLimits {
    var limits = limits
    limits.headTimeout = .seconds(120)
    limits.headIdle = .seconds(120)
    limits.closeTimeout = .milliseconds(300)
    limits.lingerTimeout = .milliseconds(200)
    limits.drainGrace = .zero
    return limits
  }

  /// One OpenAI provider at `port`, and one whose key is absent.
  static func upstream(
    port: Int, scheme: String = "ws", host: String = "127.0.0.1", authority: String? = nil,
    outgoing: Outgoing = Outgoing(), log: LogCapture = LogCapture(),
    _ change: (inout EdgeLimits) -> Void = { _ in }
  ) async throws -> TestGateway {
    let authorityFile = authority.map { #", "caFile": "\#($0)""# } ?? ""
    // What is not of this machine has a key.
    let key = NetworkAddress.isLoopback(host) ? "" : #", "key": "env:TEST_KEY""#
    return try await routes(
      #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main", "contact": "Ask ops@example.test.",
       "providers": {
         "main": {"kind": "openai", "url": "\#(scheme)://\#(host):\#(port)/v1/realtime", "model": "gpt-realtime"\#(key)\#(authorityFile)},
         "absent": {"kind": "openai", "url": "wss://api.example.test/v1/realtime", "key": "env:ABSENT_KEY", "model": "m"}},
       "routes": [{"path": "/v1/realtime"}]}
      """#, environment: ["TEST_KEY": "sk-test"], outgoing: outgoing, log: log, change)
  }

  func connect() async throws -> TestSocket {
    try await TestSocket.connect(port: port)
  }

  func stop() async {
    await running.stop()
  }
}

/// Keeps what a logger writes.
final class LogCapture: Sendable {
  fileprivate let lines = Mutex<[String]>([])
  private let signals: AsyncStream<Void>
  fileprivate let signal: AsyncStream<Void>.Continuation

  init() {
    (signals, signal) = AsyncStream.makeStream(of: Void.self)
  }

  var logger: Logger {
    var logger = Logger(label: "test") { [self] _ in CapturingHandler(capture: self) }
    logger.logLevel = .trace
    return logger
  }

  var text: String { lines.withLock { $0.joined(separator: "\n") } }

  /// Waits until a line holds the text, and returns that line; an empty one if the test is over before.
  @discardableResult
  func line(with text: String) async -> String {
    var iterator = signals.makeAsyncIterator()
    while true {
      if let line = lines.withLock({ $0.first { $0.contains(text) } }) { return line }
      guard await iterator.next() != nil else { return "" }
    }
  }
}

private struct CapturingHandler: LogHandler {
  let capture: LogCapture
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    let line = "\(event.level) \(event.message) " + fields.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    capture.lines.withLock { $0.append(line) }
    capture.signal.yield()
  }
}
