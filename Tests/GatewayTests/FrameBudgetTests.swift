import Testing
import Translation

@testable import Gateway

@Suite("The bucket of an account's messages")
struct FrameBudgetTests {
  private static let start = Instant(nanoseconds: 5_000_000_000)

  /// When each of so many messages may go that are all asked for at one time, in milliseconds from then.
  private func delays(_ count: Int, of budget: inout FrameBudget, at now: Instant) -> [Double] {
    (0..<count).map { _ in Double((budget.take(at: now) - now).wholeNanoseconds) / 1e6 }
  }

  @Test("a full bucket gives a tenth of a second's worth at once, and the rest in even steps")
  func burst() {
    var budget = FrameBudget(perSecond: 50)
    #expect(delays(8, of: &budget, at: Self.start) == [0, 0, 0, 0, 0, 20, 40, 60])
  }

  @Test("a rate below ten a second is one message at a time")
  func slow() {
    var budget = FrameBudget(perSecond: 4)
    #expect(delays(3, of: &budget, at: Self.start) == [0, 250, 500])
    #expect(delays(2, of: &budget, at: Self.start + .milliseconds(100)) == [650, 900])
    var slowest = FrameBudget(perSecond: 1)
    #expect(delays(2, of: &slowest, at: Self.start) == [0, 1_000])
  }

  @Test("a bucket that rests is full again, and never more than full")
  func refill() {
    var budget = FrameBudget(perSecond: 20)
    #expect(delays(2, of: &budget, at: Self.start) == [0, 0])
    #expect(delays(2, of: &budget, at: Self.start + .milliseconds(50)) == [0, 50])
    #expect(delays(3, of: &budget, at: Self.start + .seconds(3_600)) == [0, 0, 50])
  }

  @Test("who asks later gets a later token, whatever its clock says")
  func order() {
    var budget = FrameBudget(perSecond: 10)
    let first = budget.take(at: Self.start)
    let second = budget.take(at: Self.start + .milliseconds(1))
    // Another loop's clock, a little behind.
    let third = budget.take(at: Self.start)
    #expect(first == Self.start)
    #expect(second == Self.start + .milliseconds(100))
    #expect(third == Self.start + .milliseconds(200))
  }

  @Test(
    "R166: in no second go more than the limit and a tenth, and in the long run the limit",
    arguments: [1, 7, 50, 1_000])
  func rate(_ perSecond: Int) {
    var budget = FrameBudget(perSecond: perSecond)
    var times: [Int64] = []
    // As impatient as can be: the next is asked for when the last has gone.
    var now = Self.start
    while now - Self.start < .seconds(10) {
      now = budget.take(at: now)
      times.append((now - Self.start).wholeNanoseconds)
    }
    let most = perSecond + max(perSecond / 10, 1)
    for (index, time) in times.enumerated() where index + most < times.count {
      #expect(times[index + most] - time >= 1_000_000_000)
    }
    #expect((perSecond * 10 - perSecond / 100...perSecond * 10 + most).contains(times.count))
  }

  @Test("rates that the configuration does not allow do not break it")
  func bounds() {
    var nothing = FrameBudget(perSecond: 0)
    #expect(delays(2, of: &nothing, at: Self.start) == [0, 1_000])
    var everything = FrameBudget(perSecond: .max)
    #expect(delays(1_000, of: &everything, at: Self.start).allSatisfy { $0 == 0 })
  }
}
