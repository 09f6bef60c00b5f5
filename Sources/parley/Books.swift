import ArgumentParser
import Gateway
import Ledger
import Logging
import Routing
import ServiceLifecycle
import VoiceEngine

/// The ledger as this process keeps it: from its configuration and its data folder.
enum Books {
  /// The service that writes, nil where nothing is kept, and what the gateway needs of it; or the fault on standard error
  /// and the end of the command.
  static func open(
    for table: RouteTable, outgoing: Outgoing, logger: Logger
  ) async throws -> ((any Service)?, Bookkeeping) {
    // Told apart from every other process with the same store, this one's predecessor included.
    let instance = String(UInt64.random(in: .min ... .max), radix: 16)
    do throws(LedgerFault) {
      let ledger = try await OpenLedger.open(
        table.ledger, folder: Engine.folder.root, instance: instance, updateInterval: table.limits.usageUpdate,
        client: outgoing.accountClient, logger: logger)
      return (
        ledger.service,
        Bookkeeping(
          usage: ledger.service == nil ? nil : ledger.usage, store: ledger.store, keys: ledger.keys,
          shared: ledger.shared, secondsUsed: ledger.secondsUsed, instance: instance)
      )
    } catch {
      printError("error: \(error)")
      throw ExitCode.failure
    }
  }
}
