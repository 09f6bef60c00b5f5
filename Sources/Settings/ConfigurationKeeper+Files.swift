import Envelope
import Foundation
import Logging
import Routing
import VoiceEngine

extension ConfigurationKeeper {
  enum Occasion {
    /// Without `routes.json` there is nothing.
    case first
    /// Somebody asked for what is in the files: they have to be there.
    case again
    /// Something else is about to change: a file that vanished is what it was.
    case onTheWay
  }

  func look() -> Stamps {
    Stamps(routes: FileStamp(path: decoder.routes), runtime: FileStamp(path: decoder.runtimeFile.path))
  }

  /// What is in the files now.
  func readFiles(_ occasion: Occasion) throws(SettingsFault) -> ConfigurationLayers {
    var mistakes: [SettingsFault.Mistake] = []
    var read = ConfigurationLayers(routes: layers.routes, runtime: layers.runtime)
    do {
      read.routes = try decoder.sources.file(decoder.routes, RouteTable.largestFileBytes)
    } catch {
      if occasion != .onTheWay || error != .notFound {
        let cause = RouteFault.Cause.unreadable(error)
        mistakes.append(SettingsFault.Mistake(place: decoder.routes, path: "", message: cause.message))
      }
    }
    let file = decoder.runtimeFile
    do throws(RuntimeConfigurationFault) {
      let text = try RuntimeConfiguration.text(ofFile: file.path)
      let isMissed = layers.runtime != nil || (file.presence == .named && !AtomicFile.isFolder(file.folder))
      if text == nil, occasion != .onTheWay, isMissed {
        throw RuntimeConfigurationFault(.file(file.path, line: nil), path: "", .unreadable("no such file"))
      }
      read.runtime = text ?? read.runtime
    } catch {
      mistakes.append(SettingsFault.Mistake(error))
    }
    guard mistakes.isEmpty else { throw SettingsFault(mistakes) }
    return read
  }

  // MARK: Watching

  /// Takes what has changed in the files since the last look, but for what this process wrote itself.
  func watch() async {
    await enter()
    defer { leave() }
    let seen = look()
    // What was refused may be mended without a sign: by rights to read it, or a key in another file.
    guard seen != stamps || lastRefusal != nil else { return }
    let before = stamps
    for (path, old, new) in [
      (decoder.routes, before.routes, seen.routes), (decoder.runtimeFile.path, before.runtime, seen.runtime),
    ] where old != nil && new == nil {
      logger.warning("configuration file vanished, what it held still holds", metadata: ["file": "\(path)"])
    }
    let isNew =
      (seen.routes != nil && seen.routes != before.routes) || (seen.runtime != nil && seen.runtime != before.runtime)
    if isNew {
      // Who writes a file in place does so in pieces. What is still being written is looked at the next time.
      try? await Task.sleep(for: min(interval, .milliseconds(100)))
      guard look() == seen else { return }
    }
    stamps = seen
    guard isNew || lastRefusal != nil else { return }
    do throws(SettingsFault) {
      var read = try readFiles(.onTheWay)
      read.overlay = layers.overlay
      guard read != layers else {
        // A file that was bad may be as it was before that.
        lastRefusal = nil
        counters.isCurrent(true)
        return
      }
      await take(try decoder.decode(read), of: read, because: "file")
    } catch {
      if isNew || error.mistakes != lastRefusal { refused(error) }
    }
  }

  // MARK: Changing

  /// What comes out of a patch.
  struct Change {
    var layers: ConfigurationLayers
    var decoded: DecodedConfiguration
    /// What the file has to hold then; nil where it does already, or is not to be touched.
    var text: String?
  }

  /// What comes out of a patch over what is in the files now.
  func changed(by given: JSONObject, persists: Bool) throws(SettingsFault) -> Change {
    let patch = Self.withoutMasks(given)
    try decoder.check(patch)
    let isThere = look().runtime != nil
    var read = try readFiles(.onTheWay)
    var text: String?
    if persists {
      let document: RuntimeDocument
      do {
        document = try RuntimeDocument(yaml: read.runtime ?? "", file: decoder.runtimeFile.path)
      } catch {
        throw SettingsFault([SettingsFault.Mistake(error)])
      }
      let (old, new) = (document.json, Self.withoutEmptySections(document.json.merging(patch)))
      if old != new || !isThere {
        text = Self.text(new, replacing: read.runtime)
        read.runtime = text
      }
      read.overlay = layers.overlay.withdrawing(patch)
    } else {
      read.overlay = layers.overlay.composing(patch)
    }
    return Change(layers: read, decoded: try decoder.decode(read, request: patch), text: text)
  }

  /// What was shown instead of a key does not replace it.
  private static func withoutMasks(_ patch: JSONObject) -> JSONObject {
    var kept = patch
    for (key, value) in patch {
      guard var section = value.object, section["apiKey"]?.string == ConfiguredSecret.mask else { continue }
      section["apiKey"] = nil
      kept[key] = .object(section)
    }
    return kept
  }

  private static func withoutEmptySections(_ document: JSONObject) -> JSONObject {
    var kept = document
    for (key, value) in document where value.object?.isEmpty == true { kept[key] = nil }
    return kept
  }

  // MARK: Writing

  static let heading = """
    # Parley's runtime configuration: read at the start and whenever it changes, written by PUT /config.
    # It comes before the environment; what is left out here is taken from there.
    """

  /// The file's text, with the comments that the old one begins with.
  static func text(_ document: JSONObject, replacing old: String?) -> String {
    let comments = (old ?? "").split(separator: "\n", omittingEmptySubsequences: false)
      .prefix { $0.hasPrefix("#") || $0.allSatisfy(\.isWhitespace) }
    let kept = old == nil ? heading : comments.joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    return (kept.isEmpty ? "" : kept + "\n") + YAMLText.of(document)
  }

  /// Writes the file.
  ///
  /// - Throws: `notSaved`; then the file is as it was.
  func saved(_ text: String) throws(SettingsFault) -> FileStamp? {
    let file = decoder.runtimeFile
    guard text.utf8.count <= RuntimeConfiguration.longestFileBytes else {
      let message = "the file would be larger than \(RuntimeConfiguration.longestFileBytes) bytes"
      throw SettingsFault([SettingsFault.Mistake(place: file.path, path: "", message: message)])
    }
    if file.presence == .optional { AtomicFile.makeFolder(String(file.folder.dropLast())) }
    do {
      return try save(text, file.path)
    } catch {
      let mistake = SettingsFault.Mistake(
        place: file.path, path: "", message: "the configuration could not be saved: \(error.reason)")
      throw SettingsFault([mistake], kind: .notSaved(isFull: error.isFull))
    }
  }

  /// The file of a first boot: what the environment says, but for what is one provider's alone, such as its key: written
  /// down, that would be the next provider's too. Nil where none is to be written.
  func firstBoot(_ decoded: DecodedConfiguration) -> String? {
    guard decoder.runtimeFile.presence != .optional else { return nil }
    var document = JSONObject()
    for (section, value) in decoded.runtime.masked {
      if let given = value.object {
        var kept = JSONObject()
        for (key, value) in given where decoded.runtime.isGivenByEnvironment("\(section).\(key)") { kept[key] = value }
        if !kept.isEmpty { document[section] = .object(kept) }
      } else if decoded.runtime.isGivenByEnvironment(section) {
        document[section] = value
      }
    }
    var gateway = JSONObject()
    for variable in RouteTable.variables {
      guard let text = decoder.sources.environment(variable.name), !text.isEmpty else { continue }
      gateway[variable.key] = .string(text)
    }
    if !gateway.isEmpty { document[ConfigurationLayer.gatewaySection] = .object(gateway) }
    return Self.text(document, replacing: nil)
  }

  /// Writes it, and reads it back; nil with a line in the log where that cannot be, which stops nothing.
  func written(
    _ text: String, of layers: ConfigurationLayers
  ) -> (ConfigurationLayers, DecodedConfiguration)? {
    var layers = layers
    layers.runtime = text
    do throws(SettingsFault) {
      let decoded = try decoder.decode(layers)
      stamps.runtime = try saved(text)
      logger.notice("configuration file written", metadata: ["file": "\(decoder.runtimeFile.path)"])
      return (layers, decoded)
    } catch {
      logger.warning("configuration file not written", metadata: ["fault": "\(error)"])
      return nil
    }
  }
}
