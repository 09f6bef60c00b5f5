public import Access
import Foundation
import Hummingbird
public import Routing

/// All keys and apps that there are: those of the configuration, which is changed in its file, and those of the store.
public struct KeyDirectory: Sendable {
  public var configuredKeys: [KeyRecord]
  public var configuredApps: [App]
  /// Nil with `"ledger": "none"`.
  public var store: (any KeyStorage)?
  /// Called after each change, before it is answered: what is remembered of the store is read anew.
  public var changed: @Sendable () async -> Void

  public init(
    configuredKeys: [KeyRecord] = [], configuredApps: [App] = [], store: (any KeyStorage)? = nil,
    changed: @escaping @Sendable () async -> Void = {}
  ) {
    self.configuredKeys = configuredKeys
    self.configuredApps = configuredApps
    self.store = store
    self.changed = changed
  }

  /// - Throws: 501 `no_key_store`.
  func present() throws(HTTPFault) -> any KeyStorage {
    guard let store else {
      throw HTTPFault(
        status: 501, type: "server_error", code: "no_key_store",
        message: "This server keeps no keys: its configuration says \"ledger\": \"none\".")
    }
    return store
  }

  /// Revoked and expired ones too; those of the configuration first.
  func keys() async throws -> [KeyRecord] {
    guard let store else { return configuredKeys }
    return configuredKeys + (try await Storage.asked { try await store.keys() })
  }

  /// Each name once: those of the configuration, those of the store, and the one that always is.
  func apps() async throws -> [(app: App, isConfigured: Bool)] {
    var apps = configuredApps.map { (app: $0, isConfigured: true) }
    if let store {
      for app in try await Storage.asked({ try await store.apps() })
      where !apps.contains(where: { $0.app.name == app.name }) {
        apps.append((app, false))
      }
    }
    if !apps.contains(where: { $0.app.name == App.usual.name }) { apps.insert((.usual, true), at: 0) }
    return apps
  }
}

extension OperatorContext {
  /// A piece of the path by its name, unescaped; what is no UTF-8 stays as it came and is found nowhere.
  func piece(_ name: String) -> String {
    let written = parameters.get(name) ?? ""
    return written.removingPercentEncoding ?? written
  }
}
