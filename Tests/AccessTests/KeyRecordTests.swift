import ParleyTesting
import Envelope
import Routing
import Testing
import Translation

@testable import Access

private func made(
  _ order: KeyOrder, seed: UInt64 = 1
) throws -> (record: KeyRecord, key: Redacted<String>) {
  var random = SplitMix64(seed: seed)
  return try KeyRecord.make(order, unixTime: now, random: &random)
}

private let full: KeyOrder = {
  var order = KeyOrder(name: "app-1")
  order.app = "shop"
  order.expiresAt = now + 60
  order.providers = ["gemini"]
  order.models = ["gemini-*"]
  order.origins = ["https://app.example", "*"].compactMap { OriginPattern($0) }
  order.limits = HolderLimits(
    maxSessions: 3, maxConnectsPerSecond: 4, maxEventsPerSecond: 5, maxMinutesPerSession: 0.5, maxMinutesPerDay: 60.25)
  order.preference = WirePreference(dialect: .fixed(.beta), deltaFields: .deltaAndAudio)
  order.metadata = ["team": "voice", "cost": ["centre": 7]]
  return order
}()

@Suite("Records of keys")
struct KeyRecordTests {
  @Test("a made key has 256 bits and its prefix")
  func making() throws {
    var seen: Set<String> = []
    for (seed, prefix) in ["hyb_", "sk-", "vkey_", "A1_"].enumerated() {
      var order = KeyOrder(name: "app")
      order.prefix = prefix
      let (record, key) = try made(order, seed: UInt64(seed))
      let text = key.reveal()
      #expect(text.hasPrefix(prefix))
      let random = text.dropFirst(prefix.count)
      #expect(random.utf8.count == 43)
      #expect(Base64URL.decoded(random)?.count == 32)
      #expect(record.shownPrefix == prefix + random.prefix(4))
      #expect(record.digest.agreesWith(KeyDigest(of: key)))
      #expect(record.id.utf8.count == 20 && record.id.hasPrefix("key_"))
      #expect(record.isPublishable == (prefix == "vkey_"))
      #expect(record.createdAt == now && record.source == .store && record.revokedAt == nil)
      seen.formUnion([record.id, text])
    }
    #expect(seen.count == 8)
  }

  @Test("a stored key cannot be read back")
  func notReadable() throws {
    let (record, key) = try made(full)
    var dumped = ""
    dump(record, to: &dumped)
    let random = String(key.reveal().dropFirst(4))
    for text in [JSONValue.object(record.json).text, dumped, "\(record)"] {
      #expect(!text.contains(key.reveal()) && !text.contains(random) && !text.contains(random.dropFirst(4)))
    }
  }

  @Test("the JSON has no digest and no key")
  func json() throws {
    let (record, key) = try made(full)
    let text = JSONValue.object(record.json).text
    #expect(!text.contains(record.digest.hex) && !text.contains(key.reveal()))
    #expect(
      record.json.keys == [
        "id", "object", "name", "prefix", "app", "publishable", "created_at", "expires_at", "revoked_at", "providers",
        "models", "origins", "limits", "dialect", "deltaField", "metadata", "source",
      ])
    var revoked = record
    revoked.revokedAt = now + 1
    for one in [record, revoked, try made(KeyOrder(name: "plain")).record] {
      let again = try KeyRecord(json: one.json, digest: one.digest)
      #expect(again.json == one.json)
      #expect(again.limits == one.limits && again.origins == one.origins && again.preference == one.preference)
    }
  }

  @Test(
    "a record that is damaged is a fault",
    arguments: [
      "id", "name", "prefix", "app", "publishable", "source", "created_at", "expires_at", "revoked_at", "providers",
      "models", "origins", "limits", "dialect", "deltaField", "metadata",
    ])
  func damaged(member: String) throws {
    let record = try made(full).record
    guard record.json[member] != nil else { return }
    for value: JSONValue in [
      .bool(false), .number(JSONNumber(-1)), .array([.null]), .object(["x": 1]), .string("\u{1}"),
    ] {
      var json = record.json
      json[member] = value
      let isRight =
        switch (member, value) {
        case ("publishable", .bool), ("metadata", .object), ("id", .string), ("name", .string), ("app", .string),
          ("prefix", .string):
          true
        default: false
        }
      #expect(((try? KeyRecord(json: json, digest: record.digest)) != nil) == isRight, "\(value.text)")
    }
  }

  private static let wrongOrders: [(String, @Sendable (inout KeyOrder) -> Void)] = [
    ("name", { $0.name = "" }), ("name", { $0.name = "a b" }),
    ("name", { $0.name = String(repeating: "a", count: 65) }),
    ("app", { $0.app = "/" }), ("prefix", { $0.prefix = "ek_" }), ("prefix", { $0.prefix = "hyb" }),
    ("prefix", { $0.prefix = "_" }), ("prefix", { $0.prefix = "a_b_" }),
    ("prefix", { $0.prefix = "abcdefghijklmnop_" }),
    ("expires_at", { $0.expiresAt = now }), ("expires_at", { $0.expiresAt = .max }),
    ("providers", { $0.providers = [] }),
    ("models", { $0.models = ["a*b"] }), ("models", { $0.models = [""] }),
    ("metadata", { $0.metadata = ["a": "x\0"] }), ("metadata", { $0.metadata = ["a\0": 1] }),
    ("metadata", { $0.metadata = ["a": .string(String(repeating: "x", count: 4_096))] }),
  ]

  @Test("an order that no key can have is told by its member", arguments: wrongOrders)
  func wrongOrder(parameter: String, change: @Sendable (inout KeyOrder) -> Void) throws {
    var order = KeyOrder(name: "app")
    change(&order)
    do {
      _ = try made(order)
      Issue.record("it was made")
    } catch let fault as KeyFault {
      #expect(fault.parameter == parameter)
    }
  }

  @Test("a key ends at its second, and a revoked one at once")
  func refusal() throws {
    var record = try made(full).record
    #expect(record.refusal(at: now + 59) == nil)
    #expect(record.refusal(at: now + 60) == .keyExpired)
    record.revokedAt = now + 5
    #expect(record.refusal(at: now + 4) == nil)
    #expect(record.refusal(at: now + 5) == .keyRevoked)
    #expect(record.refusal(at: now + 90) == .keyRevoked)
  }

  @Test("a configured key has the id of its name, whatever the key is, and shows its prefix alone")
  func configured() throws {
    let one = try #require(KeyRecord(key("app", "hyb_secretsecret")))
    let other = try #require(KeyRecord(key("app", "sk-another")))
    let third = try #require(KeyRecord(key("ops", "plain")))
    #expect(one.id == other.id && one.id != third.id)
    #expect(one.shownPrefix == "hyb_" && other.shownPrefix == "sk-" && third.shownPrefix == "")
    #expect(one.source == .configuration)
    #expect(KeyRecord(key("page", "vkey_x"))?.isPublishable == true)
    #expect(KeyRecord(AccessKey(name: "short", secret: .digest([1]))) == nil)
  }

  @Test("comparison looks at every byte of the digest")
  func wholeComparison() {
    final class Count { var looked = 0 }
    struct Watched: Sequence, IteratorProtocol {
      var bytes: [UInt8]
      let count: Count
      mutating func next() -> UInt8? {
        guard !bytes.isEmpty else { return nil }
        count.looked += 1
        return bytes.removeFirst()
      }
    }
    let right = [UInt8](repeating: 5, count: 32)
    for position in 0..<32 {
      var wrong = right
      wrong[position] ^= 1
      let count = Count()
      #expect(KeyDigest.difference(Watched(bytes: wrong, count: count), right) != 0)
      #expect(count.looked == 32)
      #expect(KeyDigest(bytes: wrong)?.agreesWith(KeyDigest(of: Redacted("x"))) == false)
    }
    let count = Count()
    #expect(KeyDigest.difference(Watched(bytes: right, count: count), right) == 0)
    #expect(count.looked == 32)
  }

  @Test("a digest there and back as text")
  func hex() {
    let digest = KeyDigest(of: Redacted("test"))
    #expect(digest.hex == "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    #expect(KeyDigest(hex: digest.hex)?.agreesWith(digest) == true)
    #expect(KeyDigest(hex: digest.hex.uppercased())?.agreesWith(digest) == true)
    for text in [
      "", String(digest.hex.dropLast()), digest.hex + "0", String(digest.hex.dropLast()) + "g",
      String(repeating: "\u{B2}", count: 32),
    ] {
      #expect(KeyDigest(hex: text) == nil)
    }
  }

  @Test("an app there and back as JSON")
  func apps() throws {
    let app = App(
      name: "shop", providers: ["gemini"], models: nil, limits: full.limits, preference: full.preference,
      origins: full.origins, metadata: full.metadata)
    #expect(try App(json: app.json) == app)
    #expect(try App(json: App.usual.json) == .usual)
    #expect(throws: KeyFault.self) { try App(json: ["name": "a b"]) }
    #expect(throws: KeyFault.self) { try App(json: [:]) }
  }

  @Test(
    "limits are read within their ranges",
    arguments: [
      #"{"maxSessions": 0}"#, #"{"maxSessions": 1.5}"#, #"{"maxSessions": 1000001}"#, #"{"maxSessions": "3"}"#,
      #"{"maxMinutesPerDay": 0}"#, #"{"maxMinutesPerSession": 525601}"#, #"{"maxminutes": 1}"#,
      #"{"maxConnectsPerSecond": -1}"#, #"{"maxEventsPerSecond": []}"#,
    ])
  func wrongLimits(text: String) throws {
    let object = try #require(try JSONValue(parsing: text).object)
    #expect(throws: KeyFault.self) { try HolderLimits(json: object) }
  }

  @Test("of two limits the tighter holds")
  func tightened() {
    let one = HolderLimits(maxSessions: 3, maxMinutesPerDay: 10)
    let other = HolderLimits(maxSessions: 5, maxConnectsPerSecond: 1, maxMinutesPerDay: 2.5)
    let both = HolderLimits(maxSessions: 3, maxConnectsPerSecond: 1, maxMinutesPerDay: 2.5)
    #expect(one.tightened(by: other) == both)
    #expect(other.tightened(by: one) == both)
    #expect(one.tightened(by: HolderLimits()) == one)
  }
}
