public import CoreMetrics
public import Envelope
public import Logging
public import Routing
public import VoiceEngine

/// Keeps the configuration of a running server: two files, the environment, and what was set over HTTP for the moment.
public actor ConfigurationKeeper {
  /// What holds now; nil before `load`.
  public private(set) var current: ConfigurationSnapshot?

  /// - Parameters:
  ///   - routes: `routes.json`.
  ///   - runtimeFile: where the runtime configuration is, or would be.
  ///   - environment: of the process. An empty variable counts as not set.
  ///   - sources: where secrets that are referred to are.
  ///   - restrict: what the command line lays over the table (`--port`).
  public init(
    routes: String, runtimeFile: RuntimeFile, environment: [String: String], sources: SecretSources = .process,
    restrict: @escaping @Sendable (RouteTable) -> RouteTable = { $0 }, logger: Logger,
    metrics: any MetricsFactory = MetricsSystem.factory
  ) {}

  /// Reads everything for the first time; writes the runtime file of a first boot (R129).
  public func load() async throws(SettingsFault) -> ConfigurationSnapshot { throw SettingsFault([]) }

  /// Watches the files until it is cancelled, and hands on every configuration that is not the first.
  ///
  /// - Parameter apply: makes new sessions have it; returns when they do.
  public func run(apply: @escaping @Sendable (ConfigurationSnapshot) async -> Void) async {}

  /// Reads the files again and drops what is in no file (SIGHUP, `POST /config/reload`).
  public func readAgain() async throws(SettingsFault) {}

  /// Lays a merge patch over the document.
  public func change(_ patch: JSONObject, persists: Bool) async throws(SettingsFault) {}

  /// What `update` would say.
  public func check(_ patch: JSONObject) async throws(SettingsFault) {}

  /// What the engine made of the configuration, for `shown`.
  public func note(serving selection: EngineSelection?) {}

  /// The answer to `GET /config`.
  public func shown() -> JSONObject { [:] }

  /// The answer to `GET /presets`.
  public func presets() -> [JSONObject] { [] }
}
