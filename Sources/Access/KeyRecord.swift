import Crypto
public import Envelope
public import Routing
public import Translation

/// A client's key as the gateway knows it: everything but the key.
public struct KeyRecord: Sendable {
  /// Where a key is kept.
  public enum Source: String, Sendable, Hashable {
    /// The configuration file; it is changed there.
    case configuration
    /// The ledger; it is made and revoked by command and API.
    case store
  }

  /// `key_` and 16 hexadecimal digits. That of a configured key comes from its name, so that it is the same in every
  /// replica and stays when the key is replaced.
  public let id: String
  /// 1 to 64 letters, digits, ".", "_" and "-".
  public let name: String
  public let digest: KeyDigest
  /// How the key begins, as people recognise it: `hyb_3fA9`. Never more than four characters of its random part.
  public let shownPrefix: String
  /// The name of its app.
  public let app: String
  /// It may stand in a web page: it makes tokens and opens nothing itself.
  public internal(set) var isPublishable: Bool
  /// Unix time; nil for configured keys.
  public let createdAt: Int?
  /// Unix time from which on it is refused.
  public let expiresAt: Int?
  /// Unix time at which it was revoked.
  public var revokedAt: Int?
  /// What it may use, as `NamePattern`; nil: everything.
  public let providers: [String]?
  public let models: [String]?
  /// Web pages that may use it, beside those of its app, of the route and of the configuration.
  public let origins: [OriginPattern]
  public let limits: HolderLimits
  /// How its holder is talked to.
  public let preference: WirePreference
  public let metadata: JSONObject
  public let source: Source

  init(
    id: String, name: String, digest: KeyDigest, shownPrefix: String, app: String, isPublishable: Bool, createdAt: Int?,
    expiresAt: Int?, revokedAt: Int?, providers: [String]?, models: [String]?, origins: [OriginPattern],
    limits: HolderLimits, preference: WirePreference, metadata: JSONObject, source: Source
  ) {
    self.id = id
    self.name = name
    self.digest = digest
    self.shownPrefix = shownPrefix
    self.app = app
    self.isPublishable = isPublishable
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
    self.providers = providers
    self.models = models
    self.origins = origins
    self.limits = limits
    self.preference = preference
    self.metadata = metadata
    self.source = source
  }

  /// A key of the configuration. Nil for one that is empty, or whose digest has not 32 bytes.
  public init?(_ key: AccessKey) {
    let digest: KeyDigest
    var shownPrefix = ""
    switch key.secret {
    case .value(_, let value):
      guard (1...AccessKey.longestKeyBytes).contains(value.reveal().utf8.count) else { return nil }
      digest = KeyDigest(of: value)
      shownPrefix = KeyOrder.prefix(of: value) ?? ""
    case .digest(let bytes):
      guard let known = KeyDigest(bytes: bytes) else { return nil }
      digest = known
    }
    let named = SHA256.hash(data: Array("parley key \(key.name)".utf8))
    self.init(
      id: "key_" + KeyDigest.hex(named.prefix(8)), name: key.name, digest: digest, shownPrefix: shownPrefix,
      app: key.app, isPublishable: key.isPublishable || shownPrefix == KeyOrder.publishablePrefix, createdAt: nil,
      expiresAt: key.expiresAt, revokedAt: nil, providers: key.providers, models: key.models, origins: key.origins,
      limits: key.limits, preference: key.preference, metadata: key.metadata, source: .configuration)
  }

  /// Why it opens nothing at this time. To be told only to who has shown the key.
  public func refusal(at unixTime: Int) -> AccessRefusal? {
    if let revokedAt, revokedAt <= unixTime { return .keyRevoked }
    if let expiresAt, expiresAt <= unixTime { return .keyExpired }
    return nil
  }

  /// A new key. It is in the answer and nowhere else: what is kept of it cannot be turned back.
  ///
  /// - Throws: `KeyFault` for an order that no key can have.
  public static func make(
    _ order: KeyOrder, unixTime: Int, random: inout some RandomNumberGenerator
  ) throws(KeyFault) -> (record: KeyRecord, key: Redacted<String>) {
    try order.check(at: unixTime)
    let secret = Base64URL.encoded(Self.bytes(KeyDigest.byteCount, &random))
    let key = Redacted(order.prefix + secret)
    let record = KeyRecord(
      id: "key_" + KeyDigest.hex(bytes(8, &random)), name: order.name, digest: KeyDigest(of: key),
      shownPrefix: order.prefix + secret.prefix(4), app: order.app,
      isPublishable: order.isPublishable || order.prefix == KeyOrder.publishablePrefix, createdAt: unixTime,
      expiresAt: order.expiresAt, revokedAt: nil, providers: order.providers, models: order.models,
      origins: order.origins, limits: order.limits, preference: order.preference, metadata: order.metadata,
      source: .store)
    return (record, key)
  }

  static func bytes(_ count: Int, _ random: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next() as UInt64) }
  }
}

/// What a new key is to be.
public struct KeyOrder: Sendable {
  /// Keys that begin so may stand in web pages.
  public static let publishablePrefix = "vkey_"

  /// Whether a key's own form says that it is publishable.
  static func isPublishable(_ key: Redacted<String>) -> Bool { key.reveal().hasPrefix(publishablePrefix) }

  /// 1 to 64 letters, digits, ".", "_" and "-".
  public var name: String
  /// 1 to 15 letters and digits, then "_" or "-". Not `ek_`, with which tokens begin.
  public var prefix = "hyb_"
  public var app = App.usual.name
  /// Unix time, in the future.
  public var expiresAt: Int?
  public var isPublishable = false
  /// As `NamePattern`; never empty.
  public var providers: [String]?
  public var models: [String]?
  public var origins: [OriginPattern] = []
  public var limits = HolderLimits()
  public var preference = WirePreference()
  /// At most 4,096 bytes as JSON, without U+0000.
  public var metadata: JSONObject = [:]

  public init(name: String) {
    self.name = name
  }

  func check(at unixTime: Int) throws(KeyFault) {
    try Self.checkName(name, "name")
    try Self.checkName(app, "app")
    guard Self.prefix(of: Redacted(prefix)) == prefix, prefix != SignedToken.prefix else {
      throw KeyFault("prefix", "expected 1 to 15 letters and digits, then \"_\" or \"-\", and not \"ek_\"")
    }
    if let expiresAt, !(unixTime + 1...KeyRecord.latestTime).contains(expiresAt) {
      throw KeyFault("expires_at", "expected a time in the future")
    }
    try Self.check(providers, "providers")
    try Self.check(models, "models")
    try Self.check(metadata)
  }

  static func check(_ patterns: [String]?, _ parameter: String) throws(KeyFault) {
    guard let patterns else { return }
    guard (1...1_000).contains(patterns.count), patterns.allSatisfy(NamePattern.isValid) else {
      throw KeyFault(parameter, "expected names, or the beginnings of names before a \"*\"")
    }
  }

  static func check(_ metadata: JSONObject) throws(KeyFault) {
    let text = JSONValue.object(metadata).text
    guard text.utf8.count <= 4_096 else { throw KeyFault("metadata", "at most 4096 bytes are allowed") }
    guard !text.contains("\\u0000") || !Self.hasZero(.object(metadata)) else {
      throw KeyFault("metadata", "the character U+0000 is not allowed")
    }
  }

  private static func hasZero(_ value: JSONValue) -> Bool {
    switch value {
    case .string(let text): text.utf8.contains(0)
    case .array(let elements): elements.contains(where: hasZero)
    case .object(let object): object.contains { $0.key.utf8.contains(0) || hasZero($0.value) }
    case .null, .bool, .number: false
    }
  }

  static func checkName(_ name: String, _ parameter: String) throws(KeyFault) {
    guard TokenKey.isName(name) else {
      throw KeyFault(parameter, "1 to 64 letters, digits, \".\", \"_\" or \"-\" are allowed")
    }
  }

  static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  /// What a key begins with, up to its first "_" or "-"; nil where that is no prefix.
  static func prefix(of key: Redacted<String>) -> String? {
    let text = key.reveal()
    guard let end = text.utf8.firstIndex(where: { $0 == 0x5F || $0 == 0x2D }) else { return nil }
    let word = text[..<end]
    guard (1...15).contains(word.utf8.count), word.utf8.allSatisfy(isLetterOrDigit) else { return nil }
    return String(text[...end])
  }
}

/// Why there cannot be such a key, or such an app.
public struct KeyFault: Error, Sendable, Hashable {
  /// The member of the order, or of the record, that is wrong.
  public let parameter: String
  /// What was expected: no sentence, without the value.
  public let message: String

  init(_ parameter: String, _ message: String) {
    self.parameter = parameter
    self.message = message
  }
}
