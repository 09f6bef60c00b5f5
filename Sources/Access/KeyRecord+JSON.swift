public import Envelope
public import Routing

extension KeyRecord {
  /// The latest time that a record may hold: the end of the year 9999.
  static let latestTime = 253_402_300_799

  /// As the API shows it and a store keeps it: without the key, and without what it is recognised by.
  public var json: JSONObject {
    var object: JSONObject = [
      "id": .string(id), "object": "key", "name": .string(name), "prefix": .string(shownPrefix), "app": .string(app),
      "publishable": .bool(isPublishable), "created_at": Self.time(createdAt), "expires_at": Self.time(expiresAt),
      "revoked_at": Self.time(revokedAt),
    ]
    object.write(providers: providers, models: models, origins: origins, limits: limits, preference, metadata)
    object["source"] = .string(source.rawValue)
    return object
  }

  private static func time(_ unixTime: Int?) -> JSONValue { unixTime.map { .number(JSONNumber($0)) } ?? .null }

  /// Reads what `json` has written; the digest is kept beside it.
  ///
  /// - Throws: `KeyFault` where a member is missing or of another kind.
  public init(json: JSONObject, digest: KeyDigest) throws(KeyFault) {
    guard let source = try json.text("source").flatMap(Source.init(rawValue:)) else { throw .wrong("source") }
    guard let isPublishable = json["publishable"]?.bool else { throw .wrong("publishable") }
    self.init(
      id: try json.needed("id"), name: try json.needed("name"), digest: digest, shownPrefix: try json.needed("prefix"),
      app: try json.needed("app"), isPublishable: isPublishable, createdAt: try json.time("created_at"),
      expiresAt: try json.time("expires_at"), revokedAt: try json.time("revoked_at"),
      providers: try json.patterns("providers"), models: try json.patterns("models"), origins: try json.origins(),
      limits: try json.limits(), preference: try json.preference(), metadata: try json.metadata(), source: source)
  }
}

extension App {
  /// As the API shows it and a store keeps it.
  public var json: JSONObject {
    var object: JSONObject = ["object": "app", "name": .string(name)]
    object.write(providers: providers, models: models, origins: origins, limits: limits, preference, metadata)
    return object
  }

  /// Reads what `json` has written.
  ///
  /// - Throws: `KeyFault` where a member is missing or of another kind.
  public init(json: JSONObject) throws(KeyFault) {
    self.init(
      name: try json.needed("name"), providers: try json.patterns("providers"), models: try json.patterns("models"),
      limits: try json.limits(), preference: try json.preference(), origins: try json.origins(),
      metadata: try json.metadata())
    try check()
  }

  /// - Throws: `KeyFault` for one that no store takes.
  public func check() throws(KeyFault) {
    try KeyOrder.checkName(name, "name")
    try KeyOrder.check(providers, "providers")
    try KeyOrder.check(models, "models")
    try KeyOrder.check(metadata)
  }
}

extension HolderLimits {
  /// The limits that there are, by their names.
  public var json: JSONObject {
    var object = JSONObject()
    for definition in HolderLimitDefinition.all {
      if let value = definition.value(in: self) { object[definition.name] = .number(JSONNumber(value)) }
    }
    return object
  }

  /// - Throws: `KeyFault` for a limit that there is not, and for one out of its range.
  public init(json: JSONObject) throws(KeyFault) {
    self.init()
    for (name, value) in json {
      guard let definition = HolderLimitDefinition.all.first(where: { $0.name == name }) else {
        let known = HolderLimitDefinition.all.map(\.name).joined(separator: ", ")
        throw KeyFault("limits.\(name)", "there is no such limit; known: \(known)")
      }
      guard !value.isNull else { continue }
      guard let number = value.double, definition.set(number, in: &self) else {
        let kind = definition.isWhole ? "a whole number" : "a number"
        throw KeyFault("limits.\(name)", "expected \(kind), \(definition.rangeText)")
      }
    }
  }
}

extension KeyFault {
  fileprivate static func wrong(_ parameter: String) -> KeyFault { KeyFault(parameter, "missing, or of another kind") }
}

extension JSONObject {
  fileprivate mutating func write(
    providers: [String]?, models: [String]?, origins: [OriginPattern], limits: HolderLimits,
    _ preference: WirePreference, _ metadata: JSONObject
  ) {
    self["providers"] = providers.map { .array($0.map(JSONValue.string)) } ?? .null
    self["models"] = models.map { .array($0.map(JSONValue.string)) } ?? .null
    self["origins"] = .array(origins.map { .string($0.description) })
    self["limits"] = .object(limits.json)
    self["dialect"] = preference.dialect.map { .string($0.name) } ?? .null
    self["deltaField"] = preference.deltaFields.map { .string($0.name) } ?? .null
    self["metadata"] = .object(metadata)
  }

  /// Nil where the member is absent or null.
  private func member(_ key: String) -> JSONValue? {
    guard let value = self[key], !value.isNull else { return nil }
    return value
  }

  fileprivate func text(_ key: String) throws(KeyFault) -> String? {
    guard let value = member(key) else { return nil }
    guard let text = value.string else { throw .wrong(key) }
    return text
  }

  fileprivate func needed(_ key: String) throws(KeyFault) -> String {
    guard let text = try text(key) else { throw .wrong(key) }
    return text
  }

  fileprivate func time(_ key: String) throws(KeyFault) -> Int? {
    guard let value = member(key) else { return nil }
    guard let time = value.int, (0...KeyRecord.latestTime).contains(time) else { throw .wrong(key) }
    return time
  }

  fileprivate func patterns(_ key: String) throws(KeyFault) -> [String]? {
    guard let value = member(key) else { return nil }
    guard let array = value.array else { throw .wrong(key) }
    let patterns = array.compactMap(\.string)
    guard patterns.count == array.count else { throw .wrong(key) }
    try KeyOrder.check(patterns, key)
    return patterns
  }

  fileprivate func origins() throws(KeyFault) -> [OriginPattern] {
    guard let value = member("origins") else { return [] }
    guard let array = value.array else { throw .wrong("origins") }
    let origins = array.compactMap { $0.string.flatMap(OriginPattern.init) }
    guard origins.count == array.count else { throw .wrong("origins") }
    return origins
  }

  fileprivate func limits() throws(KeyFault) -> HolderLimits {
    guard let value = member("limits") else { return HolderLimits() }
    guard let object = value.object else { throw .wrong("limits") }
    return try HolderLimits(json: object)
  }

  fileprivate func preference() throws(KeyFault) -> WirePreference {
    var preference = WirePreference()
    if let name = try text("dialect") {
      guard let dialect = DialectChoice(name) else { throw .wrong("dialect") }
      preference.dialect = dialect
    }
    if let name = try text("deltaField") {
      guard let fields = AudioDeltaWriter.Fields(name: name) else { throw .wrong("deltaField") }
      preference.deltaFields = fields
    }
    return preference
  }

  fileprivate func metadata() throws(KeyFault) -> JSONObject {
    guard let value = member("metadata") else { return [:] }
    guard let object = value.object else { throw .wrong("metadata") }
    return object
  }
}
