import ArgumentParser
import Foundation
import Gateway
import Logging
import Routing
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the realtime endpoint.",
    discussion: """
      Stops on SIGTERM and SIGINT: it accepts nothing more, and tells running sessions to come back (1012); a second \
      one ends it at once. Exits with \
      1 if the configuration is wrong or no port can be bound, after naming every fault; nothing is served then.
      """)

  @Option(help: "The configuration.")
  var config = "routes.json"

  @Option(help: "The configuration of the local voice engine (YAML).")
  var runtimeConfig: String?

  @Option(help: "Listen on this port at every configured address.")
  var port: UInt16?

  @OptionGroup var log: LogOptions

  func run() async throws {
    var table = try Configuration.load(config)
    if let port { table = table.listening(onPort: port) }
    let logger = log.logger("engine")
    for name in table.providerNames {
      guard let entry = table.providers[name], let cause = entry.unavailability else { continue }
      logger.warning("provider unavailable", metadata: ["provider": "\(name)", "cause": "\(cause)"])
    }
    if table.accessKeys.isEmpty {
      logger.notice("no access keys are configured: as long as there are none, anyone on this machine may connect")
    }
    if !table.access.tokens.isConfigured {
      logger.notice("no JWT_SECRET is set: ephemeral tokens end with this process, and no other takes them")
    }
    let loops = EventLoops.makeGroup()
    let outgoing = try Outgoing.ofProcess(logger: logger)
    let engine = try await Engine.start(
      for: table, file: runtimeConfig, loops: loops, outgoing: outgoing, logger: logger)
    let (ledger, books) = try await Books.open(for: table, outgoing: outgoing, logger: logger)
    let gateway = GatewayService(
      server: GatewayServer(
        table: table, engine: engine, outgoing: outgoing, books: books, group: loops, logger: logger))
    // Services stop in reverse order: the last records of the gateway's sessions are written.
    let services = (ledger.map { [ServiceGroupConfiguration.ServiceConfiguration(service: $0)] } ?? [])
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services + [.init(service: gateway)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    let secondSignal = Task {
      var count = 0
      for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
        count += 1
        if count == 2 { Foundation.exit(EXIT_SUCCESS) }
      }
    }
    defer { secondSignal.cancel() }
    do {
      try await group.run()
    } catch let fault as StartFault {
      printError("error: \(fault)")
      throw ExitCode.failure
    }
  }
}

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validate a configuration and print what it means, secrets left out.",
    discussion: "Exits with 1 if the file is wrong, after printing every fault with its path and line.")

  @Argument(help: "The configuration.")
  var file = "routes.json"

  func run() throws {
    print(RedactedDump(try Configuration.load(file)))
  }
}

enum Configuration {
  /// The table of a file, or its faults on standard error and the end of the command.
  static func load(_ path: String) throws -> RouteTable {
    do {
      return try RouteTable.load(path: path)
    } catch {
      for fault in error.faults { printError("error: \(fault)") }
      throw ExitCode.failure
    }
  }
}
