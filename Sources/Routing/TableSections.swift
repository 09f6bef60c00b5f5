import Envelope
import Translation

/// The sections of the file, each decoded by a function of its name.
extension TableDecoder {
  /// The whole file. Meaningful only if no fault was reported.
  mutating func table(_ root: PositionedValue) -> RouteTable {
    let known = ["listen", "default", "providers", "routes", "access", "contact", "limits"]
    let fields = fields(root, .root, known: known)
    // A file that is no object has one fault, not one for each key that it lacks.
    guard let fields else {
      return RouteTable(
        listeners: [], defaultProvider: "", providers: [:], providerNames: [], routes: [], accessKeys: [], proxies: [],
        contact: "", limits: GatewayLimits())
    }
    let (providers, declared) = providers(fields)
    let defaultProvider = defaultProvider(fields, declared)
    let routes = routes(fields, declared, defaultProvider: defaultProvider)
    let (accessKeys, writtenKeys, proxies) = access(fields)
    return RouteTable(
      listeners: listen(fields, hasAccessKeys: writtenKeys > 0), defaultProvider: defaultProvider,
      providers: Dictionary(providers.map { ($0.name, $0) }) { first, _ in first },
      providerNames: providers.map(\.name), routes: routes, accessKeys: accessKeys, proxies: proxies,
      contact: contact(fields), limits: limits(fields))
  }

  // MARK: listen

  private mutating func listen(_ fields: Fields, hasAccessKeys: Bool) -> [Listener] {
    guard let member = fields.member("listen") else { return RouteTable.defaultListeners }
    let path = fields.path.key("listen")
    guard let elements = elements(member.value, path) else { return [] }
    if elements.isEmpty { report(.empty("address"), at: member.value.offset, path) }
    var listeners: [Listener] = []
    var lines: [Listener: Int] = [:]
    for element in elements {
      guard let listener = listener(element, hasAccessKeys: hasAccessKeys) else { continue }
      if let first = lines[listener], listener.port != 0 {
        report(.duplicate(what: "address", firstLine: first), at: element)
      }
      lines[listener] = lines[listener] ?? line(of: element.offset)
      listeners.append(listener)
    }
    return listeners
  }

  private mutating func listener(_ element: Located<PositionedValue>, hasAccessKeys: Bool) -> Listener? {
    guard let fields = fields(element.value, element.path, known: ["host", "port"]) else { return nil }
    let host = requiredString(fields, "host")
    if let host {
      if !NetworkAddress.isHost(host.value) {
        report(.badHost, at: host)
      } else if !hasAccessKeys, !NetworkAddress.isLoopback(host.value) {
        report(.publicWithoutKeys(host: host.value), at: host)
      }
    }
    let portPath = fields.path.key("port")
    guard let member = fields.member("port") else {
      report(.missingKey, at: fields.offset, portPath)
      return nil
    }
    let port = number(member.value, portPath, 0...65_535, rangeText: "0 to 65535", isWhole: true)
    guard let host, let port else { return nil }
    return Listener(host: host.value, port: Int(port))
  }

  // MARK: default, routes

  static let routeKeys = ["path", "provider", "dialect", "deltaField", "strict", "vendorEvents"]

  private mutating func defaultProvider(_ fields: Fields, _ declared: [String]) -> String {
    guard let name = requiredString(fields, "default") else { return "" }
    checkDeclared(name, declared)
    return name.value
  }

  private mutating func checkDeclared(_ name: Located<String>, _ declared: [String]) {
    guard !declared.contains(name.value) else { return }
    let nearest = NearestName.of(name.value, among: declared)
    report(.undeclaredProvider(name.value, nearest: nearest, known: declared), at: name)
  }

  private mutating func routes(_ fields: Fields, _ declared: [String], defaultProvider: String) -> [Route] {
    guard let member = fields.member("routes") else {
      return RouteTable.defaultPaths.map { Route(path: $0, provider: defaultProvider) }
    }
    let path = fields.path.key("routes")
    guard let elements = elements(member.value, path) else { return [] }
    if elements.isEmpty { report(.empty("route"), at: member.value.offset, path) }
    var routes: [Route] = []
    var lines: [String: Int] = [:]
    for element in elements {
      guard let fields = self.fields(element.value, element.path, known: Self.routeKeys) else { continue }
      let provider = string(fields, "provider")
      if let provider { checkDeclared(provider, declared) }
      guard let path = requiredString(fields, "path") else { continue }
      if let fault = PathText.fault(in: path.value[...]) {
        report(.badPath(fault), at: path)
        continue
      }
      let plain = RouteTable.withoutTrailingSlash(path.value)
      if let first = lines[plain] { report(.duplicate(what: "path", firstLine: first), at: path) }
      lines[plain] = lines[plain] ?? line(of: path.offset)
      let preference = preference(fields)
      routes.append(
        Route(
          path: plain, provider: provider?.value ?? defaultProvider, dialect: preference.dialect,
          deltaFields: preference.deltaFields, isStrict: flag(fields, "strict"),
          passesVendorEvents: flag(fields, "vendorEvents")))
    }
    return routes
  }

  /// `dialect` and `deltaField`, of a route or of a key.
  private mutating func preference(_ fields: Fields) -> WirePreference {
    let dialects = DialectChoice.names.compactMap { name in DialectChoice(name).map { (name, $0) } }
    let deltaFields = AudioDeltaWriter.Fields.names.compactMap { name in
      AudioDeltaWriter.Fields(name: name).map { (name, $0) }
    }
    return WirePreference(
      dialect: choice(fields, "dialect", dialects), deltaFields: choice(fields, "deltaField", deltaFields))
  }

  /// How many of something there may be; nil without the member.
  mutating func most(_ fields: Fields, _ key: String) -> Int? {
    guard let member = fields.member(key) else { return nil }
    let path = fields.path.key(key)
    return number(member.value, path, 1...1_000_000, rangeText: "1 to 1000000", isWhole: true).map { Int($0) }
  }

  /// A boolean member, false without it.
  mutating func flag(_ fields: Fields, _ key: String) -> Bool {
    fields.member(key).flatMap { bool($0.value, fields.path.key(key)) } ?? false
  }

  // MARK: access, contact

  static let accessKeyKeys = ["name", "key", "dialect", "deltaField", "maxSessions"]

  /// The keys, how many the file means to give, a faulty key being no missing one, and the proxies.
  private mutating func access(_ fields: Fields) -> (keys: [AccessKey], written: Int, proxies: [String]) {
    guard let member = fields.member("access"),
      let fields = self.fields(member.value, fields.path.key("access"), known: ["keys", "proxies"])
    else { return ([], 0, []) }
    let (keys, written) = accessKeys(fields)
    return (keys, written, proxies(fields))
  }

  private mutating func proxies(_ fields: Fields) -> [String] {
    guard let list = fields.member("proxies"), let elements = elements(list.value, fields.path.key("proxies"))
    else { return [] }
    var proxies: [String] = []
    for element in elements {
      guard let text = string(element.value, element.path) else { continue }
      if IPAddress(text.value) == nil { report(.badText("expected an IP address"), at: text) }
      proxies.append(text.value)
    }
    return proxies
  }

  private mutating func accessKeys(_ fields: Fields) -> (keys: [AccessKey], written: Int) {
    guard let list = fields.member("keys"), let elements = elements(list.value, fields.path.key("keys"))
    else { return ([], 0) }
    var keys: [AccessKey] = []
    var lines: [String: Int] = [:]
    for element in elements {
      guard let fields = self.fields(element.value, element.path, known: Self.accessKeyKeys)
      else { continue }
      let name = requiredString(fields, "name")
      if let name {
        checkName(name)
        if let first = lines[name.value] { report(.duplicate(what: "name", firstLine: first), at: name) }
        lines[name.value] = lines[name.value] ?? line(of: name.offset)
      }
      let preference = preference(fields)
      let maxSessions = most(fields, "maxSessions")
      guard let text = requiredString(fields, "key"), let reference = reference(text) else { continue }
      if let key = accessKey(reference, text), let name {
        keys.append(
          AccessKey(
            name: name.value, reference: reference, key: key, preference: preference, maxSessions: maxSessions))
      }
    }
    return (keys, elements.count)
  }

  /// Unlike a provider's, the secret of an access key has to be there: without it the server would be open or locked, and
  /// neither is what the file says (fault row 60).
  private mutating func accessKey(_ reference: SecretReference, _ text: Located<String>) -> Redacted<String>? {
    do {
      let key = try sources.secret(reference, directory: directory)
      let longest = AccessKey.longestKeyBytes
      guard key.reveal().utf8.count <= longest else {
        report(.badText("\(reference) holds more than \(longest) bytes"), at: text)
        return nil
      }
      return key
    } catch {
      report(.missingSecret(error), at: text)
      return nil
    }
  }

  private mutating func contact(_ fields: Fields) -> String {
    guard let contact = string(fields, "contact") else { return "" }
    let isPlain = !contact.value.unicodeScalars.contains { $0.properties.generalCategory == .control }
    if contact.value.utf8.count > 500 || !isPlain {
      report(.badText("at most 500 bytes and no line breaks or control characters are allowed"), at: contact)
    }
    return contact.value
  }

  // MARK: limits

  private mutating func limits(_ fields: Fields) -> GatewayLimits {
    var limits = GatewayLimits()
    guard let member = fields.member("limits"),
      let fields = self.fields(
        member.value, fields.path.key("limits"), known: LimitDefinition.all.map(\.name))
    else { return limits }
    for definition in LimitDefinition.all {
      guard let member = fields.member(definition.name) else { continue }
      let number = number(
        member.value, fields.path.key(definition.name), definition.lowest...definition.highest,
        rangeText: definition.rangeText, isWhole: definition.isWhole)
      if let number { definition.set(number, in: &limits) }
    }
    checkWaterMarks(limits, fields)
    return limits
  }

  /// The marks must not meet, or reading would be switched on and off with every write. The fault stands at the mark that
  /// the file gives; the other may be a default.
  private mutating func checkWaterMarks(_ limits: GatewayLimits, _ fields: Fields) {
    let (low, high) = (limits.writeLowWaterBytes, limits.writeHighWaterBytes)
    guard low >= high else { return }
    if let member = fields.member("writeLowWaterBytes") {
      let cause = RouteFault.Cause.outOfRange(found: String(low), range: "below writeHighWaterBytes (\(high))")
      report(cause, at: member.value.offset, fields.path.key(member.key))
    } else if let member = fields.member("writeHighWaterBytes") {
      let cause = RouteFault.Cause.outOfRange(found: String(high), range: "above writeLowWaterBytes (\(low))")
      report(cause, at: member.value.offset, fields.path.key(member.key))
    }
  }
}
