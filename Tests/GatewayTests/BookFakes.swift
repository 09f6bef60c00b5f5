import Access
import Metering
import Routing
import Synchronization
import Translation

@testable import Gateway

/// Holds whoever comes while it is closed.
final class Turnstile: Sendable {
  private struct State {
    var isClosed = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())
  private let arrivals: AsyncStream<Void>
  private let arrival: AsyncStream<Void>.Continuation

  init() {
    (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
  }

  func close() { state.withLock { $0.isClosed = true } }

  func open() {
    let waiting = state.withLock { state in
      defer { state = State() }
      return state.waiting
    }
    for one in waiting { one.resume() }
  }

  func pass() async {
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        if state.isClosed { state.waiting.append(continuation) }
        return state.isClosed
      }
      arrival.yield()
      if !isHeld { continuation.resume() }
    }
  }

  /// Waits until one more has come.
  func arrived() async {
    var iterator = arrivals.makeAsyncIterator()
    await iterator.next()
  }
}

/// A store of keys in memory, that can be away and that can keep one waiting.
final class FakeStorage: KeyStorage {
  private struct State {
    var keys: [KeyRecord] = []
    var apps: [String: App] = [:]
    var isAway = false
  }

  private let state = Mutex(State())
  /// Where those wait who look a key up.
  let turnstile = Turnstile()

  func setAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

  /// Makes a key at the time of the tests' clock.
  ///
  /// - Returns: the key, and its id.
  func add(
    _ name: String, at unixTime: Int = TestClock().wall.unixTime, _ change: (inout KeyOrder) -> Void = { _ in }
  ) throws -> (key: String, id: String) {
    var order = KeyOrder(name: name)
    change(&order)
    var random = SystemRandomNumberGenerator()
    let (record, key) = try KeyRecord.make(order, unixTime: unixTime, random: &random)
    state.withLock { $0.keys.append(record) }
    return (key.reveal(), record.id)
  }

  func add(_ app: App) { state.withLock { $0.apps[app.name] = app } }

  /// Revokes a key behind the gateway's back, as another process does.
  func revokeQuietly(_ id: String, at unixTime: Int) {
    state.withLock { state in
      for index in state.keys.indices where state.keys[index].id == id { state.keys[index].revokedAt = unixTime }
    }
  }

  private func read<Value: Sendable>(_ body: (inout State) -> Value) throws(StorageFault) -> Value {
    try state.withLock { state throws(StorageFault) in
      if state.isAway { throw .unavailable("away") }
      return body(&state)
    }
  }

  func key(with digest: KeyDigest) async throws(StorageFault) -> KeyRecord? {
    await turnstile.pass()
    return try read { $0.keys.first { $0.digest.agreesWith(digest) } }
  }

  func keys() async throws(StorageFault) -> [KeyRecord] { try read { $0.keys } }
  func insert(_ record: KeyRecord) async throws(StorageFault) { try read { $0.keys.append(record) } }

  func revoke(id: String, at unixTime: Int) async throws(StorageFault) -> KeyRecord? {
    try read { state in
      guard let index = state.keys.firstIndex(where: { $0.id == id }) else { return nil }
      state.keys[index].revokedAt = state.keys[index].revokedAt ?? unixTime
      return state.keys[index]
    }
  }

  func apps() async throws(StorageFault) -> [App] { try read { Array($0.apps.values) } }
  func put(_ app: App) async throws(StorageFault) -> Bool {
    try read { $0.apps.updateValue(app, forKey: app.name) == nil }
  }
  func removeApp(_ name: String) async throws(StorageFault) -> Bool {
    try read { $0.apps.removeValue(forKey: name) != nil }
  }
}

/// A ledger of all replicas, that says what it is told to say.
final class FakeSeats: SharedSeats {
  private struct State {
    var answer: Result<Double, SharedFault> = .success(.infinity)
    var taken: Set<String> = []
    var returned: [String] = []
  }

  private let state = Mutex(State())
  /// Where those wait who take a seat.
  let turnstile = Turnstile()
  private let returns: AsyncStream<String>
  private let giving: AsyncStream<String>.Continuation

  init() {
    (returns, giving) = AsyncStream.makeStream(of: String.self)
  }

  var taken: Set<String> { state.withLock { $0.taken } }
  func set(_ answer: Result<Double, SharedFault>) { state.withLock { $0.answer = answer } }

  /// Waits until one more is given back.
  func returned() async -> String? {
    var iterator = returns.makeAsyncIterator()
    return await iterator.next()
  }

  func take(_ order: SeatOrder) async throws(SharedFault) -> Double {
    await turnstile.pass()
    return try state.withLock { state throws(SharedFault) in
      let granted = try state.answer.get()
      state.taken.insert(order.sessionID)
      return granted
    }
  }

  func renew(_ live: [SeatRenewal]) async throws(SharedFault) -> [String: Double] {
    try state.withLock { state throws(SharedFault) in
      let granted = try state.answer.get()
      return Dictionary(uniqueKeysWithValues: live.map { ($0.order.sessionID, granted) })
    }
  }

  func giveBack(_ sessionID: String, unused seconds: Double) async {
    state.withLock { _ = $0.taken.remove(sessionID) }
    giving.yield(sessionID)
  }
}

/// Keeps the records of usage.
final class UsageNotes: UsageSink {
  private let notes = Mutex<[UsageRecord]>([])
  private let signals: AsyncStream<Void>
  private let signal: AsyncStream<Void>.Continuation

  init() {
    (signals, signal) = AsyncStream.makeStream(of: Void.self)
  }

  var all: [UsageRecord] { notes.withLock { $0 } }

  func note(_ record: UsageRecord) {
    notes.withLock { $0.append(record) }
    signal.yield()
  }

  /// Waits for the last record of one more session.
  func ended(_ number: Int = 1) async -> UsageRecord? {
    var iterator = signals.makeAsyncIterator()
    while true {
      let ended = all.filter { $0.state == .ended }
      if ended.count >= number { return ended[number - 1] }
      guard await iterator.next() != nil else { return nil }
    }
  }
}
