public import Envelope
import Yams

/// Some of the settings, checked for their names, with the places they came from: one file, or one request.
///
/// Values are checked against their settings' rules when a configuration is made of the layers.
public struct ConfigurationLayer: Sendable {
  struct Entry: Sendable {
    var raw: RawValue
    var source: SettingSource
  }

  var entries: [String: Entry] = [:]

  /// Keys that the file may have and that are no settings: what wrote the file leaves its version there.
  static let metadata: Set<String> = ["version", "lastUpdated"]

  public init() {}

  /// The paths that the layer speaks about, such as `llm.model`, sorted.
  public var paths: [String] { entries.keys.sorted() }

  /// Reads a YAML mapping. An empty text is an empty layer.
  ///
  /// - Parameter file: its name, for messages.
  public init(yaml text: String, file: String) throws(RuntimeConfigurationFault) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw Self.fault(of: error, file: file)
    }
    guard let root else { return }
    try add(Tree(root, depth: 0), place: { .file(file, line: $0) })
  }

  /// Reads an object with the keys of the file.
  public init(json: JSONValue) throws(RuntimeConfigurationFault) {
    try add(Tree(json, depth: 0), place: { _ in .request })
  }

  private mutating func add(
    _ root: Tree, place: (Int?) -> SettingSource
  ) throws(RuntimeConfigurationFault) {
    guard let members = try Self.members(root, path: "", place: place) else { return }
    for member in members {
      let source = place(member.line)
      if Self.metadata.contains(member.key) { continue }
      guard Setting.sections.contains(member.key) else {
        guard let setting = Setting.byPath[member.key] else {
          throw Self.unknown(member.key, in: "", source)
        }
        entries[setting.path] = Entry(raw: member.value.raw, source: source)
        continue
      }
      guard let inner = try Self.members(member.value, path: member.key, place: place) else { continue }
      for entry in inner {
        let path = "\(member.key).\(entry.key)"
        guard Setting.byPath[path] != nil else { throw Self.unknown(entry.key, in: member.key, place(entry.line)) }
        entries[path] = Entry(raw: entry.value.raw, source: place(entry.line))
      }
    }
  }

  /// Nil for null, which an emptied section is in YAML.
  private static func members(
    _ tree: Tree, path: String, place: (Int?) -> SettingSource
  ) throws(RuntimeConfigurationFault) -> [Tree.Member]? {
    switch tree.content {
    case .members(let members): return members
    case .value(.null): return nil
    case .value(let raw):
      throw RuntimeConfigurationFault(
        place(tree.line), path: path, .wrongKind(expected: "a mapping", found: raw.phrase))
    }
  }

  /// A key is repeated in the message only as far as it looks like one.
  private static func unknown(_ key: String, in section: String, _ source: SettingSource) -> RuntimeConfigurationFault {
    let known =
      section.isEmpty
      ? Setting.sections + Setting.all.filter { $0.section.isEmpty }.map(\.path) + metadata.sorted()
      : Setting.all.filter { $0.section == section }.map(\.key)
    let isName = key.utf8.count <= 32 && key.utf8.allSatisfy { $0 == 0x5F || $0 == 0x2D || isAlphanumeric($0) }
    let path = [section, isName ? key : "…"].filter { !$0.isEmpty }.joined(separator: ".")
    return RuntimeConfigurationFault(
      source, path: path, .unknownKey(nearest: NearestKey.of(key, among: known), known: known))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
  }

  /// The description of the library shows lines of the file, which may hold keys; only place and problem are taken.
  private static func fault(of error: any Error, file: String) -> RuntimeConfigurationFault {
    func invalid(_ mark: Mark, _ problem: String) -> RuntimeConfigurationFault {
      RuntimeConfigurationFault(.file(file, line: mark.line), path: "", .invalidYAML(column: mark.column, problem))
    }
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return invalid(mark, problem)
    case .duplicatedKeysInMapping(_, let context):
      return RuntimeConfigurationFault(.file(file, line: context.mark.line), path: "", .duplicateKey)
    default:
      return RuntimeConfigurationFault(
        .file(file, line: nil), path: "", .unreadable("not a text that YAML 1.1 allows"))
    }
  }
}

/// What YAML and JSON have in common here: mappings two levels deep and scalars.
private struct Tree {
  struct Member {
    var key: String
    var line: Int?
    var value: Tree
  }

  enum Content {
    case members([Member])
    case value(RawValue)
  }

  /// The whole and its sections have members; below is nothing that has.
  private static let depth = 2

  var content: Content
  var line: Int?

  /// As the value of a setting.
  var raw: RawValue {
    switch content {
    case .members: .mapping
    case .value(let raw): raw
    }
  }

  init(_ node: Node, depth: Int) {
    line = node.mark?.line
    switch node {
    case .mapping(let mapping) where depth < Self.depth:
      content = .members(
        mapping.map { Member(key: $0.scalar?.string ?? "", line: $0.mark?.line, value: Tree($1, depth: depth + 1)) })
    case .mapping: content = .value(.mapping)
    case .sequence: content = .value(.list)
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      let isNull = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      content = .value(isNull ? .null : .text(scalar.string, isPlain: isPlain))
    case .alias: content = .value(.null)
    }
  }

  init(_ value: JSONValue, depth: Int) {
    switch value {
    case .object(let object) where depth < Self.depth:
      content = .members(object.map { Member(key: $0.key, line: nil, value: Tree($0.value, depth: depth + 1)) })
    case .object: content = .value(.mapping)
    case .array: content = .value(.list)
    case .null: content = .value(.null)
    case .bool(let flag): content = .value(.flag(flag))
    case .number(let number): content = .value(.number(number.double ?? .infinity))
    case .string(let text): content = .value(.text(text, isPlain: false))
    }
  }
}
