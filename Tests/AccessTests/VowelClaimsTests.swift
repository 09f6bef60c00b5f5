import Envelope
import Testing

@testable import Access

private struct Word: Sendable, CustomTestStringConvertible {
  var body: String
  var change: @Sendable (inout TokenClaims) -> Void

  init(_ body: String, _ change: @escaping @Sendable (inout TokenClaims) -> Void) {
    self.body = body
    self.change = change
  }

  var testDescription: String { body }
}

private func detection(_ json: JSONValue) -> @Sendable (inout TokenClaims) -> Void {
  { $0.session = ["audio": ["input": ["turn_detection": json]]] }
}

private func vad(_ silence: JSONValue) -> @Sendable (inout TokenClaims) -> Void {
  detection(["type": "server_vad", "silence_duration_ms": silence])
}

private let words: [Word] = [
  Word("{}") { _ in },
  Word(#"{"model": null, "voice": null}"#) { _ in },
  Word(#"{"model": "openai/gpt-oss-20b"}"#) { $0.model = "openai/gpt-oss-20b" },
  Word(#"{"voice": "aura-2-thalia-en"}"#) { $0.session = ["audio": ["output": ["voice": "aura-2-thalia-en"]]] },
  Word(#"{"speakingRate": 1.2}"#) { $0.session = ["audio": ["output": ["speed": 1.2]]] },
  Word(#"{"speakingRate": 9}"#) { $0.session = ["audio": ["output": ["speed": 1.5]]] },
  Word(#"{"speakingRate": 0.01}"#) { $0.session = ["audio": ["output": ["speed": 0.25]]] },
  Word(#"{"instructions": "Be brief."}"#) { $0.session = ["instructions": "Be brief."] },
  Word(#"{"instructions": "a", "config": {"systemInstructionOverride": "b"}}"#) { $0.session = ["instructions": "b"] },
  Word(#"{"language": "de"}"#) { $0.session = ["audio": ["input": ["transcription": ["language": "de"]]]] },
  Word(#"{"turnDetection": "aggressive"}"#, vad(300)),
  Word(#"{"turnDetection": "balanced"}"#, vad(550)),
  Word(#"{"turnDetectionPreset": "conservative"}"#, vad(900)),
  Word(#"{"turnDetection": {"mode": "client_vad"}}"#, detection(.null)),
  Word(#"{"turnDetection": {"mode": "disabled"}}"#, detection(.null)),
  Word(
    #"{"turnDetection": {"serverVAD": {"threshold": 0.4, "prefixPaddingMs": 200, "silenceDurationMs": 700}}}"#,
    detection(["type": "server_vad", "threshold": 0.4, "prefix_padding_ms": 200, "silence_duration_ms": 700])),
  Word(#"{"turnDetection": {"mode": "server_vad"}}"#, detection(["type": "server_vad"])),
  Word(#"{"maxCallDurationMs": 1800000, "maxIdleDurationMs": 600000}"#) {
    $0.maxMinutesPerSession = 30
    $0.idleSeconds = 600
  },
  Word(#"{"config": {"voiceConfig": {"voice": "a", "model": "m"}, "voice": "b"}, "voice": "c"}"#) {
    $0.model = "m"
    $0.session = ["audio": ["output": ["voice": "a"]]]
  },
  Word(#"{"initialGreetingPrompt": "Hi", "testMode": true, "agentMaxSteps": 3, "sessionKey": "x"}"#) { _ in },
]

private let faults: [(String, String, String)] = [
  (#"{"model": 1}"#, "model", "invalid_type"),
  (#"{"model": "two words"}"#, "model", "invalid_value"),
  (#"{"voice": ""}"#, "voice", "invalid_value"),
  (#"{"voice": {}}"#, "voice", "invalid_type"),
  (#"{"speakingRate": 0}"#, "speakingRate", "invalid_value"),
  (#"{"speakingRate": "1"}"#, "speakingRate", "invalid_type"),
  (#"{"maxCallDurationMs": -1}"#, "maxCallDurationMs", "invalid_value"),
  (#"{"maxIdleDurationMs": 0}"#, "maxIdleDurationMs", "invalid_value"),
  (#"{"turnDetection": "wild"}"#, "turnDetection", "invalid_value"),
  (#"{"turnDetection": 1}"#, "turnDetection", "invalid_type"),
  (#"{"turnDetection": {"mode": "x"}}"#, "turnDetection.mode", "invalid_value"),
  (#"{"turnDetection": {"serverVAD": {"threshold": 2}}}"#, "turnDetection.serverVAD.threshold", "invalid_value"),
  (
    #"{"config": {"voiceConfig": {"turnDetection": {"serverVAD": {"silenceDurationMs": 1.5}}}}}"#,
    "config.voiceConfig.turnDetection.serverVAD.silenceDurationMs", "invalid_value"
  ),
  (#"{"config": {"voiceConfig": {"stt": {"apiKey": "k"}}}}"#, "config.voiceConfig.stt", "invalid_value"),
  (#"{"tts": {}}"#, "tts", "invalid_value"),
  (#"{"providerConfig": {"apiKey": "k"}}"#, "providerConfig", "invalid_value"),
  (#"{"language": 5}"#, "language", "invalid_type"),
  (#"{"systemInstructionOverride": []}"#, "systemInstructionOverride", "invalid_type"),
]

@Suite("vowel's words for a token")
struct VowelClaimsTests {
  @Test("each word has its claim", arguments: words)
  private func word(_ word: Word) throws {
    let body = try #require(try JSONValue(parsing: word.body).object)
    var expected = TokenClaims()
    word.change(&expected)
    #expect(try TokenClaims.fromVowel(body) == expected)
  }

  @Test("a value that a word cannot have is told with its place", arguments: faults)
  func fault(body: String, parameter: String, code: String) throws {
    let body = try #require(try JSONValue(parsing: body).object)
    do {
      _ = try TokenClaims.fromVowel(body)
      Issue.record("it was taken")
    } catch {
      #expect(error.param == parameter)
      #expect(error.code == code)
    }
  }

  @Test("Q23: what has no effect is known by name, once")
  func withoutEffect() throws {
    let body = try #require(
      try JSONValue(
        parsing: #"{"testMode": true, "voice": "a", "config": {"testMode": false, "agentMaxSteps": 1}}"#
      ).object)
    #expect(Set(TokenClaims.vowelWordsWithoutEffect(in: body)) == ["testMode", "agentMaxSteps"])
    #expect(TokenClaims.vowelWordsWithoutEffect(in: body).count == 2)
  }
}
