import Envelope
import Metering
import NIOCore
import Operator
import Synchronization
import Translation

/// A session to those who list, end and drain sessions. All of it on the session's event loop.
protocol ListedSession: AnyObject {
  /// What `session.model` says now.
  var model: String { get }
  /// Whether the user speaks, or is owed an answer, or hears one.
  var isInTurn: Bool { get }
  /// Since the 101.
  var age: Duration { get }
  /// The operator wants it to end: an `error` event, and close code 1000.
  func endByOperator()
  /// The gateway goes out of service: the session is to end when its turn is over.
  func drain()
  /// The gateway goes out of service now.
  func stop()
}

/// A running session, as the operator is shown it.
struct SessionStanding: Sendable {
  var identity: UsageIdentity
  /// Of the client, behind a proxy the one that this forwards.
  var address: String?
  var model: String
  var isInTurn: Bool
  var age: Duration
}

/// The sessions that run, on whichever event loop.
final class SessionDirectory: Sendable {
  private struct Entry: Sendable {
    let identity: UsageIdentity
    let address: String?
    let loop: any EventLoop
    let session: NIOLoopBound<any ListedSession>

    /// On the session's event loop.
    func standing() -> SessionStanding {
      let session = session.value
      return SessionStanding(
        identity: identity, address: address, model: session.model, isInTurn: session.isInTurn, age: session.age)
    }
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var isDraining = false
    var waiters: [CheckedContinuation<Void, Never>] = []
    /// Since the drain began.
    var ended = 0
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.entries.count } }

  /// The sessions that have ended since the drain began.
  var endedWhileDraining: Int { state.withLock { $0.ended } }

  /// How a session comes into the directory and leaves it: given to its driver.
  func listing(_ identity: UsageIdentity, address: String?) -> SessionListing {
    SessionListing(directory: self, identity: identity, address: address)
  }

  /// On the session's event loop. One that began just before the drain hears of it at once.
  fileprivate func add(
    _ session: any ListedSession, _ identity: UsageIdentity, address: String?, loop: any EventLoop
  ) {
    let entry = Entry(
      identity: identity, address: address, loop: loop, session: NIOLoopBound(session, eventLoop: loop))
    let isDraining = state.withLock { state in
      state.entries[identity.sessionID] = entry
      return state.isDraining
    }
    if isDraining { loop.execute { entry.session.value.drain() } }
  }

  fileprivate func remove(_ id: String) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      guard state.entries.removeValue(forKey: id) != nil else { return [] }
      if state.isDraining { state.ended += 1 }
      guard state.entries.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// All sessions, those that began first at the front.
  func list() async -> [SessionStanding] {
    let entries = state.withLock { Array($0.entries.values) }
    var standings: [SessionStanding] = []
    // One visit to each loop, however many sessions it has.
    for group in Dictionary(grouping: entries, by: { ObjectIdentifier($0.loop) }).values {
      guard let loop = group.first?.loop else { continue }
      standings += (try? await loop.submit { group.map { $0.standing() } }.get()) ?? []
    }
    return standings.sorted {
      ($0.identity.startedAt, $0.identity.sessionID) < ($1.identity.startedAt, $1.identity.sessionID)
    }
  }

  func find(_ id: String) async -> SessionStanding? {
    guard let entry = state.withLock({ $0.entries[id] }) else { return nil }
    return try? await entry.loop.submit { entry.standing() }.get()
  }

  /// False where there is no such session.
  func end(_ id: String) async -> Bool {
    guard let entry = state.withLock({ $0.entries[id] }) else { return false }
    let ending: Void? = try? await entry.loop.submit { entry.session.value.endByOperator() }.get()
    return ending != nil
  }

  /// Every session, and each that may still come, is to end when its turn is over.
  func drain() {
    let entries = state.withLock { state -> [Entry] in
      guard !state.isDraining else { return [] }
      state.isDraining = true
      return Array(state.entries.values)
    }
    for group in Dictionary(grouping: entries, by: { ObjectIdentifier($0.loop) }).values {
      group.first?.loop.execute { for entry in group { entry.session.value.drain() } }
    }
  }

  /// The time for turns is over: every session ends now.
  func stop() {
    let entries = state.withLock { Array($0.entries.values) }
    for group in Dictionary(grouping: entries, by: { ObjectIdentifier($0.loop) }).values {
      group.first?.loop.execute { for entry in group { entry.session.value.stop() } }
    }
  }

  /// Returns when no session runs, or when the time is up.
  func waitUntilEmpty(atMost limit: Duration) async {
    await Waiting.releasedAfter(limit, by: releaseWaiters) { [self] in
      await withCheckedContinuation { continuation in
        let isEmpty = state.withLock { state in
          if state.entries.isEmpty { return true }
          state.waiters.append(continuation)
          return false
        }
        if isEmpty { continuation.resume() }
      }
    }
  }

  private func releaseWaiters() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}

/// One session's place in the directory: begun and ended by its driver, on its event loop.
struct SessionListing: Sendable {
  fileprivate let directory: SessionDirectory
  fileprivate let identity: UsageIdentity
  fileprivate let address: String?

  func begin(_ session: any ListedSession, loop: any EventLoop) {
    directory.add(session, identity, address: address, loop: loop)
  }

  func end() { directory.remove(identity.sessionID) }
}

extension SessionDirectory: SessionDesk {
  func sessions() async -> [JSONObject] { await list().map(\.json) }
  func session(_ id: String) async -> JSONObject? { await find(id)?.json }
}

extension SessionStanding {
  /// As `GET /sessions` shows it.
  var json: JSONObject {
    func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
    return [
      "id": .string(identity.sessionID), "object": "session", "provider": text(identity.provider),
      "model": .string(model), "state": isInTurn ? "in_turn" : "idle",
      "startedAt": .string(identity.startedAt.exact),
      "durationSeconds": .number(JSONNumber(Double(age.wholeMilliseconds) / 1_000)), "app": .string(identity.app),
      "key": text(identity.key), "keyId": text(identity.keyID), "tokenId": text(identity.tokenID),
      "address": text(address), "mode": .string(identity.mode.rawValue),
    ]
  }
}
