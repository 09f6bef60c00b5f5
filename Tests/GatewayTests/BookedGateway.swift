import Access
import Metering
import NIOCore
import Routing
import Synchronization
import Testing
import Translation
import VoiceEngine
import WebSocketWire

@testable import Gateway

/// A gateway with keys, tokens and books, all of a test's own.
struct BookedGateway {
  /// What tokens are signed with.
  static let secret = "a-secret-of-tests-that-has-more-than-32-bytes"
  /// Of the key `app`, of the key `page` and of the operator.
  static let key = "hyb_app-7e57ab1e"
  static let otherKey = "hyb_page-0ddba11"
  static let admin = "the-operator-5eed"
  static let path = "/v1/realtime?model=gpt-realtime"
  /// Members of `limits` with which no session ends because its provider, or this machine, takes its time.
  private static let patient =
    #""upstreamConnectSeconds": 60, "upstreamUpgradeSeconds": 3600, "upstreamFirstEventSeconds": 3600"#

  /// What is configured, and who keeps the books.
  struct Plan {
    var listeners = #"{"host": "127.0.0.1", "port": 0}"#
    /// Further members of the provider `main`.
    var provider = ""
    var routes = #"{"path": "/v1/realtime"}, {"path": "/second"}"#
    var access = #""keys": [{"name": "app", "key": "env:KEY"}, {"name": "page", "key": "env:OTHER"}]"#
    /// Members of `limits`.
    var limits = ""
    var environment: [String: String] = [:]
    var books = Bookkeeping()
    var edge: (inout EdgeLimits) -> Void = { _ in }
  }

  let running: RunningGateway
  let log: LogCapture
  let metrics: CountingFactory
  let clock: TestClock
  let ports: [Int]
  /// Both providers.
  let upstream: ScriptedUpstream
  var port: Int { ports.first ?? 0 }

  /// - Parameter script: of the providers; one that says nothing keeps its sessions.
  static func start(
    _ script: ScriptedUpstream.Script = .silence, _ change: (inout Plan) -> Void = { _ in }
  ) async throws -> BookedGateway {
    var plan = Plan()
    change(&plan)
    let upstream = try await ScriptedUpstream.start(script)
    let limits = [Self.patient, plan.limits]
      .filter { !$0.isEmpty }.joined(separator: ", ")
    let further = plan.provider.isEmpty ? "" : ", \(plan.provider)"
    let text = #"""
      {"listen": [\#(plan.listeners)], "default": "main", "contact": "Ask ops@example.test.",
       "providers": {
         "main": {"kind": "openai", "url": "ws://127.0.0.1:\#(upstream.port)/v1/realtime", "model": "gpt-realtime"\#(further)},
         "other": {"kind": "openai", "url": "ws://127.0.0.1:\#(upstream.port)/v1/realtime", "model": "gpt-realtime"}},
       "routes": [\#(plan.routes)], "access": {\#(plan.access)}, "limits": {\#(limits)}, "ledger": "none"}
      """#
    let environment = ["KEY": key, "OTHER": otherKey, "JWT_SECRET": secret].merging(plan.environment) { $1 }
    let sources = SecretSources(
      environment: { environment[$0].flatMap { $0.isEmpty ? nil : $0 } }, file: SecretSources.process.file)
    let table = try RouteTable.decode(Array(text.utf8), file: "test.json", sources: sources)
    var edge = EdgeLimits(table.limits)
    edge.headTimeout = .seconds(120)
    edge.headIdle = .seconds(120)
    edge.closeTimeout = .milliseconds(300)
    edge.lingerTimeout = .milliseconds(200)
    edge.drainGrace = .zero
    plan.edge(&edge)
    let (log, metrics, clock) = (LogCapture(), CountingFactory(), TestClock())
    let server = GatewayServer(
      table: table, engine: .absent, books: plan.books, limits: edge, clock: clock.wall, metrics: metrics,
      logger: log.logger)
    let running = try await server.start()
    return BookedGateway(
      running: running, log: log, metrics: metrics, clock: clock, ports: running.addresses.compactMap(\.port),
      upstream: upstream)
  }

  func stop() async {
    await running.stop()
    await upstream.stop()
  }

  // MARK: Clients

  static func bearer(_ key: String) -> [String] { ["Authorization: Bearer \(key)"] }

  /// A token that this gateway takes.
  func token(_ change: (inout TokenClaims) -> Void = { _ in }) throws -> String {
    var settings = TokenSettings()
    settings.secrets = [(nil, Redacted(Self.secret))]
    var random = SystemRandomNumberGenerator()
    var claims = TokenClaims()
    claims.date(at: clock.wall.unixTime, settings: settings, random: &random)
    change(&claims)
    return try TokenKeyRing(settings, random: &random).mint(claims).reveal()
  }

  func connect() async throws -> TestSocket {
    try await TestSocket.connect(port: port)
  }

  /// What a client is answered who asks for a session and leaves.
  func answer(_ path: String = path, _ fields: [String] = []) async throws -> GateAnswer {
    let socket = try await connect()
    try await socket.send(TestSocket.upgradeRequest(path: path, fields: fields))
    let answer = await GateAnswer(socket.response())
    try? await socket.channel.close()
    return answer
  }

  func answer(_ path: String = path, key: String, _ fields: [String] = []) async throws -> GateAnswer {
    try await answer(path, Self.bearer(key) + fields)
  }

  /// A session that has said hello.
  func session(_ path: String = path, key: String, _ fields: [String] = []) async throws -> TestSocket {
    let socket = try await connect()
    try await socket.send(TestSocket.upgradeRequest(path: path, fields: Self.bearer(key) + fields))
    let answer = await GateAnswer(socket.response())
    try #require(answer.status == 101, "\(answer)")
    try #require(await socket.message()?.contains("session.created") ?? false)
    return socket
  }

  /// The next session that there is a place for, when others have just ended.
  func sessionWhenFree(_ path: String = path, key: String) async throws -> TestSocket {
    while true {
      let socket = try await connect()
      if try await socket.upgrade(path: path, fields: Self.bearer(key)) {
        try #require(await socket.message()?.contains("session.created") ?? false)
        return socket
      }
    }
  }

  /// An answer of the HTTP side.
  func ask(
    _ method: String, _ path: String, key: String? = nil, _ body: String = "", port: Int? = nil
  ) async throws -> GateAnswer {
    let socket = try await TestSocket.connect(port: port ?? self.port)
    let fields = key.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    try await socket.send(
      "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(fields)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    let answer = await GateAnswer(socket.response())
    try? await socket.channel.close()
    return answer
  }

  /// Sessions that have begun, by the counter.
  var begun: Int64 { metrics.counts["parley_sessions_total provider=main"] ?? 0 }
}

/// What the gate says.
struct GateAnswer: CustomStringConvertible {
  let status: Int
  let head: String
  let body: String

  init(_ answer: (head: String, body: String)?) {
    head = answer?.head ?? ""
    body = answer?.body ?? ""
    status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }

  /// `status code param`, as far as there are any.
  var description: String {
    ["\(status)", text("code"), text("param")].compactMap(\.self).joined(separator: " ")
  }

  /// A text member of the error.
  private func text(_ key: String) -> String? {
    guard let start = body.firstRange(of: "\"\(key)\":\"") else { return nil }
    return String(body[start.upperBound...].prefix { $0 != "\"" })
  }

  /// A field of the head.
  func field(_ name: String) -> String? {
    let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
    return line.map { String($0.dropFirst(name.count + 2)) }
  }
}

extension TestSocket {
  /// Sends text messages, in one write.
  func say(_ texts: String...) async throws {
    try await say(texts)
  }

  func say(_ texts: [String]) async throws {
    try await sendFrames { connection in
      for text in texts { connection.send(.text, ByteBuffer(string: text).readableBytesView) }
    }
  }

  /// Whether the session answers: something that is no event is told so.
  func isServed() async throws -> Bool {
    try await say(#"{"type":"is.anybody.there"}"#)
    return await message(with: "is.anybody.there") != nil
  }

  /// The next text message that has this in it; nil when the connection ends before.
  func message(with part: String) async -> String? {
    while let event = await event() {
      if case .text(let text) = event, String(buffer: text).contains(part) { return String(buffer: text) }
      if case .closed = event { return nil }
    }
    return nil
  }

  /// Texts until the close frame, and its code.
  func ending() async -> (texts: [String], code: UInt16?) {
    var texts: [String] = []
    while let event = await event() {
      if case .text(let text) = event { texts.append(String(buffer: text)) }
      if case .closed(let close) = event { return (texts, close.code.rawValue) }
    }
    return (texts, nil)
  }
}

/// A time of day that stands until it is moved: 2026-01-01T01:03:55Z.
final class TestClock: Sendable {
  private let milliseconds = Mutex<Int64>(1_767_229_435_000)

  var wall: WallClock { WallClock { [self] in milliseconds.withLock { $0 } } }

  func advance(seconds: Int) {
    milliseconds.withLock { $0 += Int64(seconds) * 1_000 }
  }
}
