/// Walks the tree of a configuration file, collects every fault, and goes on with a stand-in value after each, so that one
/// run shows them all.
struct TableDecoder {
  /// A decoded value with the place that later checks report.
  struct Located<Value> {
    var value: Value
    var place: Place
    var path: ValuePath
  }

  /// The members of an object.
  struct Fields {
    var place: Place
    var path: ValuePath
    var members: [PositionedMember]

    func member(_ key: String) -> PositionedMember? { members.first { $0.key == key } }
  }

  let file: String
  let map: SourceMap
  let directory: String
  let sources: SecretSources
  var faults: [RouteFault] = []

  init(file: String, map: SourceMap, directory: String, sources: SecretSources) {
    self.file = file
    self.map = map
    self.directory = directory
    self.sources = sources
  }

  /// Nil for what stands in no file.
  func line(of place: Place) -> Int? {
    if case .file(let offset) = place { map.position(of: offset).line } else { nil }
  }

  mutating func report(_ cause: RouteFault.Cause, at place: Place, _ path: ValuePath) {
    var (file, path, line, column) = (file, path.description, nil as Int?, 0)
    switch place {
    case .file(let offset): (line, column) = map.position(of: offset)
    case .patch: (file, path) = (RouteTable.patchName, RouteTable.patchSection + (path.isEmpty ? "" : ".\(path)"))
    case .environment(let name): file = name
    }
    faults.append(RouteFault(file: file, line: line, column: column, path: path, cause: cause))
  }

  mutating func report<Value>(_ cause: RouteFault.Cause, at located: Located<Value>) {
    report(cause, at: located.place, located.path)
  }

  /// A second thing of the same name is a fault, which names the line of the first.
  mutating func checkUnique(_ name: Located<String>, _ what: String, among places: inout [String: Place]) {
    if let first = places[name.value] { report(.duplicate(what: what, firstLine: line(of: first)), at: name) }
    places[name.value] = places[name.value] ?? name.place
  }

  // MARK: Kinds

  private mutating func wrongKind(_ expected: String, _ value: PositionedValue, _ path: ValuePath) {
    report(.wrongKind(expected: expected, found: value.kindName), at: value.place, path)
  }

  /// The members of an object without those that a patch takes away, or that come a second time; both a duplicate and, where `known` is given, a key
  /// beside these are faults.
  mutating func fields(_ value: PositionedValue, _ path: ValuePath, known: [String]?) -> Fields? {
    guard case .object(let members) = value.content else {
      wrongKind("an object", value, path)
      return nil
    }
    var firstPlaces: [String: Place] = [:]
    var unique: [PositionedMember] = []
    for member in members {
      if let first = firstPlaces[member.key] {
        report(.duplicateKey(firstLine: line(of: first)), at: member.keyPlace, path.key(member.key))
        continue
      }
      firstPlaces[member.key] = member.keyPlace
      if !member.isRemoved { unique.append(member) }
      guard let known, !known.contains(member.key) else { continue }
      let nearest = NearestName.of(member.key, among: known)
      report(.unknownKey(nearest: nearest, known: known), at: member.keyPlace, path.key(member.key))
    }
    return Fields(place: value.place, path: path, members: unique)
  }

  mutating func elements(_ value: PositionedValue, _ path: ValuePath) -> [Located<PositionedValue>]? {
    guard case .array(let values) = value.content else {
      wrongKind("an array", value, path)
      return nil
    }
    return values.enumerated().map { Located(value: $1, place: $1.place, path: path.index($0)) }
  }

  /// A string member; nil if it is absent or of another kind, which is reported.
  mutating func string(_ fields: Fields, _ key: String) -> Located<String>? {
    guard let member = fields.member(key) else { return nil }
    return string(member.value, fields.path.key(key))
  }

  mutating func string(_ value: PositionedValue, _ path: ValuePath) -> Located<String>? {
    guard case .string(let text) = value.content else {
      wrongKind("a string", value, path)
      return nil
    }
    return Located(value: text, place: value.place, path: path)
  }

  mutating func bool(_ value: PositionedValue, _ path: ValuePath) -> Bool? {
    guard case .bool(let flag) = value.content else {
      wrongKind("a boolean", value, path)
      return nil
    }
    return flag
  }

  /// A string member that must be there; its absence is reported where the object begins.
  mutating func requiredString(_ fields: Fields, _ key: String) -> Located<String>? {
    guard fields.member(key) != nil else {
      report(.missingKey, at: fields.place, fields.path.key(key))
      return nil
    }
    return string(fields, key)
  }

  /// A string out of a few; nil without the key, and with another string, which is reported.
  mutating func choice<Value>(_ fields: Fields, _ key: String, _ choices: [(String, Value)]) -> Value? {
    guard let text = string(fields, key) else { return nil }
    guard let value = choices.first(where: { $0.0 == text.value })?.1 else {
      let names = choices.map { "\"\($0.0)\"" }.joined(separator: ", ")
      report(.badText("expected one of \(names)"), at: text)
      return nil
    }
    return value
  }

  /// A number within a range; whole if `isWhole`.
  mutating func number(
    _ value: PositionedValue, _ path: ValuePath, _ range: ClosedRange<Double>, rangeText: String, isWhole: Bool
  ) -> Double? {
    guard case .number(let text) = value.content else {
      wrongKind("a number", value, path)
      return nil
    }
    let shown = text.utf8.count <= 32 ? text : "\(text.prefix(32))…"
    // A number too large for a Double is infinite, or nil, and out of every range.
    let number = Double(text) ?? .infinity
    guard range.contains(number) else {
      report(.outOfRange(found: shown, range: rangeText), at: value.place, path)
      return nil
    }
    guard !isWhole || number == number.rounded() else {
      report(.wrongKind(expected: "a whole number", found: shown), at: value.place, path)
      return nil
    }
    return number
  }

  // MARK: Secrets, names and files

  /// A reference; a value in its place is a fault that does not repeat it.
  mutating func reference(_ text: Located<String>) -> SecretReference? {
    if let reference = SecretReference(text.value) { return reference }
    report(.bareSecret, at: text)
    return nil
  }

  /// A name of 1 to 64 letters, digits, ".", "_" and "-": it stands in queries, logs and labels of metrics.
  mutating func checkName(_ name: Located<String>) {
    let extra = Set("._-".utf8)
    let isPlain =
      (1...64).contains(name.value.utf8.count)
      && name.value.utf8.allSatisfy { $0.isLetter || $0.isDigit || extra.contains($0) }
    if !isPlain { report(.badName("1 to 64 letters, digits, \".\", \"_\" or \"-\" are allowed"), at: name) }
  }

  /// The path of a file that has to be there now.
  mutating func readableFile(_ path: Located<String>) -> String {
    let resolved = SecretSources.resolve(path.value, in: directory)
    do {
      _ = try sources.file(resolved, RouteTable.largestFileBytes)
    } catch {
      report(.unreadableFile(error), at: path)
    }
    return resolved
  }
}
