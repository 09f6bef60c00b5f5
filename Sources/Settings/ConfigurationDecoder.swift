import Envelope
import Routing
import VoiceEngine

/// What a configuration is made of, beside the environment.
struct ConfigurationLayers: Sendable, Equatable {
  /// The bytes of `routes.json`.
  var routes: [UInt8]
  /// The text of the runtime file; nil where there is none.
  var runtime: String?
  /// What was set for the moment, over both: a merge patch over the runtime file.
  var overlay = JSONObject()
}

/// What layers mean, once all of them are sound.
struct DecodedConfiguration: Sendable {
  var table: RouteTable
  var runtime: RuntimeConfiguration
  /// What the runtime file and the overlay lay over `routes.json`.
  var gateway: JSONObject
  var document: RuntimeDocument
}

/// Makes a configuration of its layers: all of it, or none.
struct ConfigurationDecoder: Sendable {
  var routes: String
  var runtimeFile: RuntimeFile
  var environment: [String: String]
  var sources: SecretSources
  var restrict: @Sendable (RouteTable) -> RouteTable

  /// - Parameter request: a patch that is in the layers already: what is wrong in it is not said to stand in the file.
  /// - Throws: every mistake of all layers at once.
  func decode(
    _ layers: ConfigurationLayers, request: JSONObject = [:]
  ) throws(SettingsFault) -> DecodedConfiguration {
    let document: RuntimeDocument
    do {
      document = try RuntimeDocument(yaml: layers.runtime ?? "", file: runtimeFile.path)
    } catch {
      throw SettingsFault([SettingsFault.Mistake(error)])
    }
    let file = ConfigurationLayer(document)
    let overlay = ConfigurationLayer(RuntimeDocument(json: .object(layers.overlay)))
    let engine = [overlay, file.without(nullsOf: layers.overlay)]
    var mistakes = RuntimeConfiguration.faults(in: [overlay, file], environment: environment, folder: runtimeFolder)
      .map { SettingsFault.Mistake($0) }
    var runtime: RuntimeConfiguration?
    if mistakes.isEmpty {
      do {
        runtime = try RuntimeConfiguration(layers: engine, environment: environment, folder: runtimeFolder)
        runtime?.file = runtimeFile.path
      } catch {
        mistakes.append(SettingsFault.Mistake(error))
      }
    }
    let gateway = Self.gateway(file.gateway, layers.overlay)
    do {
      let directory = routes.lastIndex(of: "/").map { String(routes[...$0]) } ?? ""
      let table = try RouteTable.decode(
        layers.routes, merging: gateway, file: routes, directory: directory, sources: sources)
      if let runtime, mistakes.isEmpty {
        return DecodedConfiguration(table: restrict(table), runtime: runtime, gateway: gateway, document: document)
      }
    } catch {
      mistakes += error.faults.map { mistake($0, document, asked: layers.overlay.composing(request)) }
    }
    throw SettingsFault(mistakes)
  }

  /// What is wrong in a patch by itself.
  func check(_ patch: JSONObject) throws(SettingsFault) {
    let layer = ConfigurationLayer(RuntimeDocument(json: .object(patch)))
    let faults = RuntimeConfiguration.faults(in: [layer], environment: environment, folder: runtimeFolder)
    if !faults.isEmpty { throw SettingsFault(faults.map { SettingsFault.Mistake($0) }) }
  }

  private var runtimeFolder: String { String(runtimeFile.folder.dropLast()) }

  private static func gateway(_ file: JSONObject, _ overlay: JSONObject) -> JSONObject {
    switch overlay[ConfigurationLayer.gatewaySection] {
    case .null?: [:]
    case .object(let patch)?: file.merging(patch)
    default: file
    }
  }

  /// What the table calls the runtime configuration is a file with lines here, or a request.
  private func mistake(
    _ fault: RouteFault, _ document: RuntimeDocument, asked: JSONObject
  ) -> SettingsFault.Mistake {
    var place = fault.line.map { "\(fault.file):\($0)" } ?? fault.file
    if fault.file == RouteTable.patchName {
      if asked.concerns(fault.path) {
        place = ""
      } else {
        place = document.line(of: fault.path).map { "\(runtimeFile.path):\($0)" } ?? runtimeFile.path
      }
    }
    return SettingsFault.Mistake(place: place, path: fault.path, message: fault.cause.message)
  }
}

extension SettingsFault.Mistake {
  /// - Parameter place: empty for what stands in the request itself.
  init(place: String, path: String, message: String) {
    let words = [place.isEmpty ? "request" : place, path, message].filter { !$0.isEmpty }
    self.init(
      path: path, message: place.isEmpty ? message : "\(message) (\(place))", line: words.joined(separator: ": "))
  }

  init(_ fault: RuntimeConfigurationFault) {
    let place = fault.source == .request ? "" : "\(fault.source)"
    self.init(place: place, path: fault.path, message: fault.cause.message)
  }
}
