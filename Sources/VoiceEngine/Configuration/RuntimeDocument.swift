public import Envelope
import Yams

/// The runtime configuration as a tree with the lines of its file, before anything of it is understood: what YAML and JSON
/// have in common.
public struct RuntimeDocument: Sendable {
  /// More is no configuration: aliases of YAML make much of little.
  static let mostNodes = 20_000
  static let deepest = 32

  /// Nil for an empty text.
  let root: DocumentNode?
  /// Nil for a document that came with a request.
  let file: String?

  /// Reads YAML. An empty text is an empty document.
  ///
  /// - Parameter file: its name, for messages.
  public init(yaml text: String, file: String) throws(RuntimeConfigurationFault) {
    self.file = file
    let node: Node?
    do {
      node = try Yams.compose(yaml: text)
    } catch {
      throw Self.fault(of: error, file: file)
    }
    var count = 0
    root = try node.map { node throws(RuntimeConfigurationFault) in
      try DocumentNode(node, depth: 0, count: &count, file: file)
    }
    if case .value(.null)? = root?.content { return }
    guard case .members? = root?.content else {
      guard let root else { return }
      throw RuntimeConfigurationFault(
        .file(file, line: root.line), path: "", .wrongKind(expected: "a mapping", found: root.raw.phrase))
    }
  }

  /// A document with the keys of the file.
  public init(json: JSONValue) {
    file = nil
    root = DocumentNode(json)
  }

  /// The document as JSON, in the order of the file. What has a kind by its setting has it here: `yes` is true where a flag
  /// is expected, and a text elsewhere.
  public var json: JSONObject {
    guard case .members(let members)? = root?.content else { return [:] }
    var object = JSONObject()
    for member in members {
      guard Setting.sections.contains(member.key), case .members(let inner) = member.value.content else {
        object[member.key] = member.value.json(as: Setting.byPath[member.key]?.kind)
        continue
      }
      var section = JSONObject()
      for entry in inner {
        section[entry.key] = entry.value.json(as: Setting.byPath["\(member.key).\(entry.key)"]?.kind)
      }
      object[member.key] = .object(section)
    }
    return object
  }

  /// The line of a path, such as `gateway.limits.maxSessions` or `gateway.routes[1].path`, or of the nearest thing around it;
  /// nil where no file has it.
  public func line(of path: String) -> Int? {
    var node = root
    var line: Int?
    for piece in path.split(whereSeparator: { $0 == "." || $0 == "[" || $0 == "]" }) {
      switch node?.content {
      case .members(let members)?:
        guard let member = members.first(where: { $0.key == piece }) else { return line }
        (node, line) = (member.value, member.line)
      case .list(let elements)?:
        guard let index = Int(piece), elements.indices.contains(index) else { return line }
        (node, line) = (elements[index], elements[index].line)
      case .value?, nil: return line
      }
    }
    return line
  }

  func source(_ line: Int?) -> SettingSource { file.map { .file($0, line: line) } ?? .request }

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

/// A value of a document.
struct DocumentNode: Sendable {
  struct Member: Sendable {
    var key: String
    var line: Int?
    var value: DocumentNode
  }

  indirect enum Content: Sendable {
    case members([Member])
    case list([DocumentNode])
    case value(RawValue)
  }

  var content: Content
  var line: Int?

  /// As the value of a setting.
  var raw: RawValue {
    switch content {
    case .members: .mapping
    case .list: .list
    case .value(let raw): raw
    }
  }

  init(_ node: Node, depth: Int, count: inout Int, file: String) throws(RuntimeConfigurationFault) {
    line = node.mark?.line
    count += 1
    guard depth <= RuntimeDocument.deepest, count <= RuntimeDocument.mostNodes else {
      throw RuntimeConfigurationFault(
        .file(file, line: line), path: "",
        .badText("more than \(RuntimeDocument.deepest) levels or \(RuntimeDocument.mostNodes) values"))
    }
    switch node {
    case .mapping(let mapping):
      var members: [Member] = []
      for (key, value) in mapping {
        let inner = try DocumentNode(value, depth: depth + 1, count: &count, file: file)
        members.append(Member(key: key.scalar?.string ?? "", line: key.mark?.line, value: inner))
      }
      content = .members(members)
    case .sequence(let sequence):
      var elements: [DocumentNode] = []
      for element in sequence {
        elements.append(try DocumentNode(element, depth: depth + 1, count: &count, file: file))
      }
      content = .list(elements)
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      let isNull = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      content = .value(isNull ? .null : .text(scalar.string, isPlain: isPlain))
    case .alias: content = .value(.null)
    }
  }

  /// JSON that was parsed has bounds already.
  init(_ value: JSONValue) {
    switch value {
    case .object(let object):
      content = .members(object.map { Member(key: $0.key, line: nil, value: DocumentNode($0.value)) })
    case .array(let elements): content = .list(elements.map { DocumentNode($0) })
    case .null: content = .value(.null)
    case .bool(let flag): content = .value(.flag(flag))
    case .number(let number): content = .value(.number(number.double ?? .infinity))
    case .string(let text): content = .value(.text(text, isPlain: false))
    }
  }

  /// Where nothing says what kind is expected: plain `true`, `false` and JSON's numbers are these, all else is text.
  var json: JSONValue {
    switch content {
    case .members(let members):
      var object = JSONObject()
      for member in members { object[member.key] = member.value.json }
      return .object(object)
    case .list(let elements): return .array(elements.map(\.json))
    case .value(.null), .value(.list), .value(.mapping): return .null
    case .value(.flag(let flag)): return .bool(flag)
    case .value(.number(let number)): return .number(JSONNumber(number))
    case .value(.text("true", isPlain: true)): return .bool(true)
    case .value(.text("false", isPlain: true)): return .bool(false)
    case .value(.text(let text, let isPlain)):
      return isPlain ? JSONNumber(text: text).map { .number($0) } ?? .string(text) : .string(text)
    }
  }

  /// As the value of a setting of that kind; what breaks its rule keeps the kind it has by itself.
  func json(as kind: Setting.Kind?) -> JSONValue {
    guard case .value(.text(let text, isPlain: true)) = content else { return json }
    switch kind {
    case .flag?: return (try? kind?.flag(raw)).map { .bool($0) } ?? json
    case .integer?, .number?: return Double(text).flatMap { $0.isFinite ? .number(JSONNumber($0)) : nil } ?? json
    case .word?, .text?, .url?, .path?, .secret?: return .string(text)
    case nil: return json
    }
  }
}
