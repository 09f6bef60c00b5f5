import Access
import Metering
import Routing
import Testing
import Translation

@Suite struct LimitBookTests {
  /// A generator whose numbers are the same in each run.
  private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      return mixed ^ (mixed >> 27)
    }
  }

  private static let noon = Timestamp(milliseconds: 1_767_268_800_000)
  private static let now = Instant(nanoseconds: 1_000_000_000_000)

  private static func order(
    _ id: String, _ holders: [(LimitHolder, HolderLimits)], tokenUse: SeatOrder.TokenUse? = nil,
    at time: Timestamp = noon
  ) -> SeatOrder {
    SeatOrder(sessionID: id, holders: holders, tokenUse: tokenUse, at: time)
  }

  private static func refusal(_ body: () throws(LimitRefusal) -> Void) -> LimitRefusal? {
    do {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test("of 50 at once 10, whatever the order", arguments: 0..<40 as Range<UInt64>)
  func sessions(seed: UInt64) {
    var numbers = Numbers(state: seed)
    var book = LimitBook()
    let holder = LimitHolder.key(id: "key_1")
    var live: Set<String> = []
    // Some come and go before, and in between.
    for step in 0..<500 {
      if step < 450, let gone = live.randomElement(using: &numbers), Bool.random(using: &numbers) {
        book.giveBack(gone)
        live.remove(gone)
      }
      let id = "sess_\(step)"
      let refusal = Self.refusal { () throws(LimitRefusal) in
        try book.take(Self.order(id, [(holder, HolderLimits(maxSessions: 10))]), at: Self.now)
      }
      #expect((refusal == nil) == (live.count < 10))
      if refusal == nil { live.insert(id) }
      #expect(live.count <= 10)
      #expect(book.count == live.count)
      if let refusal {
        #expect(refusal == LimitRefusal(holder: holder, name: .maxSessions, most: 10, retryAfterSeconds: 10))
      }
    }
    #expect(live.count == 10)
  }

  @Test("all or nothing over several holders")
  func wholeOrders() throws {
    var book = LimitBook()
    let key = (LimitHolder.key(id: "k"), HolderLimits(maxSessions: 5, maxConnectsPerSecond: 3))
    let app = (LimitHolder.app("a"), HolderLimits(maxSessions: 1))
    try book.take(Self.order("one", [app]), at: Self.now)
    for _ in 0..<20 {
      let refusal = Self.refusal { () throws(LimitRefusal) in
        try book.take(Self.order("two", [key, app], tokenUse: .init(id: "t", most: 1, until: 9)), at: Self.now)
      }
      #expect(refusal?.holder == .app("a"))
    }
    // Nothing was taken of the key and the token by those that were refused.
    for id in ["three", "four", "five"] { try book.take(Self.order(id, [key]), at: Self.now) }
    book.giveBack("one")
    try book.take(
      Self.order("six", [app], tokenUse: .init(id: "t", most: 1, until: 9)), at: Self.now)
    #expect(book.count == 4)
  }

  @Test("a seat that is given back twice is one, and a session that has one keeps it")
  func twice() throws {
    var book = LimitBook()
    let holder = (LimitHolder.provider("p"), HolderLimits(maxSessions: 2))
    try book.take(Self.order("a", [holder]), at: Self.now)
    try book.take(Self.order("a", [holder]), at: Self.now)
    try book.take(Self.order("b", [holder]), at: Self.now)
    book.giveBack("a")
    book.giveBack("a")
    book.giveBack("unknown")
    try book.take(Self.order("c", [holder]), at: Self.now)
    #expect(throws: LimitRefusal.self) { try book.take(Self.order("d", [holder]), at: Self.now) }
  }

  @Test(
    "connects per second: the limit passes, one more does not, and the next after 1/n s", arguments: [1, 3, 10, 1000])
  func connects(most: Int) throws {
    var book = LimitBook()
    let holder = (LimitHolder.app("a"), HolderLimits(maxConnectsPerSecond: most))
    var now = Self.now
    for index in 0..<most { try book.take(Self.order("\(index)", [holder]), at: now) }
    func refused(_ id: String) -> LimitRefusal? {
      Self.refusal { () throws(LimitRefusal) in try book.take(Self.order(id, [holder]), at: now) }
    }
    #expect(refused("more")?.name == .maxConnectsPerSecond)
    #expect(refused("more")?.retryAfterSeconds == 1)
    // A refused one does not count, and leaving gives nothing back.
    book.giveBack("0")
    #expect(refused("more") != nil)
    now = now + .nanoseconds(1_000_000_000 / Int64(most))
    #expect(refused("next") == nil)
    #expect(refused("after") != nil)
    now = now + .seconds(3600)
    for index in 0..<most { #expect(refused("late \(index)") == nil) }
    #expect(refused("late") != nil)
  }

  @Test("minutes of a day are never exceeded, and come back unused", arguments: 0..<40 as Range<UInt64>)
  func minutes(seed: UInt64) {
    var numbers = Numbers(state: seed)
    var book = LimitBook()
    let key = (LimitHolder.key(id: "k"), HolderLimits(maxMinutesPerDay: 10))
    let app = (LimitHolder.app("a"), HolderLimits(maxMinutesPerDay: 7.3))
    var reserved: [String: Double] = [:]
    var used = 0.0
    var count = 0
    for _ in 0..<2_000 {
      switch Int.random(in: 0..<4, using: &numbers) {
      case 0:
        count += 1
        let id = "s\(count)"
        let refusal = Self.refusal { () throws(LimitRefusal) in try book.take(Self.order(id, [key, app]), at: Self.now)
        }
        if let refusal {
          #expect(refusal.name == .maxMinutesPerDay)
          #expect(refusal.holder == .app("a"))
          #expect(refusal.retryAfterSeconds == 43_200)
        } else {
          reserved[id] = 0
        }
      case 1, 2:
        guard let id = reserved.keys.sorted().randomElement(using: &numbers) else { continue }
        let granted = book.reserve(seconds: LimitBook.slice, for: id, day: Self.noon.day)
        #expect(granted >= 0 && granted <= LimitBook.slice)
        reserved[id, default: 0] += granted
        used += granted
      default:
        guard let id = reserved.keys.sorted().randomElement(using: &numbers), let held = reserved[id] else { continue }
        let unused = Double.random(in: 0...1, using: &numbers) * held
        book.giveBack(id, unused: unused)
        reserved[id] = nil
        used -= unused
      }
      #expect(used <= 7.3 * 60 + 1e-6)
    }
    // Until the last second.
    let last = Self.refusal { () throws(LimitRefusal) in try book.take(Self.order("last", [key, app]), at: Self.now) }
    if last == nil { used += book.reserve(seconds: 1e6, for: "last", day: Self.noon.day) }
    #expect(abs(used - 7.3 * 60) < 1e-6)
  }

  @Test("midnight begins a new day, and what was reserved before it is no part of it")
  func midnight() throws {
    var book = LimitBook()
    let holder = (LimitHolder.key(id: "k"), HolderLimits(maxMinutesPerDay: 1))
    try book.take(Self.order("a", [holder]), at: Self.now)
    #expect(book.reserve(seconds: 45, for: "a", day: Self.noon.day) == 45)
    #expect(book.reserve(seconds: 45, for: "a", day: Self.noon.day) == 15)
    #expect(book.reserve(seconds: 45, for: "a", day: Self.noon.day) == 0)
    #expect(throws: LimitRefusal.self) { try book.take(Self.order("b", [holder]), at: Self.now) }
    let tomorrow = Timestamp(day: Self.noon.day + 1)
    try book.take(Self.order("c", [holder], at: tomorrow), at: Self.now)
    #expect(book.reserve(seconds: 50, for: "c", day: tomorrow.day) == 50)
    // Of yesterday's minutes.
    book.giveBack("a", unused: 60)
    #expect(book.reserve(seconds: 50, for: "c", day: tomorrow.day) == 10)
    // A clock that is set back brings no old day back.
    #expect(book.reserve(seconds: 50, for: "c", day: Self.noon.day) == 0)
  }

  @Test("who has no limit of minutes is granted all, and who has no seat nothing")
  func unlimited() throws {
    var book = LimitBook()
    try book.take(Self.order("a", [(.app("a"), HolderLimits(maxSessions: 1))]), at: Self.now)
    #expect(book.reserve(seconds: 15, for: "a", day: Self.noon.day) == .infinity)
    #expect(book.reserve(seconds: 15, for: "b", day: Self.noon.day) == 0)
  }

  @Test("what was used before this process began counts, and is never made less")
  func restored() throws {
    var book = LimitBook()
    let holder = (LimitHolder.app("a"), HolderLimits(maxMinutesPerDay: 1))
    book.restore([(.app("a"), 40), (.app("b"), 99)], day: Self.noon.day)
    try book.take(Self.order("a", [holder]), at: Self.now)
    #expect(book.reserve(seconds: 60, for: "a", day: Self.noon.day) == 20)
    book.restore([(.app("a"), 10)], day: Self.noon.day)
    #expect(book.reserve(seconds: 60, for: "a", day: Self.noon.day) == 0)
    book.restore([(.app("a"), 0)], day: Self.noon.day - 1)
    #expect(book.reserve(seconds: 60, for: "a", day: Self.noon.day) == 0)
  }

  @Test("fault row 16: a token starts as many sessions as it carries, and no more until it ends")
  func tokens() throws {
    var book = LimitBook()
    let use = SeatOrder.TokenUse(id: "jti", most: 3, until: Self.noon.unixTime + 100)
    for index in 0..<3 {
      try book.take(Self.order("\(index)", [], tokenUse: use), at: Self.now)
      book.giveBack("\(index)")
    }
    let refusal = Self.refusal { () throws(LimitRefusal) in
      try book.take(Self.order("more", [], tokenUse: use), at: Self.now)
    }
    #expect(refusal?.isTokenUsedUp == true)
    #expect(refusal?.holder == .token(id: "jti"))
    #expect(refusal?.most == 3)
    try book.take(Self.order("other", [], tokenUse: .init(id: "other", most: 1, until: 0)), at: Self.now)
    // A key that is full is not a token that is used up.
    let key = (LimitHolder.key(id: "k"), HolderLimits(maxSessions: 0))
    #expect(
      Self.refusal { () throws(LimitRefusal) in try book.take(Self.order("x", [key]), at: Self.now) }?.isTokenUsedUp
        == false)
  }

  @Test("a session that is refused elsewhere leaves nothing behind, its token's use included")
  func withdrawn() throws {
    var book = LimitBook()
    let holder = (LimitHolder.key(id: "k"), HolderLimits(maxSessions: 1, maxMinutesPerDay: 1))
    let use = SeatOrder.TokenUse(id: "jti", most: 1, until: Self.noon.unixTime + 100)
    for index in 0..<5 {
      try book.take(Self.order("\(index)", [holder], tokenUse: use), at: Self.now)
      #expect(book.reserve(seconds: 60, for: "\(index)", day: Self.noon.day) == 60)
      book.withdraw("\(index)")
      book.withdraw("\(index)")
    }
    #expect(book.count == 0)
    try book.take(Self.order("last", [holder], tokenUse: use), at: Self.now)
    #expect(throws: LimitRefusal.self) { try book.take(Self.order("more", [], tokenUse: use), at: Self.now) }
  }

  @Test("tokens that have ended are forgotten, live ones never", arguments: [5_000])
  func forgotten(count: Int) throws {
    var book = LimitBook()
    let use = SeatOrder.TokenUse(id: "kept", most: 1, until: Self.noon.unixTime + 10_000)
    try book.take(Self.order("kept", [], tokenUse: use), at: Self.now)
    for index in 0..<count {
      let time = Timestamp(milliseconds: Self.noon.milliseconds + index * 1000)
      try book.take(
        Self.order("s\(index)", [], tokenUse: .init(id: "t\(index)", most: 1, until: time.unixTime + 1), at: time),
        at: Self.now)
    }
    #expect(throws: LimitRefusal.self) { try book.take(Self.order("again", [], tokenUse: use), at: Self.now) }
    #expect(book.rememberedCount < 3_000)
  }

  @Test("where a session stands is what is left to each of its holders")
  func standing() throws {
    var book = LimitBook()
    let key = (LimitHolder.key(id: "k"), HolderLimits(maxSessions: 10, maxMinutesPerDay: 2))
    let app = (LimitHolder.app("a"), HolderLimits(maxSessions: 3))
    try book.take(Self.order("a", [key, app]), at: Self.now)
    try book.take(Self.order("b", [key]), at: Self.now)
    _ = book.reserve(seconds: 30, for: "b", day: Self.noon.day)
    let standing = book.standing(of: "a", at: Self.noon)
    #expect(
      standing.entries == [
        .init(name: .maxSessions, holder: "app", limit: 3, remaining: 2, resetSeconds: 0),
        .init(name: .maxSessions, holder: "key", limit: 10, remaining: 8, resetSeconds: 0),
        .init(name: .maxMinutesPerDay, holder: "key", limit: 2, remaining: 1.5, resetSeconds: 43_200),
      ])
    #expect(book.standing(of: "unknown", at: Self.noon).isEmpty)
  }

  @Test("holders stand in one order, each once with the tighter limits")
  func orders() {
    let order = Self.order(
      "a",
      [
        (.provider("p"), HolderLimits(maxSessions: 5)), (.key(id: "k"), HolderLimits(maxSessions: 9)),
        (.app("a"), HolderLimits()), (.key(id: "k"), HolderLimits(maxSessions: 4, maxMinutesPerDay: 1)),
      ])
    #expect(order.holders.map(\.holder.text) == ["app:a", "key:k", "provider:p"])
    #expect(order.holders[1].limits == HolderLimits(maxSessions: 4, maxMinutesPerDay: 1))
    #expect(order.limitsMinutesOfDay)
    #expect(order.day == Self.noon.day)
  }
}
