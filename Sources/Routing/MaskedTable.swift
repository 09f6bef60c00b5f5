public import Envelope
import SessionCore

/// The table in force, in the shape of the file.
extension RouteTable {
  /// Every value that is in force, defaults included, under the keys of the file; without secrets, of which only the
  /// references are shown. Such an object is itself a valid file, but for the digests of keys, which it does not show.
  public var maskedJSON: JSONObject {
    var shown = JSONObject()
    shown["listen"] = .array(listeners.map { .object($0.shown) })
    shown["default"] = .string(defaultProvider)
    var entries = JSONObject()
    for name in providerNames {
      let written = document["providers"]?[name]?.object ?? [:]
      entries[name] = .object(providers[name]?.shown(written) ?? written)
    }
    shown["providers"] = .object(entries)
    shown["routes"] = .array(routes.map { .object($0.shown) })
    shown["access"] = .object(access.shown(document["access"]?.object ?? [:]))
    shown["tokens"] = .object(access.tokens.shown(document["tokens"]?.object ?? [:]))
    shown["ledger"] = ledger.shown(document["ledger"])
    shown["contact"] = .string(contact)
    shown["limits"] = .object(limits.shown)
    return shown
  }
}

/// What is shown for a digest.
private let mask = JSONValue.string("********")

extension JSONObject {
  /// Sets what the object does not have.
  fileprivate mutating func complete(_ key: String, _ value: JSONValue?) {
    if self[key] == nil { self[key] = value }
  }
}

extension JSONValue {
  /// A number as short as it is.
  fileprivate init(plain value: Double) {
    self = value == value.rounded() && abs(value) < 1e15 ? .number(JSONNumber(Int(value))) : .number(JSONNumber(value))
  }
}

extension Listener {
  fileprivate var shown: JSONObject {
    var shown: JSONObject = ["host": .string(host), "port": .number(JSONNumber(port))]
    let services = Service.allCases.filter(serves.contains)
    shown["serves"] = .array(services.map { .string($0.rawValue) })
    guard let tls else { return shown }
    var settings: JSONObject = [
      "certificate": .string(tls.certificate), "key": .string(tls.key.description),
    ]
    if let clientCA = tls.clientCA {
      settings["clientCA"] = .string(clientCA)
      settings["clientCertificate"] = .string(tls.clientCertificate.rawValue)
    }
    shown["tls"] = .object(settings)
    return shown
  }
}

extension ProviderEntry {
  fileprivate func shown(_ written: JSONObject) -> JSONObject {
    guard let remote else { return written }
    var shown = written
    shown.complete("url", .string(remote.endpoint.description))
    shown.complete("model", .string(remote.model))
    if let most = remote.limits.maxFramesPerSecond { shown.complete("maxFramesPerSecond", .number(JSONNumber(most))) }
    for definition in HolderLimitDefinition.all {
      shown.complete(definition.name, definition.value(in: remote.limits.holder).map { JSONValue(plain: $0) })
    }
    return shown
  }
}

extension Route {
  fileprivate var shown: JSONObject {
    var shown: JSONObject = ["path": .string(path), "provider": .string(provider)]
    if let dialect { shown["dialect"] = .string(dialect.name) }
    shown["deltaField"] = .string(deltaFields.name)
    shown["strict"] = .bool(isStrict)
    shown["vendorEvents"] = .bool(passesVendorEvents)
    if !origins.isEmpty { shown["origins"] = .array(origins.map { .string($0.description) }) }
    shown["clientKeys"] = .bool(passesClientKeys)
    return shown
  }
}

extension AccessTable {
  fileprivate func shown(_ written: JSONObject) -> JSONObject {
    var shown = written
    if let keys = written["keys"]?.array {
      shown["keys"] = .array(
        keys.map { key in
          guard var object = key.object, object["keyHash"] != nil else { return key }
          object["keyHash"] = mask
          return .object(object)
        })
    }
    if admin != nil { shown.complete("admin", "env:ENGINE_API_KEY") }
    return shown
  }
}

extension TokenSettings {
  fileprivate func shown(_ written: JSONObject) -> JSONObject {
    var shown = written
    if !secrets.isEmpty { shown.complete("secrets", [["secret": "env:JWT_SECRET"]]) }
    shown["lifetimeSeconds"] = .number(JSONNumber(lifetimeSeconds))
    shown["longestSeconds"] = .number(JSONNumber(longestSeconds))
    shown["skewSeconds"] = .number(JSONNumber(skewSeconds))
    shown["issuer"] = .string(issuer)
    shown["audience"] = .string(audience)
    if let publicURL { shown["publicURL"] = .string(publicURL) }
    return shown
  }
}

extension LedgerTable {
  fileprivate func shown(_ written: JSONValue?) -> JSONValue {
    if case .none = store { return "none" }
    var shown = written?.object ?? [:]
    shown["spoolBytes"] = .number(JSONNumber(spoolBytes))
    return .object(shown)
  }
}

extension GatewayLimits {
  fileprivate var shown: JSONObject {
    var shown = JSONObject()
    for definition in LimitDefinition.all {
      shown[definition.name] = definition.value(in: self).map { JSONValue(plain: $0) }
    }
    return shown
  }
}
