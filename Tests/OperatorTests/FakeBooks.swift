import Access
import Metering
import Routing
import Synchronization

/// A store in memory, which can be made to fail or to hang.
final class FakeBooks: UsageStore, KeyStorage {
  enum Mood: Sendable { case well, away, hanging }

  private struct State {
    var records: [UsageRecord] = []
    var keys: [KeyRecord] = []
    var apps: [App] = []
    var mood = Mood.well
    var changes = 0
  }

  private let state = Mutex(State())

  var mood: Mood {
    get { state.withLock { $0.mood } }
    set { state.withLock { $0.mood = newValue } }
  }

  var records: [UsageRecord] { state.withLock { $0.records } }
  var storedKeys: [KeyRecord] { state.withLock { $0.keys } }
  var changes: Int { state.withLock { $0.changes } }

  func countChange() { state.withLock { $0.changes += 1 } }

  private func visit<Answer>(
    _ body: (inout State) throws(StorageFault) -> Answer
  ) async throws(StorageFault) -> Answer {
    switch mood {
    case .well: break
    case .away: throw .unavailable("it is away")
    // As a library that does not know of cancellation.
    case .hanging: await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
    return try state.withLock { (state) throws(StorageFault) in try body(&state) }
  }

  // MARK: Usage

  func summary(_ query: UsageQuery) async throws(StorageFault) -> UsageSummary {
    try await visit { UsageSummary(query, of: $0.records) }
  }

  func events(_ query: EventQuery) async throws(StorageFault) -> UsagePage {
    try await visit { UsagePage(query, of: $0.records) }
  }

  func insert(_ records: [UsageRecord]) async throws(StorageFault) -> InsertCount {
    try await visit { state in
      var count = InsertCount(accepted: 0, duplicates: 0)
      for record in records {
        if state.records.contains(where: { $0.id == record.id }) {
          count.duplicates += 1
        } else {
          state.records.append(record)
          count.accepted += 1
        }
      }
      return count
    }
  }

  // MARK: Keys

  func key(with digest: KeyDigest) async throws(StorageFault) -> KeyRecord? {
    try await visit { $0.keys.first { $0.digest.agreesWith(digest) } }
  }

  func keys() async throws(StorageFault) -> [KeyRecord] { try await visit { $0.keys } }

  func insert(_ record: KeyRecord) async throws(StorageFault) { try await visit { $0.keys.append(record) } }

  func revoke(id: String, at unixTime: Int) async throws(StorageFault) -> KeyRecord? {
    try await visit { state in
      guard let index = state.keys.firstIndex(where: { $0.id == id }) else { return nil }
      state.keys[index].revokedAt = state.keys[index].revokedAt ?? unixTime
      return state.keys[index]
    }
  }

  func apps() async throws(StorageFault) -> [App] { try await visit { $0.apps } }

  func put(_ app: App) async throws(StorageFault) -> Bool {
    try await visit { state in
      let known = state.apps.firstIndex { $0.name == app.name }
      if let known { state.apps[known] = app } else { state.apps.append(app) }
      return known == nil
    }
  }

  func removeApp(_ name: String) async throws(StorageFault) -> Bool {
    try await visit { state in
      let before = state.apps.count
      state.apps.removeAll { $0.name == name }
      return state.apps.count < before
    }
  }
}
