import GeminiLiveProvider
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
  static func play(seed: UInt64, log: (@Sendable (String) -> Void)? = nil) -> [String] {
    var random = Random(state: seed)
    let model = models.randomElement(using: &random) ?? ""
    var makeDetector: (@Sendable () -> any TurnDetector)?
    if Bool.random(using: &random) { makeDetector = { LevelTurnDetector() } }
    var configuration = GeminiLiveConfiguration(
      endpoint: UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9), key: Redacted("k"), model: model)
    configuration.makeDetector = makeDetector
    let parameters = SessionParameters(
      provider: ProviderConfiguration(name: "gemini", service: .geminiLive(configuration)), requestedModel: model,
      unixTime: 1_767_229_435, seed: 12)
    var call = WatchedCall<GeminiFrameLaw>(parameters)
    call.hiddenWord = "hidden"
    call.log = log
    var played = RandomCall(
      call, RandomGemini(), fragility: [0, 1, 5].randomElement(using: &random) ?? 0)
    for _ in 0..<Int.random(in: 10...300, using: &random) where !played.call.isOver { played.step(&random) }
    return played.call.finish()
  }
}
