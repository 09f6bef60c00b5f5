import Envelope

/// The layers above the file: variables of the environment, and section `gateway` of the runtime configuration.
extension TableDecoder {
  /// Sections of what is bound and opened once, when the process starts.
  static let fixedSections = ["listen", "ledger"]

  /// Variables that stand for a member of the file, and come before it.
  static let variables = [(name: "PARLEY_DEFAULT_PROVIDER", key: "default"), (name: "PARLEY_CONTACT", key: "contact")]

  /// The file's value with what the layers above it change (RFC 7396). What is changed knows that it does not stand in
  /// the file.
  mutating func merged(_ root: PositionedValue, _ patch: JSONObject) -> PositionedValue {
    // A file that is no object is at fault already, whatever is laid over it.
    guard case .object = root.content else { return root }
    var root = root
    for variable in Self.variables {
      guard let text = sources.environment(variable.name), !text.isEmpty else { continue }
      let place = Place.environment(variable.name)
      root.set(variable.key, PositionedValue(content: .string(text), place: place), at: place)
    }
    var patch = patch
    for key in Self.fixedSections where patch[key] != nil {
      report(.badText("it takes effect when the process starts: it belongs into the file"), at: .patch, .root.key(key))
      patch[key] = nil
    }
    guard isShallow(.object(patch)) else { return root }
    root.merge(patch)
    return root
  }

  /// What the parser does for the file: nothing walks down without an end.
  private mutating func isShallow(_ patch: JSONValue) -> Bool {
    func depth(_ value: JSONValue, _ level: Int) -> Int {
      guard level <= PositionedParser.deepest else { return level }
      switch value {
      case .object(let object): return object.map { depth($0.value, level + 1) }.max() ?? level
      case .array(let elements): return elements.map { depth($0, level + 1) }.max() ?? level
      case .null, .bool, .number, .string: return level
      }
    }
    if depth(patch, 0) <= PositionedParser.deepest { return true }
    report(.badText("more than \(PositionedParser.deepest) levels"), at: .patch, .root)
    return false
  }
}

extension PositionedValue {
  /// A value of the runtime configuration.
  init(_ value: JSONValue) {
    place = .patch
    content =
      switch value {
      case .null: .null
      case .bool(let flag): .bool(flag)
      case .number(let number): .number(number.text)
      case .string(let text): .string(text)
      case .array(let elements): .array(elements.map { PositionedValue($0) })
      case .object(let object):
        .object(
          object.map { PositionedMember(key: $0.key, keyPlace: .patch, value: PositionedValue($0.value)) })
      }
  }

  /// Lays a patch over the value, which becomes an object if it is none (RFC 7396 section 2).
  fileprivate mutating func merge(_ patch: JSONObject) {
    if case .object = content {} else { self = PositionedValue(content: .object([]), place: .patch) }
    for (key, change) in patch {
      switch change {
      case .null: set(key, PositionedValue(content: .removed, place: .patch), at: .patch)
      case .object(let patch):
        var value = member(key) ?? PositionedValue(content: .object([]), place: .patch)
        value.merge(patch)
        set(key, value, at: .patch)
      case .bool, .number, .string, .array: set(key, PositionedValue(change), at: .patch)
      }
    }
  }

  private func member(_ key: String) -> PositionedValue? {
    guard case .object(let members) = content else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The key of a member that is there stays where it was written.
  fileprivate mutating func set(_ key: String, _ value: PositionedValue, at place: Place) {
    guard case .object(var members) = content else { return }
    if let index = members.firstIndex(where: { $0.key == key }) {
      members[index].value = value
    } else {
      members.append(PositionedMember(key: key, keyPlace: place, value: value))
    }
    content = .object(members)
  }

  /// Without places.
  var json: JSONValue {
    switch content {
    case .null, .removed: return .null
    case .bool(let flag): return .bool(flag)
    case .number(let text): return JSONNumber(text: text).map { .number($0) } ?? .null
    case .string(let text): return .string(text)
    case .array(let elements): return .array(elements.map(\.json))
    case .object(let members):
      var object = JSONObject()
      for member in members where !member.isRemoved { object[member.key] = member.value.json }
      return .object(object)
    }
  }
}

extension RouteTable {
  /// Variables of the environment that stand for a member of the file, and come before it.
  public static var variables: [(name: String, key: String)] { TableDecoder.variables }
}
