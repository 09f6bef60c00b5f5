import NIOCore
import Routing
import Testing
import VoiceEngine

@testable import Gateway

/// A gateway whose limits come from its configuration, as an operator writes them.
struct LimitedGateway {
  static let path = "/v1/realtime?model=gpt-realtime"

  let running: RunningGateway
  let log: LogCapture
  var port: Int { running.addresses.first?.port ?? 0 }

  /// - Parameter limits: the members of `limits`.
  static func start(
    _ limits: String, upstream: Int, scheme: String = "ws", access: String? = nil, environment: [String: String] = [:],
    takenBytes: (@Sendable () -> Int?)? = nil, _ change: (inout EdgeLimits) -> Void = { _ in }
  ) async throws -> LimitedGateway {
    let access = access.map { #""access": \#($0),"# } ?? ""
    let text = #"""
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "main", \#(access)
       "providers": {"main": {"kind": "openai", "url": "\#(scheme)://127.0.0.1:\#(upstream)/v1/realtime", "model": "gpt-realtime"}},
       "routes": [{"path": "/v1/realtime"}], "limits": {\#(limits)}}
      """#
    let sources = SecretSources(environment: { environment[$0] }, file: SecretSources.process.file)
    let table = try RouteTable.decode(Array(text.utf8), file: "test.json", sources: sources)
    var limits = EdgeLimits(table.limits)
    change(&limits)
    let log = LogCapture()
    let server = GatewayServer(
      table: table, engine: .absent, limits: limits, takenBytes: takenBytes, logger: log.logger)
    return LimitedGateway(running: try await server.start(), log: log)
  }

  func connect() async throws -> TestSocket {
    try await TestSocket.connect(port: port)
  }

  /// A session that has said hello.
  func session(fields: [String] = []) async throws -> TestSocket {
    let socket = try await connect()
    try #require(try await socket.upgrade(path: Self.path, fields: fields))
    try #require(await socket.message()?.contains("session.created") ?? false)
    return socket
  }

  /// The answer to a client that asks for a session and does not get one.
  func refusal(fields: [String] = []) async throws -> (head: String, body: String)? {
    let socket = try await connect()
    try await socket.send(TestSocket.upgradeRequest(path: Self.path, fields: fields))
    return await socket.response()
  }

  func stop() async {
    await running.stop()
  }
}
