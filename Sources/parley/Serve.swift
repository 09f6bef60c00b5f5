import ArgumentParser
import CoreMetrics
import Foundation
import Gateway
import Logging
import Routing
import ServiceLifecycle
import Settings
import Synchronization
import Telemetry
import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve the realtime endpoint.",
    discussion: """
      Stops on SIGTERM and SIGINT: it takes no more sessions, and lets running ones end their turn within the grace \
      (limits.drainGraceSeconds); a second signal ends it at once. On SIGHUP it reads its configuration and certificates \
      anew. Exits with 1 if the configuration is wrong or no port can be bound, after naming every fault; nothing is \
      served then.
      """)

  @Option(help: "The configuration.")
  var config = "routes.json"

  @Option(help: "The runtime configuration (YAML); it is written where it is absent.")
  var runtimeConfig: String?

  @Option(help: "Listen on this port at every configured address.")
  var port: UInt16?

  @OptionGroup var log: LogOptions

  func run() async throws {
    CoreDumps.forbid()
    // Who asks for a reload before there is anything to reload does not mean to end the process.
    signal(SIGHUP, SIG_IGN)
    let metrics = MetricsRegistry()
    MetricsSystem.bootstrap(metrics)
    Meter(label: "parley_build_info", dimensions: [("version", Parley.version)]).set(1)
    let logger = log.logger("engine", metrics: metrics)
    let loops = EventLoops.makeGroup()
    let outgoing = try Outgoing.ofProcess(logger: logger)
    let keeper = ConfigurationKeeper(config: config, runtimeConfig: runtimeConfig, port: port, logger: logger)
    let live = try await LiveConfiguration.load(keeper, loops: loops, outgoing: outgoing, logger: logger)
    Self.tell(live.table, logger)
    let (ledger, books) = try await Books.open(for: live.table, outgoing: outgoing, logger: logger)
    let traces = TraceExporter(
      environment: ProcessInfo.processInfo.environment, client: outgoing.accountClient(for: Self.collector),
      metrics: metrics,
      logger: logger)
    let server = GatewayServer(
      table: live.table, engine: live.engine, outgoing: outgoing, books: books,
      desks: OperatorDesks(configuration: keeper, metricsText: { metrics.prometheusText() }), tracer: traces?.tracer,
      group: loops, logger: logger)
    let running = Mutex<RunningGateway?>(nil)
    let gateway = GatewayService(server: server) { gateway in running.withLock { $0 = gateway } }
    let configuring = live.service { table, engine in server.apply(table, engine: engine) }
    // Services stop in reverse order: what the gateway's sessions have cost and taken is written and sent last.
    let before: [(any Service)?] = [ledger, traces, configuring]
    let services = before.compactMap { $0.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) } }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services + [.init(service: gateway, successTerminationBehavior: .gracefullyShutdownGroup)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    let signals = Task {
      var stops = 0
      for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) {
        if signal == .sighup {
          running.withLock { $0 }?.reloadCertificates()
        } else {
          stops += 1
          if stops == 2 { Foundation.exit(EXIT_SUCCESS) }
        }
      }
    }
    defer { signals.cancel() }
    do {
      try await group.run()
    } catch let fault as StartFault {
      printError("error: \(fault)")
      throw ExitCode.failure
    }
  }

  /// Where spans go, for the way there.
  private static var collector: String {
    let environment = ProcessInfo.processInfo.environment
    return environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? ""
  }

  /// What an operator should know of a configuration.
  private static func tell(_ table: RouteTable, _ logger: Logger) {
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
  }
}

/// A process that dies leaves no image of its memory, where keys are (fault row 68).
private enum CoreDumps {
  static func forbid() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    #if canImport(Glibc)
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    #else
      setrlimit(RLIMIT_CORE, &none)
    #endif
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
