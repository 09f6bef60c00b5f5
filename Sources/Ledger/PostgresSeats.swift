import NativeCode
import Access
import Envelope
import Metering
import Routing

/// Seats and minutes of the day that all replicas count together, in PostgreSQL.
///
/// What is asked for at the same time goes to the database together; what is asked for first is done first, so that a seat
/// that was given back stays free.
actor PostgresSeats: SharedSeats {
  /// A seat of a process that is gone is free after so long; live ones are renewed well before.
  static let usualLease = Duration.seconds(20)
  /// The most that goes to the database at once, which is how long others wait for its locks.
  private static let mostAtOnce = 200

  private enum Errand: Sendable {
    case take(JSONValue)
    case renew(JSONValue)
    case giveBack(JSONValue)

    var function: String {
      switch self {
      case .take: "parley_take"
      case .renew: "parley_renew"
      case .giveBack: "parley_give_back"
      }
    }

    var order: JSONValue {
      switch self {
      case .take(let order), .renew(let order), .giveBack(let order): order
      }
    }
  }

  private typealias Answer = Result<JSONValue, SharedFault>

  private let store: PostgresStore
  private let instance: String
  private let lease: Double
  private var errands: [(Errand, CheckedContinuation<Answer, Never>)] = []
  private var isRunning = false

  /// - Parameter instance: the process, in the rows of its seats.
  init(store: PostgresStore, instance: String, lease: Duration = PostgresSeats.usualLease) {
    self.store = store
    self.instance = instance
    self.lease = lease / .seconds(1)
  }

  // MARK: SharedSeats

  nonisolated func take(_ order: SeatOrder) async throws(SharedFault) -> Double {
    guard let json = json(of: order, day: order.day, order.time) else { return .infinity }
    let answer = try await self.answer(to: .take(.object(json)))
    guard answer["ok"]?.bool == true else { throw Self.refusal(answer, order).map { .refused($0) } ?? .unavailable }
    return answer["granted"]?.double ?? .infinity
  }

  nonisolated func renew(_ live: [SeatRenewal]) async throws(SharedFault) -> [String: Double] {
    var granted: [String: Double] = [:]
    var rest = live[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Self.mostAtOnce)
      rest = rest.dropFirst(piece.count)
      let orders = piece.compactMap { renewal -> JSONValue? in
        guard var json = json(of: renewal.order, day: renewal.day, renewal.order.time) else { return nil }
        json["wanted"] = .number(JSONNumber(max(0, renewal.wantedSeconds)))
        return .object(json)
      }
      for renewal in piece { granted[renewal.order.sessionID] = .infinity }
      guard !orders.isEmpty else { continue }
      let answer = try await self.answer(to: .renew(.array(orders)))
      for (session, seconds) in answer.object ?? [:] { granted[session] = seconds.double ?? .infinity }
    }
    return granted
  }

  nonisolated func giveBack(_ sessionID: String, unused seconds: Double) async {
    let unused = seconds.isFinite ? max(0, seconds) : 0
    // Where that fails the seat ends by itself.
    _ = try? await answer(
      to: .giveBack(["session": .string(sessionID), "unused": .number(JSONNumber(unused))]))
  }

  // MARK: JSON

  /// Nil where nobody limits anything that is shared.
  private nonisolated func json(of order: SeatOrder, day: Int, _ time: Timestamp) -> JSONObject? {
    var holders: [JSONValue] = []
    for (holder, limits) in order.holders {
      var json: JSONObject = ["h": .string(holder.text)]
      if let most = limits.maxSessions { json["sessions"] = .number(JSONNumber(most)) }
      if let most = limits.maxConnectsPerSecond { json["connects"] = .number(JSONNumber(most)) }
      if let most = limits.maxMinutesPerDay { json["minutes"] = .number(JSONNumber(most)) }
      if json.count > 1 { holders.append(.object(json)) }
    }
    guard !holders.isEmpty || order.tokenUse != nil else { return nil }
    var json: JSONObject = [
      "session": .string(order.sessionID), "instance": .string(instance), "lease": .number(JSONNumber(lease)),
      "day": .number(JSONNumber(day)), "dayLeft": .number(JSONNumber(time.secondsLeftOfDay.rounded(.up))),
      "slice": .number(JSONNumber(LimitBook.slice)), "holders": .array(holders),
    ]
    if let use = order.tokenUse {
      json["token"] = [
        "id": .string(use.id), "most": .number(JSONNumber(use.most)), "until": .number(JSONNumber(use.until)),
      ]
    }
    return json
  }

  private static func refusal(_ answer: JSONValue, _ order: SeatOrder) -> LimitRefusal? {
    guard let text = answer["h"]?.string, let name = answer["limit"]?.string.flatMap({ LimitName(rawValue: $0) }) else {
      return nil
    }
    let token = order.tokenUse.map { LimitHolder.token(id: $0.id) }
    guard let holder = (order.holders.map(\.holder) + [token].compactMap { $0 }).first(where: { $0.text == text })
    else {
      return nil
    }
    var retry = answer["retry"]?.int ?? 1
    if holder == token, name == .maxSessions, let use = order.tokenUse { retry = use.until - order.time.unixTime }
    return LimitRefusal(holder: holder, name: name, most: answer["most"]?.double ?? 0, retryAfterSeconds: retry)
  }

  // MARK: In line

  private nonisolated func answer(to errand: Errand) async throws(SharedFault) -> JSONValue {
    let answer = await firstWithin(store.admissionLimit) { await self.submit(errand) }
    guard let answer else { throw .unavailable }
    return try answer.get()
  }

  private func submit(_ errand: Errand) async -> Answer {
    guard errands.count < PostgresConnection.mostWaiting else { return .failure(.unavailable) }
    return await withCheckedContinuation { continuation in
      errands.append((errand, continuation))
      guard !isRunning else { return }
      isRunning = true
      Task { await self.work() }
    }
  }

  private func work() async {
    while let (first, _) = errands.first {
      let isRenewal = if case .renew = first { true } else { false }
      let run = errands.prefix(Self.mostAtOnce).prefix { $0.0.function == first.function }
      // A renewal is a list already.
      let taken = Array(isRenewal ? run.prefix(1) : run)
      errands.removeFirst(taken.count)
      let orders = isRenewal ? first.order : .array(taken.map(\.0.order))
      let answers = await perform(first.function, orders)
      for (index, (errand, continuation)) in taken.enumerated() {
        continuation.resume(returning: answers.flatMap { Self.part($0, index, of: errand) })
      }
    }
    isRunning = false
  }

  /// What of the database's answer is for an errand.
  private static func part(_ answers: JSONValue, _ index: Int, of errand: Errand) -> Answer {
    guard case .take = errand else { return .success(answers) }
    guard let answer = answers[index] else { return .failure(.unavailable) }
    return .success(answer)
  }

  private func perform(_ function: String, _ orders: JSONValue) async -> Answer {
    let text = orders.text
    for attempt in 1...2 {
      do throws(PostgresFault) {
        let rows = try await store.transaction(store.admission, within: store.admissionLimit) { quote in
          [quote(text).map { "SELECT \(function)(\($0)::jsonb)" }]
        }
        guard function != "parley_give_back" else { return .success(.null) }
        guard let answer = rows.first?.single, let json = try? JSONValue(parsing: answer) else {
          return .failure(.unavailable)
        }
        return .success(json)
      } catch {
        // A deadlock or a conflict with another transaction: nothing was done.
        guard attempt == 1, error == .refused(sqlState: "40P01") || error == .refused(sqlState: "40001") else {
          return .failure(.unavailable)
        }
      }
    }
    return .failure(.unavailable)
  }
}
