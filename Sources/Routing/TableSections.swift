import Envelope
import Translation

/// The sections of the file, each decoded by a function of its name.
extension TableDecoder {
  /// The whole file. Meaningful only if no fault was reported.
  mutating func table(_ root: PositionedValue) -> RouteTable {
    let fields = fields(root, .root, known: ConfigurationReference.top.names)
    // A file that is no object has one fault, not one for each key that it lacks.
    guard let fields else {
      return RouteTable(
        listeners: [], defaultProvider: "", providers: [:], providerNames: [], routes: [], access: AccessTable(),
        ledger: LedgerTable(), contact: "", limits: GatewayLimits(), document: [:])
    }
    let (providers, declared) = providers(fields)
    let defaultProvider = defaultProvider(fields, declared)
    let routes = routes(fields, declared, defaultProvider: defaultProvider)
    let (access, admitsOthers) = access(fields, declared: declared)
    return RouteTable(
      listeners: listen(fields, admitsOthers: admitsOthers), defaultProvider: defaultProvider,
      providers: Dictionary(providers.map { ($0.name, $0) }) { first, _ in first },
      providerNames: providers.map(\.name), routes: routes, access: access, ledger: ledger(fields),
      contact: contact(fields), limits: limits(fields), document: root.json.object ?? [:])
  }

  // MARK: listen

  private mutating func listen(_ fields: Fields, admitsOthers: Bool) -> [Listener] {
    guard let member = fields.member("listen") else { return RouteTable.defaultListeners }
    let path = fields.path.key("listen")
    guard let elements = elements(member.value, path) else { return [] }
    if elements.isEmpty { report(.empty("address"), at: member.value.place, path) }
    var listeners: [Listener] = []
    var places: [String: Place] = [:]
    for element in elements {
      guard let listener = listener(element, admitsOthers: admitsOthers) else { continue }
      let address = Located(value: listener.description, place: element.place, path: element.path)
      if listener.port != 0 { checkUnique(address, "address", among: &places) }
      listeners.append(listener)
    }
    return listeners
  }

  private mutating func listener(_ element: Located<PositionedValue>, admitsOthers: Bool) -> Listener? {
    guard let fields = fields(element.value, element.path, known: ConfigurationReference.listener.names) else {
      return nil
    }
    let host = requiredString(fields, "host")
    if let host {
      if !NetworkAddress.isHost(host.value) {
        report(.badHost, at: host)
      } else if !admitsOthers, !NetworkAddress.isLoopback(host.value) {
        report(.publicWithoutKeys(host: host.value), at: host)
      }
    }
    let portPath = fields.path.key("port")
    guard let member = fields.member("port") else {
      report(.missingKey, at: fields.place, portPath)
      return nil
    }
    let port = number(member.value, portPath, 0...65_535, rangeText: "0 to 65535", isWhole: true)
    let serves = services(fields)
    let tls = tls(fields)
    guard let host, let port else { return nil }
    return Listener(host: host.value, port: Int(port), serves: serves, tls: tls)
  }

  // MARK: default, routes

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
    if elements.isEmpty { report(.empty("route"), at: member.value.place, path) }
    var routes: [Route] = []
    var places: [String: Place] = [:]
    for element in elements {
      guard let fields = self.fields(element.value, element.path, known: ConfigurationReference.route.names) else {
        continue
      }
      let provider = string(fields, "provider")
      if let provider { checkDeclared(provider, declared) }
      guard let path = requiredString(fields, "path") else { continue }
      if let fault = PathText.fault(in: path.value[...]) {
        report(.badPath(fault), at: path)
        continue
      }
      let plain = RouteTable.withoutTrailingSlash(path.value)
      checkUnique(Located(value: plain, place: path.place, path: path.path), "path", among: &places)
      let preference = preference(fields)
      routes.append(
        Route(
          path: plain, provider: provider?.value ?? defaultProvider, dialect: preference.dialect,
          deltaFields: preference.deltaFields, isStrict: flag(fields, "strict"),
          passesVendorEvents: flag(fields, "vendorEvents"), origins: origins(fields),
          passesClientKeys: flag(fields, "clientKeys")))
    }
    return routes
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

  // MARK: contact

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
      report(cause, at: member.value.place, fields.path.key(member.key))
    } else if let member = fields.member("writeHighWaterBytes") {
      let cause = RouteFault.Cause.outOfRange(found: String(high), range: "above writeLowWaterBytes (\(low))")
      report(cause, at: member.value.place, fields.path.key(member.key))
    }
  }
}
