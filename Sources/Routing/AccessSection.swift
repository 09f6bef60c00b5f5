import Envelope
import Metering
import Translation

/// Section `access` of the file.
extension TableDecoder {
  /// Sections `access` and `tokens`, and whether the file means to let clients of other machines in: it has keys, secrets
  /// of tokens, or a key for making keys. One with a fault is no missing one.
  mutating func access(_ root: Fields, declared: [String]) -> (table: AccessTable, admitsOthers: Bool) {
    var table = AccessTable()
    var isLocked = false
    let fields = root.member("access").flatMap { member in
      self.fields(member.value, root.path.key("access"), known: ConfigurationReference.access.names)
    }
    if let fields {
      let (apps, names) = apps(fields, declared)
      table.apps = apps
      let (keys, written) = keys(fields, apps: names, declared)
      table.keys = keys
      table.origins = origins(fields)
      table.proxies = proxies(fields)
      isLocked = written > 0 || fields.member("admin") != nil
    }
    table.admin = admin(fields)
    let (tokens, hasTokens) = tokens(root)
    table.tokens = tokens
    return (table, isLocked || table.admin != nil || hasTokens)
  }

  // MARK: What keys and apps have in common

  /// `dialect` and `deltaField`, of a route, a key or an app.
  mutating func preference(_ fields: Fields) -> WirePreference {
    let dialects = DialectChoice.names.compactMap { name in DialectChoice(name).map { (name, $0) } }
    let deltaFields = AudioDeltaWriter.Fields.names.compactMap { name in
      AudioDeltaWriter.Fields(name: name).map { (name, $0) }
    }
    return WirePreference(
      dialect: choice(fields, "dialect", dialects), deltaFields: choice(fields, "deltaField", deltaFields))
  }

  /// The five limits.
  mutating func holderLimits(_ fields: Fields) -> HolderLimits {
    var limits = HolderLimits()
    for definition in HolderLimitDefinition.all {
      if let value = limit(fields, definition.name, definition) { definition.set(value, in: &limits) }
    }
    return limits
  }

  /// One limit, of the range that it has for everybody.
  mutating func limit(_ fields: Fields, _ key: String, _ definition: HolderLimitDefinition) -> Double? {
    guard let member = fields.member(key) else { return nil }
    return number(
      member.value, fields.path.key(key), definition.range, rangeText: definition.rangeText,
      isWhole: definition.isWhole)
  }

  /// `origins`: web pages, of the section, a route, a key or an app.
  mutating func origins(_ fields: Fields) -> [OriginPattern] {
    guard let list = fields.member("origins"), let elements = elements(list.value, fields.path.key("origins"))
    else { return [] }
    var origins: [OriginPattern] = []
    for element in elements {
      guard let text = string(element.value, element.path) else { continue }
      if let origin = OriginPattern(text.value) {
        origins.append(origin)
      } else {
        report(
          .badText("expected an origin such as \"https://app.example\", \"https://*.example.com\" or \"*\""), at: text)
      }
    }
    return origins
  }

  /// `providers` or `models`; nil without the list. A list that is empty admits nothing, which nobody means.
  private mutating func patterns(_ fields: Fields, _ key: String, declared: [String]? = nil) -> [String]? {
    guard let list = fields.member(key), let elements = elements(list.value, fields.path.key(key)) else { return nil }
    if elements.isEmpty { report(.empty("name"), at: list.value.place, fields.path.key(key)) }
    var patterns: [String] = []
    for element in elements {
      guard let text = string(element.value, element.path) else { continue }
      if !NamePattern.isValid(text.value) {
        report(.badText("expected a name, or the beginning of names before a \"*\""), at: text)
      } else if let declared, !declared.contains(where: { NamePattern.admit($0, [text.value]) }) {
        let nearest = NearestName.of(text.value, among: declared)
        report(.undeclaredProvider(text.value, nearest: nearest, known: declared), at: text)
      }
      patterns.append(text.value)
    }
    return patterns
  }

  private mutating func metadata(_ fields: Fields) -> JSONObject {
    guard let member = fields.member("metadata") else { return [:] }
    let path = fields.path.key("metadata")
    guard case .object = member.value.content, let object = json(member.value, path).object else {
      _ = self.fields(member.value, path, known: nil)
      return [:]
    }
    let text = JSONValue.object(object).text
    if text.utf8.count > Self.longestMetadataBytes {
      report(.badText("at most \(Self.longestMetadataBytes) bytes are allowed"), at: member.value.place, path)
    }
    return object
  }

  static let longestMetadataBytes = 4_096

  /// A value as it is. Zero bytes are refused, which no database keeps in JSON.
  private mutating func json(_ value: PositionedValue, _ path: ValuePath) -> JSONValue {
    switch value.content {
    case .null, .removed: return .null
    case .bool(let flag): return .bool(flag)
    case .number(let text): return JSONNumber(text: text).map { .number($0) } ?? .null
    case .string(let text):
      if text.utf8.contains(0) { report(.badText("the character U+0000 is not allowed"), at: value.place, path) }
      return .string(text)
    case .array(let elements):
      return .array(elements.enumerated().map { index, element in json(element, path.index(index)) })
    case .object:
      var object = JSONObject()
      for member in fields(value, path, known: nil)?.members ?? [] {
        if member.key.utf8.contains(0) {
          report(.badText("the character U+0000 is not allowed"), at: member.keyPlace, path)
        }
        object[member.key] = json(member.value, path.key(member.key))
      }
      return .object(object)
    }
  }

  private mutating func uniqueName(_ fields: Fields, _ places: inout [String: Place]) -> String? {
    guard let name = requiredString(fields, "name") else { return nil }
    checkName(name)
    checkUnique(name, "name", among: &places)
    return name.value
  }

  // MARK: apps

  private mutating func apps(_ fields: Fields, _ declared: [String]) -> (apps: [App], names: [String]) {
    guard let list = fields.member("apps"), let elements = elements(list.value, fields.path.key("apps"))
    else { return ([], [App.usual.name]) }
    var apps: [App] = []
    var places: [String: Place] = [:]
    for element in elements {
      guard let fields = self.fields(element.value, element.path, known: ConfigurationReference.app.names) else {
        continue
      }
      let name = uniqueName(fields, &places)
      let app = App(
        name: name ?? "", providers: patterns(fields, "providers", declared: declared),
        models: patterns(fields, "models"), limits: holderLimits(fields), preference: preference(fields),
        origins: origins(fields), metadata: metadata(fields))
      if name != nil { apps.append(app) }
    }
    return (apps, apps.map(\.name) + [App.usual.name])
  }

  // MARK: keys

  private mutating func keys(
    _ fields: Fields, apps: [String], _ declared: [String]
  ) -> (keys: [AccessKey], written: Int) {
    guard let list = fields.member("keys"), let elements = elements(list.value, fields.path.key("keys"))
    else { return ([], 0) }
    var keys: [AccessKey] = []
    var places: [String: Place] = [:]
    for element in elements {
      guard let fields = self.fields(element.value, element.path, known: ConfigurationReference.accessKey.names) else {
        continue
      }
      let name = uniqueName(fields, &places)
      let secret = keySecret(fields)
      var key = AccessKey(
        name: name ?? "", secret: secret ?? .digest([]), preference: preference(fields), limits: holderLimits(fields),
        providers: patterns(fields, "providers", declared: declared), models: patterns(fields, "models"),
        origins: origins(fields), isPublishable: flag(fields, "publishable"), metadata: metadata(fields))
      if let app = string(fields, "app") {
        if !apps.contains(app.value) {
          let nearest = NearestName.of(app.value, among: apps)
          let hint = nearest.map { "; did you mean \"\($0)\"?" } ?? ""
          report(.badText("app \(quoted(app.value)) is not in access.apps\(hint)"), at: app)
        }
        key.app = app.value
      }
      if let text = string(fields, "expires") {
        if let time = Timestamp(timeOrDay: text.value) {
          key.expiresAt = time.unixTime
        } else {
          report(.badText("expected a day or a time such as \"2027-01-31T12:00:00Z\" (RFC 3339)"), at: text)
        }
      }
      if name != nil, secret != nil { keys.append(key) }
    }
    return (keys, elements.count)
  }

  private mutating func keySecret(_ fields: Fields) -> AccessKey.Secret? {
    guard let member = fields.member("keyHash") else {
      guard let text = requiredString(fields, "key"), let reference = reference(text) else { return nil }
      return accessKey(reference, text).map { .value(reference, $0) }
    }
    if let key = fields.member("key") {
      report(
        .badText("there is a keyHash already; one of the two is enough"), at: key.keyPlace, fields.path.key("key"))
    }
    guard let text = string(member.value, fields.path.key("keyHash")) else { return nil }
    guard text.value.hasPrefix("sha256:"), let digest = Self.bytes(hex: text.value.dropFirst(7)), digest.count == 32
    else {
      report(.badText("expected \"sha256:\" and 64 hexadecimal digits, as `parley key hash` prints"), at: text)
      return nil
    }
    return .digest(digest)
  }

  private static func bytes(hex: Substring) -> [UInt8]? {
    let digits = hex.utf8.map { $0 < 0x80 ? Character(Unicode.Scalar($0)).hexDigitValue : nil }
    guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
    let values = digits.compactMap(\.self)
    return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
  }

  /// Unlike a provider's, the secret of an access key has to be there: without it the server would be open or locked, and
  /// neither is what the file says (fault row 60).
  private mutating func accessKey(_ reference: SecretReference, _ text: Located<String>) -> Redacted<String>? {
    guard let key = secret(reference, text) else { return nil }
    let longest = AccessKey.longestKeyBytes
    guard key.reveal().utf8.count <= longest else {
      report(.badText("\(reference) holds more than \(longest) bytes"), at: text)
      return nil
    }
    return key
  }

  /// A secret that has to be there.
  mutating func secret(_ reference: SecretReference, _ text: Located<String>) -> Redacted<String>? {
    do {
      return try sources.secret(reference, directory: directory)
    } catch {
      report(.missingSecret(error), at: text)
      return nil
    }
  }

  // MARK: listen[].serves

  /// All without the list.
  mutating func services(_ fields: Fields) -> Set<Listener.Service> {
    let path = fields.path.key("serves")
    guard let list = fields.member("serves"), let elements = elements(list.value, path) else {
      return Listener.Service.all
    }
    if elements.isEmpty { report(.empty("service"), at: list.value.place, path) }
    let known = Listener.Service.allCases.map(\.rawValue)
    var services: Set<Listener.Service> = []
    for element in elements {
      guard let text = string(element.value, element.path) else { continue }
      if let service = Listener.Service(rawValue: text.value) {
        services.insert(service)
      } else {
        report(.badText("expected one of \(known.map { "\"\($0)\"" }.joined(separator: ", "))"), at: text)
      }
    }
    return services
  }

  // MARK: admin, proxies

  private mutating func admin(_ fields: Fields?) -> Redacted<String>? {
    guard let fields, fields.member("admin") != nil else {
      return usualSecret("ENGINE_API_KEY", at: ValuePath.root.key("access").key("admin"))
    }
    guard let text = string(fields, "admin"), let reference = reference(text) else { return nil }
    return accessKey(reference, text)
  }

  /// The secret of a variable that needs not be set; an empty one is not.
  mutating func usualSecret(_ name: String, at path: ValuePath) -> Redacted<String>? {
    guard let value = sources.environment(name), !value.isEmpty else { return nil }
    do {
      return try sources.secret(.environment(name), directory: directory)
    } catch {
      report(.missingSecret(error), at: .file(0), path)
      return nil
    }
  }

  private mutating func proxies(_ fields: Fields) -> [String] {
    guard let list = fields.member("proxies"), let elements = elements(list.value, fields.path.key("proxies"))
    else { return [] }
    var proxies: [String] = []
    for element in elements {
      guard let text = string(element.value, element.path) else { continue }
      if IPNetwork(text.value) == nil {
        report(.badText("expected an IP address, or a network such as 10.0.0.0/8"), at: text)
      }
      proxies.append(text.value)
    }
    return proxies
  }
}
