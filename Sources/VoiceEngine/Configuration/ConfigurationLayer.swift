public import Envelope

/// Some of the settings, checked for their names, with the places they came from: one file, or one request.
///
/// Values are checked against their settings' rules when a configuration is made of the layers.
public struct ConfigurationLayer: Sendable {
  struct Entry: Sendable {
    var raw: RawValue
    var source: SettingSource
  }

  var entries: [String: Entry] = [:]
  /// What the section of this name lays over the configuration of the gateway (RFC 7396); the engine has no use for it.
  public private(set) var gateway = JSONObject()
  /// Every mistake in the names; values are checked later.
  private(set) var faults: [RuntimeConfigurationFault] = []

  /// Keys that the file may have and that are no settings: what wrote the file leaves its version there.
  static let metadata: Set<String> = ["version", "lastUpdated"]

  /// The section that is the gateway's.
  public static let gatewaySection = "gateway"

  public init() {}

  /// The paths that the layer speaks about, such as `llm.model`, sorted.
  public var paths: [String] { entries.keys.sorted() }

  /// Reads a YAML mapping. An empty text is an empty layer.
  ///
  /// - Parameter file: its name, for messages.
  public init(yaml text: String, file: String) throws(RuntimeConfigurationFault) {
    self.init(try RuntimeDocument(yaml: text, file: file))
    if let fault = faults.first { throw fault }
  }

  /// Reads an object with the keys of the file.
  public init(json: JSONValue) throws(RuntimeConfigurationFault) {
    self.init(RuntimeDocument(json: json))
    if let fault = faults.first { throw fault }
  }

  /// Takes a document; what is wrong in it is among the faults of `RuntimeConfiguration.faults`.
  public init(_ document: RuntimeDocument) {
    guard let root = document.root else { return }
    for member in members(root, path: "", document) {
      let source = document.source(member.line)
      if Self.metadata.contains(member.key) { continue }
      if member.key == Self.gatewaySection {
        takeGateway(member.value, document)
      } else if Setting.sections.contains(member.key) {
        take(member.value, of: member.key, document)
      } else if let setting = Setting.byPath[member.key] {
        entries[setting.path] = Entry(raw: member.value.raw, source: source)
      } else {
        faults.append(Self.unknown(member.key, in: "", source))
      }
    }
  }

  private mutating func take(_ section: DocumentNode, of name: String, _ document: RuntimeDocument) {
    for entry in members(section, path: name, document) {
      let path = "\(name).\(entry.key)"
      guard Setting.byPath[path] != nil else {
        faults.append(Self.unknown(entry.key, in: name, document.source(entry.line)))
        continue
      }
      entries[path] = Entry(raw: entry.value.raw, source: document.source(entry.line))
    }
  }

  private mutating func takeGateway(_ section: DocumentNode, _ document: RuntimeDocument) {
    switch section.json {
    case .null: return
    case .object(let patch): gateway = patch
    default: _ = members(section, path: Self.gatewaySection, document)
    }
  }

  /// The layer without what a patch over it takes away (RFC 7396: by null).
  public func without(nullsOf patch: JSONObject) -> ConfigurationLayer {
    var rest = self
    for (key, value) in patch {
      if value.isNull {
        rest.entries = rest.entries.filter { $0.key != key && !$0.key.hasPrefix(key + ".") }
      }
      for (inner, value) in value.object ?? [:] where value.isNull { rest.entries["\(key).\(inner)"] = nil }
    }
    return rest
  }

  /// None for null, which an emptied section is in YAML.
  private mutating func members(
    _ node: DocumentNode, path: String, _ document: RuntimeDocument
  ) -> [DocumentNode.Member] {
    switch node.content {
    case .members(let members): return members
    case .value(.null): return []
    case .list, .value:
      faults.append(
        RuntimeConfigurationFault(
          document.source(node.line), path: path, .wrongKind(expected: "a mapping", found: node.raw.phrase)))
      return []
    }
  }

  /// A key is repeated in the message only as far as it looks like one.
  private static func unknown(_ key: String, in section: String, _ source: SettingSource) -> RuntimeConfigurationFault {
    let known =
      section.isEmpty
      ? Setting.sections + Setting.all.filter { $0.section.isEmpty }.map(\.path) + [gatewaySection] + metadata.sorted()
      : Setting.all.filter { $0.section == section }.map(\.key)
    let isName = key.utf8.count <= 32 && key.utf8.allSatisfy { $0 == 0x5F || $0 == 0x2D || isAlphanumeric($0) }
    let path = [section, isName ? key : "…"].filter { !$0.isEmpty }.joined(separator: ".")
    return RuntimeConfigurationFault(
      source, path: path, .unknownKey(nearest: NearestKey.of(key, among: known), known: known))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
  }
}
