public import Envelope
import Foundation
import Routing
import VoiceEngine

extension ConfigurationKeeper {
  /// The answer to `GET /config`: the document with its defaults, where each value came from, what the engine made of it,
  /// and the configuration of the gateway that is in force. Secrets are shown as references or as a mask.
  public func shown() -> JSONObject {
    guard let decoded, let current else { return [:] }
    var document = decoded.runtime.masked
    document[ConfigurationLayer.gatewaySection] = .object(Self.masked(decoded.gateway))
    var shown: JSONObject = ["config": .object(document), "sources": .object(places(decoded))]
    shown["effective"] = selection?.json ?? .null
    shown["gateway"] = .object(decoded.table.maskedJSON)
    shown["file"] = .string(decoder.runtimeFile.path)
    shown["revision"] = .number(JSONNumber(current.revision))
    shown["loadedAt"] = .string(loadedAt.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    return shown
  }

  private func places(_ decoded: DecodedConfiguration) -> JSONObject {
    var places = decoded.runtime.sourceTexts
    let section = ConfigurationLayer.gatewaySection
    for path in decoded.gateway.leaves(below: section) {
      let line = decoded.document.line(of: path).map { "\(decoder.runtimeFile.path):\($0)" }
      places[path] = .string(layers.overlay.concerns(path) ? "request" : line ?? decoder.runtimeFile.path)
    }
    for variable in RouteTable.variables {
      let path = "\(section).\(variable.key)"
      guard places[path] == nil, decoder.sources.environment(variable.name)?.isEmpty == false else { continue }
      places[path] = .string("environment \(variable.name)")
    }
    return places
  }

  /// Digests of keys are no secrets, and not shown for all that.
  private static func masked(_ object: JSONObject) -> JSONObject {
    func masked(_ value: JSONValue) -> JSONValue {
      switch value {
      case .object(let object): .object(Self.masked(object))
      case .array(let elements): .array(elements.map(masked))
      default: value
      }
    }
    var shown = JSONObject()
    for (key, value) in object { shown[key] = key == "keyHash" ? .string(ConfiguredSecret.mask) : masked(value) }
    return shown
  }

  /// The answer to `GET /presets`: `{"name","description","config","available","missing"}`. A preset's `config` is a patch
  /// that can be put as it is.
  public func presets() -> [JSONObject] {
    guard let decoded else { return [] }
    let environment = decoder.environment
    let cascades = Preset.cascades.map { preset in
      preset.json(missing: preset.variables.filter { environment[$0]?.isEmpty != false })
    }
    return cascades + Preset.providers(decoded.table)
  }
}
