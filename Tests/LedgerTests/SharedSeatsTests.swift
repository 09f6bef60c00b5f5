import ParleyTesting
import Access
import Foundation
import Metering
import Routing
import Testing

@testable import Ledger

/// The server's default isolation is serializable in these tests: it must change nothing.
@Suite(.serialized, .enabled(if: PostgresServer.isInstalled)) struct SharedSeatsTests {
  let address: String
  let desks: [PostgresSeats]
  /// Of today: days long past are forgotten.
  static let noon = Timestamp(day: Timestamp.wallClock().day).milliseconds + 43_200_000

  init() async throws {
    address = try await PostgresServer.shared().address()
    desks = try await Self.desks(address)
  }

  static func desks(_ address: String, lease: Duration = .seconds(20)) async throws -> [PostgresSeats] {
    var desks: [PostgresSeats] = []
    for index in 0..<2 {
      let store = try await PostgresStore.ofTests(address)
      try await store.prepare(within: .seconds(30))
      desks.append(PostgresSeats(store: store, instance: "i\(index)", lease: lease))
    }
    return desks
  }

  static func order(
    _ session: String, _ holders: [(LimitHolder, HolderLimits)], token: SeatOrder.TokenUse? = nil
  ) -> SeatOrder {
    SeatOrder(sessionID: session, holders: holders, tokenUse: token, at: Timestamp(milliseconds: noon))
  }

  static func limits(sessions: Int? = nil, connects: Int? = nil, minutes: Double? = nil) -> HolderLimits {
    var limits = HolderLimits()
    limits.maxSessions = sessions
    limits.maxConnectsPerSecond = connects
    limits.maxMinutesPerDay = minutes
    return limits
  }

  /// What becomes of orders that come at once, half of them at each desk.
  private func takeAtOnce(_ orders: [SeatOrder]) async -> [Result<Double, SharedFault>] {
    await withTaskGroup(of: Result<Double, SharedFault>.self) { group in
      for (index, order) in orders.enumerated() {
        group.addTask { [desk = desks[index % 2]] in
          do throws(SharedFault) {
            return .success(try await desk.take(order))
          } catch {
            return .failure(error)
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  static func holders(_ most: Int) -> [(String, [(LimitHolder, HolderLimits)], SeatOrder.TokenUse?)] {
    [
      ("key", [(.key(id: "k"), limits(sessions: most))], nil),
      ("app", [(.app("a"), limits(sessions: most)), (.key(id: "k"), limits(sessions: 100))], nil),
      ("provider", [(.provider("p"), limits(sessions: most)), (.app("a"), limits(minutes: 1_000))], nil),
      ("connects", [(.provider("p"), limits(connects: most))], nil),
      ("token", [], SeatOrder.TokenUse(id: "t", most: most, until: noon / 1000 + 3_000_000_000)),
    ]
  }

  @Test("50 at once over two desks are exactly 10", arguments: 0..<5)
  func fifty(_ index: Int) async throws {
    let (name, holders, token) = Self.holders(10)[index]
    let begin = ContinuousClock.now
    let results = await takeAtOnce((0..<50).map { Self.order("s\($0)", holders, token: token) })
    let taken = results.filter { if case .success = $0 { true } else { false } }.count
    // Ten connects in a second: one more for each tenth of it that this takes.
    let late = name == "connects" ? Int(begin.duration(to: .now) / .milliseconds(100)) : 0
    #expect((10...10 + late).contains(taken), "\(name)")
    for case .failure(let fault) in results {
      guard case .refused(let refusal) = fault else {
        Issue.record("\(fault)")
        continue
      }
      #expect(refusal.name == (name == "connects" ? .maxConnectsPerSecond : .maxSessions))
      #expect(refusal.most == 10)
    }
  }

  @Test("holders that are named in any order by many at once never wait for each other for ever")
  func noDeadlock() async throws {
    var random = SplitMix64(seed: 10)
    let orders = (0..<200).map { index in
      let holders = (0..<6).filter { _ in Bool.random(using: &random) }.map { holder in
        (LimitHolder.key(id: "k\(holder)"), Self.limits(sessions: 1_000, minutes: 1_000))
      }
      return Self.order("s\(index)", holders.shuffled(using: &random))
    }
    let results = await takeAtOnce(orders)
    for result in results { #expect(throws: Never.self) { try result.get() } }
  }

  @Test("who is refused by one holder takes nothing of the others")
  func allOrNothing() async throws {
    let full: (LimitHolder, HolderLimits) = (.key(id: "full"), Self.limits(sessions: 1))
    let wide: (LimitHolder, HolderLimits) = (.app("wide"), Self.limits(sessions: 2, connects: 100, minutes: 60))
    let token = SeatOrder.TokenUse(id: "t", most: 1, until: 4_000_000_000)
    _ = try await desks[0].take(Self.order("a", [full]))
    for index in 0..<5 {
      await #expect(throws: SharedFault.self) {
        try await desks[1].take(Self.order("b\(index)", [full, wide], token: token))
      }
    }
    // Everything is there for two, and the token was not used.
    #expect(try await desks[1].take(Self.order("c", [wide], token: token)) == LimitBook.slice)
    #expect(try await desks[0].take(Self.order("d", [wide])) == LimitBook.slice)
    await #expect(
      throws: SharedFault.refused(
        LimitRefusal(holder: .app("wide"), name: .maxSessions, most: 2, retryAfterSeconds: 10))
    ) { try await desks[0].take(Self.order("e", [wide])) }
  }

  @Test("a seat that is given back is free at the other desk at once, and twice is once")
  func giveBack() async throws {
    let one: [(LimitHolder, HolderLimits)] = [(.key(id: "k"), Self.limits(sessions: 1))]
    for round in 0..<20 {
      _ = try await desks[round % 2].take(Self.order("s\(round)", one))
      await #expect(throws: SharedFault.self) { try await desks[(round + 1) % 2].take(Self.order("x\(round)", one)) }
      await desks[round % 2].giveBack("s\(round)", unused: 0)
      await desks[round % 2].giveBack("s\(round)", unused: 0)
    }
  }

  @Test("a killed instance's seats end with their lease; those that are renewed do not")
  func lease() async throws {
    let desks = try await Self.desks(address, lease: .seconds(4))
    let two: [(LimitHolder, HolderLimits)] = [(.key(id: "k"), Self.limits(sessions: 2))]
    _ = try await desks[0].take(Self.order("killed", two))
    let kept = Self.order("kept", two)
    _ = try await desks[1].take(kept)
    var freed = 0
    for _ in 0..<400 where freed == 0 {
      _ = try await desks[1].renew([SeatRenewal(order: kept, day: kept.day, wantedSeconds: 0)])
      if (try? await desks[1].take(Self.order("new", two))) != nil { freed += 1 }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(freed == 1)
    await #expect(throws: SharedFault.self) { try await desks[0].take(Self.order("another", two)) }
  }

  @Test("a seat that the database has lost is made again, without a limit being a reason")
  func remade() async throws {
    let one: [(LimitHolder, HolderLimits)] = [(.key(id: "k"), Self.limits(sessions: 1))]
    let live = [Self.order("a", one), Self.order("b", one)]
    // As after an outage in which both were let in by their own processes.
    _ = try await desks[0].renew(live.map { SeatRenewal(order: $0, day: $0.day, wantedSeconds: 0) })
    await #expect(throws: SharedFault.self) { try await desks[1].take(Self.order("c", one)) }
    await desks[0].giveBack("a", unused: 0)
    await #expect(throws: SharedFault.self) { try await desks[1].take(Self.order("c", one)) }
    await desks[0].giveBack("b", unused: 0)
    _ = try await desks[1].take(Self.order("c", one))
  }

  @Test("minutes of a day are shared to the second, whoever asks, and what is unused comes back")
  func minutes() async throws {
    let holders: [(LimitHolder, HolderLimits)] = [
      (.key(id: "k"), Self.limits(minutes: 1)), (.app("a"), Self.limits(minutes: 100)),
    ]
    var random = SplitMix64(seed: 11)
    var granted = 0.0
    let orders = (0..<4).map { Self.order("s\($0)", holders) }
    for (index, order) in orders.enumerated() where granted < 60 {
      granted += try await desks[index % 2].take(order)
    }
    #expect(granted == 60)
    // Nothing is left, for a new session and for those that go on.
    await #expect(
      throws: SharedFault.refused(
        LimitRefusal(holder: .key(id: "k"), name: .maxMinutesPerDay, most: 1, retryAfterSeconds: 43_200))
    ) { try await desks[0].take(Self.order("more", holders)) }
    let renewals = orders.map { SeatRenewal(order: $0, day: $0.day, wantedSeconds: 15) }
    #expect(try await desks[1].renew(renewals) == ["s0": 0, "s1": 0, "s2": 0, "s3": 0])
    await desks[0].giveBack("s0", unused: 7.25)
    let shares = try await withThrowingTaskGroup(of: Double.self) { group in
      for index in 1..<4 {
        let wanted = Double.random(in: 3...15, using: &random)
        group.addTask { [desk = desks[index % 2]] in
          let renewal = SeatRenewal(order: orders[index], day: orders[index].day, wantedSeconds: wanted)
          return try await desk.renew([renewal])["s\(index)"] ?? -1
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(abs(shares - 7.25) < 1e-9)
    // A new day begins with all of them.
    let tomorrow = SeatRenewal(order: orders[1], day: orders[1].day + 1, wantedSeconds: 15)
    #expect(try await desks[0].renew([tomorrow]) == ["s1": 15])
  }

  @Test("the connects of a second pass, one more does not, and the next after its share of the second")
  func connects() async throws {
    let holders: [(LimitHolder, HolderLimits)] = [(.app("a"), Self.limits(connects: 5))]
    for index in 0..<5 { _ = try await desks[index % 2].take(Self.order("s\(index)", holders)) }
    await #expect(
      throws: SharedFault.refused(
        LimitRefusal(holder: .app("a"), name: .maxConnectsPerSecond, most: 5, retryAfterSeconds: 1))
    ) { try await desks[0].take(Self.order("more", holders)) }
    let begin = ContinuousClock.now
    var passed = false
    while !passed, begin.duration(to: .now) < .seconds(20) {
      passed = (try? await desks[1].take(Self.order("later", holders))) != nil
    }
    #expect(passed)
  }

  @Test("a token starts as many sessions as it carries, and no more when they have ended")
  func token() async throws {
    let token = SeatOrder.TokenUse(id: "t", most: 2, until: Self.noon / 1000 + 60)
    for index in 0..<2 {
      _ = try await desks[index].take(Self.order("s\(index)", [], token: token))
      await desks[index].giveBack("s\(index)", unused: 0)
    }
    await #expect(
      throws: SharedFault.refused(
        LimitRefusal(holder: .token(id: "t"), name: .maxSessions, most: 2, retryAfterSeconds: 60))
    ) { try await desks[0].take(Self.order("more", [], token: token)) }
  }

  @Test("where nothing shared is limited the database is not asked")
  func unlimited() async throws {
    let nowhere = PostgresSeats(store: try await .ofTests("host=/nowhere"), instance: "i")
    let order = Self.order("s", [(.key(id: "k"), HolderLimits())])
    #expect(try await nowhere.take(order) == .infinity)
    #expect(try await nowhere.renew([SeatRenewal(order: order, day: 1, wantedSeconds: 15)]) == ["s": .infinity])
    let limited = Self.order("s", [(.key(id: "k"), Self.limits(sessions: 1))])
    await #expect(throws: SharedFault.unavailable) { try await nowhere.take(limited) }
    await nowhere.giveBack("s", unused: 1)
  }
}
