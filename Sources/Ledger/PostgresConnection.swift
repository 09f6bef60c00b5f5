import Logging
import NativeCode
import Synchronization
import Translation

/// One connection to PostgreSQL by libpq. Nothing here waits longer than its caller's deadline: the library's calls are
/// the ones that do not block, with `poll(2)` between them, on a thread of the connection's own. Only the look-up of the
/// host's name blocks that thread; callers are answered in time all the same.
///
/// Statements run one after another. Prepared statements and session settings are not used, so that a pooler between here
/// and the server (pgbouncer in transaction mode) is no obstacle.
actor PostgresConnection {
  typealias Instant = ContinuousClock.Instant

  /// The answer to one statement.
  struct Rows: Sendable, Hashable {
    /// In the text form of PostgreSQL; nil for NULL.
    var values: [[String?]] = []

    /// The only value of the only row.
    var single: String? { values.first?.first ?? nil }
  }

  /// How many callers may wait at a time. One that would be the next is told `busy`.
  static let mostWaiting = 4_096

  nonisolated let executor: NativeExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private nonisolated let waiting = Atomic<Int>(0)

  private let library: LibPQ
  private let address: Redacted<String>
  private var link: PostgresLink?
  private let silencePause: Duration
  private var pause = Backoff(first: .milliseconds(100), most: .seconds(5))
  /// No connection is tried before; until then callers are told at once why there is none.
  private var nextAttempt: Instant?
  private var lastCause = PostgresFault.Cause.unknown

  /// - Parameters:
  ///   - address: what libpq takes for a `dbname`: `postgresql://…` or `key=value …`.
  ///   - purpose: in the name of the thread.
  ///   - silencePause: a server that hangs is not asked again for at least so long: each caller would wait in vain.
  init(library: LibPQ, address: Redacted<String>, purpose: String, silencePause: Duration = .seconds(1)) {
    self.silencePause = silencePause
    self.library = library
    self.address = address
    executor = NativeExecutor(label: "parley.postgres.\(purpose)")
  }

  /// Runs one statement with parameters (`$1` …), in the text form.
  ///
  /// - Parameter limit: for all of it, waiting in line and connecting included.
  nonisolated func query(
    _ statement: String, _ parameters: [String?] = [], within limit: Duration
  ) async throws(PostgresFault) -> Rows {
    let rows = try await perform(within: limit) { connection, deadline throws(PostgresFault) in
      try await connection.run(until: deadline) { (link) throws(PostgresFault) in
        try link.send(statement, parameters, until: deadline)
      }
    }
    return rows.last ?? Rows()
  }

  /// Runs statements as one transaction that is READ COMMITTED and may write whatever the server's defaults are, in one
  /// round trip. The answers are those of the statements, in order.
  ///
  /// - Parameter statements: made with a function that quotes a text as a literal, since there are no parameters here.
  nonisolated func transaction(
    within limit: Duration, _ statements: @escaping @Sendable (_ quote: (String) -> String?) -> [String?]
  ) async throws(PostgresFault) -> [Rows] {
    let rows = try await perform(within: limit) { connection, deadline throws(PostgresFault) in
      try await connection.run(until: deadline) { (link) throws(PostgresFault) in
        try link.transaction(until: deadline, statements)
      }
    }
    // BEGIN and COMMIT have answers, too.
    guard rows.count >= 2 else { throw .malformedAnswer }
    return Array(rows.dropFirst().dropLast())
  }

  /// Ends the connection; the next statement makes a new one.
  func close() {
    link = nil
  }

  // MARK: In line

  private nonisolated func perform(
    within limit: Duration,
    _ work: @escaping @Sendable (PostgresConnection, Instant) async throws(PostgresFault) -> [Rows]
  ) async throws(PostgresFault) -> [Rows] {
    guard waiting.add(1, ordering: .relaxed).newValue <= Self.mostWaiting else {
      waiting.subtract(1, ordering: .relaxed)
      throw .busy
    }
    let deadline = Instant.now.advanced(by: limit)
    // The work keeps to the deadline itself, and says more of what went wrong; only the look-up of a name does not.
    let outcome = await firstWithin(limit + .milliseconds(250)) { [self] () async -> Result<[Rows], PostgresFault> in
      defer { waiting.subtract(1, ordering: .relaxed) }
      do throws(PostgresFault) {
        return .success(try await work(self, deadline))
      } catch {
        return .failure(error)
      }
    }
    guard let outcome else { throw .timedOut }
    return try outcome.get()
  }

  private func run(
    until deadline: Instant, _ work: @Sendable (PostgresLink) throws(PostgresFault) -> [Rows]
  ) throws(PostgresFault) -> [Rows] {
    guard Instant.now < deadline else { throw .timedOut }
    let link = try connected(until: deadline)
    do throws(PostgresFault) {
      let rows = try work(link)
      pause.reset()
      return rows
    } catch {
      if error.endsTheConnection {
        if error == .timedOut { link.cancelStatement() }
        self.link = nil
        rest(after: error)
      }
      throw error
    }
  }

  private func connected(until deadline: Instant) throws(PostgresFault) -> PostgresLink {
    if let link, link.isAlive { return link }
    link = nil
    if let nextAttempt, Instant.now < nextAttempt { throw .unreachable(lastCause) }
    do throws(PostgresFault) {
      let made = try PostgresLink.connect(library, to: address, until: deadline)
      link = made
      nextAttempt = nil
      return made
    } catch {
      rest(after: error)
      throw error
    }
  }

  private func rest(after fault: PostgresFault) {
    let length = fault == .timedOut ? max(pause.next(), silencePause) : pause.next()
    nextAttempt = Instant.now.advanced(by: length)
    if case .unreachable(let cause) = fault {
      lastCause = cause
    } else {
      lastCause = fault == .timedOut ? .silent : .lost
    }
  }
}
