/// A query of the usage API is not as it must be.
public struct UsageQueryFault: Error, Sendable, Hashable {
  /// The parameter.
  public let param: String
  /// One sentence.
  public let message: String
}

/// What a summary is grouped by (R042, R043).
public enum UsageGrouping: String, Sendable, Hashable, CaseIterable {
  case modality, provider, model, key, app
  /// The UTC day on which the session began.
  case day
}

/// `GET /api/v1/usage/summary`.
public struct UsageQuery: Sendable, Hashable {
  /// Its parameters; others are not of the query.
  public static let parameters = ["group_by", "from", "to"]

  public var grouping: UsageGrouping
  /// Sessions that began then or later.
  public var from: Timestamp?
  /// Sessions that began before.
  public var to: Timestamp?

  public init(grouping: UsageGrouping = .modality, from: Timestamp? = nil, to: Timestamp? = nil) {
    self.grouping = grouping
    self.from = from
    self.to = to
  }

  /// - Parameter values: the decoded values of a parameter of the address in order; nil for one that is badly escaped.
  public init(parsing values: @escaping (String) -> [String?]) throws(UsageQueryFault) {
    let reader = ParameterReader(values: values)
    self.init()
    if let text = try reader.value("group_by") {
      guard let grouping = UsageGrouping(rawValue: text) else {
        let names = UsageGrouping.allCases.map(\.rawValue).joined(separator: ", ")
        throw UsageQueryFault(param: "group_by", message: "'group_by' must be one of \(names).")
      }
      self.grouping = grouping
    }
    (from, to) = try reader.span()
  }
}

/// `GET /api/v1/usage/events`.
public struct EventQuery: Sendable, Hashable {
  public static let parameters = ["limit", "cursor", "from", "to", "modality", "key", "app", "provider"]
  public static let limits = 1...1000

  public var limit: Int
  /// Only records older than this one.
  public var cursor: UsageCursor?
  public var from: Timestamp?
  public var to: Timestamp?
  public var modality: String?
  public var key: String?
  public var app: String?
  public var provider: String?

  public init(limit: Int = 100) {
    self.limit = limit
  }

  /// - Parameter values: as of `UsageQuery`.
  public init(parsing values: @escaping (String) -> [String?]) throws(UsageQueryFault) {
    let reader = ParameterReader(values: values)
    self.init()
    if let text = try reader.value("limit") {
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(text), Self.limits.contains(limit)
      else {
        throw UsageQueryFault(param: "limit", message: "'limit' must be a whole number from 1 to 1000.")
      }
      self.limit = limit
    }
    if let text = try reader.value("cursor") {
      guard let cursor = UsageCursor(text) else {
        throw UsageQueryFault(param: "cursor", message: "'cursor' is not one that was given out here.")
      }
      self.cursor = cursor
    }
    (from, to) = try reader.span()
    modality = try reader.value("modality")
    key = try reader.value("key")
    app = try reader.value("app")
    provider = try reader.value("provider")
  }

  /// Whether a record is one that the query asks for, whatever its page.
  public func matches(_ record: UsageRecord) -> Bool {
    let begun = record.identity.startedAt
    if let cursor, cursor <= UsageCursor(of: record) { return false }
    if let from, begun < from { return false }
    if let to, begun >= to { return false }
    if let modality, record.modality != modality { return false }
    if let key, record.identity.key != key { return false }
    if let app, record.identity.app != app { return false }
    if let provider, record.identity.provider != provider { return false }
    return true
  }
}

/// A place in the order of all records: by their beginnings, then by the bytes of their ids.
public struct UsageCursor: Sendable, Hashable, Comparable {
  public let startedAt: Timestamp
  public let id: String

  public init(startedAt: Timestamp, id: String) {
    self.startedAt = startedAt
    self.id = id
  }

  public init(of record: UsageRecord) {
    self.init(startedAt: record.identity.startedAt, id: record.id)
  }

  public static func < (left: Self, right: Self) -> Bool {
    guard left.startedAt == right.startedAt else { return left.startedAt < right.startedAt }
    return left.id.utf8.lexicographicallyPrecedes(right.id.utf8)
  }

  /// What stands in an address: the milliseconds, and the id's bytes in hexadecimal.
  public var text: String {
    let digits = Array("0123456789abcdef")
    return "\(startedAt.milliseconds)." + String(id.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let milliseconds = Int(parts[0]), parts[1].utf8.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var digits = parts[1].makeIterator()
    while let high = digits.next(), let low = digits.next() {
      guard let high = high.hexDigitValue, let low = low.hexDigitValue else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    guard let id = String(validating: bytes, as: UTF8.self) else { return nil }
    self.init(startedAt: Timestamp(milliseconds: milliseconds), id: id)
  }
}

/// Reads parameters that may stand once.
private struct ParameterReader {
  let values: (String) -> [String?]

  func value(_ name: String) throws(UsageQueryFault) -> String? {
    let given = values(name)
    guard let first = given.first else { return nil }
    guard given.count == 1 else { throw UsageQueryFault(param: name, message: "'\(name)' stands more than once.") }
    guard let first, !first.isEmpty, !first.utf8.contains(0) else {
      throw UsageQueryFault(param: name, message: "'\(name)' has no readable value.")
    }
    return first
  }

  private func time(_ name: String) throws(UsageQueryFault) -> Timestamp? {
    guard let text = try value(name) else { return nil }
    guard let time = Timestamp(timeOrDay: text) else {
      throw UsageQueryFault(
        param: name, message: "'\(name)' must be a time such as 2026-01-31T08:00:00Z, or a day such as 2026-01-31.")
    }
    return time
  }

  func span() throws(UsageQueryFault) -> (from: Timestamp?, to: Timestamp?) {
    let from = try time("from")
    let to = try time("to")
    if let from, let to, to < from { throw UsageQueryFault(param: "to", message: "'to' must not be before 'from'.") }
    return (from, to)
  }
}
