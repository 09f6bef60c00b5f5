import Access
import Metering
import NIOCore
import Routing
import Testing
import Translation

@testable import Gateway

@Suite("Minutes of a session and of a day, live", .timeLimit(.minutes(2)))
struct MinuteLimitTests {
  /// Two seconds, in minutes.
  private static let minutes = 2.0 / 60
  private static let short = "\(minutes)"

  /// Whoever has only so many minutes.
  struct Holder: Sendable, CustomTestStringConvertible {
    var name: String
    var provider = ""
    var access = #""keys": [{"name": "app", "key": "env:KEY"}, {"name": "page", "key": "env:OTHER"}]"#
    var key: @Sendable (BookedGateway) throws -> String = { _ in BookedGateway.key }
    var testDescription: String { name }
  }

  private static func holders(_ limit: String) -> [Holder] {
    [
      Holder(
        name: "key",
        access: #"""
          "keys": [{"name": "app", "key": "env:KEY", "\#(limit)": \#(short)}, {"name": "page", "key": "env:OTHER"}]
          """#),
      Holder(
        name: "app",
        access: #"""
          "apps": [{"name": "shop", "\#(limit)": \#(short)}],
          "keys": [{"name": "app", "key": "env:KEY", "app": "shop"}, {"name": "page", "key": "env:OTHER"}]
          """#),
      Holder(name: "provider", provider: #""\#(limit)": \#(short)"#),
    ]
  }

  static let sessions =
    holders("maxMinutesPerSession")
    + [Holder(name: "token", key: { try $0.token { $0.maxMinutesPerSession = minutes } })]
  static let days = holders("maxMinutesPerDay")

  private func gateway(_ holder: Holder, limits: String = #""limitWarningSeconds": 1.5"#, _ books: Bookkeeping = .none)
    async throws -> BookedGateway
  {
    try await BookedGateway.start { plan in
      plan.provider = holder.provider
      plan.access = holder.access
      plan.limits = limits
      plan.books = books
    }
  }

  @Test("R163: a session is warned before its minutes end, then told, then closed with 1000", arguments: sessions)
  func session(_ holder: Holder) async throws {
    let gateway = try await gateway(holder)
    let began = ContinuousClock.now
    let socket = try await gateway.session(key: try holder.key(gateway))
    let warning = try #require(await socket.message(with: #""type":"rate_limits.updated""#))
    // A bound of the machine's own would be a bound on its load; what counts is that it does not come at once.
    #expect(ContinuousClock.now - began > .milliseconds(400))
    #expect(warning.contains(#""code":"limit_approaching","limit":"maxMinutesPerSession","seconds_left":"#))
    #expect(warning.contains(#"{"name":"maxMinutesPerSession","holder":"\#(holder.name)""#), "\(warning)")
    let (texts, code) = await socket.ending()
    #expect(ContinuousClock.now - began > .milliseconds(1_900))
    #expect(code == 1000 && texts.count == 1)
    let error = texts.last ?? ""
    #expect(error.contains(#""type":"rate_limit_error""#) && error.contains(#""code":"session_expired""#))
    #expect(error.contains(#""param":"maxMinutesPerSession""#))
    // The next one has as many.
    #expect("\(try await gateway.answer(key: try holder.key(gateway)))" == "101")
    await gateway.stop()
  }

  @Test(
    "a day's minutes end all sessions that share them, after a warning; the next is 429 until midnight", arguments: days
  )
  func day(_ holder: Holder) async throws {
    let notes = UsageNotes()
    let gateway = try await gateway(holder, Bookkeeping(usage: notes))
    let key = try holder.key(gateway)
    let socket = try await gateway.session(key: key)
    let warning = try #require(await socket.message(with: #""warning":"#))
    #expect(warning.contains(#""code":"limit_approaching","limit":"maxMinutesPerDay""#))
    #expect(warning.contains(#"{"name":"maxMinutesPerDay","holder":"\#(holder.name)""#), "\(warning)")
    let (texts, code) = await socket.ending()
    #expect(code == 1000)
    #expect(texts.last?.contains(#""code":"minutes_exhausted""#) ?? false)
    #expect(texts.last?.contains(#""param":"maxMinutesPerDay""#) ?? false)
    let record = try #require(await notes.ended())
    #expect(record.end == "minutes_exhausted")
    let refusal = try await gateway.answer(key: key)
    #expect("\(refusal)" == "429 minutes_exhausted maxMinutesPerDay")
    // 01:03:55 of the day.
    #expect(refusal.field("Retry-After") == "\(86_400 - 3_835)")
    #expect("\(try await gateway.answer("/v1/realtime?provider=other", key: BookedGateway.otherKey))" == "101")
    // The next day there are as many again.
    gateway.clock.advance(seconds: 86_400 - 3_835)
    #expect("\(try await gateway.answer(key: key))" == "101")
    await gateway.stop()
  }

  @Test("what a session does not use of the day is there for the next; together they have no more than the day")
  func shared() async throws {
    let notes = UsageNotes()
    let holder = Holder(
      name: "key", access: #""keys": [{"name": "app", "key": "env:KEY", "maxMinutesPerDay": 0.1}]"#)
    let gateway = try await gateway(holder, Bookkeeping(usage: notes))
    let first = try await gateway.session(key: BookedGateway.key)
    // It has reserved all there is.
    #expect(try await gateway.answer(key: BookedGateway.key).status == 429)
    try await first.channel.close()
    let used = try #require(await notes.ended()).seconds
    try #require(used < 6)
    let next = try await gateway.sessionWhenFree(key: BookedGateway.key)
    #expect(await next.ending().code == 1000)
    let rest = try #require(await notes.ended(2)).seconds
    // A close handshake is not in the day's minutes, and has its time.
    #expect((5.9..<9).contains(used + rest))
    #expect(try await gateway.answer(key: BookedGateway.key).status == 429)
    await gateway.stop()
  }

  @Test("what was used of the day before the process began counts")
  func restored() async throws {
    let page = try #require(
      KeyRecord(AccessKey(name: "app", reference: .environment("KEY"), key: .init(BookedGateway.key))))
    let books = Bookkeeping(secondsUsed: { day in
      day == TestClock().wall.now().day ? [(.key(id: page.id), 1_000)] : []
    })
    let gateway = try await gateway(Self.days[0], books)
    #expect("\(try await gateway.answer(key: BookedGateway.key))" == "429 minutes_exhausted maxMinutesPerDay")
    #expect("\(try await gateway.answer(key: BookedGateway.otherKey))" == "101")
    await gateway.stop()
  }

  @Test("what all replicas together grant of the day is what a session has")
  func replicas() async throws {
    let seats = FakeSeats()
    seats.set(.success(1))
    let holder = Holder(
      name: "key", access: #""keys": [{"name": "app", "key": "env:KEY", "maxMinutesPerDay": 100}]"#)
    let gateway = try await gateway(holder, Bookkeeping(shared: seats))
    let began = ContinuousClock.now
    let socket = try await gateway.session(key: BookedGateway.key)
    let (texts, code) = await socket.ending()
    #expect(code == 1000 && texts.last?.contains(#""code":"minutes_exhausted""#) ?? false)
    #expect((.milliseconds(950)..<(.seconds(10))).contains(ContinuousClock.now - began))
    #expect(await seats.returned() != nil)
    await gateway.stop()
  }

  @Test("of several limits the shortest ends a session; without any it is not limited, and is told of none")
  func shortest() async throws {
    let holder = Holder(
      name: "key",
      access: #"""
        "apps": [{"name": "default", "maxMinutesPerSession": 60}],
        "keys": [{"name": "app", "key": "env:KEY", "maxMinutesPerSession": 30}, {"name": "page", "key": "env:OTHER"}]
        """#)
    let gateway = try await gateway(holder, limits: #""sessionLengthSeconds": 1, "limitWarningSeconds": 5"#)
    let socket = try await gateway.session(key: BookedGateway.key)
    let warning = try #require(await socket.message(with: #""warning":"#))
    #expect(warning.contains(#"{"name":"maxMinutesPerSession","holder":"gateway""#), "\(warning)")
    #expect(await socket.ending().code == 1000)
    await gateway.stop()
  }
}
