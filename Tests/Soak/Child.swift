import Foundation
import NIOCore
import NIOPosix

/// The TCP connections of this machine that a process has open.
///
/// Those that only the system still holds are not among them.
enum HeldSockets {
  static func read() -> [(local: Int, remote: Int)] {
    parse((try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? "")
  }

  static func parse(_ table: String) -> [(local: Int, remote: Int)] {
    table.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 9, words[9] != "0", let local = port(words[1]), let remote = port(words[2]) else {
        return nil
      }
      return (local, remote)
    }
  }

  /// Of an address in the form `0100007F:1F90`.
  private static func port(_ address: Substring) -> Int? {
    address.split(separator: ":").last.flatMap { Int($0, radix: 16) }
  }
}

/// A process of the run's own, whose output goes to a file.
final class Child {
  private let process = Process()
  let log: String

  init(_ program: String, _ arguments: [String], log: String) throws {
    self.log = log
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    let file = FileHandle(forWritingAtPath: log)
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = file
    process.standardError = file
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  /// Open file descriptors.
  var descriptors: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd"))?.count ?? 0
  }

  var processID: Int32 { process.processIdentifier }

  /// Resident memory in bytes, of the process whose `statm` this is.
  static func memory(_ statm: String) -> Int {
    let pages = try? String(contentsOfFile: statm, encoding: .utf8)
    return (pages?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
  }

  /// Asks it to end, and waits.
  ///
  /// - Returns: its exit code; nil if it had to be killed.
  func stop(within patience: Duration) async -> Int32? {
    process.terminate()
    let deadline = ContinuousClock.now + patience
    while process.isRunning, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
    guard !process.isRunning else {
      kill(process.processIdentifier, SIGKILL)
      return nil
    }
    return process.terminationReason == .exit ? process.terminationStatus : nil
  }

  /// A free port, kept for a child until just before it starts: nobody else is given it meanwhile.
  static func keptPort() async throws -> (channel: any Channel, port: Int) {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0).get()
    return (channel, channel.localAddress?.port ?? 0)
  }

  /// Waits until somebody listens there; false if the process has ended instead.
  func listens(at port: Int) async -> Bool {
    while process.isRunning {
      if let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port).get()
      {
        try? await channel.close().get()
        return true
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return false
  }
}
