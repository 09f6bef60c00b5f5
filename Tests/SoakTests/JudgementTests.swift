import Envelope
import Testing

@testable import soak

/// A soak that sees nothing proves nothing: each rule is broken here once.
@Suite("The soak's rules")
struct JudgementTests {
  /// Block n is sent 20 ms x n after the beginning of all times.
  private func client(
    _ provider: String = "gemini0", blocks: Int = 0, loud: Range<Int>? = nil, notes: [Int: String] = [:],
    breaks: [Int] = [], change: (inout ClientLedger) -> Void = { _ in }
  ) -> ClientLedger {
    var ledger = ClientLedger(session: 7, provider: provider)
    ledger.end = .finished
    ledger.endedMs = blocks * 20
    ledger.blocks = (0..<blocks).map { .init(atMs: $0 * 20, isLoud: loud?.contains($0) ?? true) }
    ledger.upstreamBreaks = breaks
    for (number, outcome) in notes { ledger.notes[number] = .init(isStory: false, isAdded: true, outcome: outcome) }
    change(&ledger)
    return ledger
  }

  private func upstream(
    _ connection: Int = 1, at beganMs: Int = 0, notes: [String] = [], runs: [ClosedRange<Int>] = [], stray: Int = 0,
    refusals: [String] = [], wasBusy: Bool = false, until endedMs: Int = 99_000
  ) -> UpstreamLedger {
    UpstreamLedger(
      connection: connection, session: 7, notes: notes, runs: runs, strayBytes: stray, refusals: refusals,
      wasBusy: wasBusy, beganMs: beganMs, endedMs: endedMs)
  }

  private func violations(_ client: ClientLedger, _ upstream: UpstreamLedger...) -> [String] {
    var client = client
    Judgement.judge(&client, upstream)
    return client.violations
  }

  @Test("A call of one connection that heard everything in order breaks nothing")
  func whole() {
    #expect(violations(client(blocks: 50, notes: [1: "completed"]), upstream(notes: ["7.1"], runs: [0...49])) == [])
  }

  @Test("A call that goes on over another connection may be told its last seconds again")
  func renewed() {
    for (provider, first) in [("gemini0", 90), ("openai0", 0)] {
      let call = client(provider, blocks: 400, notes: [1: "completed", 2: "completed"])
      for (from, isFine) in [(first, true), (first - 1, false)] where from >= 0 {
        let runs = [upstream(notes: ["7.1"], runs: [0...249]), upstream(2, notes: ["7.1", "7.2"], runs: [from...399])]
        #expect(violations(call, runs[0], runs[1]).isEmpty == isFine)
      }
    }
    let late = [upstream(runs: [0...279]), upstream(2, runs: [19...399])]
    #expect(!violations(client("openai0", blocks: 400), late[0], late[1]).isEmpty)
  }

  @Test("Sound that is lost within a connection, or where no link was broken, is told of, whatever an event says")
  func lostSound() {
    #expect(!violations(client(blocks: 50), upstream(runs: [0...20, 22...49])).isEmpty)
    for tellings in [[], [500]] {
      let call = client(blocks: 50) { $0.tellings = tellings }
      #expect(!violations(call, upstream(runs: [0...48])).isEmpty)
      #expect(!violations(call, upstream(runs: [0...20]), upstream(2, at: 500, runs: [22...49])).isEmpty)
    }
  }

  @Test("Sound that a break has lost is told of unless an event did so soon after it")
  func soundLostByABreak() {
    let heard = [upstream(runs: [0...20]), upstream(2, at: 500, runs: [22...399])]
    func isFine(_ change: (inout ClientLedger) -> Void) -> Bool {
      violations(client(blocks: 400, change: change), heard[0], heard[1]).isEmpty
    }
    #expect(!isFine { $0.upstreamBreaks = [450] })
    #expect(!isFine { $0.tellings = [460] })
    for (told, fine) in [(460, true), (440, false), (5_500, true), (5_501, false)] {
      #expect(
        isFine {
          $0.upstreamBreaks = [450]
          $0.tellings = [told]
        } == fine)
    }
    // A break after the connection's successor has begun, or before it began itself, is no excuse.
    for broke in [501, 600] {
      #expect(
        !isFine {
          $0.upstreamBreaks = [broke]
          $0.tellings = [610]
        })
    }
  }

  @Test("At the end the goodbye may overtake the repair of a break, and of nothing else")
  func lastWord() {
    let cut = client(blocks: 50, breaks: [900])
    #expect(violations(cut, upstream(runs: [0...40])).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...40])).isEmpty)
    #expect(!violations(cut, upstream(runs: [0...40]), upstream(2, at: 950)).isEmpty)
  }

  @Test("What is older than the ring of recent sound may be lost: three seconds, five of OpenAI, one where it vanished")
  func ring() {
    for (provider, vanished, ring) in [
      ("gemini0", [Int](), 150), ("openai0", [], 250), ("gemini0", [300], 50), ("openai0", [300], 50),
    ] {
      for (blocks, fine) in [(20..<30, true), (20..<31, false)] {
        let call = client(provider, blocks: 400, breaks: [300]) { $0.upstreamVanished = vanished }
        let renewed = upstream(2, at: (30 + ring) * 20, runs: [blocks.upperBound...399])
        #expect(violations(call, upstream(runs: [0...19]), renewed).isEmpty == fine)
      }
    }
  }

  @Test("Gemini need not be told again of the silence behind a turn that it has heard to its end")
  func silence() {
    for (provider, loud, heard, fine) in [
      ("gemini0", 0..<20, 34, true), ("gemini0", 0..<20, 33, false), ("gemini0", 0..<37, 36, false),
      ("openai0", 0..<20, 34, false),
    ] {
      let call = client(provider, blocks: 60, loud: loud, breaks: [800])
      let runs = [upstream(runs: [0...heard]), upstream(2, at: 850, runs: [40...59])]
      #expect(violations(call, runs[0], runs[1]).isEmpty == fine)
    }
  }

  @Test("Sound that is doubled, torn or never spoken is told of")
  func wrongSound() {
    #expect(!violations(client(blocks: 50), upstream(runs: [0...20, 20...49])).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...49], stray: 2)).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...50])).isEmpty)
  }

  @Test("Notes that are lost, doubled, out of order or another's are told of")
  func notes() {
    let call = client(notes: [1: "completed", 2: "completed"])
    #expect(!violations(call, upstream(notes: ["7.1"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.1", "7.2", "7.2"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.2", "7.1"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.1", "7.2", "8.1"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.1", "7.2"], refusals: ["close 1007"])).isEmpty)
    #expect(violations(call, upstream(notes: ["7.1", "7.2"])) == [])
  }

  @Test("A later connection to OpenAI is told every note before any sound or later note, but those that were refused")
  func history() {
    let call = client("openai0", blocks: 50, notes: [1: "completed", 2: "completed", 3: "completed"])
    let first = upstream(notes: ["7.1", "7.2"], runs: [0...20])
    #expect(violations(call, first, upstream(2, notes: ["7.1", "7.2", "7.3"], runs: [10...49])) == [])
    #expect(violations(call, first, upstream(2), upstream(3, notes: ["7.1", "7.2", "7.3"], runs: [10...49])) == [])
    #expect(!violations(call, first, upstream(2, notes: ["7.1", "7.3"], runs: [10...49])).isEmpty)
    let unwritten = client("openai0", blocks: 50, notes: [1: "completed", 2: "completed"])
    #expect(!violations(unwritten, first, upstream(2, notes: ["7.1"], runs: [10...49])).isEmpty)
    let refused = client("openai0", blocks: 50, notes: [1: "completed", 3: "completed"]) {
      $0.notes[2] = .init(isStory: false, isRefused: true)
    }
    #expect(violations(refused, first, upstream(2, notes: ["7.1", "7.3"], runs: [10...49])) == [])
    // Gemini's service knows the conversation itself.
    let gemini = client(blocks: 50, notes: [1: "completed", 2: "completed", 3: "completed"])
    #expect(violations(gemini, first, upstream(2, notes: ["7.3"], runs: [10...49])) == [])
  }

  @Test("A service may hold a connection still only if its link was broken, or slow a moment ago")
  func busy() {
    let first = upstream(runs: [0...49], until: 1_000)
    for (broke, began, fine) in [([450], 500, true), ([], 500, false), ([550], 500, false), ([450], 1_001, false)] {
      let call = client(blocks: 50, breaks: broke)
      #expect(violations(call, first, upstream(2, at: began, wasBusy: true)).isEmpty == fine)
    }
    let late = upstream(runs: [0...49], until: 9_000)
    for (hold, fine) in [(2_499, false), (2_500, true), (5_100, true), (9_001, false)] {
      let call = client(blocks: 50) { $0.upstreamHolds = [hold] }
      #expect(violations(call, late, upstream(2, at: 5_000, wasBusy: true)).isEmpty == fine)
    }
  }

  @Test("A note that nobody answered is told of")
  func unanswered() {
    var call = client()
    call.notes[1] = .init(isStory: false, isAdded: true, isAsked: true)
    call.finish()
    #expect(call.violations.count == 1)
  }

  @Test("A call that ends otherwise than its client wanted has a broken link to show for it")
  func ends() {
    for end in [ClientLedger.End.lost, .silent, .neverBegan] {
      for isBroken in [true, false] {
        let call = client {
          $0.end = end
          $0.clientWasBroken = isBroken
        }
        #expect(violations(call).isEmpty == isBroken)
      }
    }
    #expect(violations(client { $0.end = .dropped }).isEmpty)
  }

  @Test("Parley closes with 1013, and for a broken link, and with an error as its last word")
  func closes() {
    let error: JSONValue = ["type": "error", "error": ["code": "upstream_lost"]]
    for (code, breaks, last, isFine) in [
      (1_013, [5], error, true), (1_013, [], error, false), (1_013, [5], ["type": "response.done"], false),
      (1_000, [5], error, false), (1_012, [5], error, false), (1_014, [5], error, false),
    ] {
      var closed = client(breaks: breaks) { $0.end = .closed(code) }
      closed.hear(last)
      // The events are no whole ones.
      closed.violations = []
      #expect(violations(closed).isEmpty == isFine)
    }
  }

  @Test("An error, and a response that failed, have a cause")
  func causes() {
    for code in ["context_lost", "upstream_lost", "upstream_timeout", "upstream_closed", "upstream_unreachable"] {
      #expect(violations(client(breaks: [5]) { $0.errors = [code] }).isEmpty)
      #expect(!violations(client { $0.errors = [code] }).isEmpty)
    }
    #expect(
      !violations(client(blocks: 1, breaks: [5]) { $0.errors = ["invalid_value"] }, upstream(runs: [0...0])).isEmpty)
    #expect(!violations(client { $0.errors = ["response_cancel_not_active"] }).isEmpty)
    let active = { (ledger: inout ClientLedger) in ledger.errors = ["conversation_already_has_active_response"] }
    #expect(!violations(client(change: active)).isEmpty)
    #expect(violations(client(blocks: 1, change: active), upstream(runs: [0...0])).isEmpty)
    #expect(violations(client(breaks: [5]) { $0.failedResponses = 1 }).isEmpty)
    #expect(!violations(client { $0.failedResponses = 1 }).isEmpty)
  }
}
