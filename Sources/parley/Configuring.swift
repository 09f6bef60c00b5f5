import ArgumentParser
public import Envelope
import Foundation
import Gateway
import Logging
import NIOPosix
public import Operator
import Routing
import ServiceLifecycle
public import Settings
import UnixSignals
import VoiceEngine

/// The configuration of a serving process: read at the start, watched, and replaced while sessions go on (R075, R112).
struct LiveConfiguration: Sendable {
  let keeper: ConfigurationKeeper
  let table: RouteTable
  let engine: VoiceEngine
  private let workshop: EngineWorkshop

  /// Reads everything and starts the engine.
  ///
  /// - Throws: the end of the command, with every mistake on standard error.
  static func load(
    _ keeper: ConfigurationKeeper, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger
  ) async throws -> LiveConfiguration {
    let first: ConfigurationSnapshot
    do throws(SettingsFault) {
      first = try await keeper.load()
    } catch {
      for mistake in error.mistakes { printError("error: \(mistake.line)") }
      throw ExitCode.failure
    }
    let workshop = EngineWorkshop(loops: loops, outgoing: outgoing, logger: logger)
    let engine = await workshop.engine(for: first)
    await keeper.note(serving: engine.selection)
    return LiveConfiguration(keeper: keeper, table: first.table, engine: engine, workshop: workshop)
  }

  /// Watches the files and SIGHUP as long as the server takes sessions.
  ///
  /// - Parameter apply: makes new sessions have the configuration.
  func service(
    _ apply: @escaping @Sendable (RouteTable, VoiceEngine) async -> Void
  ) -> any Service {
    ConfigurationService(keeper: keeper) { [keeper, workshop] snapshot in
      let engine = await workshop.engine(for: snapshot)
      await apply(snapshot.table, engine)
      await keeper.note(serving: engine.selection)
      // Models that nobody has any more: a hundred megabytes, which the allocator would keep.
      ProcessMemory.releaseFree()
    }
  }
}

extension ConfigurationKeeper {
  /// Of this process.
  init(config: String, runtimeConfig: String?, port: UInt16?, logger: Logger) {
    let environment = ProcessInfo.processInfo.environment
    self.init(
      routes: config,
      runtimeFile: RuntimeFile(named: runtimeConfig, environment: environment, dataFolder: Engine.folder.root),
      environment: environment, restrict: { table in port.map(table.listening(onPort:)) ?? table }, logger: logger)
  }
}

/// Makes an engine of each configuration, with the models that the one before it has.
private actor EngineWorkshop {
  private let loops: MultiThreadedEventLoopGroup
  private let outgoing: Outgoing
  private let logger: Logger
  /// The sessions of engines before this one keep theirs alive.
  private var latest: VoiceEngine?

  init(loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger) {
    self.loops = loops
    self.outgoing = outgoing
    self.logger = logger
  }

  func engine(for snapshot: ConfigurationSnapshot) async -> VoiceEngine {
    let engine = await Engine.start(
      for: snapshot.table, snapshot.runtime, reusing: latest, loops: loops, outgoing: outgoing, logger: logger)
    latest = engine
    return engine
  }
}

private struct ConfigurationService: Service {
  let keeper: ConfigurationKeeper
  let apply: @Sendable (ConfigurationSnapshot) async -> Void

  func run() async {
    let watching = Task { [keeper, apply] in
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await keeper.run(apply: apply) }
        // However often it is wished for while one is going on: one reading more is enough.
        let (wishes, wish) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        group.addTask {
          for await _ in await UnixSignalsSequence(trapping: .sighup) { wish.yield() }
          wish.finish()
        }
        group.addTask {
          // What is wrong then is in the log.
          for await _ in wishes where !Task.isCancelled { try? await keeper.readAgain() }
        }
      }
    }
    try? await gracefulShutdown()
    watching.cancel()
    await watching.value
  }
}

extension ConfigurationKeeper: ConfigurationDesk {
  public func update(_ patch: JSONObject, persists: Bool) async throws(ConfigurationRefusal) -> JSONObject {
    try await refusable { () async throws(SettingsFault) in try await change(patch, persists: persists) }
    return shown()
  }

  public func validate(_ patch: JSONObject) async throws(ConfigurationRefusal) {
    try await refusable { () async throws(SettingsFault) in try await check(patch) }
  }

  public func reload() async throws(ConfigurationRefusal) -> JSONObject {
    try await refusable { () async throws(SettingsFault) in try await readAgain() }
    return shown()
  }

  private func refusable(_ act: () async throws(SettingsFault) -> Void) async throws(ConfigurationRefusal) {
    do throws(SettingsFault) {
      try await act()
    } catch {
      throw ConfigurationRefusal(error)
    }
  }
}

extension ConfigurationRefusal {
  init(_ fault: SettingsFault) {
    let status =
      switch fault.kind {
      case .invalid: 400
      case .notSaved(isFull: true): 507
      case .notSaved(isFull: false): 500
      }
    self.init(status: status, faults: fault.mistakes.map { Fault(path: $0.path, message: $0.message) })
  }
}
