import Foundation
import Logging
import NIOCore
import NIOPosix
import NativeCode
import Synchronization
import Testing
import Translation

@testable import Ledger

@Suite struct LibPQTests {
  static let secret = "s3cr3t-of-the-test"

  /// A server that takes connections and says nothing.
  private func withSilentServer(_ body: (Int) async throws -> Void) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.autoRead, value: false).bind(host: "127.0.0.1", port: 0).get()
    try await body(try #require(server.localAddress?.port))
    try await server.close()
  }

  private func connection(_ address: String, silencePause: Duration = .seconds(1)) throws -> PostgresConnection {
    PostgresConnection(
      library: try LibPQ.open(), address: Redacted(address), purpose: "test", silencePause: silencePause)
  }

  @Test("a server that does not answer is given up at the deadline, and not asked by the next caller")
  func silentServer() async throws {
    try await withSilentServer { port in
      let address = "postgresql://u:\(Self.secret)@127.0.0.1:\(port)/db"
      let connection = try connection(address, silencePause: .seconds(60))
      let begin = ContinuousClock.now
      await #expect(throws: PostgresFault.timedOut) { try await connection.query("SELECT 1", within: .seconds(2)) }
      // On a busy machine the first may have been given up before it was tried.
      var fault: PostgresFault?
      while fault != .unreachable(.silent), begin.duration(to: .now) < .seconds(20) {
        fault = await #expect(throws: PostgresFault.self) {
          try await connection.query("SELECT 1", within: .seconds(2))
        }
      }
      #expect(fault == .unreachable(.silent))
    }
  }

  @Test(
    "a server that stops in the middle is given up at the deadline, the others in line with it, and comes back",
    .enabled(if: PostgresServer.isInstalled))
  func hungStatement() async throws {
    let connection = try connection(try await PostgresServer.shared().address())
    #expect(try await connection.query("SELECT 41 + $1::int", ["1"], within: .seconds(5)).single == "42")
    let begin = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<5 {
        group.addTask {
          await #expect(throws: PostgresFault.self) {
            try await connection.query("SELECT pg_sleep(30)", within: .milliseconds(300))
          }
        }
      }
    }
    #expect(begin.duration(to: .now) < .seconds(20))
    var answer: String?
    for _ in 0..<100 where answer == nil {
      answer = try? await connection.query("SELECT 1", within: .seconds(1)).single
      if answer == nil { try await Task.sleep(for: .milliseconds(100)) }
    }
    #expect(answer == "1")
  }

  @Test("a statement that was given up is ended in the server, too", .enabled(if: PostgresServer.isInstalled))
  func cancelled() async throws {
    let address = try await PostgresServer.shared().address()
    let (connection, watcher) = (try connection(address), try connection(address))
    await #expect(throws: PostgresFault.timedOut) {
      try await connection.query("SELECT pg_sleep(31)", within: .milliseconds(500))
    }
    var running: String?
    let begin = ContinuousClock.now
    while running != "0", begin.duration(to: .now) < .seconds(20) {
      running = try await watcher.query(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(31)%' AND pid <> pg_backend_pid()",
        within: .seconds(5)
      ).single
    }
    #expect(running == "0")
  }

  @Test(
    "a connection that the server has ended is made anew without anybody noticing",
    .enabled(if: PostgresServer.isInstalled))
  func endedMeanwhile() async throws {
    let address = try await PostgresServer.shared().address()
    let (connection, killer) = (try connection(address), try connection(address))
    let process = try #require(try await connection.query("SELECT pg_backend_pid()", within: .seconds(5)).single)
    let killed = try await killer.query("SELECT pg_terminate_backend($1::int, 5000)", [process], within: .seconds(6))
    #expect(killed.single == "t")
    let after = try await connection.query("SELECT pg_backend_pid()", within: .seconds(5)).single
    #expect(after != nil && after != process)
  }

  @Test(
    "after an error in a transaction the connection goes on, and nothing was done",
    .enabled(if: PostgresServer.isInstalled))
  func brokenTransaction() async throws {
    let connection = try connection(try await PostgresServer.shared().address())
    _ = try await connection.query("CREATE TABLE t(x int)", within: .seconds(5))
    await #expect(throws: PostgresFault.refused(sqlState: "22012")) {
      try await connection.transaction(within: .seconds(5)) { _ in ["INSERT INTO t VALUES (1)", "SELECT 1 / 0"] }
    }
    #expect(try await connection.query("SELECT count(*) FROM t", within: .seconds(5)).single == "0")
    let rows = try await connection.transaction(within: .seconds(5)) { quote in
      [quote("it's \\ \"quoted\"; DROP TABLE t").map { "SELECT \($0)" }, "SHOW transaction_isolation"]
    }
    #expect(rows.map(\.single) == ["it's \\ \"quoted\"; DROP TABLE t", "read committed"])
  }

  @Test("large answers and parameters pass, NULL and empty texts stay apart", .enabled(if: PostgresServer.isInstalled))
  func sizes() async throws {
    let connection = try connection(try await PostgresServer.shared().address())
    let text = String(repeating: "ä\n'", count: 2_000_000)
    #expect(try await connection.query("SELECT $1::text", [text], within: .seconds(20)).single == text)
    let row = try await connection.query("SELECT $1::text, $2::text", [nil, ""], within: .seconds(5))
    #expect(row.values == [[nil, ""]])
  }

  /// What the library says quotes the address; what is logged and thrown must not.
  @Test(
    "no message of the library reaches a log or a fault",
    arguments: [
      "postgresql://user:\(secret)@[::1/db", "postgresql://user:\(secret)@localhost:1/db",
      "password=\(secret) nonsense",
      "host=/nowhere/\(secret) password=\(secret)", "postgresql://\(secret)@127.0.0.1:1/\(secret)",
      "host=127.0.0.1 port=\(secret)", "host=\(secret).invalid password=\(secret)", "\(secret)",
    ])
  func silence(_ address: String) async throws {
    let lines = LogLines()
    let store = PostgresStore(library: try LibPQ.open(), address: Redacted(address), logger: lines.logger)
    do {
      try await store.prepare(within: .seconds(5))
      _ = try await store.keys()
      Issue.record("nobody is there")
    } catch {
      #expect(!"\(error)".contains(Self.secret))
    }
    #expect(!lines.text.isEmpty)
    #expect(!lines.text.contains(Self.secret))
    #expect(!"\(store)".contains(Self.secret))
  }

  @Test("an address that the library cannot read is told from one that it can")
  func addresses() throws {
    let library = try LibPQ.open()
    for good in ["postgresql://u:p@h/d", "postgres:///d?host=/tmp", "host=h dbname=d", ""] {
      #expect(library.canRead(good))
    }
    for bad in ["postgresql://u:p@[h/d", "nonsense", "mysql://h/d", "host=h nonsense=1"] {
      #expect(!library.canRead(bad))
    }
  }

  @Test("a library without a function, and no library at all, are named")
  func noLibrary() {
    #expect(throws: DynamicLibraryFault.self) { try LibPQ.open(["libpq.so.99"]) }
    let fault = #expect(throws: DynamicLibraryFault.self) { try LibPQ.open(["libsqlite3.so.0"]) }
    #expect(fault?.symbol == "PQconnectStartParams")
    let (without, none) = (LedgerFault.noLibrary(symbol: fault?.symbol), LedgerFault.noLibrary(symbol: nil))
    #expect(without.description.contains("PQconnectStartParams"))
    #expect(none.description.contains("libpq5"))
  }

  @Test(
    "what a failed connection is put down to",
    arguments: [
      ("could not translate host name \"x\" to address: y", PostgresFault.Cause.nameNotFound),
      ("FATAL:  password authentication failed for user \"x\"", .notAdmitted),
      ("FATAL:  database \"x\" does not exist", .noDatabase), ("FATAL:  the database system is starting up", .notReady),
      ("connection to server failed: Connection refused", .noServer), ("etwas anderes", .unknown),
    ])
  func causes(_ message: String, _ cause: PostgresFault.Cause) {
    #expect(PostgresFault.Cause(message: message) == cause)
  }
}

/// Keeps what is logged.
final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  var text: String { lines.withLock { $0.joined(separator: "\n") } }

  var logger: Logger {
    Logger(label: "test") { _ in Handler(lines: self) }
  }

  private struct Handler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
  }
}
