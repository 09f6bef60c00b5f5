import Dispatch
import Synchronization
import Translation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A connection of libpq, and the statements on it. Used by one thread at a time; waits by `poll(2)` up to a deadline.
final class PostgresLink {
  typealias Instant = ContinuousClock.Instant
  typealias Rows = PostgresConnection.Rows

  private let library: LibPQ
  private let handle: OpaquePointer

  private init(_ library: LibPQ, _ handle: OpaquePointer) {
    self.library = library
    self.handle = handle
  }

  deinit {
    library.finish(handle)
  }

  // MARK: Connecting

  /// - Parameter address: libpq reads it; it may name several hosts.
  static func connect(
    _ library: LibPQ, to address: Redacted<String>, until deadline: Instant
  ) throws(PostgresFault) -> PostgresLink {
    let keywords = ["dbname", "fallback_application_name", "client_encoding"]
    let values = [address.reveal(), "parley", "UTF8"]
    let started = withCStrings(keywords) { keywords in
      withCStrings(values) { values in library.connectStart(keywords, values, 1) }
    }
    guard let started else { throw .unreachable(.unknown) }
    let link = PostgresLink(library, started)
    // Unless it is told otherwise, the library prints what the server remarks to standard error.
    _ = library.setNoticeProcessor(started, { _, _ in }, nil)
    guard library.status(started) != 1 else { throw link.connectionFault }
    var state = LibPQCode.pollingWriting
    while state != LibPQCode.pollingOK {
      switch state {
      case LibPQCode.pollingReading: _ = try link.wait(for: POLLIN, until: deadline)
      case LibPQCode.pollingWriting: _ = try link.wait(for: POLLOUT, until: deadline)
      default: throw link.connectionFault
      }
      state = library.connectPoll(started)
    }
    guard library.setNonblocking(started, 1) == 0 else { throw .unreachable(.unknown) }
    return link
  }

  private var connectionFault: PostgresFault {
    .unreachable(PostgresFault.Cause(message: library.errorMessage(handle).map { String(cString: $0) } ?? ""))
  }

  /// Not when the server has ended it since it was used last.
  var isAlive: Bool {
    guard library.status(handle) == LibPQCode.connectionOK else { return false }
    var entry = pollfd(fd: library.socket(handle), events: Int16(POLLIN), revents: 0)
    // A server that ends says why, and then closes: the first thing to be read is not all.
    for _ in 0..<64 where poll(&entry, 1, 0) > 0 {
      guard library.consumeInput(handle) == 1, library.status(handle) == LibPQCode.connectionOK else { return false }
    }
    return true
  }

  // MARK: Statements

  /// Sends one statement with its parameters, and reads the answer.
  func send(_ statement: String, _ parameters: [String?], until deadline: Instant) throws(PostgresFault) -> [Rows] {
    let isSent = withCStrings(parameters) { values in
      library.sendQueryParams(handle, statement, CInt(parameters.count), nil, values, nil, nil, 0)
    }
    guard isSent == 1 else { throw .lost }
    return try answers(until: deadline)
  }

  /// As of `PostgresConnection.transaction`.
  func transaction(
    until deadline: Instant, _ statements: (_ quote: (String) -> String?) -> [String?]
  ) throws(PostgresFault) -> [Rows] {
    var script = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
    for statement in statements(quote) {
      // Nil where a value could not be quoted: it is not UTF-8, or there is no memory.
      guard let statement else { throw .refused(sqlState: "22021") }
      script += statement + ";"
    }
    script += "COMMIT"
    guard library.sendQuery(handle, script) == 1 else { throw .lost }
    do throws(PostgresFault) {
      return try answers(until: deadline)
    } catch {
      if case .refused = error {
        guard library.sendQuery(handle, "ROLLBACK") == 1 else { throw .lost }
        _ = try answers(until: deadline)
      }
      throw error
    }
  }

  private func quote(_ text: String) -> String? {
    let literal = text.withCString { library.escapeLiteral(handle, $0, text.utf8.count) }
    guard let literal else { return nil }
    defer { library.freeMemory(literal) }
    return String(cString: literal)
  }

  private func answers(until deadline: Instant) throws(PostgresFault) -> [Rows] {
    try flush(until: deadline)
    var answers: [Rows] = []
    var fault: PostgresFault?
    while let answer = try nextAnswer(until: deadline) {
      switch answer {
      case .success(let rows): answers.append(rows)
      // The connection is read to the end of the answer all the same.
      case .failure(let refusal): fault = fault ?? refusal
      }
    }
    if let fault { throw fault }
    return answers
  }

  private func flush(until deadline: Instant) throws(PostgresFault) {
    while true {
      switch library.flush(handle) {
      case 0: return
      case 1:
        // The server may be unable to read on before its own words are read.
        let ready = try wait(for: POLLIN | POLLOUT, until: deadline)
        if ready & POLLIN != 0, library.consumeInput(handle) == 0 { throw .lost }
      default: throw .lost
      }
    }
  }

  /// Nil behind the last one.
  private func nextAnswer(until deadline: Instant) throws(PostgresFault) -> Result<Rows, PostgresFault>? {
    while library.isBusy(handle) == 1 {
      _ = try wait(for: POLLIN, until: deadline)
      guard library.consumeInput(handle) == 1 else { throw .lost }
    }
    guard let result = library.getResult(handle) else { return nil }
    defer { library.clear(result) }
    switch library.resultStatus(result) {
    case LibPQCode.commandOK, LibPQCode.emptyQuery: return .success(Rows())
    case LibPQCode.tuplesOK: return .success(rows(of: result))
    default:
      guard let state = library.resultErrorField(result, LibPQCode.sqlState) else { throw .lost }
      return .failure(.refused(sqlState: String(cString: state)))
    }
  }

  private func rows(of result: OpaquePointer) -> Rows {
    let fields = library.fieldCount(result)
    return Rows(
      values: (0..<library.rowCount(result)).map { row in
        (0..<fields).map { field in
          guard library.valueIsNull(result, row, field) == 0, let text = library.value(result, row, field) else {
            return nil
          }
          let bytes = UnsafeRawBufferPointer(start: text, count: Int(library.valueLength(result, row, field)))
          return String(decoding: bytes, as: UTF8.self)
        }
      })
  }

  // MARK: Time

  /// What the socket is ready for.
  private func wait(for events: Int32, until deadline: Instant) throws(PostgresFault) -> Int32 {
    while true {
      let left = Instant.now.duration(to: deadline)
      guard left > .zero else { throw .timedOut }
      let socket = library.socket(handle)
      guard socket >= 0 else { throw .lost }
      var entry = pollfd(fd: socket, events: Int16(truncatingIfNeeded: events), revents: 0)
      // Rounded up: a wait of no length would spin until the deadline.
      let found = poll(&entry, 1, CInt(clamping: min(left.wholeMilliseconds + 1, 60_000)))
      if found > 0 { return Int32(entry.revents) }
      if found < 0, errno != EINTR { throw .lost }
    }
  }

  /// How many threads may ask for cancellation at a time: each waits for as long as the server hangs.
  private static let mostCancelling = 8

  /// Asks the server to give up what it is doing: it would go on, and keep its locks, long after the connection is gone.
  /// That takes a connection of its own and blocks, so another thread does it.
  func cancelStatement() {
    guard let order = library.getCancel(handle) else { return }
    let number = UInt(bitPattern: order)
    let library = library
    guard Self.cancelling.add(1, ordering: .relaxed).newValue <= Self.mostCancelling else {
      Self.cancelling.subtract(1, ordering: .relaxed)
      library.freeCancel(order)
      return
    }
    DispatchQueue.global().async {
      guard let order = OpaquePointer(bitPattern: number) else { return }
      var message = [CChar](repeating: 0, count: 256)
      // Twice: the first may overtake the statement that it is about, and find nothing to cancel.
      _ = library.cancel(order, &message, CInt(message.count))
      usleep(500_000)
      _ = library.cancel(order, &message, CInt(message.count))
      library.freeCancel(order)
      Self.cancelling.subtract(1, ordering: .relaxed)
    }
  }

  private static let cancelling = Atomic<Int>(0)
}

/// C strings for the time of the call, with NULL behind the last one, as libpq wants its keywords.
private func withCStrings<T>(_ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
  let copies = texts.map { $0.flatMap { strdup($0) } }
  defer { for copy in copies { free(copy) } }
  let pointers = copies.map { UnsafePointer($0) } + [nil]
  return pointers.withUnsafeBufferPointer { buffer in
    // It holds the NULL at least.
    buffer.baseAddress.map(body) ?? withUnsafePointer(to: nil) { body($0) }
  }
}
