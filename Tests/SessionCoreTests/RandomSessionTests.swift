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
        .geminiLive(), model: "gemini-3.8-live", requestedModel: Bool.random(using: &random) ? "gemini-3.8-live" : nil,
        dialect: .fixed(.ga))
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

  // MARK: The local engine

  static let localClient =
    client + [
      #"{"type":"session.update","session":{"turn_detection":{"type":"server_vad","idle_timeout_ms":500}}}"#,
      #"{"type":"session.update","session":{"turn_detection":{"type":"semantic_vad","interrupt_response":false}}}"#,
      #"{"type":"session.update","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}}}}}"#,
      #"{"type":"conversation.item.create","item":{"id":"item_r","type":"message","role":"user","content":[{"type":"input_audio","audio":"AAABAAIA"}]}}"#,
      #"{"type":"conversation.item.delete","item_id":"item_r"}"#,
      #"{"type":"response.create","response":{"conversation":"none"}}"#,
      #"{"type":"response.create","response":{"conversation":"none","output_modalities":["text"],"input":[]}}"#,
    ]

  @Test("the same for 500 random calls to the local engine", arguments: 0..<10)
  func localInvariants(_ block: Int) {
    for number in 0..<50 {
      let seed = UInt64(block * 50 + number)
      var random = Random(state: seed)
      var call = SessionDialogue(.local, model: "parley-rules", dialect: .fixed(.ga))
      var responses: [String] = []
      var step = call.begin()
      for _ in 0..<Int.random(in: 1...80, using: &random) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: step = call.client(Self.localClient.randomElement(using: &random) ?? "")
        case 4..<9: step = call.upstream(RandomEngine.message(responses, &random).text)
        case 9: step = call.wait(.milliseconds(Int.random(in: 0...4000, using: &random)))
        case 10: step = call.upstream(#"{"type":"ready"}"#)
        default: step = call.upstreamOpens()
        }
        if let id = step.event("response.created")?["response"]?["id"]?.string { responses.append(id) }
      }
      _ = call.upstreamEnds(.lost)
      let violations = EventInvariants.violations(in: call.history, isComplete: true)
      #expect(violations.isEmpty, "seed \(seed)")
      let isNegative = call.history.contains { ($0["response"]?["usage"]?["input_tokens"]?.int ?? 0) < 0 }
      #expect(!isNegative, "seed \(seed): audio of less than nothing")
    }
  }
}
