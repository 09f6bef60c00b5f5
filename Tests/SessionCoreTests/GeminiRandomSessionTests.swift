import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// Anything in any order, over any number of connections: what each side says, how a connection ends, and when time passes
/// come from a seed.
@Suite struct GeminiRandomSessions {
  typealias Random = RandomSessions.Random

  static let models = [
    "gemini-3.8-live", "gemini-3.1-flash-live-preview", "gemini-2.5-flash-native-audio-latest",
    "gemini-3.8-live-extended-thinking", "gemini-live-2.5-flash",
  ]

  @Test(
    "design 4: the invariants of both sides hold for random calls over many connections", arguments: 0..<10)
  func invariants(_ block: Int) {
    for number in 0..<4 {
      let seed = UInt64(block * 1_000 + number)
      let violations = Self.play(seed: seed)
      #expect(violations == [], "seed \(seed)")
    }
  }

  /// What a whole call breaks.
  static func play(seed: UInt64, log: ((String) -> Void)? = nil) -> [String] {
    var random = Random(state: seed)
    let model = models.randomElement(using: &random) ?? ""
    var makeDetector: (@Sendable () -> any TurnDetector)?
    if Bool.random(using: &random) { makeDetector = { LevelTurnDetector() } }
    var call = GeminiRandomCall(model: model, makeDetector: makeDetector)
    call.log = log
    var service = GeminiRandomService()
    // Most connections end soon enough in a long call; some calls have few of them.
    let fragility: Int = [0, 1, 5].randomElement(using: &random) ?? 0
    for _ in 0..<Int.random(in: 10...300, using: &random) {
      guard !call.isOver else { break }
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<35: GeminiRandomClient.speak(to: &call, &random)
      case 35..<60: service.speak(to: &call, &random)
      case 60..<75: advance(&call, &service, &random)
      case 75..<85: call.wait(.milliseconds(Int.random(in: 0...3_000, using: &random)))
      case 85..<90: call.lag(.milliseconds(Int.random(in: 0...200, using: &random)))
      case 90..<91: call.wait(.seconds(Int.random(in: 0...300, using: &random)))
      case 91..<94: sides(&call, &random)
      case 94..<(94 + fragility) where call.isOpen || call.isDialled: end(&call, &random)
      case 99 where Int.random(in: 0..<100, using: &random) == 0: call.clientLeaves()
      default: service.play(to: &call, &random)
      }
    }
    return call.finish()
  }

  /// What a connection waits for comes.
  private static func advance(
    _ call: inout GeminiRandomCall, _ service: inout GeminiRandomService, _ random: inout Random
  ) {
    if call.isDialled {
      call.opens()
    } else if call.isSettingUp {
      service.reset()
      call.serves(["setupComplete": [:]])
    } else if !call.isReady {
      call.wait(.milliseconds(500))
    } else {
      service.play(to: &call, &random)
    }
  }

  private static func end(_ call: inout GeminiRandomCall, _ random: inout Random) {
    let any: [UpstreamEnd] = [
      .lost, .lost, .closed(code: 1000, reason: ""), .closed(code: 1001, reason: ""), .framingBroken,
      .closed(code: 1011, reason: "Internal error occurred."),
      .closed(code: 1011, reason: "The service is currently unavailable."),
      .closed(code: 1007, reason: "Request contains an invalid argument."),
      .closed(code: 1008, reason: "Operation is not implemented, or supported, or enabled."),
      .closed(code: 1008, reason: "Requested entity was not found"),
    ]
    let unmade: [UpstreamEnd] = [
      .unreachable, .nameNotFound, .timedOut(.connect), .timedOut(.upgrade),
      .refused(status: 503, retryAfterSeconds: nil),
    ]
    if call.isOpen {
      call.ends(any.randomElement(using: &random) ?? .lost)
    } else {
      call.ends(unmade.randomElement(using: &random) ?? .lost)
    }
  }

  private static func sides(_ call: inout GeminiRandomCall, _ random: inout Random) {
    if let side = call.dialledSides.randomElement(using: &random), Bool.random(using: &random) {
      return Int.random(in: 0..<8, using: &random) == 0 ? call.sideEnds(side) : call.sideOpens(side)
    }
    guard let side = call.openSides.randomElement(using: &random) else { return }
    if !side.law.isSetUp { return call.sideServes(side.number, ["setupComplete": [:]]) }
    if Int.random(in: 0..<12, using: &random) == 0 { return call.sideEnds(side.number) }
    var service = GeminiRandomService()
    call.sideServes(side.number, service.frame(&random, callPrefix: "side"))
  }
}
