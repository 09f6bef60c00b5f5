import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

/// Anything in any order: who speaks, what, and when time passes come from a seed.
@Suite struct RandomSessions {
  struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  static let client = [
    #"{"type":"session.update","session":{"instructions":"x"}}"#,
    #"{"type":"session.update","session":{"audio":{"input":{"turn_detection":null}}}}"#,
    #"{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}}"#,
    #"{"type":"session.update","session":{"output_modalities":["text"]}}"#,
    #"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "AAABAAIA", count: 900))"}"#,
    #"{"type":"input_audio_buffer.append","audio":"AAABAAIA"}"#,
    #"{"type":"input_audio_buffer.commit"}"#, #"{"type":"input_audio_buffer.clear"}"#,
    #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#,
    #"{"type":"response.create"}"#, #"{"type":"response.create","response":{"output_modalities":["text"]}}"#,
    #"{"type":"response.cancel"}"#, #"{"type":"nope"}"#, "garbage",
  ]

  static let gemini = [
    #"{"setupComplete":{}}"#, "{}",
    #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AAABAAIA"}}]}}}"#,
    #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"data":"AAABAAIA"}}]},"outputTranscription":{"text":"a"}}}"#,
    #"{"serverContent":{"modelTurn":{"parts":[{"text":"hidden","thought":true}]}}}"#,
    #"{"serverContent":{"outputTranscription":{"text":" word"}}}"#,
    #"{"serverContent":{"inputTranscription":{"text":" heard"}}}"#,
    #"{"serverContent":{"interrupted":true}}"#, #"{"serverContent":{"generationComplete":true}}"#,
    #"{"serverContent":{"turnComplete":true}}"#,
    #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":3,"responseTokenCount":4}}"#,
    #"{"usageMetadata":{"promptTokenCount":3}}"#,
    #"{"voiceActivity":{"type":"ACTIVITY_START","audioOffset":"0.1s"}}"#,
    #"{"voiceActivity":{"type":"ACTIVITY_END","audioOffset":"0.9s"}}"#,
    #"{"serverContent":{"turnComplete":true,"turnCompleteReason":"GENERATED_CONTENT_SAFETY"}}"#,
    #"{"goAway":{"timeLeft":"50s"}}"#, #"{"sessionResumptionUpdate":{"resumable":true}}"#,
  ]

  @Test("the invariants of the event stream hold for 2,000 random calls", arguments: 0..<20)
  func invariants(_ block: Int) {
    for number in 0..<100 {
      let seed = UInt64(block * 100 + number)
      var random = Random(state: seed)
      var call = SessionDialogue(
        .geminiLive(), model: "gemini-3.8-live", requestedModel: Bool.random(using: &random) ? "gemini-3.8-live" : nil)
      var hidden = false
      _ = call.begin()
      if Bool.random(using: &random) {
        _ = call.upstreamOpens()
        _ = call.wait(.seconds(5))
        _ = call.upstream(Self.gemini[0])
      }
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: _ = call.client(Self.client.randomElement(using: &random) ?? "")
        case 4..<8: _ = call.upstream(Self.gemini.dropFirst().randomElement(using: &random) ?? "")
        case 8: _ = call.wait(.milliseconds(Int.random(in: 0...4000, using: &random)))
        default: _ = call.upstreamOpens()
        }
      }
      _ = call.upstreamEnds(.lost)
      hidden = call.history.contains { $0.text.contains("hidden") }
      let violations = EventInvariants.violations(in: call.history, isComplete: true)
      #expect(violations.isEmpty, "seed \(seed)")
      #expect(!hidden, "seed \(seed): a thought was shown")
    }
  }
}
