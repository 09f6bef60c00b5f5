import ParleyTesting
import Envelope
import Metering

enum Records {
  /// 2026-01-31T22:00:00Z: two hours before a new day.
  static let begin = 1_769_896_800_000

  static func make(
    _ id: String, sequence: Int = 1, state: UsageRecord.State = .ended, startedAt: Int = begin, seconds: Double = 1,
    heardBytes: Int = 0, metadata: JSONObject = [:]
  ) -> UsageRecord {
    let identity = UsageIdentity(
      sessionID: id, provider: "gemini", kind: "gemini", mode: .managedInference, key: "app", keyID: "key_1",
      startedAt: Timestamp(milliseconds: startedAt), instance: "test", metadata: metadata)
    var meter = Meter()
    meter.heard(bytes: heardBytes, .pcm(rate: 24_000))
    let updated = Timestamp(milliseconds: startedAt + Int(seconds * 1000))
    return UsageRecord(
      identity, sequence: sequence, state: state, model: "gemini-live", updatedAt: updated,
      endedAt: state == .ended ? updated : nil, end: state == .ended ? "completed" : nil, seconds: seconds, meter: meter
    )
  }

  static func random(_ id: String, using random: inout SplitMix64) -> UsageRecord {
    func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
    let isVoice = Bool.random(using: &random)
    let identity = UsageIdentity(
      sessionID: id, provider: pick(["gemini", "openai", "Ünïcödé \"quoted\" 'too'", nil]),
      kind: pick(["gemini", nil]),
      mode: pick(UsageMode.allCases), key: pick(["a", "b", "B", nil]), keyID: pick(["key_1", "key_2", nil]),
      app: pick(["default", "shop", "😀"]), tokenID: pick(["token", nil]),
      startedAt: Timestamp(milliseconds: begin + Int.random(in: 0..<8, using: &random) * 3_600_000),
      instance: "i", metadata: ["note": .string(pick(["", "\\ ' \" \n", "çà"]))])
    var tokens = TokenTally()
    tokens.inputText = Int.random(in: 0...1_000_000, using: &random)
    tokens.inputAudio = Int.random(in: 0...1_000, using: &random)
    tokens.inputImage = Int.random(in: 0...10, using: &random)
    tokens.inputCached = Int.random(in: 0...10, using: &random)
    tokens.outputText = Int.random(in: 0...(1 << 52), using: &random)
    tokens.outputAudio = Int.random(in: 0...1_000, using: &random)
    tokens.total = Int.random(in: 0...(1 << 60), using: &random)
    tokens.isEstimated = Bool.random(using: &random)
    let meter = Meter(
      heard: AudioTally([.init(format: .pcm(rate: 24_000), bytes: Int.random(in: 0...1_000_000, using: &random))]),
      spoken: AudioTally([
        .init(format: .pcmu, bytes: Int.random(in: 0...1_000_000, using: &random)),
        .init(format: .pcm(rate: 16_000), bytes: Int.random(in: 0...1_000_000, using: &random)),
      ]), takenBack: AudioTally(), tokens: tokens, responses: Int.random(in: 0...9, using: &random))
    let seconds = Double.random(in: 0...4_000, using: &random)
    let updated = Timestamp(milliseconds: identity.startedAt.milliseconds + Int(seconds * 1000))
    return UsageRecord(
      identity, sequence: Int.random(in: 1...1_000, using: &random),
      modality: isVoice ? UsageRecord.voice : pick(["text", "embedding"]), state: .ended,
      model: pick(["gemini-live", "gpt", nil]), updatedAt: updated, endedAt: updated, end: "completed",
      seconds: seconds, meter: meter)
  }
}
