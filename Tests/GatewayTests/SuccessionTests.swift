import NIOCore
import NIOEmbedded
import Testing
import WebSocketWire

@testable import Gateway

@Suite("Connections that replace each other")
struct SuccessionTests {
  /// Legs that close, and the successors that were dialled.
  private final class Bench {
    let loop = EmbeddedEventLoop()
    let succession: Succession
    private(set) var dialled: [String] = []

    init() {
      succession = Succession(loop: loop, limit: .milliseconds(500))
    }

    func retire() -> FrameLeg {
      let leg = FrameLeg(role: .client, limits: EdgeLimits())
      succession.retire(leg)
      return leg
    }

    func dial(_ name: String) {
      succession.whenPredecessorHasEnded { [unowned self] in dialled.append(name) }
    }
  }

  @Test("the first connection is dialled at once")
  func first() {
    let bench = Bench()
    bench.dial("a")
    #expect(bench.dialled == ["a"])
  }

  @Test("a successor is dialled when its predecessor has ended, and once")
  func ended() {
    let bench = Bench()
    let leg = bench.retire()
    bench.dial("b")
    #expect(bench.succession.isRetiring(leg))
    #expect(bench.dialled.isEmpty)
    bench.succession.predecessorEnded()
    #expect(bench.dialled == ["b"])
    #expect(!bench.succession.isRetiring(leg))
    bench.loop.advanceTime(by: .seconds(2))
    #expect(bench.dialled == ["b"])
  }

  @Test("a predecessor that does not end is waited for no longer than half a second")
  func overdue() {
    let bench = Bench()
    let leg = bench.retire()
    bench.dial("b")
    bench.loop.advanceTime(by: .milliseconds(499))
    #expect(bench.dialled.isEmpty)
    bench.loop.advanceTime(by: .milliseconds(1))
    #expect(bench.dialled == ["b"])
    #expect(!bench.succession.isRetiring(leg))
  }

  @Test("two renewals within half a second: the second successor has the whole wait for its own predecessor")
  func twice() {
    let bench = Bench()
    _ = bench.retire()
    bench.dial("b")
    bench.loop.advanceTime(by: .milliseconds(100))
    bench.succession.predecessorEnded()
    bench.loop.advanceTime(by: .milliseconds(100))
    bench.succession.cancel()
    let second = bench.retire()
    bench.dial("c")
    bench.loop.advanceTime(by: .milliseconds(499))
    #expect(bench.dialled == ["b"])
    #expect(bench.succession.isRetiring(second))
    bench.loop.advanceTime(by: .milliseconds(1))
    #expect(bench.dialled == ["b", "c"])
  }

  @Test("a successor that is replaced while it waits is not dialled, and leaves its time to nobody")
  func replaced() {
    let bench = Bench()
    _ = bench.retire()
    bench.dial("b")
    bench.loop.advanceTime(by: .milliseconds(300))
    bench.succession.cancel()
    bench.dial("c")
    bench.loop.advanceTime(by: .milliseconds(499))
    #expect(bench.dialled.isEmpty)
    bench.succession.predecessorEnded()
    #expect(bench.dialled == ["c"])
    bench.loop.advanceTime(by: .seconds(2))
    #expect(bench.dialled == ["c"])
  }

  @Test("fault row 52: a successor that was dropped is not dialled, whether its predecessor ends or not")
  func dropped() {
    let bench = Bench()
    _ = bench.retire()
    bench.dial("b")
    bench.succession.cancel()
    bench.loop.advanceTime(by: .seconds(2))
    bench.succession.predecessorEnded()
    #expect(bench.dialled.isEmpty)
  }
}
