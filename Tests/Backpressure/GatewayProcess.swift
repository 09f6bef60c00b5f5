import Foundation
import NIOCore
import NIOPosix

/// The real executable, serving one provider on the loopback.
final class GatewayProcess {
  let port: Int
  private let process = Process()
  private let folder: URL

  /// - Parameter pulseSeconds: between two pings, and at least from a ping to the end of the patience.
  init(binary: String, providerPort: Int, stallSeconds: Int, pulseSeconds: Double) async throws {
    port = try await Self.freePort()
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("parley-backpressure-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent("routes.json")
    try Data(
      """
      {"listen": [{"host": "127.0.0.1", "port": \(port)}], "ledger": "none", "default": "main", "contact": "nobody",
       "providers": {"main": {"kind": "openai", "url": "ws://127.0.0.1:\(providerPort)/v1/realtime",
                              "model": "gpt-realtime"}},
       "routes": [{"path": "/v1/realtime"}],
       "limits": {"peerStallSeconds": \(stallSeconds), "pingIntervalSeconds": \(pulseSeconds),
                  "pongTimeoutSeconds": \(max(3, pulseSeconds))}}
      """.utf8
    ).write(to: file)
    let log = folder.appendingPathComponent("serve.log")
    try Data().write(to: log)
    let output = try FileHandle(forWritingTo: log)
    process.executableURL = URL(fileURLWithPath: binary)
    process.arguments = ["serve", "--config", file.path]
    process.standardOutput = output
    process.standardError = output
    try process.run()
    try await awaitReady()
  }

  private static func freePort() async throws -> Int {
    let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    defer { probe.close(promise: nil) }
    return probe.localAddress?.port ?? 0
  }

  private func awaitReady() async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline, process.isRunning {
      let attempt = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port).get()
      if let attempt { return try await attempt.close() }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw TrialFault.gatewayNotReady(log: self.log)
  }

  /// The end of what it has said.
  var log: String {
    let text = try? String(contentsOf: folder.appendingPathComponent("serve.log"), encoding: .utf8)
    return String((text ?? "").suffix(4_000))
  }

  /// Resident memory in KiB.
  var residentKiB: Int {
    let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }

  func stop() {
    process.terminate()
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }
}

enum TrialFault: Error, CustomStringConvertible {
  case gatewayNotReady(log: String)
  case notTalking
  case healthyNotEnded(String)

  var description: String {
    switch self {
    case .gatewayNotReady(let log): "the gateway did not become ready:\n\(log)"
    case .notTalking: "the healthy calls did not all begin"
    case .healthyNotEnded(let state): "the healthy calls did not all end: \(state)"
    }
  }
}
