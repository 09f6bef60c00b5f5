import Logging
import Testing

@testable import Telemetry

@Suite("Faults that repeat themselves")
struct RepeatGateTests {
  private let start = ContinuousClock.now

  @Test("R117: the first of a window pass, the others are counted and told once it is over")
  func countsWhatFollows() {
    var gate = RepeatGate(limit: 3, window: .seconds(10))
    var passed = 0
    var firsts = 0
    for index in 0..<100 {
      let (isAdmitted, isFirstHeld) = gate.admits(
        "no answer", level: .error, at: start + .milliseconds(index))
      passed += isAdmitted ? 1 : 0
      firsts += isFirstHeld ? 1 : 0
    }
    #expect(passed == 3 && firsts == 1)
    #expect(gate.take(at: start + .seconds(9)).isEmpty)
    #expect(
      gate.take(at: start + .seconds(11)) == [RepeatGate.Repeated(level: .error, message: "no answer", count: 97)])
    #expect(gate.take(at: start + .seconds(11)).isEmpty)
    #expect(gate.admits("no answer", level: .error, at: start + .seconds(12)).isAdmitted)
  }

  @Test("R117: one fault does not hide another, and what is no fault is never held back")
  func messagesAreApart() {
    var gate = RepeatGate(limit: 1, window: .seconds(10))
    #expect(gate.admits("a", level: .warning, at: start).isAdmitted)
    #expect(!gate.admits("a", level: .warning, at: start).isAdmitted)
    #expect(gate.admits("b", level: .warning, at: start).isAdmitted)
    for _ in 0..<100 {
      #expect(gate.admits("session began", level: .info, at: start).isAdmitted)
      #expect(gate.admits("session ended", level: .notice, at: start).isAdmitted)
    }
  }

  @Test("R117: a window that held nothing back ends by itself")
  func quietWindow() {
    var gate = RepeatGate(limit: 1, window: .seconds(10))
    for minute in 0..<5 {
      #expect(gate.admits("a", level: .warning, at: start + .seconds(60 * minute)).isAdmitted)
    }
    #expect(gate.take(at: start + .seconds(600)).isEmpty)
  }

  @Test("R117: messages without end share one window")
  func manyMessages() {
    var gate = RepeatGate(limit: 1, window: .seconds(10))
    let passed = (0..<10_000).filter { gate.admits("fault \($0)", level: .error, at: start).isAdmitted }.count
    #expect(passed == RepeatGate.mostMessages + 1)
    let told = gate.take(at: start, all: true)
    #expect(told.map(\.count) == [10_000 - passed])
  }
}
