import Access
import CoreMetrics
import Envelope
import Logging
import Metering
import NIOCore
import Routing
import Synchronization
import Translation

/// Gives sessions their seats, in this process and, where a ledger is shared, in all of them together.
///
/// Local counts go first: they are exact within the process, and hold when the shared ledger does not answer. That one is
/// down is no reason to refuse anybody (issue of the ledger: a sink that is down never touches a call).
final class SeatDesk: Sendable {
  /// Between two rounds in which seats are renewed and minutes reserved. A third of what is reserved ahead.
  static let interval = Duration.seconds(5)
  /// Seats with less left than this are given more: two rounds, and what an answer may take.
  private static let lowSeconds = 12.0
  private static let unavailable = "parley_shared_limits_unavailable_total"

  private struct State {
    var book = LimitBook()
    var live: [String: WeakSeat] = [:]
    var rates: [LimitHolder: WeakRate] = [:]
    var sharedAnswers = true
  }

  private struct WeakSeat {
    weak var seat: Seat?
  }

  private struct WeakRate {
    weak var rate: HolderRate?
  }

  private let state = Mutex(State())
  private let shared: (any SharedSeats)?
  private let clock: WallClock
  private let factory: any MetricsFactory
  private let logger: Logger

  init(
    shared: (any SharedSeats)?, clock: WallClock, factory: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) {
    self.shared = shared
    self.clock = clock
    self.factory = factory
    self.logger = logger
  }

  /// A seat in this process.
  func take(_ order: SeatOrder, at now: Instant) throws(LimitRefusal) -> Seat {
    try state.withLock { state throws(LimitRefusal) in
      try state.book.take(order, at: now)
      let granted =
        order.limitsMinutesOfDay
        ? state.book.reserve(seconds: LimitBook.slice, for: order.sessionID, day: order.day) : .infinity
      let seat = Seat(order, granted: granted, desk: self)
      state.live[order.sessionID] = WeakSeat(seat: seat)
      return seat
    }
  }

  /// Whether the shared ledger has to be asked too.
  func isShared(_ order: SeatOrder) -> Bool { shared != nil && !(order.holders.isEmpty && order.tokenUse == nil) }

  /// Asks the shared ledger for a seat that is taken here.
  ///
  /// - Returns: why there is none; nil where there is one, and where the ledger does not answer.
  func share(_ seat: Seat) async -> LimitRefusal? {
    guard let shared else { return nil }
    do {
      seat.shared(granting: try await shared.take(seat.order))
      sharedAnswers(true)
      return nil
    } catch {
      switch error {
      case .refused(let refusal):
        seat.withdraw()
        return refusal
      case .unavailable:
        sharedAnswers(false)
        return nil
      }
    }
  }

  /// The control events that all sessions of a holder may send together.
  func rate(of holder: LimitHolder, most: Int) -> HolderRate {
    state.withLock { state in
      if let rate = state.rates[holder]?.rate, rate.most == most { return rate }
      if state.rates.count > 4_096 { state.rates = state.rates.filter { $0.value.rate != nil } }
      let rate = HolderRate(holder, most: most)
      state.rates[holder] = WeakRate(rate: rate)
      return rate
    }
  }

  func standing(of seat: Seat) -> LimitStanding {
    let now = clock.now()
    return state.withLock { $0.book.standing(of: seat.order.sessionID, at: now) }
  }

  /// What was used today before this process began.
  func restore(_ seconds: [(LimitHolder, Double)], day: Int) {
    state.withLock { $0.book.restore(seconds, day: day) }
  }

  fileprivate func giveBack(_ seat: Seat, unused: Double, wasShared: Bool) {
    state.withLock { state in
      state.book.giveBack(seat.order.sessionID, unused: unused)
      state.live[seat.order.sessionID] = nil
    }
    guard wasShared, let shared else { return }
    let id = seat.order.sessionID
    Task { await shared.giveBack(id, unused: unused) }
  }

  fileprivate func withdraw(_ seat: Seat) {
    state.withLock { state in
      state.book.withdraw(seat.order.sessionID)
      state.live[seat.order.sessionID] = nil
    }
  }

  // MARK: Rounds

  /// Renews seats and reserves minutes, round after round, until it is cancelled.
  func run(loop: any EventLoop) async {
    while !Task.isCancelled {
      guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
      await round(at: Instant(loop.now))
    }
  }

  func round(at now: Instant) async {
    let seats = state.withLock { $0.live.values.compactMap(\.seat) }
    guard !seats.isEmpty else { return }
    defer { for seat in seats { seat.tellStanding() } }
    let day = clock.now().day
    if let shared {
      // Those that have not begun are still being asked for.
      let asked = seats.filter { isShared($0.order) && $0.hasBegun }
      guard !asked.isEmpty else { return }
      let renewals = asked.map { seat in
        SeatRenewal(
          order: seat.order, day: day, wantedSeconds: seat.isLow(at: now, Self.lowSeconds) ? LimitBook.slice : 0)
      }
      do {
        let granted = try await shared.renew(renewals)
        sharedAnswers(true)
        for (seat, renewal) in zip(asked, renewals) {
          guard seat.isKnownToAll() else {
            // Its session has ended meanwhile: what was renewed is nobody's.
            let unused = granted[seat.order.sessionID].flatMap { $0.isFinite ? $0 : nil } ?? 0
            await shared.giveBack(seat.order.sessionID, unused: unused)
            continue
          }
          guard renewal.wantedSeconds > 0, let seconds = granted[seat.order.sessionID] else { continue }
          _ = state.withLock { $0.book.reserve(seconds: seconds, for: seat.order.sessionID, day: day) }
          seat.grant(seconds, isFinal: seconds < renewal.wantedSeconds)
        }
        return
      } catch {
        sharedAnswers(false)
      }
    }
    for seat in seats where seat.isLow(at: now, Self.lowSeconds) {
      let seconds = state.withLock { $0.book.reserve(seconds: LimitBook.slice, for: seat.order.sessionID, day: day) }
      seat.grant(seconds, isFinal: seconds < LimitBook.slice)
    }
  }

  /// One line when it goes, one when it returns.
  private func sharedAnswers(_ answers: Bool) {
    if !answers { Counter(label: Self.unavailable, factory: factory).increment() }
    let did = state.withLock { state in
      defer { state.sharedAnswers = answers }
      return state.sharedAnswers
    }
    guard did != answers else { return }
    logger.log(
      level: answers ? .notice : .warning,
      answers
        ? "the shared ledger answers again" : "the shared ledger does not answer: limits hold in each process alone")
  }
}

/// A session's seat: taken until it is given back, or dropped by whoever held it.
final class Seat: Sendable {
  private struct State {
    var isTaken = true
    var isShared = false
    /// Seconds of the day's minutes since the beginning of the session; infinite where nobody limits them.
    var granted: Double
    /// Nothing more will come.
    var isFinal: Bool
    var begunAt: Instant?
    var deliver: (@Sendable (SeatGrant?) -> Void)?
  }

  let order: SeatOrder
  private let desk: SeatDesk
  private let state: Mutex<State>

  fileprivate init(_ order: SeatOrder, granted: Double, desk: SeatDesk) {
    self.order = order
    self.desk = desk
    state = Mutex(State(granted: granted, isFinal: granted < LimitBook.slice))
  }

  /// The tightest of its holders' minutes of the day.
  var minutesOfDay: Double { order.holders.compactMap(\.limits.maxMinutesPerDay).min() ?? .infinity }

  func standing() -> LimitStanding { desk.standing(of: self) }

  /// The session begins.
  ///
  /// - Parameter deliver: is called on any thread, now and every few seconds, as the limits stand then; with how long the
  ///   session may go on where that is limited and has changed.
  func begin(at now: Instant, deliver: @escaping @Sendable (SeatGrant?) -> Void) {
    let grant = state.withLock { state -> SeatGrant? in
      state.begunAt = now
      state.deliver = deliver
      return state.granted.isFinite ? SeatGrant(endsAt: now + .seconds(state.granted), isFinal: state.isFinal) : nil
    }
    deliver(grant)
  }

  fileprivate func tellStanding() {
    state.withLock { $0.deliver }?(nil)
  }

  func giveBack(at now: Instant? = nil) {
    let (wasTaken, unused, wasShared) = state.withLock { state -> (Bool, Double, Bool) in
      defer {
        state.isTaken = false
        state.deliver = nil
      }
      let used = state.begunAt.flatMap { begun in now.map { Double(($0 - begun).wholeNanoseconds) / 1e9 } } ?? 0
      let unused = state.granted.isFinite ? max(0, state.granted - used) : 0
      return (state.isTaken, unused, state.isShared)
    }
    if wasTaken { desk.giveBack(self, unused: unused, wasShared: wasShared) }
  }

  fileprivate func withdraw() {
    let wasTaken = state.withLock { state in
      defer { state.isTaken = false }
      return state.isTaken
    }
    if wasTaken { desk.withdraw(self) }
  }

  fileprivate func shared(granting seconds: Double) {
    state.withLock { state in
      state.isShared = true
      guard seconds.isFinite else { return }
      state.granted = min(state.granted, seconds)
      state.isFinal = state.granted < LimitBook.slice
    }
  }

  /// False where the seat is not taken any more.
  fileprivate func isKnownToAll() -> Bool {
    state.withLock { state in
      state.isShared = true
      return state.isTaken
    }
  }

  fileprivate var hasBegun: Bool { state.withLock { $0.begunAt != nil } }

  fileprivate func isLow(at now: Instant, _ seconds: Double) -> Bool {
    state.withLock { state in
      guard let begunAt = state.begunAt, state.granted.isFinite, !state.isFinal else { return false }
      return state.granted - Double((now - begunAt).wholeNanoseconds) / 1e9 < seconds
    }
  }

  fileprivate func grant(_ seconds: Double, isFinal: Bool) {
    let told = state.withLock { state -> (SeatGrant, @Sendable (SeatGrant?) -> Void)? in
      guard state.granted.isFinite, seconds.isFinite else { return nil }
      state.granted += seconds
      state.isFinal = isFinal
      guard let begunAt = state.begunAt, let deliver = state.deliver else { return nil }
      return (SeatGrant(endsAt: begunAt + .seconds(state.granted), isFinal: isFinal), deliver)
    }
    if let (grant, deliver) = told { deliver(grant) }
  }

  deinit {
    giveBack()
  }
}

/// How long a session may go on by the minutes of the day.
struct SeatGrant: Sendable, Equatable {
  var endsAt: Instant
  /// Nothing more will come.
  var isFinal: Bool
}

/// The control events that all sessions of a holder may send together, on all event loops.
final class HolderRate: SharedRate {
  let most: Int
  private let holder: LimitHolder
  private let rate: Mutex<EventRate>

  init(_ holder: LimitHolder, most: Int) {
    self.holder = holder
    self.most = most
    rate = Mutex(EventRate(most: most, in: .seconds(1)))
  }

  func admits(at now: Instant) -> Bool {
    rate.withLock { $0.admits(at: now) }
  }

  var fault: EventFault {
    EventFault(
      type: "rate_limit_error", code: "rate_limit_exceeded",
      message: "All sessions of this \(holder.kind) together may send \(most) events a second.",
      param: LimitName.maxEventsPerSecond.rawValue)
  }
}
