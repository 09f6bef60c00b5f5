import Envelope

/// One JSON Schema on its way to the service's Schema message.
///
/// The way of every schema in it: what it refers to and what it is composed of are merged into it
/// (`Schema+Merging.swift`), each alternative takes over what stands beside it, and what is left is a list of schemas of
/// one type each. Both what may nest and what may be spent are bounded, so that it ends for any input.
struct SchemaConversion {
  /// The whole JSON Schema, into which references point.
  let document: JSONValue
  /// False once structure was lost.
  var isExact = true
  /// What may still be spent.
  private(set) var work: Int
  /// What is being expanded, innermost last, by pointer; the same as a set.
  var open = [""]
  var isOpen: Set<String> = [""]
  /// The pointers of what was found to contain itself.
  var recursive: Set<String> = []

  /// More alternatives than this help no model.
  private static let maxAlternatives = 256

  /// Below this room nothing more is taken in: the alternatives of a schema without inner ones nest 4 at most.
  private static let leastRoom = 6

  init(of document: JSONValue, work: Int) {
    self.document = document
    self.work = work
  }

  var isSpent: Bool { work <= 0 }

  mutating func spend(_ cost: Int) {
    work = max(0, work - cost)
    if isSpent { isExact = false }
  }

  /// What a schema allows: values of any of the branches, each of one type, and perhaps null.
  struct Alternatives {
    var branches: [JSONObject] = []
    var isNullable = false

    mutating func formUnion(_ other: Alternatives) {
      isNullable = isNullable || other.isNullable
      for branch in other.branches { append(branch) }
    }

    /// Lists of values that differ in nothing else become one list.
    mutating func append(_ branch: JSONObject) {
      guard let values = branch["enum"]?.array else {
        if !branches.contains(branch) { branches.append(branch) }
        return
      }
      for (index, other) in branches.enumerated() {
        guard let known = other["enum"]?.array, other.withoutEnum == branch.withoutEnum else { continue }
        let texts = Set(known.compactMap(\.string))
        branches[index]["enum"] = .array(known + values.filter { !texts.contains($0.string ?? "") })
        return
      }
      branches.append(branch)
    }

    /// Nil where no value is allowed at all.
    var schema: JSONObject? {
      var branches = branches
      if branches.isEmpty, isNullable { branches = [["type": .string(SchemaType.string.rawValue)]] }
      if isNullable {
        for index in branches.indices { branches[index]["nullable"] = true }
      }
      return branches.count > 1 ? ["anyOf": .array(branches.map(JSONValue.object))] : branches.first
    }
  }

  /// The schema of a function's arguments; nil without properties.
  mutating func parameters() -> JSONValue? {
    guard !document.isNull else { return nil }
    let alternatives = alternatives(of: document, room: Schema.maxNesting, otherwise: .object)
    let objects = alternatives.branches.filter { $0["properties"] != nil }
    // The arguments are one object, even where that may have one of several forms.
    if objects.count != 1, !alternatives.branches.allSatisfy(\.isBareObject) { isExact = false }
    guard var united = objects.first else { return nil }
    for object in objects.dropFirst() { united.formUnion(object) }
    return .object(united)
  }

  /// - Parameters:
  ///   - room: how many containers may nest in the outcome.
  ///   - otherwise: the type where nothing tells it.
  private mutating func alternatives(
    of schema: JSONValue, room: Int, otherwise: SchemaType = .string
  ) -> Alternatives {
    spend(64)
    if schema == .bool(false) { return Alternatives() }
    guard let object = schema.object else {
      if schema != .bool(true) { isExact = false }
      return Alternatives(branches: [branch(otherwise, of: [:], room: room)])
    }
    let outer = open.count
    defer { close(downTo: outer) }
    return alternatives(ofFlat: flattened(object), room: room, otherwise: otherwise)
  }

  private mutating func alternatives(ofFlat flat: JSONObject, room: Int, otherwise: SchemaType) -> Alternatives {
    var base = flat
    for key in ["anyOf", "oneOf"] {
      guard let value = base[key] else { continue }
      base[key] = nil
      guard let branches = value.array, !branches.isEmpty, !onlyRequire(branches, of: base) else { continue }
      guard room > Self.leastRoom, !isSpent else {
        isExact = false
        continue
      }
      if branches.count > Self.maxAlternatives { isExact = false }
      var united = Alternatives()
      for branch in branches.prefix(Self.maxAlternatives) where branch != .bool(false) && !isSpent {
        guard united.branches.count < Self.maxAlternatives else {
          isExact = false
          break
        }
        guard let merged = merged(base, branch.object ?? [:]) else { continue }
        united.formUnion(alternatives(of: .object(merged), room: room - 2, otherwise: otherwise))
      }
      return united
    }
    return alternatives(ofOne: base, room: room, otherwise: otherwise)
  }

  /// Which of its properties an object must have, as alternatives, cannot be said; its properties can.
  private func onlyRequire(_ branches: [JSONValue], of base: JSONObject) -> Bool {
    guard base["properties"] != nil else { return false }
    return branches.allSatisfy { branch in
      branch.object?.keys.allSatisfy { ["required", "not", "title", "description"].contains($0) } ?? false
    }
  }

  /// - Parameter schema: free of references and alternatives.
  private mutating func alternatives(
    ofOne schema: JSONObject, room: Int, otherwise: SchemaType
  ) -> Alternatives {
    let stated = statedTypes(schema["type"])
    var outcome = Alternatives()
    outcome.isNullable = schema["nullable"]?.bool == true || stated.allowsNull
    var types = stated.types
    if types.isEmpty, !stated.allowsNull { types = [inferredType(of: schema) ?? otherwise] }

    if let values = schema["const"].map({ [$0] }) ?? schema["enum"]?.array, !values.isEmpty {
      if values.contains(.null) { outcome.isNullable = true }
      let others = values.filter { !$0.isNull }
      let texts = texts(of: others)
      if others.allSatisfy({ $0.bool != nil }) {
        // Their names as strings would be of the wrong type for the client, and the type alone says almost as much.
        types = others.isEmpty ? [] : [.boolean]
      } else if !texts.isEmpty {
        var branch = branch(.string, of: schema, room: room)
        branch["enum"] = .array(texts.map(JSONValue.string))
        outcome.branches = [branch]
        return outcome
      } else {
        let kinds = others.compactMap(SchemaType.init(of:))
        types = SchemaType.allCases.filter(kinds.contains)
      }
    }
    if types.contains(.number) { types.removeAll { $0 == .integer } }
    let inner = types.count > 1 ? room - 2 : room
    outcome.branches = types.map { branch($0, of: schema, room: inner) }
    return outcome
  }

  /// The values of an enumeration that can be strings; an empty one is refused by the service.
  private mutating func texts(of values: [JSONValue]) -> [String] {
    var texts: [String] = []
    var known: Set<String> = []
    for value in values {
      guard let text = value.scalarText else {
        isExact = false
        continue
      }
      spend(text.utf8.count + 8)
      if !text.isEmpty, !isSpent, known.insert(text).inserted { texts.append(text) }
    }
    return texts
  }

  private mutating func statedTypes(_ value: JSONValue?) -> (types: [SchemaType], allowsNull: Bool) {
    var types: [SchemaType] = []
    var allowsNull = false
    for name in (value?.array ?? value.map { [$0] }) ?? [] {
      let upper = name.string?.uppercased() ?? ""
      if let type = SchemaType(rawValue: upper) {
        if !types.contains(type) { types.append(type) }
      } else if upper == "NULL" {
        allowsNull = true
      } else {
        isExact = false
      }
    }
    return (types, allowsNull)
  }

  // MARK: - One type

  mutating func branch(_ type: SchemaType, of schema: JSONObject, room: Int) -> JSONObject {
    var branch: JSONObject = ["type": .string(type.rawValue)]
    for key in ["title", "description"] {
      guard let text = schema[key]?.string, !text.isEmpty else { continue }
      spend(text.utf8.count)
      if !isSpent { branch[key] = .string(text) }
    }
    switch type {
    case .string: branch.addText(schema)
    case .number, .integer: branch.addNumber(schema, isInteger: type == .integer)
    case .boolean: break
    case .array:
      branch["items"] = .object(items(of: schema, room: room))
      branch.addCounts(schema, "minItems", "maxItems")
    case .object: addMembers(of: schema, to: &branch, room: room)
    }
    for key in ["default", "example"] {
      guard let value = schema[key].map({ type == .string ? $0.scalarText.map(JSONValue.string) ?? $0 : $0 }),
        type.includes(value), value.nesting(upTo: room) < room
      else { continue }
      spend(value.text.utf8.count)
      if !isSpent { branch[key] = value }
    }
    return branch
  }

  /// What an array holds; that of a tuple is what any of its places holds.
  private mutating func items(of schema: JSONObject, room: Int) -> JSONObject {
    let anything: JSONObject = ["type": .string(SchemaType.string.rawValue)]
    var places = schema["prefixItems"]?.array ?? schema["items"]?.array ?? []
    let isTuple = !places.isEmpty
    if let rest = schema["items"], rest.array == nil, !isTuple || rest.object != nil { places.append(rest) }
    guard !places.isEmpty else { return anything }
    guard room > Self.leastRoom, !isSpent else {
      isExact = false
      return anything
    }
    var united = Alternatives()
    for place in places where !isSpent {
      united.formUnion(alternatives(of: place, room: room - (isTuple ? 3 : 1)))
    }
    if isTuple, united.branches.count > 1 { isExact = false }
    return united.schema ?? anything
  }

  private mutating func addMembers(of schema: JSONObject, to branch: inout JSONObject, room: Int) {
    branch.addCounts(schema, "minProperties", "maxProperties")
    if schema["patternProperties"] != nil || schema["additionalProperties"]?.object?.isEmpty == false {
      isExact = false
    }
    guard let members = schema["properties"]?.object, !members.isEmpty else { return }
    guard room > Self.leastRoom, !isSpent else {
      isExact = false
      return
    }
    var properties = JSONObject()
    for (name, member) in members {
      spend(name.utf8.count)
      guard !isSpent else { break }
      properties[name] = alternatives(of: member, room: room - 2).schema.map(JSONValue.object)
    }
    guard !properties.isEmpty else { return }
    branch["properties"] = .object(properties)
    branch["required"] = .names(schema["required"], of: properties)
    // An ordering of some of them is refused.
    let ordering = JSONValue.names(schema["propertyOrdering"], of: properties)
    if ordering?.array?.count == properties.count { branch["propertyOrdering"] = ordering }
  }
}
