import ArgumentParser
import Gateway
import Logging
import NIOCore
import NIOPosix
import Translation

/// The production WebSocket pipeline with an echo in place of a session, for the Autobahn test suite.
@main
struct EchoTestee: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "EchoTestee", abstract: "Echoes WebSocket messages, as a server or through a fuzzing server's cases.")

  @Option(help: "Listen on this port of 127.0.0.1.")
  var port: Int = 9001

  @Option(help: "Run all cases of the fuzzing server at this address, as ws://host:port, instead of listening.")
  var client: String?

  @Option(help: "The name under which the fuzzing server reports.")
  var agent = "parley"

  func run() async throws {
    let logger = Logger(label: "echo")
    let group = MultiThreadedEventLoopGroup.singleton
    if let client {
      try await runCases(of: try Self.endpoint(client), on: group.next())
    } else {
      let server = EchoConformance.server(
        listeners: [ListenAddress(host: "127.0.0.1", port: port)], group: group, logger: logger)
      await (try await server.start()).waitUntilClosed()
    }
  }

  private func runCases(of endpoint: UpstreamEndpoint, on loop: any EventLoop) async throws {
    func run(_ pathAndQuery: String) async throws -> [String] {
      try await EchoConformance.client(
        target: UpstreamTarget(endpoint: endpoint, pathAndQuery: pathAndQuery, headers: []), loop: loop)
    }
    guard let count = try await run("/getCaseCount").first.flatMap({ Int($0) }) else {
      throw ValidationError("the fuzzing server does not say how many cases it has")
    }
    for number in 1...max(count, 1) {
      // A case may well refuse or break the connection; the fuzzing server judges.
      _ = try? await run("/runCase?case=\(number)&agent=\(agent)")
    }
    _ = try await run("/updateReports?agent=\(agent)")
    print("\(count) cases run as \(agent)")
  }

  private static func endpoint(_ url: String) throws -> UpstreamEndpoint {
    let prefix = "ws://"
    let authority = url.hasPrefix(prefix) ? url.dropFirst(prefix.count).prefix { $0 != "/" } : ""
    let parts = authority.split(separator: ":")
    guard parts.count == 2, let port = Int(parts[1]) else { throw ValidationError("expected ws://host:port") }
    return UpstreamEndpoint(isSecure: false, host: String(parts[0]), port: port)
  }
}
