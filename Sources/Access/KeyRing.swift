public import Routing
public import Translation

/// Keys, found by what a client shows.
public struct KeyRing: Sendable {
  private let records: [KeyRecord]
  /// Positions in `records` by how the digest begins.
  private let buckets: [UInt64: [Int]]
  private let positions: [String: Int]

  /// - Parameter records: of several with the same key the first is found.
  public init(_ records: [KeyRecord]) {
    self.records = records
    buckets = Dictionary(grouping: records.indices) { records[$0].digest.beginning }
    positions = Dictionary(records.indices.map { (records[$0].id, $0) }) { first, _ in first }
  }

  /// Those of the configuration.
  public init(_ keys: [AccessKey]) {
    self.init(keys.compactMap(KeyRecord.init))
  }

  public var isEmpty: Bool { records.isEmpty }
  /// In the order in which they were given.
  public var all: [KeyRecord] { records }

  /// The record of a key; nil where there is none. The time that this takes tells nothing of the keys: what is compared
  /// are digests, of which nobody can choose how they begin.
  public func find(_ key: Redacted<String>) -> KeyRecord? {
    guard (1...AccessKey.longestKeyBytes).contains(key.reveal().utf8.count) else { return nil }
    return find(KeyDigest(of: key))
  }

  /// The record whose digest agrees.
  public func find(_ digest: KeyDigest) -> KeyRecord? {
    guard let bucket = buckets[digest.beginning] else {
      // As much work as where there is one.
      _ = digest.agreesWith(Self.nobodys)
      return nil
    }
    var found: KeyRecord?
    for position in bucket.reversed() where records[position].digest.agreesWith(digest) { found = records[position] }
    return found
  }

  public func find(id: String) -> KeyRecord? { positions[id].map { records[$0] } }

  private static let nobodys = KeyDigest(of: Redacted(""))
}
