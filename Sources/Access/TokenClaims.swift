public import Envelope
public import Routing

/// What an ephemeral token says of itself, and of the sessions that it opens.
public struct TokenClaims: Sendable, Equatable {
  public var issuer = "parley"
  public var audience = ["parley"]
  /// Who has made it: `key:NAME`, `admin`, or `anonymous`.
  public var subject: String?
  /// Its name: 128 random bits.
  public var id = ""
  /// Unix times.
  public var issuedAt = 0
  public var notBefore = 0
  public var expiresAt = 0

  /// The name and the id of the key that it was made with.
  public var key: String?
  public var keyID: String?
  public var app = App.usual.name
  /// The only provider, by its name in the configuration.
  public var provider: String?
  /// The only model, whatever the client asks for.
  public var model: String?
  /// What its maker may use where neither is pinned, as `NamePattern`: who takes the token may not know its maker.
  public var providers: [String]?
  public var models: [String]?
  public var purpose = SessionType.realtime
  /// How its sessions begin: the `session` of a GA `session.update`.
  public var session: JSONObject?
  /// The only path, as `Route.path`.
  public var route: String?
  /// The only web pages.
  public var origins: [OriginPattern]?
  public var dialect: DialectName?
  public var deltaField: AudioDeltaWriter.Fields?
  /// Sessions that it may start in its life.
  public var maxSessions: Int?
  public var maxMinutesPerSession: Double?
  /// Seconds without an event of the client.
  public var idleSeconds: Double?

  public init() {}

  /// How the holder is talked to.
  public var preference: WirePreference {
    WirePreference(dialect: dialect.map { .fixed($0) }, deltaFields: deltaField)
  }

  /// Makes of it a token that begins now.
  ///
  /// - Parameters:
  ///   - seconds: its life; nil for the usual one. At least 1, at most `longestSeconds`.
  public mutating func date(
    at unixTime: Int, lasting seconds: Int? = nil, settings: TokenSettings, random: inout some RandomNumberGenerator
  ) {
    issuer = settings.issuer
    audience = [settings.audience]
    id = Base64URL.encoded(KeyRecord.bytes(16, &random))
    issuedAt = unixTime
    notBefore = unixTime
    expiresAt = unixTime + min(max(1, seconds ?? settings.lifetimeSeconds), settings.longestSeconds)
  }

  /// Whether the token holds at this time, here. Each claim has a guard of its own.
  ///
  /// The end is sharp: who made the token and who takes it then differ by their clocks alone, and it is the holder whom a
  /// few seconds more would serve. At the beginning a clock may be behind.
  public func check(at unixTime: Int, settings: TokenSettings) throws(TokenFault) {
    guard issuer == settings.issuer else { throw .wrongIssuer }
    guard audience.contains(settings.audience) else { throw .wrongAudience }
    guard expiresAt > unixTime else { throw .expired }
    guard notBefore <= unixTime + settings.skewSeconds else { throw .notYetValid }
    guard issuedAt <= unixTime + settings.skewSeconds else { throw .notYetValid }
    guard expiresAt > issuedAt, expiresAt - issuedAt <= settings.longestSeconds else { throw .livesTooLong }
  }
}

extension TokenClaims {
  /// The claims in the order in which they are written; those that are not set are left out.
  public var json: JSONObject {
    var object = JSONObject()
    func write(_ key: String, _ text: String?) { object[key] = text.map(JSONValue.string) }
    func write(_ key: String, _ number: JSONNumber?) { object[key] = number.map(JSONValue.number) }
    write("iss", issuer)
    object["aud"] = audience.count == 1 ? .string(audience[0]) : .array(audience.map(JSONValue.string))
    write("sub", subject)
    write("jti", id)
    write("iat", JSONNumber(issuedAt))
    write("nbf", JSONNumber(notBefore))
    write("exp", JSONNumber(expiresAt))
    write("key", key)
    write("key_id", keyID)
    write("app", app)
    write("provider", provider)
    write("model", model)
    object["providers"] = providers.map { .array($0.map(JSONValue.string)) }
    object["models"] = models.map { .array($0.map(JSONValue.string)) }
    write("purpose", purpose.rawValue)
    object["session"] = session.map(JSONValue.object)
    write("route", route)
    object["origins"] = origins.map { .array($0.map { .string($0.description) }) }
    write("dialect", dialect?.rawValue)
    write("deltaField", deltaField?.name)
    write("maxSessions", maxSessions.map { JSONNumber($0) })
    write("maxMinutesPerSession", maxMinutesPerSession.map { JSONNumber($0) })
    write("idleSeconds", idleSeconds.map { JSONNumber($0) })
    return object
  }

  /// Reads claims. One that restricts the token and is not understood is a refusal, never as if it were absent; those of
  /// names that are not known here say nothing.
  ///
  /// - Throws: `.malformed`.
  public init(json: JSONObject) throws(TokenFault) {
    let reader = ClaimReader(object: json)
    issuer = try reader.needed("iss") { $0.string }
    audience = try reader.needed("aud") { value in
      value.string.map { [$0] } ?? value.array.flatMap { ClaimReader.texts($0) }
    }
    subject = try reader.optional("sub") { $0.string }
    id = try reader.needed("jti") { $0.string.flatMap { (1...128).contains($0.utf8.count) ? $0 : nil } }
    issuedAt = try reader.needed("iat", ClaimReader.time)
    notBefore = try reader.needed("nbf", ClaimReader.time)
    expiresAt = try reader.needed("exp", ClaimReader.time)
    key = try reader.optional("key", ClaimReader.name)
    keyID = try reader.optional("key_id", ClaimReader.name)
    app = try reader.optional("app", ClaimReader.name) ?? app
    provider = try reader.optional("provider", ClaimReader.name)
    model = try reader.optional("model") { value in
      value.string.flatMap { (1...256).contains($0.utf8.count) ? $0 : nil }
    }
    providers = try reader.optional("providers", ClaimReader.patterns)
    models = try reader.optional("models", ClaimReader.patterns)
    purpose = try reader.optional("purpose") { $0.string.flatMap(SessionType.init(rawValue:)) } ?? purpose
    session = try reader.optional("session") { $0.object }
    route = try reader.optional("route") { $0.string }
    origins = try reader.optional("origins") { value in
      guard let texts = value.array.flatMap({ ClaimReader.texts($0) }) else { return nil }
      let origins = texts.compactMap { OriginPattern($0) }
      return origins.count == texts.count ? origins : nil
    }
    dialect = try reader.optional("dialect") { $0.string.flatMap(DialectName.init(rawValue:)) }
    deltaField = try reader.optional("deltaField") { $0.string.flatMap { AudioDeltaWriter.Fields(name: $0) } }
    maxSessions = try reader.optional("maxSessions") { value in
      value.int.flatMap { (1...1_000_000).contains($0) ? $0 : nil }
    }
    maxMinutesPerSession = try reader.optional("maxMinutesPerSession") { value in
      value.double.flatMap { $0 > 0 && $0 <= 525_600 ? $0 : nil }
    }
    idleSeconds = try reader.optional("idleSeconds") { value in
      value.double.flatMap { $0 > 0 && $0 <= 31_536_000 ? $0 : nil }
    }
  }
}

/// Reads members of a kind. `null` is a value of the wrong kind here, too.
private struct ClaimReader {
  let object: JSONObject

  func optional<Value>(_ key: String, _ read: (JSONValue) -> Value?) throws(TokenFault) -> Value? {
    guard let value = object[key] else { return nil }
    guard let result = read(value) else { throw .malformed }
    return result
  }

  func needed<Value>(_ key: String, _ read: (JSONValue) -> Value?) throws(TokenFault) -> Value {
    guard let value = try optional(key, read) else { throw .malformed }
    return value
  }

  /// Whole seconds of Unix time; before the year 10000, so that no sum of them overflows.
  static func time(_ value: JSONValue) -> Int? {
    value.int.flatMap { (0...KeyRecord.latestTime).contains($0) ? $0 : nil }
  }

  static func name(_ value: JSONValue) -> String? {
    value.string.flatMap { TokenKey.isName($0) ? $0 : nil }
  }

  static func patterns(_ value: JSONValue) -> [String]? {
    value.array.flatMap(texts).flatMap { $0.allSatisfy(NamePattern.isValid) ? $0 : nil }
  }

  /// At least one text, and nothing else.
  static func texts(_ values: [JSONValue]) -> [String]? {
    let texts = values.compactMap(\.string)
    return texts.count == values.count && !texts.isEmpty ? texts : nil
  }
}
