import Testing

@testable import soak

@Suite("The soak's verdict")
struct SoakResultTests {
  /// A run without a fault, but for the change.
  private func violations(planned: Int = 1, seconds: Int = 400, change: (inout SoakResult) -> Void = { _ in })
    -> [String]
  {
    var result = SoakResult(seed: 1, planned: planned, baseDescriptors: 9)
    var ledger = ClientLedger(session: 1, provider: "gemini0")
    ledger.end = .finished
    for _ in 0..<min(planned, 3_000) { result.add(Lane.Outcome(ledger: ledger)) }
    (result.endDescriptors, result.exitCode) = (9, 0)
    result.memory = Array(repeating: 50_000_000, count: seconds)
    change(&result)
    return result.violations
  }

  @Test("A run of as many sessions as were planned, that leaves nothing, breaks no rule")
  func whole() {
    #expect(violations() == [])
    #expect(violations(planned: 2_000) == [])
  }

  @Test("Fewer sessions than planned, and a connection or a descriptor that is left, are told of")
  func left() {
    #expect(!violations(planned: 3_001).isEmpty)
    #expect(!violations { $0.openUpstream = 1 }.isEmpty)
    #expect(!violations { $0.endDescriptors = 10 }.isEmpty)
    #expect(!violations { $0.hasDied = true }.isEmpty)
    #expect(!violations { $0.exitCode = 1 }.isEmpty)
  }

  @Test("Memory may not grow by more than a hundredth in the last half, and a long run must be able to tell")
  func memory() {
    for (growth, isFine) in [(0.009, true), (0.011, false), (-0.1, true)] {
      let memory = (0..<800).map { second in
        Int(50_000_000 * (1 + growth * max(0, Double(second) - 400) / 400))
      }
      #expect(violations { $0.memory = memory }.isEmpty == isFine)
    }
    #expect(violations(planned: 1_999, seconds: 299) == [])
    #expect(!violations(planned: 2_000, seconds: 299).isEmpty)
  }
}

@Suite("The sockets that a process holds")
struct HeldSocketsTests {
  @Test("A connection that its process has closed, and that only the system holds, is not held")
  func parse() {
    let table = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 20 4 30 10 -1
         1: 0100007F:1F91 0100007F:0051 04 0000A000:00000000 00:00000000 00000000     0        0 0 2 0 20 4 30 10 -1
      """
    let held = HeldSockets.parse(table)
    #expect(held.map(\.local) == [8_080])
    #expect(held.map(\.remote) == [80])
  }
}
