import Foundation
import Logging
import Metering
import Synchronization
import Translation

@testable import Ledger

/// A PostgreSQL of the tests' own, on a socket in a folder of its own. It ends with the process, however that ends.
final class PostgresServer: Sendable {
  enum Fault: Error { case notInstalled, failed(String) }

  /// `/usr/lib/postgresql/15/bin`, the newest there is.
  static let binaries: String? = {
    let root = "/usr/lib/postgresql"
    let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }.sorted()
    return versions.last.map { "\(root)/\($0)/bin" }
  }()
  static let isInstalled = binaries != nil

  /// One for all tests, which have schemas of their own in it. It is started on a thread of its own: the tests that need
  /// none go on meanwhile.
  private static let starting = Task { () -> PostgresServer in
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try PostgresServer() }) }
    }
  }

  static func shared() async throws -> PostgresServer { try await starting.value }

  let folder: String
  private let count = Atomic<Int>(0)

  private init() throws {
    guard let binaries = Self.binaries else { throw Fault.notInstalled }
    folder = try Self.run("mktemp", "-d", "/tmp/parley-postgres-XXXXXX")
    let isRoot = getuid() == 0
    if isRoot { _ = try Self.run("chown", "postgres", folder) }
    // The server refuses to run as root.
    let user = isRoot ? "exec runuser -u postgres -- " : "exec "
    let data = "\(folder)/data"
    _ = try Self.run(
      "sh", "-c", "\(user)\(binaries)/initdb -D \(data) -A trust -U parley -E UTF8 --no-sync --locale=C >/dev/null")
    // The server is told to stop when the pipe of its standard input is closed, which the end of this process does.
    let server = Process()
    server.executableURL = URL(fileURLWithPath: "/bin/sh")
    server.arguments = [
      "-c",
      """
      exec 3<&0
      (\(user)\(binaries)/postgres -D \(data) -k \(folder) -c listen_addresses= -c fsync=off -c max_connections=200 \
      -c default_transaction_isolation=serializable </dev/null >/dev/null 2>&1 3<&-) &
      cat <&3 >/dev/null
      kill -QUIT $(head -1 \(data)/postmaster.pid); wait; rm -rf \(folder)
      """,
    ]
    server.standardInput = Self.lifeline
    try server.run()
    for _ in 0..<600 {
      if (try? psql("SELECT 1", database: "postgres")) == "1" { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    throw Fault.failed("it does not start")
  }

  private static let lifeline = Pipe()

  /// What libpq takes for a new schema, which is like a database of its own but for the locks.
  func address() async throws -> String {
    let name = "t\(count.add(1, ordering: .relaxed).newValue)"
    let whole = "postgresql:///postgres?host=\(folder)&user=parley"
    let connection = PostgresConnection(library: try LibPQ.open(), address: Redacted(whole), purpose: "test")
    _ = try await connection.query("CREATE SCHEMA \(name)", within: .seconds(30))
    return whole + "&options=-csearch_path%3D\(name)"
  }

  private func psql(_ statement: String, database: String) throws -> String {
    guard let binaries = Self.binaries else { throw Fault.notInstalled }
    return try Self.run(
      "\(binaries)/psql", "-h", folder, "-U", "parley", "-d", database, "-Atqc", statement)
  }

  private static func run(_ command: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Fault.failed(command.joined(separator: " ")) }
    return text.trimmingCharacters(in: .newlines)
  }
}

extension PostgresStore {
  /// With tables of its own, unless an address says whose.
  static func ofTests(_ address: String? = nil, now: @escaping @Sendable () -> Int = { 0 }) async throws
    -> PostgresStore
  {
    let known = address != nil
    let address = if let address { address } else { try await PostgresServer.shared().address() }
    let store = PostgresStore(
      library: try LibPQ.open(), address: Redacted(address),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      admissionLimit: .seconds(30), now: { Timestamp(milliseconds: now()) })
    if !known { try await store.prepare(within: .seconds(30)) }
    return store
  }
}
