public import Metering
import Routing
public import Translation

/// Whose limits hold for a session.
public enum LimitHolder: Sendable, Hashable {
  case provider(String)
  case app(String)
  case key(id: String)
  /// Of a token by its `jti`: its minutes, and the sessions that it may start.
  case token(id: String)

  /// `provider`, `app`, `key` or `token`: what a client is told.
  public var kind: String {
    switch self {
    case .provider: "provider"
    case .app: "app"
    case .key: "key"
    case .token: "token"
    }
  }

  /// `key:key_1f…`: in logs, and in the rows of a shared ledger.
  public var text: String {
    switch self {
    case .provider(let name), .app(let name): "\(kind):\(name)"
    case .key(let id), .token(let id): "\(kind):\(id)"
    }
  }
}

/// Counts sessions, connects and minutes of the day for everybody who has a limit of them.
///
/// A pure value: the clock is an argument. What it lets in is exact whatever the order of the calls; two processes have a
/// book each, and share by `SharedSeats` only.
public struct LimitBook: Sendable {
  /// Minutes of the day are reserved in pieces of so many seconds; what a process that is killed had reserved counts as
  /// used.
  public static let slice = 15.0
  /// When to come back after a refusal for the number of sessions.
  static let sessionRetrySeconds = 10

  private struct Seat: Sendable {
    let holders: [(holder: LimitHolder, limits: HolderLimits)]
    let tokenUse: SeatOrder.TokenUse?
    /// The day of which it has reserved last, and how much.
    var reservedDay = 0
    var reserved = 0.0
  }

  private struct Uses: Sendable {
    var count = 0
    let until: Int
  }

  private var seats: [String: Seat] = [:]
  private var sessions: [LimitHolder: Int] = [:]
  private var connects: [LimitHolder: (most: Int, rate: EventRate)] = [:]
  private var uses: [String: Uses] = [:]
  /// Entries at which those are looked for that nobody needs any more.
  private var cleaningSize = 1024
  /// Seconds that are used or reserved of a day, and of which.
  private var used: [LimitHolder: Double] = [:]
  private var day = Int.min

  public init() {}

  /// Tokens and rates that are kept in mind.
  public var rememberedCount: Int { uses.count + connects.count }

  /// The seats that are taken.
  public var count: Int { seats.count }

  // MARK: Seats

  /// Takes a seat with every holder of the order and counts the token's use, or changes nothing. A session that has a seat
  /// keeps it.
  public mutating func take(_ order: SeatOrder, at now: Instant) throws(LimitRefusal) {
    guard seats[order.sessionID] == nil else { return }
    turn(to: order.day)
    clean(at: now, order.time)
    for (holder, limits) in order.holders { try check(holder, limits, order, at: now) }
    if let use = order.tokenUse, (uses[use.id]?.count ?? 0) >= use.most {
      throw LimitRefusal(
        holder: .token(id: use.id), name: .maxSessions, most: Double(use.most),
        retryAfterSeconds: use.until - order.time.unixTime)
    }
    for (holder, limits) in order.holders {
      if limits.maxSessions != nil { sessions[holder, default: 0] += 1 }
      if let most = limits.maxConnectsPerSecond {
        var rate = rate(of: holder, most)
        _ = rate.admits(at: now)
        connects[holder] = (most, rate)
      }
    }
    if let use = order.tokenUse { uses[use.id, default: Uses(until: use.until)].count += 1 }
    seats[order.sessionID] = Seat(holders: order.holders, tokenUse: order.tokenUse)
  }

  private func check(
    _ holder: LimitHolder, _ limits: HolderLimits, _ order: SeatOrder, at now: Instant
  ) throws(LimitRefusal) {
    if let most = limits.maxConnectsPerSecond, !rate(of: holder, most).isOpen(at: now) {
      throw LimitRefusal(holder: holder, name: .maxConnectsPerSecond, most: Double(most), retryAfterSeconds: 1)
    }
    if let most = limits.maxSessions, sessions[holder, default: 0] >= most {
      throw LimitRefusal(
        holder: holder, name: .maxSessions, most: Double(most), retryAfterSeconds: Self.sessionRetrySeconds)
    }
    if let most = limits.maxMinutesPerDay, left(of: holder, most) <= 0 {
      throw LimitRefusal(
        holder: holder, name: .maxMinutesPerDay, most: most,
        retryAfterSeconds: Int(order.time.secondsLeftOfDay.rounded(.up)))
    }
  }

  private func rate(of holder: LimitHolder, _ most: Int) -> EventRate {
    guard let known = connects[holder], known.most == most else { return EventRate(most: most, in: .seconds(1)) }
    return known.rate
  }

  /// Ends a session's seat; again does nothing. The sessions that a token has started stay counted.
  ///
  /// - Parameter unused: seconds of what it reserved last that it did not need; they are free for others again.
  public mutating func giveBack(_ sessionID: String, unused: Double = 0) {
    guard let seat = seats.removeValue(forKey: sessionID) else { return }
    for (holder, limits) in seat.holders where limits.maxSessions != nil {
      let rest = sessions[holder, default: 0] - 1
      sessions[holder] = rest > 0 ? rest : nil
    }
    guard unused > 0, seat.reservedDay == day else { return }
    let unused = min(unused, seat.reserved)
    for (holder, limits) in seat.holders where limits.maxMinutesPerDay != nil {
      used[holder] = max(0, used[holder, default: 0] - unused)
    }
  }

  /// Ends the seat of a session that was refused elsewhere: also the token's use is taken back, and all that it reserved.
  public mutating func withdraw(_ sessionID: String) {
    guard let seat = seats[sessionID] else { return }
    giveBack(sessionID, unused: seat.reserved)
    if let use = seat.tokenUse, let count = uses[use.id]?.count { uses[use.id]?.count = max(0, count - 1) }
  }

  // MARK: Minutes of the day

  /// Reserves seconds for a session, never more than every one of its holders has left.
  ///
  /// - Parameter day: the UTC day, counted from 1970.
  /// - Returns: what is granted; infinite where nobody limits the minutes, 0 for a session without a seat.
  public mutating func reserve(seconds: Double, for sessionID: String, day: Int) -> Double {
    guard let seat = seats[sessionID] else { return 0 }
    turn(to: day)
    var granted = max(0, seconds)
    var isLimited = false
    for (holder, limits) in seat.holders {
      guard let most = limits.maxMinutesPerDay else { continue }
      isLimited = true
      granted = min(granted, left(of: holder, most))
    }
    guard isLimited else { return .infinity }
    for (holder, limits) in seat.holders where limits.maxMinutesPerDay != nil { used[holder, default: 0] += granted }
    let before = seat.reservedDay == self.day ? seat.reserved : 0
    seats[sessionID]?.reserved = before + granted
    seats[sessionID]?.reservedDay = self.day
    return granted
  }

  /// What was used of a day before this process began; less than is known already changes nothing.
  public mutating func restore(_ seconds: [(LimitHolder, Double)], day: Int) {
    turn(to: day)
    guard day == self.day else { return }
    for (holder, amount) in seconds { used[holder] = max(used[holder, default: 0], amount) }
  }

  private func left(of holder: LimitHolder, _ minutes: Double) -> Double {
    max(0, minutes * 60 - used[holder, default: 0])
  }

  /// A new day begins with nothing used. A clock that is set back does not bring an old one back.
  private mutating func turn(to day: Int) {
    guard day > self.day else { return }
    self.day = day
    used = [:]
  }

  // MARK: What is known

  /// Where a session stands; empty where nothing of it is limited.
  public func standing(of sessionID: String, at time: Timestamp) -> LimitStanding {
    guard let seat = seats[sessionID] else { return LimitStanding() }
    var entries: [LimitStanding.Entry] = []
    for (holder, limits) in seat.holders {
      if let most = limits.maxSessions {
        entries.append(
          LimitStanding.Entry(
            name: .maxSessions, holder: holder.kind, limit: Double(most),
            remaining: Double(most - sessions[holder, default: 0]), resetSeconds: 0))
      }
      if let most = limits.maxMinutesPerDay {
        let left = time.day > day ? most : left(of: holder, most) / 60
        entries.append(
          LimitStanding.Entry(
            name: .maxMinutesPerDay, holder: holder.kind, limit: most, remaining: left,
            resetSeconds: time.secondsLeftOfDay))
      }
    }
    if let use = seat.tokenUse {
      entries.append(
        LimitStanding.Entry(
          name: .maxSessions, holder: "token", limit: Double(use.most),
          remaining: Double(use.most - (uses[use.id]?.count ?? 0)), resetSeconds: 0))
    }
    return LimitStanding(entries)
  }

  /// Forgets tokens that have ended, and rates that are as if nothing had come, before they fill the memory.
  private mutating func clean(at now: Instant, _ time: Timestamp) {
    guard uses.count + connects.count > cleaningSize else { return }
    uses = uses.filter { $0.value.until >= time.unixTime }
    connects = connects.filter { $0.value.rate.resetTime(at: now) > .zero }
    cleaningSize = max(1024, 2 * (uses.count + connects.count))
  }
}
