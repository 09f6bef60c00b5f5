import Metering

/// Records that wait to be written or spooled, the newest of each session, in the order in which the sessions came.
struct UsageInbox: Sendable {
  /// How many records of ended sessions wait at most, and how many of live ones. They are taken out twice a second; only
  /// where neither the sink nor the disk takes anything do they pile up.
  static let mostEnded = 10_000
  static let mostLive = 100_000

  private var newest: [String: UsageRecord] = [:]
  private var order: [String] = []
  private var ended = 0

  var isEmpty: Bool { newest.isEmpty }
  var count: Int { newest.count }

  /// - Returns: false where there is no room for it.
  mutating func add(_ record: UsageRecord) -> Bool {
    if let known = newest[record.id] {
      guard record.isNewer(than: known) else { return true }
      if known.state == .live, record.state != .live { ended += 1 }
      newest[record.id] = record
      return true
    }
    let isLive = record.state == .live
    guard isLive ? newest.count - ended < Self.mostLive : ended < Self.mostEnded else { return false }
    newest[record.id] = record
    order.append(record.id)
    if !isLive { ended += 1 }
    return true
  }

  /// All of them, and it is empty.
  mutating func takeAll() -> [UsageRecord] {
    let records = order.compactMap { newest[$0] }
    self = UsageInbox()
    return records
  }
}
