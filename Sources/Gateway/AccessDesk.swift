import Access
import Logging
import Metering
import NIOCore
import Routing
import Synchronization

/// Judges who may come in, with what the configuration says and what a store of keys knows. Shared by all event loops.
///
/// A key that only the store knows is looked up there each time, so that a revocation holds at once. What was read of the
/// store before serves where it does not answer, and for the questions that every request asks: whether there are keys at
/// all, and what an app may do.
final class AccessDesk: Sendable {
  /// Between two readings of the whole store.
  static let interval = Duration.seconds(5)
  /// Keys that may be looked up at a time. Anybody can ask for one; a flood of them must not keep the store from what it
  /// does for those who are let in.
  static let mostLookUps = 256

  private struct State {
    var stored: StoredAccess?
    var answers = true
    var hasWarnedOfProxy = false
    var lookUps = 0
  }

  /// By the configuration that came last.
  var policy: AccessPolicy { current.withLock { $0 } }
  let clock: WallClock
  private let current: Mutex<AccessPolicy>
  private let storage: (any KeyStorage)?
  private let state: Mutex<State>
  private let logger: Logger

  init(_ table: AccessTable, storage: (any KeyStorage)?, clock: WallClock, logger: Logger) {
    var random = SystemRandomNumberGenerator()
    current = Mutex(AccessPolicy(table, tokens: TokenKeyRing(table.tokens, random: &random)))
    self.storage = storage
    self.clock = clock
    self.logger = logger
    state = Mutex(State(stored: storage == nil ? nil : .unread))
  }

  /// From here on the section of another configuration holds.
  func apply(_ table: AccessTable) {
    current.withLock { policy in
      var random = SystemRandomNumberGenerator()
      policy = AccessPolicy(table, tokens: policy.tokens.renewed(table.tokens, random: &random))
    }
  }

  /// Nil where there is no store.
  var stored: StoredAccess? { state.withLock { $0.stored } }

  /// Decides without asking the store.
  func judge(_ request: AccessPolicy.Request) -> AccessPolicy.Answer {
    policy.judge(request, stored: stored)
  }

  /// Asks the store for a key.
  func lookUp(_ digest: KeyDigest) async -> Result<KeyRecord?, StorageFault> {
    guard let storage else { return .success(nil) }
    let isOneTooMany = state.withLock { state in
      state.lookUps += 1
      return state.lookUps > Self.mostLookUps
    }
    defer { state.withLock { $0.lookUps -= 1 } }
    guard !isOneTooMany else { return .failure(.unavailable("too many keys are looked up")) }
    do {
      let record = try await storage.key(with: digest)
      answered(true)
      return .success(record)
    } catch {
      answered(false)
      return .failure(error)
    }
  }

  /// Decides with what the store has said.
  func judge(
    _ request: AccessPolicy.Request, found: Result<KeyRecord?, StorageFault>, digest: KeyDigest
  ) -> Result<Admittance, AccessRefusal> {
    let stored = stored
    let record: KeyRecord?
    switch found {
    case .success(let answer): record = answer
    case .failure:
      guard let known = stored?.key(with: digest) else { return .failure(.storeUnavailable) }
      record = known
    }
    return switch policy.judge(record, request, stored: stored) {
    case .admitted(let admittance): .success(admittance)
    case .refused(let refusal): .failure(refusal)
    case .ask: .failure(.storeUnavailable)
    }
  }

  /// Decides, and asks the store where that is needed.
  func admit(_ request: AccessPolicy.Request) async throws(AccessRefusal) -> Admittance {
    switch judge(request) {
    case .admitted(let admittance): return admittance
    case .refused(let refusal): throw refusal
    case .ask(let digest): return try judge(request, found: await lookUp(digest), digest: digest).get()
    }
  }

  /// Somebody without a key came through a proxy that is not configured, behind which everybody looks local. Said once.
  func admittedUnknownThroughProxy() {
    let isFirst = state.withLock { state in
      defer { state.hasWarnedOfProxy = true }
      return !state.hasWarnedOfProxy
    }
    guard isFirst else { return }
    logger.warning(
      "a client without a key came through a proxy, behind which every client counts as local: set access.proxies or keys"
    )
  }

  // MARK: The store as a whole

  /// Reads the store now: after a change of it, and at intervals.
  func refresh() async {
    guard let storage else { return }
    do {
      let stored = StoredAccess(keys: try await storage.keys(), apps: try await storage.apps())
      state.withLock { $0.stored = stored }
      answered(true)
    } catch {
      answered(false)
    }
  }

  /// Reads the store at intervals until it is cancelled.
  func run() async {
    while !Task.isCancelled {
      // A store that is asked by who has been cancelled does not answer, and is not to blame.
      guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
      await refresh()
    }
  }

  /// One line when it goes, one when it returns.
  private func answered(_ answers: Bool) {
    let did = state.withLock { state in
      defer { state.answers = answers }
      return state.answers
    }
    guard did != answers else { return }
    logger.log(
      level: answers ? .notice : .warning,
      answers
        ? "the store of keys answers again" : "the store of keys does not answer: what was read of it before holds")
  }
}
