public import Access
public import AsyncHTTPClient
public import Logging
public import Metering
import NativeCode
public import Routing
public import ServiceLifecycle
import Translation

/// The ledger of a configuration, open: what `parley serve` gives to its gateway.
///
///     let ledger = try await OpenLedger.open(
///       table.ledger, folder: EngineFolder(environment: …).root, instance: instance,
///       updateInterval: table.limits.usageUpdate, client: { outgoing.accountClient(for: $0) }, logger: logger)
///     // services: the ledger's first, the gateway second: they are stopped in reverse order, so that the last records
///     // of the gateway's sessions are written.
public struct OpenLedger: Sendable {
  /// Takes the records of sessions; `NoUsage` with `"ledger": "none"`.
  public var usage: any UsageSink = NoUsage()
  /// Nil with `"ledger": "none"`, like the next two.
  public var store: (any UsageStore)?
  public var keys: (any KeyStorage)?
  /// Nil where the store is not one of many replicas.
  public var shared: (any SharedSeats)?
  /// Writes until the process stops, and closes the store then. To be run before the gateway, and stopped after it.
  public var service: (any Service)?
  /// What was used of a UTC day's minutes until now, for `LimitBook.restore`; nothing where that cannot be had.
  public var secondsUsed: @Sendable (_ day: Int) async -> [(LimitHolder, Double)] = { _ in [] }

  /// Opens what section `ledger` names.
  ///
  /// - Parameters:
  ///   - table: a file that cannot be used is a fault if the configuration names it, and a warning if it is the usual
  ///     one: nothing is kept then. A database that is away is neither.
  ///   - folder: the data folder, for the usual file and for spools; it is made when it is needed.
  ///   - instance: the process, told apart from all others with the same store.
  ///   - updateInterval: what a crash may lose of a live session; records are written ten times as often.
  ///   - client: for requests to a URL; it must not follow redirects.
  ///   - seatLease: how long a seat outlives the process that took it, where seats are shared.
  public static func open(
    _ table: LedgerTable, folder: String, instance: String, updateInterval: Duration = .seconds(5),
    client: (_ url: String) -> HTTPClient, seatLease: Duration = .seconds(20), logger: Logger
  ) async throws(LedgerFault) -> OpenLedger {
    let place = LanePlace(
      folder: folder, instance: instance, spoolBytes: table.spoolBytes, flushInterval: updateInterval / 10,
      logger: logger)
    switch table.store {
    case .none:
      return OpenLedger()
    case .sqlite(let path):
      guard let store = try sqlite(path, folder: folder, logger: logger) else { return OpenLedger() }
      var ledger = OpenLedger()
      ledger.store = store
      ledger.keys = store
      ledger.secondsUsed = { day in (try? await store.secondsUsed(day: day)) ?? [] }
      ledger.write(to: place.lane("sqlite", store), store, place.webhook(table.webhook, client)) { store.close() }
      return ledger
    case .postgres(let address, let reference):
      let store = try postgres(address, reference, logger: logger)
      // Its tables are made now rather than by the first client. A database that is away gets them later.
      try? await store.prepare(within: .seconds(5))
      var ledger = OpenLedger()
      ledger.store = store
      ledger.keys = store
      ledger.shared = PostgresSeats(store: store, instance: instance, lease: seatLease)
      ledger.secondsUsed = { day in (try? await store.secondsUsed(day: day)) ?? [] }
      ledger.write(to: place.lane("postgres", store), store, place.webhook(table.webhook, client)) {
        await store.close()
      }
      return ledger
    }
  }

  /// Opens the store of keys alone, for `parley key`: beside a running server, too.
  ///
  /// - Returns: nil with `"ledger": "none"`.
  public static func keys(
    _ table: LedgerTable, folder: String, logger: Logger
  ) async throws(LedgerFault) -> (any KeyStorage)? {
    switch table.store {
    case .none: return nil
    case .sqlite(let path):
      // Here the usual file is the one that is meant: without it there is nothing to do.
      return try sqlite(path ?? usualFile(in: folder), folder: folder, logger: logger)
    case .postgres(let address, let reference): return try postgres(address, reference, logger: logger)
    }
  }

  private mutating func write(
    to lane: SinkLane, _ store: any LossKeeping, _ webhook: SinkLane?, close: @escaping @Sendable () async -> Void
  ) {
    let books = UsageBooks(
      lanes: [lane] + (webhook.map { [$0] } ?? []), losses: webhook.map { LossWatch(store: store, lane: $0) },
      close: close)
    usage = books
    service = books
  }

  static func usualFile(in folder: String) -> String { "\(folder)/usage.sqlite" }

  private static func sqlite(
    _ path: String?, folder: String, logger: Logger
  ) throws(LedgerFault) -> SQLiteStore? {
    do throws(StorageFault) {
      return try SQLiteStore(path: path ?? usualFile(in: folder))
    } catch {
      let fault = LedgerFault.unusableFile(path: path ?? usualFile(in: folder), error)
      guard path == nil else { throw fault }
      logger.warning("nothing is kept of usage, and no keys", metadata: ["cause": "\(fault)"])
      return nil
    }
  }

  private static func postgres(
    _ address: Redacted<String>, _ reference: SecretReference, logger: Logger
  ) throws(LedgerFault) -> PostgresStore {
    let library: LibPQ
    do throws(DynamicLibraryFault) {
      library = try LibPQ.open()
    } catch {
      throw .noLibrary(symbol: error.symbol)
    }
    guard library.canRead(address.reveal()) else { throw .malformedAddress(reference) }
    return PostgresStore(library: library, address: address, logger: logger)
  }
}

/// Why a ledger that the configuration names cannot be used. One line for the operator; nothing of a secret is in it.
public enum LedgerFault: Error, Sendable, Hashable, CustomStringConvertible {
  case unusableFile(path: String, StorageFault)
  /// libpq is not installed, or has not what is needed.
  case noLibrary(symbol: String?)
  /// libpq cannot read the value of this reference.
  case malformedAddress(SecretReference)

  public var description: String {
    switch self {
    case .unusableFile(let path, let fault):
      switch fault {
      case .unavailable(let cause), .damaged(let cause), .conflict(let cause), .unsuitable(let cause):
        "ledger: \(path) cannot be used: \(cause)"
      }
    case .noLibrary(nil): "ledger: PostgreSQL needs libpq.so.5, which is not installed (Debian: libpq5)"
    case .noLibrary(let symbol?): "ledger: this libpq.so.5 has no \(symbol); version 12 or later is needed"
    case .malformedAddress(let reference):
      "ledger: \(reference) is no address of a PostgreSQL database (postgresql://USER:PASSWORD@HOST/NAME)"
    }
  }
}

/// Where lanes keep what their sinks do not take.
private struct LanePlace {
  let folder: String
  let instance: String
  let spoolBytes: Int
  let flushInterval: Duration
  let logger: Logger

  /// - Parameter longestWait: between two tries. A database of one's own is asked more often than somebody's webhook.
  func lane(
    _ name: String, _ sink: any RecordSink, _ selection: SinkLane.Selection = .all,
    longestWait: Duration = .seconds(10)
  ) -> SinkLane {
    let path = "\(folder)/spool/\(name)"
    let keeper: SpoolKeeper?
    do throws(SpoolFault) {
      keeper = try SpoolKeeper(path: path, instance: instance, limit: spoolBytes)
    } catch {
      logger.warning(
        "there is no spool: what the ledger does not take waits in memory",
        metadata: ["ledger": "\(name)", "folder": "\(path)"])
      keeper = nil
    }
    return SinkLane(
      name: name, selection: selection, sink: sink, spool: keeper, flushInterval: flushInterval,
      backoff: Backoff(most: longestWait), logger: logger)
  }

  func webhook(_ settings: WebhookSettings?, _ client: (String) -> HTTPClient) -> SinkLane? {
    guard let settings else { return nil }
    let webhook = Webhook(url: settings.url, key: settings.key?.secret, client: client(settings.url))
    return lane("webhook", webhook, settings.sendsUpdates ? .all : .ended, longestWait: .seconds(60))
  }
}
