public import Metering
public import Routing

/// What a session asks for at the gate, for itself and in the name of everybody whose limits hold for it.
public struct SeatOrder: Sendable {
  /// Of a token: how many sessions it may start in its life.
  public struct TokenUse: Sendable, Hashable {
    /// `jti`.
    public var id: String
    public var most: Int
    /// Unix time at which it ends; nothing needs to be known of it from then on.
    public var until: Int

    public init(id: String, most: Int, until: Int) {
      self.id = id
      self.most = most
      self.until = until
    }
  }

  public let sessionID: String
  /// Each holder once, sorted by its text: the order in which shared ledgers lock them.
  public let holders: [(holder: LimitHolder, limits: HolderLimits)]
  public let tokenUse: TokenUse?
  /// When it asks.
  public let time: Timestamp

  /// The UTC day on which it asks, counted from 1970.
  public var day: Int { time.day }

  /// - Parameter holders: a holder that occurs twice has the tighter of its limits.
  public init(
    sessionID: String, holders: [(LimitHolder, HolderLimits)], tokenUse: TokenUse? = nil, at time: Timestamp
  ) {
    self.sessionID = sessionID
    var limits: [LimitHolder: HolderLimits] = [:]
    for (holder, given) in holders { limits[holder] = limits[holder]?.tightened(by: given) ?? given }
    self.holders = limits.sorted { $0.key.text < $1.key.text }.map { (holder: $0.key, limits: $0.value) }
    self.tokenUse = tokenUse
    self.time = time
  }

  /// Whether anybody's minutes of the day are limited.
  public var limitsMinutesOfDay: Bool { holders.contains { $0.limits.maxMinutesPerDay != nil } }
}

/// A limit that one session more would pass.
public struct LimitRefusal: Error, Sendable, Hashable {
  public let holder: LimitHolder
  public let name: LimitName
  /// The limit, in the unit of its name.
  public let most: Double
  /// When it may be worth another try; at least 1.
  public let retryAfterSeconds: Int

  public init(holder: LimitHolder, name: LimitName, most: Double, retryAfterSeconds: Int) {
    self.holder = holder
    self.name = name
    self.most = most
    self.retryAfterSeconds = max(1, retryAfterSeconds)
  }

  /// A token that has started as many sessions as it carries: it will start no other.
  public var isTokenUsedUp: Bool {
    if case .token = holder { return name == .maxSessions }
    return false
  }
}

/// Why a shared ledger gave no seat.
public enum SharedFault: Error, Sendable, Hashable {
  case refused(LimitRefusal)
  /// It does not answer, or not in time: the limits hold within each process meanwhile.
  case unavailable
}

/// A session that is live, told to the shared ledger at an interval well below the life of its seat.
public struct SeatRenewal: Sendable {
  /// What it was begun with; a seat that the ledger does not know is made anew.
  public var order: SeatOrder
  /// The UTC day, counted from 1970, whose minutes are asked for.
  public var day: Int
  /// Seconds of the day's minutes that it needs beyond what it was granted; 0 where it has enough.
  public var wantedSeconds: Double

  public init(order: SeatOrder, day: Int, wantedSeconds: Double) {
    self.order = order
    self.day = day
    self.wantedSeconds = wantedSeconds
  }
}

/// Seats that all replicas count together.
public protocol SharedSeats: Sendable {
  /// Takes a seat with every holder of the order, or with none.
  ///
  /// - Returns: the seconds of the day's minutes that are granted with it, at most `LimitBook.slice`; infinite where
  ///   nobody limits them.
  func take(_ order: SeatOrder) async throws(SharedFault) -> Double
  /// Keeps the seats of live sessions. A limit is no reason to lose a seat that one has.
  ///
  /// - Returns: what was granted of the seconds asked for, by session id; infinite where nobody limits them.
  func renew(_ live: [SeatRenewal]) async throws(SharedFault) -> [String: Double]
  /// Gives a seat back; again does nothing. Unused seconds go back to the day in which they were granted last.
  func giveBack(_ sessionID: String, unused seconds: Double) async
}
