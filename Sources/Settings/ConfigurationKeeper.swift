public import CoreMetrics
public import Envelope
public import Logging
import NativeCode
public import Routing
public import VoiceEngine

import Foundation

/// Keeps the configuration of a running server: two files, the environment, and what was set over HTTP for the moment. A
/// change is taken as a whole or not at all.
public actor ConfigurationKeeper {
  /// Files are read and made sure of here: that may take a while, and holds up nobody else.
  private nonisolated let executor = NativeExecutor(label: "parley.configuration")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  let decoder: ConfigurationDecoder
  let logger: Logger
  let counters: ConfigurationCounters
  /// Between two looks at the files.
  let interval: Duration
  /// In place of `AtomicFile.write`: for tests.
  let save: @Sendable (_ text: String, _ path: String) throws(SavingFault) -> FileStamp?

  /// What holds now; nil before `load`.
  public internal(set) var current: ConfigurationSnapshot?
  var layers = ConfigurationLayers(routes: [], runtime: nil)
  var decoded: DecodedConfiguration?
  var loadedAt = Date()
  /// What the engine made of it.
  private(set) var selection: EngineSelection?
  /// How many are told of one configuration.
  static let mostMistakes = 15
  /// What is wrong with the files, while they are not what holds.
  var lastRefusal: [SettingsFault.Mistake]?
  /// Of the files at the last look.
  var stamps = Stamps()
  /// What only the next start can change, as it was at this one.
  var fixed = JSONObject()

  private var apply: (@Sendable (ConfigurationSnapshot) async -> Void)?
  private var appliedRevision = 1
  private var isBusy = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  struct Stamps: Sendable, Equatable {
    var routes: FileStamp?
    var runtime: FileStamp?
  }

  /// - Parameters:
  ///   - routes: `routes.json`.
  ///   - runtimeFile: where the runtime configuration is, or would be.
  ///   - environment: of the process. An empty variable counts as not set.
  ///   - sources: where the secrets of `routes.json` are.
  ///   - restrict: what the command line lays over the table (`--port`).
  public init(
    routes: String, runtimeFile: RuntimeFile, environment: [String: String], sources: SecretSources = .process,
    restrict: @escaping @Sendable (RouteTable) -> RouteTable = { $0 }, logger: Logger,
    metrics: any MetricsFactory = MetricsSystem.factory
  ) {
    self.init(
      decoder: ConfigurationDecoder(
        routes: routes, runtimeFile: runtimeFile, environment: environment, sources: sources, restrict: restrict),
      logger: logger, metrics: metrics, interval: .seconds(1),
      save: { (text, path) throws(SavingFault) in try AtomicFile.write(text, to: path) })
  }

  init(
    decoder: ConfigurationDecoder, logger: Logger, metrics: any MetricsFactory, interval: Duration,
    save: @escaping @Sendable (_ text: String, _ path: String) throws(SavingFault) -> FileStamp?
  ) {
    self.decoder = decoder
    self.logger = logger
    self.interval = interval
    self.save = save
    counters = ConfigurationCounters(factory: metrics)
  }

  /// Reads everything for the first time; writes the runtime file of a first boot (R129).
  ///
  /// - Throws: every mistake of both files at once.
  public func load() async throws(SettingsFault) -> ConfigurationSnapshot {
    stamps = look()
    var layers = try readFiles(.first)
    var decoded = try decoder.decode(layers)
    if layers.runtime == nil, let text = firstBoot(decoded), let fresh = written(text, of: layers) {
      (layers, decoded) = fresh
    }
    self.layers = layers
    self.decoded = decoded
    fixed = Self.fixed(decoded.table)
    loadedAt = Date()
    let snapshot = ConfigurationSnapshot(table: decoded.table, runtime: decoded.runtime, revision: 1)
    current = snapshot
    counters.isCurrent(true)
    return snapshot
  }

  /// Watches the files until it is cancelled, and hands on every configuration but the first.
  ///
  /// - Parameter apply: makes new sessions have it; returns when they do.
  public func run(apply: @escaping @Sendable (ConfigurationSnapshot) async -> Void) async {
    self.apply = apply
    // What came before there was anybody to hand it to.
    await exclusively {
      if let current { await handOn(current) }
    }
    while !Task.isCancelled {
      try? await Task.sleep(for: interval)
      if !Task.isCancelled { await watch() }
    }
  }

  /// Reads the files again and drops what is in no file (SIGHUP, `POST /config/reload`).
  public func readAgain() async throws(SettingsFault) {
    await enter()
    defer { leave() }
    let stamps = look()
    do throws(SettingsFault) {
      let layers = try readFiles(.again)
      let decoded = try decoder.decode(layers)
      self.stamps = stamps
      await take(decoded, of: layers, because: "reload")
    } catch {
      self.stamps = stamps
      refused(error)
      throw error
    }
  }

  /// Lays a merge patch over the document.
  ///
  /// - Parameter persists: false for a change that the file does not get.
  public func change(_ patch: JSONObject, persists: Bool) async throws(SettingsFault) {
    await enter()
    defer { leave() }
    do throws(SettingsFault) {
      let change = try changed(by: patch, persists: persists)
      if let text = change.text { stamps.runtime = try saved(text) }
      await take(change.decoded, of: change.layers, because: "request")
    } catch {
      counters.refused()
      logger.notice("configuration change refused", metadata: ["faults": "\(error.mistakes.count)"])
      throw error
    }
  }

  /// What `change` would say, with nothing changed.
  public func check(_ patch: JSONObject) async throws(SettingsFault) {
    await enter()
    defer { leave() }
    _ = try changed(by: patch, persists: true)
  }

  /// What the engine made of the configuration.
  public func note(serving selection: EngineSelection?) { self.selection = selection }

  // MARK: One after another

  private func exclusively(_ act: () async -> Void) async {
    await enter()
    await act()
    leave()
  }

  func enter() async {
    if isBusy {
      await withCheckedContinuation { waiting.append($0) }
    } else {
      isBusy = true
    }
  }

  func leave() {
    if waiting.isEmpty {
      isBusy = false
    } else {
      waiting.removeFirst().resume()
    }
  }

  // MARK: Taking

  /// Hands it on, and shows it when new sessions have it.
  func take(_ decoded: DecodedConfiguration, of layers: ConfigurationLayers, because cause: String) async {
    let revision = (current?.revision ?? 0) + 1
    let snapshot = ConfigurationSnapshot(table: decoded.table, runtime: decoded.runtime, revision: revision)
    lastRefusal = nil
    await handOn(snapshot)
    self.layers = layers
    self.decoded = decoded
    loadedAt = Date()
    current = snapshot
    counters.applied()
    counters.isCurrent(true)
    let now = Self.fixed(decoded.table)
    for section in now.keys where now[section] != fixed[section] {
      logger.warning("configuration needs a restart", metadata: ["section": "\(section)"])
    }
    logger.notice("configuration applied", metadata: ["revision": "\(revision)", "cause": "\(cause)"])
  }

  private func handOn(_ snapshot: ConfigurationSnapshot) async {
    guard let apply, snapshot.revision > appliedRevision else { return }
    appliedRevision = snapshot.revision
    // Whoever asked may be gone before it is done, which must not end it half-way.
    await Task { await apply(snapshot) }.value
  }

  /// A file that holds something else than what holds here.
  func refused(_ fault: SettingsFault) {
    lastRefusal = fault.mistakes
    counters.refused()
    counters.isCurrent(false)
    for mistake in fault.mistakes.prefix(Self.mostMistakes) {
      logger.error("configuration refused, the one before holds", metadata: ["fault": "\(mistake.line)"])
    }
    let rest = fault.mistakes.count - Self.mostMistakes
    if rest > 0 { logger.error("configuration has more faults than are told", metadata: ["more": "\(rest)"]) }
  }

  private static func fixed(_ table: RouteTable) -> JSONObject {
    let shown = table.maskedJSON
    var fixed = JSONObject()
    for section in ["listen", "ledger"] { fixed[section] = shown[section] }
    return fixed
  }
}
