import Access
import Metering
import Routing
import Synchronization
import Testing
import Translation

@testable import Gateway

@Suite("Seats of a process", .timeLimit(.minutes(2)))
struct SeatDeskTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)
  private static let clock = WallClock { 1_767_229_435_000 }

  private func desk(_ shared: (any SharedSeats)? = nil, log: LogCapture = LogCapture()) -> SeatDesk {
    SeatDesk(shared: shared, clock: Self.clock, logger: log.logger)
  }

  private func order(_ id: String, _ limits: HolderLimits, tokenUse: SeatOrder.TokenUse? = nil) -> SeatOrder {
    SeatOrder(sessionID: id, holders: [(.key(id: "k"), limits)], tokenUse: tokenUse, at: Self.clock.now())
  }

  @Test("of 50 that ask at once exactly 10 get a seat; one that is given back twice is one")
  func exact() async throws {
    let desk = desk()
    let orders = (0..<50).map { order("s\($0)", HolderLimits(maxSessions: 10)) }
    let seats = await withTaskGroup(of: Seat?.self) { group in
      for order in orders { group.addTask { try? desk.take(order, at: Self.start) } }
      return await group.reduce(into: []) { $0.append($1) }
    }.compactMap { $0 }
    #expect(seats.count == 10)
    seats.first?.giveBack()
    seats.first?.giveBack()
    let next = try desk.take(order("next", HolderLimits(maxSessions: 10)), at: Self.start)
    #expect(throws: LimitRefusal.self) {
      try desk.take(order("more", HolderLimits(maxSessions: 10)), at: Self.start)
    }
    _ = (next, seats)
  }

  @Test("a seat that its holder drops is free again")
  func dropped() throws {
    let desk = desk()
    do {
      let seat = try desk.take(order("a", HolderLimits(maxSessions: 1)), at: Self.start)
      #expect(throws: LimitRefusal.self) { try desk.take(order("b", HolderLimits(maxSessions: 1)), at: Self.start) }
      _ = seat
    }
    let next = try desk.take(order("c", HolderLimits(maxSessions: 1)), at: Self.start)
    #expect(desk.standing(of: next).entries.first?.remaining == 0)
  }

  @Test("minutes of the day are reserved ahead, end with what is left, and what was not used comes back")
  func minutes() async throws {
    let desk = desk()
    let limits = HolderLimits(maxMinutesPerDay: 20.0 / 60)
    let seat = try desk.take(order("a", limits), at: Self.start)
    let grants = Mutex<[SeatGrant]>([])
    seat.begin(at: Self.start) { grant in grants.withLock { $0 += grant.map { [$0] } ?? [] } }
    #expect(grants.withLock { $0 } == [SeatGrant(endsAt: Self.start + .seconds(15), isFinal: false)])
    // Not low yet: nothing more is asked for.
    await desk.round(at: Self.start + .seconds(1))
    #expect(grants.withLock { $0.count } == 1)
    await desk.round(at: Self.start + .seconds(5))
    #expect(grants.withLock { $0.last } == SeatGrant(endsAt: Self.start + .seconds(20), isFinal: true))
    await desk.round(at: Self.start + .seconds(10))
    #expect(grants.withLock { $0.count } == 2)
    seat.giveBack(at: Self.start + .seconds(8))
    let next = try desk.take(order("b", limits), at: Self.start)
    next.begin(at: Self.start + .seconds(8)) { grant in grants.withLock { $0 += grant.map { [$0] } ?? [] } }
    #expect(grants.withLock { $0.last } == SeatGrant(endsAt: Self.start + .seconds(20), isFinal: true))
    next.giveBack(at: Self.start + .seconds(20))
    #expect(throws: LimitRefusal.self) { try desk.take(order("c", limits), at: Self.start) }
  }

  /// A ledger of other replicas, that says what it is told to say.
  private actor Others: SharedSeats {
    var answer: Result<Double, SharedFault> = .success(.infinity)
    private(set) var returned: [String] = []
    private(set) var renewed: [[String]] = []

    func set(_ answer: Result<Double, SharedFault>) { self.answer = answer }
    func take(_ order: SeatOrder) async throws(SharedFault) -> Double { try answer.get() }
    func renew(_ live: [SeatRenewal]) async throws(SharedFault) -> [String: Double] {
      let seconds = try answer.get()
      renewed.append(live.map(\.order.sessionID))
      return Dictionary(uniqueKeysWithValues: live.map { ($0.order.sessionID, seconds) })
    }
    func giveBack(_ sessionID: String, unused seconds: Double) async { returned.append(sessionID) }
  }

  @Test("what all replicas refuse is given back here too, the token's use among it")
  func sharedRefusal() async throws {
    let others = Others()
    let desk = desk(others)
    let use = SeatOrder.TokenUse(id: "t", most: 1, until: 1_767_230_000)
    let seat = try desk.take(order("a", HolderLimits(maxSessions: 1), tokenUse: use), at: Self.start)
    let refusal = LimitRefusal(holder: .key(id: "k"), name: .maxSessions, most: 1, retryAfterSeconds: 10)
    await others.set(.failure(.refused(refusal)))
    #expect(await desk.share(seat) == refusal)
    await others.set(.success(.infinity))
    let next = try desk.take(order("b", HolderLimits(maxSessions: 1), tokenUse: use), at: Self.start)
    #expect(await desk.share(next) == nil)
    #expect(await others.returned.isEmpty)
  }

  @Test("a ledger that does not answer refuses nobody, says so once, and is told of the seats when it returns")
  func sharedIsAway() async throws {
    let others = Others()
    let log = LogCapture()
    let desk = desk(others, log: log)
    await others.set(.failure(.unavailable))
    let seat = try desk.take(order("a", HolderLimits(maxSessions: 1, maxMinutesPerDay: 1)), at: Self.start)
    #expect(await desk.share(seat) == nil)
    let grants = Mutex<[SeatGrant]>([])
    seat.begin(at: Self.start) { grant in grants.withLock { $0 += grant.map { [$0] } ?? [] } }
    #expect(throws: LimitRefusal.self) { try desk.take(order("b", HolderLimits(maxSessions: 1)), at: Self.start) }
    // The process's own count goes on meanwhile.
    await desk.round(at: Self.start + .seconds(10))
    #expect(grants.withLock { $0.last } == SeatGrant(endsAt: Self.start + .seconds(30), isFinal: false))
    #expect(log.text.ranges(of: "does not answer").count == 1)
    await others.set(.success(5))
    await desk.round(at: Self.start + .seconds(25))
    #expect(await others.renewed == [["a"]])
    #expect(grants.withLock { $0.last } == SeatGrant(endsAt: Self.start + .seconds(35), isFinal: true))
    #expect(log.text.contains("answers again"))
  }
}
